#include "app/incidents.hpp"

#include <utility>

#include "app/log.hpp"

namespace nines::agent {

Incidents::Incidents(Parts&& parts, uint64_t boot)
    : parts_(std::move(parts)),
      desk_({parts_.config.peers.cluster, parts_.config.node, boot},
            {parts_.engine, [this](const incident::core::TrailQuestion& question, auto done) {
               ask(question, std::move(done));
             }}) {}

Result<std::unique_ptr<Incidents>> Incidents::start(Parts parts, store::StateStore& store) {
  if (!parts.config.incidents.enabled) return std::unique_ptr<Incidents>();
  NINES_TRY(const auto kept, store.documents(incident::Desk::kDocuments));
  const WallTime now = to_ms(parts.clock.wall());
  auto out = std::unique_ptr<Incidents>(new Incidents(std::move(parts), store.restored().boot));
  out->desk_.restore(kept, now);
  out->desk_.still_firing(store.restored().alerts, now);
  return out;
}

// The answer takes a moment of the thread that reads; it comes back to this one.
void Incidents::ask(const incident::core::TrailQuestion& question,
                    std::function<void(incident::Answer)> done) {
  parts_.ingest.post([this, alive = std::weak_ptr<bool>(alive_), &io = parts_.io, question,
                      done = std::move(done)](Ingest& ingest) {
    if (ingest.watcher() == nullptr) return;
    auto answer = std::make_shared<incident::Answer>(ingest.watcher()->ask(question));
    net::asio::post(io, [this, alive, answer, done] {
      if (alive.expired()) return;
      done(std::move(*answer));
      changed();
    });
  });
}

void Incidents::observed(incident::Observed&& observed) {
  desk_.newcomers(std::move(observed.newcomers));
  desk_.conditions(observed.conditions, to_ms(parts_.clock.wall()));
  observed.conditions.clear();
  desk_.calls(observed.calls);
  observed.calls.clear();
  observed.newcomers.clear();
  figures_ = std::move(observed);
}

void Incidents::judged(const std::vector<slo::AlertEvent>& events, WallTime now) {
  desk_.alerts(events, now);
  desk_.tick(now);
  changed();
}

void Incidents::vital(std::string_view name, double value, WallTime at) {
  const bool disk = name.starts_with("disk_");
  if (!disk && name != "undervoltage") return;
  parts_.ingest.post([name = std::string(name), disk, value, at](Ingest& ingest) {
    if (ingest.watcher() == nullptr) return;
    incident::core::Detector& detector = ingest.watcher()->detector();
    if (disk) {
      detector.disk(std::string_view(name).substr(5), value, at);
    } else {
      detector.power(value != 0, at);
    }
  });
}

void Incidents::changed() {
  for (const std::string& news : desk_.take_news()) log::warn("incident", news);
  if (desk_.acute() != held_) {
    held_ = desk_.acute();
    parts_.ingest.post([held = held_](Ingest& ingest) {
      if (ingest.watcher() != nullptr) ingest.watcher()->hold(held);
    });
  }
  auto documents = desk_.take_documents();
  if (!documents.empty()) parts_.keep(std::move(documents));
}

}  // namespace nines::agent
