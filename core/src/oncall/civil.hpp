// Civil time: local dates and times counted as if they were UTC.
#pragma once

#include <cstdint>

#include "nines/base/time_zone.hpp"

namespace nines::oncall {

inline constexpr int64_t kDayS = 86400;

// floor(a / b) for b > 0, also for times before 1970.
constexpr int64_t floor_of(int64_t a, int64_t b) noexcept {
  const int64_t q = a / b;
  return a % b < 0 ? q - 1 : q;
}

// 0 Monday .. 6 Sunday; 1970-01-01 was a Thursday.
constexpr int weekday_of(int64_t day) noexcept { return static_cast<int>(((day + 3) % 7 + 7) % 7); }

inline int64_t civil_at(const TimeZone& zone, int64_t t_s) noexcept {
  return t_s + zone.offset_s(t_s);
}
inline int64_t day_at(const TimeZone& zone, int64_t t_s) noexcept {
  return floor_of(civil_at(zone, t_s), kDayS);
}

// The instant of a civil time: the first of two; of one that is skipped the end of the skip. Never
// earlier for a later civil time, other than TimeZone::to_utc(), which is as much later as is
// skipped: hand-overs must not change their order.
int64_t instant_of(const TimeZone& zone, int64_t civil_s) noexcept;

}  // namespace nines::oncall
