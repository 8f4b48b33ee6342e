// JsonWriter: streaming JSON (RFC 8259) appended to a caller's string; no tree, no allocation but
// the string's own. The same value gives the same bytes on every platform: doubles are the
// shortest decimal that reads back equal (std::to_chars), NaN and infinities become null (law 5:
// an undefined ratio is null, never NaN), invalid UTF-8 becomes U+FFFD, so that a hostile log line
// cannot break the document.
//
// Misuse (a value without its key, end without begin, deeper than kMaxDepth) stops the program.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"

namespace nines {

// Appends `text` with quotes and escapes.
void append_json_string(std::string& out, std::string_view text);
// Shortest text that reads back to the same double; "null" for NaN and infinities.
void append_json_double(std::string& out, double value);

class JsonWriter {
 public:
  static constexpr int kMaxDepth = 32;

  // `out` must outlive the writer. indent 0: one line without blanks; else spaces a level.
  explicit JsonWriter(std::string& out, int indent = 0) : out_(out), indent_(indent) {}

  JsonWriter& begin_object() { return open('{', true); }
  JsonWriter& end_object() { return close('}', true); }
  JsonWriter& begin_array() { return open('[', false); }
  JsonWriter& end_array() { return close(']', false); }
  JsonWriter& key(std::string_view name);

  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(double number);
  JsonWriter& value(const std::optional<double>& number);
  JsonWriter& value(WallTime t);     // RFC 3339; null for "never" (0)
  JsonWriter& value(Decimal exact);  // plain notation
  JsonWriter& value(std::same_as<bool> auto flag) { return raw(flag ? "true" : "false"); }
  template <std::integral T>
  requires(!std::same_as<T, bool>) JsonWriter& value(T number) {
    return raw(std::to_string(number));
  }
  JsonWriter& null() { return raw("null"); }
  // `json` must be one complete JSON value.
  JsonWriter& raw(std::string_view json);

  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

 private:
  struct Level {
    bool object = false, has_items = false;
  };

  JsonWriter& open(char bracket, bool object);
  JsonWriter& close(char bracket, bool object);
  void before_value();
  void new_line();

  std::string& out_;
  int indent_;
  int depth_ = 0;
  bool after_key_ = false;
  Level levels_[kMaxDepth];
};

}  // namespace nines
