// Rolling back a Deployment. The API has no verb for it: the template of the ReplicaSet of the
// revision before the present one is put into the Deployment, with that ReplicaSet's annotations
// but for those that belong to a revision or to kubectl (kubectl: polymorphichelpers/rollback.go).
#include <algorithm>
#include <charconv>
#include <map>
#include <nlohmann/json.hpp>

#include "remedy/kube.hpp"
#include "remedy/kube_call.hpp"

namespace nines::agent::remedy {
namespace {

using nlohmann::json;

constexpr const char* kRevision = "deployment.kubernetes.io/revision";

bool belongs_to_revision(const std::string& annotation) {
  return annotation == "kubectl.kubernetes.io/last-applied-configuration" ||
         annotation.starts_with("deployment.kubernetes.io/revision") ||
         annotation == "deployment.kubernetes.io/desired-replicas" ||
         annotation == "deployment.kubernetes.io/max-replicas" ||
         annotation == "deprecated.deployment.rollback.to";
}

int64_t revision_of(const json& object) {
  const std::string text = text_of(object, {"metadata", "annotations", kRevision});
  int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size() ? out : 0;
}

bool is_owned_by(const json& object, const std::string& uid) {
  for (const json& owner : member(object, {"metadata", "ownerReferences"})) {
    if (text_of(owner, {"uid"}) == uid && member(owner, {"controller"}) == true) return true;
  }
  return false;
}

json template_of(const json& object) {
  json out = member(object, {"spec", "template"});
  if (member(out, {"metadata", "labels"}).is_object()) {
    out["metadata"]["labels"].erase("pod-template-hash");
  }
  return out;
}

class Undo final : public KubeExecution {
 public:
  explicit Undo(Order order) : KubeExecution(std::move(order)) {}

  Turn begin() override {
    return read_deployment([this](const json& found) { return look(found); });
  }

 private:
  Turn look(const json& found) {
    if (!recheck() && member(found, {"spec", "paused"}) == true) {
      return outcome(Became::refused, "the Deployment is paused");
    }
    deployment_ = found;
    return read(
        "/apis/apps/v1/namespaces/" + order_.target.ns + "/replicasets?limit=500",
        [this](const json& list) { return choose(list); },
        outcome(Became::idle, "there is no such namespace"));
  }

  Turn choose(const json& list) {
    if (!text_of(list, {"metadata", "continue"}).empty()) {
      return outcome(recheck() ? Became::unknown : Became::refused,
                     "there are more ReplicaSets than are looked at");
    }
    std::map<int64_t, const json*> revisions;
    for (const json& set : member(list, {"items"})) {
      if (is_owned_by(set, text_of(deployment_, {"metadata", "uid"}))) {
        revisions[revision_of(set)] = &set;
      }
    }
    revisions.erase(0);
    if (recheck()) return recognise(revisions);
    if (auto refused = moved_on(std::to_string(revision_of(deployment_)))) {
      return std::move(*refused);
    }
    if (revisions.size() < 2) return outcome(Became::refused, "there is no older revision");
    const json& before = *std::next(revisions.rbegin())->second;
    if (template_of(before) == template_of(deployment_)) {
      return outcome(Became::idle, "the revision before is the same");
    }
    return go_back(before);
  }

  // What was rolled back to became the newest revision by it, and its time is in the annotation
  // that came with it.
  Turn recognise(const std::map<int64_t, const json*>& revisions) {
    const std::string mark = text_of(deployment_, {"metadata", "annotations", kUndone});
    if (mark == order_.key) return outcome(Became::done, "it was rolled back");
    return outcome(revisions.empty() ? Became::unknown : Became::failed, "it was not rolled back");
  }

  Turn go_back(const json& before) {
    json annotations = json::object();
    for (const auto& [key, value] : member(deployment_, {"metadata", "annotations"}).items()) {
      if (belongs_to_revision(key)) annotations[key] = value;
    }
    for (const auto& [key, value] : member(before, {"metadata", "annotations"}).items()) {
      if (!belongs_to_revision(key)) annotations[key] = value;
    }
    annotations[kUndone] = order_.key;
    const std::string version = text_of(deployment_, {"metadata", "resourceVersion"});
    const json body = json::array(
        {{{"op", "test"}, {"path", "/metadata/resourceVersion"}, {"value", version}},
         {{"op", "replace"}, {"path", "/spec/template"}, {"value", template_of(before)}},
         {{"op", deployment_["metadata"].contains("annotations") ? "replace" : "add"},
          {"path", "/metadata/annotations"},
          {"value", annotations}}});
    const std::string from = std::to_string(revision_of(deployment_));
    const std::string to = std::to_string(revision_of(before));
    return change({.call = {"PATCH", deployments(order_.target), body.dump(), kJsonPatch},
                   .done = "from revision " + from + " back to " + to,
                   .before = from,
                   .again = [this] { return begin(); }});
  }

  // Names the intent, so that it can be told afterwards whether it was carried out.
  static constexpr const char* kUndone = "nines.io/rolled-back-by";
  json deployment_;
};

}  // namespace

std::unique_ptr<Execution> undo_rollout(Order order) {
  return std::make_unique<Undo>(std::move(order));
}

}  // namespace nines::agent::remedy
