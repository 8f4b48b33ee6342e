// What the store keeps of the pods, so that a restart without the API knows them: one small JSON
// object a pod, in the shape of the API itself, so that one reader reads both.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "k8s/pod_reader.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/pod_directory.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent::k8s {

inline constexpr const char* kPodKind = "k8s-pod";
inline constexpr const char* kSyncKind = "k8s-sync";

store::Document pod_document(const std::string& uid, const collector::PodPtr& pod);
// Whose pods they are and when the API was last heard.
store::Document sync_document(const std::string& node, WallTime heard);

struct CachedPods {
  std::vector<RawPod> pods;
  WallTime heard{};                       // 0: never
  std::vector<store::Document> obsolete;  // of another node, or unreadable: to be forgotten
};
CachedPods read_cache(store::StateStore& store, const std::string& node);

}  // namespace nines::agent::k8s
