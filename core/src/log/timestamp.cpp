#include "nines/log/timestamp.hpp"

#include "log/time_scan.hpp"
#include "nines/base/decimal.hpp"
#include "nines/log/format.hpp"

namespace nines::log {
namespace {

bool is_leap(int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

// Day of the month, blank-padded as syslog does: " 4", "04", "4".
bool scan_day(std::string_view text, size_t& pos, unsigned& day) noexcept {
  if (pos < text.size() && text[pos] == ' ') ++pos;
  if (pos >= text.size() || !is_digit(text[pos])) return false;
  day = static_cast<unsigned>(text[pos++] - '0');
  if (pos < text.size() && is_digit(text[pos])) {
    day = day * 10 + static_cast<unsigned>(text[pos++] - '0');
  }
  return day >= 1 && day <= 31;
}

bool skip_char(std::string_view text, size_t& pos, char c) noexcept {
  if (pos >= text.size() || text[pos] != c) return false;
  ++pos;
  return true;
}

bool scan_clock(std::string_view text, size_t& pos, int64_t& second_of_day) noexcept {
  if (text.size() < pos + 8 || !clock_seconds(text.data() + pos, second_of_day)) return false;
  pos += 8;
  return pos >= text.size() || !is_digit(text[pos]);
}

std::optional<ParsedTime> dated(unsigned year, unsigned month, unsigned day, int64_t second_of_day,
                                int64_t nanos, int32_t offset_s, size_t length) noexcept {
  int64_t midnight = 0;
  if (!civil_to_seconds(year, month, day, 0, 0, midnight)) return std::nullopt;
  const auto ts = checked_time(midnight + second_of_day - offset_s, nanos);
  if (!ts) return std::nullopt;
  return ParsedTime{*ts, length};
}

// "Sun Dec  4 04:47:44 2005", "Sun Dec 04 04:47:44.262484 2005" (Apache), "... UTC 2005" (date(1)).
std::optional<ParsedTime> parse_ctime(std::string_view text, const TimeContext& context) noexcept {
  if (text.size() < 20 || !is_alpha(text[0]) || text[3] != ' ') return std::nullopt;
  const unsigned month = month_of(text.data() + 4);
  size_t pos = 7;
  unsigned day = 0;
  int64_t second_of_day = 0;
  if (month == 0 || !skip_char(text, pos, ' ') || !scan_day(text, pos, day) ||
      !skip_char(text, pos, ' ') || !scan_clock(text, pos, second_of_day)) {
    return std::nullopt;
  }
  const int64_t nanos = scan_fraction(text, pos);
  int32_t offset_s = context.utc_offset_s;
  scan_zone(text, pos, offset_s);
  if (!skip_char(text, pos, ' ') || text.size() < pos + 4) return std::nullopt;
  const unsigned year = four_digits(text.data() + pos);
  return dated(year, month, day, second_of_day, nanos, offset_s, pos + 4);
}

// " AM", " pm", also behind the narrow blank that newer Javas write. Moves a twelve-hour clock to
// its half of the day. False: the hour is none of such a clock.
bool scan_half_day(std::string_view text, size_t& pos, int64_t& second_of_day) noexcept {
  size_t next = pos;
  if (text.substr(next).starts_with("\xE2\x80\xAF")) {
    next += 3;
  } else if (!skip_char(text, next, ' ')) {
    return true;
  }
  if (text.size() < next + 2 || (text[next + 1] | 0x20) != 'm') return true;
  const int half = text[next] | 0x20;
  if ((half != 'a' && half != 'p') || (text.size() > next + 2 && is_alnum(text[next + 2]))) {
    return true;
  }
  constexpr int64_t kHalfDay = kDayS / 2;
  const int64_t hour = second_of_day / 3600;
  if (hour < 1 || hour > 12) return false;
  second_of_day = second_of_day % kHalfDay + (half == 'p' ? kHalfDay : 0);
  pos = next + 2;
  return true;
}

// "hh:mm:ss.fraction AM zone" behind a known date.
std::optional<ParsedTime> finish_dated(std::string_view text, size_t pos, unsigned year,
                                       unsigned month, unsigned day,
                                       const TimeContext& context) noexcept {
  int64_t second_of_day = 0;
  size_t colon = pos + 1;  // "1:35:51" is "01:35:51"
  if (pos + 7 <= text.size() && text[colon] == ':' && is_digit(text[pos])) {
    char padded[8] = {'0'};
    text.copy(padded + 1, 7, pos);
    if (!clock_seconds(padded, second_of_day)) return std::nullopt;
    pos += 7;
    if (pos < text.size() && is_digit(text[pos])) return std::nullopt;
  } else if (!scan_clock(text, pos, second_of_day)) {
    return std::nullopt;
  }
  const int64_t nanos = scan_fraction(text, pos);
  if (!scan_half_day(text, pos, second_of_day)) return std::nullopt;
  int32_t offset_s = context.utc_offset_s;
  scan_zone(text, pos, offset_s);
  return dated(year, month, day, second_of_day, nanos, offset_s, pos);
}

// "04 Dec 2005 04:47:44.262 +0100", "04-Dec-2005 04:47:44"; with a day of the week in front as in
// mail ("Sun, "), HTTP and date(1) ("Sun "); RFC 850: "Sunday, 04-Dec-05 04:47:44 GMT".
std::optional<ParsedTime> parse_day_first(std::string_view text,
                                          const TimeContext& context) noexcept {
  size_t pos = 0;
  while (pos < text.size() && pos < 9 && is_alpha(text[pos])) ++pos;
  if (pos > 0) {
    if (pos < 3) return std::nullopt;
    skip_char(text, pos, ',');
    if (!skip_char(text, pos, ' ')) return std::nullopt;
  }
  unsigned day = 0;
  if (!scan_day(text, pos, day) || text.size() < pos + 9) return std::nullopt;
  const char separator = text[pos];
  if (separator != ' ' && separator != '-') return std::nullopt;
  const unsigned month = month_of(text.data() + pos + 1);
  if (month == 0 || text[pos + 4] != separator) return std::nullopt;
  unsigned year = four_digits(text.data() + pos + 5);
  if (text[pos + 7] == ' ' && separator == '-') {  // two digits: 1970..2069
    year = two_digits(text.data() + pos + 5);
    year += year < 70 ? 2000 : 1900;
    pos -= 2;
  }
  pos += 9;
  if (!skip_char(text, pos, ' ')) return std::nullopt;
  return finish_dated(text, pos, year, month, day, context);
}

// "Nov 21, 2026 1:35:51 AM" and "Nov 21, 2026, 1:35:51 PM" of java.util.logging.
std::optional<ParsedTime> parse_java(std::string_view text, const TimeContext& context) noexcept {
  if (text.size() < 20 || text[3] != ' ') return std::nullopt;
  const unsigned month = month_of(text.data());
  size_t pos = 4;
  unsigned day = 0;
  if (month == 0 || !scan_day(text, pos, day) || !skip_char(text, pos, ',') ||
      !skip_char(text, pos, ' ') || text.size() < pos + 6) {
    return std::nullopt;
  }
  const unsigned year = four_digits(text.data() + pos);
  pos += 4;
  skip_char(text, pos, ',');
  if (!skip_char(text, pos, ' ')) return std::nullopt;
  return finish_dated(text, pos, year, month, day, context);
}

// "21.11.2026 01:35:51".
std::optional<ParsedTime> parse_dotted(std::string_view text, const TimeContext& context) noexcept {
  if (text.size() < 18 || text[2] != '.' || text[5] != '.' || text[10] != ' ') return std::nullopt;
  const char* p = text.data();
  return finish_dated(text, 11, four_digits(p + 6), two_digits(p + 3), two_digits(p), context);
}

// glog and klog: "I1121 01:35:51.262484", newer "I20261121 01:35:51.262484".
std::optional<ParsedTime> parse_glog(std::string_view text, const TimeContext& context) noexcept {
  if (text.size() < 14) return std::nullopt;
  size_t pos = 1;
  const unsigned year = text[5] == ' ' ? 0 : four_digits(text.data() + 1);
  if (text[5] != ' ') pos = 5;
  if (text.size() < pos + 13 || text[pos + 4] != ' ') return std::nullopt;
  const unsigned month = two_digits(text.data() + pos);
  const unsigned day = two_digits(text.data() + pos + 2);
  pos += 5;
  int64_t second_of_day = 0;
  if (!scan_clock(text, pos, second_of_day)) return std::nullopt;
  const int64_t nanos = scan_fraction(text, pos);
  if (year != 0) {
    return dated(year, month, day, second_of_day, nanos, context.utc_offset_s, pos);
  }
  const auto ts = infer_year(month, day, second_of_day, nanos, context);
  if (!ts) return std::nullopt;
  return ParsedTime{*ts, pos};
}

// One or two digits; moves `pos` behind them.
bool scan_short(std::string_view text, size_t& pos, unsigned limit, unsigned& out) noexcept {
  if (pos >= text.size() || !is_digit(text[pos])) return false;
  out = static_cast<unsigned>(text[pos++] - '0');
  if (pos < text.size() && is_digit(text[pos])) {
    out = out * 10 + static_cast<unsigned>(text[pos++] - '0');
  }
  return out <= limit;
}

// "22:15:29:606" of some Android logs: nothing is padded, the last figure is milliseconds.
bool scan_unpadded_clock(std::string_view text, size_t& pos, int64_t& second_of_day,
                         int64_t& nanos) noexcept {
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  if (!scan_short(text, pos, 23, hour) || !skip_char(text, pos, ':') ||
      !scan_short(text, pos, 59, minute) || !skip_char(text, pos, ':') ||
      !scan_short(text, pos, 60, second)) {
    return false;
  }
  second_of_day = hour * 3600 + minute * 60 + second;
  if (pos + 1 >= text.size() || text[pos] != ':' || !is_digit(text[pos + 1])) return true;
  int64_t ms = 0;
  for (++pos; pos < text.size() && is_digit(text[pos]) && ms < 1000; ++pos) {
    ms = ms * 10 + (text[pos] - '0');
  }
  nanos = ms * kNsPerMs;
  return ms < 1000;
}

// "hhmmss".
bool scan_packed_clock(std::string_view text, size_t& pos, int64_t& second_of_day) noexcept {
  if (text.size() < pos + 6) return false;
  const unsigned hour = two_digits(text.data() + pos);
  const unsigned minute = two_digits(text.data() + pos + 2);
  const unsigned second = two_digits(text.data() + pos + 4);
  if (hour > 23 || minute > 59 || second > 60) return false;
  second_of_day = hour * 3600 + minute * 60 + second;
  pos += 6;
  return true;
}

// "20261121013551", fourteen digits: as an epoch they would lie beyond our time in any unit.
std::optional<ParsedTime> parse_packed(std::string_view text, const TimeContext& context) noexcept {
  const char* p = text.data();
  size_t pos = 8;
  int64_t second_of_day = 0;
  if (!scan_packed_clock(text, pos, second_of_day)) return std::nullopt;
  const int64_t nanos = scan_fraction(text, pos);
  if (pos < text.size() && (is_digit(text[pos]) || text[pos] == '.')) return std::nullopt;
  int32_t offset_s = context.utc_offset_s;
  scan_zone(text, pos, offset_s);
  if (pos < text.size() && is_alnum(text[pos])) return std::nullopt;
  return dated(four_digits(p), two_digits(p + 4), two_digits(p + 6), second_of_day, nanos, offset_s,
               pos);
}

// Dates without separators: "20261121T013551Z", "20261121-01:35:51:262", "261121 013551", and
// "261121  1:35:51" of old MySQL.
std::optional<ParsedTime> parse_compact(std::string_view text,
                                        const TimeContext& context) noexcept {
  size_t digits = 0;
  while (digits < text.size() && digits < 15 && is_digit(text[digits])) ++digits;
  if (digits == 14) return parse_packed(text, context);
  if ((digits != 8 && digits != 6) || text.size() < digits + 6) return std::nullopt;
  const char* p = text.data();
  const unsigned year = digits == 8 ? four_digits(p) : 2000 + two_digits(p);
  const char separator = text[digits];
  if (separator != ' ' && (digits == 6 || (separator != 'T' && separator != '-'))) {
    return std::nullopt;
  }
  size_t pos = digits + 1;
  int64_t second_of_day = 0;
  int64_t nanos = 0;
  if (digits == 6) skip_char(text, pos, ' ');
  const bool colons = text[pos + 1] == ':' || text[pos + 2] == ':';
  if (!(colons ? scan_unpadded_clock(text, pos, second_of_day, nanos)
               : scan_packed_clock(text, pos, second_of_day)) ||
      (pos < text.size() && is_digit(text[pos]))) {
    return std::nullopt;
  }
  if (nanos == 0) nanos = scan_fraction(text, pos);
  int32_t offset_s = context.utc_offset_s;
  scan_zone(text, pos, offset_s);
  return dated(year, two_digits(p + digits - 4), two_digits(p + digits - 2), second_of_day, nanos,
               offset_s, pos);
}

// A token of digits long enough to be an epoch of our century: "1763688951.262".
std::optional<ParsedTime> parse_epoch_token(std::string_view text) noexcept {
  size_t length = 0;
  while (length < text.size() && is_digit(text[length])) ++length;
  if (length < 9 || length > 19) return std::nullopt;
  if (length + 1 < text.size() && text[length] == '.' && is_digit(text[length + 1])) {
    for (++length; length < text.size() && is_digit(text[length]);) ++length;
  }
  if (length < text.size() && (is_alnum(text[length]) || text[length] == '.')) return std::nullopt;
  const auto ts = parse_epoch(text.substr(0, length));
  if (!ts) return std::nullopt;
  return ParsedTime{*ts, length};
}

std::optional<ParsedTime> parse_from_digit(std::string_view text,
                                           const TimeContext& context) noexcept {
  if (auto t = parse_iso_time(text, context)) return t;
  if (text[2] == '/' || text[1] == '/') return parse_clf_time(text);
  if (text[2] == '.') return parse_dotted(text, context);
  if (auto t = parse_compact(text, context)) return t;
  if (auto t = parse_epoch_token(text)) return t;
  return parse_day_first(text, context);
}

std::optional<ParsedTime> parse_from_letter(std::string_view text,
                                            const TimeContext& context) noexcept {
  if (text.size() > 1 && is_digit(text[1])) return parse_glog(text, context);
  if (auto t = parse_bsd_time(text, context)) return t;
  if (auto t = parse_ctime(text, context)) return t;
  if (auto t = parse_java(text, context)) return t;
  return parse_day_first(text, context);
}

}  // namespace

bool civil_to_seconds(int64_t year, unsigned month, unsigned day, unsigned hour, unsigned minute,
                      int64_t& out) noexcept {
  static constexpr unsigned char kDays[] = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month - 1 > 11 || day - 1 >= kDays[month] || hour > 23 || minute > 59) return false;
  if (year < 1969 || year > 2201) return false;  // a zone may move it back into range
  if (month == 2 && day == 29 && !is_leap(year)) return false;
  out = days_from_civil(year, static_cast<int>(month), static_cast<int>(day)) * kDayS +
        hour * 3600 + minute * 60;
  return true;
}

unsigned month_of(const char* p) noexcept {
  const char lowered[3] = {static_cast<char>(p[0] | 0x20), static_cast<char>(p[1] | 0x20),
                           static_cast<char>(p[2] | 0x20)};
  switch (pack3(lowered)) {
    case pack3("jan"): return 1;
    case pack3("feb"): return 2;
    case pack3("mar"): return 3;
    case pack3("apr"): return 4;
    case pack3("may"): return 5;
    case pack3("jun"): return 6;
    case pack3("jul"): return 7;
    case pack3("aug"): return 8;
    case pack3("sep"): return 9;
    case pack3("oct"): return 10;
    case pack3("nov"): return 11;
    case pack3("dec"): return 12;
    default: return 0;
  }
}

bool clock_seconds(const char* p, int64_t& out) noexcept {
  const unsigned hour = two_digits(p);
  const unsigned minute = two_digits(p + 3);
  const unsigned second = two_digits(p + 6);
  if (hour > 23 || minute > 59 || second > 60 || p[2] != ':' || p[5] != ':') return false;
  out = hour * 3600 + minute * 60 + second;
  return true;
}

int64_t scan_fraction(std::string_view text, size_t& pos) noexcept {
  if (pos + 1 >= text.size() || (text[pos] != '.' && text[pos] != ',') ||
      !is_digit(text[pos + 1])) {
    return 0;
  }
  int64_t nanos = 0;
  int64_t unit = kNsPerSecond;
  for (++pos; pos < text.size() && is_digit(text[pos]); ++pos) {
    unit /= 10;  // 0 beyond nanoseconds: the digit adds nothing
    nanos += (text[pos] - '0') * unit;
  }
  return nanos;
}

std::optional<WallTime> infer_year(unsigned month, unsigned day, int64_t second_of_day,
                                   int64_t nanos, const TimeContext& context) noexcept {
  const WallTime limit{context.reference.ns + kDayS * kNsPerSecond};
  const int64_t latest = civil_from_days(limit.seconds() / kDayS).year + 1;
  // Nine years hold a leap day whatever the century.
  for (int64_t year = latest; year > latest - 9; --year) {
    int64_t midnight = 0;
    if (!civil_to_seconds(year, month, day, 0, 0, midnight)) continue;
    const auto ts = checked_time(midnight + second_of_day - context.utc_offset_s, nanos);
    if (ts && *ts <= limit) return ts;
  }
  return std::nullopt;
}

bool iso_minute(const char* p, int64_t& minute_s) noexcept {
  const char dash = p[4];
  if ((dash != '-' && dash != '/' && dash != '.') || p[7] != dash) return false;
  const char between = p[10];
  if (between != 'T' && between != ' ' && between != 't' && between != '_' && between != '-') {
    return false;
  }
  if (p[13] != ':' && p[13] != '.') return false;
  return civil_to_seconds(four_digits(p), two_digits(p + 5), two_digits(p + 8), two_digits(p + 11),
                          two_digits(p + 14), minute_s);
}

std::optional<ParsedTime> finish_iso(std::string_view text, int64_t minute_s,
                                     const TimeContext& context) noexcept {
  size_t pos = 16;
  int64_t nanos = 0;
  if (text.size() >= 19 && text[16] == text[13]) {
    const unsigned second = two_digits(text.data() + 17);
    if (second > 60) return std::nullopt;
    minute_s += second;
    pos = 19;
    nanos = scan_fraction(text, pos);
  }
  if (pos < text.size() && is_digit(text[pos])) return std::nullopt;
  int32_t offset_s = context.utc_offset_s;
  scan_zone(text, pos, offset_s);
  const auto ts = checked_time(minute_s - offset_s, nanos);
  if (!ts) return std::nullopt;
  return ParsedTime{*ts, pos};
}

std::optional<ParsedTime> parse_iso_time(std::string_view text,
                                         const TimeContext& context) noexcept {
  int64_t minute_s = 0;
  if (text.size() < 16 || !iso_minute(text.data(), minute_s)) return std::nullopt;
  return finish_iso(text, minute_s, context);
}

std::optional<ParsedTime> parse_clf_time(std::string_view text) noexcept {
  if (text.size() < 26 || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[20] != ' ') {
    return std::nullopt;
  }
  const char* p = text.data();
  int64_t second_of_day = 0;
  size_t pos = 21;
  int32_t offset_s = 0;
  if (!clock_seconds(p + 12, second_of_day) || !scan_offset(text, pos, false, offset_s)) {
    return std::nullopt;
  }
  return dated(four_digits(p + 7), month_of(p + 3), two_digits(p), second_of_day, 0, offset_s, pos);
}

std::optional<ParsedTime> parse_bsd_time(std::string_view text,
                                         const TimeContext& context) noexcept {
  if (text.size() < 14 || text[3] != ' ') return std::nullopt;
  const unsigned month = month_of(text.data());
  size_t pos = 4;
  unsigned day = 0;
  if (month == 0 || !scan_day(text, pos, day) || !skip_char(text, pos, ' ')) return std::nullopt;
  unsigned year = 0;
  if (text.size() > pos + 4 && text[pos + 4] == ' ') {  // Cisco: "Nov 21 2026 01:35:51"
    year = four_digits(text.data() + pos);
    pos += 5;
  }
  int64_t second_of_day = 0;
  if (!scan_clock(text, pos, second_of_day)) return std::nullopt;
  const int64_t nanos = scan_fraction(text, pos);
  if (year != 0) {
    return dated(year, month, day, second_of_day, nanos, context.utc_offset_s, pos);
  }
  const auto ts = infer_year(month, day, second_of_day, nanos, context);
  if (!ts) return std::nullopt;
  return ParsedTime{*ts, pos};
}

std::optional<WallTime> parse_epoch(std::string_view text) noexcept {
  size_t digits = 0;
  int64_t whole = 0;
  while (digits < text.size() && digits < 19 && is_digit(text[digits])) {
    if (whole > (INT64_MAX - 9) / 10) return std::nullopt;
    whole = whole * 10 + (text[digits++] - '0');
  }
  if (digits == 0) return std::nullopt;
  size_t pos = digits;
  int64_t nanos = scan_fraction(text, pos);
  if (pos < text.size() && (text[pos] | 0x20) == 'e') {  // 1.763688951262e9
    const auto decimal = Decimal::parse(text);
    if (!decimal) return std::nullopt;
    const auto scaled = multiply(*decimal, {kNsPerSecond, 0});
    if (!scaled || scaled->exponent > 18) return std::nullopt;
    const double ns = scaled->to_double();
    if (!(ns >= 0) || ns >= static_cast<double>(kMaxTimeS) * 1e9) return std::nullopt;
    int64_t exact = scaled->mantissa;
    for (int e = scaled->exponent; e < 0; ++e) exact /= 10;
    for (int e = scaled->exponent; e > 0; --e) exact *= 10;
    return WallTime{exact};
  }
  if (pos != text.size()) return std::nullopt;
  // 1e11 s is the year 5138, 1e11 ms is 1973: the units do not overlap in our time.
  int64_t unit = 1;
  if (whole < 100'000'000'000) {
    unit = kNsPerSecond;
  } else if (whole < 100'000'000'000'000) {
    unit = kNsPerMs;
  } else if (whole < 100'000'000'000'000'000) {
    unit = kNsPerUs;
  }
  const int64_t per_second = kNsPerSecond / unit;
  const auto ts = checked_time(whole / per_second, whole % per_second * unit);
  if (!ts) return std::nullopt;
  return WallTime{ts->ns + nanos / (kNsPerSecond / unit)};
}

std::optional<ParsedTime> parse_any_time(std::string_view text,
                                         const TimeContext& context) noexcept {
  if (text.size() < 9) return std::nullopt;
  if (is_digit(text[0])) return parse_from_digit(text, context);
  if (is_alpha(text[0])) return parse_from_letter(text, context);
  if (text[0] != '[') return std::nullopt;
  const std::string_view inner = text.substr(1);
  std::optional<ParsedTime> t;
  if (inner.size() >= 9 && is_digit(inner[0])) t = parse_from_digit(inner, context);
  if (inner.size() >= 9 && is_alpha(inner[0])) t = parse_from_letter(inner, context);
  if (!t || t->length >= inner.size() || inner[t->length] != ']') return std::nullopt;
  return ParsedTime{t->ts, t->length + 2};
}

}  // namespace nines::log
