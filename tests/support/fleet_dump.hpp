// Everything that a FleetState holds, as text: two states are the same when this is.
#pragma once

#include <string>

#include "nines/fleet/fleet_state.hpp"

namespace nines::fleet::test {

inline std::vector<uint64_t> set_series(FleetState& state, const std::vector<SeriesMeta>& metas,
                                        WallTime now = {}) {
  auto ids = state.set_series(metas, now);
  return ids.ok() ? *ids : std::vector<uint64_t>();
}

inline std::string dump(const FleetState& state) {
  std::string out;
  const auto number = [](auto n) { return std::to_string(n) + ' '; };
  for (const auto& origin : state.origins()) {
    const auto info = state.info(origin);
    out += origin + ' ' + number(info->version.boot) + number(info->version.counter) +
           number(info->isolated_since.ns) + '\n';
    for (const auto& [id, meta] : state.series(origin)) {
      out += "  " + meta.slo + ' ' + meta.service + ' ' + number(meta.version.counter) + '\n';
      for (const Tier tier : {Tier::minute, Tier::hour}) {
        state.each_cell(origin, id, tier, INT64_MIN / 4, INT64_MAX / 4,
                        [&](int64_t slot, const Counts& c) {
                          out += "    " + number(slot) + number(c.good) + number(c.bad) +
                                 number(c.covered_s) + '\n';
                        });
      }
    }
    for (const auto& event : state.events(origin)) {
      out += "  " + number(event.boot) + number(static_cast<int>(event.stream)) +
             number(event.sequence) + event.summary + event.body + '\n';
    }
  }
  return out;
}

}  // namespace nines::fleet::test
