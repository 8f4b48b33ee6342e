#include "app/incidents.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "app/log.hpp"
#include "timeline/clock_book.hpp"

namespace nines::agent {
namespace {

constexpr const char* kLearned = "incident-learned";
constexpr size_t kPieceBytes = 60'000;  // a document takes 64 KiB
constexpr size_t kMostPieces = 64;
constexpr int64_t kToldAgainNs = 24 * 3600 * kNsPerSecond;
constexpr int64_t kLearnedEveryNs = 6 * 3600 * kNsPerSecond;

std::string piece_key(const std::string& part, size_t number) {
  const std::string digits = std::to_string(number);
  return part + "/" + std::string(3 - std::min<size_t>(3, digits.size()), '0') + digits;
}

// The pieces of each part laid together, in the order of their keys.
std::map<std::string, std::string> parts_of(const std::vector<store::Document>& documents) {
  std::map<std::string, std::string> sorted, parts;
  for (const store::Document& document : documents) sorted[document.key] = document.body;
  for (const auto& [key, body] : sorted) parts[key.substr(0, key.find('/'))] += body;
  return parts;
}

}  // namespace

Incidents::Incidents(Parts&& parts, uint64_t boot)
    : parts_(std::move(parts)),
      desk_({parts_.config.peers.cluster, parts_.config.node, boot},
            {parts_.engine,
             [this](const incident::core::TrailQuestion& question, auto done) {
               ask(question, std::move(done));
             },
             [this](const incident::core::IncidentEvent& event) {
               const WallTime now = parts_.clock.wall();
               const auto incident = desk_.book().find(event.id, now);
               parts_.timeline.wrote(event, incident ? &*incident : nullptr, now);
             },
             [this](const incident::core::Transition& transition,
                    const incident::core::Incident& incident) {
               parts_.timeline.became(transition, incident, parts_.clock.wall());
             }}) {}

Result<std::unique_ptr<Incidents>> Incidents::start(Parts parts, store::StateStore& store) {
  if (!parts.config.incidents.enabled) return std::unique_ptr<Incidents>();
  NINES_TRY(const auto kept, store.documents(incident::Desk::kDocuments));
  const WallTime now = to_ms(parts.clock.wall());
  auto out = std::unique_ptr<Incidents>(new Incidents(std::move(parts), store.restored().boot));
  out->desk_.restore(kept, now);
  for (const auto& event : out->desk_.book().events()) {  // written, but perhaps not told any more
    if (now.ns - event.at.ns > kToldAgainNs) continue;
    const auto incident = out->desk_.book().find(event.id, now);
    out->parts_.timeline.wrote(event, incident ? &*incident : nullptr, now);
  }
  out->desk_.still_firing(store.restored().alerts, now);
  out->learned_ = now;
  NINES_TRY(const auto learned, store.documents(kLearned));
  out->parts_.ingest.post([parts = parts_of(learned)](Ingest& ingest) {
    if (ingest.watcher() == nullptr) return;
    for (const auto& [part, body] : parts) {
      const Status taken = ingest.watcher()->restore(part, body);
      if (!taken.ok()) log::warn("incident", part + " are learned anew: " + taken.error().message);
    }
  });
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

void Incidents::seen(WallTime from, WallTime to,
                     std::function<void(std::vector<incident::core::RequestTrail::Seen>)> done) {
  parts_.ingest.post([alive = std::weak_ptr<bool>(alive_), &io = parts_.io, from, to,
                      done = std::move(done)](Ingest& ingest) {
    if (ingest.watcher() == nullptr) return;
    auto found = std::make_shared<std::vector<incident::core::RequestTrail::Seen>>(
        ingest.watcher()->seen(from, to, timeline::kMostSeen));
    net::asio::post(io, [alive, found, done] {
      if (!alive.expired()) done(std::move(*found));
    });
  });
}

std::vector<store::Document> Incidents::learned(Ingest& ingest) {
  std::vector<store::Document> out;
  if (ingest.watcher() == nullptr) return out;
  for (const auto& [part, body] : ingest.watcher()->save()) {
    size_t number = 0;
    for (size_t from = 0; from < body.size() && number < kMostPieces; from += kPieceBytes) {
      out.push_back({kLearned, piece_key(part, number++), body.substr(from, kPieceBytes)});
    }
    // What it was longer by at other times.
    for (; number < kMostPieces; ++number) out.push_back({kLearned, piece_key(part, number), {}});
  }
  return out;
}

// A kill costs what was learned in six hours; the card is spared.
void Incidents::keep_learned(WallTime now) {
  if (now.ns - learned_.ns < kLearnedEveryNs) return;
  learned_ = now;
  parts_.ingest.post([this, alive = std::weak_ptr<bool>(alive_), &io = parts_.io](Ingest& ingest) {
    auto documents = std::make_shared<std::vector<store::Document>>(learned(ingest));
    net::asio::post(io, [this, alive, documents] {
      if (!alive.expired()) parts_.keep(std::move(*documents));
    });
  });
}

void Incidents::observed(incident::Observed&& observed) {
  const WallTime now = parts_.clock.wall();
  for (const auto& newcomer : observed.newcomers) parts_.timeline.newcomer(newcomer, now);
  for (const auto& condition : observed.conditions) parts_.timeline.condition(condition, now);
  desk_.newcomers(std::move(observed.newcomers));
  desk_.conditions(observed.conditions, to_ms(now));
  desk_.calls(observed.calls);
}

void Incidents::judged(const std::vector<slo::AlertEvent>& events, WallTime now) {
  desk_.alerts(events, now);
  desk_.tick(now);
  keep_learned(now);
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
