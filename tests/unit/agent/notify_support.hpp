// Events and clocks for the tests of notifiers.
#pragma once

#include <vector>

#include "notify/chain.hpp"

namespace nines::agent::test {

inline Instant ms(int64_t n) { return {n * kNsPerMs}; }

inline slo::AlertEvent alert_event(uint64_t sequence, bool fired, const std::string& slo = "web",
                                   const std::string& severity = "page") {
  slo::AlertEvent e;
  e.kind = fired ? slo::AlertEvent::Kind::fired : slo::AlertEvent::Kind::resolved;
  e.slo = slo;
  e.service = "shop";
  e.rule = "fast";
  e.severity = severity;
  e.priority = 1;
  e.since = WallTime::from_s(1772402400);
  e.at = WallTime::from_s(1772402400 + static_cast<int64_t>(sequence));
  e.summary = "60 of 2000 events bad";
  e.sequence = sequence;
  e.boot = 3;
  return e;
}

inline notify::Identity identity() { return {"node-1", "0.1.0", 3}; }

inline notify::Message told(uint64_t sequence, bool fired = true, const std::string& slo = "web",
                            const std::string& severity = "page") {
  return notify::event_message(identity(), alert_event(sequence, fired, slo, severity));
}

inline std::vector<notify::Message> messages(uint64_t first, uint64_t last) {
  std::vector<notify::Message> out;
  for (uint64_t i = first; i <= last; ++i) out.push_back(told(i, i % 2 == 1));
  return out;
}

inline notify::Verdict verdict(notify::Outcome outcome) {
  notify::Verdict out;
  out.outcome = outcome;
  return out;
}

}  // namespace nines::agent::test
