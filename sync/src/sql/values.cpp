#include "values.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"

namespace nines::sql {
namespace {

using std::string_view;

constexpr std::array<string_view, 6> kLevels = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};

std::optional<Level> level_of(string_view text) noexcept {
  if (text.size() < 4 || text.size() > 5) return std::nullopt;
  constexpr string_view kInitials = "TDIWEF";  // all different
  const size_t i = kInitials.find(text.front());
  if (i == string_view::npos || kLevels[i] != text) return std::nullopt;
  return static_cast<Level>(i);
}

char* write_digits(char* out, uint64_t value, int digits) noexcept {
  for (int i = digits - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
  return out + digits;
}

// -1: something that is no digit.
int64_t read_digits(const char* p, int digits) noexcept {
  int64_t value = 0;
  for (int i = 0; i < digits; ++i) {
    const unsigned digit = static_cast<unsigned>(p[i]) - '0';
    if (digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

bool has_time_marks(string_view t) noexcept {
  return t.size() == kTimeSize && t[4] == '-' && t[7] == '-' && t[10] == 'T' && t[13] == ':' &&
         t[16] == ':' && t[19] == '.' && t[29] == 'Z';
}

// Times before levels before texts.
enum class Class : uint8_t { time, level, text };
Class class_of(string_view text, Level& level) noexcept {
  if (const auto found = level_of(text)) {
    level = *found;
    return Class::level;
  }
  return has_time_marks(text) && read_time(text) ? Class::time : Class::text;
}

// What SQLite's numeric affinity makes of a text: the whole of it, blanks around it allowed.
std::optional<double> numeric_text(string_view text) noexcept {
  constexpr string_view kBlanks = " \t\n\v\f\r";
  const size_t begin = text.find_first_not_of(kBlanks);
  if (begin == string_view::npos) return std::nullopt;
  text = text.substr(begin, text.find_last_not_of(kBlanks) + 1 - begin);
  if (text.front() == '+') text.remove_prefix(1);
  if (text.empty() ||
      (text.front() != '-' && text.front() != '.' && (text.front() < '0' || text.front() > '9'))) {
    return std::nullopt;  // from_chars would read "nan"
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size()) return std::nullopt;
  if (error == std::errc::result_out_of_range)
    return std::strtod(std::string(text).c_str(), nullptr);
  return error == std::errc() ? std::optional(value) : std::nullopt;
}

void append_double_key(std::string& out, double d) {
  if (d == 0) d = 0;  // -0
  char bytes[1 + sizeof d] = {'n'};
  std::memcpy(bytes + 1, &d, sizeof d);
  out.append(bytes, sizeof bytes);
}

void append_text_key(std::string& out, string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  char bytes[1 + sizeof size] = {'x'};
  std::memcpy(bytes + 1, &size, sizeof size);
  out.append(bytes, sizeof bytes).append(text);
}

}  // namespace

void write_time(int64_t ns, char* out) noexcept {
  const int64_t s = WallTime{ns}.seconds();
  const int64_t fraction = (ns % kNsPerSecond + kNsPerSecond) % kNsPerSecond;
  int64_t days = s / 86400;
  int64_t of_day = s % 86400;
  if (of_day < 0) {
    of_day += 86400;
    --days;
  }
  const CivilDate date = civil_from_days(days);
  const auto put = [&out](int64_t value, int digits, char mark) {
    out = write_digits(out, static_cast<uint64_t>(value), digits);
    *out++ = mark;
  };
  put(date.year, 4, '-');
  put(date.month, 2, '-');
  put(date.day, 2, 'T');
  put(of_day / 3600, 2, ':');
  put(of_day / 60 % 60, 2, ':');
  put(of_day % 60, 2, '.');
  put(fraction, 9, 'Z');
}

std::optional<int64_t> read_time(string_view text) noexcept {
  if (!has_time_marks(text)) return std::nullopt;
  const char* const p = text.data();
  const int64_t year = read_digits(p, 4), month = read_digits(p + 5, 2);
  const int64_t day = read_digits(p + 8, 2), hour = read_digits(p + 11, 2);
  const int64_t minute = read_digits(p + 14, 2), second = read_digits(p + 17, 2);
  const int64_t fraction = read_digits(p + 20, 9);
  if (year < 0 || month < 1 || month > 12 || day < 1 || hour < 0 || hour > 23 || minute < 0 ||
      minute > 59 || second < 0 || second > 59 || fraction < 0) {
    return std::nullopt;
  }
  const int64_t days = days_from_civil(year, static_cast<int>(month), static_cast<int>(day));
  const CivilDate back = civil_from_days(days);
  if (back.month != month || back.day != day) return std::nullopt;
  int64_t s = days * 86400 + hour * 3600 + minute * 60 + second;
  int64_t rest = fraction;
  if (s < 0 && rest > 0) {  // towards zero, so that the earliest time does not overflow on the way
    ++s;
    rest -= kNsPerSecond;
  }
  int64_t ns = 0;
  if (__builtin_mul_overflow(s, kNsPerSecond, &ns) || __builtin_add_overflow(ns, rest, &ns)) {
    return std::nullopt;
  }
  return ns;
}

Number number_of(const Value& v) noexcept {
  if (v.kind == ValueKind::real) return {false, 0, v.real};
  if (v.kind == ValueKind::boolean || v.exponent == 0) return {true, v.mantissa, 0};
  int64_t whole = v.mantissa;
  int exponent = v.exponent;
  while (exponent < 0 && whole % 10 == 0 && whole != 0) {
    whole /= 10;
    ++exponent;
  }
  if (whole == 0) return {true, 0, 0};
  for (; exponent > 0; --exponent) {
    if (__builtin_mul_overflow(whole, int64_t{10}, &whole)) break;
  }
  if (exponent == 0) return {true, whole, 0};
  return {false, 0, Decimal{v.mantissa, v.exponent}.to_double()};
}

Value value_of(double d) noexcept {
  if (!std::isfinite(d)) return Value::null();
  constexpr double kExact = 9007199254740992.0;
  if (std::fabs(d) <= kExact) {
    const auto whole = static_cast<int64_t>(d);
    if (static_cast<double>(whole) == d) return Value::of_int(whole);
  }
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, d);
  const auto exact = Decimal::parse({buffer, static_cast<size_t>(end - buffer)});
  if (error != std::errc() || !exact) return Value::of_real(d);
  return Value::of_decimal(exact->mantissa, exact->exponent);
}

Value value_of(string_view text) noexcept {
  if (text.size() == kTimeSize) {
    if (const auto ns = read_time(text)) return Value::of_time(*ns);
  } else if (const auto level = level_of(text)) {
    return Value::of_level(*level, text);
  }
  return Value::of_text(text);
}

Value value_of(sqlite3_value* v) noexcept {
  switch (sqlite3_value_type(v)) {
    case SQLITE_INTEGER: return Value::of_int(sqlite3_value_int64(v));
    case SQLITE_FLOAT: return value_of(sqlite3_value_double(v));
    case SQLITE_TEXT:
    case SQLITE_BLOB: {
      const auto* const bytes = static_cast<const char*>(sqlite3_value_blob(v));
      const auto size = static_cast<size_t>(sqlite3_value_bytes(v));
      return value_of(string_view(bytes == nullptr ? "" : bytes, bytes == nullptr ? 0 : size));
    }
    default: return Value::null();
  }
}

void give_result(sqlite3_context* context, const Value& v, bool lasting) {
  const auto text = [&](string_view t, sqlite3_destructor_type life) {
    sqlite3_result_text64(context, t.empty() ? "" : t.data(), t.size(), life, SQLITE_UTF8);
  };
  switch (v.kind) {
    case ValueKind::null: sqlite3_result_null(context); break;
    case ValueKind::boolean:
    case ValueKind::number:
    case ValueKind::real: {
      const Number n = number_of(v);
      if (n.is_integer) {
        sqlite3_result_int64(context, n.integer);
      } else {
        sqlite3_result_double(context, n.real);
      }
      break;
    }
    case ValueKind::text: text(v.text, lasting ? SQLITE_STATIC : SQLITE_TRANSIENT); break;
    case ValueKind::time: {
      char buffer[kTimeSize];
      write_time(v.time_ns, buffer);
      text({buffer, kTimeSize}, SQLITE_TRANSIENT);
      break;
    }
    case ValueKind::level: text(level_name(v.level), SQLITE_STATIC); break;
  }
}

int compare_texts(string_view a, string_view b) noexcept {
  // By far the most are neither times nor levels.
  const auto is_special = [](string_view t) {
    return t.size() == kTimeSize || t.size() == 4 || t.size() == 5;
  };
  if (!is_special(a) && !is_special(b)) return a.compare(b);
  Level rank_a{}, rank_b{};
  const Class class_a = class_of(a, rank_a);
  const Class class_b = class_of(b, rank_b);
  if (class_a != class_b) return class_a < class_b ? -1 : 1;
  if (class_a == Class::level) return static_cast<int>(rank_a) - static_cast<int>(rank_b);
  return a.compare(b);
}

bool append_join_key(std::string& out, const Value& v) {
  switch (v.kind) {
    case ValueKind::null: return false;
    case ValueKind::boolean:
    case ValueKind::number:
    case ValueKind::real: {
      const Number n = number_of(v);
      append_double_key(out, n.is_integer ? static_cast<double>(n.integer) : n.real);
      return true;
    }
    case ValueKind::time: {
      char buffer[kTimeSize];
      write_time(v.time_ns, buffer);
      append_text_key(out, {buffer, kTimeSize});
      return true;
    }
    case ValueKind::level: append_text_key(out, level_name(v.level)); return true;
    case ValueKind::text:
      if (const auto number = numeric_text(v.text)) {
        append_double_key(out, *number);
      } else {
        append_text_key(out, v.text);
      }
      return true;
  }
  return false;
}

}  // namespace nines::sql
