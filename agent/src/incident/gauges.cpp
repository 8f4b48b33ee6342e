#include "incident/gauges.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>

namespace nines::agent::incident {
namespace {

// By the names that Prometheus gives them; ScrapeInput's own beside them.
bool grows_or_is_ours(std::string_view metric) {
  constexpr std::string_view kEndings[] = {"_total",  "_count", "_sum",
                                           "_bucket", "_info",  "_created"};
  constexpr std::string_view kOurs[] = {"scrape_duration_ms"};
  return std::any_of(std::begin(kEndings), std::end(kEndings),
                     [&](std::string_view ending) { return metric.ends_with(ending); }) ||
         std::find(std::begin(kOurs), std::end(kOurs), metric) != std::end(kOurs);
}

}  // namespace

bool Gauges::take(const collector::ObservedGauge& gauge) {
  const auto source = scraped_.find(gauge.source);
  if (source == scraped_.end()) {
    put({std::string(gauge.name), std::string(gauge.of)}, gauge.at, gauge.value, false);
    return false;
  }
  if (!grows_or_is_ours(gauge.of)) {
    put({std::string(gauge.of), source->second}, gauge.at, gauge.value, true);
  }
  return true;
}

void Gauges::put(std::pair<std::string, std::string> key, WallTime at, double value, bool adds) {
  const auto found = newest_.find(key);
  if (found == newest_.end()) {
    if (newest_.size() >= kMost) {
      ++refused_;
    } else {
      newest_.emplace(std::move(key), std::pair(at, value));
    }
    return;
  }
  auto& [newest, sum] = found->second;
  if (at < newest) return;
  sum = adds && at == newest ? sum + value : value;
  newest = at;
}

std::vector<GaugePoint> Gauges::take_points() {
  std::vector<GaugePoint> out;
  for (const auto& [key, point] : newest_) {
    out.push_back({key.first, key.second, point.first, point.second});
  }
  newest_.clear();
  return out;
}

}  // namespace nines::agent::incident
