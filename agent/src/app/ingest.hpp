// Ingest: the reading half of the agent: inputs and pipeline, and what they hand to the judging
// half. Used by one thread; IngestThread (live.cpp) runs it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/inputs.hpp"
#include "config/config.hpp"
#include "incident/watcher.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/governor.hpp"
#include "nines/collector/index_writer.hpp"
#include "nines/collector/input_set.hpp"
#include "nines/collector/pipeline.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/slo/batch.hpp"

namespace nines::agent {

struct SourceState {
  collector::SourceCounts counts;
  bool attached = false;   // at least one file is followed
  bool caught_up = false;  // all of them were read to their end
  bool at_end = false;     // the same, and not a line is left
  bool resumed = false;    // at least one continues from a saved position
  bool replays = true;     // what was missed can still be read; false: a gap stays one
  int64_t lag_bytes = 0;
};

// Everything since the last hand-over; counts and positions belong together.
struct HandOver {
  slo::Batch batch;
  std::vector<SourceState> sources;
  std::vector<collector::JoinCounts> joins;
  std::vector<collector::GroupCounts> groups;
  collector::Tailer::Stats tailer;
  std::optional<collector::IndexStats> index;  // nothing: there is none
  std::vector<collector::InputStats> inputs;
  uint64_t wakeups = 0;
  collector::Governor::Stats governor;
  std::optional<incident::Observed> observed;  // nothing: nobody watches
  bool caught_up = false;
  // Nothing was read yet: tells only of what there is. Committed at once, so that files rotated
  // from now on are known to be news, whatever happens to the process.
  bool first_look = false;
};

// A source and the SLOs counted from it.
struct SloPlan {
  uint32_t slo = 0;
  slo::SloSpec spec;
  collector::SourcePlan total, part;
};
// The source an SLO names, looked up in the node's configuration.
Result<SloPlan> plan_slo(uint32_t slo, const slo::SloSpec& spec, const NodeConfig& config);

class Ingest {
 public:
  static Result<std::unique_ptr<Ingest>> create(const NodeConfig& config,
                                                std::vector<slo::Position> saved,
                                                InputEnvironment environment, const Clock& clock);

  // Sources that are equal are read once. Gives the indices of `total` and `part`.
  struct Sources {
    uint32_t total = 0, part = 0;
  };
  Result<Sources> add(const SloPlan& plan);
  // Sources that are read for causes only. After all SLOs were added, which share sources with
  // them.
  Status add_watched(const NodeConfig& config);
  // Groups of the SLOs added so far that an earlier life knew, and whose window reaches to
  // `newest`, its newest event. Ask once, before anything is read.
  std::vector<slo::GroupRow> restore_groups(WallTime newest);

  collector::InputSet& inputs() noexcept { return *inputs_; }
  collector::Pipeline& pipeline() noexcept { return *pipeline_; }
  collector::Governor& governor() noexcept { return *governor_; }
  incident::Watcher* watcher() noexcept { return watcher_.get(); }  // null: nobody watches
  // The next hand-over is the last: with what would wait for a later one. Writes what the index
  // holds back.
  void finish();
  // What is read up to `until` (event time) is complete for every source that is at its end, or,
  // in a replay, for every one that is attached. kNothingKnown: there is more to read.
  static constexpr WallTime kNothingKnown{INT64_MIN};
  HandOver hand_over(WallTime until = kNothingKnown, bool replay = false);

 private:
  Ingest(InputEnvironment environment, std::vector<slo::Position> saved, const Clock& clock)
      : environment_(std::move(environment)), saved_(std::move(saved)), clock_(clock) {}
  void open_index(const NodeConfig& config);
  Result<uint32_t> source_index(const collector::SourcePlan& plan);
  void fill_state(HandOver& out);
  void tell_joins(const std::vector<SourceState>& sources, WallTime until, bool replay);
  void follow_users(const SloPlan& plan);
  void forget_unclaimed(std::vector<slo::Position>& out);

  std::unique_ptr<collector::Governor> governor_;
  std::unique_ptr<incident::Watcher> watcher_;  // may be null; before pipeline_, which tells it
  std::unique_ptr<collector::Pipeline> pipeline_;
  std::unique_ptr<collector::IndexWriter> index_;  // may be null
  std::unique_ptr<collector::IndexingConsumer> indexing_;
  std::unique_ptr<collector::InputSet> inputs_;  // after pipeline_: they call it until destroyed
  collector::Tailer* tailer_ = nullptr;          // one of inputs_
  struct Source {
    collector::SourcePlan plan;
    collector::Input* input = nullptr;  // its own, unless it is files
    bool once_caught_up = false;
  };
  std::vector<Source> sources_;
  InputEnvironment environment_;
  std::vector<slo::Position> saved_;  // of an earlier life
  bool finishing_ = false;
  const Clock& clock_;
};

}  // namespace nines::agent
