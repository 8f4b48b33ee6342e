// A value with a text of its own, and values as bytes just as they are (append_key() keeps only
// what compares).
#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "nines/query/bytes.hpp"
#include "nines/log/value.hpp"

namespace nines::query {

inline void put_value(std::string& out, const Value& v) {
  put_byte(out, static_cast<uint8_t>(v.kind));
  switch (v.kind) {
    case ValueKind::null: return;
    case ValueKind::boolean: return put_byte(out, static_cast<uint8_t>(v.mantissa));
    case ValueKind::number: put_signed(out, v.mantissa); return put_signed(out, v.exponent);
    case ValueKind::real: return put_double(out, v.real);
    case ValueKind::time: return put_signed(out, v.time_ns);
    case ValueKind::level: put_byte(out, static_cast<uint8_t>(v.level)); [[fallthrough]];
    case ValueKind::text: return put_text(out, v.text);
  }
}

inline bool get_value(std::string_view& in, Value& out) noexcept {
  uint8_t kind = 0;
  uint8_t small = 0;
  int64_t whole = 0;
  int64_t exponent = 0;
  double real = 0;
  std::string_view text;
  if (!get_byte(in, kind) || kind > static_cast<uint8_t>(ValueKind::level)) return false;
  switch (static_cast<ValueKind>(kind)) {
    case ValueKind::null: out = {}; return true;
    case ValueKind::boolean:
      if (!get_byte(in, small) || small > 1) return false;
      out = Value::of_bool(small == 1);
      return true;
    case ValueKind::number:
      if (!get_signed(in, whole) || !get_signed(in, exponent)) return false;
      out = Value::of_decimal(whole, static_cast<int16_t>(exponent));
      return exponent >= INT16_MIN && exponent <= INT16_MAX;
    case ValueKind::real:
      if (!get_double(in, real) || !std::isfinite(real)) return false;
      out = Value::of_real(real);
      return true;
    case ValueKind::time:
      if (!get_signed(in, whole)) return false;
      out = Value::of_time(whole);
      return true;
    case ValueKind::level:
      if (!get_byte(in, small) || small > static_cast<uint8_t>(Level::fatal)) return false;
      if (!get_text(in, text)) return false;
      out = Value::of_level(static_cast<Level>(small), text);
      return true;
    case ValueKind::text: break;
  }
  if (!get_text(in, text)) return false;
  out = Value::of_text(text);
  return true;
}

class KeptValue {
 public:
  void set(const Value& v) {
    value_ = v;
    text_.assign(v.text);
  }
  // Its text lives here.
  Value get() const noexcept {
    Value v = value_;
    v.text = text_;
    return v;
  }

 private:
  Value value_;
  std::string text_;
};

}  // namespace nines::query
