// The rules of Detector that do not count lines: queues, kills, restarts, disks, power.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "incident/detector_impl.hpp"

namespace nines::incident {
namespace {

constexpr size_t kMostTimes = 16;
constexpr int64_t kHourNs = 3600 * kNsPerSecond;
constexpr int64_t kMostLowNs = 6 * kHourNs;
constexpr int64_t kSampleNs = 300 * kNsPerSecond;
constexpr size_t kSamplesOfHalfAnHour = 7;
constexpr std::string_view kCrashLoop = "CrashLoopBackOff";

// Reasons for which a container waits until somebody mends something.
constexpr std::string_view kCannotStart[] = {
    "ImagePullBackOff",     "ErrImagePull",      "InvalidImageName",
    "ErrImageNeverPull",    "ImageInspectError", "CreateContainerConfigError",
    "CreateContainerError", "RunContainerError", "RegistryUnavailable"};

bool cannot_start(std::string_view reason) noexcept {
  return std::find(std::begin(kCannotStart), std::end(kCannotStart), reason) !=
         std::end(kCannotStart);
}

std::string with_digits(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string times_text(uint64_t times) {
  if (times == 1) return "once";
  return times == 2 ? "twice" : std::to_string(times) + " times";
}

void remember(std::deque<WallTime>& times, WallTime at) {
  if (times.size() == kMostTimes) times.pop_front();
  times.push_back(at);
}

void drop_before(std::deque<WallTime>& times, int64_t ns) {
  while (!times.empty() && times.front().ns < ns) times.pop_front();
}

int64_t before(WallTime now, int64_t seconds) noexcept { return now.ns - seconds * kNsPerSecond; }

}  // namespace

// ---- queues ----

double Detector::Impl::queue_limit(const std::string& service, const std::string& name) const {
  for (const QueueLimit& limit : settings.queue.limits) {
    if ((limit.service.empty() || limit.service == service) &&
        (limit.name.empty() || limit.name == name)) {
      return limit.limit;
    }
  }
  return settings.queue.limit;
}

void Detector::queue(std::string_view service, std::string_view name, double depth, WallTime at) {
  const std::pair key{std::string(service), std::string(name)};
  Impl::Queue* const queue = impl_->entry(impl_->queues, key);
  if (queue == nullptr || at < queue->at) return;
  const bool above = depth > impl_->queue_limit(key.first, key.second);
  const bool stale = queue->at.ns < before(at, impl_->settings.queue.stale_s);
  if (above && (!queue->above || stale)) queue->above_since = at;
  queue->above = above;
  queue->depth = depth;
  queue->at = at;
}

void Detector::Impl::look_at_queues(WallTime now) {
  const QueueRule& rule = settings.queue;
  for (const auto& [key, queue] : queues) {
    if (queue.at.ns < before(now, rule.stale_s)) continue;
    const auto& [service, name] = key;
    const double limit = queue_limit(service, name);
    Verdict verdict;
    verdict.bad = queue.above;
    verdict.good = queue.depth <= limit * rule.clear_share;
    verdict.for_s = rule.for_s;
    verdict.clear_s = rule.clear_s;
    verdict.condition.key = "queue/" + service + "/" + name;
    verdict.condition.kind = ConditionKind::queue_depth;
    verdict.condition.priority = rule.priority;
    verdict.condition.service = service;
    verdict.condition.since = queue.above_since;
    verdict.condition.text = service + ": " + name + " is " + with_digits("%.0f", queue.depth) +
                             ", above " + with_digits("%.0f", limit);
    verdict.over = service + ": " + name + " is down to " + with_digits("%.0f", queue.depth);
    judge(std::move(verdict), now);
  }
}

// ---- the kernel ----

void Detector::kernel(std::string_view event, std::string_view victim, std::string_view service,
                      WallTime at, std::string_view pod) {
  Impl::Power& supply = impl_->supply;
  if (event == "undervoltage") {
    if (!supply.low) {
      supply.since = at;
      remember(supply.times, at);
    }
    supply.low = true;
    supply.last = at;
  } else if (event == "voltage_ok") {
    if (supply.low) supply.last = std::max(supply.last, at);
    supply.low = supply.by_flag;
  }
  if (event != "oom_kill" && event != "oom_cgroup") return;
  const std::string key(service.empty() ? victim : service);
  Impl::Kills* const kills = impl_->entry(impl_->kills, key);
  if (kills == nullptr) return;
  if (kills->count == 0) kills->first = at;
  kills->victim = victim;
  kills->service = service;
  kills->pod = pod;
  kills->last = std::max(kills->last, at);
  ++kills->count;
}

void Detector::Impl::look_at_kills(WallTime now) {
  for (auto it = kills.begin(); it != kills.end();) {
    const Kills& kill = it->second;
    const bool over = kill.last.ns <= before(now, settings.oom.clear_s);
    Verdict verdict;
    verdict.bad = !over;
    verdict.good = over;
    verdict.condition.key = "oom/" + it->first;
    verdict.condition.kind = ConditionKind::oom_kill;
    verdict.condition.priority = settings.oom.priority;
    verdict.condition.service = kill.service;
    verdict.condition.pod = kill.pod;
    verdict.condition.since = kill.first;
    verdict.condition.text = "the kernel killed " +
                             (kill.victim.empty() ? "a process" : kill.victim) +
                             (kill.pod.empty() ? "" : " of " + kill.pod) + " for want of memory, " +
                             times_text(kill.count);
    verdict.over = "no process was killed for want of memory for " +
                   std::to_string(settings.oom.clear_s) + " s";
    judge(std::move(verdict), now);
    it = over ? kills.erase(it) : std::next(it);
  }
}

// ---- containers ----

void Detector::container(const ContainerState& state, WallTime at) {
  std::string key(state.ns);
  if (!key.empty()) key += '/';
  key.append(state.pod).append("/").append(state.container);
  Impl::Container* const known = impl_->entry(impl_->containers, key);
  if (known == nullptr) return;
  if (known->known) {
    const uint64_t more = state.restarts > known->restarts ? state.restarts - known->restarts : 0;
    for (uint64_t i = 0; i < std::min<uint64_t>(more, kMostTimes); ++i) remember(known->times, at);
  }
  known->known = true;
  known->service = state.service;
  known->pod = state.pod;
  known->container = state.container;
  known->restarts = state.restarts;
  // A pull is tried and backed off from by turns: that is one waiting.
  const bool goes_on = known->waiting == state.waiting ||
                       (cannot_start(known->waiting) && cannot_start(state.waiting));
  if (!goes_on) known->waiting_since = at;
  known->waiting = state.waiting;
  known->at = at;
}

void Detector::Impl::look_at_containers(WallTime now) {
  const CrashLoopRule& rule = settings.crash_loop;
  for (auto it = containers.begin(); it != containers.end();) {
    Container& seen = it->second;
    drop_before(seen.times, before(now, rule.window_s));
    const bool gone = seen.at.ns < before(now, rule.window_s);  // its pod was deleted
    const bool waits = !gone && seen.waiting == kCrashLoop;
    Verdict verdict;
    verdict.bad = waits || seen.times.size() >= std::min(rule.restarts, kMostTimes);
    verdict.good = !waits && seen.times.empty();
    verdict.clear_s = gone ? 0 : std::max<int64_t>(0, rule.clear_s - rule.window_s);
    verdict.condition.key = "crash_loop/" + it->first;
    verdict.condition.kind = ConditionKind::crash_loop;
    verdict.condition.priority = rule.priority;
    verdict.condition.service = seen.service;
    verdict.condition.pod = seen.pod;
    verdict.condition.since = seen.times.empty() ? seen.waiting_since : seen.times.front();
    verdict.condition.text =
        seen.container + " in " + seen.pod + ": " + std::to_string(seen.times.size()) +
        " restarts in " + std::to_string(rule.window_s) + " s, " + std::to_string(seen.restarts) +
        " in all" + (waits ? "; CrashLoopBackOff" : "");
    verdict.over = seen.container + " in " + seen.pod + (gone ? " is gone" : " no longer restarts");
    judge(std::move(verdict), now);
    if (settings.start.on) judge_start(it->first, seen, gone, now);
    it = gone && seen.times.empty() ? containers.erase(it) : std::next(it);
  }
}

void Detector::Impl::judge_start(const std::string& key, const Container& seen, bool gone,
                                 WallTime now) {
  const bool waits = !gone && cannot_start(seen.waiting);
  Verdict verdict;
  verdict.bad = waits;
  verdict.good = !waits;
  verdict.for_s = settings.start.for_s;
  verdict.clear_s = gone ? 0 : settings.start.clear_s;
  verdict.condition.key = "cannot_start/" + key;
  verdict.condition.kind = ConditionKind::custom;
  verdict.condition.priority = settings.start.priority;
  verdict.condition.service = seen.service;
  verdict.condition.pod = seen.pod;
  verdict.condition.since = seen.waiting_since;
  verdict.condition.text =
      seen.container + " in " + seen.pod + " cannot be started: " + seen.waiting;
  verdict.over =
      seen.container + " in " + seen.pod + (gone ? " is gone" : " no longer waits to be started");
  judge(std::move(verdict), now);
}

// ---- disks ----

double seconds_to_full(const std::deque<std::pair<WallTime, double>>& samples) {
  constexpr double kNever = std::numeric_limits<double>::infinity();
  if (samples.size() < kSamplesOfHalfAnHour) return kNever;
  double pace = kNever;
  for (const size_t back : {kSamplesOfHalfAnHour, samples.size()}) {
    const auto& [from, used] = samples[samples.size() - back];
    const double seconds = static_cast<double>(samples.back().first.ns - from.ns) / 1e9;
    pace = std::min(pace, (samples.back().second - used) / std::max(1.0, seconds));
  }
  return pace > 0 ? (1 - samples.back().second) / pace : kNever;
}

void Detector::disk(std::string_view mount, double used_share, WallTime at) {
  Impl::Disk* const disk = impl_->entry(impl_->disks, std::string(mount));
  if (disk == nullptr || at < disk->at || !(used_share >= 0 && used_share <= 1)) return;
  if (disk->samples.empty() || at.ns - disk->samples.back().first.ns >= kSampleNs) {
    // Nothing is known of the time in which nobody asked.
    if (!disk->samples.empty() && at.ns - disk->samples.back().first.ns > 3 * kSampleNs) {
      disk->samples.clear();
    }
    if (disk->samples.size() == Impl::Disk::kMost) disk->samples.pop_front();
    disk->samples.emplace_back(at, used_share);
  }
  disk->used = used_share;
  disk->at = at;
  const DiskRule& rule = impl_->settings.disk;
  const bool fills = used_share >= rule.full_from &&
                     seconds_to_full(disk->samples) <= static_cast<double>(rule.full_within_s);
  const int level = used_share >= rule.critical ? 3 : fills ? 2 : used_share >= rule.watch ? 1 : 0;
  if (level > 0 && disk->level == 0) disk->above_since = at;
  disk->level = level;
}

void Detector::Impl::look_at_disks(WallTime now) {
  const DiskRule& rule = settings.disk;
  constexpr int kPriorities[] = {3, 3, 2, 1};
  for (const auto& [mount, disk] : disks) {
    Verdict verdict;
    verdict.bad = disk.level > 0;
    verdict.good = disk.level == 0 && disk.used < rule.watch - rule.clear_points;
    verdict.clear_s = rule.clear_s;
    verdict.condition.key = "disk/" + mount;
    verdict.condition.kind = ConditionKind::disk_full;
    verdict.condition.priority = kPriorities[disk.level];
    verdict.condition.since = disk.above_since;
    verdict.condition.text = mount + ": " + with_digits("%.1f %%", disk.used * 100) + " used";
    if (disk.level == 2) {
      verdict.condition.text +=
          with_digits(", full in %.1f h at this pace", seconds_to_full(disk.samples) / 3600);
    }
    verdict.over = mount + ": down to " + with_digits("%.1f %%", disk.used * 100) + " used";
    judge(std::move(verdict), now);
  }
}

// ---- power ----

void Detector::power(bool under_voltage, WallTime at) {
  Impl::Power& supply = impl_->supply;
  if (under_voltage && !supply.low) {
    supply.since = at;
    remember(supply.times, at);
  }
  if (under_voltage || supply.low) supply.last = std::max(supply.last, at);
  supply.low = under_voltage;
  supply.by_flag = under_voltage;
}

void Detector::Impl::look_at_power(WallTime now) {
  const VoltageRule& rule = settings.voltage;
  drop_before(supply.times, now.ns - kHourNs);
  // The kernel tells the end, too, but what it told may have been lost.
  if (supply.low && !supply.by_flag && supply.last.ns <= now.ns - kMostLowNs) supply.low = false;
  const bool lately = supply.last.ns > before(now, rule.clear_s);
  const bool often = lately && supply.times.size() >= std::min(rule.times, kMostTimes);
  Verdict verdict;
  verdict.bad = (supply.low && supply.since.ns <= before(now, rule.for_s)) || often;
  verdict.good = !supply.low && !lately;
  verdict.condition.key = "under_voltage";
  verdict.condition.kind = ConditionKind::under_voltage;
  verdict.condition.priority = rule.priority;
  verdict.condition.since = often ? supply.times.front() : supply.since;
  verdict.condition.text =
      "the supply voltage is too low: " + times_text(supply.times.size()) + " within an hour";
  verdict.over = "the supply voltage is as it should be";
  judge(std::move(verdict), now);
}

}  // namespace nines::incident
