// MetricEvidence: which metrics (scraped, gauges of logs, vitals of the node) left what is usual
// for them near an onset, since when, and whether they move with the share of bad events. Evidence
// beside an incident, never a reason to open one: metrics of a healthy system do so every day.
//
//   usual   median of up to two hours before the onset; at least 12 points
//   now     what lies farthest from it within two minutes before the onset and 130 s after it; a
//           finding from 6 robust standard deviations on (0.6745 (x - median) / MAD)
//   since   where CUSUM (Page 1954; slack 2, z cut at 4) left zero on its way there
//   lag     cross-correlation with the share of bad events, at most 60 s both ways, in slots of
//           10 s; at least 12 of them, and r >= 0.5
//
// Bounded: kMostSeries of kSlots slots of 10 s (2.9 KiB each, 360 KiB in all), of which at most
// kMostVitals are vitals of the node; the one that has been quiet for longest makes room, which is
// counted. However many other series there are, vitals stay. Not thread-safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::incident {

struct MetricFinding {
  std::string name, service;  // service empty: of the node
  double value = 0, usual = 0, robust_z = 0;
  int64_t known_s = 0;  // what is usual is known from
  WallTime since{};
  int64_t seconds_before = 0;  // the onset; below zero: after it
  struct Moves {
    double correlation = 0;
    int64_t lag_s = 0;  // above zero: the metric is first
  };
  std::optional<Moves> moves;  // with the share of bad events
  std::string text;            // one sentence with the numbers
};

class MetricEvidence {
 public:
  static constexpr size_t kMostSeries = 128, kMostVitals = 24, kSlots = 720, kFewest = 12;
  static constexpr int64_t kSlotS = 10, kLeadS = 120, kFollowS = 130, kMostLagS = 60;
  static constexpr double kFar = 6, kMoves = 0.5;

  // Not a number, infinite, or older than two hours before the newest: left out. Of one slot the
  // last one counts.
  void add(std::string_view name, std::string_view service, WallTime at, double value) {
    add({std::string(name), std::string(service)}, at, value, false);
  }
  void add_vital(std::string_view name, WallTime at, double value) {
    add({std::string(name), {}}, at, value, true);
  }

  // Strongest first. `bad`: shares of bad events in slots of 10 s, the last of which ends at
  // `bad_end`; NaN where nothing was counted; may be empty.
  std::vector<MetricFinding> find(WallTime onset, WallTime now, std::span<const double> bad,
                                  WallTime bad_end, size_t limit) const;

  // How the node is: of each vital the newest value, the slot of 10 s that it is of, and the
  // highest of the last `for_s` seconds (the newest, where nothing was told since). By name.
  struct Recent {
    std::string name;
    double value = 0, most = 0;
    WallTime at{};
  };
  std::vector<Recent> vitals(WallTime now, int64_t for_s) const;

  size_t size() const noexcept { return series_.size(); }
  uint64_t let_go() const noexcept { return let_go_; }

 private:
  struct Series {
    std::array<float, kSlots> values;  // NaN: none
    int64_t newest = 0;                // number of its slot since 1970
    bool vital = false;
    Series() { values.fill(kNone); }
    float at(int64_t slot) const noexcept;
  };
  static constexpr float kNone = __builtin_nanf("");
  using Key = std::pair<std::string, std::string>;
  void add(const Key& key, WallTime at, double value, bool vital);
  void make_room(bool for_vital);
  static std::optional<MetricFinding> look(const Key& key, const Series& series, WallTime onset,
                                           WallTime now);
  static std::optional<MetricFinding::Moves> moves(const Series& series,
                                                   std::span<const double> bad, int64_t bad_end);

  std::map<Key, std::unique_ptr<Series>> series_;
  uint64_t let_go_ = 0;
};

}  // namespace nines::incident
