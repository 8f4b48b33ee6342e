#include "log/layout_values.hpp"

#include "log/access.hpp"
#include "log/number.hpp"
#include "nines/base/decimal.hpp"

namespace nines::log {
namespace {

// value * 10^power.
Value scaled(Value value, int power) noexcept {
  if (value.kind == ValueKind::real) {
    for (; power > 0; --power) value.real *= 10;
    for (; power < 0; ++power) value.real /= 10;
    return value;
  }
  if (value.kind != ValueKind::number) return Value::null();
  return normal_decimal(value.mantissa, value.exponent + power);
}

Value number_or_null(std::string_view text) noexcept {
  if (text.empty() || text == "-") return Value::null();
  if (text.front() == '+') text.remove_prefix(1);  // HAProxy: the request was still going on
  return number_value(text);
}

Value scaled_number(std::string_view text, int power) noexcept {
  const Value value = number_or_null(text);
  return power == 0 ? value : scaled(value, power);
}

// "0.1, 0.2 : -": times of the upstreams tried one after the other.
Value seconds_sum(std::string_view text) noexcept {
  Decimal sum{0, 0};
  bool any = false;
  while (!text.empty()) {
    const size_t begin = text.find_first_not_of(" ,:");
    if (begin == std::string_view::npos) break;
    text.remove_prefix(begin);
    const size_t size = std::min(text.find_first_of(" ,:"), text.size());
    const std::string_view item = text.substr(0, size);
    text.remove_prefix(size);
    if (item == "-") continue;
    const Value value = number_value(item);
    if (value.kind != ValueKind::number) return Value::null();
    const auto next = add(sum, Decimal{value.mantissa, value.exponent});
    if (!next) return Value::null();
    sum = *next;
    any = true;
  }
  return any ? scaled(Value::of_decimal(sum.mantissa, sum.exponent), 3) : Value::null();
}

Value redis_level(std::string_view text) noexcept {
  if (text.size() != 1) return Value::null();
  switch (text[0]) {
    case '.':
    case '-': return Value::of_level(Level::debug, text);  // debug and verbose
    case '*': return Value::of_level(Level::info, text);   // notice
    case '#': return Value::of_level(Level::warn, text);
    default: return Value::null();
  }
}

Value pg_level(std::string_view text) noexcept {
  return is_pg_detail(text) ? Value::null() : level_value(Conv::level, text);
}

}  // namespace

Value level_value(Conv conv, std::string_view text) noexcept {
  if (conv == Conv::redis_level) return redis_level(text);
  Level level{};
  if (parse_level(text, level)) return Value::of_level(level, text);
  if (text == "dbug") return Value::of_level(Level::debug, text);  // RabbitMQ's four letters
  if (text == "noti") return Value::of_level(Level::info, text);
  if (text == "erro") return Value::of_level(Level::error, text);
  if (text == "aler" || text == "emer") return Value::of_level(Level::fatal, text);
  return Value::null();
}

Value layout_value(Conv conv, std::string_view text) noexcept {
  switch (conv) {
    case Conv::text: return text.empty() ? Value::null() : Value::of_text(text);
    case Conv::dash_text: return text_or_null(text);
    case Conv::list_number: {
      if (text.empty() || text == "-") return Value::null();
      return number_value(text);
    }
    case Conv::number:
    case Conv::seconds:
    case Conv::micros:
    case Conv::nanos: return scaled_number(text, power_of(conv));
    case Conv::seconds_sum: return seconds_sum(text);
    case Conv::level:
    case Conv::redis_level: {
      const Value level = level_value(conv, text);
      return level.is_null() && !text.empty() ? Value::of_text(text) : level;
    }
    case Conv::pg_severity: return pg_level(text);
    case Conv::whole_text:
    case Conv::pg_message:
    case Conv::request:
    case Conv::address:
    case Conv::time: break;
  }
  return Value::of_text(text);
}

Value address_value(std::string_view text) noexcept {
  const size_t colon = text.rfind(':');
  if (colon != std::string_view::npos && !port_value(text).is_null()) text = text.substr(0, colon);
  if (text.size() > 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  return text_or_null(text);
}

Value port_value(std::string_view text) noexcept {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Value::null();
  return integer_value(text.substr(colon + 1));
}

Value pg_duration(std::string_view message) noexcept {
  constexpr std::string_view kWord = "duration: ";
  if (!message.starts_with(kWord)) return Value::null();
  message.remove_prefix(kWord.size());
  const size_t end = message.find(" ms");
  if (end == std::string_view::npos) return Value::null();
  const Value value = number_value(message.substr(0, end));
  return value.kind == ValueKind::text ? Value::null() : value;
}

bool is_pg_detail(std::string_view text) noexcept {
  return text == "DETAIL" || text == "HINT" || text == "STATEMENT" || text == "CONTEXT" ||
         text == "QUERY" || text == "LOCATION" || text == "BACKTRACE";
}

bool is_pg_severity(std::string_view text) noexcept {
  if (text.empty() || text[0] < 'A' || text[0] > 'Z') return false;
  return is_pg_detail(text) || !level_value(Conv::level, text).is_null();
}

}  // namespace nines::log
