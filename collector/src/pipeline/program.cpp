#include "pipeline/program.hpp"

#include <algorithm>
#include <string_view>

namespace nines::collector {
namespace {

using expr::Expression;
using expr::Truth;

size_t slot_of_field(std::vector<std::string>& fields, const std::string& name) {
  const auto it = std::find(fields.begin(), fields.end(), name);
  if (it != fields.end()) return static_cast<size_t>(it - fields.begin());
  fields.push_back(name);
  return fields.size() - 1;
}

std::vector<size_t> slots_of(const Expression& expression, std::vector<std::string>& fields) {
  std::vector<size_t> slots;
  for (const std::string& name : expression.fields()) slots.push_back(slot_of_field(fields, name));
  return slots;
}

constexpr std::string_view kLabels = "labels.";

std::optional<ContextField> context_field(std::string_view name) {
  static constexpr std::pair<std::string_view, ContextField> kNames[] = {
      {"source", ContextField::source},   {"service", ContextField::service},
      {"node", ContextField::node},       {"namespace", ContextField::ns},
      {"pod", ContextField::pod},         {"container", ContextField::container},
      {"line", ContextField::line},       {"ingest_ts", ContextField::ingest_ts},
      {"raw", ContextField::raw},         {"ts", ContextField::ts},
      {"restart", ContextField::restart}, {"pod_uid", ContextField::pod_uid},
      {"owner", ContextField::owner},     {"owner_kind", ContextField::owner_kind}};
  for (const auto& [known, field] : kNames) {
    if (known == name) return field;
  }
  if (name.starts_with(kLabels) && name.size() > kLabels.size()) return ContextField::label;
  return std::nullopt;
}

Predicate predicate(const std::optional<Expression>& expression, std::vector<std::string>& fields) {
  if (!expression) return {};
  return Predicate(*expression, slots_of(*expression, fields));
}

SliTask compile_task(const TaskSpec& spec, std::vector<std::string>& fields) {
  SliTask task;
  task.slo = spec.slo;
  task.role = spec.role;
  task.part_is_bad = spec.part_is_bad;
  task.op = spec.op;
  task.threshold = spec.threshold;
  task.on_missing = spec.on_missing;
  task.join = spec.join;
  task.groups = spec.groups;
  task.total = predicate(spec.total, fields);
  task.part = predicate(spec.part, fields);
  if (spec.value) task.value.emplace(*spec.value, slots_of(*spec.value, fields));
  if (spec.group) task.group.emplace(*spec.group, slots_of(*spec.group, fields));
  if (spec.count) task.count.emplace(*spec.count, slots_of(*spec.count, fields));
  return task;
}

// What an observer is told of. True: the service is read for it alone, which asks what the record
// itself says and knows that of the file.
bool observe(Program& program, const ProgramWish& wish) {
  const auto slot = [&](const std::string& name) { return slot_of_field(program.fields, name); };
  for (const GaugeSpec& gauge : wish.gauges) {
    GaugeSlots found{gauge.source, gauge.value, slot(gauge.value), std::nullopt};
    if (!gauge.of.empty()) found.of = slot(gauge.of);
    program.gauges.push_back(std::move(found));
  }
  ObservedSlots& slots = program.observed.emplace();
  slots.status = slot("status");
  if (program.format.kind == log::FormatKind::combined) return false;
  slots.level = slot("level");
  slots.message = slot("message");
  slots.request = slot("request_id");
  slots.span = slot("span_id");
  if (!wish.asks_service) return false;
  const size_t known = program.fields.size();
  slots.service = slot("service");
  return slots.service == known;
}

}  // namespace

Predicate::Predicate(const Expression& expression, std::span<const size_t> slots)
    : evaluator_(std::in_place, expression, slots) {
  if (!expression.depends_only_on("status") || slots.empty()) return;
  table_slot_ = slots[0];
  table_ = std::make_unique<std::array<Truth, kTableSize>>();
  std::vector<Value> values(table_slot_ + 1);
  for (int64_t status = 0; status < kTableSize; ++status) {
    values[table_slot_] = Value::of_int(status);
    (*table_)[static_cast<size_t>(status)] = evaluator_->test(values);
  }
}

Measure::Measure(const Expression& expression, std::span<const size_t> slots) {
  const auto& fields = expression.fields();
  if (fields.size() == 1 && expression.to_string() == fields[0]) {
    slot_ = slots[0];
  } else {
    evaluator_.emplace(expression, slots);
  }
}

bool uses_pod(const std::vector<std::string>& fields) {
  return std::any_of(fields.begin(), fields.end(), [](const std::string& name) {
    const auto field = context_field(name);
    return field == ContextField::owner || field == ContextField::owner_kind ||
           field == ContextField::label;
  });
}

Result<std::unique_ptr<Program>> compile_program(const log::FormatSpec& format, Wrapping wrapping,
                                                 const log::TimeContext& time,
                                                 const ProgramWish& wish) {
  auto program = std::make_unique<Program>();
  program->format = format;
  program->wrapping = wrapping;
  for (const uint32_t source : wish.gated) program->gates.push_back({source, true});
  for (const TaskSpec* task : wish.tasks) {
    SliTask compiled = compile_task(*task, program->fields);
    for (Gate& gate : program->gates) {
      if (gate.source == task->source) compiled.open = &gate.open;
    }
    program->tasks.push_back(std::move(compiled));
  }
  if (wish.with_level) program->level_slot = slot_of_field(program->fields, "level");
  program->asks_service = wish.asks_service;
  const bool own_service = wish.observed && observe(*program, wish);
  if (wish.observed && !wish.user.empty()) {
    program->user_slot = slot_of_field(program->fields, std::string(wish.user));
  }
  for (size_t i = 0; i < program->fields.size(); ++i) {
    const std::string& name = program->fields[i];
    const auto field = context_field(name);
    if (!field || (own_service && *field == ContextField::service)) continue;
    const bool label = *field == ContextField::label;
    program->context.push_back({*field, i, label ? name.substr(kLabels.size()) : std::string()});
  }
  program->values.resize(program->fields.size());
  NINES_TRY(program->parser, log::make_parser(format, program->fields, time));
  return program;
}

}  // namespace nines::collector
