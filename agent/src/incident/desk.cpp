#include "incident/desk.hpp"

#include <algorithm>

namespace nines::agent::incident {
namespace {

const std::string kBurning = "burn/";  // and the SLO: key of a condition
constexpr int64_t kSlotNs = slo::kSlotS * kNsPerSecond;
constexpr int64_t kLookBackSlots = 360;
// When it is asked who is suspected, counted from the onset: at once, and when there is more to
// see.
constexpr int64_t kAskSoonNs = 10 * kNsPerSecond, kAskAgainNs = 60 * kNsPerSecond,
                  kLastAskNs = 130 * kNsPerSecond;
constexpr int64_t kCalmNs = 300 * kNsPerSecond;
constexpr int64_t kAcuteNs = 60 * kNsPerSecond;
constexpr int64_t kRepeatNs = 60 * kNsPerSecond;
constexpr double kForgetCalls = 0.986;
constexpr size_t kMostTroubles = 64;
constexpr size_t kMostAsked = 64, kMostNewcomers = 64;

}

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

WallTime onset_of(const slo::SloEngine& engine, uint32_t slo, WallTime fired) {
  std::vector<std::pair<int64_t, int64_t>> slots;  // bad, all; newest first
  int64_t bad = 0, all = 0, recent_bad = 0, recent = 0;
  for (int64_t i = 0; i < kLookBackSlots; ++i) {
    const auto counts = engine.events(slo, {fired.ns - i * kSlotNs}, slo::kSlotS);
    slots.emplace_back(counts.bad, counts.good + counts.bad);
    bad += counts.bad;
    all += counts.good + counts.bad;
    if (recent_bad == 0 || i < 6) {
      recent_bad += counts.bad;
      recent += counts.good + counts.bad;
    }
  }
  if (recent == 0 || all == 0) return fired;
  // Halfway between how it was over the hour and how it is now.
  const double now = static_cast<double>(recent_bad) / static_cast<double>(recent);
  const double before =
      all > recent ? static_cast<double>(bad - recent_bad) / static_cast<double>(all - recent) : 0;
  const double middle = (now + std::min(before, now)) / 2;
  double sum = 0, highest = 0;
  int64_t begin = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    sum += static_cast<double>(slots[i].first) - middle * static_cast<double>(slots[i].second);
    if (sum <= highest) continue;
    highest = sum;
    begin = static_cast<int64_t>(i);
  }
  return {fired.ns - (begin + 1) * kSlotNs};
}

Desk::Desk(core::BookIdentity identity, Parts parts)
    : book_(identity, parts.rules, limits()),
      parts_(std::move(parts)),
      node_(identity.node),
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

// One condition an SLO, whichever of its rules fire; the worst of them says how bad.
core::Condition Desk::condition_of(const slo::AlertEvent& event) const {
  core::Condition out;
  out.key = kBurning + event.slo;
  out.kind = core::ConditionKind::burn_rate;
  out.priority = event.priority;
  out.service = event.service;
  out.node = node_;
  out.at = event.at;
  out.since = event.since.ns != 0 ? event.since : event.at;
  out.text = event.summary;
  if (const auto slo = place_of(event.slo)) out.since = onset_of(parts_.engine, *slo, event.at);
  return out;
}

void Desk::alerts(const std::vector<slo::AlertEvent>& events, WallTime now) {
  now_ = now;
  for (const slo::AlertEvent& event : events) {
    if (event.kind == slo::AlertEvent::Kind::rows || event.slo.empty()) continue;
    auto& rules = firing_[event.slo];
    if (event.kind == slo::AlertEvent::Kind::fired) {
      core::Condition condition = condition_of(event);
      const auto known = burning_.find(event.slo);
      if (!rules.empty() && known != burning_.end()) {  // it burns already
        condition.since = known->second.since;
        condition.priority = std::min(condition.priority, known->second.priority);
      }
      if (rules.empty()) trouble_began(event.slo, condition.since);
      rules.insert(event.rule);
      burning_[event.slo] = condition;
      keep(book_.observe(condition, now));
      continue;
    }
    rules.erase(event.rule);
    if (!rules.empty()) continue;
    firing_.erase(event.slo);
    const auto known = burning_.find(event.slo);
    core::Condition over = known != burning_.end() ? known->second : condition_of(event);
    over.holds = false;
    over.at = event.at;
    over.text = event.summary;
    if (known != burning_.end()) burning_.erase(known);
    keep(book_.observe(over, now));
  }
}

std::optional<uint32_t> Desk::place_of(const std::string& slo) const {
  for (uint32_t i = 0; i < parts_.engine.size(); ++i) {
    if (parts_.engine.has(i) && parts_.engine.spec(i).name == slo) return i;
  }
  return std::nullopt;
}

void Desk::trouble_began(const std::string& slo, WallTime at) {
  const auto place = place_of(slo);
  if (!place) return;
  const int64_t since_s = (now_.ns - at.ns) / kSlotNs * slo::kSlotS;
  const auto counts = parts_.engine.events(*place, now_, std::max<int64_t>(slo::kSlotS, since_s));
  const int64_t all = counts.good + counts.bad;
  const double share = all > 0 ? static_cast<double>(counts.bad) / static_cast<double>(all) : 0;
  troubles_.push_back({slo, share / 2, {at, now_}});
  if (troubles_.size() > kMostTroubles) troubles_.pop_front();
}

// An alert outlasts what it tells of by the length of its windows: a trouble goes on while half as
// much is bad as when it was noticed.
void Desk::watch_troubles(WallTime now) {
  for (uint32_t i = 0; i < parts_.engine.size(); ++i) {
    if (!parts_.engine.has(i)) continue;
    const std::string& slo = parts_.engine.spec(i).name;
    if (!firing_.contains(slo)) continue;
    const auto slot = parts_.engine.events(i, now, slo::kSlotS);
    const int64_t all = slot.good + slot.bad;
    if (all == 0) continue;
    Trouble* newest = nullptr;
    for (Trouble& trouble : troubles_) {
      if (trouble.slo == slo) newest = &trouble;
    }
    if (newest == nullptr ||
        static_cast<double>(slot.bad) <= newest->share * static_cast<double>(all)) {
      continue;
    }
    if (now.ns - newest->when.to.ns < kCalmNs) {
      newest->when.to = now;
    } else {
      trouble_is_back(Trouble{slo, newest->share, {{now.ns - kSlotNs}, now}});
    }
  }
  acute_ = std::any_of(troubles_.begin(), troubles_.end(), [&](const Trouble& trouble) {
    return now.ns - trouble.when.to.ns < kAcuteNs;
  });
}

// It was calm for a while, although the alert has not ended: whoever is suspected now may be
// another.
void Desk::trouble_is_back(Trouble trouble) {
  for (const core::Incident& incident : book_.list({}, now_)) {
    const bool of_it = std::any_of(incident.conditions.begin(), incident.conditions.end(),
                                   [&](const core::IncidentCondition& one) {
                                     return one.condition.key == kBurning + trouble.slo;
                                   });
    if (incident.over() || !of_it) continue;
    if (parts_.ask && asks_about(incident) && questions_.size() < kMostAsked) {
      questions_.push_back({incident.id, trouble.when.from, now_, false});
    }
    break;
  }
  troubles_.push_back(std::move(trouble));
  if (troubles_.size() > kMostTroubles) troubles_.pop_front();
}

void Desk::conditions(const std::vector<core::Condition>& conditions, WallTime now) {
  for (const core::Condition& condition : conditions) keep(book_.observe(condition, now));
}

void Desk::newcomers(std::vector<Newcomer> seen) {
  for (Newcomer& one : seen) {
    newcomers_.push_back(std::move(one));
    if (newcomers_.size() > kMostNewcomers) newcomers_.pop_front();
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

void Desk::still_firing(const std::vector<slo::AlertMemory>& memory, WallTime now) {
  std::vector<slo::AlertEvent> events;
  const auto all = book_.list({}, now);
  for (const slo::AlertMemory& one : memory) {
    if (!one.firing) continue;
    slo::AlertEvent event;
    event.slo = one.slo;
    event.service = one.service;
    event.rule = one.rule;
    event.severity = one.severity;
    event.priority = one.priority;
    event.at = event.since = one.since;
    event.summary = one.slo + " was burning when this node stopped, and has not been calm since";
    for (auto incident = all.rbegin(); incident != all.rend(); ++incident) {
      for (const core::IncidentCondition& known : incident->conditions) {
        if (known.condition.key == kBurning + one.slo) event.summary = known.condition.text;
      }
    }
    events.push_back(std::move(event));
  }
  alerts(events, now);
}

void Desk::tick(WallTime now) {
  now_ = now;
  if (now.ns - repeated_.ns >= kRepeatNs) {
    repeated_ = now;
    for (const auto& [slo, condition] : burning_) keep(book_.observe(condition, now));
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
  if (!begins || !parts_.ask || questions_.size() >= kMostAsked) return;
  if (!asks_about(*incident)) return;
  WallTime onset = incident->began;
  if (transition.kind == core::Transition::Kind::reopened) {
    onset = transition.at;  // of what brought it back
    for (const core::IncidentCondition& one : incident->conditions) {
      if (one.condition.holds) onset = std::min(onset, one.condition.since);
    }
  }
  questions_.push_back({transition.id, onset, now, false});
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
    if (untold_.size() < limits().max_events) untold_.push_back(event);  // else by the next life
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
