#include "nines/slo/calendar.hpp"

#include <algorithm>

#include "ring.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;

int days_in_month(int64_t year, int month) {
  const int64_t next =
      month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);
  return static_cast<int>(next - days_from_civil(year, month, 1));
}

}  // namespace

Calendar::Calendar(TimeZone zone, Unit unit, int count, int64_t anchor_s)
    : zone_(std::move(zone)), unit_(unit), count_(count), anchor_s_(anchor_s) {
  NINES_ASSERT(count > 0);
}

int64_t Calendar::start_of_period(int64_t k) const noexcept {
  if (unit_ != Unit::month) {
    const int64_t days = k * count_ * (unit_ == Unit::week ? 7 : 1);
    return zone_.to_utc(anchor_s_ + days * kDayS);
  }
  const int64_t anchor_day = floor_div(anchor_s_, kDayS);
  const CivilDate anchor = civil_from_days(anchor_day);
  const int64_t months = anchor.year * 12 + anchor.month - 1 + k * count_;
  const int64_t year = floor_div(months, 12);
  const int month = static_cast<int>(months - year * 12) + 1;
  const int day = std::min(anchor.day, days_in_month(year, month));
  const int64_t second_of_day = anchor_s_ - anchor_day * kDayS;
  return zone_.to_utc(days_from_civil(year, month, day) * kDayS + second_of_day);
}

int64_t Calendar::period_of(int64_t t_s) const noexcept {
  const int64_t local_s = t_s + zone_.offset_s(t_s);
  int64_t k = 0;
  if (unit_ == Unit::month) {
    const CivilDate anchor = civil_from_days(floor_div(anchor_s_, kDayS));
    const CivilDate date = civil_from_days(floor_div(local_s, kDayS));
    k = floor_div((date.year - anchor.year) * 12 + date.month - anchor.month, count_);
  } else {
    k = floor_div(local_s - anchor_s_, count_ * (unit_ == Unit::week ? 7 : 1) * kDayS);
  }
  while (start_of_period(k) > t_s) --k;
  while (start_of_period(k + 1) <= t_s) ++k;
  return k;
}

int64_t Calendar::start_of(int64_t t_s) const noexcept { return start_of_period(period_of(t_s)); }

int64_t Calendar::end_of(int64_t t_s) const noexcept { return start_of_period(period_of(t_s) + 1); }

int64_t Calendar::longest_s() const noexcept {
  if (unit_ == Unit::day) return count_ * kDayS + 3600;
  if (unit_ == Unit::week) return count_ * 7 * kDayS + 3600;
  // Of any `count` months in a row: July and August have 31 days both.
  static constexpr std::array<int, 12> kDays{31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int64_t longest = 0;
  for (size_t first = 0; first < 12; ++first) {
    int64_t days = 0;
    for (size_t i = 0; i < static_cast<size_t>(count_); ++i) days += kDays[(first + i) % 12];
    longest = std::max(longest, days);
  }
  return longest * kDayS + 3600;
}

}  // namespace nines::slo
