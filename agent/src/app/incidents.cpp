#include "app/incidents.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "app/log.hpp"

namespace nines::agent {
namespace {

constexpr const char* kLearned = "incident-learned";
constexpr size_t kPieceBytes = 60'000;  // a document takes 64 KiB
constexpr size_t kMostPieces = 64;
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
             {[this](const incident::FactsQuestion& question, auto done) {
                ask(question, std::move(done));
              },
              parts_.changes, [this](WallTime now) { return node_.lines(now); }}}) {}

Result<std::unique_ptr<Incidents>> Incidents::start(Parts parts, store::StateStore& store) {
  if (!parts.config.incidents.enabled) return std::unique_ptr<Incidents>();
  NINES_TRY(const auto kept, store.documents(incident::Desk::kDocuments));
  const WallTime now = to_ms(parts.clock.wall());
  auto out = std::unique_ptr<Incidents>(new Incidents(std::move(parts), store.restored().boot));
  out->desk_.restore(kept, now);
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
template <class Reply>
void Incidents::post(std::function<Reply(incident::Watcher&)> answer,
                     std::function<void(Reply)> done) {
  parts_.ingest.post([this, alive = std::weak_ptr<bool>(alive_), &io = parts_.io,
                      answer = std::move(answer), done = std::move(done)](Ingest& ingest) {
    if (ingest.watcher() == nullptr) return;
    auto reply = std::make_shared<Reply>(answer(*ingest.watcher()));
    net::asio::post(io, [this, alive, reply, done] {
      if (alive.expired()) return;
      done(std::move(*reply));
      changed();
    });
  });
}

void Incidents::ask(const incident::core::TrailQuestion& question,
                    std::function<void(incident::Answer)> done) {
  post<incident::Answer>([question](incident::Watcher& watcher) { return watcher.ask(question); },
                         std::move(done));
}

void Incidents::ask(const incident::FactsQuestion& question,
                    std::function<void(incident::Facts)> done) {
  post<incident::Facts>([question](incident::Watcher& watcher) { return watcher.facts(question); },
                        std::move(done));
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
  desk_.newcomers(std::move(observed.newcomers));
  desk_.conditions(observed.conditions, to_ms(parts_.clock.wall()));
  desk_.calls(observed.calls);
}

void Incidents::judged(const std::vector<slo::AlertEvent>& events, WallTime now) {
  desk_.alerts(events, now);
  desk_.tick(now);
  keep_learned(now);
  changed();
}

void Incidents::vital(std::string_view name, double value, WallTime at) {
  node_.vital(name, value, at);
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
