// What expressions of a block that SQLite runs hold beyond fields and operators of one log: names
// of several tables, aggregates, functions and windows of SQLite, sub-queries.
#include <algorithm>

#include "../expr/ascii.hpp"
#include "../expr/functions.hpp"
#include "block_parser.hpp"
#include "scope.hpp"
#include "table_rewriter.hpp"

namespace nines::query {

using expr::Sym;
using expr::Token;

std::optional<size_t> TableRewriter::source_named(std::string_view alias) const {
  for (const Scope* scope = scope_; scope != nullptr; scope = scope->outer) {
    for (const size_t source : scope->sources) {
      if (expr::equals_ignoring_case(sources_.all[source].alias, alias)) return source;
    }
  }
  return std::nullopt;
}

Result<size_t> TableRewriter::only_log_source(const Token& at) const {
  size_t found = TableSources::kNone;
  std::string names;
  for (const size_t source : scope_->sources) {
    if (!sources_.all[source].log) continue;
    names += (names.empty() ? "" : ", ") + sources_.all[source].alias;
    if (found != TableSources::kNone) found = TableSources::kSeveral;
    if (found == TableSources::kNone) found = source;
  }
  if (found < TableSources::kSeveral) return found;
  return in_.fail(at, "'" + at.text.substr(0, 64) + "' may be a field of any of " + names +
                          "; write which: " + names.substr(0, names.find(',')) + "." +
                          at.text.substr(0, 64));
}

Result<NodePtr> TableRewriter::name(expr::Reader& reader) {
  const Token& t = reader.peek();
  if (scope_->clause > Clause::from) {
    for (const ItemSyntax& item : scope_->items) {
      if (item.alias.empty() || item.alias != t.text) continue;
      const bool unfit =
          scope_->clause == Clause::where &&
          (sources_.has_foreign(*item.tree) ||
           mentions(*item.tree, [&](const std::string& name) { return name == item.alias; }));
      if (unfit) break;
      reader.take();
      return expr::clone_tree(*item.tree);
    }
  }
  const auto verbatim = [&] {
    reader.take();
    const std::string sql(in_.source().substr(t.begin, t.end - t.begin));
    const size_t dot = t.text.rfind('.');
    return sources_.foreign(sql, dot == std::string::npos ? t.text : t.text.substr(dot + 1),
                            t.begin, true);
  };
  const size_t dot = t.text.find('.');
  if (dot != std::string::npos) {
    if (const auto source = source_named(std::string_view(t.text).substr(0, dot))) {
      if (!sources_.all[*source].log) return verbatim();
      reader.take();
      return sources_.field(*source, std::string_view(t.text).substr(dot + 1), t.begin);
    }
  }
  size_t log = TableSources::kNone;  // the first
  for (const size_t source : scope_->sources) {
    const TableSource& s = sources_.all[source];
    if (s.log && log == TableSources::kNone) log = source;
    if (!s.log && contains(s.columns, t.text)) return verbatim();
  }
  if (log == TableSources::kNone) return verbatim();
  Level level{};
  if (!t.quoted && scope_->sources.size() > 1 && parse_level(t.text, level) &&
      expr::equals_ignoring_case(t.text, level_name(level))) {
    reader.take();  // b.level >= WARN: the parser makes a level of it
    return sources_.field(log, t.text, t.begin);
  }
  NINES_TRY(const size_t source, only_log_source(t));
  reader.take();
  return sources_.field(source, t.text, t.begin);
}

Result<NodePtr> TableRewriter::call(expr::Reader& reader) {
  if (NodePtr time = read_now(reader, now_)) return time;
  if (const auto kind = aggregate_call(reader)) return aggregate(*kind);
  const Token& name = reader.peek();
  if (reader.is_word("exists") && reader.is_word("select", 2)) {
    reader.take();
    NINES_TRY(const NodePtr inner, subquery(reader, nullptr, false));
    return sources_.foreign("EXISTS " + sources_.sql_of(*inner), "exists", name.begin);
  }
  if (expr::find_function(name.text) != nullptr) return NodePtr();
  return foreign_call();
}

Result<NodePtr> TableRewriter::aggregate(AggregateKind kind) {
  const Token& name = in_.peek();
  NINES_TRY(const AggregateSyntax a, read_aggregate(in_, kind));
  const bool over = in_.is_word("over");
  // With OVER: what SQLite has of that name slides over frames, ours does not.
  const bool plain = over || kind == AggregateKind::count;
  std::string sql = (plain ? "" : "nines_") + std::string(aggregate_name(kind));
  NINES_TRY(const std::string arguments, arguments_of(a, name));
  sql += arguments;
  if (a.filter) sql += " FILTER (WHERE " + sources_.sql_of(*a.filter) + ")";
  std::string shown = a.value ? sources_.name_of(*a.value) : "*";
  shown = a.text.find('\x02') == std::string::npos
              ? a.text
              : std::string(aggregate_name(kind)) + "(" + shown + ")";
  if (over) {
    in_.take();
    NINES_TRY(const std::string frame, window());
    sql += " OVER " + frame;
    shown = in_.source().substr(name.begin, in_.before().end - name.begin);
  }
  return sources_.foreign(std::move(sql), std::move(shown), name.begin);
}

Result<std::string> TableRewriter::arguments_of(const AggregateSyntax& a, const Token& at) {
  const bool timed = a.kind == AggregateKind::first || a.kind == AggregateKind::last;
  const bool rate = a.kind == AggregateKind::rate;
  std::string out = a.distinct ? "(DISTINCT " : "(";
  if (a.value) out += sources_.sql_of(*a.value);
  if (!a.value && a.kind == AggregateKind::count) out += "*";
  if (timed || rate) {
    size_t source = a.value ? sources_.source_of(*a.value) : TableSources::kNone;
    if (source >= TableSources::kSeveral) {
      NINES_TRY(source, only_log_source(at));
    }
    out += a.value ? ", " : "";
    out += sources_.column_of(source, *field_node("ts", at.begin));
    // Of equal times by place, as far as a column can tell it.
    if (timed) out += ", " + sources_.column_of(source, *field_node("line", at.begin));
    if (a.per_ns != kNsPerSecond) {
      out += ", " + quoted_text(Decimal{a.per_ns, -9}.to_string() + "s");
    }
  }
  if (a.kind == AggregateKind::topk) out += ", " + std::to_string(a.k);
  if (a.kind == AggregateKind::percentile) out += ", " + Decimal{a.permille, -3}.to_string();
  return out + ")";
}

// A function of SQLite: name([DISTINCT] a, b) [FILTER (WHERE ...)] [OVER ...]
Result<NodePtr> TableRewriter::foreign_call() {
  const Token& name = in_.take();
  std::string sql = name.text + "(";
  in_.take();
  if (in_.accept_word("distinct")) sql += "DISTINCT ";
  if (in_.accept(Sym::star)) sql += "*";
  for (bool first = true; in_.peek().sym != Sym::right_paren; first = false) {
    if (!first) {
      NINES_CHECK(in_.expect(Sym::comma, "',' or ')' after an argument"));
      sql += ", ";
    }
    NINES_TRY(const NodePtr argument, in_.expression());
    sql += sources_.sql_of(*argument);
  }
  in_.take();
  sql += ")";
  if (in_.is_word("filter") && in_.peek(1).sym == Sym::left_paren) {
    in_.take();
    in_.take();
    if (!in_.accept_word("where")) return in_.unexpected("WHERE in FILTER (WHERE ...)");
    NINES_TRY(const NodePtr condition, in_.expression());
    NINES_CHECK(in_.expect(Sym::right_paren, "')' after the condition of FILTER"));
    sql += " FILTER (WHERE " + sources_.sql_of(*condition) + ")";
  }
  if (in_.accept_word("over")) {
    NINES_TRY(const std::string frame, window());
    sql += " OVER " + frame;
  }
  const std::string shown(in_.source().substr(name.begin, in_.before().end - name.begin));
  return sources_.foreign(std::move(sql), shown, name.begin);
}

// Behind OVER: a name, or (PARTITION BY ... ORDER BY ... ROWS ...).
Result<std::string> TableRewriter::window() {
  if (in_.peek().sym == Sym::identifier) return quoted_name(in_.take().text);
  NINES_CHECK(in_.expect(Sym::left_paren, "'(' or the name of a window after OVER"));
  constexpr std::string_view kWords[] = {
      "partition", "order", "by",      "rows",    "range", "groups",  "unbounded", "preceding",
      "following", "row",   "current", "exclude", "ties",  "no",      "others",    "group",
      "asc",       "desc",  "nulls",   "first",   "last",  "collate", "between",   "and"};
  std::string out = "(";
  while (in_.peek().sym != Sym::right_paren) {
    if (in_.peek().sym == Sym::end) return in_.unexpected("')' after the window");
    const bool call = in_.peek(1).sym == Sym::left_paren;
    const bool word = !call && std::any_of(std::begin(kWords), std::end(kWords),
                                           [&](auto w) { return in_.is_word(w); });
    if (word || in_.peek().sym == Sym::comma) {
      copy(out);
      continue;
    }
    NINES_TRY(const NodePtr tree, in_.expression());
    append(out, sources_.sql_of(*tree));
  }
  in_.take();
  return out + ")";
}

Result<NodePtr> TableRewriter::subquery(expr::Reader& reader, NodePtr left, bool negated) {
  const size_t offset = reader.take().begin;  // (
  const size_t begin = reader.peek().begin;
  NINES_TRY(const std::string inner, nested());
  const std::string shown(in_.source().substr(begin, reader.before().end - begin));
  NINES_CHECK(reader.expect(Sym::right_paren, "')' after the sub-query"));
  std::string sql = "(" + inner + ")";
  if (left) sql = "(" + sources_.sql_of(*left) + (negated ? " NOT IN " : " IN ") + sql + ")";
  return sources_.foreign(std::move(sql), "(" + shown + ")", offset);
}

}  // namespace nines::query
