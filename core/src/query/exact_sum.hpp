// Sums of the numbers of a column without rounding on the way: decimals in units of 1e-12, doubles
// bit by bit. The order of adding never shows in the result.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "nines/log/value.hpp"
#include "wide_int.hpp"

namespace nines::query {

inline constexpr int kUnitPlaces = 12;

// `v` in units of 1e-12. False: it has finer digits or does not fit 127 bits.
struct Units {
  bool negative = false;
  uint64_t low = 0, high = 0;
};
bool to_units(const Value& v, Units& out) noexcept;  // REQUIRES decimal or boolean

class ExactSum {
 public:
  // REQUIRES a number. Returns the bytes of memory taken in addition.
  size_t add(const Value& number);
  size_t merge(const ExactSum& other);
  // A number; NULL when it is too large for a double.
  Value value() const;
  // Digits were lost: those finer than 1e-12 or beyond 64 bits.
  bool approximate() const noexcept;

  void save(std::string& out) const;
  bool load(std::string_view& in, size_t& grown);

 private:
  // Every finite double is a multiple of 2^-1074 below 2^1024; 64 bits more for their number.
  using Reals = WideInt<35>;

  size_t add_real(double d);

  WideInt<3> units_;
  bool lost_ = false;
  std::unique_ptr<Reals> reals_;
};

}  // namespace nines::query
