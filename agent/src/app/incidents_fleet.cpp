// Incidents of all nodes are one set of events: what this node adds to it is told to the others,
// and what they tell is merged. And nodes that fall silent are conditions like others.
#include <algorithm>
#include <map>

#include "app/incidents.hpp"
#include "app/log.hpp"

namespace nines::agent {
namespace {

namespace core = incident::core;
using fleet::FleetEvent;

// Longer than it takes to find out whether a node that was not heard is silent.
constexpr int64_t kSuspectNs = 60 * kNsPerSecond;
constexpr int64_t kLookEveryNs = 60 * kNsPerSecond;
constexpr int64_t kHearAnewEveryNs = 600 * kNsPerSecond;

// Of the pages that this node has made, the newest of each node: whether it holds.
std::vector<core::Condition> silent_nodes(const fleet::FleetState& state) {
  std::set<std::string> ended;
  std::map<std::string, FleetEvent> paged;
  for (const auto& origin : state.origins()) {
    for (auto& event : state.events(origin, FleetEvent::Stream::membership)) {
      if (event.kind == FleetEvent::Kind::node_back) ended.insert(event.rule);
      if (event.kind != FleetEvent::Kind::node_silent || origin != state.self()) continue;
      FleetEvent& newest = paged[event.subject];
      if (newest.at <= event.at) newest = std::move(event);
    }
  }
  std::vector<core::Condition> out;
  for (const auto& [node, page] : paged) {
    core::Condition& condition = out.emplace_back();
    condition.key = "silent/" + node;
    condition.kind = core::ConditionKind::node_silent;
    condition.priority = page.priority;
    condition.holds = !ended.contains(page.rule);
    condition.since = page.since;
    condition.at = page.at;
    condition.node = node;
    condition.text = condition.holds ? page.summary : "node " + node + " is heard again";
  }
  return out;
}

}  // namespace

// Once, before peers are met.
void Incidents::join_fleet() {
  FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr) return;
  desk_.tell_again();
  tell_fleet();
  fleet->listen(FleetLink::Stream::incidents,
                [this, alive = std::weak_ptr<bool>(alive_)](const std::string& origin,
                                                            const FleetEvent& event) {
                  if (alive.expired()) return;
                  (void)desk_.heard(origin, event.body, to_ms(parts_.clock.wall()));
                });
}

void Incidents::tell_fleet() {
  const auto events = desk_.take_events();
  FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr) return;
  for (const core::IncidentEvent& event : events) {
    fleet->publish(FleetLink::Stream::incidents, event.boot, event.sequence, event.at,
                   core::encode_event(event));
  }
}

void Incidents::decided() {
  looked_ = {};
  look_at_fleet(to_ms(parts_.clock.wall()));
  changed();
}

void Incidents::look_at_fleet(WallTime now) {
  FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr) return;
  using State = peer::PeerView::State;
  for (const auto& view : fleet->peers()) {
    if (view.state == State::suspect || view.state == State::silent) {
      desk_.book().suspect(view.node, {now.ns + kSuspectNs});
    }
  }
  if (now.ns - looked_.ns >= kLookEveryNs) look_at_silent_nodes(*fleet, now);
  recall(*fleet);
  // What the book refused, for want of room or because a clock was ahead, it may take by now.
  const uint64_t refused = desk_.fleet_counters().refused;
  if (refused != refused_ && now.ns - heard_anew_.ns >= kHearAnewEveryNs) {
    heard_anew_ = now;
    refused_ = refused;
    fleet->tell_anew(FleetLink::Stream::incidents);
  }
}

void Incidents::look_at_silent_nodes(const FleetLink& fleet, WallTime now) {
  looked_ = now;
  const auto nodes = silent_nodes(fleet.state());
  desk_.conditions(nodes, now);
  std::set<std::string> gone;
  for (const core::Condition& one : nodes) {
    if (one.holds) gone.insert(one.node);
  }
  desk_.stand_in_for(gone, now);
}

// Events of a node that this one's store has kept belong to what the fleet knows of that node: it
// may have lost them, and nobody else may have them any more.
void Incidents::recall(FleetLink& fleet) {
  for (const std::string& origin : fleet.state().origins()) {
    if (origin == fleet.state().self() || !met_.insert(origin).second) continue;
    for (const core::IncidentEvent& event : desk_.events_of(origin)) {
      fleet.recall(origin, FleetLink::Stream::incidents, event.boot, event.sequence, event.at,
                   core::encode_event(event));
    }
  }
}

}  // namespace nines::agent
