// Numbers out of records: what a threshold compares, and how many events a record stands for.
#pragma once

#include <cmath>
#include <compare>
#include <cstdint>
#include <optional>

#include "nines/base/decimal.hpp"
#include "nines/log/value.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

inline bool good_by(slo::CompareOp op, std::strong_ordering order) {
  switch (op) {
    case slo::CompareOp::lt: return order < 0;
    case slo::CompareOp::lte: return order <= 0;
    case slo::CompareOp::gt: return order > 0;
    case slo::CompareOp::gte: return order >= 0;
  }
  return false;
}

inline bool good_real(slo::CompareOp op, double value, double threshold) {
  switch (op) {
    case slo::CompareOp::lt: return value < threshold;
    case slo::CompareOp::lte: return value <= threshold;
    case slo::CompareOp::gt: return value > threshold;
    case slo::CompareOp::gte: return value >= threshold;
  }
  return false;
}

// A measured value as an exact decimal; text that is a number counts as one.
inline std::optional<Decimal> measured(const Value& v) {
  switch (v.kind) {
    case ValueKind::number: return Decimal{v.mantissa, v.exponent};
    case ValueKind::text: return Decimal::parse(v.text);
    default: return std::nullopt;
  }
}

// A whole number of events, at most kMaxEvents; nothing for everything else.
inline constexpr int64_t kMaxEvents = 1'000'000'000'000;
inline std::optional<int64_t> whole_events(const Value& v) {
  if (v.kind == ValueKind::real) {
    const bool whole =
        v.real >= 0 && v.real <= static_cast<double>(kMaxEvents) && std::floor(v.real) == v.real;
    return whole ? std::optional(static_cast<int64_t>(v.real)) : std::nullopt;
  }
  const auto exact = measured(v);
  if (!exact || exact->mantissa < 0) return std::nullopt;
  int64_t n = exact->mantissa;
  for (int e = exact->exponent; e < 0 && n != 0; ++e) {
    if (n % 10 != 0) return std::nullopt;
    n /= 10;
  }
  for (int e = exact->exponent; e > 0 && n != 0; --e) {
    if (n > kMaxEvents) return std::nullopt;
    n *= 10;
  }
  return n <= kMaxEvents ? std::optional(n) : std::nullopt;
}

}  // namespace nines::collector
