// What is counted: sources, and the SLOs on them.
#include <utility>

#include "pipeline/pipeline_impl.hpp"

namespace nines::collector {

Pipeline::Pipeline(PipelineOptions options, const Clock& clock)
    : impl_(std::make_unique<Impl>(std::move(options), clock)) {}
Pipeline::~Pipeline() = default;

uint32_t Pipeline::add_source(SourcePlan plan) {
  Impl::Source source;
  source.counts.name = plan.name;
  source.counts.service = plan.service;
  source.counts.format = "unknown";
  source.admission = Admission(plan.selector);
  if (const std::string& by = plan.selector.multiline; by != "auto" && by != "none") {
    auto pattern = log::StartPattern::compile(by);
    if (pattern.ok())
      source.pattern = std::move(*pattern);
    else
      source.trouble = pattern.error();
  }
  source.plan = std::move(plan);
  impl_->sources.push_back(std::move(source));
  return static_cast<uint32_t>(impl_->sources.size() - 1);
}

// Two tasks, one on each source: both select by `total` and measure the key.
Status Pipeline::Impl::add_join(const slo::SloSpec& spec, TaskSpec task, uint32_t part) {
  const slo::JoinSpec& join = *spec.indicator.join;
  slo::EventJoin::Options made;
  made.op = spec.op;
  made.unit_ns = slo::unit_ns(spec.indicator.unit);
  const auto limit_ns = multiply(spec.threshold, Decimal{made.unit_ns, 0});
  if (made.unit_ns == 0 || !limit_ns) {
    return Error{Errc::invalid_argument,
                 "SLO " + spec.name + " joins two records, but its unit or value is no time"};
  }
  made.limit_ns = *limit_ns;
  made.join = join;
  made.id = spec.name + ":" + spec.generation();
  joins.push_back({task.slo, task.source, part, std::make_unique<slo::EventJoin>(made)});
  task.join = joins.back().join.get();
  TaskSpec end = task;
  end.total = std::move(task.part);
  end.source = part;
  task.part.reset();
  end.part.reset();
  task.role = SliTask::Role::join_start;
  end.role = SliTask::Role::join_end;
  NINES_TRY(task.value, expr::Expression::parse(join.start_key));
  NINES_TRY(end.value, expr::Expression::parse(join.end_key));
  for (TaskSpec* one : {&task, &end}) {
    Source& source = sources[one->source];
    source.uses_pod = source.uses_pod || uses_pod(one->value->fields());
    source.tasks.push_back(std::move(*one));
  }
  return Ok{};
}

GroupTable* Pipeline::Impl::add_groups(uint32_t slo, const slo::SloSpec& spec) {
  groups.push_back(std::make_unique<GroupTable>(slo, spec, row_count));
  row_count += groups.back()->rows();
  rows.add_slo(row_count - 1);
  return groups.back().get();
}

Status Pipeline::add_slo(uint32_t slo, const slo::SloSpec& spec, uint32_t total, uint32_t part) {
  const auto compile = [&](const std::string& text,
                           std::optional<expr::Expression>& out) -> Status {
    if (text.empty()) return Ok{};
    NINES_TRY(out, expr::Expression::parse(text));
    return Ok{};
  };
  for (const uint32_t source : {total, part}) {
    if (const auto& trouble = impl_->sources[source].trouble) return *trouble;
  }
  const slo::IndicatorSpec& indicator = spec.indicator;
  TaskSpec task;
  task.source = total;
  task.slo = slo;
  task.op = spec.op;
  task.threshold = spec.threshold;
  task.on_missing = indicator.on_missing;
  task.part_is_bad = indicator.part_is_bad;
  NINES_CHECK(compile(indicator.total.where, task.total));
  NINES_CHECK(compile(indicator.part.where, task.part));
  NINES_CHECK(compile(indicator.value, task.value));
  NINES_CHECK(compile(indicator.count, task.count));
  if (indicator.group) NINES_CHECK(compile(indicator.group->by, task.group));
  for (const auto* expression : {&task.total, &task.part, &task.value, &task.group}) {
    if (!*expression || !uses_pod((*expression)->fields())) continue;
    impl_->sources[total].uses_pod = impl_->sources[part].uses_pod = true;
  }
  impl_->accumulator.add_slo(slo);
  ++impl_->generation;
  impl_->programs.clear();
  if (indicator.group && !indicator.join) task.groups = impl_->add_groups(slo, spec);
  if (indicator.join) return impl_->add_join(spec, std::move(task), part);
  if (indicator.kind == slo::SliKind::threshold) {
    if (!task.value) {
      return Error{Errc::invalid_argument,
                   "SLO " + spec.name + " has a threshold but no `value` to measure"};
    }
    task.role = SliTask::Role::threshold;
    impl_->sources[total].tasks.push_back(std::move(task));
  } else if (total == part && !indicator.independent) {
    task.role = SliTask::Role::ratio;
    impl_->sources[total].tasks.push_back(std::move(task));
  } else {
    task.role = SliTask::Role::total_only;
    impl_->sources[total].tasks.push_back(task);
    task.role = SliTask::Role::part_only;
    task.source = part;
    impl_->sources[part].tasks.push_back(std::move(task));
  }
  return Ok{};
}

}  // namespace nines::collector
