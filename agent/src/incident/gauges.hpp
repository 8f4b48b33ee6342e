// Gauges: the newest value of each number that records tell (scraped metrics, gauges of logs), on
// its way from the thread that reads to who keeps them as evidence: a batch, never a line each.
//
// Of a scraped metric the series that one scrape shows are added up (a depth over all queues);
// counters, which only ever grow, are left out. Bounded: kMost names between two looks, more are
// counted. Ingest thread; no clock.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/observer.hpp"

namespace nines::agent::incident {

struct GaugePoint {
  std::string name, service;
  WallTime at{};
  double value = 0;
};

class Gauges {
 public:
  static constexpr size_t kMost = 128;

  // The source is a scraped target: of each of its records `of` is the metric.
  void scraped(uint32_t source, std::string service) { scraped_[source] = std::move(service); }
  // True: it is a sample of a scraped target, and nothing else.
  bool take(const collector::ObservedGauge& gauge);
  std::vector<GaugePoint> take_points();
  uint64_t refused() const noexcept { return refused_; }

 private:
  void put(std::pair<std::string, std::string> key, WallTime at, double value, bool adds);

  std::map<uint32_t, std::string> scraped_;
  std::map<std::pair<std::string, std::string>, std::pair<WallTime, double>> newest_;
  uint64_t refused_ = 0;
};

}  // namespace nines::agent::incident
