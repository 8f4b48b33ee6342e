#include "incident/containers.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "nines/log/kmsg.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kUidBytes = 36;  // 8-4-4-4-12

// systemd's cgroups write '_' for '-'.
std::string uid_in(std::string_view path) {
  for (size_t at = path.find("pod"); at != std::string_view::npos; at = path.find("pod", at + 1)) {
    std::string uid(path.substr(at + 3, kUidBytes));
    std::replace(uid.begin(), uid.end(), '_', '-');
    const bool sound = uid.size() == kUidBytes && uid[8] == '-' && uid[13] == '-' &&
                       uid[18] == '-' && uid[23] == '-' &&
                       uid.find_first_not_of("0123456789abcdefABCDEF-") == std::string::npos;
    if (sound) return uid;
  }
  return {};
}

std::string_view value_of(std::string_view message, std::string_view key) {
  const size_t at = message.find(key);
  if (at == std::string_view::npos) return {};
  const std::string_view rest = message.substr(at + key.size());
  return rest.substr(0, rest.find_first_of(", "));
}

bool is_kill(std::string_view event) { return event == "oom_kill" || event == "oom_cgroup"; }

}  // namespace

MemcgKill memcg_kill(std::string_view message) {
  MemcgKill out;
  if (!message.starts_with("oom-kill:")) return out;
  const std::string_view pid = value_of(message, ",pid=");
  (void)std::from_chars(pid.data(), pid.data() + pid.size(), out.pid);
  out.pod_uid = uid_in(value_of(message, ",task_memcg="));
  return out;
}

Containers::Known* Containers::entry(const Key& key, WallTime at) {
  const auto found = known_.find(key);
  if (found != known_.end()) return &found->second;
  if (known_.size() >= kMost) {
    const auto oldest =
        std::min_element(known_.begin(), known_.end(),
                         [](const auto& a, const auto& b) { return a.second.at < b.second.at; });
    known_.erase(oldest);
    ++dropped_;
  }
  Known& made = known_[key];
  made.at = at;
  return &made;
}

void Containers::tell(const Key& key, const Known& known, WallTime at) {
  const size_t slash = key.first.find('/');
  const std::string_view place = key.first;
  detector_.container({known.service, place.substr(slash + 1), key.second, known.restarts,
                       known.waiting, place.substr(0, slash)},
                      at);
}

void Containers::logged(const collector::ObservedContainer& container) {
  const Key key{std::string(container.ns) + "/" + std::string(container.pod),
                std::string(container.container)};
  Known& known = *entry(key, container.at);
  if (known.service != container.service && !container.service.empty()) {
    known.service = container.service;
    if (services_.size() < kMost) {
      services_.push_back(
          {std::string(container.ns), std::string(container.pod), key.second, known.service});
    } else {
      ++dropped_;
    }
  }
  if (known.by_api && container.restart <= known.restarts) return;  // the API knows of it
  known.restarts = container.restart;
  known.at = std::max(known.at, container.at);
  tell(key, known, container.at);
}

void Containers::told(const std::vector<PodContainer>& all, WallTime now) {
  by_uid_.clear();
  for (const PodContainer& one : all) {
    if (by_uid_.size() < kMost) {
      by_uid_.try_emplace(one.uid, one);
    } else if (!by_uid_.contains(one.uid)) {
      ++dropped_;
    }
    const Key key{one.ns + "/" + one.pod, one.container};
    Known& known = *entry(key, now);
    const bool another = known.by_api && known.uid != one.uid;
    known.restarts = another ? one.restarts : std::max(known.restarts, one.restarts);
    known.uid = one.uid;
    known.by_api = true;
    known.waiting = one.waiting;
    if (known.service.empty()) known.service = one.service;
    known.at = now;
    tell(key, known, now);
  }
}

void Containers::remember(Kill kill) {
  if (kills_.size() >= kMostKills) {
    if (!kills_.front().counted) count(kills_.front(), {}, {});
    kills_.pop_front();
    ++dropped_;
  }
  kills_.push_back(std::move(kill));
}

void Containers::count(Kill& kill, std::string_view service, std::string_view pod) {
  kill.counted = true;
  // A container is mostly named after what runs in it.
  if (service.empty() && is_service_ && is_service_(kill.victim)) service = kill.victim;
  detector_.kernel(kill.event, kill.victim, service, kill.at, pod);
}

// The kill that this is, as the other one told it: of that pod, or of nobody knows whose.
Containers::Kill* Containers::same_kill(const std::string& uid, WallTime at, bool Kill::*not_yet) {
  Kill* found = nullptr;
  for (Kill& kill : kills_) {
    const bool near = std::abs(kill.at.ns - at.ns) <= kSameNs;
    if (!near || kill.*not_yet) continue;
    // A process that is in no cgroup of its own: its kill names no pod because it has none.
    if (kill.uid.empty() && kill.event != "oom_cgroup") continue;
    if (!uid.empty() && !kill.uid.empty() && kill.uid != uid) continue;
    if (found == nullptr || (found->uid.empty() && !kill.uid.empty())) found = &kill;
  }
  return found;
}

void Containers::killed(const PodKill& told) {
  if (Kill* const kill = same_kill(told.uid, told.at, &Kill::by_api)) {
    kill->by_api = true;
    kill->uid = told.uid;
    if (!kill->counted) count(*kill, told.service, told.pod);
    return;
  }
  Kill kill{"oom_kill", told.container, told.uid, told.at};
  kill.by_api = true;
  count(kill, told.service, told.pod);
  remember(std::move(kill));
}

void Containers::kernel(std::string_view message, WallTime at) {
  if (MemcgKill doomed = memcg_kill(message); !doomed.pod_uid.empty()) {
    doomed_.emplace_back(std::move(doomed), at);
    if (doomed_.size() > kMostKills) {
      doomed_.pop_front();
      ++dropped_;
    }
    return;
  }
  const log::KmsgEvent event = log::classify_kmsg(message);
  if (event.name.empty()) return;
  if (!is_kill(event.name)) return detector_.kernel(event.name, event.victim, {}, at);
  Kill kill{std::string(event.name), std::string(event.victim), {}, at};
  kill.by_kernel = true;
  const auto doomed = std::find_if(doomed_.begin(), doomed_.end(), [&](const auto& one) {
    return one.first.pid == event.pid && std::abs(at.ns - one.second.ns) <= kSameNs;
  });
  if (doomed != doomed_.end()) {
    kill.uid = doomed->first.pod_uid;
    doomed_.erase(doomed);
  }
  // Of a process outside of pods the API knows nothing.
  const bool of_pod = !kill.uid.empty() || event.name == "oom_cgroup";
  if (Kill* const same = of_pod ? same_kill(kill.uid, at, &Kill::by_kernel) : nullptr) {
    same->by_kernel = true;
    return;
  }
  const auto pod = by_uid_.find(kill.uid);
  if (pod != by_uid_.end()) {
    count(kill, pod->second.service, pod->second.pod);
  } else if (by_uid_.empty() || !of_pod) {
    count(kill, {}, {});
  }
  remember(std::move(kill));
}

void Containers::advance(WallTime now) {
  for (Kill& kill : kills_) {
    if (!kill.counted && now.ns - kill.at.ns >= kWaitNs) count(kill, {}, {});
  }
  while (!kills_.empty() && now.ns - kills_.front().at.ns > 10 * kSameNs) {
    if (!kills_.front().counted) count(kills_.front(), {}, {});
    kills_.pop_front();
  }
}

std::vector<PodService> Containers::take_services() { return std::exchange(services_, {}); }

}  // namespace nines::agent::incident
