#include "app/once_incidents.hpp"

#include <utility>

namespace nines::agent {

// What is asked is answered at once.
OnceIncidents::OnceIncidents(const NodeConfig& config, incident::Watcher& watcher,
                             const slo::SloEngine& engine, uint64_t boot,
                             std::vector<slo::Change> changes)
    : watcher_(watcher),
      desk_({config.peers.cluster, config.node, boot},
            {engine,
             [&watcher](const incident::core::TrailQuestion& question, auto done) {
               done(watcher.ask(question));
             },
             {},
             {},
             {[&watcher](const incident::FactsQuestion& question, auto done) {
                done(watcher.facts(question));
              },
              [changes = std::move(changes)] { return changes; }, &facts_}}),
      context_(facts_, engine, config.node) {}

Result<std::unique_ptr<OnceIncidents>> OnceIncidents::create(const NodeConfig& config,
                                                             Ingest& ingest,
                                                             const slo::SloEngine& engine,
                                                             store::StateStore* store,
                                                             WallTime now) {
  incident::Watcher* const watcher = ingest.watcher();
  if (watcher == nullptr) return std::unique_ptr<OnceIncidents>();
  std::vector<slo::Change> changes;
  if (store != nullptr) {
    NINES_TRY(changes, store->changes());
  }
  const uint64_t boot = store != nullptr ? store->restored().boot : 1;
  auto out = std::unique_ptr<OnceIncidents>(
      new OnceIncidents(config, *watcher, engine, boot, std::move(changes)));
  if (store == nullptr) return out;
  NINES_TRY(const auto happened, store->documents(incident::NodeFacts::kDocuments));
  out->facts_.restore(happened);
  NINES_TRY(const auto kept, store->documents(incident::Desk::kDocuments));
  if (!kept.empty()) out->desk_.restore(kept, now);
  return out;
}

void OnceIncidents::observed(incident::Observed&& observed, WallTime until) {
  facts_.observed(observed, until);
  desk_.newcomers(std::move(observed.newcomers));
  desk_.conditions(observed.conditions, until);
  desk_.calls(observed.calls);
}

void OnceIncidents::judged(const std::vector<slo::AlertEvent>& transitions, WallTime at) {
  desk_.alerts(transitions, at);
  desk_.tick(at);
  context_.look(desk_, at);
  watcher_.hold(desk_.acute());
}

std::vector<store::Document> OnceIncidents::take_documents() {
  std::vector<store::Document> out = facts_.take_changes();
  for (store::Document& document : desk_.take_documents()) out.push_back(std::move(document));
  return out;
}

}  // namespace nines::agent
