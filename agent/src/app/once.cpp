#include "app/once.hpp"

#include <algorithm>
#include <queue>

namespace nines::agent {
namespace {

constexpr int64_t kSlotNs = slo::kSlotS * kNsPerSecond;
constexpr size_t kCommitSlots = 20'000;
// No burn rule looks back further than 3 days: in a longer silence nothing can change.
constexpr int64_t kQuietSlots = 4 * 86400 / slo::kSlotS;

WallTime slot_start(int64_t slot) { return {slot * kSlotNs}; }

class Run {
 public:
  Run(Ingest& ingest, Judge& judge, store::StateStore* store, const Clock& clock,
      const OnceOptions& options)
      : ingest_(ingest), judge_(judge), store_(store), clock_(clock), options_(options) {}

  Status read_all() {
    for (collector::TailedFile* file : ingest_.tailer().files()) {
      while (ingest_.tailer().read_some(*file, true)) {
        if (ingest_.pipeline().full()) NINES_CHECK(take(Judge::kNoCoverage));
      }
    }
    const WallTime now = clock_.wall();
    NINES_CHECK(take(now));
    tell(judge_.evaluate(now, now));
    return commit();
  }

  Status replay() {
    prime();
    while (!waiting_.empty()) {
      const Waiting next = waiting_.top();
      waiting_.pop();
      NINES_CHECK(advance(slo::slot_of(next.at)));
      read_slot(*next.file, slo::slot_of(next.at));
    }
    if (ingest_.pipeline().max_event_time().ns != 0) {
      const int64_t end = slo::slot_of(ingest_.pipeline().max_event_time()) + 1;
      if (at_ == INT64_MIN) at_ = end - 1;
      NINES_CHECK(advance(end));
    } else {
      // Nothing new in the logs: judge at what is known already.
      NINES_CHECK(take(Judge::kNoCoverage));
      const WallTime known = judge_.known_until();
      tell(judge_.evaluate(known, known));
    }
    return commit();
  }

 private:
  struct Waiting {
    WallTime at;
    collector::TailedFile* file;
    bool operator<(const Waiting& other) const {
      return at != other.at ? at > other.at : file->path > other.file->path;
    }
  };

  // Finds the first time stamp of every file.
  void prime() {
    ingest_.pipeline().set_replay_limit({INT64_MIN});
    for (collector::TailedFile* file : ingest_.tailer().files()) read_until_held(*file);
  }

  void read_until_held(collector::TailedFile& file) {
    while (ingest_.tailer().read_some(file, true)) {
      if (collector::Pipeline::next_time(file)) break;
    }
    if (const auto next = collector::Pipeline::next_time(file)) waiting_.push({*next, &file});
  }

  void read_slot(collector::TailedFile& file, int64_t slot) {
    ingest_.pipeline().set_replay_limit({slot_start(slot + 1).ns - 1});
    read_until_held(file);
  }

  // Evaluates at every 10 s boundary up to the start of `slot`: all events before it are read.
  Status advance(int64_t slot) {
    if (at_ == INT64_MIN) at_ = slot;
    if (slot <= at_) return Ok{};
    NINES_CHECK(take(slot_start(at_ + 1)));
    int64_t quiet = 0;
    while (at_ < slot) {
      at_ = ++quiet > kQuietSlots ? slot : at_ + 1;
      NINES_CHECK(take(slot_start(at_)));
      tell(judge_.evaluate(slot_start(at_), slot_start(at_)));
    }
    return Ok{};
  }

  Status take(WallTime until) {
    HandOver hand_over = ingest_.hand_over();
    if (options_.log_clock) {
      for (SourceState& source : hand_over.sources) source.caught_up = source.attached;
    }
    judge_.take(std::move(hand_over), until);
    if (store_ == nullptr) {
      judge_.drop_pending();
    } else if (judge_.pending_slots() > kCommitSlots) {
      return commit();
    }
    return Ok{};
  }

  void tell(const std::vector<slo::AlertEvent>& transitions) {
    if (!options_.on_alert) return;
    for (const slo::AlertEvent& event : transitions) options_.on_alert(event);
  }

  Status commit() {
    if (store_ == nullptr) return Ok{};
    auto pending = judge_.take_commit(clock_.wall());
    return store_->commit(pending);
  }

  Ingest& ingest_;
  Judge& judge_;
  store::StateStore* store_;
  const Clock& clock_;
  const OnceOptions& options_;
  std::priority_queue<Waiting> waiting_;
  int64_t at_ = INT64_MIN;  // slots before it are complete and judged
};

}  // namespace

Status run_once(Ingest& ingest, Judge& judge, store::StateStore* store, const Clock& clock,
                const OnceOptions& options) {
  ingest.tailer().rescan();
  Run run(ingest, judge, store, clock, options);
  return options.log_clock ? run.replay() : run.read_all();
}

}  // namespace nines::agent
