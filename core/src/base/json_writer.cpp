#include "nines/base/json_writer.hpp"

#include <charconv>
#include <cmath>

#include "nines/base/contract.hpp"

namespace nines {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

uint8_t byte_at(std::string_view s, size_t i) { return static_cast<uint8_t>(s[i]); }

// Smallest second byte that is neither overlong nor, with the largest, a surrogate or beyond
// U+10FFFF (Unicode 15 table 3-7).
struct SecondByte {
  uint8_t low = 0x80, high = 0xBF;
};
SecondByte second_byte_range(uint8_t lead) {
  switch (lead) {
    case 0xE0: return {0xA0, 0xBF};
    case 0xED: return {0x80, 0x9F};
    case 0xF0: return {0x90, 0xBF};
    case 0xF4: return {0x80, 0x8F};
    default: return {};
  }
}

// Length of the valid UTF-8 sequence at `i`, or 0.
size_t utf8_length(std::string_view s, size_t i) {
  const uint8_t lead = byte_at(s, i);
  size_t n = 0;
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead <= 0xDF)
    n = 2;
  else if (lead >= 0xE0 && lead <= 0xEF)
    n = 3;
  else if (lead >= 0xF0 && lead <= 0xF4)
    n = 4;
  if (n == 0 || s.size() - i < n) return 0;
  const SecondByte range = second_byte_range(lead);
  if (byte_at(s, i + 1) < range.low || byte_at(s, i + 1) > range.high) return 0;
  for (size_t k = 2; k < n; ++k)
    if ((byte_at(s, i + k) & 0xC0) != 0x80) return 0;
  return n;
}

void append_code(std::string& out, uint8_t code) {
  static constexpr char kHex[] = "0123456789abcdef";
  out += "\\u00";
  out += kHex[code >> 4];
  out += kHex[code & 15];
}

// U+0080 to U+009F: some terminals obey them as they do ESC.
bool is_c1(std::string_view s, size_t i) {
  return byte_at(s, i) == 0xC2 && byte_at(s, i + 1) < 0xA0;
}

void append_escaped_ascii(std::string& out, char c) {
  switch (c) {
    case '"': out += "\\\""; return;
    case '\\': out += "\\\\"; return;
    case '\n': out += "\\n"; return;
    case '\r': out += "\\r"; return;
    case '\t': out += "\\t"; return;
    default: break;
  }
  const auto u = static_cast<uint8_t>(c);
  if (u >= 0x20 && u != 0x7F) {
    out += c;
    return;
  }
  append_code(out, u);
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (size_t i = 0; i < text.size();) {
    const size_t n = utf8_length(text, i);
    if (n == 0) {
      out += kReplacement;
      ++i;
      continue;
    }
    if (n == 1)
      append_escaped_ascii(out, text[i]);
    else if (is_c1(text, i))
      append_code(out, byte_at(text, i + 1));
    else
      out.append(text, i, n);
    i += n;
  }
  out += '"';
}

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  if (value == 0) value = 0;  // -0 reads as a defect to people
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end.ptr);
}

JsonWriter& JsonWriter::key(std::string_view name) {
  NINES_ASSERT(depth_ > 0 && levels_[depth_ - 1].object && !after_key_);
  Level& level = levels_[depth_ - 1];
  if (level.has_items) out_ += ',';
  level.has_items = true;
  new_line();
  append_json_string(out_, name);
  out_ += indent_ > 0 ? ": " : ":";
  after_key_ = true;
  return *this;
}

JsonWriter& JsonWriter::value(std::string_view text) {
  before_value();
  append_json_string(out_, text);
  return *this;
}

JsonWriter& JsonWriter::value(double number) {
  before_value();
  append_json_double(out_, number);
  return *this;
}

JsonWriter& JsonWriter::value(const std::optional<double>& number) {
  return number ? value(*number) : null();
}

JsonWriter& JsonWriter::value(WallTime t) {
  return t.ns == 0 ? null() : value(std::string_view(format_rfc3339(t)));
}

JsonWriter& JsonWriter::value(Decimal exact) { return raw(exact.to_string()); }

JsonWriter& JsonWriter::raw(std::string_view json) {
  before_value();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::open(char bracket, bool object) {
  before_value();
  NINES_ASSERT(depth_ < kMaxDepth);
  levels_[depth_++] = {object, false};
  out_ += bracket;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket, bool object) {
  NINES_ASSERT(depth_ > 0 && levels_[depth_ - 1].object == object && !after_key_);
  const bool had_items = levels_[--depth_].has_items;
  if (had_items) new_line();
  out_ += bracket;
  return *this;
}

void JsonWriter::before_value() {
  if (depth_ == 0) return;
  Level& level = levels_[depth_ - 1];
  if (level.object) {
    NINES_ASSERT(after_key_);
    after_key_ = false;
    return;
  }
  if (level.has_items) out_ += ',';
  level.has_items = true;
  new_line();
}

void JsonWriter::new_line() {
  if (indent_ == 0) return;
  out_ += '\n';
  out_.append(static_cast<size_t>(indent_) * static_cast<size_t>(depth_), ' ');
}

}  // namespace nines
