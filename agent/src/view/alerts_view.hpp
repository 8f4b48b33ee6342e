// Alerts as the API lists them: each transition, with the incident that it belongs to.
#pragma once

#include <string>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::view {

struct AlertLine {
  slo::AlertEvent event;
  bool firing = false;
  std::string id;  // of the alert: its start and its end share it
  std::string incident;
  WallTime acknowledged{};
  std::string acknowledged_by;
  // Names one transition.
  std::string key() const;
};

// 16 hexadecimal digits of SLO, rule and since when: the same after a restart.
std::string alert_id(const slo::AlertEvent& event);

// The newest first: what happened in this life, and what an earlier one left firing.
std::vector<AlertLine> alerts_of(const Snapshot& snapshot);
void write_alert_line(JsonWriter& json, const AlertLine& alert);

}  // namespace nines::agent::view
