// What people and the agent tell of an incident, the ids, and the incident as it is told.
#include <algorithm>
#include <array>
#include <set>
#include <tuple>

#include "incident/incident_fold.hpp"
#include "incident/incident_parts.hpp"
#include "incident/text.hpp"
#include "nines/incident/happenings.hpp"

namespace nines::incident {
namespace {

constexpr int64_t kNumbers = 1000;

template <class T>
void add_bounded(std::vector<T>& list, T entry, size_t most, uint64_t& left_out) {
  if (list.size() < most) {
    list.push_back(std::move(entry));
  } else {
    ++left_out;
  }
}

std::string uid_of(const IncidentEvent& e) {
  return e.node + ":" + std::to_string(e.boot) + ":" + std::to_string(e.sequence);
}

std::string detail_or(const IncidentEvent& e, std::string_view name) {
  const std::string* text = e.detail(name);
  return text == nullptr ? std::string() : *text;
}

void acknowledge(Incident& i, const IncidentEvent& e, WallTime t) {
  if (i.over()) return;
  if (i.acknowledged == WallTime{}) {
    i.acknowledged = t;
    i.acknowledged_by = e.who;
  }
  if (i.first_acknowledged == WallTime{}) i.first_acknowledged = t;
  if (i.state == State::open || i.state == State::reopened) i.state = State::acknowledged;
}

void mitigate(Incident& i, const IncidentEvent& e, WallTime t) {
  if (i.over()) return;
  acknowledge(i, e, t);  // who mends it knows of it
  if (i.mitigated != WallTime{}) return;
  i.state = State::mitigated;
  i.mitigated = t;
  i.mitigated_by = e.who;
}

void assign(Incident& i, const IncidentEvent& e) {
  const auto role = role_of(detail_or(e, "role"));
  if (role) i.roles[static_cast<size_t>(*role)] = detail_or(e, "person");
}

void add_item(Incident& i, const IncidentEvent& e, WallTime t, size_t most) {
  ActionItem item;
  item.uid = uid_of(e);
  item.text = e.text;
  item.owner = detail_or(e, "owner");
  item.priority = detail_or(e, "priority");
  item.added = t;
  item.due = {number_of(e.detail("due"), 1, INT64_MAX).value_or(0)};
  add_bounded(i.items, std::move(item), most, i.left_out);
}

// By another node, that saw the same thing happen in the cluster.
bool is_told(const Incident& i, const Entry& entry) {
  const std::string* const ref = entry.detail("ref");
  if (ref == nullptr || !ref->starts_with(kClusterWide)) return false;
  return std::any_of(i.evidence.begin(), i.evidence.end(), [&](const Evidence& one) {
    const std::string* const known = one.entry.detail("ref");
    return known != nullptr && *known == *ref;
  });
}

void finish_item(Incident& i, const IncidentEvent& e, WallTime t) {
  const std::string uid = detail_or(e, "item");
  for (ActionItem& item : i.items) {
    if (item.uid == uid && item.done == WallTime{}) item.done = t;
  }
}

}  // namespace

size_t IncidentFold::declared(const IncidentEvent& event, WallTime t) {
  const size_t at = open(event, t);
  Track& track = tracks_[at];
  Incident& i = track.incident;
  i.declared = true;
  i.title = event.text;
  i.service = detail_or(event, "service");
  if (!i.service.empty()) i.services.push_back(i.service);
  i.severity = static_cast<int>(number_of(event.detail("priority"), 0, 3).value_or(3));
  i.severity_by = event.who;
  remember(track, event, t);
  return at;
}

size_t IncidentFold::told(const IncidentEvent& event, WallTime t) {
  size_t at = find(event.key, event.opened == WallTime{} ? t : event.opened);
  if (at == kNone) return kNone;
  settle(at, t);
  if (event.kind == EventKind::linked) {
    const auto ref = number_of(event.detail("with_opened"), 1, INT64_MAX);
    const std::string* with = event.detail("with");
    const size_t other = with == nullptr || !ref ? kNone : find(*with, {*ref});
    if (other == kNone) return kNone;
    if (other != at) {
      settle(other, t);
      at = merge(at, other);
    }
  }
  judge(tracks_[at], event, t);
  remember(tracks_[at], event, t);
  return at;
}

void IncidentFold::judge(Track& track, const IncidentEvent& e, WallTime t) {
  Incident& i = track.incident;
  switch (e.kind) {
    case EventKind::acknowledged: return acknowledge(i, e, t);
    case EventKind::mitigated: return mitigate(i, e, t);
    case EventKind::resolved:
      if (i.over()) return;
      i.recovered = brief(root(static_cast<size_t>(&track - tracks_.data())), t).recovered;
      i.state = State::resolved;
      i.resolved = t;
      i.resolved_by = e.who;
      i.resolution = e.text;
      for (IncidentCondition& c : i.conditions) {
        for (auto& o : c.observers) o.ended = o.ended == WallTime{} ? t : o.ended;
      }
      return;
    case EventKind::reopened:
      if (!i.over()) return;
      reopen(i, t);
      track.person_holds = true;
      return;
    case EventKind::severity_set:
      i.severity = static_cast<int>(number_of(e.detail("priority"), 0, 3).value_or(i.severity));
      i.severity_by = e.who.empty() ? "unknown" : e.who;
      return;
    default: list(i, e, t);
  }
}

void IncidentFold::list(Incident& i, const IncidentEvent& e, WallTime t) {
  const size_t most = limits_.max_entries;
  Entry entry{t, e.node, e.who, e.text, e.details};
  switch (e.kind) {
    case EventKind::role_assigned: return assign(i, e);
    case EventKind::item_added: return add_item(i, e, t, most);
    case EventKind::item_done: return finish_item(i, e, t);
    case EventKind::note: return add_bounded(i.notes, std::move(entry), most, i.left_out);
    case EventKind::action: return add_bounded(i.actions, std::move(entry), most, i.left_out);
    case EventKind::communication_sent:
      return add_bounded(i.communications, std::move(entry), most, i.left_out);
    case EventKind::page_sent: return add_bounded(i.pages, std::move(entry), most, i.left_out);
    case EventKind::cause_stated: return add_bounded(i.causes, std::move(entry), most, i.left_out);
    case EventKind::diagnostics:
      if (is_told(i, entry)) return;
      [[fallthrough]];
    case EventKind::suspects:
    case EventKind::impact:
      return add_bounded(i.evidence, Evidence{0, e.kind, std::move(entry)}, most, i.left_out);
    default: return;
  }
}

// In the order of (opened, key), so that all nodes with the same openings number them alike.
void IncidentFold::assign_ids() const {
  if (ids_known_) return;
  std::vector<size_t> order(tracks_.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const Track &x = tracks_[a], &y = tracks_[b];
    return std::tie(x.first_opened, x.incident.key) < std::tie(y.first_opened, y.incident.key);
  });
  ids_.assign(tracks_.size(), {});
  std::string day;
  std::set<int64_t> taken;
  std::map<std::string_view, int64_t> times;
  for (const size_t at : order) {
    const std::string date = date_text(tracks_[at].first_opened);
    if (date != day) {
      day = date;
      taken.clear();
      times.clear();
    }
    const std::string& key = tracks_[at].incident.key;
    const uint64_t hash = hash_of(cluster_ + '\n' + key + '\n' + day);
    int64_t number = static_cast<int64_t>(hash % kNumbers) + times[key]++;
    if (static_cast<int64_t>(taken.size()) < kNumbers) number %= kNumbers;
    while (!taken.insert(number).second) {
      // All of three digits taken: four.
      number = static_cast<int64_t>(taken.size()) < kNumbers ? (number + 1) % kNumbers : number + 1;
    }
    std::string digits = std::to_string(number);
    digits.insert(0, digits.size() < 3 ? 3 - digits.size() : 0, '0');
    ids_[at] = "INC-" + day.substr(0, 5) + day.substr(5, 2) + day.substr(8, 2) + "-" + digits;
  }
  ids_known_ = true;
}

const std::string& IncidentFold::id(size_t at) const {
  assign_ids();
  return ids_[at];
}

std::vector<size_t> IncidentFold::by_id(std::string_view wanted) const {
  assign_ids();
  std::vector<size_t> now, before;
  const auto add = [&](std::vector<size_t>& to, size_t at) {
    if (std::find(to.begin(), to.end(), root(at)) == to.end()) to.push_back(root(at));
  };
  for (size_t at = 0; at < tracks_.size(); ++at) {
    const auto& told = tracks_[at].told;
    if (ids_[at] == wanted) add(now, at);
    if (std::find(told.begin(), told.end(), wanted) != told.end()) add(before, at);
  }
  for (const size_t at : before) add(now, at);
  return now;
}

Incident IncidentFold::view(size_t at, WallTime t) const {
  Incident i = tracks_[at].incident;
  const Brief b = brief(at, t);
  if (b.itself && !i.over()) {
    i.history.push_back({b.resolved, EventKind::resolved, true, {}, {}, {}});
  }
  i.state = b.state;
  i.resolved = b.resolved;
  i.recovered = b.recovered;
  i.resolved_itself = b.itself;
  for (IncidentCondition& c : i.conditions) {
    c.over = over_at(c, t);
    c.condition.holds = c.over == WallTime{};
    c.condition.at = c.condition.holds ? c.began : c.over;
  }
  i.id = id(at);
  std::set<std::string> others;
  for (size_t other = 0; other < tracks_.size(); ++other) {
    if (root(other) != at) continue;
    others.insert(ids_[other]);
    others.insert(tracks_[other].told.begin(), tracks_[other].told.end());
  }
  others.erase(i.id);
  i.aliases.assign(others.begin(), others.end());
  int number = 0;
  for (Evidence& e : i.evidence) e.number = ++number;
  number = 0;
  for (ActionItem& item : i.items) item.item = "A" + std::to_string(++number);
  return i;
}

}  // namespace nines::incident
