#include "incident/node_state.hpp"

#include <algorithm>
#include <cstdio>

namespace nines::agent::incident {
namespace {

constexpr size_t kMostSamples = 40;  // of half an hour, once a minute
constexpr int64_t kStaleNs = 300 * kNsPerSecond;

std::string text_of(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

// What a vital is called and how its value is told.
std::string value_of(std::string_view name, double value) {
  if (name == "undervoltage") return value != 0 ? "yes" : "no";
  if (name == "temperature_celsius") return text_of("%.1f C", value);
  if (name.starts_with("psi_")) return text_of("%.1f %% of the time", value);
  return text_of("%.1f %%", 100 * value);
}

std::string title_of(std::string_view name) {
  if (name == "cpu") return "CPU busy";
  if (name == "memory") return "memory used";
  if (name == "swap") return "swap used";
  if (name == "temperature_celsius") return "temperature";
  if (name == "undervoltage") return "under-voltage";
  if (name.starts_with("disk_")) return "disk " + std::string(name.substr(5)) + " used";
  if (name.starts_with("psi_")) {
    return "waited for " + std::string(name.substr(4, name.find('_', 4) - 4)) + " (PSI)";
  }
  return std::string(name);
}

}  // namespace

void NodeState::vital(std::string_view name, double value, WallTime at) {
  auto found = vitals_.find(name);
  if (found == vitals_.end()) {
    if (vitals_.size() >= kMost) return;
    found = vitals_.try_emplace(std::string(name)).first;
  }
  auto& samples = found->second;
  samples.emplace_back(at, value);
  while (samples.size() > kMostSamples || samples.front().first.ns < at.ns - kKeptNs) {
    samples.pop_front();
  }
}

std::vector<std::string> NodeState::lines(WallTime now) const {
  std::vector<std::string> out;
  for (const auto& [name, samples] : vitals_) {
    const auto& [at, value] = samples.back();
    double most = value;
    for (const auto& sample : samples) {
      if (sample.first.ns >= now.ns - kKeptNs) most = std::max(most, sample.second);
    }
    std::string line = title_of(name) + ": " + value_of(name, value);
    if (most > value) line += " (most in half an hour: " + value_of(name, most) + ")";
    if (now.ns - at.ns > kStaleNs) {
      line += " (as of " + format_rfc3339(WallTime::from_s(at.seconds())) + ")";
    }
    out.push_back(std::move(line));
  }
  return out;
}

}  // namespace nines::agent::incident
