// Small things that the incident's files share: hashes that are the same everywhere, numbers and
// times as text.
#pragma once

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/slo/changes.hpp"

namespace nines::incident {

// FNV-1a with the finish of MurmurHash3: short texts differ in all bits. Stored in ids: never
// alter.
inline uint64_t hash_of(std::string_view text, uint64_t h = 0xcbf29ce484222325U) noexcept {
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdU;
  h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53U;
  return h ^ (h >> 33);
}

inline const std::string* find_detail(const slo::Details& details, std::string_view name) noexcept {
  for (const auto& [key, value] : details) {
    if (key == name) return &value;
  }
  return nullptr;
}

// nullopt: none, no number, or outside of [least, most].
inline std::optional<int64_t> number_of(const std::string* text, int64_t least, int64_t most) {
  if (text == nullptr) return std::nullopt;
  int64_t value = 0;
  const char* end = text->data() + text->size();
  const auto [at, error] = std::from_chars(text->data(), end, value);
  if (error != std::errc{} || at != end || value < least || value > most) return std::nullopt;
  return value;
}

inline std::string priority_text(int priority) { return "P" + std::to_string(priority); }

// "14:03:27 UTC" and "2026-03-01".
std::string clock_text(WallTime t);
std::string date_text(WallTime t);
// "2026-03-01 14:03:27 UTC".
std::string moment_text(WallTime t);
// For people: "45 s", "12 min", "2 h 05 min", "3 d 4 h"; rounded down.
std::string span_text(int64_t seconds);
inline int64_t seconds_between(WallTime from, WallTime to) noexcept {
  return (to.ns - from.ns) / kNsPerSecond;
}

}  // namespace nines::incident
