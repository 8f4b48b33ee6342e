#include "nines/oncall/roster.hpp"

#include <algorithm>

#include "civil.hpp"

namespace nines::oncall {

int64_t instant_of(const TimeZone& zone, int64_t civil_s) noexcept {
  const int64_t late = zone.to_utc(civil_s);
  if (civil_at(zone, late) == civil_s) return late;
  // Skipped: somewhere before `late` the offset became what it is there.
  const int32_t after = zone.offset_s(late);
  int64_t before_s = late - (civil_at(zone, late) - civil_s) - 1, after_s = late;
  while (after_s - before_s > 1) {
    const int64_t middle = before_s + (after_s - before_s) / 2;
    (zone.offset_s(middle) == after ? after_s : before_s) = middle;
  }
  return after_s;
}

Zone utc_zone() { return std::make_shared<const TimeZone>(); }

bool Holidays::has(int64_t day) const noexcept {
  return std::binary_search(days.begin(), days.end(), day);
}

bool in_windows(const std::vector<DailyWindow>& windows, const TimeZone& zone, int64_t t_s,
                const Holidays* holidays, OnHolidays rule) {
  const int64_t today = day_at(zone, t_s);
  for (int64_t day = today - 1; day <= today; ++day) {
    const bool holiday = holidays != nullptr && holidays->has(day);
    if (rule != OnHolidays::as_usual && holiday != (rule == OnHolidays::only)) continue;
    for (const DailyWindow& window : windows) {
      if ((window.weekdays >> weekday_of(day) & 1) == 0) continue;
      const int64_t midnight = day * kDayS;
      const int64_t over = window.to_s <= window.from_s ? kDayS : 0;
      if (t_s >= instant_of(zone, midnight + window.from_s) &&
          t_s < instant_of(zone, midnight + over + window.to_s)) {
        return true;
      }
    }
  }
  return false;
}

bool is_night(const TimeZone& zone, int64_t t_s) {
  constexpr int64_t kNightFrom = 22 * 3600, kNightTo = 7 * 3600;
  const int64_t civil = civil_at(zone, t_s);
  const int64_t second = civil - floor_of(civil, kDayS) * kDayS;
  return second >= kNightFrom || second < kNightTo;
}

std::vector<Cap> default_caps() { return {{3, 900}, {7, 3600}, {15, 3 * 3600}}; }

bool Person::is_away(int64_t t_s) const noexcept {
  return std::any_of(away.begin(), away.end(), [&](const Span& span) { return span.holds(t_s); });
}

bool Person::knows(std::string_view skill) const noexcept {
  return std::find(skills.begin(), skills.end(), skill) != skills.end();
}

std::optional<uint32_t> Roster::find(std::string_view id) const noexcept {
  for (size_t i = 0; i < people.size(); ++i) {
    if (people[i].id == id) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

}  // namespace nines::oncall
