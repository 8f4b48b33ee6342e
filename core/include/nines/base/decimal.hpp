// Exact decimal numbers: mantissa * 10^exponent with a 64-bit mantissa. Targets, factors,
// thresholds and numeric log fields are parsed into it, so that no verdict depends on floating
// point (law 6; facts: 0.001 as a double puts burn 1.0 at 0.9999...).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nines {

struct Decimal {
  int64_t mantissa = 0;
  int exponent = 0;  // power of ten, within [-400, 400] after parse

  // "-12.5", "1e3", ".5"; surrounding characters are not skipped. nullopt: not a number, or more
  // significant digits than 18 (callers fall back to double).
  static std::optional<Decimal> parse(std::string_view text) noexcept;
  double to_double() const noexcept;
  std::string to_string() const;  // plain notation, no trailing zeros
};

// Exact for all values (never overflows).
std::strong_ordering compare(Decimal a, Decimal b) noexcept;
inline bool operator==(Decimal a, Decimal b) noexcept { return compare(a, b) == 0; }
inline std::strong_ordering operator<=>(Decimal a, Decimal b) noexcept { return compare(a, b); }

// nullopt when the exact result needs more than 64 bits of mantissa.
std::optional<Decimal> add(Decimal a, Decimal b) noexcept;
std::optional<Decimal> subtract(Decimal a, Decimal b) noexcept;
std::optional<Decimal> multiply(Decimal a, Decimal b) noexcept;

}  // namespace nines
