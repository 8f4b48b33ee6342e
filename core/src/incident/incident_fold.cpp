#include "incident/incident_fold.hpp"

#include <algorithm>

#include "incident/incident_parts.hpp"
#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr size_t kMaxObservers = 128;

void add_once(std::vector<std::string>& list, const std::string& name, size_t most) {
  if (name.empty() || list.size() >= most) return;
  if (std::find(list.begin(), list.end(), name) == list.end()) list.push_back(name);
}

void retitle(Incident& incident) {
  const auto worst = std::min_element(
      incident.conditions.begin(), incident.conditions.end(),
      [](const auto& a, const auto& b) { return a.condition.priority < b.condition.priority; });
  if (worst != incident.conditions.end()) incident.title = worst->condition.text;
}

// The sentence of an event, with what only its details say.
std::string what_of(const IncidentEvent& e) {
  const auto said = [&](std::string_view name) {
    const std::string* text = e.detail(name);
    return text == nullptr ? std::string() : *text;
  };
  std::string head;
  if (e.kind == EventKind::role_assigned) {
    const auto role = role_of(said("role"));
    head = role ? std::string(role_title(*role)) + ": " + said("person") : "";
  }
  if (e.kind == EventKind::severity_set) head = "P" + said("priority");
  if (e.kind == EventKind::page_sent && !said("person").empty()) head = said("person");
  if (e.kind == EventKind::communication_sent) head = said("template");
  if (head.empty() || e.text.empty()) return head + e.text;
  return head + ", " + e.text;
}

}  // namespace

void IncidentFold::clear() {
  tracks_.clear();
  by_key_.clear();
  by_condition_.clear();
  ids_known_ = true;
}

size_t IncidentFold::root(size_t at) const noexcept {
  while (tracks_[at].merged_into != kNone) at = tracks_[at].merged_into;
  return at;
}

bool IncidentFold::holds(const IncidentCondition& c, WallTime t) const noexcept {
  return std::any_of(c.observers.begin(), c.observers.end(), [&](const auto& o) {
    return o.ended == WallTime{} && o.told.ns + rules_.lapse_s * kNsPerSecond > t.ns;
  });
}

WallTime IncidentFold::over_at(const IncidentCondition& c, WallTime t) const noexcept {
  if (holds(c, t)) return {};
  WallTime last;
  for (const auto& o : c.observers) {
    const WallTime lapsed{o.told.ns + rules_.lapse_s * kNsPerSecond};
    last = std::max(last, o.ended == WallTime{} ? lapsed : o.ended);
  }
  return last;
}

IncidentFold::Brief IncidentFold::brief(size_t at, WallTime t) const {
  const Track& track = tracks_[at];
  const Incident& i = track.incident;
  Brief out{i.state, i.resolved, i.recovered, i.resolved_itself};
  if (i.over()) return out;
  out.recovered = {};
  for (const IncidentCondition& c : i.conditions) {
    const WallTime over = over_at(c, t);
    if (over == WallTime{}) {
      out.recovered = {};
      return out;
    }
    out.recovered = std::max(out.recovered, over);
  }
  const WallTime due{out.recovered.ns + rules_.resolve_s * kNsPerSecond};
  if (i.conditions.empty() || i.declared || track.person_holds || due > t) return out;
  out.state = State::resolved;
  out.resolved = due;
  out.itself = true;
  return out;
}

// What time alone did by `t` becomes part of the story.
void IncidentFold::settle(size_t at, WallTime t) {
  Incident& i = tracks_[at].incident;
  const Brief now = brief(at, t);
  if (i.over() || now.state != State::resolved) return;
  i.state = State::resolved;
  i.resolved = now.resolved;
  i.recovered = now.recovered;
  i.resolved_itself = true;
  i.history.push_back({now.resolved, EventKind::resolved, true, {}, {}, {}});
}

bool IncidentFold::is_live(size_t at, WallTime t) const {
  const Brief b = brief(at, t);
  return b.state != State::resolved || t.ns - b.resolved.ns <= rules_.reopen_s * kNsPerSecond;
}

size_t IncidentFold::of_condition(std::string_view key, WallTime t) const {
  const auto found = by_condition_.find(key);
  if (found == by_condition_.end()) return kNone;
  const size_t at = root(found->second);
  return is_live(at, t) ? at : kNone;
}

// The last one of the key that was opened by `ref`.
size_t IncidentFold::find(std::string_view key, WallTime ref) const {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return kNone;
  const auto& openings = found->second;
  const auto behind = std::upper_bound(openings.begin(), openings.end(), ref,
                                       [](WallTime t, const Opening& o) { return t < o.at; });
  return behind == openings.begin() ? kNone : root(std::prev(behind)->track);
}

size_t IncidentFold::open(const IncidentEvent& event, WallTime t) {
  const size_t at = tracks_.size();
  Track& track = tracks_.emplace_back();
  Incident& i = track.incident;
  i.key = event.key;
  i.opened_on = event.node;
  i.opened = i.began = i.unanswered_since = track.first_opened = t;
  by_key_[event.key].push_back({t, at});
  ids_known_ = false;
  return at;
}

size_t IncidentFold::apply(const IncidentEvent& event) {
  const WallTime t = event.order();
  size_t at = kNone;
  switch (event.kind) {
    case EventKind::condition_began: at = began(event, t); break;
    case EventKind::condition_ended: at = ended(event, t); break;
    case EventKind::declared: at = declared(event, t); break;
    default: at = told(event, t);
  }
  if (at == kNone) return kNone;
  Track& track = tracks_[at];
  ++track.events;
  track.incident.last_event = std::max(track.incident.last_event, t);
  if (!event.id.empty()) tell(at, event.id);
  return at;
}

void IncidentFold::tell(size_t at, std::string_view id) {
  constexpr size_t kMaxTold = 16;
  if (id.starts_with("INC-")) add_once(tracks_[at].told, std::string(id), kMaxTold);
}

size_t IncidentFold::began(const IncidentEvent& event, WallTime t) {
  const auto condition = condition_of(event);
  if (!condition) return kNone;
  size_t known = of_condition(condition->key, t);
  size_t named = find(event.key, event.opened == WallTime{} ? t : event.opened);
  if (named != kNone && !is_live(named, t)) named = kNone;
  if (known != kNone) settle(known, t);
  if (named != kNone) settle(named, t);
  if (known != kNone && event.detail("again") != nullptr) {
    const Incident& i = tracks_[known].incident;
    // Closed by a person although it holds: that it still does is no news yet.
    if (i.over() && !i.resolved_itself) return known;
  }
  if (known != kNone && named != kNone && known != named) known = merge(known, named);
  size_t at = known != kNone ? known : named;
  if (at == kNone) at = open(event, t);
  by_condition_[condition->key] = at;
  auto& openings = by_key_[event.key];
  if (openings.empty() || root(openings.back().track) != at) openings.push_back({t, at});
  hold(tracks_[at], event, *condition, t);
  return at;
}

void IncidentFold::hold(Track& track, const IncidentEvent& event, const Condition& condition,
                        WallTime t) {
  Incident& i = track.incident;
  if (i.over()) reopen(i, t);
  const bool first = i.conditions.empty();
  IncidentCondition* c = find_condition(i, condition.key);
  if (c == nullptr && i.conditions.size() >= limits_.max_conditions) {
    ++i.left_out;
    return;
  }
  const bool fresh = c == nullptr || !holds(*c, t);
  if (c == nullptr) {
    c = &i.conditions.emplace_back();
    c->condition = condition;
  }
  const bool worse = condition.priority < c->condition.priority;
  if (fresh || worse) c->condition.text = condition.text;
  c->condition.priority = std::min(c->condition.priority, condition.priority);
  c->condition.since = fresh ? condition.since : std::min(c->condition.since, condition.since);
  if (fresh) c->began = t;
  auto* observer = find_observer(*c, event.node);
  if (observer == nullptr && c->observers.size() < kMaxObservers) {
    observer = &c->observers.emplace_back();
    observer->node = event.node;
  }
  if (observer != nullptr) *observer = {event.node, t, {}};

  i.began = first ? std::min(condition.since, t) : std::min(i.began, condition.since);
  if (first && i.service.empty()) i.service = condition.service;
  add_once(i.services, condition.service, limits_.max_conditions);
  add_once(i.nodes, condition.node, limits_.max_conditions);
  if (fresh || worse) {
    const bool raises = condition.priority < i.severity;
    if (raises && !first) i.unanswered_since = t;
    if (raises) i.severity_by.clear();
    i.severity = std::min(i.severity, condition.priority);
  }
  track.person_holds = track.person_holds && !fresh;
  retitle(i);
  if (fresh || worse) remember(track, event, t);
}

void IncidentFold::reopen(Incident& i, WallTime t) const {
  i.state = State::reopened;
  i.reopened = i.unanswered_since = t;
  ++i.reopens;
  i.acknowledged = i.mitigated = i.resolved = i.recovered = {};
  i.acknowledged_by.clear();
  i.mitigated_by.clear();
  i.resolved_by.clear();
  i.resolution.clear();
  i.resolved_itself = false;
}

size_t IncidentFold::ended(const IncidentEvent& event, WallTime t) {
  const std::string* key = event.detail("condition");
  const auto found = key == nullptr ? by_condition_.end() : by_condition_.find(*key);
  if (found == by_condition_.end()) return kNone;
  const size_t at = root(found->second);
  settle(at, t);
  IncidentCondition* c = find_condition(tracks_[at].incident, *key);
  auto* observer = c == nullptr ? nullptr : find_observer(*c, event.node);
  if (observer == nullptr) return at;
  if (observer->ended == WallTime{}) observer->ended = t;
  if (!holds(*c, t)) remember(tracks_[at], event, t);
  return at;
}

void IncidentFold::remember(Track& track, const IncidentEvent& event, WallTime t) {
  Incident& i = track.incident;
  if (i.history.size() >= 4 * limits_.max_entries) {
    ++i.left_out;
    return;
  }
  i.history.push_back({t, event.kind, false, event.node, event.who, what_of(event)});
}

}  // namespace nines::incident
