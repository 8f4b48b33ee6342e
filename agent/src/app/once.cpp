#include "app/once.hpp"

#include <algorithm>
#include <queue>

#include "app/wiring.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kSlotNs = slo::kSlotS * kNsPerSecond;
constexpr size_t kCommitSlots = 20'000;
// No burn rule looks back further than 3 days: in a longer silence nothing can change.
constexpr int64_t kQuietSlots = 4 * 86400 / slo::kSlotS;

WallTime slot_start(int64_t slot) { return {slot * kSlotNs}; }

class Run {
 public:
  Run(Ingest& ingest, Judge& judge, OnceIncidents* incidents, store::StateStore* store,
      const Clock& clock, const OnceOptions& options)
      : ingest_(ingest),
        judge_(judge),
        incidents_(incidents),
        store_(store),
        clock_(clock),
        options_(options) {}

  Status read_all() {
    for (const collector::StreamRef& at : ingest_.inputs().list()) {
      while (at.input->read_some(*at.stream, true)) {
        NINES_CHECK(go_on());
        if (!ingest_.pipeline().full()) continue;
        take(Judge::kNoCoverage);
        NINES_CHECK(commit_when_large(clock_.wall()));
      }
    }
    const WallTime now = clock_.wall();
    take(now);
    judged(judge_.evaluate(now, now), now);
    return finish(now);
  }

  Status replay() {
    ingest_.pipeline().let_groups_go();
    // What an earlier life has judged is not judged again.
    if (const auto known = judge_.known_until()) at_ = slo::slot_of(*known);
    const int64_t known_slot = at_;
    prime();
    while (!waiting_.empty()) {
      const Waiting next = waiting_.top();
      waiting_.pop();
      NINES_CHECK(advance(slo::slot_of(next.at)));
      read_slot(next.from, slo::slot_of(next.at));
      NINES_CHECK(go_on());
    }
    if (ingest_.pipeline().max_event_time().ns != 0) {
      const int64_t end = slo::slot_of(ingest_.pipeline().max_event_time()) + 1;
      if (at_ == INT64_MIN) at_ = end - 1;
      NINES_CHECK(advance(end));
    }
    // Nothing behind what is known: what is new belongs to the past, and there is a status to show.
    if (at_ == INT64_MIN) at_ = 0;
    if (at_ == known_slot || at_ == 0) judge_at(at_);
    return finish(slot_start(at_));
  }

 private:
  struct Waiting {
    WallTime at;
    collector::StreamRef from;
    bool operator<(const Waiting& other) const {
      return at != other.at ? at > other.at : from.stream->path > other.from.stream->path;
    }
  };

  // Finds the first time stamp of every file.
  void prime() {
    ingest_.pipeline().set_replay_limit({INT64_MIN});
    for (const collector::StreamRef& at : ingest_.inputs().list()) read_until_held(at);
  }

  void read_until_held(const collector::StreamRef& from) {
    while (from.input->read_some(*from.stream, true)) {
      if (collector::Pipeline::next_time(*from.stream)) break;
    }
    if (const auto next = collector::Pipeline::next_time(*from.stream))
      waiting_.push({*next, from});
  }

  void read_slot(const collector::StreamRef& from, int64_t slot) {
    ingest_.pipeline().set_replay_limit({slot_start(slot + 1).ns - 1});
    read_until_held(from);
  }

  // Evaluates at every 10 s boundary up to the start of `slot`: all events before it are read.
  Status advance(int64_t slot) {
    if (at_ == INT64_MIN) at_ = slot;
    int64_t quiet = 0;
    while (at_ < slot) {
      at_ = ++quiet > kQuietSlots ? slot : at_ + 1;
      judge_at(at_);
    }
    // Counts and the alerts that they led to are committed together, so that a next life neither
    // skips an evaluation nor repeats one.
    return commit_when_large(slot_start(at_));
  }

  void judge_at(int64_t slot) {
    take(slot_start(slot));
    judged(judge_.evaluate(slot_start(slot), slot_start(slot)), slot_start(slot));
  }

  void take(WallTime until) {
    HandOver hand_over = ingest_.hand_over(until, options_.log_clock);
    if (options_.log_clock) {
      // Every file was read up to `until`. Of the time before its first line nothing is known.
      for (SourceState& source : hand_over.sources) {
        source.caught_up = source.attached && (source.counts.first_event.ns != 0 || source.resumed);
      }
    }
    if (incidents_ != nullptr && hand_over.observed) {
      incidents_->observed(std::move(*hand_over.observed), until);
    }
    judge_.take(std::move(hand_over), until);
    for (const uint32_t row : judge_.take_new_rows()) {
      if (store_ == nullptr || !attached_.ok()) continue;
      attached_ = attach_row(*store_, judge_, row);
    }
    if (store_ == nullptr) judge_.drop_pending();
    judge_.let_rows_go();
  }

  Status go_on() const {
    if (!options_.stop || !options_.stop()) return Ok{};
    return Error{Errc::unavailable,
                 "stopped before the end of the logs; the next run goes on "
                 "where the last commit was"};
  }

  void judged(const std::vector<slo::AlertEvent>& transitions, WallTime at) {
    if (options_.on_alert) {
      for (const slo::AlertEvent& event : transitions) options_.on_alert(event);
    }
    if (incidents_ == nullptr) return;
    incidents_->judged(transitions, at);
    for (const std::string& news : incidents_->desk().take_news()) {
      if (options_.on_incident) options_.on_incident(at, news);
    }
  }

  Status commit_when_large(WallTime now) {
    const bool due = judge_.pending_slots() > kCommitSlots || judge_.has_leaving_rows();
    return due ? commit(now) : Ok{};
  }

  // `now` is the time by which the store tells old from new: log time in a replay.
  Status commit(WallTime now) {
    if (store_ == nullptr) return Ok{};
    NINES_CHECK(attached_);
    auto pending = judge_.take_commit(now);
    if (incidents_ != nullptr) NINES_CHECK(store_->put_documents(incidents_->take_documents()));
    Status done = store_->commit(pending);
    if (done.ok() || done.error().code != Errc::exhausted) return done;
    NINES_CHECK(store_->fold(now));
    return store_->commit(pending);
  }

  Status finish(WallTime now) {
    NINES_CHECK(commit(now));
    return store_ != nullptr ? store_->fold(now) : Ok{};
  }

  Ingest& ingest_;
  Judge& judge_;
  OnceIncidents* incidents_;
  store::StateStore* store_;
  const Clock& clock_;
  const OnceOptions& options_;
  std::priority_queue<Waiting> waiting_;
  Status attached_ = Ok{};  // rows of groups to the store
  int64_t at_ = INT64_MIN;  // slots before it are complete and judged
};

}  // namespace

Status run_once(Ingest& ingest, Judge& judge, OnceIncidents* incidents, store::StateStore* store,
                const Clock& clock, const OnceOptions& options) {
  ingest.inputs().rescan();
  Run run(ingest, judge, incidents, store, clock, options);
  return options.log_clock ? run.replay() : run.read_all();
}

}  // namespace nines::agent
