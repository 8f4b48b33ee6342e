// NodeState: how the node itself is, as its vitals say: the newest value of each and its highest of
// the last half hour. Bounded: kMost vitals. Control thread; no clock.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::agent::incident {

class NodeState {
 public:
  static constexpr size_t kMost = 24;
  static constexpr int64_t kKeptNs = 1'800 * kNsPerSecond;

  // Names as NodeCapacity tells them: "cpu", "memory", "disk_root" (shares), "psi_io_some_avg60"
  // (per cent), "temperature_celsius", "undervoltage" (0 or 1)...
  void vital(std::string_view name, double value, WallTime at);
  // One line each: "memory 61 % used (most in half an hour: 88 %)".
  std::vector<std::string> lines(WallTime now) const;

 private:
  std::map<std::string, std::deque<std::pair<WallTime, double>>, std::less<>> vitals_;
};

}  // namespace nines::agent::incident
