#include "incident/node_time.hpp"

#include <algorithm>
#include <cstdio>

namespace nines::agent::incident {
namespace {

constexpr int64_t kWorthTellingNs = 100 * kNsPerMs;

std::string seconds(int64_t ns) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f s", static_cast<double>(ns) / 1e9);
  return text;
}

int64_t size_of(int64_t ns) noexcept { return ns < 0 ? -std::max(ns, -INT64_MAX) : ns; }

std::string told(const NodeTime& time) {
  if (!time.unsure_ns) return time.node + " is not known";
  const int64_t off = size_of(time.ahead_ns);
  std::string text = time.node;
  if (off >= kWorthTellingNs) {
    text += " is " + seconds(off) + (time.ahead_ns > 0 ? " ahead" : " behind");
    if (is_unsure(time)) text += ", within " + seconds(*time.unsure_ns);
  } else if (is_unsure(time)) {
    text += " may be off by " + seconds(*time.unsure_ns);
  } else {
    return {};
  }
  return text;
}

}  // namespace

int64_t widest_ahead(const std::vector<NodeTime>& times) {
  int64_t most = 0;
  for (const NodeTime& time : times) {
    const int64_t off = size_of(time.ahead_ns);
    const int64_t unsure = std::clamp<int64_t>(time.unsure_ns.value_or(0), 0, kMostAheadNs);
    if (off <= kMostAheadNs) most = std::max(most, std::min(off + unsure, kMostAheadNs));
  }
  return most;
}

std::string tell_clocks(const std::vector<NodeTime>& times) {
  std::string out;
  for (const NodeTime& time : times) {
    const std::string one = told(time);
    if (!one.empty()) out += (out.empty() ? "" : ", ") + one;
  }
  return out;
}

}  // namespace nines::agent::incident
