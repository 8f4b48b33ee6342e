// Numbers of the language: exact decimals first, doubles where an exact result is impossible.
#include <charconv>
#include <cmath>

#include "ascii.hpp"
#include "coerce.hpp"
#include "nines/base/int128.hpp"

namespace nines::expr {
namespace {

using Wide = Int128;

constexpr int kMaxExponent = 400;
constexpr int64_t kMaxQuotient = 999'999'999'999'999'999;  // 18 digits
constexpr int kMaxQuotientSteps = 18;

constexpr double kExactPowers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr int kMaxExactPower = 22;

Value real_or_null(double d) { return std::isfinite(d) ? Value::of_real(d) : Value::null(); }

// Keeps exponents far away from the limits of Value.
bool fits(const std::optional<Decimal>& d) {
  return d && d->exponent >= -kMaxExponent && d->exponent <= kMaxExponent;
}

std::optional<Decimal> divide(Decimal a, Decimal b) {
  Wide rest = a.mantissa;
  for (int step = 0; step <= kMaxQuotientSteps; ++step, rest *= 10) {
    if (rest % b.mantissa != 0) continue;
    const Wide q = rest / b.mantissa;
    if (q > kMaxQuotient || q < -kMaxQuotient) return std::nullopt;
    return Decimal{static_cast<int64_t>(q), q == 0 ? 0 : a.exponent - b.exponent - step};
  }
  return std::nullopt;
}

// Sign of the dividend, as in SQL and C.
std::optional<Decimal> modulo(Decimal a, Decimal b) {
  Wide wide_a = a.mantissa;
  Wide wide_b = b.mantissa;
  const Wide limit = Wide(1) << 122;
  const int exponent = a.exponent < b.exponent ? a.exponent : b.exponent;
  for (int e = exponent; e < a.exponent && wide_a != 0; ++e) {
    if (wide_a > limit || wide_a < -limit) return std::nullopt;
    wide_a *= 10;
  }
  for (int e = exponent; e < b.exponent; ++e) {
    if (wide_b > limit || wide_b < -limit) return std::nullopt;
    wide_b *= 10;
  }
  const Wide rest = wide_a % wide_b;
  if (rest > INT64_MAX || rest < -INT64_MAX) return std::nullopt;
  return Decimal{static_cast<int64_t>(rest), rest == 0 ? 0 : exponent};
}

std::optional<Decimal> exact(Decimal a, Decimal b, Arithmetic op) {
  switch (op) {
    case Arithmetic::add: return add(a, b);
    case Arithmetic::subtract: return subtract(a, b);
    case Arithmetic::multiply: return multiply(a, b);
    case Arithmetic::divide: return divide(a, b);
    case Arithmetic::modulo: return modulo(a, b);
  }
  return std::nullopt;
}

double inexact(double a, double b, Arithmetic op) {
  switch (op) {
    case Arithmetic::add: return a + b;
    case Arithmetic::subtract: return a - b;
    case Arithmetic::multiply: return a * b;
    case Arithmetic::divide: return a / b;
    case Arithmetic::modulo: return std::fmod(a, b);
  }
  return 0;
}

int64_t rounded_quotient(int64_t mantissa, int64_t unit, Rounding mode) {
  const int64_t q = mantissa / unit;
  const int64_t rest = mantissa % unit;
  switch (mode) {
    case Rounding::towards_zero: return q;
    case Rounding::down: return q - (rest < 0);
    case Rounding::up: return q + (rest > 0);
    case Rounding::half_away: break;
  }
  // |rest| >= unit - |rest| without overflow.
  const int64_t size = rest < 0 ? -rest : rest;
  if (size < unit - size) return q;
  return rest < 0 ? q - 1 : q + 1;
}

double rounded(double d, Rounding mode) {
  switch (mode) {
    case Rounding::towards_zero: return std::trunc(d);
    case Rounding::down: return std::floor(d);
    case Rounding::up: return std::ceil(d);
    case Rounding::half_away: break;
  }
  return std::round(d);
}

Value round_real(double d, int places, Rounding mode) {
  // A double beyond 2^53 or with more places than it can hold is its own rounding.
  if (places > kMaxExactPower || (places >= 0 && std::fabs(d) > 9007199254740992.0)) {
    return Value::of_real(d);
  }
  if (places < -kMaxExactPower) return Value::of_real(0);
  const double scale = kExactPowers[places < 0 ? -places : places];
  return real_or_null(places < 0 ? rounded(d / scale, mode) * scale
                                 : rounded(d * scale, mode) / scale);
}

}  // namespace

Decimal decimal_of(const Value& v) noexcept {
  return {v.mantissa, v.kind == ValueKind::number ? v.exponent : 0};
}

double double_of(const Value& v) noexcept {
  if (v.kind == ValueKind::real) return v.real;
  const Decimal d = decimal_of(v);
  constexpr int64_t kExactMantissa = int64_t{1} << 53;
  // Both factors exact: one rounding, the same as the slow way.
  if (d.mantissa <= kExactMantissa && d.mantissa >= -kExactMantissa) {
    const auto m = static_cast<double>(d.mantissa);
    if (d.exponent >= 0 && d.exponent <= kMaxExactPower) return m * kExactPowers[d.exponent];
    if (d.exponent < 0 && d.exponent >= -kMaxExactPower) return m / kExactPowers[-d.exponent];
  }
  return d.to_double();
}

Value parse_number(std::string_view text) noexcept {
  if (text.empty()) return {};
  const char first = text[text.size() > 1 && (text[0] == '-' || text[0] == '+')];
  if (!is_digit(first) && first != '.') return {};
  if (const auto d = Decimal::parse(text)) return Value::of_decimal(d->mantissa, d->exponent);
  if (text[0] == '+') text.remove_prefix(1);
  double real = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), real);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return real_or_null(real);
}

Value calculate(const Value& left, const Value& right, Arithmetic op) noexcept {
  // Two times: their distance in milliseconds.
  if (left.kind == ValueKind::time && right.kind == ValueKind::time) {
    int64_t ns = 0;
    const bool fails =
        op != Arithmetic::subtract || __builtin_sub_overflow(left.time_ns, right.time_ns, &ns);
    return fails ? Value::null() : Value::of_decimal(ns, ns == 0 ? 0 : -6);
  }
  const Value a = to_number(left);
  const Value b = to_number(right);
  if (a.is_null() || b.is_null()) return {};
  const bool divides = op == Arithmetic::divide || op == Arithmetic::modulo;
  if (divides && (b.kind == ValueKind::real ? b.real == 0 : b.mantissa == 0)) return {};
  if (a.kind == ValueKind::number && b.kind == ValueKind::number) {
    const auto result = exact(decimal_of(a), decimal_of(b), op);
    if (fits(result)) return Value::of_decimal(result->mantissa, result->exponent);
  }
  return real_or_null(inexact(double_of(a), double_of(b), op));
}

Value negate(const Value& v) noexcept {
  const Value number = to_number(v);
  if (number.kind == ValueKind::real) return Value::of_real(-number.real);
  if (number.is_null()) return {};
  if (number.mantissa == INT64_MIN) return Value::of_real(-double_of(number));
  return Value::of_decimal(-number.mantissa, number.exponent);
}

Value round_to(const Value& v, int places, Rounding mode) noexcept {
  if (v.kind == ValueKind::real) return round_real(v.real, places, mode);
  const int drop = -places - v.exponent;
  if (drop <= 0) return v;
  if (drop > 18) {
    // Less than half a unit in size; only its sign can count.
    const bool away =
        (mode == Rounding::up && v.mantissa > 0) || (mode == Rounding::down && v.mantissa < 0);
    if (!away) {
      return Value::of_int(0);
    }
    return Value::of_decimal(mode == Rounding::up ? 1 : -1, -places);
  }
  int64_t unit = 1;
  for (int i = 0; i < drop; ++i) unit *= 10;
  const int64_t q = rounded_quotient(v.mantissa, unit, mode);
  return Value::of_decimal(q, q == 0 ? 0 : -places);
}

}  // namespace nines::expr
