#include <nlohmann/json.hpp>

#include "remedy/kube.hpp"
#include "remedy/kube_call.hpp"

namespace nines::agent::remedy {
namespace {

using nines::remedy::Verb;
using nlohmann::json;

class PodRemoval final : public KubeExecution {
 public:
  explicit PodRemoval(Order order) : KubeExecution(std::move(order)) {}

  Turn begin() override {
    if (auto refused = out_of_bounds()) return std::move(*refused);
    const Became gone = recheck() ? Became::done : Became::idle;
    return read(
        path(), [this](const json& pod) { return look(pod); },
        outcome(gone, "there is no such pod"));
  }

 private:
  std::string path() const {
    return "/api/v1/namespaces/" + order_.target.ns + "/pods/" + order_.target.name;
  }

  Turn look(const json& pod) {
    const std::string uid = text_of(pod, {"metadata", "uid"});
    const bool leaving = member(pod, {"metadata", "deletionTimestamp"}).is_string();
    const bool other = !order_.target.uid.empty() && uid != order_.target.uid;
    if (recheck()) {
      if (other) return outcome(Became::done, "another pod has taken its place");
      if (leaving) return outcome(Became::done, "the pod is being removed");
      return outcome(order_.target.uid.empty() ? Became::unknown : Became::failed,
                     "the pod is still there");
    }
    if (other) return outcome(Became::idle, "another pod has taken its place");
    if (leaving) return outcome(Became::idle, "the pod is being removed already");
    if (auto refused = protected_pod(pod)) return std::move(*refused);
    return read(
        controller_path(pod),
        [this, uid](const json& controller) { return remove(uid, controller); },
        outcome(Became::refused, "its controller is gone: nobody would make it anew"));
  }

  Turn remove(const std::string& uid, const json& controller) {
    const int64_t ready = member(controller, {"kind"}) == "DaemonSet"
                              ? number_of(controller, {"status", "numberReady"})
                              : number_of(controller, {"status", "readyReplicas"});
    // A deletion heeds no disruption budget, not even as a dry run: an eviction does.
    return change({.call = is(Verb::evict_pod) ? eviction(uid) : deletion(uid),
                   .done = "the pod is removed; its controller makes it anew",
                   .ready = static_cast<int>(ready),
                   .tried_by = eviction(uid)});
  }

  std::optional<Outcome> protected_pod(const json& pod) const {
    const auto refuse = [&](const char* why) { return outcome(Became::refused, why); };
    if (member(pod, {"metadata", "annotations", "kubernetes.io/config.mirror"}).is_string()) {
      return refuse("it is a static pod of the kubelet");
    }
    if (controller_path(pod).empty()) {
      return refuse("it has no controller that would make it anew");
    }
    for (const json& volume : member(pod, {"spec", "volumes"})) {
      if (volume.contains("persistentVolumeClaim")) return refuse("it has a persistent volume");
    }
    return std::nullopt;
  }

  // Empty: there is none, or one that we do not know.
  std::string controller_path(const json& pod) const {
    for (const json& owner : member(pod, {"metadata", "ownerReferences"})) {
      if (member(owner, {"controller"}) != true) continue;
      const std::string kind = text_of(owner, {"kind"}), name = text_of(owner, {"name"});
      const char* const plural = kind == "ReplicaSet"    ? "replicasets/"
                                 : kind == "StatefulSet" ? "statefulsets/"
                                 : kind == "DaemonSet"   ? "daemonsets/"
                                                         : nullptr;
      if (plural == nullptr || !is_plain_name(name)) return {};
      return "/apis/apps/v1/namespaces/" + order_.target.ns + "/" + plural + name;
    }
    return {};
  }

  ApiCall eviction(const std::string& uid) const {
    const json body = {
        {"apiVersion", "policy/v1"},
        {"kind", "Eviction"},
        {"metadata", {{"name", order_.target.name}, {"namespace", order_.target.ns}}},
        {"deleteOptions", {{"preconditions", {{"uid", uid}}}}}};
    return {"POST", path() + "/eviction", body.dump()};
  }

  ApiCall deletion(const std::string& uid) const {
    const json body = {
        {"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"preconditions", {{"uid", uid}}}};
    return {"DELETE", path(), body.dump()};
  }
};

}  // namespace

std::unique_ptr<Execution> remove_pod(Order order) {
  return std::make_unique<PodRemoval>(std::move(order));
}

}  // namespace nines::agent::remedy
