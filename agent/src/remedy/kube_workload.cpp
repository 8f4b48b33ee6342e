#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

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
    if (auto refused = moved_on(std::to_string(present))) return std::move(*refused);
    const int64_t next = present + (is(Verb::scale_up) ? 1 : -1);
    const int64_t wanted = order_.restore.empty() ? next : number_in(order_.restore);
    if (present == wanted) return outcome(Became::idle, "it has " + pods(present));
    if (wanted < 1) return outcome(Became::refused, "it would be scaled to nothing");
    // Whoever has scaled it since that act knew better.
    if (wanted != next) {
      return outcome(Became::refused, "it has " + pods(present) + ", which one step from " +
                                          order_.restore + " did not leave there");
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

  static int64_t number_in(std::string_view text) {
    int64_t out = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size() ? out : 0;
  }
  static std::string pods(int64_t n) { return std::to_string(n) + (n == 1 ? " pod" : " pods"); }
  static constexpr const char* kScaledBy = "nines.io/scaled-by";
};

// The key of the intent is left at the node: it tells afterwards whether it was this that closed or
// opened it, or somebody else, whose doing is not undone.
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
    if (recheck()) {
      const bool ours = text_of(node, {"metadata", "annotations", kBy}) == order_.key;
      return outcome(present == wanted && ours ? Became::done : Became::failed, state);
    }
    if (present == wanted) return outcome(Became::idle, state);
    const char* const before = present ? kClosed : kOpen;
    if (!order_.restore.empty() && order_.restore == before) {
      return outcome(Became::refused, std::string("it was ") + before + " before as well");
    }
    const json body = {{"metadata",
                        {{"resourceVersion", text_of(node, {"metadata", "resourceVersion"})},
                         {"annotations", {{kBy, order_.key}}}}},
                       {"spec", {{"unschedulable", wanted}}}};
    return change({.call = {"PATCH", path(), body.dump(), kMergePatch},
                   .done = wanted ? "it takes no new pods now" : "it takes new pods again",
                   .before = before,
                   .again = [this] { return begin(); }});
  }

  static constexpr const char *kOpen = "schedulable", *kClosed = "unschedulable";
  static constexpr const char* kBy = "nines.io/cordon-by";
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
