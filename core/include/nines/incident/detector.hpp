// Detector: the declared rules that may open an incident. Each is a small state machine: it begins
// when it has held for long enough, with the time at which it began to be wrong, and is over when
// it was clearly better for a while. Defaults are meant to be silent in a healthy month.
//
//   error storm     error lines of one template of a service: at least 60 in a minute, 5 times what
//                   is usual and twice the busiest minute of the last weeks, chi2 >= 30, in at
//                   least 5 of the last 7 slots of 10 s (a restart's burst of half a minute is
//                   none); not in the first day of a service. Onset: the first slot of it (10 s)
//   silent          a service that is never quiet for more than two minutes is, for 3 times its
//                   longest silence of the last eight days and at least two minutes; 6 times while
//                   it is known for less than a week. Onset: its last line
//   queue           a depth above its limit for a minute; over at 80 % of it
//   oom             the kernel killed a process; over ten minutes after the last kill
//   crash loop      three restarts of a container in ten minutes, or CrashLoopBackOff
//   cannot start    a container that waits for two minutes for an image or a configuration that
//                   cannot be had (ImagePullBackOff, CreateContainerConfigError...)
//   disk            used >= 85 % (P3), >= 95 % (P1), or full within 4 h while >= 70 % is used (P2);
//                   over two points lower
//   under-voltage   for ten seconds, or three times within an hour
//
// Takes what it judges as calls and times, reads no clock; bounded: max_watched of each kind
// (gauges, containers, disks), refusals are counted. Not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/incident/condition.hpp"
#include "nines/incident/template_watch.hpp"

namespace nines::incident {

struct StormRule {
  bool on = true;
  int priority = 2;
  uint64_t least_lines = 60;  // in a minute
  double times_usual = 5, times_peak = 2, least_score = 30;
  size_t least_slots = 5;  // of the last 7 of 10 s
  int64_t learn_minutes = 1440;
  int64_t clear_s = 120;
};
struct SilenceRule {
  bool on = true;
  int priority = 2;
  double times_longest = 3;
  int64_t least_s = 120;
  int64_t steady_s = 120;  // who is quiet for longer when all is well is not watched
  int least_days = 2;      // heard on so many of the last eight days
  double least_lines_a_minute = 1;
  int64_t clear_s = 30;
  int64_t give_up_s = 86400;  // then it is taken for gone
};
struct QueueLimit {
  std::string service, name;  // empty: any
  double limit = 0;
};
struct QueueRule {
  bool on = true;
  int priority = 2;
  double limit = 1000;
  std::vector<QueueLimit> limits;  // the first that fits counts
  double clear_share = 0.8;
  int64_t for_s = 60, clear_s = 60;
  int64_t stale_s = 300;  // an older value tells nothing
};
struct OomRule {
  bool on = true;
  int priority = 1;
  int64_t clear_s = 600;
};
struct CrashLoopRule {
  bool on = true;
  int priority = 1;
  size_t restarts = 3;  // at most 16
  int64_t window_s = 600;
  int64_t clear_s = 600;
};
struct StartRule {
  bool on = true;
  int priority = 2;
  int64_t for_s = 120;
  int64_t clear_s = 60;
};
struct DiskRule {
  bool on = true;
  double watch = 0.85, critical = 0.95;
  double clear_points = 0.02;
  int64_t full_within_s = 4 * 3600;
  double full_from = 0.70;
  int64_t clear_s = 300;
};
struct VoltageRule {
  bool on = true;
  int priority = 2;
  int64_t for_s = 10;
  size_t times = 3;  // within an hour; at most 16
  int64_t clear_s = 600;
};

struct DetectorSettings {
  StormRule storm;
  SilenceRule silence;
  QueueRule queue;
  OomRule oom;
  CrashLoopRule crash_loop;
  StartRule start;
  DiskRule disk;
  VoltageRule voltage;
  size_t max_watched = 512;
};

// What a container's status tells.
struct ContainerState {
  std::string_view service, pod, container;
  uint64_t restarts = 0;          // since it was made
  std::string_view waiting = {};  // reason, CrashLoopBackOff...; empty: it runs
  std::string_view ns = {};       // namespace of the pod, where it is known
};

// What the watch itself cannot know.
struct Surroundings {
  std::string_view node;
  bool reading = true;       // all inputs are read up to now: none stopped, lost or lagging
  bool node_silent = false;  // this node is cut off or being drained
};

class Detector {
 public:
  explicit Detector(DetectorSettings settings = {});
  ~Detector();

  void queue(std::string_view service, std::string_view name, double depth, WallTime at);
  // Names of log::classify_kmsg: oom_kill, oom_cgroup, undervoltage, voltage_ok; others are
  // ignored. `service`, `pod`: whose process it was, where that is known.
  void kernel(std::string_view event, std::string_view victim, std::string_view service,
              WallTime at, std::string_view pod = {});
  void container(const ContainerState& state, WallTime at);
  void disk(std::string_view mount, double used_share, WallTime at);  // about once a minute
  void power(bool under_voltage, WallTime at);  // the flag of a Raspberry Pi's firmware

  // What began, got worse or is over since the last look; about every 10 s, after
  // TemplateWatch::advance(). In the order of their keys.
  std::vector<Condition> look(WallTime now, const TemplateWatch& watch,
                              const Surroundings& around = {});
  std::vector<Condition> standing() const;  // that hold, by key

  struct Stats {
    size_t standing = 0, watched = 0;
    uint64_t refused = 0;  // beyond max_watched
  };
  Stats stats() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::incident
