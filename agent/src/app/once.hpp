// `agent --once`: reads every source to its present end, evaluates, and stops. With log time the
// files are read in the order of their time stamps and the SLOs are evaluated every 10 s of that
// time, so that alerts come out as they would have happened.
#pragma once

#include <functional>
#include <string>

#include "app/ingest.hpp"
#include "app/judge.hpp"
#include "app/once_incidents.hpp"
#include "app/snapshot.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

struct OnceOptions {
  bool log_clock = false;
  std::function<void(const slo::AlertEvent&)> on_alert;
  std::function<void(WallTime at, const std::string& news)> on_incident;
  std::function<bool()> stop;  // asked now and then; empty: never
};

// `store` may be null: nothing is kept. The SLOs are already registered with both halves. Stopped
// early it gives `unavailable`; what was committed till then is kept and read no more. `incidents`
// may be null: none are made.
Status run_once(Ingest& ingest, Judge& judge, OnceIncidents* incidents, store::StateStore* store,
                const Clock& clock, const OnceOptions& options);

}  // namespace nines::agent
