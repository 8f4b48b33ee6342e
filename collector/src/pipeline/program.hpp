// Program: what to do with every record of one kind of file: the format's parser for just the
// fields needed, and one compiled task per SLI. Made once, shared by all files alike.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nines/collector/framing.hpp"
#include "nines/expr/expression.hpp"
#include "nines/log/format.hpp"
#include "nines/slo/join.hpp"
#include "nines/slo/spec.hpp"
#include "pipeline/groups.hpp"

namespace nines::collector {

// A predicate over a record. Many SLIs look at nothing but `status`: those are tabulated once with
// the evaluator itself, so that the table cannot disagree with it.
class Predicate {
 public:
  Predicate() = default;  // always yes
  Predicate(const expr::Expression& expression, std::span<const size_t> slots);

  expr::Truth test(std::span<const Value> values) noexcept {
    if (table_ != nullptr) {
      const Value& v = values[table_slot_];
      if (v.kind == ValueKind::number && v.exponent == 0 && v.mantissa >= 0 &&
          v.mantissa < kTableSize) {
        return (*table_)[static_cast<size_t>(v.mantissa)];
      }
    }
    return evaluator_ ? evaluator_->test(values) : expr::Truth::yes;
  }

 private:
  static constexpr int64_t kTableSize = 1000;
  std::unique_ptr<std::array<expr::Truth, kTableSize>> table_;
  size_t table_slot_ = 0;
  std::optional<expr::Evaluator> evaluator_;
};

// A value out of a record. Most are a field and nothing else: those are not copied.
class Measure {
 public:
  Measure(const expr::Expression& expression, std::span<const size_t> slots);
  // Dies with the next call, and with the record.
  const Value& of(std::span<const Value> values) noexcept {
    if (!evaluator_) return values[slot_];
    value_ = evaluator_->eval(values);
    return value_;
  }

 private:
  std::optional<expr::Evaluator> evaluator_;
  Value value_;
  size_t slot_ = 0;
};

// Fields that belong to the file or the line rather than to the text of the record.
enum class ContextField : uint8_t {
  source,
  service,
  node,
  ns,
  pod,
  container,
  line,
  ingest_ts,
  raw,
  ts,
  // Of the pod; a record's own field of the same name comes first.
  restart,
  pod_uid,
  owner,
  owner_kind,
  label,
};

// Whether a field among these is the pod's, and known only to who asked Kubernetes.
bool uses_pod(const std::vector<std::string>& fields);

// One SLI on one kind of file.
struct SliTask {
  enum class Role : uint8_t {
    ratio,  // total and part come from this source
    total_only,
    part_only,
    threshold,
    join_start,  // `total` selects, `value` is the key
    join_end,
  };
  uint32_t slo = 0;
  Role role = Role::ratio;
  bool part_is_bad = false;
  Predicate total, part;
  std::optional<Measure> value, count, group;
  slo::CompareOp op = slo::CompareOp::lte;
  Decimal threshold;
  slo::OnMissing on_missing = slo::OnMissing::skip;
  slo::EventJoin* join = nullptr;
  GroupTable* groups = nullptr;
  bool* open = nullptr;  // where its source turns records away: whether it takes this one
};

// A source of which not every record counts.
struct Gate {
  uint32_t source = 0;
  bool open = true;
};

// The uncompiled form, kept per source.
struct TaskSpec {
  uint32_t slo = 0;
  uint32_t source = 0;
  SliTask::Role role = SliTask::Role::ratio;
  bool part_is_bad = false;
  std::optional<expr::Expression> total, part, value, count, group;
  slo::CompareOp op = slo::CompareOp::lte;
  Decimal threshold;
  slo::OnMissing on_missing = slo::OnMissing::skip;
  slo::EventJoin* join = nullptr;
  GroupTable* groups = nullptr;
};

// Where the values are that an observer is told of.
// kNoSlot: not looked for. An access log is known by its status: what it has for a message is the
// request line, which says nothing that a template could keep.
struct ObservedSlots {
  static constexpr size_t kNoSlot = SIZE_MAX;
  size_t level = kNoSlot, message = kNoSlot, request = kNoSlot, span = kNoSlot, status = kNoSlot,
         service = kNoSlot;
};
struct GaugeSlots {
  uint32_t source = 0;
  std::string name;
  size_t value = 0;
  std::optional<size_t> of;
};
// A source's plan of it.
struct GaugeSpec {
  uint32_t source = 0;
  const std::string& value;
  const std::string& of;
};

struct Program {
  struct Context {
    ContextField field;
    size_t slot;
    std::string label;  // its key
  };
  log::FormatSpec format;
  Wrapping wrapping = Wrapping::none;
  std::vector<std::string> fields;
  std::vector<Context> context;
  std::vector<Value> values;
  std::unique_ptr<log::LineParser> parser;
  std::vector<SliTask> tasks;
  std::vector<Gate> gates;
  std::vector<uint32_t> sources;  // whose records these are
  static constexpr size_t kNoSlot = SIZE_MAX;
  size_t level_slot = kNoSlot;  // where marks are wanted
  std::optional<ObservedSlots> observed;
  bool asks_service = false;  // for the observer
  std::vector<GaugeSlots> gauges;
  size_t user_slot = kNoSlot;  // who met a bad event; where an observer is told of it
  bool reads_level() const noexcept { return level_slot != kNoSlot; }
};

struct ProgramWish {
  std::span<const TaskSpec* const> tasks;
  std::span<const uint32_t> gated;  // the sources of which not every record counts
  bool with_level = false;          // that is read, too
  bool observed = false;            // what an observer is told of, too
  bool asks_service = false;        // as the record tells it: nobody said what the file is of
  std::span<const GaugeSpec> gauges;
  std::string_view user{};  // field; empty: none
};
Result<std::unique_ptr<Program>> compile_program(const log::FormatSpec& format, Wrapping wrapping,
                                                 const log::TimeContext& time,
                                                 const ProgramWish& wish);

}  // namespace nines::collector
