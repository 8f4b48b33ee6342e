#include "k8s/rollouts.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <set>
#include <utility>

#include "k8s/owner.hpp"

namespace nines::agent::k8s {
namespace {

constexpr int64_t kAnnotatedWithinS = 900;
constexpr const char *kObserved = "observed", *kObject = "object";
constexpr size_t kMaxImages = 400;

std::string hash_of(const RawPod& pod, const std::string& kind) {
  const char* const label = kind == "Deployment" ? "pod-template-hash" : "controller-revision-hash";
  for (const auto& [key, value] : pod.labels) {
    if (key == label) return value;
  }
  return {};
}

// "app=web:1.3, sidecar=proxy:2", by name; what would break the document becomes '?'.
std::string images_of(const RawPod& pod) {
  RawPod::Texts sorted = pod.images;
  std::sort(sorted.begin(), sorted.end());
  std::string out;
  for (const auto& [container, image] : sorted) {
    out += (out.empty() ? "" : ", ") + container + "=" + image;
  }
  if (out.size() > kMaxImages) out.resize(kMaxImages);
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e) c = '?';
  }
  return out;
}

}  // namespace

slo::Change change_of(const Rollout& rollout, const std::string& node) {
  slo::Change out;
  out.kind = slo::ChangeKind::deploy;
  out.at = rollout.at;
  out.service = rollout.service;
  out.who = "nines";
  const std::string of = rollout.kind + " " + rollout.ns + "/" + rollout.workload;
  out.text = "rollout of " + of + " was observed: ";
  out.text += rollout.images == rollout.images_before
                  ? "revision " + rollout.revision + " with the same images"
                  : rollout.images_before + " -> " + rollout.images;
  const slo::ChangeLimits limits;
  if (out.text.size() > limits.max_text) out.text.resize(limits.max_text);
  out.details = {
      {kObserved, "kubernetes"},      {kObject, rollout.object},
      {"namespace", rollout.ns},      {"workload", rollout.kind + "/" + rollout.workload},
      {"revision", rollout.revision}, {"revision_before", rollout.before},
      {"images", rollout.images},     {"images_before", rollout.images_before},
      {"pod", rollout.pod},           {"node", node}};
  if (rollout.object.empty())
    std::erase_if(out.details, [](auto& one) { return one.first == kObject; });
  return out;
}

std::string rollout_key(std::string_view object, std::string_view revision) {
  if (object.empty() || revision.empty()) return {};
  return std::string("rollout/").append(object).append("/").append(revision);
}

bool is_annotated(const Rollout& rollout, const slo::Change& change) {
  return change.kind == slo::ChangeKind::deploy && change.service == rollout.service &&
         change.detail(kObserved) == nullptr &&
         std::abs(change.at.seconds() - rollout.at.seconds()) <= kAnnotatedWithinS;
}

// One line a revision: hash, when its first pod was made, images; tabs between them.
store::Document Rollouts::document_of(const std::string& key, const Workload& workload) {
  store::Document out{kDocuments, key, {}};
  for (const Revision& revision : workload.revisions) {
    out.body +=
        revision.hash + "\t" + std::to_string(revision.made_s) + "\t" + revision.images + "\n";
  }
  return out;
}

void Rollouts::restore(const std::vector<store::Document>& documents) {
  for (const store::Document& document : documents) {
    const size_t first = document.key.find('/');
    const size_t second = first == std::string::npos ? first : document.key.find('/', first + 1);
    Workload workload;
    for (size_t from = 0; from < document.body.size();) {
      const size_t end = std::min(document.body.find('\n', from), document.body.size());
      const std::string_view line = std::string_view(document.body).substr(from, end - from);
      const size_t tab = line.find('\t'), next = line.find('\t', tab + 1);
      if (tab != 0 && tab != line.npos && next != line.npos) {
        int64_t made_s = 0;
        (void)std::from_chars(line.data() + tab + 1, line.data() + next, made_s);
        workload.revisions.push_back(
            {std::string(line.substr(0, tab)), std::string(line.substr(next + 1)), made_s});
      }
      from = end + 1;
    }
    if (second == std::string::npos || workload.revisions.empty() ||
        workload.revisions.size() > kMaxRevisions || workloads_.size() >= kMaxWorkloads) {
      forgotten_.push_back({kDocuments, document.key, {}});
      continue;
    }
    workload.ns = document.key.substr(0, first);
    workload.kind = document.key.substr(first + 1, second - first - 1);
    workload.name = document.key.substr(second + 1);
    workloads_[document.key] = std::move(workload);
  }
}

bool Rollouts::make_room() {
  const auto idle = std::find_if(workloads_.begin(), workloads_.end(),
                                 [](const auto& entry) { return entry.second.pods.empty(); });
  if (idle == workloads_.end()) return false;
  forgotten_.push_back({kDocuments, idle->first, {}});
  workloads_.erase(idle);
  return true;
}

void Rollouts::put(const RawPod& said, const std::string& service) {
  if (said.deleting || said.phase == "Succeeded" || said.phase == "Failed") {
    return remove(said.uid);
  }
  const Owner owner = owner_of(said);
  if (owner.kind != "Deployment" && owner.kind != "StatefulSet" && owner.kind != "DaemonSet") {
    return;
  }
  Pod pod{said.name, hash_of(said, owner.kind), images_of(said), owner.uid, said.created_s};
  if (pod.hash.empty() || pod.created_s == 0) return;
  const std::string key = said.ns + "/" + owner.kind + "/" + owner.name;
  auto found = workloads_.find(key);
  const bool room = found != workloads_.end() || workloads_.size() < kMaxWorkloads || make_room();
  if (!room || (of_.size() >= kMaxPods && !of_.contains(said.uid))) {
    ++refused_;
    return;
  }
  Workload& workload = workloads_[key];
  if (workload.name.empty()) {
    workload.ns = said.ns;
    workload.kind = owner.kind;
    workload.name = owner.name;
  }
  workload.service = service;
  workload.touched = true;
  workload.pods[said.uid] = std::move(pod);
  of_[said.uid] = key;
}

void Rollouts::remove(const std::string& uid) {
  const auto found = of_.find(uid);
  if (found == of_.end()) return;
  const auto workload = workloads_.find(found->second);
  if (workload != workloads_.end()) {
    workload->second.pods.erase(uid);
    workload->second.touched = true;
  }
  of_.erase(found);
}

// Of those made in one second the one that does not run yet.
const Rollouts::Pod* Rollouts::newest(const Workload& workload) const {
  const Pod* out = nullptr;
  const std::string running = workload.revisions.empty() ? "" : workload.revisions.back().hash;
  for (const auto& [uid, pod] : workload.pods) {
    if (out == nullptr || pod.created_s > out->created_s ||
        (pod.created_s == out->created_s && out->hash == running && pod.hash != running)) {
      out = &pod;
    }
  }
  return out;
}

Rollout Rollouts::rollout_of(const std::string& key, const Workload& workload,
                             const Pod& newest_pod) const {
  const Pod* first = &newest_pod;
  for (const auto& [uid, pod] : workload.pods) {
    if (pod.hash == first->hash && pod.created_s < first->created_s) first = &pod;
  }
  Rollout out;
  out.ns = workload.ns;
  out.kind = workload.kind;
  out.workload = workload.name;
  out.service = workload.service;
  out.revision = first->hash;
  out.object = first->object;
  out.images = first->images;
  out.before = workload.revisions.back().hash;
  out.images_before = workload.revisions.back().images;
  out.pod = first->name;
  out.at = WallTime::from_s(first->created_s);
  out.document.key = key;
  return out;
}

void Rollouts::look_at(const std::string& key, Workload& workload, WallTime now, Seen& out) {
  const Pod* const pod = newest(workload);
  if (pod == nullptr) return;
  if (workload.revisions.empty()) {
    workload.revisions.push_back({pod->hash, pod->images, pod->created_s});
    out.documents.push_back(document_of(key, workload));
    return;
  }
  const std::string& running = workload.revisions.back().hash;
  const int64_t made_s = workload.revisions.back().made_s;
  const auto has = [&](const std::string& hash) {
    return std::any_of(workload.pods.begin(), workload.pods.end(),
                       [&](const auto& entry) { return entry.second.hash == hash; });
  };
  const bool seen_before = std::any_of(workload.revisions.begin(), workload.revisions.end(),
                                       [&](const Revision& r) { return r.hash == pod->hash; });
  const bool stays =
      seen_before ? has(running) || pod->created_s <= made_s : pod->created_s < made_s;
  if (pod->hash == running || stays) {
    workload.settling.clear();
    return;
  }
  if (workload.settling != pod->hash) {
    workload.settling = pod->hash;
    workload.since = now;
    begun_.push_back(rollout_of(key, workload, *pod));
  }
  if (now.ns - workload.since.ns < kSettleS * kNsPerSecond) return;
  Rollout rollout = rollout_of(key, workload, *pod);
  std::erase_if(workload.revisions, [&](const Revision& r) { return r.hash == pod->hash; });
  workload.revisions.push_back({pod->hash, pod->images, rollout.at.seconds()});
  if (workload.revisions.size() > kMaxRevisions) workload.revisions.pop_front();
  workload.settling.clear();
  rollout.document = document_of(key, workload);
  out.rollouts.push_back(std::move(rollout));
}

Rollouts::Seen Rollouts::look(WallTime now) {
  Seen out;
  for (auto& [key, workload] : workloads_) {
    if (!workload.touched && workload.settling.empty()) continue;
    workload.touched = false;
    look_at(key, workload, now, out);
  }
  for (store::Document& document : forgotten_) out.documents.push_back(std::move(document));
  forgotten_.clear();
  return out;
}

std::vector<Rollout> Rollouts::take_begun() { return std::exchange(begun_, {}); }

}  // namespace nines::agent::k8s
