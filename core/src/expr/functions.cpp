#include "functions.hpp"

#include <algorithm>
#include <cstring>
#include <limits>

#include "ascii.hpp"
#include "functions_log.hpp"
#include "token.hpp"

namespace nines::expr {
namespace {

using Args = std::span<const Value>;
using std::string_view;

constexpr size_t npos = string_view::npos;

// Runs `make(text)` over an argument's text; NULL when it has none.
template <class Make>
Value with_text(const Value& v, Scratch& scratch, Make make) {
  const auto text = to_text(v, scratch);
  return text ? make(*text) : Value::null();
}

template <class Make>
Value with_texts(Args args, Scratch& scratch, Make make) {
  const auto a = to_text(args[0], scratch);
  const auto b = to_text(args[1], scratch);
  return a && b ? make(*a, *b) : Value::null();
}

// Whole numbers within +-2^62; nullopt for everything else.
std::optional<int64_t> to_integer(const Value& v) {
  const Value number = to_number(v);
  if (number.is_null()) return std::nullopt;
  if (number.kind == ValueKind::real) {
    constexpr double kLimit = 4611686018427387904.0;
    if (!(number.real > -kLimit && number.real < kLimit)) return std::nullopt;
    return static_cast<int64_t>(number.real);
  }
  Value whole = round_to(number, 0, Rounding::towards_zero);
  for (; whole.exponent > 0; --whole.exponent) {
    if (__builtin_mul_overflow(whole.mantissa, int64_t{10}, &whole.mantissa)) return std::nullopt;
  }
  constexpr int64_t kLimit = int64_t{1} << 62;
  if (whole.mantissa > kLimit || whole.mantissa < -kLimit) return std::nullopt;
  return whole.mantissa;
}

int64_t count_characters(string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !is_continuation(c); });
}

// Offset of character `index` (0 is the first), at most the size.
size_t offset_of(string_view text, int64_t index) {
  size_t at = 0;
  for (; index > 0 && at < text.size(); --index) {
    do ++at;
    while (at < text.size() && is_continuation(text[at]));
  }
  return at;
}

template <char (*change)(char)>
Value changed_case(Args args, Scratch& scratch) noexcept {
  return with_text(args[0], scratch, [&](string_view text) {
    char* const out = scratch.take(text.size());
    if (out == nullptr) return Value::null();
    std::transform(text.begin(), text.end(), out, change);
    return Value::of_text({out, text.size()});
  });
}
char lower_char(char c) { return to_lower(c); }
char upper_char(char c) { return to_upper(c); }

Value fn_length(Args args, Scratch& scratch) noexcept {
  return with_text(args[0], scratch,
                   [](string_view text) { return Value::of_int(count_characters(text)); });
}

// SQLite's rules: 1 is the first character, negative counts from the end, a negative length takes
// what stands before the start.
Value fn_substr(Args args, Scratch& scratch) noexcept {
  const auto start = to_integer(args[1]);
  const auto length = args.size() > 2 ? to_integer(args[2]) : std::numeric_limits<int32_t>::max();
  if (!start || !length) return {};
  return with_text(args[0], scratch, [&](string_view text) {
    const int64_t count = count_characters(text);
    // With a start of 0 or before the text, the part before it uses up length.
    int64_t from = *start > 0 ? *start - 1 : *start < 0 ? count + *start : -1;
    if (*start == 0 && args.size() == 2) from = 0;
    int64_t to = from + *length;
    if (*length < 0) std::swap(from, to);
    from = std::clamp(from, int64_t{0}, count);
    to = std::clamp(to, from, count);
    const size_t begin = offset_of(text, from);
    return Value::of_text(text.substr(begin, offset_of(text.substr(begin), to - from)));
  });
}

template <bool left, bool right>
Value trimmed(Args args, Scratch& scratch) noexcept {
  static const Value kBlanks = Value::of_text(" \t\r\n\v\f");
  const Value both[] = {args[0], args.size() > 1 ? args[1] : kBlanks};
  return with_texts(both, scratch, [](string_view text, string_view set) {
    size_t begin = left ? text.find_first_not_of(set) : 0;
    if (begin == npos) begin = text.size();
    const size_t last = right ? text.find_last_not_of(set) : text.size() - 1;
    const size_t end = right && last == npos ? begin : last + 1;
    return Value::of_text(text.substr(begin, end - begin));
  });
}

Value replace_all(string_view text, string_view from, string_view to, Scratch& scratch) {
  size_t hits = 0;
  for (size_t at = text.find(from); at != npos; at = text.find(from, at + from.size())) ++hits;
  if (hits == 0) return Value::of_text(text);
  const size_t size = text.size() - hits * from.size() + hits * to.size();
  char* const out = scratch.take(size);
  if (out == nullptr) return {};
  char* p = out;
  size_t begin = 0;
  for (size_t at = text.find(from); at != npos; at = text.find(from, begin)) {
    p = std::copy_n(text.data() + begin, at - begin, p);
    p = std::copy(to.begin(), to.end(), p);
    begin = at + from.size();
  }
  std::copy(text.begin() + static_cast<std::ptrdiff_t>(begin), text.end(), p);
  return Value::of_text({out, size});
}

Value fn_replace(Args args, Scratch& scratch) noexcept {
  const auto to = to_text(args[2], scratch);
  if (!to) return {};
  return with_texts(args, scratch, [&](string_view text, string_view from) {
    return from.empty() ? Value::of_text(text) : replace_all(text, from, *to, scratch);
  });
}

Value fn_instr(Args args, Scratch& scratch) noexcept {
  return with_texts(args, scratch, [](string_view text, string_view part) {
    const size_t at = text.find(part);
    return Value::of_int(at == npos ? 0 : count_characters(text.substr(0, at)) + 1);
  });
}

Value fn_nullif(Args args, Scratch&) noexcept {
  return order_of(args[0], args[1]) == kEqual ? Value::null() : args[0];
}

Value fn_abs(Args args, Scratch&) noexcept {
  const Value v = to_number(args[0]);
  const bool negative = v.kind == ValueKind::real ? v.real < 0 : !v.is_null() && v.mantissa < 0;
  return negative ? negate(v) : v;
}

Value fn_round(Args args, Scratch&) noexcept {
  constexpr int64_t kMaxPlaces = 400;
  const Value v = to_number(args[0]);
  const auto places = args.size() > 1 ? to_integer(args[1]) : std::optional<int64_t>(0);
  if (v.is_null() || !places) return {};
  const int64_t bounded = std::clamp(*places, -kMaxPlaces, kMaxPlaces);
  return round_to(v, static_cast<int>(bounded), Rounding::half_away);
}

template <Rounding mode>
Value rounded(Args args, Scratch&) noexcept {
  const Value v = to_number(args[0]);
  return v.is_null() ? v : round_to(v, 0, mode);
}

// NULL when two of the arguments have no order.
template <uint8_t wanted>
Value extreme(Args args, Scratch&) noexcept {
  Value best = args[0];
  for (const Value& v : args.subspan(1)) {
    const uint8_t order = order_of(v, best);
    if (order == 0) return {};
    if (order == wanted) best = v;
  }
  return best;
}

Value fn_starts_with(Args args, Scratch& scratch) noexcept {
  return with_texts(args, scratch,
                    [](string_view a, string_view b) { return Value::of_bool(a.starts_with(b)); });
}
Value fn_ends_with(Args args, Scratch& scratch) noexcept {
  return with_texts(args, scratch,
                    [](string_view a, string_view b) { return Value::of_bool(a.ends_with(b)); });
}
Value fn_contains(Args args, Scratch& scratch) noexcept {
  return with_texts(args, scratch, [](string_view a, string_view b) {
    return Value::of_bool(memmem(a.data(), a.size(), b.data(), b.size()) != nullptr);
  });
}

// Part n of a text, counted from 1, or from the end when negative; NULL when there is none.
Value fn_split_part(Args args, Scratch& scratch) noexcept {
  const auto n = to_integer(args[2]);
  if (!n || *n == 0) return {};
  return with_texts(args, scratch, [&](string_view text, string_view separator) {
    if (separator.empty()) return *n == 1 || *n == -1 ? Value::of_text(text) : Value::null();
    int64_t index = *n;
    if (index < 0) {
      int64_t parts = 1;
      for (size_t at = text.find(separator); at != npos; ++parts) {
        at = text.find(separator, at + separator.size());
      }
      index += parts + 1;
      if (index < 1) return Value::null();
    }
    size_t begin = 0;
    for (; index > 1; --index) {
      const size_t at = text.find(separator, begin);
      if (at == npos) return Value::null();
      begin = at + separator.size();
    }
    return Value::of_text(text.substr(begin, text.find(separator, begin) - begin));
  });
}

Value fn_typeof(Args args, Scratch&) noexcept {
  switch (args[0].kind) {
    case ValueKind::null: return Value::of_text("null");
    case ValueKind::boolean: return Value::of_text("boolean");
    case ValueKind::number: return Value::of_text("number");
    case ValueKind::real: return Value::of_text("real");
    case ValueKind::text: return Value::of_text("text");
    case ValueKind::time: return Value::of_text("time");
    case ValueKind::level: return Value::of_text("level");
  }
  return {};
}

Value fn_number(Args args, Scratch&) noexcept { return to_number(args[0]); }

Value fn_duration_ms(Args args, Scratch&) noexcept {
  return args[0].kind == ValueKind::text ? parse_duration(args[0].text) : Value::null();
}

Value fn_level(Args args, Scratch& scratch) noexcept {
  if (args[0].kind == ValueKind::level) return args[0];
  return with_text(args[0], scratch, [](string_view text) {
    Level level{};
    return parse_level(text, level) ? Value::of_level(level, text) : Value::null();
  });
}

using P = Param;
using F = CallForm;
constexpr Function kFunctions[] = {
    {"abs", 1, 1, {P::number, P::any, P::any}, true, F::plain, fn_abs},
    {"bucket", 2, 2, {P::any, P::width, P::any}, true, F::bucket, nullptr},
    {"ceil", 1, 1, {P::number, P::any, P::any}, true, F::plain, rounded<Rounding::up>},
    {"coalesce", 2, kAnyCount, {P::any, P::any, P::any}, false, F::coalesce, nullptr},
    {"contains", 2, 2, {P::text, P::text, P::any}, true, F::plain, fn_contains},
    {"date_trunc", 2, 2, {P::unit, P::any, P::any}, true, F::plain, fn_date_trunc},
    {"day", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_day},
    {"duration_ms", 1, 1, {P::duration, P::any, P::any}, true, F::plain, fn_duration_ms},
    {"ends_with", 2, 2, {P::text, P::text, P::any}, true, F::plain, fn_ends_with},
    {"floor", 1, 1, {P::number, P::any, P::any}, true, F::plain, rounded<Rounding::down>},
    {"hour", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_hour},
    {"ifnull", 2, 2, {P::any, P::any, P::any}, false, F::coalesce, nullptr},
    {"iif", 2, 3, {P::any, P::any, P::any}, false, F::iif, nullptr},
    {"instr", 2, 2, {P::text, P::text, P::any}, true, F::plain, fn_instr},
    {"length", 1, 1, {P::text, P::any, P::any}, true, F::plain, fn_length},
    {"level", 1, 1, {P::text, P::any, P::any}, true, F::plain, fn_level},
    {"lower", 1, 1, {P::text, P::any, P::any}, true, F::plain, changed_case<lower_char>},
    {"ltrim", 1, 2, {P::text, P::text, P::any}, true, F::plain, trimmed<true, false>},
    {"max", 2, kAnyCount, {P::any, P::any, P::any}, true, F::plain, extreme<kGreater>},
    {"minute", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_minute},
    {"month", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_month},
    {"min", 2, kAnyCount, {P::any, P::any, P::any}, true, F::plain, extreme<kLess>},
    {"nullif", 2, 2, {P::any, P::any, P::any}, false, F::plain, fn_nullif},
    {"number", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_number},
    {"regexp_extract", 2, 3, {P::text, P::pattern, P::group}, true, F::extract, nullptr},
    {"replace", 3, 3, {P::text, P::text, P::text}, true, F::plain, fn_replace},
    {"round", 1, 2, {P::number, P::number, P::any}, true, F::plain, fn_round},
    {"rtrim", 1, 2, {P::text, P::text, P::any}, true, F::plain, trimmed<false, true>},
    {"second", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_second},
    {"split_part", 3, 3, {P::text, P::text, P::number}, true, F::plain, fn_split_part},
    {"starts_with", 2, 2, {P::text, P::text, P::any}, true, F::plain, fn_starts_with},
    {"substr", 2, 3, {P::text, P::number, P::number}, true, F::plain, fn_substr},
    {"template", 1, 1, {P::text, P::any, P::any}, true, F::plain, fn_template},
    {"timestamp", 1, 1, {P::time, P::any, P::any}, true, F::plain, fn_timestamp},
    {"trim", 1, 2, {P::text, P::text, P::any}, true, F::plain, trimmed<true, true>},
    {"typeof", 1, 1, {P::any, P::any, P::any}, false, F::plain, fn_typeof},
    {"upper", 1, 1, {P::text, P::any, P::any}, true, F::plain, changed_case<upper_char>},
    {"weekday", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_weekday},
    {"year", 1, 1, {P::any, P::any, P::any}, true, F::plain, fn_year},
};

}  // namespace

std::span<const Function> all_functions() noexcept { return kFunctions; }

const Function* find_function(string_view name) noexcept {
  for (const Function& f : kFunctions) {
    if (equals_ignoring_case(f.name, name)) return &f;
  }
  return nullptr;
}

string_view nearest_function(string_view name) {
  string_view nearest;
  size_t best = std::max<size_t>(2, name.size() / 3) + 1;
  for (const Function& f : kFunctions) {
    const size_t distance = edit_distance(f.name, name.substr(0, 64));
    if (distance < best) {
      best = distance;
      nearest = f.name;
    }
  }
  return nearest;
}

}  // namespace nines::expr
