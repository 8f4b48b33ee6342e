// Governor: how much the reading thread may read next, so that catching up never makes a struggling
// node worse (law 3). Pure logic: time, CPU readings and pressure are given to it.
//
//   CPU budget   a token bucket of thread CPU time: `cpu_permille` of one core over any stretch,
//                with at most burst_ms saved up. Spent ahead, it is paid back by pausing.
//   back-off     when the kernel reports pressure (PSI, avg10) above a limit, reading slows to
//                trickle_bytes_per_s: more than a node usually logs, so that SLOs go on being
//                counted. It ends when every pressure is below leave_percent of its limit. No state
//                lasts less than hold_ms, so the two never alternate faster than that.
//
// For each round of reading:
//
//   if (governor.wants_pressure(now, backlog)) governor.note_pressure(now, read_pressure(proc));
//   const auto grant = governor.next(now, thread_cpu_ns);
//   // sleep until grant.pause_until, or read at most grant.bytes, then:
//   governor.spent(bytes_read);
//
// Without backlog nothing is wanted and nothing is paused for long: no wake-up when idle.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::collector {

// Share of time that somebody waited for a resource (PSI "some", avg10), in 1/100 percent.
// nullopt: the kernel does not tell (no PSI): never a reason to back off.
struct Pressure {
  std::optional<int32_t> cpu, memory, io;
};
// From PROC/pressure/{cpu,memory,io}.
Pressure read_pressure(const std::string& proc = "/proc");
// The avg10 of the "some" line of one such file.
std::optional<int32_t> parse_pressure(std::string_view text) noexcept;

struct GovernorOptions {
  int32_t cpu_permille = 500;  // of one core; 0: no budget (--once)
  int64_t burst_ms = 200;      // 1..60,000
  // Limits in percent; 0: this resource is not looked at.
  int32_t cpu_percent = 60, memory_percent = 10, io_percent = 30;
  int32_t leave_percent = 50;               // of the limit
  int64_t hold_ms = 10'000;                 // avg10 itself needs as long to tell a change
  int64_t pressure_every_ms = 2000;         // with backlog
  size_t read_bytes = 1024 * 1024;          // one grant at full speed
  size_t trickle_bytes_per_s = 512 * 1024;  // never less than kMinTrickle
};
inline constexpr size_t kMinTrickle = 64 * 1024;

class Governor {
 public:
  struct Grant {
    Instant pause_until{};  // later than now: do not read before
    size_t bytes = 0;       // else: read at most so many
  };
  struct Stats {
    bool backing_off = false;
    uint64_t back_offs = 0;  // times it began
    uint64_t cpu_pauses = 0, trickle_pauses = 0;
    int64_t paused_ms = 0;      // granted pauses, also those cut short
    int64_t backed_off_ms = 0;  // of back-offs that ended
    std::string reason;         // "io pressure 43 % > 30 %"; empty: full speed
  };

  explicit Governor(GovernorOptions options);

  // Whether a pressure reading is wanted now: never without backlog, save to see an end.
  bool wants_pressure(Instant now, bool backlog) const noexcept;
  void note_pressure(Instant now, const Pressure& pressure);
  // `cpu_ns`: CPU time of the reading thread so far.
  Grant next(Instant now, int64_t cpu_ns);
  void spent(size_t bytes) noexcept;

  const Stats& stats() const noexcept { return stats_; }

 private:
  int64_t rate() const noexcept;   // of the trickle, bytes a second
  int64_t piece() const noexcept;  // what is granted of it at once
  void refill(Instant now, int64_t cpu_ns);
  Grant pause(Instant now, int64_t ns, uint64_t& counter);
  std::string why(const Pressure& pressure, int64_t share_percent) const;
  void turn(Instant now, bool back_off);

  GovernorOptions options_;
  Stats stats_;
  bool begun_ = false;
  Instant at_{};             // of the last refill
  int64_t cpu_ns_ = 0;       // at that time
  int64_t cpu_tokens_ = 0;   // thousandths of a nanosecond of CPU time
  int64_t byte_tokens_ = 0;  // billionths of a byte
  Instant turned_{INT64_MIN};
  Instant looked_{INT64_MIN};
};

}  // namespace nines::collector
