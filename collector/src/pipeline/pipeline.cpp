// Reading: from pieces of streams to records, and from records to counts.
#include <algorithm>
#include <charconv>
#include <cstring>
#include <utility>

#include "nines/collector/block_index.hpp"
#include "nines/collector/observer.hpp"
#include "pipeline/measure.hpp"
#include "pipeline/pipeline_impl.hpp"

namespace nines::collector {
namespace {

// Outside of container logs a record's own field of that name stays.
void name_of_container(const std::string& name, Value& v) {
  if (!name.empty() || v.is_null()) v = Value::of_text(name);
}

using expr::Truth;

// All whole lines of a container's log that nobody counts.
size_t skipped_bytes(std::string_view data, Reading how) {
  const size_t last = data.rfind('\n');
  if (how == Reading::last || (how == Reading::full && last == std::string_view::npos))
    return data.size();
  return last == std::string_view::npos ? 0 : last + 1;
}

}  // namespace

// False: nothing to judge by yet.
bool Pipeline::Impl::look_at_format(LogStream& file, FileState& state, std::string_view data,
                                    Reading how) {
  FileFormat& format = state.format;
  if (!format.wants_detection()) return true;
  if (!format.detect(file, data, how, selector_of(state))) return format.known();
  state.program = nullptr;
  if (!format.matched()) ++sources[state.primary].counts.detect_failed;
  file.extra = format.save(file);
  return true;
}

Program* Pipeline::Impl::program_for(FileState& state) {
  const bool current = state.program != nullptr && state.program_generation == generation &&
                       state.program->sources == state.context.matched() &&
                       state.program->asks_service == state.service_guessed &&
                       state.program->reads_level() == state.marked;
  if (current) return state.program;
  const SourcePlan& plan = primary_plan(state);
  for (const auto& known : programs) {
    if (known->wrapping == state.format.wrapping() && known->format == state.format.format() &&
        known->sources == state.context.matched() && known->asks_service == state.service_guessed &&
        known->reads_level() == state.marked) {
      state.program = known.get();
      state.program_generation = generation;
      return state.program;
    }
  }
  std::vector<const TaskSpec*> tasks;
  std::vector<uint32_t> gated;
  std::vector<GaugeSpec> gauges;
  std::string_view user;  // the first source that says it
  for (const uint32_t source : state.context.matched()) {
    if (sources[source].admission.limits()) gated.push_back(source);
    const GaugePlan& gauge = sources[source].plan.gauge;
    if (!gauge.value.empty()) gauges.push_back({source, gauge.value, gauge.of});
    if (user.empty()) user = sources[source].plan.user;
    for (const TaskSpec& task : sources[source].tasks) tasks.push_back(&task);
  }
  log::TimeContext time;
  time.utc_offset_s = plan.selector.utc_offset_s;
  time.reference = now;
  const ProgramWish wish{
      tasks, gated, state.marked, options.observer != nullptr, state.service_guessed, gauges, user};
  auto compiled = compile_program(state.format.format(), state.format.wrapping(), time, wish);
  NINES_ASSERT(compiled.ok());  // expressions and patterns were checked when they were added
  (*compiled)->sources = state.context.matched();
  programs.push_back(std::move(*compiled));
  state.program = programs.back().get();
  state.program_generation = generation;
  std::string& shown = sources[state.primary].counts.format;
  const std::string name = state.format.name();
  shown = shown == "unknown" || shown == name ? name : "mixed";
  return state.program;
}

void Pipeline::Impl::malformed(const Line& line, uint64_t SourceCounts::*reason) {
  SourceCounts& counts = sources[line.state.primary].counts;
  ++(counts.*reason);
  if (!counts.first_malformed.empty()) return;
  std::string excerpt(line.record.content.substr(0, 80));
  for (char& c : excerpt) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  counts.first_malformed = line.file.path + ":" + std::to_string(line.record.at) + ": " + excerpt;
}

void Pipeline::Impl::fill_context(const Line& line, WallTime ts) {
  const std::vector<Value>& of_pod = line.state.context.values(line.program, generation);
  for (size_t i = 0; i < of_pod.size(); ++i) {
    const Program::Context& context = line.program.context[i];
    Value& v = line.program.values[context.slot];
    switch (context.field) {
      case ContextField::source: v = Value::of_text(line.file.path); break;
      case ContextField::service:
        if (v.is_null() && !line.state.service.empty()) v = Value::of_text(line.state.service);
        break;
      case ContextField::node: v = Value::of_text(options.node); break;
      case ContextField::ns: name_of_container(line.state.context.ns, v); break;
      case ContextField::pod: name_of_container(line.state.context.pod, v); break;
      case ContextField::container: name_of_container(line.state.context.container, v); break;
      case ContextField::line: v = Value::of_int(line.record.at); break;
      case ContextField::ingest_ts: v = Value::of_time(now.ns); break;
      case ContextField::raw: v = Value::of_text(line.record.content); break;
      case ContextField::ts: v = Value::of_time(ts.ns); break;
      case ContextField::restart:
      case ContextField::pod_uid:
      case ContextField::owner:
      case ContextField::owner_kind:
      case ContextField::label:
        if (v.is_null()) v = of_pod[i];
        break;
    }
  }
}

// What is the same for all records of a block.
void Pipeline::Impl::begin_observed(const LogStream& file, const FileState& state) {
  observed = {};
  observed.source = state.primary;
  observed.service = state.service;
  observed.pod = state.context.pod;
  observed.container = state.context.container;
  observed.path = file.path;
}

void Pipeline::Impl::show_observer(const Line& line, WallTime ts) {
  const ObservedSlots& slots = *line.program.observed;
  const Value* const values = line.program.values.data();
  const auto text = [&](size_t slot, std::string_view& out) {
    if (slot == ObservedSlots::kNoSlot) return;
    const Value& v = values[slot];
    out = v.kind == ValueKind::text ? v.text : std::string_view{};
  };
  FileState& state = line.state;
  if (!state.restart_told && state.context.restart) {
    state.restart_told = true;
    options.observer->container({ts, state.service, state.context.pod, state.context.container,
                                 static_cast<uint64_t>(std::max(0, *state.context.restart)),
                                 state.context.ns, state.context.uid});
  }
  ObservedRecord& record = observed;
  record.at = ts;
  record.offset = line.record.at;
  if (state.service_guessed) {
    std::string_view told;
    text(slots.service, told);
    record.service = told.empty() ? std::string_view(state.service) : told;
  }
  text(slots.message, record.message);
  text(slots.request, record.request);
  text(slots.span, record.span);
  record.status = 0;
  if (slots.status != ObservedSlots::kNoSlot) {
    const Value& v = values[slots.status];
    if (v.kind == ValueKind::number && v.exponent == 0) record.status = v.mantissa;
  }
  record.has_level = false;
  if (slots.level != ObservedSlots::kNoSlot && values[slots.level].kind == ValueKind::level) {
    record.level = values[slots.level].level;
    record.has_level = true;
  }
  options.observer->record(record);
  for (const GaugeSlots& gauge : line.program.gauges) {
    const auto exact = measured(values[gauge.value]);
    const bool real = values[gauge.value].kind == ValueKind::real;
    if (!exact && !real) continue;
    std::string_view of = record.service;
    if (gauge.of) text(*gauge.of, of);
    options.observer->gauge({ts, gauge.source, gauge.name, of, record.pod,
                             exact ? exact->to_double() : values[gauge.value].real});
  }
}

uint32_t Pipeline::Impl::tally_group(SliTask& task, std::span<const Value> values, int64_t slot,
                                     int64_t good, int64_t bad) {
  const uint32_t row = task.groups->row(task.group->of(values), slot);
  rows.count(row, slot, good, bad);
  return row;
}

bool Pipeline::Impl::run_threshold(SliTask& task, std::span<const Value> values, int64_t slot) {
  const Value& value = task.value->of(values);
  if (const auto exact = measured(value)) {
    const bool good = good_by(task.op, compare(*exact, task.threshold));
    tally_measured(task, values, slot, good, exact->to_double());
    return !good;
  }
  if (value.kind == ValueKind::real) {
    const bool good = good_real(task.op, value.real, task.threshold.to_double());
    tally_measured(task, values, slot, good, value.real);
    return !good;
  }
  if (task.on_missing != slo::OnMissing::bad) return false;
  tally(task, values, slot, 0, 1);
  return true;
}

void Pipeline::Impl::run_join(SliTask& task, std::span<const Value> values, WallTime ts) {
  if (task.total.test(values) != Truth::yes) return;
  const uint64_t key = slo::join_key(task.value->of(values));
  if (key == 0) {
    ++task.join->counters().no_key;
  } else if (task.role == SliTask::Role::join_start) {
    task.join->start(key, ts);
  } else {
    task.join->end(key, ts);
  }
  count_verdicts(task.slo, *task.join);
}

void Pipeline::Impl::count_verdicts(uint32_t slo, slo::EventJoin& join) {
  for (const slo::EventJoin::Verdict& v : join.verdicts()) {
    accumulator.count(slo, v.slot, v.good, v.bad);
    if (v.measured) accumulator.observe(slo, v.slot, v.lag);
  }
  join.verdicts().clear();
}

// `good` and `bad` for every event that the record stands for; false: it stands for none.
bool Pipeline::Impl::count_several(const Line& line, SliTask& task, int64_t slot, int64_t good,
                                   int64_t bad) {
  const auto events = whole_events(task.count->of(line.program.values));
  if (!events) {
    malformed(line, &SourceCounts::bad_count);
    return false;
  }
  tally(task, line.program.values, slot, good * *events, bad * *events);
  return *events > 0;
}

// Who met a bad event. Numbers are told in digits: 17 and "17" are one user.
void Pipeline::Impl::tell_bad(const Line& line, uint32_t slo) {
  const Value& user = line.program.values[line.program.user_slot];
  char digits[24];
  ObservedBad bad{line.state.last_ts, slo, {}};
  if (user.kind == ValueKind::text) {
    bad.user = user.text;
  } else if (user.kind == ValueKind::number && user.exponent == 0) {
    const auto end = std::to_chars(digits, digits + sizeof digits, user.mantissa).ptr;
    bad.user = {digits, static_cast<size_t>(end - digits)};
  }
  options.observer->bad(bad);
}

void Pipeline::Impl::run_tasks(const Line& line, int64_t slot) {
  const std::span<const Value> values(line.program.values);
  const bool telling = line.program.user_slot != Program::kNoSlot;
  const auto count = [&](SliTask& task, int64_t good, int64_t bad) {
    if (task.count) return count_several(line, task, slot, good, bad);
    tally(task, values, slot, good, bad);
    return true;
  };
  for (SliTask& task : line.program.tasks) {
    if (task.open != nullptr && !*task.open) continue;
    bool bad = false;  // for certain: no other record can take it back
    switch (task.role) {
      case SliTask::Role::ratio: {
        if (task.total.test(values) != Truth::yes) break;
        const bool good = (task.part.test(values) == Truth::yes) != task.part_is_bad;
        bad = count(task, good ? 1 : 0, good ? 0 : 1) && !good;
        break;
      }
      case SliTask::Role::threshold:
        if (task.total.test(values) == Truth::yes) bad = run_threshold(task, values, slot);
        break;
      case SliTask::Role::total_only:  // every event is the other kind until its part says
                                       // otherwise
        if (task.total.test(values) != Truth::yes) break;
        count(task, task.part_is_bad ? 1 : 0, task.part_is_bad ? 0 : 1);
        break;
      case SliTask::Role::part_only:
        if (task.part.test(values) != Truth::yes) break;
        bad = count(task, task.part_is_bad ? -1 : 1, task.part_is_bad ? 1 : -1) && task.part_is_bad;
        break;
      case SliTask::Role::join_start:
      case SliTask::Role::join_end: run_join(task, values, line.state.last_ts); break;
    }
    if (bad && telling) [[unlikely]]
      tell_bad(line, task.slo);
  }
}

// The record's own time; where it has none, the runtime's, the line before, or now (facts: trap 7).
inline WallTime Pipeline::Impl::event_time(const Line& line, const log::ParsedRecord& parsed) {
  WallTime ts = parsed.ts;
  if (!parsed.has_ts) {
    ts = line.record.has_runtime_ts   ? line.record.runtime_ts
         : line.state.last_ts.ns != 0 ? line.state.last_ts
                                      : now;
  }
  // A clock that runs ahead must not open slots in the future.
  if (ts.ns > now.ns + options.max_future_skew_s * kNsPerSecond) {
    ts = now;
    ++skewed;
  }
  return ts;
}

// What a query that reads the file in the same way will find, or more than that.
void Pipeline::Impl::mark(const Line& line, const log::ParsedRecord& parsed,
                          bool matched) noexcept {
  constexpr uint8_t kNoLevel = 0x80;
  RecordMarks& marks = line.state.marks;
  if (parsed.has_ts) marks.add(parsed.ts);
  if (line.record.has_runtime_ts) marks.add(line.record.runtime_ts);
  const Value* level = matched ? &line.program.values[line.program.level_slot] : nullptr;
  const bool known = level != nullptr && level->kind == ValueKind::level;
  marks.levels |=
      known ? static_cast<uint8_t>(1U << static_cast<unsigned>(level->level)) : kNoLevel;
}

// Where a record is held back it begins in another block than it is handed over with.
void Pipeline::Impl::begin_marks(FileState& state, const LogStream& file, const JoinRule& rule,
                                 const slo::SourceSelector& selector) {
  state.marks = {};
  state.marks.known = !file.holds && state.pattern == nullptr;
  state.marks.reading = reading_of(state.format.format(), state.format.wrapping(), rule.by,
                                   selector.multiline, selector.utc_offset_s);
}

// A stack trace between lines that are records of their own is part of none (see joining.hpp).
bool Pipeline::Impl::is_trace(const Line& line) {
  if (!line.lone_lines) return false;
  log::TraceMachine& trace = line.state.format.framer().trace(line.record.stream);
  return trace.follows(line.record.content) || trace.begins(line.record.content);
}

// Whether any of the file's sources counts this record; the gates say which.
bool Pipeline::Impl::admit(const Line& line, WallTime ts) {
  Program& program = line.program;
  bool any = program.gates.size() < program.sources.size();
  for (Gate& gate : program.gates) {
    Source& source = sources[gate.source];
    const bool early = ts < source.admission.start;
    gate.open = !early && source.admission.take(now_mono, line.record.content.size());
    if (!gate.open) ++(early ? source.counts.before_start : source.counts.dropped);
    any = any || gate.open;
  }
  return any;
}

FrameStep Pipeline::Impl::on_record(const Line& line) {
  FileState& state = line.state;
  SourceCounts& counts = sources[state.primary].counts;
  log::ParsedRecord parsed;
  if (line.record.not_wrapped) {
    if (state.marked) mark(line, parsed, false);
    malformed(line, &SourceCounts::not_cri);
    return FrameStep::next;
  }
  parsed.fields = line.program.values;
  log::ParseOutcome outcome = line.program.parser->parse(line.record.content, parsed);
  if (outcome == log::ParseOutcome::no_match && line.record.lines > 1) {
    // The format ends with the line: then the first one is the record.
    outcome =
        line.program.parser->parse(line.record.content.substr(0, line.record.first_line), parsed);
  }
  if (outcome == log::ParseOutcome::empty) return FrameStep::next;
  if (parsed.has_ts && parsed.ts > limit && line.program.wrapping == Wrapping::none) {
    state.next_ts = parsed.ts;
    return FrameStep::stop_before;
  }
  if (state.marked) mark(line, parsed, outcome != log::ParseOutcome::no_match);
  if (line.record.truncated) ++counts.truncated;
  counts.continuations += line.record.lines - 1;
  if (outcome == log::ParseOutcome::no_match) {
    if (is_trace(line)) {
      ++counts.continuations;
    } else {
      state.format.count_match(false);
      malformed(line, &SourceCounts::no_match);
    }
    return FrameStep::next;
  }
  state.format.count_match(true);
  if (line.lone_lines) state.format.framer().trace(line.record.stream).reset();
  if (outcome == log::ParseOutcome::bad_time && !line.record.has_runtime_ts) {
    malformed(line, &SourceCounts::bad_time);
  }
  const WallTime ts = event_time(line, parsed);
  state.last_ts = ts;
  if (!line.program.gates.empty() && !admit(line, ts)) return FrameStep::next;
  if (ts < state.first_ts) state.first_ts = ts;
  if (ts > state.max_ts) state.max_ts = ts;
  ++counts.records;
  if (!line.program.context.empty()) fill_context(line, ts);
  if (line.program.observed) show_observer(line, ts);
  run_tasks(line, slo::slot_of(ts));
  return FrameStep::next;
}

void Pipeline::Impl::after_block(LogStream& file, FileState& state, const FrameOutput& framed) {
  SourceCounts& primary = sources[state.primary].counts;
  primary.bytes += framed.taken.bytes;
  primary.continuations += framed.passed_over;
  primary.nul_bytes += framed.nul_bytes;
  primary.replaced += framed.replaced;
  if (state.max_ts.ns != 0) {
    for (const uint32_t index : state.context.matched()) {
      SourceCounts& counts = sources[index].counts;
      if (counts.first_event.ns == 0 || state.first_ts < counts.first_event) {
        counts.first_event = state.first_ts;
      }
      counts.last_event = std::max(counts.last_event, state.max_ts);
    }
    max_event = std::max(max_event, state.max_ts);
  }
  if (state.format.changed()) file.extra = state.format.save(file);
  if (accumulator.worth_compacting(options.max_pending_slots)) accumulator.compact();
  if (rows.worth_compacting(options.max_pending_slots)) rows.compact();
}

StreamContext::Gate Pipeline::Impl::look_at_pod(LogStream& file, FileState& state) {
  const bool was_unknown = state.context.unknown();
  const auto look =
      state.context.look(file, options.pods.get(), clock.mono(), [this](uint32_t source) {
        return StreamContext::SourceView{sources[source].plan.selector, sources[source].uses_pod};
      });
  if (state.context.unknown() && !was_unknown) ++sources[state.primary].counts.pods_unknown;
  if (look.changed) settle(file, state);
  return look.gate;
}

bool Pipeline::Impl::readable(LogStream& file, FileState& state, std::string_view data, Reading how,
                              Taken& taken) {
  const StreamContext::Gate gate = look_at_pod(file, state);
  if (gate == StreamContext::Gate::read) return true;
  if (gate == StreamContext::Gate::wait) {
    taken.rest = Taken::Rest::waiting;
    return false;
  }
  taken.bytes = skipped_bytes(data, how);
  taken.mid_line = taken.bytes > 0 && data[taken.bytes - 1] != '\n';
  sources[state.primary].counts.bytes_excluded += taken.bytes;
  return false;
}

// Its sources or its pod became known, or others.
void Pipeline::Impl::settle(LogStream& file, FileState& state) {
  const bool counted = !state.context.matched().empty();
  if (counted) {
    --sources[state.primary].counts.files;
    state.primary = state.context.matched().front();
    ++sources[state.primary].counts.files;
  }
  const std::string& service = primary_plan(state).service;
  const PodOverrides& overrides = state.context.overrides();
  state.service = !overrides.service.empty() ? overrides.service
                  : !service.empty()         ? service
                                             : state.context.container;
  state.service_guessed = overrides.service.empty() && service.empty();
  state.pattern = overrides.start_pattern();
  sources[state.primary].counts.bad_annotations += overrides.refused;
  if (!counted) {
    // What was begun must not go on with what comes when it counts again.
    state.format = FileFormat(options.max_record_bytes);
    state.program = nullptr;
    file.extra.clear();
    file.holds = false;
  }
}

void Pipeline::opened(LogStream& file) {
  auto state = std::make_unique<Impl::FileState>(impl_->options.max_record_bytes);
  state->primary = file.matched.front();
  state->context.open(file.path);
  ++impl_->sources[state->primary].counts.files;
  (void)impl_->look_at_pod(file, *state);
  state->format.restore(file, impl_->selector_of(*state));
  file.holds = state->format.framer().holds();
  file.user = std::move(state);
}

void Pipeline::closed(LogStream& file) {
  if (file.user == nullptr) return;
  --impl_->sources[Impl::state_of(file).primary].counts.files;
  file.user.reset();
}

Taken Pipeline::consume(LogStream& file, std::string_view data, Reading how) {
  Impl::FileState& state = Impl::state_of(file);
  impl_->now = impl_->clock.wall();
  impl_->now_mono = impl_->clock.mono();
  state.next_ts.reset();
  state.marks = {};
  state.marked = impl_->options.marks && std::exchange(state.marks_asked, false);
  if (Taken taken; !impl_->readable(file, state, data, how, taken)) return taken;
  if (!impl_->look_at_format(file, state, data, how)) return {};
  Program& program = *impl_->program_for(state);
  const Impl::Source& source = impl_->sources[state.primary];
  FrameInput in = state.format.input(file, data, how, impl_->scratch);
  const slo::SourceSelector& selector = impl_->selector_of(state);
  in.rule = state.format.join_rule(selector, *program.parser,
                                   state.pattern ? state.pattern.get() : source.pattern.get());
  in.limit = impl_->limit;
  if (state.marked) impl_->begin_marks(state, file, in.rule, selector);
  if (program.observed) impl_->begin_observed(file, state);
  const bool lone_lines = in.rule.by == JoinRule::By::none && selector.multiline == "auto";
  const FrameOutput framed = state.format.framer().frame(in, [&](const FramedRecord& record) {
    return impl_->on_record({file, state, program, record, lone_lines});
  });
  if (framed.next_ts.ns != 0) state.next_ts = framed.next_ts;
  impl_->after_block(file, state, framed);
  file.holds = state.format.framer().holds();
  state.marks.known = state.marks.known && !file.holds;
  return framed.taken;
}

// Who does not ask wants none of the next block either: reading levels costs a tenth.
RecordMarks Pipeline::marks(const LogStream& file) {
  if (file.user == nullptr) return {};
  Impl::FileState& state = static_cast<Impl::FileState&>(*file.user);
  state.marks_asked = true;
  return state.marks;
}

void Pipeline::set_replay_limit(WallTime limit) { impl_->limit = limit; }

std::optional<WallTime> Pipeline::next_time(const LogStream& file) {
  return file.user ? static_cast<const Impl::FileState&>(*file.user).next_ts : std::nullopt;
}

}  // namespace nines::collector
