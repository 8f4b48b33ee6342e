#include "k8s/pod_status.hpp"

#include <algorithm>
#include <utility>

namespace nines::agent::k8s {
namespace {

using nines::incident::Happening;
using nines::incident::HappeningKind;

constexpr std::string_view kOomKilled = "OOMKilled";
constexpr size_t kMaxKills = 256;

const std::string* text_of(const RawPod::Texts& texts, std::string_view key) {
  const auto found =
      std::find_if(texts.begin(), texts.end(), [&](const auto& text) { return text.first == key; });
  return found == texts.end() || found->second.empty() ? nullptr : &found->second;
}

std::string ns_and(const std::string& ns, const std::string& name) { return ns + "/" + name; }

// The newest end of a container, whichever field of its status has it.
struct End {
  std::string reason;
  int64_t at_s = 0;
};
End newest_end(const RawPod::Container& said) {
  if (said.ended_s >= said.ended_last_s && !said.ended.empty()) return {said.ended, said.ended_s};
  return {said.ended_last, said.ended_last_s};
}

}  // namespace

std::string PodStatus::service_of(const RawPod& pod) const {
  const std::string place = ns_and(pod.ns, pod.name);
  for (const auto& [container, image] : pod.images) {
    const auto known = learned_.find({place, container});
    if (known != learned_.end()) return known->second;
  }
  if (const auto* given = text_of(pod.annotations, "nines.io/service")) return *given;
  const Owner owner = owner_of(pod);
  if (!owner.name.empty() && owner.kind != "Node") return owner.name;
  if (const auto* label = text_of(pod.labels, "app.kubernetes.io/name")) return *label;
  return pod.name;
}

std::string PodStatus::service_of(const Pod& pod, const std::string& container) const {
  const auto known = learned_.find({ns_and(pod.ns, pod.name), container});
  return known == learned_.end() ? pod.service : known->second;
}

void PodStatus::learned(const incident::PodService& one) {
  if (learned_.size() >= kMaxLearned) {
    std::erase_if(learned_, [&](const auto& entry) {
      return std::none_of(pods_.begin(), pods_.end(), [&](const auto& pod) {
        return ns_and(pod.second.ns, pod.second.name) == entry.first.first;
      });
    });
    if (learned_.size() >= kMaxLearned) return;
  }
  learned_[{ns_and(one.ns, one.pod), one.container}] = one.service;
  changed_ = true;
}

void PodStatus::tell(const Pod& pod, HappeningKind kind, bool wrong, int64_t at_s, std::string key,
                     std::string text, const std::string& container) {
  Happening out;
  out.at = WallTime::from_s(at_s);
  out.kind = kind;
  out.wrong = wrong;
  out.service = service_of(
      pod, container.empty() && !pod.containers.empty() ? pod.containers.front().name : container);
  out.pod = pod.name;
  out.text = std::move(text);
  out.key = std::move(key);
  happened_(std::move(out));
}

void PodStatus::put(const RawPod& said, WallTime now) {
  auto found = pods_.find(said.uid);
  const bool fresh = found == pods_.end();
  if (fresh) {
    if (pods_.size() >= kMaxPods) {
      ++refused_;
      return;
    }
    found = pods_.emplace(said.uid, Pod{}).first;
  }
  Pod& pod = found->second;
  pod.list = list_;
  pod.ns = said.ns;
  pod.name = said.name;
  pod.service = service_of(said);
  pod.owner = owner_of(said);
  for (const RawPod::Container& container : said.containers) {
    auto known = std::find_if(pod.containers.begin(), pod.containers.end(),
                              [&](const Container& c) { return c.name == container.name; });
    if (known == pod.containers.end()) {
      pod.containers.push_back({container.name, {}, -1, 0});
      known = std::prev(pod.containers.end());
    }
    tell_container(pod, *known, container, said, now);
  }
  const std::string of = pod.name + " (" + pod.service + ")";
  if (fresh && now.seconds() - said.created_s <= kTellS) {
    tell(pod, HappeningKind::pod, false, said.created_s, "pod/" + said.uid,
         "pod " + of + " was made");
  }
  if (said.phase == "Failed" && said.reason == "Evicted") {
    const int64_t at_s = said.ready_since_s != 0 ? said.ready_since_s : now.seconds();
    tell(pod, HappeningKind::pod, true, at_s, "evicted/" + said.uid, "pod " + of + " was evicted");
  }
  tell_ready(pod, said);
}

void PodStatus::tell_container(Pod& pod, Container& known, const RawPod::Container& said,
                               const RawPod& of, WallTime now) {
  changed_ = changed_ || known.waiting != said.waiting || known.restarts != said.restarts;
  known.waiting = said.waiting;
  known.restarts = said.restarts;
  const End end = newest_end(said);
  const bool recent = end.at_s != 0 && now.seconds() - end.at_s <= kTellS;
  if (recent && said.restarts > 0 && end.at_s == said.ended_last_s) {
    const std::string& log_uid = of.manifest_hash.empty() ? of.uid : of.manifest_hash;
    const std::string why = end.reason.empty() ? "it ended" : "it ended with " + end.reason;
    tell(pod, HappeningKind::restart, true, end.at_s,
         incident::restart_key(log_uid, said.name, std::to_string(said.restarts)),
         "container " + said.name + " of " + pod.name + " was started again: " + why +
             " (exit code " + std::to_string(said.exit_code) + "), restart " +
             std::to_string(said.restarts),
         said.name);
  }
  for (const auto& [reason, at_s] :
       {std::pair(said.ended_last, said.ended_last_s), std::pair(said.ended, said.ended_s)}) {
    if (reason != kOomKilled || at_s <= known.killed_s) continue;
    known.killed_s = at_s;
    if (now.seconds() - at_s > kKillS || kills_.size() >= kMaxKills) continue;
    kills_.push_back(
        {pod.ns, pod.name, of.uid, said.name, service_of(pod, said.name), WallTime::from_s(at_s)});
  }
}

// Only what was ready can be ready no more: a pod that starts is none of it.
void PodStatus::tell_ready(Pod& pod, const RawPod& said) {
  if (!said.has_ready) return;
  const bool was = std::exchange(pod.ready, said.ready);
  const bool over = said.deleting || said.phase == "Succeeded" || said.phase == "Failed";
  const std::string key = "ready/" + said.uid + "/" + std::to_string(said.ready_since_s);
  if (was && !said.ready && !over) {
    pod.unready_told = true;
    tell(pod, HappeningKind::pod, true, said.ready_since_s, key,
         "pod " + pod.name + " (" + pod.service + ") is not ready");
  } else if (said.ready && pod.unready_told) {
    pod.unready_told = false;
    tell(pod, HappeningKind::pod, false, said.ready_since_s, key,
         "pod " + pod.name + " (" + pod.service + ") is ready again");
  }
}

void PodStatus::remove(const std::string& uid, WallTime now) {
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return;
  changed_ = true;
  tell(found->second, HappeningKind::pod, false, now.seconds(), "gone/" + uid,
       "pod " + found->second.name + " (" + found->second.service + ") is gone");
  pods_.erase(found);
}

std::vector<std::string> PodStatus::list_ended(WallTime now) {
  std::vector<std::string> missing;
  for (const auto& [uid, pod] : pods_) {
    if (pod.list != list_) missing.push_back(uid);
  }
  for (const std::string& uid : missing) remove(uid, now);
  return missing;
}

std::vector<incident::PodContainer> PodStatus::containers() const {
  std::vector<incident::PodContainer> out;
  for (const auto& [uid, pod] : pods_) {
    for (const Container& container : pod.containers) {
      out.push_back({pod.ns, pod.name, uid, container.name, service_of(pod, container.name),
                     container.waiting,
                     static_cast<uint64_t>(std::max<int32_t>(0, container.restarts))});
    }
  }
  return out;
}

std::vector<incident::PodKill> PodStatus::take_kills() { return std::exchange(kills_, {}); }

std::optional<PodStatus::About> PodStatus::find(const std::string& uid) const {
  const auto found = pods_.find(uid);
  if (found == pods_.end()) return std::nullopt;
  const Pod& pod = found->second;
  return About{pod.ns, pod.name,
               service_of(pod, pod.containers.empty() ? "" : pod.containers.front().name)};
}

std::optional<PodStatus::About> PodStatus::find_like(const std::string& ns,
                                                     const std::string& name) const {
  for (const auto& [uid, pod] : pods_) {
    const bool same = pod.ns == ns && !pod.owner.name.empty() &&
                      name.size() > pod.owner.name.size() + 1 && name.starts_with(pod.owner.name) &&
                      name[pod.owner.name.size()] == '-';
    if (!same) continue;
    // Deployment-HASH-CHANCE, or Set-CHANCE: no more words than that may follow.
    const std::string_view rest = std::string_view(name).substr(pod.owner.name.size() + 1);
    if (std::count(rest.begin(), rest.end(), '-') <= 1) {
      auto about = find(uid);
      about->name = name;
      return about;
    }
  }
  return std::nullopt;
}

}  // namespace nines::agent::k8s
