// How values of different kinds meet: comparison, truth, arithmetic and casts (README.md, section
// "Coercions"). Nothing here allocates or throws.
#pragma once

#include <optional>
#include <string_view>

#include "nines/base/decimal.hpp"
#include "nines/log/value.hpp"

namespace nines::expr {

enum class Truth : uint8_t;

// One bit an order, so that a comparison operator is a mask over them. 0: NULL or incomparable.
inline constexpr uint8_t kLess = 1;
inline constexpr uint8_t kEqual = 2;
inline constexpr uint8_t kGreater = 4;

uint8_t order_of(const Value& a, const Value& b) noexcept;

// A literal with everything it may be compared as, worked out once.
struct Operand {
  Value value;
  Value number;  // NULL when it is none
  Value time;
  Value level;
  Value boolean;
  static Operand of(const Value& literal) noexcept;
};
uint8_t order_of_other(const Value& field, const Operand& literal) noexcept;

inline uint8_t order_of(const Value& field, const Operand& literal) noexcept {
  // The bulk of all comparisons: integer field against integer literal.
  if (field.kind == ValueKind::number && literal.value.kind == ValueKind::number &&
      field.exponent == literal.value.exponent) {
    const int64_t a = field.mantissa;
    const int64_t b = literal.value.mantissa;
    return a < b ? kLess : a == b ? kEqual : kGreater;
  }
  return order_of_other(field, literal);
}

// Scratch memory for texts made while evaluating; emptied before each record.
class Scratch {
 public:
  Scratch(char* memory, size_t bytes) noexcept : memory_(memory), bytes_(bytes) {}
  void reset() noexcept { used_ = 0; }
  // nullptr (and counted) when the record has used up its share.
  char* take(size_t bytes) noexcept {
    if (bytes > bytes_ - used_) {
      ++overflows_;
      return nullptr;
    }
    char* const start = memory_ + used_;
    used_ += bytes;
    return start;
  }
  uint64_t overflows() const noexcept { return overflows_; }

 private:
  char* memory_;
  size_t bytes_;
  size_t used_ = 0;
  uint64_t overflows_ = 0;
};

bool is_numeric(const Value& v) noexcept;     // boolean, number, real
Decimal decimal_of(const Value& v) noexcept;  // REQUIRES boolean or number
double double_of(const Value& v) noexcept;    // REQUIRES is_numeric
// NULL when the value is no number; booleans are 0 and 1.
Value to_number(const Value& v) noexcept;
Value parse_number(std::string_view text) noexcept;
Value parse_time(std::string_view text) noexcept;      // RFC 3339, date alone and without zone too
Value parse_duration(std::string_view text) noexcept;  // '1m30s' in milliseconds
std::optional<int64_t> parse_duration_ns(std::string_view text) noexcept;  // whole nanoseconds
Value parse_boolean(std::string_view text) noexcept;
// nullopt for NULL or when scratch is used up. A level reads as the log wrote it.
std::optional<std::string_view> to_text(const Value& v, Scratch& scratch) noexcept;

enum class CastType : uint8_t { integer, real, number, text, boolean };
Value cast(const Value& v, CastType type, Scratch& scratch) noexcept;

enum class Arithmetic : uint8_t { add, subtract, multiply, divide, modulo };
Value calculate(const Value& a, const Value& b, Arithmetic op) noexcept;
Value negate(const Value& v) noexcept;
enum class Rounding : uint8_t { half_away, down, up, towards_zero };
// To `places` digits behind the point. REQUIRES v number or real.
Value round_to(const Value& v, int places, Rounding mode) noexcept;

Truth truth_of(const Value& v) noexcept;

}  // namespace nines::expr
