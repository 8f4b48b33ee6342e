// What the time stamp parsers share: digits, ranges and the tail (fraction, zone) of a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::log {

inline constexpr int64_t kDayS = 86'400;
// Time stamps outside 1970..2200 are taken for corrupt (an unset clock, a wrong unit).
inline constexpr int64_t kMaxTimeS = days_from_civil(2201, 1, 1) * kDayS;

inline bool is_digit(char c) noexcept { return static_cast<unsigned char>(c - '0') < 10; }
inline bool is_alpha(char c) noexcept { return static_cast<unsigned char>((c | 0x20) - 'a') < 26; }
inline bool is_alnum(char c) noexcept { return is_digit(c) || is_alpha(c); }

// Two digits as a number; anything above 99 when they are none.
inline unsigned two_digits(const char* p) noexcept {
  const unsigned tens = static_cast<unsigned char>(p[0] - '0');
  const unsigned ones = static_cast<unsigned char>(p[1] - '0');
  return tens < 10 && ones < 10 ? tens * 10 + ones : 1000;
}
inline unsigned four_digits(const char* p) noexcept {
  const unsigned high = two_digits(p);
  const unsigned low = two_digits(p + 2);
  return high < 100 && low < 100 ? high * 100 + low : 100'000;
}

// Calendar date and minute to seconds "as if UTC"; false when there is no such moment.
bool civil_to_seconds(int64_t year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                      int64_t& out) noexcept;
constexpr uint32_t pack3(const char* s) {
  return static_cast<uint32_t>(static_cast<unsigned char>(s[0]) << 16 |
                               static_cast<unsigned char>(s[1]) << 8 |
                               static_cast<unsigned char>(s[2]));
}

// 1..12 of "Jan".."Dec" in any case, 0 otherwise. Reads three characters.
unsigned month_of(const char* p) noexcept;

// The time in range, or nothing.
inline std::optional<WallTime> checked_time(int64_t seconds, int64_t nanos) noexcept {
  if (seconds < 0 || seconds >= kMaxTimeS) return std::nullopt;
  return WallTime{seconds * kNsPerSecond + nanos};
}

// Seconds since 1970 "as if UTC" of the fixed 16 characters "YYYY-MM-DD?hh:mm".
bool iso_minute(const char* p, int64_t& minute_s) noexcept;
// The rest of an ISO time whose first 16 characters are `minute_s`.
std::optional<ParsedTime> finish_iso(std::string_view text, int64_t minute_s,
                                     const TimeContext& context) noexcept;
// "hh:mm:ss" at `p` as seconds of the day; 60 seconds (a leap second) are the next minute's first.
bool clock_seconds(const char* p, int64_t& out) noexcept;
// "+hh:mm", "+hhmm" or "+hh"; `bare_hour` allows the last one.
bool scan_offset(std::string_view text, size_t& pos, bool bare_hour, int32_t& offset_s) noexcept;
// "+0100", "+01:00", "+01", "Z" at `pos`, also behind one blank; there also abbreviations. Moves
// `pos` behind it. False: no zone there. An ambiguous abbreviation is passed over and leaves
// `offset_s` as it is.
bool scan_zone(std::string_view text, size_t& pos, int32_t& offset_s) noexcept;
// The offset of an abbreviation of one meaning (EST, CET, JST...), as RFC 822 has it where it has
// one (so CST is Chicago's); kAmbiguousZone for IST (India, Israel, Ireland: 3.5 hours apart) and
// BST (Britain, Bangladesh), whose writers mostly sit where the source's own offset is known;
// kNoZone when it is none.
inline constexpr int32_t kAmbiguousZone = INT32_MAX;
inline constexpr int32_t kNoZone = INT32_MIN;
int32_t zone_offset(std::string_view abbreviation) noexcept;
// ".123" or ",123" at `pos`; digits beyond nanoseconds are cut off. 0 when there is none.
int64_t scan_fraction(std::string_view text, size_t& pos) noexcept;
// The year of a time stamp without one: the latest that is not beyond reference + 1 day.
std::optional<WallTime> infer_year(unsigned month, unsigned day, int64_t second_of_day,
                                   int64_t nanos, const TimeContext& context) noexcept;

}  // namespace nines::log
