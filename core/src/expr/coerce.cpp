#include "coerce.hpp"

#include <charconv>
#include <cstring>

#include "ascii.hpp"
#include "nines/expr/expression.hpp"

namespace nines::expr {
namespace {

template <class T>
uint8_t order3(T a, T b) {
  return a < b ? kLess : a > b ? kGreater : a == b ? kEqual : uint8_t{0};
}

uint8_t order_of_texts(std::string_view a, std::string_view b) {
  const int c = a.compare(b);
  return c < 0 ? kLess : c == 0 ? kEqual : kGreater;
}

uint8_t order_of_decimals(Decimal a, Decimal b) {
  // Most literals differ from the field by a few decimal places: scale instead of counting digits.
  static constexpr int64_t kPowers[] = {1,       10,        100,        1000,        10'000,
                                        100'000, 1'000'000, 10'000'000, 100'000'000, 1'000'000'000};
  const int gap = a.exponent - b.exponent;
  int64_t scaled = 0;
  if (gap >= 0 && gap < 10 && !__builtin_mul_overflow(a.mantissa, kPowers[gap], &scaled)) {
    return order3(scaled, b.mantissa);
  }
  if (gap < 0 && gap > -10 && !__builtin_mul_overflow(b.mantissa, kPowers[-gap], &scaled)) {
    return order3(a.mantissa, scaled);
  }
  const auto order = compare(a, b);
  return order < 0 ? kLess : order == 0 ? kEqual : kGreater;
}

uint8_t order_of_numbers(const Value& a, const Value& b) {
  if (a.kind == ValueKind::real || b.kind == ValueKind::real) {
    return order3(double_of(a), double_of(b));
  }
  return order_of_decimals(decimal_of(a), decimal_of(b));
}

// "40" of pino and "4" of syslog as numbers.
Value level_of_number(const Value& v) {
  if (v.kind != ValueKind::number || v.exponent != 0 || v.mantissa < 0 || v.mantissa > 99)
    return {};
  char digits[4];
  const auto end = std::to_chars(digits, digits + sizeof digits, v.mantissa).ptr;
  Level level{};
  const bool known = parse_level({digits, static_cast<size_t>(end - digits)}, level);
  return known ? Value::of_level(level, {}) : Value::null();
}

Value level_of_text(std::string_view text) {
  Level level{};
  return parse_level(text, level) ? Value::of_level(level, text) : Value::null();
}

uint8_t order_of_same(const Value& a, const Value& b) {
  if (is_numeric(a) && is_numeric(b)) return order_of_numbers(a, b);
  if (a.kind == ValueKind::level && b.kind == ValueKind::number) {
    return order_of_same(a, level_of_number(b));
  }
  if (a.kind == ValueKind::number && b.kind == ValueKind::level) {
    return order_of_same(level_of_number(a), b);
  }
  if (a.kind != b.kind) return 0;
  if (a.kind == ValueKind::time) return order3(a.time_ns, b.time_ns);
  if (a.kind == ValueKind::level) return order3(a.level, b.level);
  return 0;
}

// `text` read as whatever `other` is.
Value text_like(std::string_view text, const Value& other) {
  switch (other.kind) {
    case ValueKind::number:
    case ValueKind::real: return parse_number(text);
    case ValueKind::boolean: return parse_boolean(text);
    case ValueKind::time: return parse_time(text);
    case ValueKind::level: return level_of_text(text);
    default: return {};
  }
}

}  // namespace

uint8_t order_of(const Value& a, const Value& b) noexcept {
  const bool text_a = a.kind == ValueKind::text;
  const bool text_b = b.kind == ValueKind::text;
  if (text_a && text_b) return order_of_texts(a.text, b.text);
  if (text_a) return order_of_same(text_like(a.text, b), b);
  if (text_b) return order_of_same(a, text_like(b.text, a));
  return order_of_same(a, b);
}

Operand Operand::of(const Value& literal) noexcept {
  Operand o;
  o.value = literal;
  if (literal.kind != ValueKind::text) return o;
  o.number = parse_number(literal.text);
  o.time = parse_time(literal.text);
  o.level = level_of_text(literal.text);
  o.boolean = parse_boolean(literal.text);
  return o;
}

uint8_t order_of_other(const Value& field, const Operand& literal) noexcept {
  if (literal.value.kind != ValueKind::text) return order_of(field, literal.value);
  switch (field.kind) {
    case ValueKind::text: return order_of_texts(field.text, literal.value.text);
    case ValueKind::number:
    case ValueKind::real: return order_of_same(field, literal.number);
    case ValueKind::boolean: return order_of_same(field, literal.boolean);
    case ValueKind::time: return order_of_same(field, literal.time);
    case ValueKind::level: return order_of_same(field, literal.level);
    case ValueKind::null: break;
  }
  return 0;
}

Truth truth_of(const Value& v) noexcept {
  switch (v.kind) {
    case ValueKind::boolean:
    case ValueKind::number: return v.mantissa != 0 ? Truth::yes : Truth::no;
    case ValueKind::real: return v.real != 0 ? Truth::yes : Truth::no;
    default: return Truth::unknown;
  }
}

bool is_numeric(const Value& v) noexcept {
  return v.kind == ValueKind::boolean || v.kind == ValueKind::number || v.kind == ValueKind::real;
}

Value to_number(const Value& v) noexcept {
  switch (v.kind) {
    case ValueKind::number:
    case ValueKind::real: return v;
    case ValueKind::boolean: return Value::of_int(v.mantissa);
    case ValueKind::text: return parse_number(v.text);
    default: return {};
  }
}

Value parse_boolean(std::string_view text) noexcept {
  if (equals_ignoring_case(text, "true")) return Value::of_bool(true);
  if (equals_ignoring_case(text, "false")) return Value::of_bool(false);
  return {};
}

namespace {

Value to_boolean(const Value& v) {
  if (v.kind == ValueKind::text) {
    const Value word = parse_boolean(v.text);
    if (!word.is_null()) return word;
  }
  const Truth truth = truth_of(to_number(v));
  return truth == Truth::unknown ? Value::null() : Value::of_bool(truth == Truth::yes);
}

}  // namespace

Value cast(const Value& v, CastType type, Scratch& scratch) noexcept {
  if (type == CastType::boolean) return to_boolean(v);
  if (type == CastType::text) {
    const auto text = to_text(v, scratch);
    return text ? Value::of_text(*text) : Value::null();
  }
  const Value number = to_number(v);
  if (number.is_null() || type == CastType::number) return number;
  if (type == CastType::real) return Value::of_real(double_of(number));
  return round_to(number, 0, Rounding::towards_zero);
}

}  // namespace nines::expr
