// Numbers of expositions. Counts are read from their digits, never through a double: 2^53 + 1
// requests are not 2^53 requests.
#include <charconv>
#include <cmath>
#include <limits>

#include "nines/log/exposition.hpp"

namespace nines::log {
namespace {

constexpr size_t kMaxNumber = 64;

bool same_word(std::string_view text, std::string_view lower) noexcept {
  if (text.size() != lower.size()) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if ((c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c) != lower[i]) return false;
  }
  return true;
}

std::optional<double> special(std::string_view text) noexcept {
  constexpr double kInf = std::numeric_limits<double>::infinity();
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (same_word(text, "inf") || same_word(text, "infinity")) return negative ? -kInf : kInf;
  if (same_word(text, "nan")) return std::numeric_limits<double>::quiet_NaN();
  return std::nullopt;
}

// Significant digits (at most 64 bits of them) and the power of ten behind.
struct Digits {
  uint64_t mantissa = 0;
  int64_t exponent = 0;
  bool exact = true;
};

bool read_digits(std::string_view& text, Digits& out) noexcept {
  bool any = false, point = false, full = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '.' && !point) {
      point = true;
      continue;
    }
    if (c < '0' || c > '9') break;
    any = true;
    const auto digit = static_cast<uint64_t>(c - '0');
    full = full || out.mantissa > (UINT64_MAX - digit) / 10;
    if (full) {
      out.exact = out.exact && digit == 0;
      if (!point) ++out.exponent;
      continue;
    }
    out.mantissa = out.mantissa * 10 + digit;
    if (point) --out.exponent;
  }
  text.remove_prefix(i);
  return any;
}

// Digits with an optional exponent, the whole of `text`.
std::optional<Digits> read_decimal(std::string_view text) noexcept {
  Digits out;
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text.size() > kMaxNumber || !read_digits(text, out)) return std::nullopt;
  if (text.empty()) return out;
  if (text.front() != 'e' && text.front() != 'E') return std::nullopt;
  text.remove_prefix(1);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  int power = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), power);
  if (error != std::errc() || rest != text.data() + text.size()) return std::nullopt;
  out.exponent += power;
  return out;
}

}  // namespace

std::optional<double> parse_metric_number(std::string_view text) noexcept {
  if (const auto word = special(text)) return word;
  const bool negative = text.starts_with('-');
  std::string_view digits = text;
  if (negative) digits.remove_prefix(1);
  if (negative && digits.starts_with('+')) return std::nullopt;
  const auto shape = read_decimal(digits);
  if (!shape) return std::nullopt;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  double value = 0;
  // A leading point and a trailing one are fine for from_chars; an exponent's '+' as well.
  const auto [rest, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error == std::errc::result_out_of_range) {
    value = shape->exponent > 0 ? std::numeric_limits<double>::infinity() : 0;
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  return negative ? -value : value;
}

std::optional<ScaledCount> parse_metric_count(std::string_view text, int scale) noexcept {
  const auto digits = read_decimal(text);
  if (!digits) return std::nullopt;
  ScaledCount out{digits->mantissa, digits->exact};
  int64_t exponent = out.value == 0 ? 0 : digits->exponent + scale;
  if (!out.exact && exponent > 0) return std::nullopt;
  for (; exponent > 0; --exponent) {
    if (out.value > UINT64_MAX / 10) return std::nullopt;
    out.value *= 10;
  }
  for (; exponent < 0 && out.value != 0; ++exponent) {
    out.exact = out.exact && out.value % 10 == 0;
    out.value /= 10;
  }
  return out;
}

}  // namespace nines::log
