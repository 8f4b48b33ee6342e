#include "k8s/owner.hpp"

#include <algorithm>
#include <charconv>

namespace nines::agent::k8s {
namespace {

// How late a job may be made after it was due, for its name to count as a schedule's.
constexpr int64_t kMaxLateS = 86400;

std::string deployment_of(const RawPod& pod, const std::string& replica_set) {
  const auto hash = std::find_if(pod.labels.begin(), pod.labels.end(), [](const auto& label) {
    return label.first == "pod-template-hash";
  });
  if (hash == pod.labels.end() || hash->second.empty()) return {};
  const std::string suffix = "-" + hash->second;
  if (replica_set.size() <= suffix.size() || !replica_set.ends_with(suffix)) return {};
  return replica_set.substr(0, replica_set.size() - suffix.size());
}

std::string cron_job_of(const RawPod& pod, const std::string& job) {
  const size_t dash = job.rfind('-');
  if (dash == std::string::npos || dash == 0 || pod.created_s == 0) return {};
  const std::string_view suffix = std::string_view(job).substr(dash + 1);
  int64_t due = 0;
  const auto [end, error] = std::from_chars(suffix.data(), suffix.data() + suffix.size(), due);
  if (error != std::errc() || end != suffix.data() + suffix.size()) return {};
  if (suffix.size() == 8)
    due *= 60;
  else if (suffix.size() != 10)
    return {};
  // One minute: the clocks of two machines.
  const bool plausible = due <= pod.created_s + 60 && pod.created_s - due <= kMaxLateS;
  return plausible ? job.substr(0, dash) : std::string();
}

}  // namespace

Owner owner_of(const RawPod& pod) {
  if (pod.owners.empty()) return {};
  auto ref = std::find_if(pod.owners.begin(), pod.owners.end(),
                          [](const RawPod::OwnerRef& o) { return o.controller; });
  if (ref == pod.owners.end()) ref = pod.owners.begin();
  if (ref->kind == "ReplicaSet") {
    if (std::string name = deployment_of(pod, ref->name); !name.empty())
      return {"Deployment", std::move(name), ref->uid};
  } else if (ref->kind == "Job") {
    if (std::string name = cron_job_of(pod, ref->name); !name.empty())
      return {"CronJob", std::move(name), ref->uid};
  }
  return {ref->kind, ref->name, ref->uid};
}

}  // namespace nines::agent::k8s
