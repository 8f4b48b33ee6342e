// Periods of the calendar: the window of an SLO that starts anew each day, week, month or quarter
// in some time zone, and what recurs by an RFC 5545 rule. Days have 23 to 25 hours, months 28 to
// 31 days here. Immutable and thread-safe.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/base/time_zone.hpp"

namespace nines::slo {

// OpenSLO's calendar windows: duration 1d, 1w, 1M, 1Q..., calendar {startTime, timeZone}.
class Calendar {
 public:
  enum class Unit : uint8_t { day, week, month };
  // Periods of `count` units; one of them starts at `anchor_s`, civil seconds as if they were UTC.
  // Months start at the anchor's day of the month, or at the last one there is.
  Calendar(TimeZone zone, Unit unit, int count, int64_t anchor_s);

  // Unix seconds of the start of the period that holds `t_s`, and of the end of it.
  int64_t start_of(int64_t t_s) const noexcept;
  int64_t end_of(int64_t t_s) const noexcept;
  const TimeZone& zone() const noexcept { return zone_; }
  Unit unit() const noexcept { return unit_; }
  int count() const noexcept { return count_; }
  int64_t anchor_s() const noexcept { return anchor_s_; }
  // Longest a period can be: 1d is 25 h, 1M is 31 days and an hour.
  int64_t longest_s() const noexcept;

 private:
  int64_t start_of_period(int64_t k) const noexcept;
  int64_t period_of(int64_t t_s) const noexcept;

  TimeZone zone_;
  Unit unit_;
  int count_;
  int64_t anchor_s_;
};

struct Interval {
  int64_t from_s = 0, to_s = 0;  // half-open, Unix seconds
  friend bool operator==(const Interval&, const Interval&) = default;
};

// Intervals that recur by days: RRULE with FREQ DAILY, WEEKLY, MONTHLY or YEARLY and INTERVAL,
// COUNT, UNTIL, WKST, BYMONTH, BYMONTHDAY, BYDAY (with ordinals), BYSETPOS within a month.
class Recurrence {
 public:
  struct Start {
    std::optional<CivilDate> first;  // DTSTART's date; needed by INTERVAL, COUNT and bare FREQ
    int32_t second_of_day = 0;       // local time at which each interval begins
    int64_t duration_s = 0;          // of elapsed time, whatever the clocks do meanwhile
    TimeZone zone;
  };
  // invalid_argument names the part that is wrong or that is not supported.
  static Result<Recurrence> parse(std::string_view rule, Start start);

  // Appends the intervals that touch [from_s, to_s), ascending by start.
  void expand(int64_t from_s, int64_t to_s, std::vector<Interval>& out) const;

 private:
  enum class Freq : uint8_t { daily, weekly, monthly, yearly };
  struct WeekDay {
    int day = 0;      // 0 Monday .. 6 Sunday
    int ordinal = 0;  // 0: every; 2: the second; -1: the last
  };
  explicit Recurrence(Start start) : start_(std::move(start)) {}
  Status read_part(std::string_view key, std::string_view value);
  Status check() const;
  bool matches(int64_t day) const;  // without BYSETPOS, COUNT and UNTIL
  bool in_period(int64_t day, const CivilDate& date) const;
  bool month_day_fits(const CivilDate& date) const;
  bool week_day_fits(int64_t day, const CivilDate& date) const;
  bool is_occurrence(int64_t day) const;  // without COUNT
  bool chosen(int64_t day) const;         // BYSETPOS
  void append(int64_t day, int64_t from_s, int64_t to_s, std::vector<Interval>& out) const;

  Start start_;
  Freq freq_ = Freq::daily;
  int64_t interval_ = 1;
  std::optional<int64_t> count_;
  std::optional<int64_t> until_s_;  // the last instant at which one may begin
  bool until_is_local_ = false;
  int week_start_ = 0;
  std::vector<int64_t> months_, month_days_, positions_;
  std::vector<WeekDay> week_days_;
};

}  // namespace nines::slo
