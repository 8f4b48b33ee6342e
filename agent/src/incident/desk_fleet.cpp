// The desk among those of other nodes: what it tells, what it hears, and for whom it stands in.
#include <algorithm>

#include "incident/desk.hpp"

namespace nines::agent::incident {
namespace {

// Of earlier lives: as many as other nodes keep of this one.
constexpr size_t kMostToldAgain = 512;
constexpr int64_t kHistoryNs = 3600 * kNsPerSecond;

}  // namespace

core::IncidentBook::Events Desk::take_events() { return std::exchange(untold_, {}); }

void Desk::tell_again() {
  for (const core::IncidentEvent& event : book_.events()) {
    if (event.node == self_) untold_.push_back(event);
  }
  std::sort(untold_.begin(), untold_.end(), [](const auto& a, const auto& b) {
    return std::tie(a.boot, a.sequence) < std::tie(b.boot, b.sequence);
  });
  if (untold_.size() > kMostToldAgain) {
    untold_.erase(untold_.begin(), untold_.end() - static_cast<std::ptrdiff_t>(kMostToldAgain));
  }
}

core::IncidentBook::Events Desk::events_of(std::string_view origin) const {
  const std::string name = core::short_name(origin, core::kMaxEventNode);
  core::IncidentBook::Events out;
  for (core::IncidentEvent& event : book_.events()) {
    if (event.node == name) out.push_back(std::move(event));
  }
  return out;
}

bool Desk::heard(std::string_view origin, std::string_view body, WallTime now) {
  const auto event = core::decode_event(body);
  if (!event || event->node != core::short_name(origin, core::kMaxEventNode)) {
    ++fleet_.invalid;
    return false;
  }
  switch (book_.merge(*event, now)) {
    case core::IncidentBook::Merge::known: return true;
    case core::IncidentBook::Merge::refused: ++fleet_.refused; return false;
    case core::IncidentBook::Merge::news: break;
  }
  ++fleet_.heard;
  documents_.push_back({kDocuments, document_key(*event), std::string(body)});
  kept_.insert(documents_.back().key);
  return true;
}

// Over for long when it was heard: a part of the past that this node has learned.
bool Desk::is_history(const core::Transition& transition, const core::Incident& incident,
                      WallTime now) {
  return incident.over() && now.ns - transition.at.ns > kHistoryNs &&
         now.ns - incident.resolved.ns > kHistoryNs;
}

// One node asks who is suspected, that which opened it, or who stands in for that.
bool Desk::asks_about(const core::Incident& incident) const {
  return incident.opened_on == self_ || gone_.contains(incident.opened_on);
}

// Calls between nodes are seen by nobody alone.
void Desk::learn_calls(const Answer& answer) {
  for (const auto& call : answer.calls) {
    book_.topology().add_edge(call.caller, call.callee, static_cast<double>(call.requests));
  }
}

void Desk::stand_in_for(const std::set<std::string>& nodes, WallTime now) {
  std::set<std::string> gone;
  for (const std::string& node : nodes) gone.insert(core::short_name(node, core::kMaxEventNode));
  const auto before = std::exchange(gone_, std::move(gone));
  if (!parts_.ask || std::includes(before.begin(), before.end(), gone_.begin(), gone_.end())) {
    return;
  }
  core::BookQuery open;
  open.only_open = true;
  for (const core::Incident& incident : book_.list(open, now)) {
    const bool orphaned =
        gone_.contains(incident.opened_on) && !before.contains(incident.opened_on);
    if (!orphaned || incident.newest(core::EventKind::suspects) != nullptr) continue;
    ask_later({incident.id, incident.began, now, false});
  }
}

}  // namespace nines::agent::incident
