// Judge: the deciding half of the agent. Takes what ingest hands over, keeps coverage, evaluates
// the SLOs, remembers alerts, and gathers what the store must commit. No threads, no I/O, no clock.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "app/ingest.hpp"
#include "app/snapshot.hpp"
#include "nines/slo/engine.hpp"
#include "nines/store/state_store.hpp"

namespace nines::agent {

class Judge {
 public:
  explicit Judge(const NodeConfig& config);

  Result<uint32_t> add(const slo::SloSpec& spec);
  void set_sources(uint32_t slo, Ingest::Sources sources);
  // A group that ingest has met: a row beside its SLO. take() adds those that its batch tells of.
  Result<uint32_t> add_row(const slo::GroupRow& row);
  // Rows that take() has added since the last call: the store must know them before the next commit
  // (refuse_row when it does not).
  std::vector<uint32_t> take_new_rows() { return std::exchange(new_rows_, {}); }
  void refuse_row(uint32_t slo);  // its counts are dropped from now on
  // After its counts of before are restored: a group that was let go and comes back has the
  // coverage of its SLO for the time in between.
  void resume_row(uint32_t slo);
  // Rows of groups that have nothing in any window any more go. Call it when no commit is under
  // way.
  void let_rows_go();
  bool has_leaving_rows() const noexcept { return !leaving_.empty(); }
  // Counts of an earlier life. Neither reported nor committed again.
  void restore(const slo::Batch& batch);
  void restore_alerts(const std::vector<slo::AlertMemory>& memory) {
    engine_.restore_alerts(memory);
  }

  static constexpr WallTime kNoCoverage{INT64_MIN};
  // Adds counts and extends coverage up to `until` (event time up to which every caught-up source
  // is known completely).
  void take(HandOver&& hand_over, WallTime until);
  // Evaluates at `watermark`; transitions go to the pending commit and are returned.
  std::vector<slo::AlertEvent> evaluate(WallTime watermark, WallTime now);

  // The incident that the last transitions of this SLO belong to; told with them.
  void belongs(std::string_view slo, const std::string& incident);
  // Whom they are for, where the SLO does not say it.
  void address(std::string_view slo, const std::vector<std::string>& names);
  // An event that another part of the agent decided and keeps by itself: shown beside the rest.
  void show(const slo::AlertEvent& event);

  // Event time up to which earlier lives and this one have covered the logs; none: not at all.
  std::optional<WallTime> known_until() const noexcept;

  // What the store has not yet got. give_back() after a commit that failed.
  store::StateStore::Commit take_commit(WallTime now);
  void give_back(store::StateStore::Commit&& commit);
  void drop_pending() { pending_ = {}; }  // nothing is kept (no store)
  bool has_pending() const noexcept { return !pending_.batch.empty() || !pending_.events.empty(); }
  size_t pending_slots() const noexcept { return pending_.batch.slots.size(); }
  bool has_pending_events() const noexcept { return !pending_.events.empty(); }

  // Everything but what only the composition knows (store, notifier, process figures).
  Snapshot snapshot() const;
  const slo::SloEngine& engine() const noexcept { return engine_; }
  size_t slos() const noexcept { return engine_.size(); }
  // (good, bad): all events counted since the SLO began here.
  std::pair<int64_t, int64_t> totals(uint32_t slo) const {
    return {watched_[slo].good_total, watched_[slo].bad_total};
  }

 private:
  struct Watched {
    std::optional<Ingest::Sources> sources;  // none yet: nothing can be said about coverage
    int64_t covered_until = INT64_MIN;       // first slot not yet covered
    int64_t restored_until = INT64_MIN;      // the same, by an earlier life alone
    int64_t filled_from = INT64_MAX;         // of a row: covered as its SLO from there on
    uint32_t whole = UINT32_MAX;             // of a row: its SLO
    bool restored = false;                   // covered_until is from an earlier life
    bool resumed = false;                    // reading went on where that life had ended
    bool counts_scrapes = false;             // a failed scrape is an event to it and no gap
    int64_t good_total = 0, bad_total = 0;
  };
  void cover(uint32_t slo, WallTime until, slo::Batch& out);
  void count_totals(const slo::Batch& batch);
  void cover_as_whole(uint32_t row, int64_t from, int64_t end);
  void cover_stretch(uint32_t row, int64_t from, int64_t to, int64_t end, slo::Batch& out);
  void settle_rows(slo::Batch& batch);
  void leave(const slo::GroupRow& row);
  bool stay(const slo::GroupRow& row);
  void take_place(const slo::GroupRow& row, uint32_t index);
  std::vector<uint32_t> order_of_rows() const;

  slo::SloEngine engine_;
  std::vector<Watched> watched_;
  std::vector<SourceState> sources_;
  std::vector<collector::JoinCounts> joins_;
  std::vector<collector::GroupCounts> groups_;
  std::vector<uint32_t> rows_;  // engine index of each made-up one, or kNoRow
  std::vector<uint32_t> new_rows_;
  std::set<uint32_t> refused_rows_;
  std::set<uint32_t> leaving_;  // rows of groups that ingest has let go
  collector::Tailer::Stats tailer_;
  std::optional<collector::IndexStats> index_;
  std::vector<collector::InputStats> inputs_;
  collector::Governor::Stats governor_;
  store::StateStore::Commit pending_;
  std::deque<slo::AlertEvent> recent_;
  WallTime watermark_{};
};

}  // namespace nines::agent
