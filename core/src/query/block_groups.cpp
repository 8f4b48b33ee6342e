// The clauses of a block that make groups: GROUP BY and aggregates, and anomaly() over them.
#include <algorithm>

#include "../expr/reader.hpp"
#include "block_builder.hpp"
#include "scope.hpp"

namespace nines::query {

bool BlockBuilder::grouped() const {
  if (!in_.group_by.empty()) return true;
  return !in_.aggregates.empty() && (!in_.session || over_sessions());
}

// With aliases and ordinals in their places; nullptr: an ordinal that is none.
NodePtr BlockBuilder::group_key(const Node& key) const {
  if (const size_t n = ordinal_of(key); n != 0) {
    return n <= items_.size() ? expr::clone_tree(*items_[n - 1].tree) : nullptr;
  }
  NodePtr copy = expr::clone_tree(key);
  expand_aliases(copy, items_);
  return copy;
}

AggregateSpec BlockBuilder::spec_of(const AggregateSyntax& a) const {
  AggregateSpec spec;
  spec.kind = a.kind;
  spec.name = a.text;
  if (a.value) spec.value = expression_of(*a.value);
  if (a.filter) spec.filter = expression_of(*a.filter);
  spec.distinct = a.distinct;
  spec.k = a.k;
  spec.permille = a.permille;
  spec.per_ns = a.per_ns;
  return spec;
}

Status BlockBuilder::group() {
  GroupStage stage;
  std::vector<std::string> names;
  for (const NodePtr& key : in_.group_by) {
    NodePtr tree = group_key(*key);
    if (!tree) {
      return fail(key->offset, "GROUP BY " + std::to_string(ordinal_of(*key)) +
                                   ": the SELECT list has " + std::to_string(items_.size()) +
                                   (items_.size() == 1 ? " item" : " items"));
    }
    if (mentions(*tree, [&](const std::string& n) { return is_aggregate(n); })) {
      return fail(key->offset, "GROUP BY can't hold an aggregate");
    }
    NINES_CHECK(check_columns(*tree));
    names.push_back(unique_name(key_name(*tree), names));
    stage.keys.push_back({names.back(), expression_of(*tree)});
    keys_.push_back(std::move(tree));
  }
  for (const AggregateSyntax& a : in_.aggregates) {
    if (a.value) NINES_CHECK(check_columns(*a.value));
    if (a.filter) NINES_CHECK(check_columns(*a.filter));
    stage.aggregates.push_back(spec_of(a));
  }
  push(std::move(stage));
  each_tree([&](NodePtr& tree) { over_groups(tree); });
  return Ok{};
}

// Sub-trees that are a key become the key's column; constants stay what they are.
void BlockBuilder::over_groups(NodePtr& tree) {
  replace_trees(tree, [&](const Node& n) -> NodePtr {
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (same_tree(n, *keys_[i]) && !expr::fields_of(n).empty())
        return field_node(columns_[i], n.offset);
    }
    return nullptr;
  });
}

Status BlockBuilder::anomalies() {
  const auto* groups =
      block_.stages.empty() ? nullptr : std::get_if<GroupStage>(&block_.stages.back());
  if (groups == nullptr) return needs_bucket(in_.anomalies[0]);
  for (const AnomalySyntax& a : in_.anomalies) {
    size_t time = keys_.size();
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (bucket_width(*keys_[i]) == a.bucket_ns) time = i;
    }
    if (time == keys_.size()) return needs_bucket(a);
    AnomalyStage stage;
    stage.time = columns_[time];
    for (size_t i = 0; i < keys_.size(); ++i) {
      if (i != time) stage.series.push_back(columns_[i]);
    }
    stage.bucket_ns = a.bucket_ns;
    stage.baseline_ns = a.baseline_ns;
    stage.name = a.text;
    NINES_TRY(stage.value, anomaly_value(a));
    push(std::move(stage));
  }
  return Ok{};
}

Error BlockBuilder::needs_bucket(const AnomalySyntax& a) const {
  return fail(a.offset, "anomaly() OVER (BUCKETS ...) needs the groups of that width: GROUP BY " +
                            std::string("bucket(ts, ...)"));
}

int64_t BlockBuilder::bucket_width(const Node& key) {
  const bool bucket = key.kind == NodeKind::call && key.function != nullptr &&
                      expr::print_tree(key).starts_with("bucket(");
  return bucket ? expr::parse_duration_ns(key.kids[1]->text).value_or(0) : 0;
}

// The column that holds it; made by a projection when it is an expression.
Result<std::string> BlockBuilder::anomaly_value(const AnomalySyntax& a) {
  NodePtr tree = expr::clone_tree(*a.value);
  expand_aliases(tree, items_);
  over_groups(tree);
  NINES_CHECK(check_columns(*tree));
  if (tree->kind == NodeKind::field) return tree->text;
  ProjectStage stage;
  for (const std::string& c : columns_) {
    stage.columns.push_back({c, expression_of(*field_node(c, 0))});
  }
  std::string name = unique_name(expr::print_tree(*tree), columns_);
  stage.columns.push_back({name, expression_of(*tree)});
  push(std::move(stage));
  return name;
}

}  // namespace nines::query
