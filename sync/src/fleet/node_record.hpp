// All that is known of one origin, and the bytes of its info.
#pragma once

#include <map>
#include <string>

#include "fleet/event_log.hpp"
#include "fleet/series.hpp"
#include "nines/fleet/fleet_state.hpp"

namespace nines::fleet {

std::string encode_info(const NodeInfo& info);
std::optional<NodeInfo> decode_info(std::string_view body, const FleetLimits& limits);

struct NodeRecord {
  NodeInfo info;
  uint64_t info_hash = 0;
  std::map<uint64_t, Series> series;  // those that info names; without any part yet: absent
  EventLog events;

  bool names(uint64_t id) const;
  // Drops the series that info names no more.
  void set_info(const NodeInfo& told);
  uint64_t hash() const;
  size_t bytes() const;
};

}  // namespace nines::fleet
