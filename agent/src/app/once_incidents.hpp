// OnceIncidents: the incidents of a run of `agent --once`: the Desk, and around it what the logs
// tell beside the lines of services: the kernel (syslog, the journal, /dev/kmsg), restarts of
// containers, numbers that sources look for. With a state all of it is kept for later lives.
//
// How the node is and what the Kubernetes API says is of now. A run that judges by the clock is,
// too, and is given both (facts(), once_cluster.hpp). A replay (`--clock log`) asks for then,
// perhaps on another machine, and there is nothing to have: vitals keep no past, the API keeps
// Events for an hour and of a pod only how it is.
//
// One thread; no clock. Outlived by whatever it is created of.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/ingest.hpp"
#include "config/config.hpp"
#include "incident/context_teller.hpp"
#include "incident/desk.hpp"
#include "incident/node_facts.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

class OnceIncidents {
 public:
  // Null where nothing is watched. `store` may be null: nothing is known of before.
  static Result<std::unique_ptr<OnceIncidents>> create(const NodeConfig& config, Ingest& ingest,
                                                       const slo::SloEngine& engine,
                                                       store::StateStore* store, WallTime now);

  void observed(incident::Observed&& observed, WallTime until);
  void judged(const std::vector<slo::AlertEvent>& transitions, WallTime at);
  std::vector<store::Document> take_documents();

  incident::Desk& desk() noexcept { return desk_; }
  incident::NodeFacts& facts() noexcept { return facts_; }

 private:
  OnceIncidents(const NodeConfig& config, incident::Watcher& watcher, const slo::SloEngine& engine,
                uint64_t boot, std::vector<slo::Change> changes);

  incident::Watcher& watcher_;
  incident::NodeFacts facts_;
  incident::Desk desk_;
  incident::ContextTeller context_;
};

}  // namespace nines::agent
