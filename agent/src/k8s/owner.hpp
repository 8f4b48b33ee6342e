// Who made a pod, as people know it: its Deployment rather than the ReplicaSet of the hour, told
// from names alone, without asking the API once more. Only where the name leaves no doubt.
#pragma once

#include <string>

#include "k8s/pod_reader.hpp"

namespace nines::agent::k8s {

struct Owner {
  std::string kind, name;  // empty: none
  // Of the object that the pod names, which for a Deployment is the ReplicaSet of its revision.
  std::string uid{};
};

//   ReplicaSet D-H of a pod labelled pod-template-hash=H   -> Deployment D
//   Job C-M, M the minute (before 1.21: second) it was due, shortly before the pod was made
//                                                           -> CronJob C
Owner owner_of(const RawPod& pod);

}  // namespace nines::agent::k8s
