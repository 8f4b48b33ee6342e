// Builds the plan of one log block, clause by clause in the order in which its rows pass them:
// scan, SESSION or SEQUENCE or MATCH_RECOGNIZE, GROUP BY, anomaly(), SELECT list and ORDER BY. Each
// clause adds its stage, and asks the scan for the fields that it reads.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "block_compiler.hpp"

namespace nines::query {

class BlockBuilder {
 public:
  // Both outlive it.
  BlockBuilder(const BlockSyntax& syntax, std::string_view text, int64_t lateness_ns)
      : in_(syntax), text_(text), lateness_ns_(lateness_ns) {}

  // Once.
  Result<Block> run();

 private:
  Error fail(size_t offset, std::string_view what, Errc code = Errc::invalid_argument) const;
  void copy_items();

  // ---- names: of fields of the scan, then of columns of the last stage ----
  bool is_aggregate(const std::string& name) const;
  bool is_anomaly(const std::string& name) const;
  void read_field(const std::string& name);
  void read_fields(const Node& tree);
  std::vector<std::string> scan_columns() const;
  void push(Stage stage);
  Status check_columns(const Node& tree) const;
  Error unknown_column(const Node& field) const;
  Error bare(const Node& field) const;
  void each_tree(const std::function<void(NodePtr&)>& visit);

  // ---- scan ----
  Status scan();
  Status read_aggregate(const AggregateSyntax& a);
  Status context(NodePtr where);

  // ---- SELECT list, ORDER BY, HAVING and what filters behind the other stages ----
  Status expand_star();
  std::vector<std::string> star_columns() const;
  static std::string key_name(const Node& key);
  std::vector<OrderSyntax> prepared_order() const;
  Status filter_after();
  void push_filter(expr::Expression filter);
  Status project();
  Status sort_keys(ProjectStage& stage, SortStage& sort);
  size_t column_of(const Node& tree) const;
  Result<size_t> hidden(const Node& tree, ProjectStage& stage) const;
  bool is_identity(const ProjectStage& stage) const;
  static bool is_field(const expr::Expression& value, const std::string& name);
  void first_rows();

  // ---- SESSION (block_events.cpp) ----
  bool over_sessions() const;
  bool is_session_column(const std::string& name) const;
  Status session();
  bool uses(std::string_view column) const;

  // ---- SEQUENCE, MATCH_RECOGNIZE (block_events.cpp) ----
  Status match();
  PatternExpression pattern_expression(const PatternTree& in);
  Status sequence_columns(MatchStage& stage);
  bool step_column(const std::string& name);
  PatternExpression measure_of(const std::string& name);
  void row_columns(const MatchStage& stage);

  // ---- GROUP BY, anomaly() (block_groups.cpp) ----
  bool grouped() const;
  NodePtr group_key(const Node& key) const;
  AggregateSpec spec_of(const AggregateSyntax& a) const;
  Status group();
  void over_groups(NodePtr& tree);
  Status anomalies();
  Error needs_bucket(const AnomalySyntax& a) const;
  static int64_t bucket_width(const Node& key);
  Result<std::string> anomaly_value(const AnomalySyntax& a);

  const BlockSyntax& in_;
  std::string_view text_;
  int64_t lateness_ns_;
  Block block_;
  std::vector<ItemSyntax> items_;  // of the SELECT list, * and aliases written out
  std::vector<OrderSyntax> order_;
  NodePtr having_;
  std::vector<NodePtr> keys_;         // of GROUP BY
  std::vector<std::string> columns_;  // of the last stage
  bool open_ = true;                  // there is none yet: every name is a field of the scan
};

// Columns of sessions besides their keys.
inline constexpr std::string_view kSessionColumns[] = {
    "session_id", "start", "end", "duration_ms", "n", "services", "timeline", "state"};

}  // namespace nines::query
