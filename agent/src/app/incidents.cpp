#include "app/incidents.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "app/log.hpp"
#include "app/paging.hpp"
#include "nines/incident/current_evidence.hpp"
#include "notify/message.hpp"
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

incident::Relay::Parts relay_parts(incident::Relay::Parts parts,
                                   const std::shared_ptr<const incident::OnCall>& on_call) {
  if (!on_call) return parts;
  parts.reach = [on_call](const std::string& who) {
    const auto person = on_call->plan().roster->find(who);
    return person ? on_call->notifiers_of(*person) : std::vector<std::string>();
  };
  return parts;
}

}  // namespace

Incidents::Incidents(Parts&& parts, uint64_t life)
    : parts_(std::move(parts)),
      desk_({parts_.config.peers.cluster, parts_.config.node, life},
            {parts_.engine,
             [this](const incident::core::TrailQuestion& question, auto done) {
               ask(question, std::move(done));
             },
             [this](const incident::core::IncidentEvent& event) {
               const WallTime now = parts_.clock.wall();
               const auto incident = desk_.book().find(event.id, now);
               parts_.timeline.wrote(event, incident ? &*incident : nullptr, now);
               if (incident && parts_.touched) parts_.touched(incident->id);
             },
             [this](const incident::core::Transition& transition,
                    const incident::core::Incident& incident) {
               parts_.timeline.became(transition, incident, parts_.clock.wall());
               if (parts_.touched) parts_.touched(incident.id);
             },
             {[this](const incident::FactsQuestion& question, auto done) {
                ask(question, std::move(done));
              },
              parts_.changes, &parts_.facts},
             book_rules(parts_.config)}),
      context_(parts_.facts, parts_.engine, parts_.config.node),
      pager_({pager_rules(parts_.config),
              [this](const incident::core::Incident& one) {
                return parts_.mine ? parts_.mine(one) : one.opened_on == parts_.config.node;
              },
              [this](const incident::core::Incident& one) {
                return in_maintenance(parts_.engine, one);
              },
              parts_.on_call}),
      relay_(relay_parts(parts_.relay, parts_.on_call)) {
  if (!parts_.config.narrative.url.empty()) rewriter_.emplace(parts_.io, parts_.config.narrative);
}

Result<std::unique_ptr<Incidents>> Incidents::start(Parts parts, store::StateStore& store) {
  if (!parts.config.incidents.enabled) return std::unique_ptr<Incidents>();
  NINES_TRY(const auto kept, store.documents(incident::Desk::kDocuments));
  NINES_TRY(const auto told, store.documents(incident::Pager::kDocuments));
  const WallTime now = to_ms(parts.clock.wall());
  auto out = std::unique_ptr<Incidents>(
      new Incidents(std::move(parts), fleet::life_number(store.restored().boot, now)));
  out->desk_.restore(kept, now);
  for (const auto& event : out->desk_.book().events()) {  // written, but perhaps not told any more
    if (now.ns - event.at.ns > kToldAgainNs) continue;
    const auto incident = out->desk_.book().find(event.id, now);
    out->parts_.timeline.wrote(event, incident ? &*incident : nullptr, now);
  }
  out->join_fleet();
  out->answer_others();
  out->desk_.still_firing(store.restored().alerts, now);
  out->pager_.restore(told);
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

void Incidents::ask_here(const incident::core::TrailQuestion& question, incident::Gathered gathered,
                         Done done) {
  auto others = std::make_shared<incident::Gathered>(std::move(gathered));
  post<incident::Answer>(
      [question, others](incident::Watcher& watcher) {
        incident::Answer answer = watcher.ask(question, others->evidence);
        answer.missing = std::move(others->missing);
        return answer;
      },
      std::move(done));
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

void Incidents::error_lines(std::vector<std::string> services, WallTime since, size_t most,
                            std::function<void(std::vector<std::string>)> done) {
  post<std::vector<std::string>>(
      [services = std::move(services), since, most](incident::Watcher& watcher) {
        return watcher.error_lines().newest(services, since, most);
      },
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
      Record record;
      record.documents = std::move(*documents);
      if (!alive.expired()) parts_.keep(std::move(record));
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
  unread_ = std::move(observed.dropped);
  thinning_ = observed.thinning;
}

void Incidents::judged(const std::vector<slo::AlertEvent>& events, WallTime now) {
  const uint64_t refused = refusals();
  desk_.alerts(events, now);
  look_at_fleet(now);
  desk_.tick(now);
  for (const slo::AlertEvent& event : events) {
    const std::string id = incident::incident_of_slo(desk_.book(), event.slo, now);
    if (!id.empty()) parts_.belongs(event.slo, id);
  }
  context_.look(desk_, now);
  keep_learned(now);
  tell_people(now);
  address(events, refused, now);
  changed();
}

// Conditions and incidents that nobody is told of for want of room.
uint64_t Incidents::refusals() const {
  const auto& book = desk_.book().counters();
  return book.unobserved + book.refused_full + pager_.counters().beyond;
}

// People hear of an alert as its incident, from the Pager. Alerts that name their notifiers go to
// those. Where the incident cannot be told, the alert goes to everybody (what may wait: who has no
// quiet hours), and its end to whom it went.
void Incidents::address(const std::vector<slo::AlertEvent>& events, uint64_t refused,
                        WallTime now) {
  if (!by_on_call()) return;
  for (const slo::AlertEvent& event : events) {
    if (event.kind == slo::AlertEvent::Kind::rows || !event.notify.empty()) continue;
    if (event.kind == slo::AlertEvent::Kind::resolved) {
      const auto went_to = pager_.ends_unrouted(event);
      parts_.address(event.slo,
                     went_to ? *went_to : parts_.on_call->shared(event.severity == "page"));
      continue;
    }
    const std::string id = incident::incident_of_slo(desk_.book(), event.slo, now);
    const auto incident = desk_.book().find(id, now);
    // One that is not there yet is held back for some seconds, or part of another.
    const bool told =
        incident && !incident->over() ? pager_.answers_for(*incident) : refusals() == refused;
    if (told) {
      parts_.address(event.slo, parts_.on_call->shared(event.severity == "page"));
    } else {
      ++unrouted_;
      const bool may_wait = event.priority >= 2;  // wakes nobody
      auto names = may_wait ? parts_.on_call->awake(event.severity == "page", now).notify
                            : std::vector<std::string>();
      parts_.address(event.slo, names);
      pager_.unrouted(event, std::move(names));
    }
  }
  Record record;
  if (auto document = pager_.take_unrouted()) record.documents.push_back(std::move(*document));
  if (!record.documents.empty()) parts_.keep(std::move(record));
}

bool Incidents::by_on_call() const {
  return parts_.on_call && parts_.config.incidents.notify != "none";
}

void Incidents::address(slo::AlertEvent& event) const {
  if (by_on_call()) event.notify = parts_.on_call->shared(event.severity == "page");
}

void Incidents::address_about(const std::string& id, slo::AlertEvent& event) const {
  if (!by_on_call()) return;
  const auto incident = desk_.book().find(id, to_ms(parts_.clock.wall()));
  const auto names = incident ? pager_.heard_by(*incident) : std::vector<std::string>();
  // A page of which no person is told goes to everybody.
  if (!names.empty()) {
    event.notify = names;
  } else if (event.severity != "page") {
    address(event);
  }
}

// What happened goes into the store before what is told of it, or with it.
void Incidents::tell_people(WallTime now) {
  incident::Pager::Decided decided = pager_.look(desk_.book(), now);
  incident::Relay::Decided relayed = relay_.look(desk_.book(), now, parts_.clock.mono());
  if (decided.empty() && relayed.empty()) return;
  for (auto& note : relayed.notes) {
    const auto done = desk_.did(desk_.book().add(note.incident, incident::core::EventKind::note, {},
                                                 note.text, std::move(note.details), now));
    if (!done.ok()) log::warn("incident", done.error().message);
  }
  for (auto& event : relayed.events) decided.events.push_back(std::move(event));
  for (auto& note : decided.notes) {
    const auto done =
        desk_.did(desk_.book().add(note.incident, incident::core::EventKind::page_sent, {},
                                   note.text, std::move(note.details), now));
    if (!done.ok()) log::warn("incident", done.error().message);
  }
  Record record;
  record.documents = desk_.take_documents();
  for (auto& document : decided.documents) record.documents.push_back(std::move(document));
  for (const slo::AlertEvent& event : decided.events) {
    if (event.kind != slo::AlertEvent::Kind::rows) parts_.show(event);
  }
  record.events = std::move(decided.events);
  parts_.keep(std::move(record));
}

void Incidents::outgoing(const std::vector<slo::AlertEvent>& events) {
  relay_.outgoing(events, parts_.clock.mono());
}

void Incidents::refused(const std::vector<std::string>& names, const slo::AlertEvent& event) {
  if (!pager_.refused(names, event)) return;
  const WallTime now = to_ms(parts_.clock.wall());
  tell_people(now);
  changed();
}

void Incidents::told(const std::string& notifier, const char* kind, const slo::AlertEvent& event) {
  const std::string* const id = event.detail("incident");
  const bool receipt = relay_.delivered(event, notifier);
  if (id == nullptr || (event.kind != slo::AlertEvent::Kind::fired && !receipt)) return;
  const WallTime now = to_ms(parts_.clock.wall());
  const auto incident = desk_.book().find(*id, now);
  if (!incident) return;
  const std::string number = std::to_string(event.boot) + "/" + std::to_string(event.sequence);
  const bool known =
      std::any_of(incident->pages.begin(), incident->pages.end(), [&](const auto& page) {
        const std::string *const channel = page.detail("channel"), *const of = page.detail("event");
        return channel != nullptr && *channel == notifier && of != nullptr && *of == number;
      });
  if (known) return;  // it was delivered once more, after a crash
  const std::string* const transition = event.detail("transition");
  const std::string text = (transition != nullptr ? *transition : "alert " + event.slo) + ": " +
                           notifier + " (" + kind + ") was told";
  incident::core::Details details = {{"channel", notifier}, {"event", number}};
  const std::string* const relays = event.detail(notify::kRelaysDetail);
  if (relays != nullptr) details.emplace_back(notify::kRelaysDetail, *relays);
  const auto done = desk_.did(desk_.book().add(*id, incident::core::EventKind::page_sent, {}, text,
                                               std::move(details), now));
  if (!done.ok()) log::warn("incident", done.error().message);
  changed();
}

IncidentsStatus Incidents::status() const {
  static constexpr std::string_view kKinds[incident::Desk::kTransitions] = {
      "opened", "reopened", "worse", "acknowledged", "mitigated", "resolved"};
  IncidentsStatus out;
  out.kept = true;
  incident::core::BookQuery open;
  open.only_open = true;
  for (const auto& one : desk_.book().list(open, to_ms(parts_.clock.wall()))) {
    OpenIncident shown{one.id,    std::string(incident::core::state_name(one.state)),
                       one.title, one.service,
                       {},        one.severity,
                       one.began};
    shown.suspect = incident::core::first_suspect(one);
    out.open.push_back(std::move(shown));
  }
  for (size_t i = 0; i < incident::Desk::kTransitions; ++i) {
    out.transitions.emplace_back(kKinds[i], desk_.transitions()[i]);
  }
  const incident::Pager::Counters& told = pager_.counters();
  out.told = {{"opened", told.opened},      {"worse", told.worse},
              {"reopened", told.reopened},  {"escalated", told.escalated},
              {"resolved", told.resolved},  {"overdue_items", told.reminded},
              {"beyond_limit", told.beyond}};
  if (parts_.on_call) {
    for (const auto& [name, count] :
         {std::pair{"on_call_person", told.people}, std::pair{"on_call_held", told.held},
          std::pair{"on_call_digest", told.digests}, std::pair{"on_call_refused", told.refused},
          std::pair{"on_call_nobody", told.nobody + unrouted_}}) {
      out.told.emplace_back(name, count);
    }
  }
  const incident::Relay::Counters& relay = relay_.counters();
  for (const auto& [name, count] :
       {std::pair{"relay_asked", relay.asked}, std::pair{"relay_done", relay.relayed},
        std::pair{"relay_taken", relay.taken}, std::pair{"relay_told", relay.told},
        std::pair{"relay_overtaken", relay.overtaken}, std::pair{"relay_twice", relay.twice},
        std::pair{"relay_beyond_limit", relay.beyond}}) {
    out.told.emplace_back(name, count);
  }
  out.dropped = unread_;
  const incident::Dropped here = desk_.dropped();
  out.dropped.insert(out.dropped.end(), here.begin(), here.end());
  const auto& fleet = desk_.fleet_counters();
  out.fleet = {{"heard", fleet.heard}, {"refused", fleet.refused}, {"invalid", fleet.invalid}};
  out.thinning = thinning_;
  if (!rewriter_) return out;
  const incident::Rewriter::Counters& asked = rewriter_->counters();
  out.rewrites = {{"accepted", asked.accepted},
                  {"repeated", asked.repeated},
                  {"refused", asked.refused},
                  {"failed", asked.failed},
                  {"busy", asked.busy}};
  return out;
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
  Record record;
  record.documents = desk_.take_documents();
  if (!record.documents.empty()) parts_.keep(std::move(record));
  tell_fleet();
}

}  // namespace nines::agent
