// Zones of time stamps: offsets and the abbreviations that mean one thing.
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

// "+03" between blanks, or before the bracket around the time, as PostgreSQL names zones that have no
// letters.
bool scan_bare_hour(std::string_view text, size_t& pos, int32_t& offset_s) noexcept {
  size_t next = pos;
  if (next + 3 < text.size() && text[next + 3] != ' ' && text[next + 3] != ']') return false;
  if (!scan_offset(text.substr(0, next + 3), next, true, offset_s)) return false;
  pos = next;
  return true;
}

// " CET" at `pos`.
bool scan_abbreviation(std::string_view text, size_t& pos, int32_t& offset_s) noexcept {
  size_t next = pos + 1;
  while (next < text.size() && next < pos + 6 && is_alnum(text[next])) ++next;
  const int32_t offset = zone_offset(text.substr(pos + 1, next - pos - 1));
  if (offset == kNoZone) return false;
  if (offset != kAmbiguousZone) offset_s = offset;
  pos = next;
  return true;
}

}  // namespace

bool scan_offset(std::string_view text, size_t& pos, bool bare_hour, int32_t& offset_s) noexcept {
  if (text.size() < pos + 3 || (text[pos] != '+' && text[pos] != '-')) return false;
  const unsigned hour = two_digits(text.data() + pos + 1);
  if (hour > 23) return false;
  size_t next = pos + 3;
  unsigned minute = 0;
  const size_t colon = next < text.size() && text[next] == ':' ? 1 : 0;
  if (text.size() >= next + colon + 2 && two_digits(text.data() + next + colon) < 60) {
    minute = two_digits(text.data() + next + colon);
    next += colon + 2;
  } else if (!bare_hour) {
    return false;
  }
  if (next < text.size() && is_digit(text[next])) return false;
  const auto seconds = static_cast<int32_t>(hour * 3600 + minute * 60);
  offset_s = text[pos] == '-' ? -seconds : seconds;
  pos = next;
  return true;
}

int32_t zone_offset(std::string_view abbreviation) noexcept {
  constexpr int32_t kHour = 3600;
  if (abbreviation.size() == 4) {
    static constexpr struct {
      std::string_view name;
      int32_t hours;
    } kFour[] = {{"CEST", 2},  {"EEST", 3},  {"WEST", 1},  {"AKST", -9}, {"AKDT", -8},
                 {"AEST", 10}, {"AEDT", 11}, {"NZST", 12}, {"NZDT", 13}, {"SAST", 2}};
    for (const auto& zone : kFour) {
      if (zone.name == abbreviation) return zone.hours * kHour;
    }
    return kNoZone;
  }
  if (abbreviation.size() != 3) return kNoZone;
  switch (pack3(abbreviation.data())) {
    case pack3("UTC"):
    case pack3("GMT"):
    case pack3("WET"): return 0;
    case pack3("CET"): return kHour;
    case pack3("EET"): return 2 * kHour;
    case pack3("MSK"): return 3 * kHour;
    case pack3("SGT"):
    case pack3("HKT"): return 8 * kHour;
    case pack3("JST"):
    case pack3("KST"): return 9 * kHour;
    case pack3("EDT"): return -4 * kHour;
    case pack3("EST"):
    case pack3("CDT"): return -5 * kHour;
    case pack3("CST"):
    case pack3("MDT"): return -6 * kHour;
    case pack3("MST"):
    case pack3("PDT"): return -7 * kHour;
    case pack3("PST"): return -8 * kHour;
    case pack3("HST"): return -10 * kHour;
    case pack3("IST"):
    case pack3("BST"): return kAmbiguousZone;
    default: return kNoZone;
  }
}

bool scan_zone(std::string_view text, size_t& pos, int32_t& offset_s) noexcept {
  if (pos >= text.size()) return false;
  const char c = text[pos];
  if (c == 'Z' || c == 'z') {
    if (pos + 1 < text.size() && is_alnum(text[pos + 1])) return false;
    ++pos;
    offset_s = 0;
    return true;
  }
  if (c == '+' || c == '-') return scan_offset(text, pos, true, offset_s);
  if (c != ' ' || pos + 3 >= text.size()) return false;
  size_t next = pos + 1;
  if (text[next] >= 'A' && text[next] <= 'Z') return scan_abbreviation(text, pos, offset_s);
  if (!scan_offset(text, next, false, offset_s) && !scan_bare_hour(text, next, offset_s)) {
    return false;
  }
  pos = next;
  return true;
}

}  // namespace nines::log
