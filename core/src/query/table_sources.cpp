#include "table_sources.hpp"

#include <algorithm>
#include <cstdio>

#include "nines/base/time.hpp"
#include "scope.hpp"

namespace nines::query {
namespace {

constexpr char kMark = '\x02';  // begins the text of a foreign part

std::string in_quotes(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    out += c;
    if (c == quote) out += c;
  }
  return out + quote;
}

// As times are in SQLite: 30 characters that sort as time does (nines/sql/residual.hpp).
std::string time_text(int64_t ns) {
  constexpr size_t kLength = 19;  // 2026-11-21T10:00:00
  const int64_t fraction = (ns % kNsPerSecond + kNsPerSecond) % kNsPerSecond;
  char digits[16];
  std::snprintf(digits, sizeof digits, ".%09dZ", static_cast<int>(fraction));
  return format_rfc3339({ns - fraction}).substr(0, kLength) + digits;
}

// A value without fields, as SQL.
std::string constant(const Node& tree) {
  const expr::Expression expression = expression_of(tree);
  expr::Evaluator evaluator(expression, {});
  const Value v = evaluator.eval({});
  switch (v.kind) {
    case ValueKind::null: return "NULL";
    case ValueKind::boolean: return v.mantissa != 0 ? "1" : "0";
    case ValueKind::number: return Decimal{v.mantissa, v.exponent}.to_string();
    case ValueKind::real: {
      char digits[40];
      std::snprintf(digits, sizeof digits, "%.17g", v.real);
      return digits;
    }
    case ValueKind::text: return quoted_text(v.text);
    case ValueKind::time: return quoted_text(time_text(v.time_ns));
    case ValueKind::level: return quoted_text(level_name(v.level));
  }
  return "NULL";
}

std::string_view sign_of(uint8_t mask) {
  switch (mask) {
    case expr::kEqual: return " = ";
    case expr::kLess: return " < ";
    case expr::kLess | expr::kEqual: return " <= ";
    case expr::kGreater: return " > ";
    case expr::kGreater | expr::kEqual: return " >= ";
    default: return " <> ";
  }
}

}  // namespace

std::string quoted_name(std::string_view name) { return in_quotes(name, '"'); }
std::string quoted_text(std::string_view text) { return in_quotes(text, '\''); }

NodePtr TableSources::foreign(std::string sql, std::string name, size_t offset, bool column) {
  foreign_.push_back({std::move(sql), std::move(name), column});
  return field_node(kMark + std::to_string(foreign_.size() - 1), offset);
}

NodePtr TableSources::field(size_t source, std::string_view name, size_t offset) const {
  NodePtr node = field_node(name, offset);
  node->detail = static_cast<uint8_t>(source);
  return node;
}

bool TableSources::is_foreign(const Node& tree) const {
  return tree.kind == NodeKind::field && tree.text.starts_with(kMark);
}
const TableSources::Foreign& TableSources::foreign_of(const Node& tree) const {
  return foreign_[static_cast<size_t>(std::stoul(tree.text.substr(1)))];
}

bool TableSources::has_foreign(const Node& tree) const {
  return mentions(tree, [](const std::string& name) { return name.starts_with(kMark); });
}

size_t TableSources::source_of(const Node& tree) const {
  if (tree.kind == NodeKind::field) return is_foreign(tree) ? kNone : tree.detail;
  size_t only = kNone;
  for (const NodePtr& kid : tree.kids) {
    const size_t source = source_of(*kid);
    if (source == kNone || source == only) continue;
    if (only != kNone) return kSeveral;
    only = source;
  }
  return only;
}

std::string TableSources::name_of(const Node& tree) const {
  NodePtr copy = expr::clone_tree(tree);
  each_field(copy, [&](NodePtr& field) {
    if (is_foreign(*field)) field->text = foreign_of(*field).name;
  });
  return readable(*copy);
}

std::string TableSources::column_of(size_t source, const Node& tree) {
  TableScan& table = scan_of(source);
  const std::string text = expr::print_tree(tree);
  auto found = std::find_if(table.columns.begin(), table.columns.end(),
                            [&](const Column& c) { return c.value.to_string() == text; });
  if (found == table.columns.end()) {
    for (const std::string& name : expr::fields_of(tree)) {
      const bool extracted = std::any_of(table.scan.extracts.begin(), table.scan.extracts.end(),
                                         [&](const Extract& e) { return contains(e.names, name); });
      if (!extracted && !contains(table.scan.fields, name)) table.scan.fields.push_back(name);
    }
    table.columns.push_back({"x" + std::to_string(table.columns.size()), expression_of(tree)});
    found = std::prev(table.columns.end());
  }
  return quoted_name(all[source].alias) + "." + quoted_name(found->name);
}

bool TableSources::is_join_comparison(const Node& tree) const {
  return tree.kind == NodeKind::compare && is_column(*tree.kids[0]) && is_column(*tree.kids[1]);
}
// Of another table, or worked out by one scan.
bool TableSources::is_column(const Node& tree) const {
  if (is_foreign(tree)) return foreign_of(tree).column;
  return !has_foreign(tree) && source_of(tree) < kSeveral;
}

std::string TableSources::joined(const Node& tree, std::string_view word) {
  std::string out = "(";
  for (size_t i = 0; i < tree.kids.size(); ++i) {
    if (i > 0) out += word;
    out += sql_of(*tree.kids[i]);
  }
  return out + ")";
}

std::string TableSources::sql_of(const Node& tree) {
  if (is_foreign(tree)) return foreign_of(tree).sql;
  const size_t source = source_of(tree);
  if (!has_foreign(tree)) {
    if (source == kNone) return constant(tree);
    if (source != kSeveral) return column_of(source, tree);
  }
  if (tree.kind == NodeKind::logical_and) return joined(tree, " AND ");
  if (tree.kind == NodeKind::logical_or) return joined(tree, " OR ");
  if (tree.kind == NodeKind::logical_not) return "(NOT " + sql_of(*tree.kids[0]) + ")";
  if (tree.kind == NodeKind::is_null) {
    return "(" + sql_of(*tree.kids[0]) + (tree.negated ? " IS NOT NULL)" : " IS NULL)");
  }
  if (is_join_comparison(tree)) return joined(tree, sign_of(tree.detail));
  return evaluated(tree);
}

// nines_eval('a0 / a1', ...)
std::string TableSources::evaluated(const Node& tree) {
  NodePtr copy = expr::clone_tree(tree);
  std::vector<std::string> leaves;
  take_leaves(copy, leaves);
  std::string out = "nines_eval(" + quoted_text(expr::print_tree(*copy));
  for (const std::string& leaf : leaves) out += ", " + leaf;
  return out + ")";
}

void TableSources::take_leaves(NodePtr& tree, std::vector<std::string>& leaves) {
  const size_t source = source_of(*tree);
  const bool column = source < kSeveral && !has_foreign(*tree);
  if (!is_foreign(*tree) && !column) {
    for (NodePtr& kid : tree->kids) take_leaves(kid, leaves);
    return;
  }
  std::string sql = sql_of(*tree);
  const auto found = std::find(leaves.begin(), leaves.end(), sql);
  const auto index = static_cast<size_t>(found - leaves.begin());
  if (found == leaves.end()) leaves.push_back(std::move(sql));
  tree = field_node("a" + std::to_string(index), tree->offset);
}

}  // namespace nines::query
