// What of a block its nodes run, and which columns have to travel.
#include <algorithm>
#include <set>

#include "nines/query/plan_codec.hpp"

namespace nines::query {
namespace {

using Names = std::set<std::string, std::less<>>;

void use(Names& used, const expr::Expression& e) {
  used.insert(e.fields().begin(), e.fields().end());
}
void use(Names& used, const std::optional<expr::Expression>& e) {
  if (e) use(used, *e);
}
void use(Names& used, const std::vector<Column>& columns) {
  for (const Column& c : columns) use(used, c.value);
}
void use(Names& used, const std::vector<AggregateSpec>& aggregates) {
  for (const AggregateSpec& a : aggregates) {
    use(used, a.value);
    use(used, a.filter);
  }
}
void use(Names& used, const std::vector<PatternExpression>& expressions) {
  for (const PatternExpression& e : expressions) {
    use(used, e.value);
    for (const Navigation& term : e.terms) used.insert(term.column);
  }
}

// What a stage reads of its rows. False: all of it goes on to the next stage.
bool reads(const GroupStage& s, Names& used) {
  use(used, s.keys);
  use(used, s.aggregates);
  return true;
}
bool reads(const ProjectStage& s, Names& used) {
  use(used, s.filter);
  use(used, s.columns);
  return true;
}
bool reads(const SessionStage& s, Names& used) {
  use(used, s.keys);
  use(used, s.start_when);
  use(used, s.end_when);
  use(used, s.aggregates);
  if (s.with_services || s.with_timeline) used.insert("service");
  if (s.with_timeline) used.insert("message");
  return true;
}
bool reads(const MatchStage& s, Names& used) {
  if (s.rows != MatchStage::Rows::one) return false;
  use(used, s.keys);
  use(used, s.define);
  use(used, s.measures);
  use(used, s.until);
  if (s.sequence) used.insert({"ts", "message", "raw"});
  return true;
}
template <class S>
bool reads(const S&, Names&) {
  return false;
}

std::vector<bool> columns_used(const std::vector<Stage>& rest,
                               const std::vector<std::string>& columns) {
  std::vector<bool> all(columns.size(), true);
  if (rest.empty()) return all;
  Names used;
  const bool known = std::visit([&](const auto& s) { return reads(s, used); }, rest.front());
  if (!known) return all;
  for (size_t i = 0; i < columns.size(); ++i) all[i] = used.contains(columns[i]);
  return all;
}

// LIMIT without an order: as many from each node are enough.
void push_limit(NodePlan& plan, const std::vector<Stage>& rest, size_t columns) {
  const auto* sort = rest.empty() ? nullptr : std::get_if<SortStage>(&rest.front());
  if (sort == nullptr || !sort->keys.empty() || sort->distinct || !sort->limit) return;
  SortStage first;
  uint64_t rows = 0;
  if (__builtin_add_overflow(*sort->limit, sort->offset, &rows)) return;
  first.limit = rows;
  first.keep = columns;
  plan.block.stages.emplace_back(std::move(first));
}

std::vector<std::string> columns_behind(const Block& block, size_t stages) {
  std::vector<std::string> columns = columns_of(block.scan);
  for (size_t i = 0; i < stages; ++i) columns = columns_of(block.stages[i], columns);
  return columns;
}

}  // namespace

NodePlan plan_for_nodes(const Block& block) {
  const Split split = split_of(block.stages);
  NodePlan plan;
  plan.block.source = block.source;
  plan.block.source.nodes.clear();
  plan.block.scan = block.scan;
  const size_t own = split.stateless + (split.merges ? 1 : 0);
  plan.block.stages.assign(block.stages.begin(),
                           block.stages.begin() + static_cast<std::ptrdiff_t>(own));
  plan.block.columns = columns_behind(block, own);
  plan.gives = split.merges    ? NodePlan::Gives::state
               : split.by_time ? NodePlan::Gives::rows_by_time
                               : NodePlan::Gives::rows;
  plan.waits_for_number = block.scan.context.has_value();
  const std::vector<Stage> rest(block.stages.begin() + static_cast<std::ptrdiff_t>(own),
                                block.stages.end());
  if (split.merges) {
    plan.travels.assign(plan.block.columns.size(), true);
  } else {
    plan.travels = columns_used(rest, plan.block.columns);
    push_limit(plan, rest, plan.block.columns.size());
  }
  return plan;
}

RestOfPlan rest_of(const Block& block, const NodePlan& plan) {
  RestOfPlan rest;
  if (plan.gives == NodePlan::Gives::state) {
    rest.stages = block.stages;
    rest.inputs = columns_of(block.scan);
    return rest;
  }
  const size_t own = split_of(block.stages).stateless;
  rest.stages.assign(block.stages.begin() + static_cast<std::ptrdiff_t>(own), block.stages.end());
  rest.inputs = plan.block.columns;
  return rest;
}

}  // namespace nines::query
