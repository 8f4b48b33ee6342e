#include "incident/desk.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

// When it is asked who is suspected, counted from the onset: at once, and when there is more to
// see.
constexpr int64_t kAskSoonNs = 10 * kNsPerSecond, kAskAgainNs = 60 * kNsPerSecond,
                  kLastAskNs = 130 * kNsPerSecond;
constexpr int64_t kRepeatNs = 60 * kNsPerSecond;
constexpr double kForgetCalls = 0.986;
constexpr size_t kMostNewcomers = 64;

std::string sentence_of(const core::Transition& transition, const core::Incident& incident) {
  const std::string about = "P" + std::to_string(incident.severity) + " " + incident.title;
  switch (transition.kind) {
    case core::Transition::Kind::opened: return "opened: " + about;
    case core::Transition::Kind::reopened: return "is back: " + about;
    case core::Transition::Kind::worse: return "became worse: " + about;
    case core::Transition::Kind::acknowledged: return "acknowledged by " + incident.acknowledged_by;
    case core::Transition::Kind::mitigated: return "mitigated by " + incident.mitigated_by;
    case core::Transition::Kind::resolved:
      return incident.resolved_itself ? "is over" : "resolved by " + incident.resolved_by;
  }
  return {};
}

// Each event is a document, of which the store keeps so many for all its users.
core::BookLimits limits() {
  core::BookLimits limits;
  limits.max_events = 2'048;
  return limits;
}

Assessor::Parts known_of(const Desk& desk, Assessor::Parts parts) {
  parts.newcomers = [&desk] {
    const auto& seen = desk.recent_newcomers();
    return std::vector<Newcomer>(seen.begin(), seen.end());
  };
  return parts;
}

}  // namespace

Desk::Desk(core::BookIdentity identity, Parts parts)
    : book_(identity, parts.rules, limits()),
      parts_(std::move(parts)),
      node_(std::move(identity.node)),
      self_(core::short_name(node_.empty() ? "node" : node_, core::kMaxEventNode)),
      assessor_(parts_.engine, book_, node_, known_of(*this, parts_.known),
                {[this](const std::string& id, Told told) { write(id, std::move(told)); },
                 [this](std::string news) { news_.push_back(std::move(news)); }}) {}

std::string Desk::document_key(const core::IncidentEvent& event) {
  return event.node + "/" + std::to_string(event.boot) + "/" + std::to_string(event.sequence);
}

void Desk::restore(const std::vector<store::Document>& documents, WallTime now) {
  for (const store::Document& document : documents) {
    const auto event = core::decode_event(document.body);
    kept_.insert(document.key);
    if (event && book_.merge(*event, now) != core::IncidentBook::Merge::refused) continue;
    documents_.push_back({kDocuments, document.key, {}});
  }
  (void)book_.take_transitions(now);
  core::BookQuery open;
  open.only_open = true;
  auto own = book_.list(open, now);
  std::erase_if(own, [this](const core::Incident& one) { return one.opened_on != self_; });
  assessor_.resume(own, now);
}

void Desk::conditions(const std::vector<core::Condition>& conditions, WallTime now) {
  for (const core::Condition& condition : conditions) keep(book_.observe(condition, now));
}

void Desk::newcomers(std::vector<Newcomer> seen) {
  for (Newcomer& one : seen) {
    newcomers_.push_back(std::move(one));
    if (newcomers_.size() <= kMostNewcomers) continue;
    newcomers_.pop_front();
    ++newcomers_dropped_;
  }
}

// Told every five minutes: half of it is forgotten in about four hours.
void Desk::calls(const std::vector<core::RequestTrail::Call>& calls) {
  if (calls.empty()) return;
  book_.topology().decay(kForgetCalls);
  for (const auto& call : calls) {
    book_.topology().add_edge(call.caller, call.callee, static_cast<double>(call.requests));
  }
}

void Desk::tick(WallTime now) {
  now_ = now;
  if (now.ns - repeated_.ns >= kRepeatNs) {
    repeated_ = now;
    for (const auto& [slo, burning] : burning_) {
      if (burning.holds) keep(book_.observe(burning.condition, now));
    }
  }
  keep(book_.tick(now));
  for (const core::Transition& transition : book_.take_transitions(now)) told(transition, now);
  watch_troubles(now);
  assessor_.tick(now);
  // One a time: each takes the thread that reads a moment.
  for (Question& question : questions_) {
    if (question.waiting || now < question.next) continue;
    ask(question, now);
    break;
  }
  std::erase_if(questions_, [](const Question& question) {
    return !question.waiting && question.next == WallTime{INT64_MAX};
  });
  forget_pruned();
}

void Desk::told(const core::Transition& transition, WallTime now) {
  ++transitions_[static_cast<size_t>(transition.kind)];
  const auto incident = book_.find(transition.id, now);
  if (!incident || is_history(transition, *incident, now)) return;
  const bool elsewhere = incident->opened_on != self_;
  news_.push_back(transition.id + " " + sentence_of(transition, *incident) +
                  (elsewhere ? " (opened on " + incident->opened_on + ")" : std::string()));
  if (parts_.became) parts_.became(transition, *incident);
  if (transition.kind == core::Transition::Kind::resolved) assessor_.ended(transition.id, now);
  const bool begins = transition.kind == core::Transition::Kind::opened ||
                      transition.kind == core::Transition::Kind::reopened;
  if (!begins || !parts_.ask || !asks_about(*incident)) return;
  WallTime onset = incident->began;
  if (transition.kind == core::Transition::Kind::reopened) {
    onset = transition.at;  // of what brought it back
    for (const core::IncidentCondition& one : incident->conditions) {
      if (one.condition.holds) onset = std::min(onset, one.condition.since);
    }
  }
  ask_later({transition.id, onset, now, false});
}

void Desk::ask_later(Question question) {
  if (questions_.size() < kMostAsked) {
    questions_.push_back(std::move(question));
  } else {
    ++questions_dropped_;
  }
}

Dropped Desk::dropped() const {
  const core::IncidentBook::Counters& book = book_.counters();
  return {{"newcomer", newcomers_dropped_},
          {"question", questions_dropped_},
          {"trouble", troubles_dropped_},
          {"told_by_the_next_life", untold_dropped_},
          {"case", assessor_.dropped()},
          {"event_without_room", book.refused_full},
          {"event_too_old", book.refused_old},
          {"event_of_the_future", book.refused_future},
          {"event_pruned", book.pruned},
          {"condition_unobserved", book.unobserved},
          {"call", book_.topology().stats().forgotten}};
}

void Desk::ask(Question& question, WallTime now) {
  question.waiting = true;
  // Enough is seen two minutes after the onset; what comes later is what follows from it.
  question.next = now.ns >= question.onset.ns + kLastAskNs
                      ? WallTime{INT64_MAX}
                      : WallTime{std::min(now.ns + kAskAgainNs, question.onset.ns + kLastAskNs)};
  core::TrailQuestion asked{question.onset, now, 0, {}};
  for (const Trouble& trouble : troubles_) asked.unhealthy.push_back(trouble.when);
  parts_.ask(asked, [this, id = question.id, onset = question.onset](Answer answer) {
    answered(id, onset, std::move(answer));
  });
}

void Desk::answered(const std::string& id, WallTime onset, Answer answer) {
  bool last = true;
  for (Question& question : questions_) {
    if (question.id != id || question.onset != onset) continue;
    question.waiting = false;
    last = question.next.ns == INT64_MAX;
    // Nothing to be seen yet: soon there is.
    if (answer.suspects.empty() && !last) {
      question.next = WallTime{std::min(question.next.ns, now_.ns + kAskSoonNs)};
    }
  }
  learn_calls(answer);
  assessor_.answered(id, onset, std::move(answer), last, now_);
}

// Names may be long: what they leave room for.
void Desk::write(const std::string& id, Told told) {
  const auto incident = book_.find(id, now_);
  if (!incident) return;
  make_fit(told, node_.size() + incident->key.size() + incident->id.size());
  auto done = book_.add(id, told.kind, {}, told.text, std::move(told.details), now_);
  if (done.ok()) keep({std::move(*done)});
}

void Desk::keep(const core::IncidentBook::Events& events) {
  for (const core::IncidentEvent& event : events) {
    documents_.push_back({kDocuments, document_key(event), core::encode_event(event)});
    kept_.insert(documents_.back().key);
    if (parts_.wrote) parts_.wrote(event);
    if (untold_.size() < limits().max_events) {
      untold_.push_back(event);
    } else {
      ++untold_dropped_;  // the next life tells it
    }
  }
}

Result<core::IncidentEvent> Desk::did(Result<core::IncidentEvent> done) {
  if (done.ok()) keep({*done});
  return done;
}

// What the book has let go is let go in the store as well.
void Desk::forget_pruned() {
  const uint64_t pruned = book_.counters().pruned;
  if (pruned == pruned_) return;
  pruned_ = pruned;
  std::set<std::string> there;
  for (const core::IncidentEvent& event : book_.events()) there.insert(document_key(event));
  for (const std::string& key : kept_) {
    if (!there.contains(key)) documents_.push_back({kDocuments, key, {}});
  }
  kept_ = std::move(there);
}

std::vector<store::Document> Desk::take_documents() { return std::exchange(documents_, {}); }
std::vector<std::string> Desk::take_news() { return std::exchange(news_, {}); }

}  // namespace nines::agent::incident
