#include "k8s/pod_sync.hpp"

#include "http/message.hpp"

namespace nines::agent::k8s {

std::string PodResource::target() const {
  return "/api/v1/pods?fieldSelector=" + http::percent_encode("spec.nodeName=" + node_);
}

void PodResource::begin_list() {
  table_.begin_list();
  if (listener_ != nullptr) listener_->list_began();
}

void PodResource::end_list() {
  table_.end_list();
  if (listener_ != nullptr) listener_->list_ended();
}

Resource::Taken PodResource::take(const ApiObject& object, bool deleted) {
  const RawPod& pod = object.pod;
  if (pod.uid.empty() || pod.name.empty() || pod.ns.empty()) return Taken::malformed;
  if (pod.node != node_) return Taken::foreign;
  if (deleted) {
    table_.remove(pod.uid);
  } else {
    (void)table_.put(pod);
  }
  if (listener_ != nullptr) listener_->pod(pod, deleted);
  return Taken::yes;
}

}  // namespace nines::agent::k8s
