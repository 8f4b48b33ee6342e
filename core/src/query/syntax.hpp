// The syntax of a log block as it was written: names resolved to nothing yet. Trees are those of
// the expression language; an aggregate stands in them as a field of its canonical text
// ("count(*)").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "../expr/node.hpp"
#include "nines/query/plan.hpp"

namespace nines::query {

using expr::Node;
using expr::NodeKind;
using expr::NodePtr;

struct AggregateSyntax {
  AggregateKind kind = AggregateKind::count;
  std::string text;       // canonical
  NodePtr value, filter;  // may be null
  bool distinct = false;
  int64_t k = 10;
  uint32_t permille = 990;
  int64_t per_ns = kNsPerSecond;
  size_t offset = 0;
};

struct AnomalySyntax {
  std::string text;
  NodePtr value;
  int64_t bucket_ns = 0, baseline_ns = 0;
  size_t offset = 0;
};

struct ItemSyntax {
  NodePtr tree;  // null: *
  std::string alias;
  size_t begin = 0, end = 0;
};

struct OrderSyntax {
  NodePtr tree;
  bool descending = false;
  std::optional<bool> nulls_first;
  size_t ordinal = 0;  // ORDER BY 2; 0: it is none
};

struct SessionSyntax {
  std::vector<NodePtr> keys;
  std::optional<int64_t> idle_ns, max_ns;
  NodePtr start_when, end_when;
};

// What navigation (FIRST(A.x), PREV(x, 2), CLASSIFIER()) a tree holds; they stand in it as fields
// named terms[i].field.
struct PatternTree {
  std::string name;
  NodePtr tree;
  std::vector<Navigation> terms;
};

struct MatchSyntax {
  bool sequence = false;
  std::vector<NodePtr> keys;
  PatternNode pattern;
  std::vector<PatternTree> define, measures;
  std::optional<int64_t> within_ns;
  NodePtr until;
  MatchStage::Rows rows = MatchStage::Rows::one;
  MatchStage::Skip skip = MatchStage::Skip::past_last;
  std::string skip_to;
  size_t offset = 0;
};

struct BlockSyntax {
  size_t begin = 0, end = 0;  // in the text of the statement
  bool distinct = false;
  std::vector<ItemSyntax> items;
  SourceRef source;
  std::optional<WallTime> since, until;
  std::vector<Extract> extracts;
  NodePtr where;
  NodePtr where_after;  // behind MATCH_RECOGNIZE: over its columns
  std::vector<NodePtr> group_by;
  NodePtr having;
  size_t having_offset = 0;
  std::vector<OrderSyntax> order_by;
  std::optional<uint64_t> limit;
  uint64_t offset = 0;
  std::optional<ContextSpec> context;
  std::optional<SessionSyntax> session;
  std::optional<MatchSyntax> match;
  std::vector<AggregateSyntax> aggregates;
  std::vector<AnomalySyntax> anomalies;

  // SESSION, SEQUENCE, MATCH_RECOGNIZE, CONTEXT and anomaly() have no counterpart in SQLite.
  bool native_only() const { return context || session || match || !anomalies.empty(); }
};

// Equal but for the places in the source.
bool same_tree(const Node& a, const Node& b);
NodePtr field_node(std::string_view name, size_t offset);

}  // namespace nines::query
