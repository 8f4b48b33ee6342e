// GateKeeper: what a gate remembers from one evaluation to the next. On top of decide_release():
//   release watch  a release that is found WORSE holds the gates of its service
//   hold-down      a closed gate stays as closed as it was for hold_down_s after its cause is gone
//   override       a person opens the gate for a bounded time; what it would be is always shown
// and the error-budget policy: crossing a step is told once in each direction.
//
// No clock, no I/O. Whatever must survive a restart is a GateMemory or an Override; a transition
// comes with the memory that follows from it, and both are to be kept in one transaction: then
// nothing is told twice or lost.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"

namespace nines::slo {

struct GateMemory {
  std::string slo;
  Release closed = Release::go;  // hold or freeze while closed or held down, else go
  WallTime cleared{};            // when the cause went away; zero: it is there
  std::string step;              // name of the step told last; empty: none
  friend bool operator==(const GateMemory&, const GateMemory&) = default;
  std::string encode() const;
  static std::optional<GateMemory> decode(std::string_view body);
};

struct Override {
  std::string name;  // of an SLO or a service
  std::string by, reason;
  WallTime at{}, until{};
  friend bool operator==(const Override&, const Override&) = default;
  std::string encode() const;
  static std::optional<Override> decode(std::string_view body);
};

// A release watch that stands against a service.
struct WatchNote {
  std::string service, slo;  // slo empty: all of the service
  std::string text;          // "release #12 is WORSE: ..."
};

class GateKeeper {
 public:
  void restore(GateMemory memory) { memory_[memory.slo] = std::move(memory); }
  void restore(Override override_) { overrides_[override_.name] = std::move(override_); }

  struct Outcome {
    std::vector<GateMemory> changed;  // to be kept
    std::vector<std::string> ended;   // overrides that ran out: to be forgotten
    std::vector<Change> changes;      // to be told in the log
    std::vector<AlertEvent> alerts;   // of steps that have a severity
    bool empty() const { return changed.empty() && ended.empty(); }
  };
  // One SLO at one evaluation: completes status.gate. Without data a step is kept.
  void judge(const SloSpec& spec, SloStatus& status, WallTime now,
             const std::vector<WatchNote>& watches, Outcome& out);
  // Overrides that have run out by `now`.
  void expire(WallTime now, Outcome& out);

  // `invalid_argument` says what is missing; the ttl is at most that of the strictest policy of
  // `specs`. The entry for the change log comes with it.
  struct Opened {
    Override override_;
    Change change;
  };
  static Result<Opened> open(const std::string& name, const std::string& by,
                             const std::string& reason, int64_t ttl_s,
                             const std::vector<const SloSpec*>& specs, WallTime now);
  // not_found: nothing of that name is overridden.
  Result<Change> revoke(const std::string& name, const std::string& by, const std::string& reason,
                        WallTime now) const;
  // What is remembered of an SLO that is there no more.
  void drop(const std::string& slo) { memory_.erase(slo); }
  void put(Override override_) { restore(std::move(override_)); }
  void forget(const std::string& name) { overrides_.erase(name); }
  const std::map<std::string, Override>& overrides() const noexcept { return overrides_; }

 private:
  const Override* override_for(const SloSpec& spec, WallTime now) const;
  void hold_down(const SloSpec& spec, SloStatus& status, WallTime now, GateMemory& memory);
  void tell_step(const SloSpec& spec, const SloStatus& status, WallTime now, GateMemory& memory,
                 Outcome& out);

  std::map<std::string, GateMemory> memory_;
  std::map<std::string, Override> overrides_;
};

}  // namespace nines::slo
