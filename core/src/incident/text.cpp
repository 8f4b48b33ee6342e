#include "incident/text.hpp"

#include <algorithm>

namespace nines::incident {
namespace {

std::string two(int64_t value) { return (value < 10 ? "0" : "") + std::to_string(value); }

}  // namespace

std::string clock_text(WallTime t) {
  const int64_t s = ((t.seconds() % 86400) + 86400) % 86400;
  return two(s / 3600) + ":" + two(s / 60 % 60) + ":" + two(s % 60) + " UTC";
}

std::string date_text(WallTime t) { return format_rfc3339(t).substr(0, 10); }

std::string moment_text(WallTime t) { return date_text(t) + " " + clock_text(t); }

std::string span_text(int64_t seconds) {
  const int64_t s = std::max<int64_t>(seconds, 0);
  if (s < 120) return std::to_string(s) + " s";
  if (s < 2 * 3600) return std::to_string(s / 60) + " min";
  if (s < 48 * 3600) return std::to_string(s / 3600) + " h " + two(s / 60 % 60) + " min";
  return std::to_string(s / 86400) + " d " + std::to_string(s / 3600 % 24) + " h";
}

}  // namespace nines::incident
