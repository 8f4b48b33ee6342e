// Schedule: who is on call when. Layers, overrides and absences; the answer is a pure function of
// the instant, and shifts() is the same function over a stretch of time.
//
// Rules
//   A later layer goes before an earlier one; a layer is silent outside its windows and outside the
//   time from its start to its end. Overrides go before layers, of two the one that stands later.
//   A turn lasts its count of hours, days or weeks of local time, from hand-over to hand-over: a
//   hand-over at 09:00 is at 09:00 before and after clocks change, so that a turn may be an hour
//   longer or shorter. A hand-over that is skipped happens when clocks have been put forward, one
//   that happens twice the first time.
//   While whose turn it is is away, the next of the layer who is there takes it. Nobody: a gap.
//   Of calendar events at the same time the one that begins later counts (then the later in the
//   file); check() tells such overlaps.
//
// Immutable, thread-safe. Cost: at() some microseconds; shifts() in proportion to what happens.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/oncall/ical.hpp"
#include "nines/oncall/roster.hpp"

namespace nines::oncall {

struct Rotation {
  enum class Unit : uint8_t { hour, day, week } unit = Unit::week;
  int64_t count = 1;    // 1 .. 8784 hours, 366 days, 52 weeks
  int64_t first_s = 0;  // civil: the first hand-over; nobody of the layer is on call before it
};

struct Layer {
  std::string name;
  Zone zone = utc_zone();
  std::vector<uint32_t> people;  // in the order of their turns; may name one more than once
  Rotation rotation;
  std::optional<int64_t> to_s;       // the layer ends then
  std::vector<DailyWindow> windows;  // empty: always
  OnHolidays on_holidays = OnHolidays::as_usual;
  // Instead of a rotation: the events of a calendar, `people` parallel to its events().
  std::shared_ptr<const Calendar> calendar;
};

struct Override {
  Span span;
  uint32_t person = kNobody;
  uint32_t instead_of = kNobody;  // only what this one would have; kNobody: all of it
};

// What somebody is on call for, and why.
struct Duty {
  enum class Why : uint8_t { gap, layer, replacement } why = Why::gap;
  uint32_t person = kNobody;
  uint32_t source = 0;            // index of the layer or of the override
  uint32_t instead_of = kNobody;  // who is away, or is replaced
  friend bool operator==(const Duty&, const Duty&) = default;
};

struct Shift {
  Span span;
  Duty duty;
};

struct ScheduleFinding {
  enum class Kind : uint8_t { gap, overlap } kind = Kind::gap;
  Span span;
  uint32_t first = kNobody, second = kNobody;  // overlap: who; the second is on call
};

class Schedule {
 public:
  static constexpr size_t kMaxLayers = 16, kMaxOverrides = 2000, kMaxShifts = 20'000;
  static constexpr int64_t kMaxSpanS = int64_t{400} * 86400;

  struct Parts {
    std::string name;
    std::shared_ptr<const Roster> roster;
    std::vector<Layer> layers;
    std::vector<Override> overrides;
    Holidays holidays;
  };
  // invalid_argument: what is wrong, in words of the document.
  static Result<Schedule> make(Parts parts);

  const std::string& name() const noexcept { return parts_.name; }
  const Roster& roster() const noexcept { return *parts_.roster; }
  const Parts& parts() const noexcept { return parts_; }

  Duty at(int64_t t_s) const;
  // One after the other without a hole between them, from from_s to to_s; gaps are shifts of
  // kNobody. invalid_argument: more than kMaxSpanS; exhausted: more than kMaxShifts.
  Result<std::vector<Shift>> shifts(int64_t from_s, int64_t to_s) const;
  // Gaps, and where two would be on call, ascending.
  Result<std::vector<ScheduleFinding>> check(int64_t from_s, int64_t to_s) const;

 private:
  explicit Schedule(Parts parts) : parts_(std::move(parts)) {}
  Duty of_layers(int64_t t_s) const;
  Duty of_layer(uint32_t index, int64_t t_s) const;
  Duty of_calendar(uint32_t index, int64_t t_s) const;
  int64_t turn_start(const Layer& layer, int64_t turn) const noexcept;
  int64_t turn_at(const Layer& layer, int64_t t_s) const noexcept;
  Status add_edges(const Layer& layer, const Span& span, std::vector<int64_t>& edges) const;
  void add_window_edges(const Layer& layer, const Span& span, std::vector<int64_t>& edges) const;
  Status add_overlaps(const Span& span, std::vector<ScheduleFinding>& out) const;

  Parts parts_;
};

}  // namespace nines::oncall
