// Incidents: the Desk within the running agent: what the ingest thread observed goes in, questions
// go to the ingest thread, what is to be kept goes to the store. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "app/ingest_thread.hpp"
#include "incident/context_teller.hpp"
#include "incident/desk.hpp"
#include "net/asio.hpp"
#include "nines/incident/metric_evidence.hpp"

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
    std::function<void(std::vector<store::Document>)> keep;
  };
  // Null where incidents are switched off. `store` is asked now only.
  static Result<std::unique_ptr<Incidents>> start(Parts parts, store::StateStore& store);

  void observed(incident::Observed&& observed);
  void judged(const std::vector<slo::AlertEvent>& events, WallTime now);
  // What the node itself tells: NodeCapacity::OnVital.
  void vital(std::string_view name, double value, WallTime at);
  // What was learned, now and then and when the agent stops: documents for the store.
  static std::vector<store::Document> learned(Ingest& ingest);
  // Who knows what happened around the services, and how metrics were.
  using Metrics = std::function<std::vector<incident::core::MetricFinding>(
      WallTime onset, WallTime now, std::span<const double> bad, WallTime bad_end, size_t limit)>;
  void context(incident::ContextTeller::Around around, Metrics metrics);
  // People did something.
  void changed();

  incident::Desk& desk() noexcept { return desk_; }

 private:
  explicit Incidents(Parts&& parts, uint64_t boot);
  void keep_learned(WallTime now);
  void tell_context(WallTime now);
  void tell_metrics(const incident::core::Incident& incident, WallTime now);
  void ask(const incident::core::TrailQuestion& question,
           std::function<void(incident::Answer)> done);

  Parts parts_;
  incident::Desk desk_;
  incident::ContextTeller context_{nullptr};
  Metrics metrics_;
  WallTime learned_{}, context_told_{};
  bool held_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
