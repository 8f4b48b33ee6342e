#include "app/ingest.hpp"

#include <algorithm>

#include "app/inputs.hpp"
#include "app/log.hpp"
#include "nines/collector/block_index.hpp"
#include "nines/collector/link_rule.hpp"

namespace nines::agent {
namespace {

// Once read to its end, a source counts as caught up while no more than this is unread: an
// unfinished line, or what was written since the last look.
constexpr int64_t kCaughtUpBytes = 64 * 1024;
constexpr int64_t kFreshNs = 900 * kNsPerSecond;

Result<collector::SourcePlan> plan_source(const slo::SourceSelector& selector,
                                          const slo::SloSpec& spec, const NodeConfig& config) {
  collector::SourcePlan plan;
  plan.selector = selector;
  plan.service = spec.service;
  if (!selector.name.empty()) {
    const auto known = std::find_if(config.sources.begin(), config.sources.end(),
                                    [&](const SourceConfig& s) { return s.name == selector.name; });
    if (known == config.sources.end()) {
      return Error{Errc::invalid_argument, spec.origin + ": SLO " + spec.name +
                                               " names the source \"" + selector.name +
                                               "\", which nines.yaml does not have"};
    }
    plan.selector = known->selector;
    plan.service = known->service.empty() ? spec.service : known->service;
    plan.name = known->name;
    plan.gauge = {known->gauge, known->gauge_of};
    plan.user = known->user;
  }
  plan.globs = collector::globs_of(plan.selector);
  if (plan.selector.input != slo::InputKind::files) {
    if (plan.name.empty()) plan.name = input_name(plan.selector);
    return plan;
  }
  if (plan.globs.include.empty()) {
    return Error{Errc::invalid_argument, spec.origin + ": SLO " + spec.name +
                                             " has no source: give paths, kubernetes or source"};
  }
  if (plan.name.empty()) plan.name = plan.globs.include.front();
  return plan;
}

// An input of its own is attached while it works, whether or not anything has come.
void fill_from_input(const collector::Input& input, SourceState& state) {
  std::vector<collector::InputStats> described;
  input.describe(described);
  bool healthy = true;
  for (const collector::InputStats& d : described) {
    healthy = healthy && d.healthy;
    state.attached = state.attached || d.healthy;
    state.replays = state.replays && d.resumable;
  }
  // What does not work may miss something: nothing is known of that time (a failed scrape).
  state.caught_up = healthy && state.attached && input.caught_up();
}

}  // namespace

Result<SloPlan> plan_slo(uint32_t slo, const slo::SloSpec& spec, const NodeConfig& config) {
  SloPlan plan;
  plan.slo = slo;
  plan.spec = spec;
  NINES_TRY(plan.total, plan_source(spec.indicator.total.source, spec, config));
  plan.part = plan.total;
  if (spec.indicator.kind == slo::SliKind::ratio || spec.indicator.join) {
    NINES_TRY(plan.part, plan_source(spec.indicator.part.source, spec, config));
  }
  return plan;
}

Result<std::unique_ptr<Ingest>> Ingest::create(const NodeConfig& config,
                                               std::vector<slo::Position> saved,
                                               InputEnvironment environment, const Clock& clock) {
  auto ingest =
      std::unique_ptr<Ingest>(new Ingest(std::move(environment), std::move(saved), clock));
  collector::PipelineOptions pipeline;
  pipeline.node = config.node;
  pipeline.max_record_bytes = static_cast<size_t>(config.max_line_bytes);
  pipeline.pods = ingest->environment_.pods;
  const InputEnvironment& around = ingest->environment_;
  pipeline.marks = config.index && !around.state_dir.empty() && !around.reread;
  if (config.incidents.enabled && !around.reread) {
    incident::core::DetectorSettings rules;
    for (const SourceConfig& source : config.sources) {
      if (source.gauge_limit <= 0) continue;
      rules.queue.limits.push_back({{}, source.gauge, static_cast<double>(source.gauge_limit)});
    }
    // What was logged long before this start is no news, unless logs are replayed.
    const WallTime fresh_from{around.once ? INT64_MIN : clock.wall().ns - kFreshNs};
    ingest->watcher_ = std::make_unique<incident::Watcher>(
        config.node, fresh_from, static_cast<size_t>(config.incidents.trail_bytes), rules);
    pipeline.observer = ingest->watcher_.get();
  }
  ingest->pipeline_ = std::make_unique<collector::Pipeline>(pipeline, clock);
  if (pipeline.marks) ingest->open_index(config);
  collector::GovernorOptions governor;
  governor.cpu_permille = static_cast<int32_t>(config.cpu_percent * 10);
  governor.cpu_percent = static_cast<int32_t>(config.cpu_pressure_percent);
  governor.memory_percent = static_cast<int32_t>(config.memory_pressure_percent);
  governor.io_percent = static_cast<int32_t>(config.io_pressure_percent);
  ingest->governor_ = std::make_unique<collector::Governor>(governor);
  NINES_TRY(ingest->inputs_, collector::InputSet::create(clock));
  collector::TailerOptions tailer;
  tailer.buffer_bytes = static_cast<size_t>(config.max_line_bytes);
  tailer.max_files = static_cast<size_t>(config.max_files);
  tailer.reread = ingest->environment_.reread;
  collector::RecordConsumer* consumer = ingest->pipeline_.get();
  if (ingest->indexing_) consumer = ingest->indexing_.get();
  NINES_TRY(auto files, collector::Tailer::create(tailer, *consumer, ingest->saved_, clock));
  collector::restrict_links(*files, collector::container_log_folders());
  ingest->tailer_ = files.get();
  // Those of files begin with the number of a device; the tailer has them now.
  std::erase_if(ingest->saved_, [](const slo::Position& position) {
    return position.key.empty() || (position.key[0] >= '0' && position.key[0] <= '9');
  });
  ingest->inputs_->add(std::move(files));
  return ingest;
}

// Without an index queries are slower; that is no reason not to count.
void Ingest::open_index(const NodeConfig& config) {
  collector::IndexOptions options;
  options.directory = collector::index_directory(environment_.state_dir);
  options.max_bytes = config.index_max_bytes;
  options.daily_bytes = config.index_daily_bytes;
  auto made = collector::IndexWriter::create(std::move(options), clock_);
  if (!made.ok()) {
    log::warn("index", made.error().message);
    return;
  }
  index_ = std::move(*made);
  indexing_ = std::make_unique<collector::IndexingConsumer>(*pipeline_, *index_,
                                                            collector::Pipeline::marks);
}

void Ingest::finish() {
  finishing_ = true;
  if (index_) index_->flush();
}

Result<uint32_t> Ingest::source_index(const collector::SourcePlan& plan) {
  for (uint32_t i = 0; i < sources_.size(); ++i) {
    const collector::SourcePlan& known = sources_[i].plan;
    if (known.selector == plan.selector && known.service == plan.service) return i;
  }
  sources_.push_back({plan});
  // What is scraped is evidence of incidents, unless it is told which number of it is wanted.
  const bool evidence =
      watcher_ && plan.selector.input == slo::InputKind::scrape && plan.gauge.value.empty();
  if (evidence) sources_.back().plan.gauge = {"value", "metric"};
  const uint32_t index = pipeline_->add_source(sources_.back().plan);
  if (evidence) watcher_->gauges().scraped(index, plan.service);
  if (watcher_ && plan.selector.input == slo::InputKind::kmsg) watcher_->kernel_source(index);
  if (plan.selector.input == slo::InputKind::files) {
    tailer_->add_source(index, file_source(plan.selector, plan.globs));
    return index;
  }
  InputEnvironment environment = environment_;
  environment.service = plan.service;
  NINES_TRY(auto input, make_input(index, plan.selector, environment, saved_, *pipeline_, clock_));
  sources_.back().input = &inputs_->add(std::move(input));
  return index;
}

Result<Ingest::Sources> Ingest::add(const SloPlan& plan) {
  Sources sources;
  NINES_TRY(sources.total, source_index(plan.total));
  NINES_TRY(sources.part, source_index(plan.part));
  NINES_CHECK(pipeline_->add_slo(plan.slo, plan.spec, sources.total, sources.part));
  if (plan.spec.indicator.join) pipeline_->restore_joins(saved_);
  follow_users(plan);
  return sources;
}

// In a replay all of the past is read; else users are counted from this life's beginning on.
void Ingest::follow_users(const SloPlan& plan) {
  if (!watcher_) return;
  const WallTime from{environment_.once ? INT64_MIN : clock_.wall().ns};
  watcher_->users().follow(plan.slo, plan.spec, saved_, from);
}

Status Ingest::add_watched(const NodeConfig& config) {
  if (!watcher_) return Ok{};
  for (const std::string& name : config.incidents.sources) {
    slo::SloSpec nobody;
    nobody.name = "(incidents)";
    nobody.origin = config.file;
    slo::SourceSelector selector;
    selector.name = name;
    NINES_TRY(const auto plan, plan_source(selector, nobody, config));
    NINES_CHECK(source_index(plan));
  }
  return Ok{};
}

HandOver Ingest::hand_over(WallTime until, bool replay) {
  HandOver out;
  out.tailer = tailer_->stats();
  if (index_) out.index = index_->stats();
  out.inputs = inputs_->describe();
  out.wakeups = inputs_->wakeups();
  out.governor = governor_->stats();
  out.caught_up = inputs_->caught_up();
  for (collector::SourceCounts& counts : pipeline_->counts()) {
    SourceState state;
    state.counts = std::move(counts);
    out.sources.push_back(std::move(state));
  }
  fill_state(out);
  if (until != kNothingKnown) {
    tell_joins(out.sources, until, replay);
    if (watcher_) out.observed = watcher_->look(until, replay || out.caught_up);
  }
  out.joins = pipeline_->join_counts();
  pipeline_->take(out.batch);
  out.groups = pipeline_->group_counts();
  inputs_->take_positions(out.batch.positions);
  if (watcher_) {
    const bool at_once = watcher_->held() || finishing_ || environment_.once;
    watcher_->users().take_positions(clock_.wall(), at_once, out.batch.positions);
  }
  forget_unclaimed(out.batch.positions);
  return out;
}

void Ingest::tell_joins(const std::vector<SourceState>& sources, WallTime until, bool replay) {
  std::vector<WallTime> known;
  known.reserve(sources.size());
  for (const SourceState& s : sources) {
    known.push_back(s.attached && (replay || s.at_end) ? until : kNothingKnown);
  }
  pipeline_->know(known);
}

std::vector<slo::GroupRow> Ingest::restore_groups(WallTime newest) {
  pipeline_->restore_groups(saved_, newest);
  std::vector<slo::GroupRow> rows;
  pipeline_->take_groups(rows);
  return rows;
}

// What joins, groups and users of SLOs kept that are there no more.
void Ingest::forget_unclaimed(std::vector<slo::Position>& out) {
  std::erase_if(saved_, [&](const slo::Position& p) {
    if (!p.key.starts_with(slo::EventJoin::kPrefix) &&
        !p.key.starts_with(collector::kGroupPrefix) &&
        !p.key.starts_with(incident::UserKeeper::kPrefix)) {
      return false;
    }
    out.push_back({p.key, {}});
    return true;
  });
}

void Ingest::fill_state(HandOver& out) {
  for (const auto& [input, stream] : inputs_->list()) {
    for (const uint32_t index : stream->matched) {
      SourceState& state = out.sources[index];
      state.attached = true;
      state.resumed = state.resumed || stream->resumed;
      state.lag_bytes += std::max<int64_t>(0, stream->size - stream->offset);
    }
  }
  for (size_t i = 0; i < out.sources.size(); ++i) {
    SourceState& state = out.sources[i];
    Source& source = sources_[i];
    if (source.input != nullptr) {
      fill_from_input(*source.input, state);
      state.at_end = state.caught_up;
      continue;
    }
    const bool at_end = tailer_->caught_up() || state.lag_bytes == 0;
    state.at_end = state.attached && at_end;
    if (state.attached && at_end) source.once_caught_up = true;
    state.caught_up =
        state.attached && (at_end || (source.once_caught_up && state.lag_bytes <= kCaughtUpBytes));
  }
}

}  // namespace nines::agent
