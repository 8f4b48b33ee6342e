#include "block_compiler.hpp"

#include <algorithm>

#include "../expr/reader.hpp"
#include "block_builder.hpp"
#include "nines/query/operator.hpp"
#include "scope.hpp"

namespace nines::query {

Result<Block> BlockBuilder::run() {
  block_.source = in_.source;
  copy_items();
  NINES_CHECK(expand_star());
  order_ = prepared_order();
  having_ = in_.having ? expr::clone_tree(*in_.having) : nullptr;
  if (having_) expand_aliases(having_, items_);
  NINES_CHECK(scan());
  if (in_.session) NINES_CHECK(session());
  if (in_.match) NINES_CHECK(match());
  NINES_CHECK(filter_after());
  if (grouped()) {
    NINES_CHECK(group());
  } else if (having_ && !in_.session && !in_.match) {
    return fail(in_.having_offset, "HAVING is for groups; conditions on records go into WHERE");
  }
  if (!in_.anomalies.empty()) NINES_CHECK(anomalies());
  NINES_CHECK(project());
  first_rows();
  if (block_.scan.since || block_.scan.until) block_.scan.needs_time = true;
  return std::move(block_);
}

Error BlockBuilder::fail(size_t offset, std::string_view what, Errc code) const {
  return expr::error_at(text_, offset, what, code);
}

void BlockBuilder::copy_items() {
  for (const ItemSyntax& item : in_.items) {
    ItemSyntax copy{item.tree ? expr::clone_tree(*item.tree) : nullptr, item.alias, item.begin,
                    item.end};
    items_.push_back(std::move(copy));
  }
}

bool BlockBuilder::is_aggregate(const std::string& name) const {
  return std::any_of(in_.aggregates.begin(), in_.aggregates.end(),
                     [&](const auto& a) { return a.text == name; });
}

bool BlockBuilder::is_anomaly(const std::string& name) const {
  return std::any_of(in_.anomalies.begin(), in_.anomalies.end(),
                     [&](const auto& a) { return a.text == name; });
}

// A field that the scan must give (extracted ones and those of CONTEXT it gives anyway).
void BlockBuilder::read_field(const std::string& name) {
  for (const Extract& e : in_.extracts) {
    if (contains(e.names, name)) return;
  }
  if (in_.context && (name == "ctx_group" || name == "ctx_offset")) return;
  if (!contains(block_.scan.fields, name)) block_.scan.fields.push_back(name);
}

void BlockBuilder::read_fields(const Node& tree) {
  for (const std::string& name : expr::fields_of(tree)) {
    if (!is_aggregate(name) && !is_anomaly(name)) read_field(name);
  }
}

// Columns of the stages so far; `open_`: still those of the scan, which has every field.
Error BlockBuilder::unknown_column(const Node& field) const {
  std::string what = "there is no column '" + field.text.substr(0, 64) + "' here; ";
  std::string_view nearest;
  size_t best = 3;
  for (const std::string& c : columns_) {
    const size_t distance = expr::edit_distance(c, field.text.substr(0, 64));
    if (distance < best) {
      best = distance;
      nearest = c;
    }
  }
  if (!nearest.empty())
    return fail(field.offset, what + "did you mean '" + std::string(nearest) + "'?");
  what += "it has";
  for (size_t i = 0; i < columns_.size() && i < 12; ++i) what += (i > 0 ? ", " : " ") + columns_[i];
  return fail(field.offset, what);
}

Status BlockBuilder::expand_star() {
  std::vector<ItemSyntax> out;
  for (ItemSyntax& item : items_) {
    if (item.tree) {
      out.push_back(std::move(item));
      continue;
    }
    if (!in_.group_by.empty() || (!in_.aggregates.empty() && !in_.session)) {
      return fail(item.begin, "SELECT * of groups", Errc::unsupported);
    }
    for (const std::string& name : star_columns()) {
      out.push_back({field_node(name, item.begin), {}, item.begin, item.end});
    }
  }
  items_ = std::move(out);
  return Ok{};
}

std::vector<std::string> BlockBuilder::star_columns() const {
  std::vector<std::string> out;
  const auto key_names = [&](const std::vector<NodePtr>& keys) {
    for (const NodePtr& key : keys) out.push_back(key_name(*key));
  };
  if (in_.session) {
    key_names(in_.session->keys);
    for (const std::string_view c : kSessionColumns) {
      if (c != "timeline") out.emplace_back(c);
    }
    return out;
  }
  const bool one_row = in_.match && in_.match->rows == MatchStage::Rows::one;
  if (one_row) {
    key_names(in_.match->keys);
    if (in_.match->sequence) {
      for (const char* c : {"match_number", "start", "end", "duration_ms", "state"})
        out.push_back(c);
      for (const PatternNode& step : in_.match->pattern.kids) {
        if (step.kind == PatternNode::Kind::absent) continue;
        out.push_back(step.name + "_ts");
        out.push_back(step.name + "_message");
      }
    }
  } else {
    for (const std::string_view c : kStarFields) out.emplace_back(c);
    for (const Extract& e : in_.extracts) {
      for (const std::string& name : e.names) {
        if (!contains(out, name)) out.push_back(name);
      }
    }
  }
  if (in_.match && !in_.match->sequence) {
    for (const PatternTree& m : in_.match->measures) out.push_back(m.name);
  } else if (in_.match && !one_row) {
    out.insert(out.end(), {"match_number", "step"});
  }
  if (in_.context) out.insert(out.end(), {"ctx_group", "ctx_offset"});
  return out;
}

std::string BlockBuilder::key_name(const Node& key) {
  return key.kind == NodeKind::field ? key.text : expr::print_tree(key);
}

std::vector<OrderSyntax> BlockBuilder::prepared_order() const {
  std::vector<OrderSyntax> out;
  for (const OrderSyntax& key : in_.order_by) {
    // As written: a number that an alias stands for is a constant like any other.
    OrderSyntax copy{expr::clone_tree(*key.tree), key.descending, key.nulls_first,
                     ordinal_of(*key.tree)};
    expand_aliases(copy.tree, items_);
    out.push_back(std::move(copy));
  }
  return out;
}

Status BlockBuilder::scan() {
  ScanPlan& scan = block_.scan;
  scan.extracts = in_.extracts;
  scan.since = in_.since;
  scan.until = in_.until;
  if (!in_.session && !in_.match) {
    // In the order of the SELECT list, so that rows often need no rearranging.
    for (const ItemSyntax& item : items_) read_fields(*item.tree);
    for (const OrderSyntax& key : order_) {
      if (key.ordinal == 0) read_fields(*key.tree);
    }
    for (const NodePtr& key : in_.group_by) {
      NodePtr copy = group_key(*key);
      if (copy) read_fields(*copy);
    }
    if (having_) read_fields(*having_);
  }
  for (const Extract& e : in_.extracts) read_field(e.field);
  const size_t shown = scan.fields.size();
  NodePtr where = in_.where ? expr::clone_tree(*in_.where) : nullptr;
  if (where) {
    // Of sessions and matches the SELECT list is about other columns.
    if (!in_.session && !in_.match) expand_aliases_of_rows(where, items_, in_.aggregates);
    read_fields(*where);
  }
  for (const AggregateSyntax& a : in_.aggregates) NINES_CHECK(read_aggregate(a));
  if (!in_.context) {
    if (where) scan.where = expression_of(*where);
    return Ok{};
  }
  if (in_.aggregates.empty() && !in_.session && !in_.match) scan.shown_fields = shown;
  return context(std::move(where));
}

Status BlockBuilder::read_aggregate(const AggregateSyntax& a) {
  if (in_.match || over_sessions()) return Ok{};  // of columns of that stage
  if (a.value) read_fields(*a.value);
  if (a.filter) read_fields(*a.filter);
  const bool timed = a.kind == AggregateKind::first || a.kind == AggregateKind::last ||
                     a.kind == AggregateKind::rate;
  if (timed) block_.scan.needs_time = true;
  return Ok{};
}

Status BlockBuilder::context(NodePtr where) {
  if (!where) {
    return fail(in_.begin, "CONTEXT needs a WHERE that chooses the records it surrounds");
  }
  ScanPlan& scan = block_.scan;
  if (in_.context->by.empty()) {
    scan.where = expression_of(*where);
    scan.context = in_.context;
    if (scan.context->within_ns) scan.needs_time = true;
    return Ok{};
  }
  read_field(in_.context->by);
  scan.needs_time = true;
  block_.stages.push_back(ContextByStage{*in_.context, expression_of(*where), lateness_ns_});
  return Ok{};
}

std::vector<std::string> BlockBuilder::scan_columns() const {
  std::vector<std::string> out = block_.scan.fields;
  for (const Extract& e : in_.extracts) out.insert(out.end(), e.names.begin(), e.names.end());
  if (in_.context) out.insert(out.end(), {"ctx_group", "ctx_offset"});
  return out;
}

// Every tree behind the stage.
void BlockBuilder::each_tree(const std::function<void(NodePtr&)>& visit) {
  for (ItemSyntax& item : items_) visit(item.tree);
  for (OrderSyntax& key : order_) visit(key.tree);
  if (having_) visit(having_);
}

// The first closed stage: from here on columns are known.
void BlockBuilder::push(Stage stage) {
  std::vector<std::string> inputs = open_ ? scan_columns() : columns_;
  block_.stages.emplace_back(std::move(stage));
  columns_ = columns_of(block_.stages.back(), inputs);
  open_ = false;
}

Status BlockBuilder::check_columns(const Node& tree) const {
  if (open_) return Ok{};
  if (tree.kind == NodeKind::field && !contains(columns_, tree.text)) {
    return in_.session || in_.match ? unknown_column(tree) : bare(tree);
  }
  for (const NodePtr& kid : tree.kids) NINES_CHECK(check_columns(*kid));
  return Ok{};
}

Error BlockBuilder::bare(const Node& field) const {
  return fail(field.offset,
              "'" + field.text.substr(0, 64) + "' is neither grouped nor in an aggregate",
              Errc::unsupported);
}

// WHERE behind MATCH_RECOGNIZE; HAVING of sessions and matches that are not grouped.
Status BlockBuilder::filter_after() {
  if (!in_.where_after) return Ok{};
  NINES_CHECK(check_columns(*in_.where_after));
  if (!grouped() && !having_) {  // one projection is enough
    having_ = expr::clone_tree(*in_.where_after);
    return Ok{};
  }
  push_filter(expression_of(*in_.where_after));
  return Ok{};
}

void BlockBuilder::push_filter(expr::Expression filter) {
  ProjectStage stage;
  stage.filter = std::move(filter);
  for (const std::string& c : columns_) {
    stage.columns.push_back({c, expression_of(*field_node(c, 0))});
  }
  push(std::move(stage));
}

Status BlockBuilder::project() {
  ProjectStage stage;
  for (const ItemSyntax& item : items_) NINES_CHECK(check_columns(*item.tree));
  for (size_t i = 0; i < items_.size(); ++i) {
    // Named after what was written, not after what became of it.
    const bool star = i >= in_.items.size() || in_.items.size() != items_.size();
    const std::string name = item_name(star || !in_.items[i].tree ? items_[i] : in_.items[i]);
    block_.columns.push_back(unique_name(name, block_.columns));
    stage.columns.push_back({block_.columns.back(), expression_of(*items_[i].tree)});
  }
  if (having_) {
    NINES_CHECK(check_columns(*having_));
    stage.filter = expression_of(*having_);
  }
  SortStage sort;
  NINES_CHECK(sort_keys(stage, sort));
  sort.distinct = in_.distinct;
  sort.limit = in_.limit;
  sort.offset = in_.offset;
  sort.keep = items_.size();
  if (!is_identity(stage)) block_.stages.emplace_back(std::move(stage));
  const bool sorts = !sort.keys.empty() || sort.distinct || sort.limit || sort.offset != 0;
  if (sorts) block_.stages.emplace_back(std::move(sort));
  return Ok{};
}

Status BlockBuilder::sort_keys(ProjectStage& stage, SortStage& sort) {
  for (const OrderSyntax& key : order_) {
    SortStage::Key out{0, key.descending, key.nulls_first};
    const size_t n = key.ordinal;
    if (n > items_.size()) {
      return fail(key.tree->offset, "ORDER BY " + std::to_string(n) + ": the SELECT list has " +
                                        std::to_string(items_.size()) +
                                        (items_.size() == 1 ? " item" : " items"));
    }
    NINES_CHECK(check_columns(*key.tree));
    out.column = n != 0 ? n - 1 : column_of(*key.tree);
    if (out.column == stage.columns.size() || (n == 0 && out.column >= items_.size())) {
      NINES_TRY(out.column, hidden(*key.tree, stage));
    }
    sort.keys.push_back(out);
  }
  return Ok{};
}

size_t BlockBuilder::column_of(const Node& tree) const {
  const auto found = std::find_if(items_.begin(), items_.end(),
                                  [&](const auto& i) { return same_tree(*i.tree, tree); });
  return static_cast<size_t>(found - items_.begin());
}

Result<size_t> BlockBuilder::hidden(const Node& tree, ProjectStage& stage) const {
  if (in_.distinct) {
    return fail(tree.offset, "DISTINCT rows ordered by what is not in the SELECT list",
                Errc::unsupported);
  }
  std::vector<std::string> names;
  for (const Column& c : stage.columns) names.push_back(c.name);
  stage.columns.push_back({unique_name(expr::print_tree(tree), names), expression_of(tree)});
  return stage.columns.size() - 1;
}

// Columns as they come in, in their order.
bool BlockBuilder::is_identity(const ProjectStage& stage) const {
  if (stage.filter) return false;
  const std::vector<std::string> inputs = open_ ? scan_columns() : columns_;
  if (inputs.size() != stage.columns.size()) return false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const expr::Expression& value = stage.columns[i].value;
    const bool plain = value.fields().size() == 1 && value.fields()[0] == inputs[i];
    if (!plain || !is_field(value, inputs[i])) return false;
  }
  return true;
}

bool BlockBuilder::is_field(const expr::Expression& value, const std::string& name) {
  return value.to_string() == expr::print_tree(*field_node(name, 0));
}

void BlockBuilder::first_rows() {
  if (!in_.limit) return;
  for (const Stage& stage : block_.stages) {
    const auto* sort = std::get_if<SortStage>(&stage);
    const bool passes = std::holds_alternative<ProjectStage>(stage) ||
                        (sort != nullptr && sort->keys.empty() && !sort->distinct);
    if (!passes) return;
  }
  uint64_t rows = 0;
  if (!__builtin_add_overflow(*in_.limit, in_.offset, &rows)) block_.scan.first_rows = rows;
}

Result<Block> compile_block(const BlockSyntax& syntax, std::string_view text, int64_t lateness_ns) {
  return BlockBuilder(syntax, text, lateness_ns).run();
}

}  // namespace nines::query
