#include "functions_log.hpp"

#include <algorithm>

#include "ascii.hpp"
#include "nines/base/time.hpp"

namespace nines::expr {
namespace {

using Args = std::span<const Value>;
using std::string_view;

constexpr int64_t kNsPerDay = 86'400 * kNsPerSecond;

Value as_time(const Value& v) noexcept {
  if (v.kind == ValueKind::time) return v;
  return v.kind == ValueKind::text ? parse_time(v.text) : Value::null();
}

int64_t floor_to(int64_t ns, int64_t width) {
  const int64_t rest = ns % width;
  return ns - rest - (rest < 0 ? width : 0);
}

struct Clock {
  CivilDate date;
  int64_t days;
  int64_t seconds;  // of the day
};
Clock clock_of(int64_t ns) {
  const int64_t days = floor_to(ns, kNsPerDay) / kNsPerDay;
  return {civil_from_days(days), days, (ns - days * kNsPerDay) / kNsPerSecond};
}

template <class Part>
Value part_of(Args args, Part part) {
  const Value time = as_time(args[0]);
  return time.is_null() ? time : Value::of_int(part(clock_of(time.time_ns)));
}

int64_t weekday_of(int64_t days) {  // 1970-01-01 was a Thursday
  return ((days + 3) % 7 + 7) % 7;
}

// ---- template ----

constexpr string_view kHole = "<*>";

bool is_hex(char c) { return is_digit(c) || (to_lower(c) >= 'a' && to_lower(c) <= 'f'); }
bool is_word_char(char c) { return is_letter(c) || is_digit(c) || c == '_' || is_continuation(c); }

// 8-4-4-4-12 hexadecimal digits.
bool starts_uuid(string_view text) {
  constexpr size_t kLength = 36;
  if (text.size() < kLength) return false;
  for (size_t i = 0; i < kLength; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return false;
  }
  return text.size() == kLength || !is_word_char(text[kLength]);
}

// Counts without memory; writes with it. Both passes take the same way.
class TemplateWriter {
 public:
  explicit TemplateWriter(char* out) : out_(out) {}
  void text(string_view part) {
    put(part);
    after_hole_ = false;
  }
  // Holes that only '.', ':', '-', '/' or ',' part are one: 10.0.0.1:80, 2026-11-21.
  void hole() {
    if (!after_hole_) put(kHole);
    after_hole_ = true;
    joint_ = false;
  }
  void sign(char c, bool digit_follows) {
    const bool joins = c == '.' || c == ':' || c == '-' || c == '/' || c == ',';
    if (after_hole_ && joins && digit_follows && !joint_) {
      joint_ = true;  // a hole follows for certain
      return;
    }
    put({&c, 1});
    after_hole_ = false;
  }
  size_t size() const { return size_; }

 private:
  void put(string_view part) {
    if (out_ != nullptr) part.copy(out_ + size_, part.size());
    size_ += part.size();
  }
  char* out_;
  size_t size_ = 0;
  bool after_hole_ = false;
  bool joint_ = false;
};

// A run of word characters: hexadecimal numbers go whole, of others the digits.
void write_word(string_view word, TemplateWriter& out) {
  const bool digits = std::any_of(word.begin(), word.end(), is_digit);
  if (!digits) return out.text(word);
  const bool prefixed = word.size() > 2 && word[0] == '0' && to_lower(word[1]) == 'x';
  const string_view hex = prefixed ? word.substr(2) : word;
  if (std::all_of(hex.begin(), hex.end(), is_hex)) return out.hole();
  for (size_t i = 0; i < word.size();) {
    size_t end = i;
    while (end < word.size() && is_digit(word[end]) == is_digit(word[i])) ++end;
    if (is_digit(word[i])) {
      out.hole();
    } else {
      out.text(word.substr(i, end - i));
    }
    i = end;
  }
}

// Length of a quoted part with its quotes, 0 when none begins here. `closing` remembers per quote
// that there is none left, so that the whole stays linear.
size_t quoted_length(string_view text, size_t at, bool (&none)[2]) {
  const char quote = text[at];
  if (quote != '"' && quote != '\'') return 0;
  if (at > 0 && is_word_char(text[at - 1])) return 0;  // can't
  bool& nothing = none[quote == '"'];
  if (nothing) return 0;
  const size_t close = text.find(quote, at + 1);
  nothing = close == string_view::npos;
  return nothing ? 0 : close + 1 - at;
}

void write_template(string_view text, TemplateWriter& out) {
  bool none[2] = {};
  for (size_t i = 0; i < text.size();) {
    if (const size_t length = quoted_length(text, i, none); length != 0) {
      out.text({});
      out.hole();
      out.text({});
      i += length;
    } else if (!is_word_char(text[i])) {
      out.sign(text[i], i + 1 < text.size() && is_digit(text[i + 1]));
      ++i;
    } else if (starts_uuid(text.substr(i))) {
      out.hole();
      i += 36;
    } else {
      size_t end = i;
      while (end < text.size() && is_word_char(text[end])) ++end;
      write_word(text.substr(i, end - i), out);
      i = end;
    }
  }
}

}  // namespace

Value bucket_of(const Value& v, int64_t width_ns) noexcept {
  Value time = as_time(v);
  if (!time.is_null()) time.time_ns = floor_to(time.time_ns, width_ns);
  return time;
}

Value fn_timestamp(Args args, Scratch&) noexcept { return as_time(args[0]); }

Value fn_date_trunc(Args args, Scratch&) noexcept {
  const Value time = as_time(args[1]);
  if (time.is_null() || args[0].kind != ValueKind::text) return {};
  struct Unit {
    string_view name;
    int64_t ns;
  };
  constexpr Unit kUnits[] = {{"second", kNsPerSecond},
                             {"minute", 60 * kNsPerSecond},
                             {"hour", 3600 * kNsPerSecond},
                             {"day", kNsPerDay}};
  for (const Unit& unit : kUnits) {
    if (equals_ignoring_case(unit.name, args[0].text)) return bucket_of(time, unit.ns);
  }
  const Clock c = clock_of(time.time_ns);
  int64_t days = 0;
  if (equals_ignoring_case("week", args[0].text)) {
    days = c.days - weekday_of(c.days);
  } else if (equals_ignoring_case("month", args[0].text)) {
    days = days_from_civil(c.date.year, c.date.month, 1);
  } else if (equals_ignoring_case("year", args[0].text)) {
    days = days_from_civil(c.date.year, 1, 1);
  } else {
    return {};
  }
  return Value::of_time(days * kNsPerDay);
}

Value fn_second(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return c.seconds % 60; });
}
Value fn_minute(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return c.seconds / 60 % 60; });
}
Value fn_hour(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return c.seconds / 3600; });
}
Value fn_day(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return int64_t{c.date.day}; });
}
Value fn_month(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return int64_t{c.date.month}; });
}
Value fn_year(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return c.date.year; });
}
Value fn_weekday(Args args, Scratch&) noexcept {
  return part_of(args, [](const Clock& c) { return weekday_of(c.days) + 1; });
}

Value fn_template(Args args, Scratch& scratch) noexcept {
  const auto text = to_text(args[0], scratch);
  if (!text) return {};
  TemplateWriter counter(nullptr);
  write_template(*text, counter);
  char* const out = scratch.take(counter.size());
  if (out == nullptr) return {};
  TemplateWriter writer(out);
  write_template(*text, writer);
  return Value::of_text({out, counter.size()});
}

}  // namespace nines::expr
