#include <nlohmann/json.hpp>

#include "nines/base/time.hpp"
#include "remedy/kube.hpp"
#include "remedy/kube_call.hpp"

namespace nines::agent::remedy {
namespace {

using nines::remedy::Verb;
using nlohmann::json;

constexpr const char* kRestartedAt = "kubectl.kubernetes.io/restartedAt";

// The time of the intent is what the annotation says: it tells afterwards whether this restart, and
// not another one, was done.
class Restart final : public KubeExecution {
 public:
  explicit Restart(Order order) : KubeExecution(std::move(order)) {}

  Turn begin() override {
    return read_deployment([this](const json& found) { return look(found); });
  }

 private:
  Turn look(const json& found) {
    const std::string stamp = format_rfc3339(order_.intended);
    const bool ours =
        text_of(found, {"spec", "template", "metadata", "annotations", kRestartedAt}) == stamp;
    if (ours) return outcome(recheck() ? Became::done : Became::idle, "it was restarted");
    if (recheck()) return outcome(Became::failed, "it was not restarted");
    if (member(found, {"spec", "paused"}) == true) {
      return outcome(Became::refused, "the Deployment is paused");
    }
    const json body = {
        {"metadata", {{"resourceVersion", text_of(found, {"metadata", "resourceVersion"})}}},
        {"spec", {{"template", {{"metadata", {{"annotations", {{kRestartedAt, stamp}}}}}}}}}};
    return change({.call = {"PATCH", deployments(order_.target), body.dump(), kStrategicPatch},
                   .done = "its pods are made anew, one after the other",
                   .again = [this] { return begin(); }});
  }
};

// The key of the intent is left at the Deployment: it tells afterwards whether it was carried out,
// whoever has scaled since.
class Scale final : public KubeExecution {
 public:
  explicit Scale(Order order) : KubeExecution(std::move(order)) {}

  Turn begin() override {
    if (auto refused = out_of_bounds()) return std::move(*refused);
    if (recheck()) return look_at_deployment();
    return read(
        "/apis/autoscaling/v2/namespaces/" + order_.target.ns +
            "/horizontalpodautoscalers?limit=500",
        [this](const json& list) { return look_at_autoscalers(list); },
        outcome(Became::idle, "there is no such namespace"));
  }

 private:
  Turn look_at_autoscalers(const json& list) {
    for (const json& item : member(list, {"items"})) {
      const json& of = member(item, {"spec", "scaleTargetRef"});
      if (text_of(of, {"kind"}) == "Deployment" && text_of(of, {"name"}) == order_.target.name) {
        return outcome(Became::refused, "the HorizontalPodAutoscaler " +
                                            text_of(item, {"metadata", "name"}) + " scales it");
      }
    }
    if (!text_of(list, {"metadata", "continue"}).empty()) {
      return outcome(Became::refused, "there are more autoscalers than are looked at");
    }
    return look_at_deployment();
  }

  Turn look_at_deployment() {
    return read_deployment([this](const json& found) { return look(found); });
  }

  Turn look(const json& found) {
    const int64_t present = number_of(found, {"spec", "replicas"});
    if (recheck()) {
      const bool ours = text_of(found, {"metadata", "annotations", kScaledBy}) == order_.key;
      return outcome(ours ? Became::done : Became::failed, "it has " + pods(present));
    }
    const bool up = is(Verb::scale_up);
    const int64_t wanted = order_.replicas > 0 ? order_.replicas : present + (up ? 1 : -1);
    if (present == wanted) return outcome(Became::idle, "it has " + pods(present));
    if (wanted < 1) return outcome(Became::refused, "it would be scaled to nothing");
    if ((wanted > present) != up) {
      return outcome(Became::refused, "it has " + pods(present) + ": " + std::to_string(wanted) +
                                          " is the other way");
    }
    const json body = {{"metadata",
                        {{"resourceVersion", text_of(found, {"metadata", "resourceVersion"})},
                         {"annotations", {{kScaledBy, order_.key}}}}},
                       {"spec", {{"replicas", wanted}}}};
    return change({.call = {"PATCH", deployments(order_.target), body.dump(), kMergePatch},
                   .done = "from " + std::to_string(present) + " to " + pods(wanted),
                   .before = std::to_string(present),
                   .ready = static_cast<int>(number_of(found, {"status", "readyReplicas"})),
                   .again = [this] { return look_at_deployment(); }});
  }

  static std::string pods(int64_t n) { return std::to_string(n) + (n == 1 ? " pod" : " pods"); }
  static constexpr const char* kScaledBy = "nines.io/scaled-by";
};

class Cordon final : public KubeExecution {
 public:
  explicit Cordon(Order order) : KubeExecution(std::move(order)) {}

  Turn begin() override {
    if (auto refused = out_of_bounds()) return std::move(*refused);
    return read(
        path(), [this](const json& node) { return look(node); },
        outcome(Became::idle, "there is no such node"));
  }

 private:
  std::string path() const { return "/api/v1/nodes/" + order_.target.name; }

  Turn look(const json& node) {
    const bool wanted = is(Verb::cordon);
    const bool present = member(node, {"spec", "unschedulable"}) == true;
    const char* const state = present ? "it takes no new pods" : "it takes new pods";
    if (present == wanted) return outcome(recheck() ? Became::done : Became::idle, state);
    if (recheck()) return outcome(Became::failed, state);
    const json body = {
        {"metadata", {{"resourceVersion", text_of(node, {"metadata", "resourceVersion"})}}},
        {"spec", {{"unschedulable", wanted}}}};
    return change({.call = {"PATCH", path(), body.dump(), kMergePatch},
                   .done = wanted ? "it takes no new pods now" : "it takes new pods again",
                   .before = present ? "unschedulable" : "schedulable",
                   .again = [this] { return begin(); }});
  }
};

}  // namespace

std::unique_ptr<Execution> restart_rollout(Order order) {
  return std::make_unique<Restart>(std::move(order));
}
std::unique_ptr<Execution> scale(Order order) { return std::make_unique<Scale>(std::move(order)); }
std::unique_ptr<Execution> cordon(Order order) {
  return std::make_unique<Cordon>(std::move(order));
}

}  // namespace nines::agent::remedy
