// Reading the tables of /proc, and writing fields of the vitals line.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/json_writer.hpp"

namespace nines::collector {

// The next line of `text`, without its end; false when there is none.
inline bool take_line(std::string_view& text, std::string_view& line) noexcept {
  if (text.empty()) return false;
  const size_t stop = text.find('\n');
  line = text.substr(0, stop);
  text = stop == std::string_view::npos ? std::string_view() : text.substr(stop + 1);
  return true;
}

inline std::string_view take_word(std::string_view& line) noexcept {
  const size_t from = line.find_first_not_of(" \t");
  if (from == std::string_view::npos) return line = {};
  line.remove_prefix(from);
  const size_t stop = std::min(line.find_first_of(" \t\n"), line.size());
  const std::string_view word = line.substr(0, stop);
  line.remove_prefix(stop);
  return word;
}

inline std::optional<uint64_t> number_of(std::string_view text) noexcept {
  uint64_t value = 0;
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || rest == text.data()) return std::nullopt;
  return value;
}
inline std::optional<uint64_t> take_number(std::string_view& line) noexcept {
  return number_of(take_word(line));
}

// The number behind `key` at the beginning of a line ("MemTotal:", "oom_kill").
inline std::optional<uint64_t> number_after(std::string_view text, std::string_view key) noexcept {
  std::string_view line;
  while (take_line(text, line)) {
    if (take_word(line) == key) return take_number(line);
  }
  return std::nullopt;
}

inline void field(std::string& out, std::string_view name) { ((out += ",\"") += name) += "\":"; }
inline void field(std::string& out, std::string_view name, uint64_t value) {
  field(out, name);
  char digits[24];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}
// Four decimals are more than any of these measurements has.
inline void field_real(std::string& out, std::string_view name, double value) {
  field(out, name);
  append_json_double(out, std::round(value * 1e4) / 1e4);
}
inline void field_fraction(std::string& out, std::string_view name, uint64_t part, uint64_t whole) {
  if (whole == 0) return;
  field_real(out, name, static_cast<double>(part) / static_cast<double>(whole));
}
inline void field_flag(std::string& out, std::string_view name, bool value) {
  field(out, name);
  out += value ? "true" : "false";
}

}  // namespace nines::collector
