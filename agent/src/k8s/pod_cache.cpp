#include "k8s/pod_cache.hpp"

#include "nines/base/json_writer.hpp"

namespace nines::agent::k8s {
namespace {

constexpr const char* kSyncKey = "heard";

void write_texts(JsonWriter& json, const char* name, const collector::PodTexts& texts,
                 const std::string& manifest_hash) {
  if (texts.empty() && manifest_hash.empty()) return;
  json.key(name).begin_object();
  for (const auto& [key, value] : texts) json.member(*key, std::string_view(*value));
  if (!manifest_hash.empty())
    json.member("kubernetes.io/config.hash", std::string_view(manifest_hash));
  json.end_object();
}

void write_metadata(JsonWriter& json, const collector::PodInfo& pod) {
  json.key("metadata").begin_object();
  json.member("namespace", std::string_view(pod.ns)).member("name", std::string_view(pod.name));
  json.member("uid", std::string_view(pod.uid));
  if (pod.created_s != 0) json.member("creationTimestamp", WallTime::from_s(pod.created_s));
  write_texts(json, "labels", pod.labels, "");
  write_texts(json, "annotations", pod.annotations, pod.log_uid == pod.uid ? "" : pod.log_uid);
  if (!pod.owner_kind->empty()) {
    json.key("ownerReferences").begin_array().begin_object();
    json.member("kind", std::string_view(*pod.owner_kind));
    json.member("name", std::string_view(*pod.owner)).end_object().end_array();
  }
  json.end_object();
}

void write_status(JsonWriter& json, const collector::PodInfo& pod) {
  json.key("status").begin_object().member("phase", std::string_view(*pod.phase));
  if (pod.started_s != 0) json.member("startTime", WallTime::from_s(pod.started_s));
  json.key("containerStatuses").begin_array();
  for (const auto& container : pod.containers) {
    json.begin_object().member("name", std::string_view(*container.name));
    json.member("restartCount", container.restarts).end_object();
  }
  json.end_array().end_object();
}

}  // namespace

store::Document pod_document(const std::string& uid, const collector::PodPtr& pod) {
  store::Document document{kPodKind, uid, {}};
  if (pod == nullptr) return document;
  JsonWriter json(document.body);
  json.begin_object();
  write_metadata(json, *pod);
  json.key("spec").begin_object().member("nodeName", std::string_view(*pod->node)).end_object();
  write_status(json, *pod);
  if (pod->gone) json.member("gone", true);
  json.end_object();
  return document;
}

store::Document sync_document(const std::string& node, WallTime heard) {
  store::Document document{kSyncKind, kSyncKey, {}};
  JsonWriter json(document.body);
  json.begin_object().key("metadata").begin_object();
  json.member("name", std::string_view(node));
  json.member("creationTimestamp", WallTime::from_s(heard.seconds()));
  json.end_object().end_object();
  return document;
}

CachedPods read_cache(store::StateStore& store, const std::string& node) {
  CachedPods out;
  std::string of_node;
  if (const auto sync = store.documents(kSyncKind); sync.ok()) {
    for (const store::Document& document : *sync) {
      const auto read = read_object(document.body);
      if (!read || document.key != kSyncKey) continue;
      of_node = read->pod.name;
      out.heard = WallTime::from_s(read->pod.created_s);
    }
  }
  const bool ours = of_node == node;
  if (!ours) out.heard = {};
  const auto pods = store.documents(kPodKind);
  if (!pods.ok()) return out;
  for (const store::Document& document : *pods) {
    auto read = read_object(document.body);
    if (ours && read && read->pod.uid == document.key)
      out.pods.push_back(std::move(read->pod));
    else
      out.obsolete.push_back({document.kind, document.key, {}});
  }
  return out;
}

}  // namespace nines::agent::k8s
