#include "app/node_context.hpp"

#include <algorithm>
#include <utility>

#include "app/log.hpp"

namespace nines::agent {
namespace {

// The Detector takes a container for gone that nobody tells of for ten minutes.
constexpr int64_t kTellContainersNs = 60 * kNsPerSecond;
constexpr int64_t kKeepNs = 60 * kNsPerSecond;

nines::incident::Happening happening_of(const k8s::Rollout& rollout) {
  const slo::Change change = k8s::change_of(rollout, {});
  nines::incident::Happening out;
  out.at = change.at;
  out.kind = nines::incident::HappeningKind::rollout;
  out.service = rollout.service;
  out.pod = rollout.pod;
  out.text = change.text;
  out.key = k8s::rollout_key(rollout.object, rollout.revision);
  if (out.key.empty()) {
    out.key = "rollout/" + rollout.document.key + "/" + rollout.revision + "/" +
              std::to_string(rollout.at.seconds());
  }
  return out;
}

}  // namespace

NodeContext::NodeContext(Parts parts)
    : parts_(std::move(parts)),
      status_([this](nines::incident::Happening one) { facts_.happened(std::move(one)); }),
      node_events_(parts_.node, status_,
                   [this](nines::incident::Happening one) { facts_.happened(std::move(one)); }) {}

Status NodeContext::restore(store::StateStore& store) {
  NINES_TRY(const auto kept, store.documents(incident::NodeFacts::kDocuments));
  facts_.restore(kept);
  NINES_TRY(const auto rollouts, store.documents(k8s::Rollouts::kDocuments));
  rollouts_.restore(rollouts);
  return Ok{};
}

void NodeContext::follow_events(const k8s::Following& pods, uint64_t seed) {
  if (!pods.access) return;
  k8s::SyncOptions options;
  options.node = pods.node;
  events_ = std::make_unique<k8s::Followed>(parts_.io, parts_.clock, *pods.access, options,
                                            node_events_, seed);
}

void NodeContext::stop() {
  events_.reset();
  ingest_ = nullptr;
}

void NodeContext::list_began() {
  listed_ = false;
  status_.list_began();
}

void NodeContext::pod(const k8s::RawPod& pod, bool deleted) {
  const WallTime now = to_ms(parts_.clock.wall());
  if (deleted) {
    status_.remove(pod.uid, now);
    rollouts_.remove(pod.uid);
    return;
  }
  status_.put(pod, now);
  rollouts_.put(pod, status_.service_of(pod));
}

void NodeContext::list_ended() {
  const WallTime now = to_ms(parts_.clock.wall());
  for (const std::string& uid : status_.list_ended(now)) rollouts_.remove(uid);
  listed_ = true;
  facts_.api_tells();
  // What runs now is what the next event is compared with.
  look_at_rollouts(now);
}

void NodeContext::vital(std::string_view name, double value, WallTime at) {
  facts_.vital(name, value, to_ms(at));
}

void NodeContext::observed(const incident::Observed& observed) {
  facts_.observed(observed, to_ms(parts_.clock.wall()));
  for (const incident::PodService& one : observed.services) status_.learned(one);
}

void NodeContext::look(WallTime now) {
  if (listed_) look_at_rollouts(now);
  tell_containers(now);
  facts_.look(now);
  if (now.ns - kept_.ns < kKeepNs) return;
  kept_ = now;
  Record record;
  record.documents = facts_.take_changes();
  if (!record.empty()) parts_.keep(std::move(record));
}

void NodeContext::look_at_rollouts(WallTime now) {
  k8s::Rollouts::Seen seen = rollouts_.look(now);
  for (const k8s::Rollout& begun : rollouts_.take_begun()) facts_.happened(happening_of(begun));
  Record record;
  record.documents = std::move(seen.documents);
  for (k8s::Rollout& rollout : seen.rollouts) {
    const auto& known = parts_.changes();
    const bool annotated = std::any_of(known.begin(), known.end(), [&](const slo::Change& change) {
      return k8s::is_annotated(rollout, change);
    });
    if (!annotated) record.changes.push_back(k8s::change_of(rollout, parts_.node));
    record.documents.push_back(std::move(rollout.document));
  }
  if (!record.empty()) parts_.keep(std::move(record));
}

void NodeContext::tell_containers(WallTime now) {
  if (ingest_ == nullptr) return;
  auto kills = status_.take_kills();
  const bool due = now.ns - told_containers_.ns >= kTellContainersNs;
  std::vector<incident::PodContainer> all;
  if (status_.take_changed() || due || !kills.empty()) {
    told_containers_ = now;
    all = status_.containers();
  }
  if (all.empty() && kills.empty()) return;
  ingest_->post([all = std::move(all), kills = std::move(kills), now](Ingest& ingest) {
    if (ingest.watcher() == nullptr) return;
    incident::Containers& containers = ingest.watcher()->containers();
    containers.told(all, now);
    for (const incident::PodKill& kill : kills) containers.killed(kill);
  });
}

ContextStats NodeContext::stats() const {
  ContextStats out;
  const incident::NodeFacts::Stats facts = facts_.stats();
  out.happenings = facts.happenings;
  out.let_go = facts.happenings_let_go;
  out.metrics = facts.metrics;
  out.metrics_let_go = facts.metrics_let_go;
  out.refused = status_.refused() + rollouts_.refused();
  out.events = events_ != nullptr;
  if (events_) {
    out.sync = events_->stats();
    out.events_connected = events_->connected();
  }
  return out;
}

}  // namespace nines::agent
