// Value: one field of a log record as the expression language sees it. 32 bytes, trivially
// copyable; `text` points into the line (or a scratch buffer) and dies with it.
#pragma once

#include <cstdint>
#include <string_view>

namespace nines {

// Ordered: TRACE < DEBUG < INFO < WARN < ERROR < FATAL.
enum class Level : uint8_t { trace, debug, info, warn, error, fatal };

enum class ValueKind : uint8_t {
  null,     // the field is missing
  boolean,  // JSON true/false, results of comparisons
  number,   // exact decimal: mantissa * 10^exponent
  real,     // double: only where an exact decimal is impossible (division, 19+ digits)
  text,
  time,   // UTC nanoseconds
  level,  // a recognised log level; `text` keeps how the log wrote it
};

struct Value {
  std::string_view text;
  union {
    int64_t mantissa = 0;  // number; boolean as 0/1
    double real;
    int64_t time_ns;
    Level level;
  };
  int16_t exponent = 0;  // number
  ValueKind kind = ValueKind::null;

  static Value null() noexcept { return {}; }
  static Value of_bool(bool b) noexcept {
    Value v;
    v.kind = ValueKind::boolean;
    v.mantissa = b;
    return v;
  }
  static Value of_int(int64_t i) noexcept { return of_decimal(i, 0); }
  static Value of_decimal(int64_t mantissa, int exponent) noexcept {
    Value v;
    v.kind = ValueKind::number;
    v.mantissa = mantissa;
    v.exponent = static_cast<int16_t>(exponent);
    return v;
  }
  static Value of_real(double d) noexcept {
    Value v;
    v.kind = ValueKind::real;
    v.real = d;
    return v;
  }
  static Value of_text(std::string_view t) noexcept {
    Value v;
    v.kind = ValueKind::text;
    v.text = t;
    return v;
  }
  static Value of_time(int64_t ns) noexcept {
    Value v;
    v.kind = ValueKind::time;
    v.time_ns = ns;
    return v;
  }
  static Value of_level(Level l, std::string_view raw) noexcept {
    Value v;
    v.kind = ValueKind::level;
    v.text = raw;
    v.level = l;
    return v;
  }
  bool is_null() const noexcept { return kind == ValueKind::null; }
};
static_assert(sizeof(Value) <= 32);

// "INFO" etc. for the six levels.
std::string_view level_name(Level level) noexcept;
// Case-insensitive; knows the spellings of common loggers ("warning", "err", "crit", "E", "I"...),
// syslog severities and pino/bunyan numbers ("30"). False when the text is no level.
bool parse_level(std::string_view text, Level& out) noexcept;

}  // namespace nines
