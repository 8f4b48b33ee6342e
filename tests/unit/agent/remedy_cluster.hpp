// A cluster as the remediation sees it: objects by path, the API server's answers to reads,
// patches, evictions and deletions, dry runs, preconditions, and faults at any step.
#pragma once

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "remedy/execution.hpp"

namespace nines::test {

using agent::remedy::Answer;
using agent::remedy::ApiCall;
using nlohmann::json;

class RemedyCluster {
 public:
  std::map<std::string, json> objects;
  std::vector<ApiCall> calls;
  bool disruption_budget = false;  // no pod may be evicted

  // What happens to the n-th call (from 0) instead of, or after, its being carried out.
  enum class Fault {
    none,
    unauthorized,
    forbidden,
    conflict,
    too_many,
    broken,
    broken_after,
    lost,
    lost_after,
    garbage
  };
  Fault fault = Fault::none;
  size_t fault_at = 0;
  std::function<void(size_t)> before_call;  // the world goes on

  Answer handle(const ApiCall& call) {
    const size_t n = calls.size();
    if (before_call) before_call(n);
    calls.push_back(call);
    if (n != fault_at || fault == Fault::none) return carry_out(call);
    switch (fault) {
      case Fault::unauthorized: return {.status = 401, .text = status("no such token")};
      case Fault::forbidden: return {.status = 403, .text = status("RBAC says no")};
      case Fault::conflict: return {.status = 409, .text = status("the object has been modified")};
      case Fault::too_many:
        return {.status = 429, .text = status("too many"), .retry_after_ms = 7000};
      case Fault::broken: return {.status = 500, .text = "oops"};
      case Fault::broken_after: (void)carry_out(call); return {.status = 500, .text = "oops"};
      case Fault::lost: return {.failure = "connection refused"};
      case Fault::lost_after: (void)carry_out(call); return {.failure = "the answer was cut short"};
      case Fault::garbage: {
        Answer answer = carry_out(call);
        answer.text = answer.text.substr(0, answer.text.size() / 2);
        return answer;
      }
      case Fault::none: break;
    }
    return {};
  }

  void pod(const std::string& name, const std::string& uid) {
    objects["/apis/apps/v1/namespaces/shop/replicasets/api-1"] = {
        {"kind", "ReplicaSet"}, {"status", {{"readyReplicas", 2}}}};
    objects["/api/v1/namespaces/shop/pods/" + name] = {
        {"metadata",
         {{"name", name},
          {"uid", uid},
          {"resourceVersion", "1"},
          {"ownerReferences",
           json::array({{{"kind", "ReplicaSet"}, {"name", "api-1"}, {"controller", true}}})}}},
        {"spec", {{"volumes", json::array({{{"name", "tmp"}, {"emptyDir", json::object()}}})}}}};
  }
  void deployment(const std::string& image, int replicas) {
    objects[kDeployment] = {
        {"metadata",
         {{"name", "api"},
          {"uid", "d1"},
          {"resourceVersion", "10"},
          {"annotations", {{"deployment.kubernetes.io/revision", "2"}, {"team", "shop"}}}}},
        {"spec", {{"replicas", replicas}, {"template", pod_template(image)}}}};
    objects[kDeployment]["status"]["readyReplicas"] = replicas;
    objects[kScalers] = {{"items", json::array()}};
  }
  void replica_sets(const std::vector<std::pair<std::string, std::string>>& revisions) {
    json items = json::array();
    for (const auto& [revision, image] : revisions) {
      json of = pod_template(image);
      of["metadata"]["labels"]["pod-template-hash"] = "h" + revision;
      items.push_back(
          {{"metadata",
            {{"name", "api-" + revision},
             {"annotations", {{"deployment.kubernetes.io/revision", revision}, {"team", "shop"}}},
             {"ownerReferences", json::array({{{"uid", "d1"}, {"controller", true}}})}}},
           {"spec", {{"template", of}}}});
    }
    objects["/apis/apps/v1/namespaces/shop/replicasets"] = {{"items", items}};
  }
  void node(bool unschedulable) {
    objects["/api/v1/nodes/n1"] = {{"metadata", {{"name", "n1"}, {"resourceVersion", "5"}}},
                                   {"spec", json::object()}};
    if (unschedulable) objects["/api/v1/nodes/n1"]["spec"]["unschedulable"] = true;
  }
  json& deployment_object() { return objects[kDeployment]; }
  static json pod_template(const std::string& image) {
    return {{"metadata", {{"labels", {{"app", "api"}}}}},
            {"spec", {{"containers", json::array({{{"name", "api"}, {"image", image}}})}}}};
  }

  static constexpr const char* kDeployment = "/apis/apps/v1/namespaces/shop/deployments/api";
  static constexpr const char* kScalers =
      "/apis/autoscaling/v2/namespaces/shop/horizontalpodautoscalers";

 private:
  static std::string status(const std::string& message) {
    return json({{"kind", "Status"}, {"message", message}}).dump();
  }
  Answer carry_out(const ApiCall& call) {
    const std::string path = call.path.substr(0, call.path.find('?'));
    const bool dry = call.path.find("dryRun=All") != std::string::npos;
    if (path.ends_with("/eviction")) return evict(path.substr(0, path.rfind('/')), call.body, dry);
    const auto found = objects.find(path);
    if (found == objects.end()) return {.status = 404, .text = status("not found")};
    if (call.method == "GET") return {.status = 200, .text = found->second.dump()};
    if (call.method == "DELETE") return remove(path, json::parse(call.body)["preconditions"], dry);
    return patch(found->second, call, dry);
  }
  Answer evict(const std::string& path, const std::string& body, bool dry) {
    if (disruption_budget) {
      return {.status = 429, .text = status("it would violate the pod's disruption budget")};
    }
    return remove(path, json::parse(body)["deleteOptions"]["preconditions"], dry);
  }
  Answer remove(const std::string& path, const json& conditions, bool dry) {
    const auto found = objects.find(path);
    if (found == objects.end()) return {.status = 404, .text = status("not found")};
    if (conditions["uid"] != found->second["metadata"]["uid"]) {
      return {.status = 409, .text = status("the UID in the precondition does not match")};
    }
    if (!dry) objects.erase(found);
    return {.status = 201, .text = status("removed")};
  }
  Answer patch(json& object, const ApiCall& call, bool dry) {
    json changed = object;
    const json body = json::parse(call.body);
    if (call.type == "application/json-patch+json") {
      try {
        changed = changed.patch(body);
      } catch (const json::exception& failed) {
        return {.status = 422, .text = status(failed.what())};
      }
    } else {
      const json wanted = body["metadata"].value("resourceVersion", json());
      if (!wanted.is_null() && wanted != object["metadata"]["resourceVersion"]) {
        return {.status = 409, .text = status("the object has been modified")};
      }
      changed.merge_patch(body);
    }
    changed["metadata"]["resourceVersion"] =
        std::to_string(std::stoi(object["metadata"]["resourceVersion"].get<std::string>()) + 1);
    if (!dry) object = changed;
    return {.status = 200, .text = changed.dump()};
  }
};

}  // namespace nines::test
