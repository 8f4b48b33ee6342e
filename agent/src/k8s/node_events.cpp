#include "k8s/node_events.hpp"

#include <utility>

#include "http/message.hpp"

namespace nines::agent::k8s {
namespace {

using nines::incident::Happening;
using nines::incident::HappeningKind;

// What goes on all the time, and is told by the status of the pods themselves.
constexpr const char* kRoutine[] = {
    "Scheduled",         "Pulling",         "Pulled",
    "Created",           "Started",         "SuccessfulCreate",
    "SuccessfulDelete",  "SawCompletedJob", "SuccessfulAttachVolume",
    "ScalingReplicaSet", "Completed",       "LeaderElection"};

}  // namespace

std::string NodeEvents::target() const {
  std::string selector;
  for (const char* reason : kRoutine) {
    selector += (selector.empty() ? "" : ",") + std::string("reason!=") + reason;
  }
  return "/api/v1/events?fieldSelector=" + http::percent_encode(selector);
}

Resource::Taken NodeEvents::take(const ApiObject& object, bool deleted) {
  const RawEvent& noticed = object.noticed;
  if (object.pod.uid.empty() || noticed.kind.empty()) return Taken::malformed;
  PodStatus::About about{noticed.ns, noticed.name, {}};
  if (noticed.kind == "Pod") {
    auto known = pods_.find(noticed.uid);
    // A pod that found no node belongs to where others of its workload are.
    if (!known && object.reason == "FailedScheduling") {
      known = pods_.find_like(noticed.ns, noticed.name);
    }
    if (known) {
      about = std::move(*known);
    } else if (noticed.host != node_) {
      return Taken::foreign;
    }
  } else if (noticed.kind != "Node" || noticed.name != node_) {
    return Taken::foreign;
  }
  if (deleted || noticed.newest_s() == 0) return Taken::yes;  // the server forgets it; or no time
  Happening out;
  out.kind = HappeningKind::kubernetes;
  out.wrong = noticed.type != "Normal";
  out.service = about.service;
  if (noticed.kind == "Pod") out.pod = about.name;
  const std::string what = object.reason + " of " + about.name + ": " + object.message;
  const int64_t first_s = noticed.first_s != 0 ? noticed.first_s : noticed.seen_s;
  out.at = WallTime::from_s(first_s != 0 ? first_s : noticed.newest_s());
  out.text = what;
  out.key = "event/" + object.pod.uid;
  happened_(out);
  if (noticed.times() < 2 || noticed.newest_s() <= out.at.seconds()) return Taken::yes;
  out.at = WallTime::from_s(noticed.newest_s());
  out.text = what + " (" + std::to_string(noticed.times()) + " times)";
  out.key += "/last";
  happened_(std::move(out));
  return Taken::yes;
}

}  // namespace nines::agent::k8s
