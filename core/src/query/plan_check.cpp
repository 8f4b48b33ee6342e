#include "plan_check.hpp"

#include <algorithm>
#include <set>

#include "nines/query/extract.hpp"

namespace nines::query {
namespace {

using Names = std::vector<std::string>;
constexpr uint32_t kMostContext = 1'000'000;  // as statements may ask for

Error wrong(const std::string& what) {
  return Error{Errc::corrupt, "a plan that cannot be run: " + what};
}

bool known(const expr::Expression& e, const Names& inputs) {
  return std::all_of(e.fields().begin(), e.fields().end(), [&](const std::string& field) {
    return std::find(inputs.begin(), inputs.end(), field) != inputs.end();
  });
}
bool known(const std::optional<expr::Expression>& e, const Names& inputs) {
  return !e || known(*e, inputs);
}
bool known(const std::vector<Column>& columns, const Names& inputs) {
  return std::all_of(columns.begin(), columns.end(),
                     [&](const Column& c) { return known(c.value, inputs); });
}

Status check_scan(const ScanPlan& scan) {
  Names fields = scan.fields;
  for (const Extract& extract : scan.extracts) {
    const auto names = extract_names(extract.kind, extract.text);
    if (!names.ok() || *names != extract.names) return wrong("its EXTRACT");
    if (std::find(fields.begin(), fields.end(), extract.field) == fields.end()) {
      return wrong("EXTRACT of " + extract.field + ", which is not read");
    }
    fields.insert(fields.end(), names->begin(), names->end());
  }
  if (!known(scan.where, fields)) return wrong("WHERE uses what is not read");
  if (scan.shown_fields && *scan.shown_fields > scan.fields.size()) return wrong("shown fields");
  if (!scan.context) return Ok{};
  const ContextSpec& context = *scan.context;
  const bool by_file = context.by.empty() || context.by == "file";
  if (!by_file || context.before > kMostContext || context.after > kMostContext ||
      context.within_ns.value_or(0) < 0) {
    return wrong("its CONTEXT");
  }
  return Ok{};
}

bool is_sound(const AggregateSpec& a, const Names& inputs) {
  const bool without = a.kind == AggregateKind::count || a.kind == AggregateKind::rate;
  const bool distinct = a.kind == AggregateKind::count || a.kind == AggregateKind::sum ||
                        a.kind == AggregateKind::avg;
  return (a.value || without) && (!a.distinct || distinct) && a.k >= 1 && a.k <= 10'000 &&
         a.permille <= 1000 && a.per_ns > 0 && known(a.value, inputs) && known(a.filter, inputs);
}

Status check(const GroupStage& stage, const Names& inputs) {
  if (!known(stage.keys, inputs)) return wrong("a key of groups");
  for (const AggregateSpec& a : stage.aggregates) {
    if (!is_sound(a, inputs)) return wrong("the aggregate " + a.name);
  }
  return Ok{};
}
Status check(const ProjectStage& stage, const Names& inputs) {
  if (!known(stage.filter, inputs) || !known(stage.columns, inputs)) return wrong("a column");
  return Ok{};
}
Status check(const SortStage& stage, const Names& inputs) {
  const bool keys = std::all_of(stage.keys.begin(), stage.keys.end(),
                                [&](const auto& key) { return key.column < inputs.size(); });
  if (!keys || stage.keep > inputs.size() || (stage.distinct && stage.keep != inputs.size())) {
    return wrong("its order");
  }
  return Ok{};
}
template <class S>
Status check(const S&, const Names&) {
  return Error{Errc::unsupported, "a stage that nodes do not run"};
}

}  // namespace

Status check_plan(const NodePlan& plan) {
  const Block& block = plan.block;
  if (block.source.kind == SourceRef::Kind::remote) return wrong("remote() runs on no node");
  if (plan.left_ns < 0 || plan.patience_ns <= 0 || plan.progress_ns <= 0) return wrong("a time");
  NINES_CHECK(check_scan(block.scan));
  Names columns = columns_of(block.scan);
  for (const Stage& stage : block.stages) {
    NINES_CHECK(std::visit([&](const auto& s) { return check(s, columns); }, stage));
    columns = columns_of(stage, columns);
  }
  if (columns.size() != plan.travels.size()) return wrong("its columns");
  const Split split = split_of(block.stages);
  const bool state = plan.gives == NodePlan::Gives::state;
  if (state != split.merges || (state && split.stateless + 1 != block.stages.size())) {
    return wrong("what it gives");
  }
  return Ok{};
}

}  // namespace nines::query
