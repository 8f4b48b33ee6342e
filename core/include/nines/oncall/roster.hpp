// Roster: the people who may be paged, as the on-call document names them: where they live, when
// they sleep, what they know, when they are away, how much they may be paged at most. A value;
// immutable once it is shared, so const means thread-safe.
//
// All instants are Unix seconds; "civil" is a local date and time counted as if it were UTC.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time_zone.hpp"

namespace nines::oncall {

inline constexpr size_t kMaxPeople = 500;
inline constexpr uint32_t kNobody = UINT32_MAX;  // where a person's index in the roster is meant

// Hundreds of people share a few zones, and a zone has some 3 KiB.
using Zone = std::shared_ptr<const TimeZone>;
Zone utc_zone();

struct Span {
  int64_t from_s = 0, to_s = 0;  // half-open
  bool holds(int64_t t_s) const noexcept { return t_s >= from_s && t_s < to_s; }
  friend bool operator==(const Span&, const Span&) = default;
};

inline constexpr uint8_t kEveryDay = 0x7F, kWorkingDays = 0x1F;

// A stretch of local time on some days of the week, such as 22:00 to 07:00. It belongs to the day
// on which it begins. By the clock on the wall: on the day on which clocks change it is longer or
// shorter; an edge that happens twice is the first, one that is skipped the end of the skip.
struct DailyWindow {
  uint8_t weekdays = kEveryDay;      // bit 0 Monday .. bit 6 Sunday
  int32_t from_s = 0, to_s = 86400;  // seconds of the day; to_s <= from_s: of the next day
};

// Local days without work, ascending (days since 1970-01-01).
struct Holidays {
  std::vector<int64_t> days;
  bool has(int64_t day) const noexcept;
};

enum class OnHolidays : uint8_t { as_usual, never, only };

// Whether t lies in one of the windows. `holidays` may be nullptr; it decides by the day on which
// a window begins.
bool in_windows(const std::vector<DailyWindow>& windows, const TimeZone& zone, int64_t t_s,
                const Holidays* holidays = nullptr, OnHolidays rule = OnHolidays::as_usual);
// 22:00 to 07:00 there: when a page counts as one of the night.
bool is_night(const TimeZone& zone, int64_t t_s);

// At most `pages` within any `within_s`.
struct Cap {
  int64_t pages = 0, within_s = 0;
  friend bool operator==(const Cap&, const Cap&) = default;
};
// As GoAlert limits voice calls.
std::vector<Cap> default_caps();

struct Person {
  std::string id, name;
  Zone zone = utc_zone();
  std::vector<DailyWindow> quiet;   // P2 and P3 wait
  std::vector<std::string> skills;  // services, and kinds of conditions such as "disk_full"
  std::vector<Span> away;           // somebody else takes over
  std::vector<std::string> notify;  // names of notifiers that reach this person
  std::vector<Cap> caps = default_caps();

  bool is_away(int64_t t_s) const noexcept;
  bool is_quiet(int64_t t_s) const { return in_windows(quiet, *zone, t_s); }
  bool knows(std::string_view skill) const noexcept;
};

struct Roster {
  std::vector<Person> people;  // at most kMaxPeople; ids are unique
  std::optional<uint32_t> find(std::string_view id) const noexcept;
};

}  // namespace nines::oncall
