// Incidents: the Desk within the running agent: what the ingest thread observed goes in, questions
// go to the ingest thread, what is to be kept goes to the store. Control thread.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "app/ingest_thread.hpp"
#include "incident/desk.hpp"
#include "net/asio.hpp"
#include "timeline/recorder.hpp"

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
    timeline::Recorder& timeline;
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

  // Requests that began in [from, to), for the clocks of the fleet; comes back later.
  void seen(WallTime from, WallTime to,
            std::function<void(std::vector<incident::core::RequestTrail::Seen>)> done);

  incident::Desk& desk() noexcept { return desk_; }

 private:
  explicit Incidents(Parts&& parts, uint64_t boot);
  void keep_learned(WallTime now);
  void ask(const incident::core::TrailQuestion& question,
           std::function<void(incident::Answer)> done);

  Parts parts_;
  incident::Desk desk_;
  WallTime learned_{};
  bool held_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace nines::agent
