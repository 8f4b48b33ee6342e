// Date patterns of Java (SimpleDateFormat, DateTimeFormatter, the names of log4j) as strptime.
#include <algorithm>
#include <optional>

#include "log/layout_dialects.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

struct NamedDate {
  std::string_view name, pattern;
};
constexpr NamedDate kNamed[] = {
    {"ISO8601", "yyyy-MM-dd HH:mm:ss,SSS"},
    {"ISO8601_BASIC", "yyyyMMdd'T'HHmmss,SSS"},
    {"ISO8601_PERIOD", "yyyy-MM-dd'T'HH:mm:ss.SSS"},
    {"ISO8601_OFFSET_DATE_TIME_HH", "yyyy-MM-dd'T'HH:mm:ss,SSSX"},
    {"ISO8601_OFFSET_DATE_TIME_HHMM", "yyyy-MM-dd'T'HH:mm:ss,SSSZ"},
    {"ISO8601_OFFSET_DATE_TIME_HHCMM", "yyyy-MM-dd'T'HH:mm:ss,SSSXXX"},
    {"STRICT", "yyyy-MM-dd'T'HH:mm:ss,SSS"},
    {"DEFAULT", "yyyy-MM-dd HH:mm:ss,SSS"},
    {"DEFAULT_MICROS", "yyyy-MM-dd HH:mm:ss,SSSSSS"},
    {"DEFAULT_NANOS", "yyyy-MM-dd HH:mm:ss,SSSSSSSSS"},
    {"DEFAULT_PERIOD", "yyyy-MM-dd HH:mm:ss.SSS"},
    {"ABSOLUTE", "HH:mm:ss,SSS"},
    {"ABSOLUTE_MICROS", "HH:mm:ss,SSSSSS"},
    {"ABSOLUTE_NANOS", "HH:mm:ss,SSSSSSSSS"},
    {"ABSOLUTE_PERIOD", "HH:mm:ss.SSS"},
    {"COMPACT", "yyyyMMddHHmmssSSS"},
    {"DATE", "dd MMM yyyy HH:mm:ss,SSS"},
    {"DATE_PERIOD", "dd MMM yyyy HH:mm:ss.SSS"},
};

std::string_view conversion_of(char letter, size_t count) noexcept {
  switch (letter) {
    case 'y':
    case 'Y':
    case 'u': return count == 2 ? "%y" : "%Y";
    case 'M':
    case 'L': return count >= 3 ? "%b" : "%m";
    case 'd': return "%d";
    case 'D': return "%j";
    case 'E': return "%a";
    case 'a': return "%p";
    case 'H':
    case 'k': return "%H";
    case 'h': return "%I";
    case 'm': return "%M";
    case 's': return "%S";
    case 'S':
    case 'n': return "%f";
    case 'Z':
    case 'X':
    case 'x': return "%z";
    case 'z': return "%Z";
    default: return {};
  }
}

// Text in '...' at `i`; '' is one quote, within such text and alone.
std::string quoted_text(std::string_view pattern, size_t& i) {
  const auto two = [&] { return pattern.substr(i, 2) == "''"; };
  std::string text;
  if (two()) {
    i += 2;
    return "'";
  }
  for (++i; i < pattern.size() && (pattern[i] != '\'' || two()); ++i) {
    if (two()) ++i;
    text += pattern[i];
  }
  if (i < pattern.size()) ++i;
  return text;
}

bool has(std::string_view format, std::string_view conversion) noexcept {
  return format.find(conversion) != std::string_view::npos;
}

}  // namespace

TimeShape shape_of_format(std::string format) {
  TimeShape shape;
  std::string day = format.substr(0, std::min<size_t>(8, format.size()));
  const bool iso_day = day == "%Y-%m-%d" || day == "%Y/%m/%d" || day.starts_with("%F");
  std::string_view rest = format;
  rest.remove_prefix(iso_day ? (day.starts_with("%F") ? 2 : 8) : 0);
  if (iso_day && !rest.empty() && (rest[0] == ' ' || rest[0] == 'T')) {
    rest.remove_prefix(1);
    const bool clock = rest.starts_with("%H:%M:%S") || rest.starts_with("%T");
    if (clock) rest.remove_prefix(rest.starts_with("%T") ? 2 : 8);
    for (const std::string_view tail : {".%f", ",%f"}) {
      if (rest.starts_with(tail)) rest.remove_prefix(tail.size());
    }
    if (clock && (rest.empty() || rest == "%z" || rest == " %z" || rest == "Z")) return shape;
  }
  const bool dated = has(format, "%d") || has(format, "%e") || has(format, "%j") ||
                     has(format, "%s") || has(format, "%D") || has(format, "%F");
  shape.kind = dated ? TimeShape::Kind::format : TimeShape::Kind::time_of_day;
  rest = format;
  if (rest.ends_with(".%f") || rest.ends_with(",%f")) {
    shape.fraction = rest[rest.size() - 3];
    rest.remove_suffix(3);
  }
  shape.ends_with_second = rest.ends_with("%S") || rest.ends_with("%T");
  shape.format = std::move(format);
  return shape;
}

Result<TimeShape> java_time_shape(std::string_view pattern, size_t column) {
  if (pattern == "UNIX" || pattern == "UNIX_MILLIS" || pattern.empty()) return TimeShape{};
  for (const NamedDate& named : kNamed) {
    if (named.name == pattern) pattern = named.pattern;
  }
  std::string format;
  for (size_t i = 0; i < pattern.size();) {
    const char c = pattern[i];
    if (c == '\'') {
      format += quoted_text(pattern, i);
    } else if (!is_alpha(c)) {
      format += c == '%' ? "%%" : std::string(1, c);
      ++i;
    } else {
      const size_t begin = i;
      while (i < pattern.size() && pattern[i] == c) ++i;
      const std::string_view conversion = conversion_of(c, i - begin);
      if (conversion.empty()) {
        return pattern_error(column,
                             "date pattern letter \"" + std::string(1, c) + "\" is not known",
                             "known are y M d D E a H h m s S Z X x z, others in '...'");
      }
      format += conversion;
    }
  }
  return shape_of_format(std::move(format));
}

}  // namespace nines::log
