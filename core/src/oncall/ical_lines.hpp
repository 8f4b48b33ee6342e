// Content lines of iCalendar: unfolded, cut into name, parameters and value.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/oncall/ical.hpp"

namespace nines::oncall {

struct ContentLine {
  int line = 0;      // the first of its physical lines
  int column = 1;    // of the value there; 1: the value begins on a folded line
  std::string name;  // upper case
  std::vector<std::pair<std::string, std::string>> parameters;  // names upper case
  std::string value;

  std::string_view parameter(std::string_view name) const noexcept;
};

// Lines that are none are reported. At most kMaxBytes are read.
std::vector<ContentLine> content_lines(std::string_view text,
                                       std::vector<CalendarTrouble>& troubles);

// "19970714T123000", with or without Z, or "19970714": civil seconds.
struct DateTime {
  int64_t civil_s = 0;
  bool date = false, utc = false;
};
std::optional<DateTime> parse_date_time(std::string_view text);

// "P1W", "P1DT12H", "-PT30M": days apart from seconds. nullopt: not of that shape, or more than
// 1000 days.
struct Length {
  int64_t days = 0, seconds = 0;
};
std::optional<Length> parse_length(std::string_view text);
// "-0500", "+013020".
std::optional<int32_t> parse_offset(std::string_view text);
// "\n", "\," and the like.
std::string unescaped(std::string_view text);

// A zone that has these offsets from these instants on (ascending), and `first` before.
TimeZone zone_of(const std::string& name, int32_t first,
                 const std::vector<std::pair<int64_t, int32_t>>& changes);

}  // namespace nines::oncall
