// Numbers of rows as one ordered line: decimals and doubles compared by their exact value.
#pragma once

#include <optional>

#include "nines/base/decimal.hpp"
#include "nines/log/value.hpp"

namespace nines::query {

// The decimal that is exactly `d`, in the one form that append_key() writes: an integer of 64 bits
// has exponent 0, others have no zeros at the end. nullopt: more than 64 bits of mantissa, no
// number.
std::optional<Decimal> exact_decimal(double d) noexcept;
// The same number in that form.
Decimal canonical(Decimal d) noexcept;
// Of decimals, booleans and reals, total: NaN is behind everything. REQUIRES both are numbers.
int compare_numbers(const Value& a, const Value& b) noexcept;

inline bool is_number(const Value& v) noexcept {
  return v.kind == ValueKind::number || v.kind == ValueKind::real || v.kind == ValueKind::boolean;
}

}  // namespace nines::query
