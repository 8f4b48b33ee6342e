#include "table_rewriter.hpp"

#include <algorithm>

#include "../expr/ascii.hpp"
#include "block_compiler.hpp"
#include "block_parser.hpp"
#include "scope.hpp"

namespace nines::query {
namespace {

using expr::Sym;
using expr::Token;

constexpr int kMaxNesting = 20;

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

}  // namespace nines::query
