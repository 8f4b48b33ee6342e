// Logbook: the change log and what follows from it, on the control thread. Keeps the newest entries
// in memory, runs the gate keeper and the release watches at each evaluation, and says what must be
// written. No threads, no I/O, no clock.
#pragma once

#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/slo/gate_keeper.hpp"
#include "nines/slo/impact.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

using Record = store::StateStore::Record;

// Kinds of the documents it keeps.
inline constexpr const char* kGateKind = "gate";
inline constexpr const char* kOverrideKind = "override";
inline constexpr const char* kSpecKind = "slo-spec";

class Logbook {
 public:
  static constexpr size_t kMaxChanges = 2000;         // in memory; the store keeps as many
  static constexpr size_t kMaxWatches = 32;           // at a time; older releases are not watched
  static constexpr int64_t kWorseHoldsS = 24 * 3600;  // a release found WORSE holds the gate

  // `engine` must outlive it.
  explicit Logbook(const slo::SloEngine& engine, slo::WatchPolicy policy = {})
      : engine_(engine), policy_(policy) {}

  void restore(std::vector<slo::Change> changes, const std::vector<store::Document>& gates,
               const std::vector<store::Document>& overrides);
  // What changed of the SLOs since their descriptions were kept, and the new descriptions.
  Record compare_specs(const std::vector<store::Document>& kept, WallTime now) const;

  // After the engine's evaluation: gates, steps, overrides that ran out, watches that ended (those
  // only when `ready`: counts up to `now` are in). What it returns is decided; it must be written,
  // later if need be.
  Record evaluate(WallTime now, bool ready);
  // Has been written: entries have their ids.
  void recorded(const Record& record);

  // Checks an annotation and fills in its service from its SLO. at: zero means now.
  Result<slo::Change> annotation(slo::Change change, WallTime now) const;
  // Of an SLO or service; ttl 0: the most that the policy allows. recorded() makes it hold.
  struct OverrideWish {
    std::string name, by, reason;
    int64_t ttl_s = 0;
    bool revoke = false;
  };
  Result<Record> override_gate(const OverrideWish& wish, WallTime now) const;

  const std::deque<slo::Change>& changes() const noexcept { return changes_; }  // oldest first
  const slo::Change* find(uint64_t id) const noexcept;
  // Of a deploy: one for each SLO of its service, as of `now`. Empty for other kinds.
  std::vector<slo::ReleaseWatch> watches_of(const slo::Change& change, WallTime now) const;
  std::vector<slo::Impact> impact(const slo::Change& change, WallTime now, int64_t window_s) const;
  // Puts the verdicts into the status of every SLO.
  void decorate(Snapshot& snapshot) const;
  const slo::SloEngine& engine() const noexcept { return engine_; }
  std::vector<slo::Change> all() const { return {changes_.begin(), changes_.end()}; }

 private:
  void remember(slo::Change change);
  void forget_removed(Record& out);
  WallTime watch_end(const slo::Change& release) const;
  bool newest_release(const slo::Change& release) const;
  slo::Change watch_entry(const slo::Change& release, const std::vector<slo::ReleaseWatch>& watches,
                          WallTime ends) const;
  std::vector<slo::WatchNote> look_at_releases(WallTime now, bool ready, Record& out);

  const slo::SloEngine& engine_;
  slo::WatchPolicy policy_;
  slo::GateKeeper keeper_;
  std::deque<slo::Change> changes_;
  std::set<uint64_t> told_watches_;                   // releases whose watch has its entry
  std::map<std::string, slo::GateVerdict> verdicts_;  // by SLO, as of the last evaluate()
};

}  // namespace nines::agent
