#include "table_rewriter.hpp"

#include <algorithm>

#include "../expr/ascii.hpp"
#include "../expr/functions.hpp"
#include "block_compiler.hpp"
#include "block_parser.hpp"
#include "scope.hpp"

namespace nines::query {
namespace {

using expr::Sym;
using expr::Token;

constexpr int kMaxNesting = 20;

size_t behind_parentheses(const std::vector<Token>& tokens, size_t open) {
  int depth = 0;
  for (size_t i = open; i < tokens.size(); ++i) {
    if (tokens[i].sym == Sym::left_paren) ++depth;
    if (tokens[i].sym == Sym::right_paren && --depth == 0) return i + 1;
  }
  return tokens.size() - 1;
}

}  // namespace

Result<std::string> TableRewriter::run() {
  in_.use(this);
  const size_t first = inputs_.size();
  auto sql = select();
  // A table has a column, were it only counted.
  for (size_t i = first; sql.ok() && i < inputs_.size(); ++i) {
    auto* const table = std::get_if<TableScan>(&inputs_[i].what);
    if (table == nullptr || !table->columns.empty()) continue;
    table->columns.push_back({"x0", *expr::Expression::parse("1")});
  }
  return sql;
}

void TableRewriter::append(std::string& out, std::string_view text) {
  const bool tight = text == "," || text == ")" || out.empty() || out.back() == '(';
  if (!tight) out += ' ';
  out += text;
}

void TableRewriter::copy(std::string& out) {
  const Token& t = in_.take();
  const bool raw = t.sym == Sym::string;
  append(out,
         raw ? quoted_text(t.text) : std::string(in_.source().substr(t.begin, t.end - t.begin)));
}

bool TableRewriter::is_structure() const {
  const Sym sym = in_.peek().sym;
  if (sym == Sym::comma || sym == Sym::right_paren || sym == Sym::other || sym == Sym::kw_as) {
    return true;
  }
  if (sym == Sym::left_paren) {  // of joins; others begin expressions
    const Token& before = in_.before();
    return scope_->clause == Clause::from &&
           (before.sym == Sym::left_paren || before.sym == Sym::comma ||
            expr::equals_ignoring_case(before.text, "from") ||
            expr::equals_ignoring_case(before.text, "join"));
  }
  for (const std::string_view word :
       {"distinct", "all", "asc", "desc", "nulls", "join", "left", "right", "full", "inner",
        "outer", "cross", "on", "collate"}) {
    if (in_.is_word(word)) return true;
  }
  return false;
}

// Words that begin a clause of this SELECT.
bool TableRewriter::clause_word(std::string& out) {
  struct Word {
    std::string_view text;
    Clause clause;
    bool by;
  };
  constexpr Word kWords[] = {{"from", Clause::from, false},     {"where", Clause::where, false},
                             {"group", Clause::group_by, true}, {"having", Clause::having, false},
                             {"order", Clause::order_by, true}, {"limit", Clause::other, false},
                             {"offset", Clause::other, false},  {"window", Clause::other, false}};
  for (const Word& word : kWords) {
    if (!in_.is_word(word.text) || (word.by && !in_.is_word("by", 1))) continue;
    scope_->clause = word.clause;
    close_from(out);
    copy(out);
    if (word.by) copy(out);
    return true;
  }
  return false;
}

Result<std::string> TableRewriter::select() {
  if (++depth_ > kMaxNesting) {
    return in_.fail(in_.peek(), "SELECTs are nested more than 20 levels deep", Errc::exhausted);
  }
  Scope scope;
  scope.outer = scope_;
  scope.behind = shape_of(in_).behind;
  scope_ = &scope;
  const size_t first = in_.position();
  if (depth_ == 1 && !has_from()) all_logs();
  Status status = read_sources();
  std::string out;
  if (status.ok()) {
    in_.seek(first);
    copy(out);  // SELECT
    while (status.ok() && in_.position() < scope.behind) status = step(out);
    close_from(out);
  }
  scope_ = scope.outer;
  --depth_;
  if (!status.ok()) return status.error();
  return out;
}

bool TableRewriter::has_from() {
  const size_t first = in_.position();
  bool found = false;
  for (size_t i = first + 1; i < scope_->behind && !found;) {
    in_.seek(i);
    found = in_.is_word("from");
    const bool inside = in_.peek().sym == Sym::left_paren;
    i = inside ? behind_parentheses(in_.tokens(), i) : i + 1;
  }
  in_.seek(first);
  return found;
}

// Without FROM: all sources.
void TableRewriter::all_logs() {
  TableScan scan;
  scan.source.kind = SourceRef::Kind::logs;
  scan.source.names = {"*"};
  add_log_source(std::move(scan), in_.peek().begin, in_.peek().begin);
  scope_->implicit_from = "FROM " + quoted_name(inputs_.back().table);
}

void TableRewriter::close_from(std::string& out) {
  if (!scope_->implicit_from.empty()) append(out, std::exchange(scope_->implicit_from, {}));
}

void TableRewriter::add_log_source(TableScan scan, size_t begin, size_t end) {
  Input input;
  input.table = "nines_" + std::to_string(inputs_.size());
  input.why_not_native = reason_;
  input.begin = begin;
  input.end = end;
  TableSource source;
  source.log = true;
  source.input = inputs_.size();
  source.alias = scan.source.alias.empty() ? input.table : scan.source.alias;
  finish_scan(scan.scan);
  input.what = std::move(scan);
  inputs_.push_back(std::move(input));
  scope_->sources.push_back(sources_.all.size());
  sources_.all.push_back(std::move(source));
}

Status TableRewriter::step(std::string& out) {
  for (const Span& span : scope_->spans) {
    if (span.begin != in_.position()) continue;
    if (!span.sql.empty()) append(out, span.sql);
    in_.seek(span.end);
    return Ok{};
  }
  const bool window = in_.is_word("window");
  if (clause_word(out)) {
    if (scope_->clause == Clause::where) return where(out);
    while (window) {
      copy(out);  // name
      NINES_CHECK(in_.expect(Sym::kw_as, "AS and a window in parentheses"));
      out += " AS ";
      NINES_TRY(const std::string body, this->window());
      out += body;
      if (!in_.accept(Sym::comma)) break;
      out += ",";
    }
    return Ok{};
  }
  if (scope_->clause == Clause::from && in_.is_word("using")) return using_columns();
  if (in_.is_word("natural")) {
    return in_.fail(in_.peek(), "NATURAL JOIN can't know the fields of logs; write ON a.x = b.x");
  }
  if (is_structure()) {
    const bool select = in_.peek().sym == Sym::left_paren && in_.is_word("select", 1);
    const bool nulls = in_.is_word("nulls") || in_.is_word("collate");
    copy(out);
    if (nulls) copy(out);
    if (!select) return Ok{};
    NINES_TRY(const std::string sql, nested());
    append(out, sql);
    return Ok{};
  }
  if (scope_->clause == Clause::items) return item(out);
  if (scope_->clause == Clause::order_by) return order_key(out);
  const size_t first = in_.position();
  NINES_TRY(const NodePtr tree, in_.expression());
  const bool key =
      scope_->clause == Clause::group_by && !is_column(first, *tree) && is_constant(*tree);
  append(out, key ? "''" : sources_.sql_of(*tree));
  return Ok{};
}

// GROUP BY 2, ORDER BY 2: what was read from `first` on is a number and nothing else.
bool TableRewriter::is_column(size_t first, const Node& tree) const {
  const bool alone = in_.position() == first + 1 && in_.before().sym == Sym::number;
  return alone && ordinal_of(tree) != 0;
}

// As a key it chooses nothing; a number that an alias stands for must not become that of a column.
bool TableRewriter::is_constant(const Node& tree) const {
  return !sources_.has_foreign(tree) && sources_.source_of(tree) == TableSources::kNone;
}

Status TableRewriter::item(std::string& out) {
  const bool all = in_.peek().sym == Sym::star;
  if (all || (in_.is_other('.', 1) && in_.peek(2).sym == Sym::star)) return star(out);
  ItemSyntax item;
  NINES_TRY(item.tree, in_.expression());
  append(out, sources_.sql_of(*item.tree));
  if (in_.peek().sym == Sym::other || in_.is_word("collate")) return Ok{};  // goes on in SQL
  if (in_.accept(Sym::kw_as) || may_be_alias(in_.peek())) item.alias = in_.take().text;
  const std::string name = item.alias.empty() ? sources_.name_of(*item.tree) : item.alias;
  out += " AS " + quoted_name(name);
  scope_->items.push_back(std::move(item));
  return Ok{};
}

// * and a.*: of logs the columns that SELECT * has, for their fields can't be known.
Status TableRewriter::star(std::string& out) {
  const Token& name = in_.peek();
  const bool one = name.sym != Sym::star;
  std::vector<size_t> wanted = scope_->sources;
  if (one) {
    const auto source = source_named(name.text);
    if (!source) return in_.fail(name, "there is no table '" + name.text.substr(0, 64) + "' here");
    wanted = {*source};
    in_.take();
    in_.take();
  }
  in_.take();
  bool first = true;
  for (const size_t source : wanted) {
    if (!first) out += ",";
    first = false;
    if (!sources_.all[source].log) {
      append(out, quoted_name(sources_.all[source].alias) + ".*");
      scope_->items.emplace_back();  // of unknown width: ordinals behind it mean SQLite's columns
      continue;
    }
    std::vector<std::string> columns(std::begin(kStarFields), std::end(kStarFields));
    for (const Extract& e : sources_.scan_of(source).scan.extracts) {
      columns.insert(columns.end(), e.names.begin(), e.names.end());
    }
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i > 0) out += ",";
      ItemSyntax item;
      item.tree = sources_.field(source, columns[i], name.begin);
      append(out, sources_.sql_of(*item.tree) + " AS " + quoted_name(columns[i]));
      scope_->items.push_back(std::move(item));
    }
  }
  return Ok{};
}

// What of WHERE one scan can decide moves into it, unless a join makes rows for what is missing.
Status TableRewriter::where(std::string& out) {
  NINES_TRY(NodePtr tree, in_.expression());
  std::vector<NodePtr> parts;
  if (tree->kind == NodeKind::logical_and) {
    parts = std::move(tree->kids);
  } else {
    parts.push_back(std::move(tree));
  }
  std::vector<std::string> left;
  std::map<size_t, std::vector<NodePtr>> moved;
  for (NodePtr& part : parts) {
    const size_t source = sources_.source_of(*part);
    const bool known =
        source < TableSources::kSeveral && contains_source(source) && !sources_.has_foreign(*part);
    if (known && !scope_->outer_join) {
      moved[source].push_back(std::move(part));
    } else {
      left.push_back(sources_.sql_of(*part));
    }
  }
  for (auto& [source, conditions] : moved) {
    NodePtr all = std::move(conditions[0]);
    if (conditions.size() > 1) {
      auto chain = std::make_unique<Node>();
      chain->kind = NodeKind::logical_and;
      chain->kids.push_back(std::move(all));
      for (size_t i = 1; i < conditions.size(); ++i)
        chain->kids.push_back(std::move(conditions[i]));
      all = std::move(chain);
    }
    ScanPlan& scan = sources_.scan_of(source).scan;
    for (const std::string& name : expr::fields_of(*all)) {
      const bool extracted = std::any_of(scan.extracts.begin(), scan.extracts.end(),
                                         [&](const Extract& e) { return contains(e.names, name); });
      if (!extracted && !contains(scan.fields, name)) scan.fields.push_back(name);
    }
    scan.where = expression_of(*all);
  }
  if (left.empty()) left.emplace_back("1");
  for (size_t i = 0; i < left.size(); ++i) append(out, (i > 0 ? "AND " : "") + left[i]);
  return Ok{};
}

bool TableRewriter::contains_source(size_t source) const {
  const auto& own = scope_->sources;
  return std::find(own.begin(), own.end(), source) != own.end();
}

// By number when it is an item, for that holds in UNION and with DISTINCT as well.
Status TableRewriter::order_key(std::string& out) {
  const size_t first = in_.position();
  NINES_TRY(const NodePtr tree, in_.expression());
  if (is_constant(*tree)) {
    append(out, is_column(first, *tree) ? sources_.sql_of(*tree) : "''");
    return Ok{};
  }
  for (size_t i = 0; i < scope_->items.size(); ++i) {
    if (!scope_->items[i].tree) break;  // t.*: unknown width
    if (!same_tree(*scope_->items[i].tree, *tree)) continue;
    append(out, std::to_string(i + 1));
    return Ok{};
  }
  append(out, sources_.sql_of(*tree));
  return Ok{};
}

// SELECT ... [UNION SELECT ...] up to the ')' that closes it.
Result<std::string> TableRewriter::nested() {
  std::string out;
  const size_t behind = [&] {
    int depth = 0;
    size_t i = in_.position();
    for (; i + 1 < in_.tokens().size(); ++i) {
      if (in_.tokens()[i].sym == Sym::left_paren) ++depth;
      if (in_.tokens()[i].sym == Sym::right_paren && --depth < 0) break;
    }
    return i;
  }();
  while (in_.position() < behind) {
    if (!in_.is_word("select")) {
      copy(out);
      continue;
    }
    const SelectShape shape = shape_of(in_);
    if (shape.log_sources == 1 && !names_outer(shape.behind)) {
      if (const auto input = native_(shape)) {
        append(out, "SELECT * FROM " + quoted_name(inputs_[*input].table));
        continue;
      }
    }
    in_.use(this);
    NINES_TRY(const std::string sql, select());
    append(out, sql);
  }
  in_.use(this);
  return out;
}

// Does a name up to there begin with the alias of a table around it?
bool TableRewriter::names_outer(size_t behind) const {
  for (size_t i = in_.position(); i < behind; ++i) {
    const Token& t = in_.tokens()[i];
    const size_t dot = t.text.find('.');
    if (t.sym != Sym::identifier || dot == std::string::npos) continue;
    if (source_named(std::string_view(t.text).substr(0, dot))) return true;
  }
  return false;
}

// ---- what an expression holds ----

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

// ---- FROM ----

std::string TableRewriter::take_alias() {
  if (in_.accept(Sym::kw_as) || may_be_alias(in_.peek())) return in_.take().text;
  return {};
}

bool TableRewriter::at_source_clause() const {
  if (in_.is_word("since") || in_.is_word("until")) {
    return in_.peek(1).sym == Sym::string || in_.is_word("now", 1);
  }
  if (in_.is_word("at")) return in_.is_word("nodes", 1);
  return in_.is_word("extract") && in_.peek(1).sym == Sym::identifier &&
         (in_.is_word("pattern", 2) || in_.is_word("regexp", 2));
}

Status TableRewriter::read_sources() {
  int depth = 0;
  bool in_from = false;
  bool table = false;  // one stands next
  for (size_t i = in_.position() + 1; i < scope_->behind;) {
    in_.seek(i);
    const Sym sym = in_.peek().sym;
    if (table && (sym == Sym::identifier || sym == Sym::string ||
                  (sym == Sym::left_paren && in_.is_word("select", 1)))) {
      NINES_CHECK(read_table(i));
      table = false;
      continue;
    }
    if (sym == Sym::left_paren && !table) {
      i = behind_parentheses(in_.tokens(), i);
      continue;
    }
    if (sym == Sym::left_paren) ++depth;
    if (sym == Sym::right_paren) --depth;
    for (const std::string_view word : {"where", "group", "having", "order", "limit", "window"}) {
      if (depth == 0 && in_.is_word(word)) in_from = table = false;
    }
    if (in_.is_word("from")) in_from = table = true;
    if (in_from && (in_.is_word("join") || sym == Sym::comma)) table = true;
    if (in_from && (in_.is_word("left") || in_.is_word("right") || in_.is_word("full"))) {
      scope_->outer_join = true;
    }
    if (depth == 0 && at_source_clause()) {
      NINES_CHECK(read_clauses());
      i = in_.position();
      continue;
    }
    ++i;
  }
  return Ok{};
}

Status TableRewriter::read_table(size_t& i) {
  const size_t first = i;
  if (sources_.all.size() >= 100) {
    return in_.fail(in_.peek(), "more than 100 tables in a block", Errc::exhausted);
  }
  if (at_log_source(in_)) {
    NINES_CHECK(read_log_source());
    i = in_.position();
    return Ok{};
  }
  TableSource source;
  std::string sql;
  const bool parentheses = in_.peek().sym == Sym::left_paren || in_.peek(1).sym == Sym::left_paren;
  if (in_.peek().sym != Sym::left_paren) {
    source.alias = in_.peek().text;
    const auto known = tables_.find(source.alias);
    if (known != tables_.end()) source.columns = known->second;
    copy(sql);
    if (parentheses) scope_->spans.push_back({first, in_.position(), std::exchange(sql, {})});
  }
  if (parentheses) in_.seek(behind_parentheses(in_.tokens(), in_.position()));
  const size_t alias_at = parentheses ? in_.position() : first;
  if (std::string alias = take_alias(); !alias.empty()) {
    source.alias = std::move(alias);
    sql += " AS " + quoted_name(source.alias);
  }
  if (in_.position() > alias_at) scope_->spans.push_back({alias_at, in_.position(), sql});
  scope_->sources.push_back(sources_.all.size());
  sources_.all.push_back(std::move(source));
  i = in_.position();
  return Ok{};
}

Status TableRewriter::read_log_source() {
  const size_t first = in_.position();
  TableScan scan;
  NINES_TRY(scan.source, parse_source(in_));
  SourceClauses clauses;
  const auto read_all = [&]() -> Status {
    while (at_source_clause()) {
      NINES_TRY(const bool taken, parse_source_clause(in_, now_, clauses));
      if (!taken) break;
    }
    return Ok{};
  };
  NINES_CHECK(read_all());
  scan.source.alias = take_alias();
  NINES_CHECK(read_all());
  scan.source.nodes = std::move(clauses.nodes);
  scan.scan.since = clauses.since;
  scan.scan.until = clauses.until;
  scan.scan.extracts = std::move(clauses.extracts);
  const std::string alias = scan.source.alias;
  add_log_source(std::move(scan), in_.tokens()[first].begin, in_.before().end);
  std::string sql = quoted_name(inputs_.back().table);
  if (!alias.empty()) sql += " AS " + quoted_name(alias);
  scope_->spans.push_back({first, in_.position(), std::move(sql)});
  return Ok{};
}

void TableRewriter::finish_scan(ScanPlan& scan) {
  scan.needs_time = scan.since || scan.until;
  for (const Extract& e : scan.extracts) {
    if (!contains(scan.fields, e.field)) scan.fields.push_back(e.field);
  }
}

// SINCE, UNTIL, EXTRACT, AT NODES elsewhere in the block: of its only log source.
Status TableRewriter::read_clauses() {
  const size_t first = in_.position();
  NINES_TRY(const size_t source, only_log_source(in_.peek()));
  TableScan& table = sources_.scan_of(source);
  SourceClauses clauses{table.source.nodes, table.scan.since, table.scan.until, {}};
  NINES_TRY(const bool taken, parse_source_clause(in_, now_, clauses));
  if (!taken) return Ok{};
  table.source.nodes = std::move(clauses.nodes);
  table.scan.since = clauses.since;
  table.scan.until = clauses.until;
  for (Extract& e : clauses.extracts) table.scan.extracts.push_back(std::move(e));
  finish_scan(table.scan);
  scope_->spans.push_back({first, in_.position(), ""});
  return Ok{};
}

// USING (a, b) of tables whose columns have other names.
Status TableRewriter::using_columns() {
  return in_.fail(in_.peek(), "USING can't know the fields of logs; write ON a.x = b.x");
}

}  // namespace nines::query
