// What Detector holds between two looks.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>

#include "incident/condition_states.hpp"
#include "nines/incident/detector.hpp"

namespace nines::incident {

struct Detector::Impl {
  explicit Impl(DetectorSettings given)
      : settings(std::move(given)), states(settings.max_watched * 2) {}

  void look_at_storms(const TemplateWatch& watch, WallTime now);
  void judge_storm(const ErrorCourse& course, WallTime now);
  void look_at_silence(const TemplateWatch& watch, WallTime now);
  void judge_silence(const Hearing& heard, WallTime now);
  void look_at_queues(WallTime now);
  void look_at_kills(WallTime now);
  void look_at_containers(WallTime now);
  struct Container;
  void judge_start(const std::string& key, const Container& seen, bool gone, WallTime now);
  void look_at_disks(WallTime now);
  void look_at_power(WallTime now);
  void judge(Verdict verdict, WallTime now);
  double queue_limit(const std::string& service, const std::string& name) const;
  // The entry of `key`, or none when there are too many.
  template <class Map>
  typename Map::mapped_type* entry(Map& map, const typename Map::key_type& key) {
    const auto it = map.find(key);
    if (it != map.end()) return &it->second;
    if (map.size() >= settings.max_watched) {
      ++refused;
      return nullptr;
    }
    return &map[key];
  }

  struct Queue {
    double depth = 0;
    WallTime at{}, above_since{};
    bool above = false;
  };
  struct Kills {
    std::string victim, service, pod;
    WallTime first{}, last{};
    uint64_t count = 0;
  };
  struct Container {
    std::string service, pod, container, waiting;
    uint64_t restarts = 0;
    bool known = false;
    std::deque<WallTime> times;  // of restarts, at most 16
    WallTime waiting_since{}, at{};  // since: in the present reason
  };
  struct Disk {
    static constexpr size_t kMost = 24;  // samples, five minutes apart
    std::deque<std::pair<WallTime, double>> samples;
    double used = 0;
    WallTime at{}, above_since{};
    int level = 0;
  };
  struct Power {
    bool low = false, by_flag = false;
    WallTime since{}, last{};
    std::deque<WallTime> times;  // it began, at most 16
  };

  DetectorSettings settings;
  ConditionStates states;
  std::string node;
  std::map<std::pair<std::string, std::string>, Queue> queues;
  std::map<std::string, Kills> kills;
  std::map<std::string, Container> containers;
  std::map<std::string, Disk> disks;
  Power supply;
  uint64_t refused = 0;
};

// Of a disk that fills: when it is full at the slower of its paces of the last half hour and of the
// last two hours. Infinite: it does not fill, or that is not known.
double seconds_to_full(const std::deque<std::pair<WallTime, double>>& samples);

}  // namespace nines::incident
