// Time stamps of logs. All parsers take a prefix of `text` and say how long it was, so that plain
// text formats can go on behind it. None allocates or throws.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::log {

struct TimeContext;

struct ParsedTime {
  WallTime ts;
  size_t length;  // characters used
};
// RFC 3339 / ISO 8601 and its relatives: "2026-11-21T01:35:51.262484239Z", "2026-11-21
// 01:35:51,262", "2026/11/21 01:35:51", "+0100", "+01:00", " +0000"; zone-less ones use
// context.utc_offset_s.
std::optional<ParsedTime> parse_iso_time(std::string_view text,
                                         const TimeContext& context) noexcept;
// Common log format without brackets: "21/Nov/2026:01:35:51 +0100".
std::optional<ParsedTime> parse_clf_time(std::string_view text) noexcept;
// RFC 3164: "Nov 21 01:35:51[.fraction]"; no year, no zone.
std::optional<ParsedTime> parse_bsd_time(std::string_view text,
                                         const TimeContext& context) noexcept;
// Epoch seconds (with fraction), milliseconds, microseconds or nanoseconds, told apart by
// magnitude.
std::optional<WallTime> parse_epoch(std::string_view text) noexcept;
// Any of the above, and the shapes of glog, Apache error, ctime.
std::optional<ParsedTime> parse_any_time(std::string_view text,
                                         const TimeContext& context) noexcept;

}  // namespace nines::log
