// Two nodes opened an incident each, and it was one.
#include <iterator>
#include <utility>

#include "incident/incident_fold.hpp"
#include "incident/incident_parts.hpp"

namespace nines::incident {
namespace {

WallTime earlier(WallTime a, WallTime b) {  // 0: none
  if (a == WallTime{} || b == WallTime{}) return std::max(a, b);
  return std::min(a, b);
}

// What is not finished in one of them is not finished.
State joined_state(const Incident& a, const Incident& b) {
  if (a.state == b.state) return a.state;
  if (a.over()) return b.state;
  if (b.over()) return a.state;
  const auto is_waiting = [](State s) { return s == State::open || s == State::reopened; };
  if (is_waiting(a.state) && is_waiting(b.state)) return State::reopened;
  return State::acknowledged;
}

void join_conditions(Incident& into, Incident& from, size_t most) {
  for (IncidentCondition& c : from.conditions) {
    IncidentCondition* same = find_condition(into, c.condition.key);
    if (same == nullptr) {
      if (into.conditions.size() < most) into.conditions.push_back(std::move(c));
      continue;
    }
    same->began = std::min(same->began, c.began);
    same->condition.since = std::min(same->condition.since, c.condition.since);
    same->condition.priority = std::min(same->condition.priority, c.condition.priority);
    for (auto& o : c.observers) {
      auto* known = find_observer(*same, o.node);
      if (known == nullptr)
        same->observers.push_back(std::move(o));
      else if (known->told < o.told)
        *known = std::move(o);
    }
  }
  std::stable_sort(into.conditions.begin(), into.conditions.end(),
                   [](const auto& a, const auto& b) { return a.began < b.began; });
}

void join_names(std::vector<std::string>& into, const std::vector<std::string>& from, size_t most) {
  for (const std::string& name : from) {
    const bool known = std::find(into.begin(), into.end(), name) != into.end();
    if (!known && into.size() < most) into.push_back(name);
  }
}

template <class T, class Time>
void join_list(std::vector<T>& into, std::vector<T>& from, size_t most, Time time) {
  into.insert(into.end(), std::make_move_iterator(from.begin()),
              std::make_move_iterator(from.end()));
  std::stable_sort(into.begin(), into.end(),
                   [&](const T& a, const T& b) { return time(a) < time(b); });
  if (into.size() > most) into.erase(into.begin() + static_cast<std::ptrdiff_t>(most), into.end());
}

void join_lists(Incident& into, Incident& from, const BookLimits& limits) {
  join_conditions(into, from, limits.max_conditions);
  join_names(into.services, from.services, limits.max_conditions);
  join_names(into.nodes, from.nodes, limits.max_conditions);
  for (size_t r = 0; r < kRoles; ++r) {
    if (into.roles[r].empty()) into.roles[r] = std::move(from.roles[r]);
  }
  const auto at = [](const auto& e) { return e.at; };
  const size_t most = limits.max_entries;
  join_list(into.pages, from.pages, most, at);
  join_list(into.communications, from.communications, most, at);
  join_list(into.actions, from.actions, most, at);
  join_list(into.notes, from.notes, most, at);
  join_list(into.causes, from.causes, most, at);
  join_list(into.evidence, from.evidence, most, [](const Evidence& e) { return e.entry.at; });
  join_list(into.items, from.items, most, [](const ActionItem& i) { return i.added; });
  join_list(into.history, from.history, 4 * most, at);
}

void join_severity(Incident& into, const Incident& from) {
  if (!into.severity_by.empty()) return;
  if (from.severity_by.empty()) {
    into.severity = std::min(into.severity, from.severity);
  } else {
    into.severity = from.severity;
    into.severity_by = from.severity_by;
  }
}

void take_progress(Incident& into, const Incident& from) {
  into.acknowledged = from.acknowledged;
  into.acknowledged_by = from.acknowledged_by;
  into.mitigated = from.mitigated;
  into.mitigated_by = from.mitigated_by;
  into.unanswered_since = from.unanswered_since;
  into.resolved = into.recovered = {};
  into.resolved_by.clear();
  into.resolution.clear();
  into.resolved_itself = false;
}

void join_progress(Incident& into, const Incident& from, State state) {
  if (into.over() && from.over()) {
    into.recovered = std::max(into.recovered, from.recovered);
    if (from.resolved > into.resolved) {
      into.resolved = from.resolved;
      into.resolved_by = from.resolved_by;
      into.resolution = from.resolution;
      into.resolved_itself = from.resolved_itself;
    }
  } else if (into.over()) {
    take_progress(into, from);
  } else if (!from.over()) {
    if (into.acknowledged == WallTime{}) into.acknowledged_by = from.acknowledged_by;
    into.acknowledged = earlier(into.acknowledged, from.acknowledged);
    if (into.mitigated == WallTime{}) into.mitigated_by = from.mitigated_by;
    into.mitigated =
        state == State::mitigated ? earlier(into.mitigated, from.mitigated) : WallTime{};
    into.unanswered_since = std::max(into.unanswered_since, from.unanswered_since);
  }
}

}  // namespace

void join(Incident& into, Incident& from, const BookLimits& limits) {
  const State state = joined_state(into, from);
  join_progress(into, from, state);
  into.state = state;
  join_severity(into, from);
  into.began = std::min(into.began, from.began);
  into.first_acknowledged = earlier(into.first_acknowledged, from.first_acknowledged);
  into.reopened = std::max(into.reopened, from.reopened);
  into.reopens += from.reopens;
  into.declared = into.declared || from.declared;
  into.last_event = std::max(into.last_event, from.last_event);
  into.left_out += from.left_out;
  if (into.service.empty()) into.service = from.service;
  if (into.title.empty()) into.title = from.title;
  join_lists(into, from, limits);
}

// The one opened first goes on.
size_t IncidentFold::merge(size_t a, size_t b) {
  const auto order = [&](size_t at) {
    return std::pair(tracks_[at].incident.opened.ns, std::string_view(tracks_[at].incident.key));
  };
  if (order(b) < order(a)) std::swap(a, b);
  join(tracks_[a].incident, tracks_[b].incident, limits_);
  tracks_[a].person_holds = tracks_[a].person_holds || tracks_[b].person_holds;
  tracks_[a].events += tracks_[b].events;
  tracks_[b].merged_into = a;
  return a;
}

}  // namespace nines::incident
