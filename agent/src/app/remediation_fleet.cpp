// Rules, approvals and the kill switch are the fleet's: what this node says of them is told to all,
// and what others say is heard; and each node keeps the heads of the others' audit logs.
#include "app/log.hpp"
#include "app/remediation.hpp"

namespace nines::agent {
namespace {

namespace core = nines::remedy;
using Stream = FleetLink::Stream;

constexpr int64_t kHearAnewEveryNs = 600 * kNsPerSecond;

void publish(FleetLink& fleet, const core::GuardEvent& event) {
  fleet.publish(remedy::Steward::stream_of(event.kind), event.boot, event.sequence, event.at,
                core::encode_guard(event));
}

}  // namespace

// Once, before peers are met.
void Remediation::join_fleet() {
  FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr) return;
  for (const core::GuardEvent& event : steward_->events_of(parts_.config.node)) {
    publish(*fleet, event);
  }
  tell_head(steward_->audit().head());
  const std::weak_ptr<bool> alive(alive_);
  for (const Stream stream : {Stream::switches, Stream::rules, Stream::acts}) {
    fleet->listen(stream, [this, alive](const std::string& origin, const fleet::FleetEvent& event) {
      if (!alive.expired()) (void)steward_->heard(origin, event, to_ms(parts_.clock.wall()));
    });
  }
  fleet->listen(Stream::anchors,
                [this, alive](const std::string& origin, const fleet::FleetEvent& event) {
                  if (!alive.expired()) head_heard(origin, event);
                });
}

remedy::Steward::Rank Remediation::rank() const {
  remedy::Steward::Rank out;
  const FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr) return out;
  using State = peer::PeerView::State;
  for (const peer::PeerView& peer : fleet->peers()) {
    if (peer.state != State::alive && peer.state != State::suspect) continue;
    ++out.nodes;
    out.before += peer.node < parts_.config.node ? 1 : 0;
  }
  return out;
}

void Remediation::tell(const core::GuardEvent& event) {
  if (FleetLink* const fleet = parts_.fleet()) publish(*fleet, event);
}

void Remediation::tell_head(const core::AuditHead& head) {
  FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr || head.number == 0) return;
  fleet->publish(Stream::anchors, boot_, head.number, {}, remedy::encode_anchor(head));
}

void Remediation::head_heard(const std::string& origin, const fleet::FleetEvent& event) {
  const auto head = remedy::decode_anchor(event.body);
  const bool own = origin == parts_.config.node;
  if (!head || head->number != event.sequence || (own && event.boot == boot_)) return;
  std::optional<remedy::AuditAnchors::Fault> found;
  auto document = anchors_.heard(origin, {event.boot, *head}, to_ms(parts_.clock.wall()), found);
  if (document) {
    store::StateStore::Record record;
    record.documents.push_back(std::move(*document));
    parts_.keep(std::move(record), [](const Status&) {});
  }
  if (found && !own) {
    log::error("remedy", "record " + std::to_string(found->number) + " of the audit log of " +
                             origin + " cannot be trusted: " + found->why);
  }
  if (own) say_audit_fault();
}

std::optional<core::AuditFault> Remediation::audit_fault() const {
  std::vector<core::AuditHead> seen;
  for (const remedy::Anchor& one : anchors_.of(parts_.config.node)) seen.push_back(one.head);
  return steward_->audit().fault(seen);
}

void Remediation::say_audit_fault() {
  const auto fault = audit_fault();
  if (!fault || std::exchange(fault_said_, true)) return;
  log::error("remedy", "record " + std::to_string(fault->number) +
                           " of the audit log cannot be trusted: " + fault->why);
}

void Remediation::look_at_fleet(WallTime now) {
  FleetLink* const fleet = parts_.fleet();
  if (fleet == nullptr) return;
  recall(*fleet);
  // What had no room, or was ahead of this clock, may be taken by now; what could not be read may
  // have been told anew.
  const auto& counters = steward_->counters();
  const bool wanting = counters.heard_refused != refused_ || steward_->broken() > 0;
  if (!wanting || now.ns - heard_anew_.ns < kHearAnewEveryNs) return;
  heard_anew_ = now;
  for (const Stream stream : {Stream::switches, Stream::rules, Stream::acts}) {
    fleet->tell_anew(stream);
  }
  refused_ = counters.heard_refused;
}

// What a node once said, and this one has kept, belongs to what the fleet knows of that node: it
// may have lost it, and nobody else may have it any more.
void Remediation::recall(FleetLink& fleet) {
  for (const std::string& origin : fleet.state().origins()) {
    if (origin == fleet.state().self() || !met_.insert(origin).second) continue;
    for (const core::GuardEvent& event : steward_->events_of(origin)) {
      fleet.recall(origin, remedy::Steward::stream_of(event.kind), event.boot, event.sequence,
                   event.at, core::encode_guard(event));
    }
    for (const remedy::Anchor& one : anchors_.of(origin)) {
      fleet.recall(origin, Stream::anchors, one.boot, one.head.number, {},
                   remedy::encode_anchor(one.head));
    }
  }
}

}  // namespace nines::agent
