// Incidents: the Desk within the running agent: what the ingest thread observed goes in, questions
// go to the ingest thread, what is to be kept goes to the store. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "app/ingest_thread.hpp"
#include "app/logbook.hpp"
#include "incident/desk.hpp"
#include "incident/pager.hpp"
#include "incident/rewriter.hpp"
#include "net/asio.hpp"

namespace nines::agent {

class Incidents {
 public:
  // All outlive it.
  struct Parts {
    boost::asio::io_context& io;
    const Clock& clock;
    const NodeConfig& config;
    const slo::SloEngine& engine;
    IngestThread& ingest;
    std::function<void(Record&&)> keep;
    // An event that this decided is to be shown and logged; it is kept by `keep`.
    std::function<void(const slo::AlertEvent&)> show;
    // The alerts of this SLO that are not written yet belong to that incident.
    std::function<void(const std::string& slo, const std::string& incident)> belongs;
    // Whether this node tells people of it, where several know it. May be empty: who opened it.
    std::function<bool(const incident::core::Incident&)> mine;
  };
  // Null where incidents are switched off. `store` is asked now only.
  static Result<std::unique_ptr<Incidents>> start(Parts parts, store::StateStore& store);

  void observed(incident::Observed&& observed);
  void judged(const std::vector<slo::AlertEvent>& events, WallTime now);
  // What the node itself tells: NodeCapacity::OnVital.
  void vital(std::string_view name, double value, WallTime at);
  // What was learned, now and then and when the agent stops: documents for the store.
  static std::vector<store::Document> learned(Ingest& ingest);
  // People did something.
  void changed();
  IncidentsStatus status() const;
  // Somebody was told: noted in the incident.
  void told(const std::string& notifier, const char* kind, const slo::AlertEvent& event);

  incident::Desk& desk() noexcept { return desk_; }
  const incident::Desk& desk() const noexcept { return desk_; }
  // Null: none is configured.
  incident::Rewriter* rewriter() noexcept { return rewriter_ ? &*rewriter_ : nullptr; }

 private:
  explicit Incidents(Parts&& parts, uint64_t boot);
  void keep_learned(WallTime now);
  void tell_people(WallTime now);
  void ask(const incident::core::TrailQuestion& question,
           std::function<void(incident::Answer)> done);

  Parts parts_;
  incident::Desk desk_;
  incident::Pager pager_;
  std::optional<incident::Rewriter> rewriter_;
  WallTime learned_{};
  bool held_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
