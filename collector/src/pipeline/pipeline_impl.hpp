// The inside of the pipeline. pipeline.cpp reads: streams, their records, and what these count for;
// pipeline_setup.cpp says what is counted; pipeline_results.cpp gives away what was.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nines/collector/framing.hpp"
#include "nines/collector/observer.hpp"
#include "nines/collector/pipeline.hpp"
#include "pipeline/accumulator.hpp"
#include "pipeline/context.hpp"
#include "pipeline/file_format.hpp"
#include "pipeline/gate.hpp"
#include "pipeline/program.hpp"

namespace nines::collector {

struct Pipeline::Impl {
  struct FileState final : LogStream::User {
    explicit FileState(size_t max_record_bytes) : format(max_record_bytes) {}

    FileFormat format;
    Program* program = nullptr;
    uint64_t program_generation = 0;
    WallTime first_ts{INT64_MAX}, max_ts{}, last_ts{};  // of the records so far
    std::optional<WallTime> next_ts;                    // of the record a replay left unread
    StreamContext context;
    std::unique_ptr<log::StartPattern> pattern;  // the pod's own, instead of the source's
    std::string service;
    bool restart_told = false;
    bool service_guessed = false;             // nobody said so: it is the container's name
    RecordMarks marks;                        // of the records of the last block
    bool marks_asked = true, marked = false;  // marked: those of this block are noted
    uint32_t primary = 0;                     // the source that this file's lines are shown under
  };
  static FileState& state_of(LogStream& file) { return static_cast<FileState&>(*file.user); }

  struct Source {
    SourcePlan plan;
    std::vector<TaskSpec> tasks;
    SourceCounts counts;
    Admission admission;
    bool uses_pod = false;  // in some expression
    std::unique_ptr<log::StartPattern> pattern;
    std::optional<Error> trouble;  // with its pattern
  };

  struct Join {
    uint32_t slo = 0, start = 0, end = 0;  // sources
    std::unique_ptr<slo::EventJoin> join;
  };

  Impl(PipelineOptions o, const Clock& c) : options(std::move(o)), clock(c) {}

  PipelineOptions options;
  const Clock& clock;
  std::vector<Source> sources;
  std::vector<Join> joins;
  std::vector<std::unique_ptr<GroupTable>> groups;
  Accumulator rows;  // of all groups
  uint32_t row_count = 0;
  bool let_groups_go = false;
  std::vector<std::unique_ptr<Program>> programs;
  uint64_t generation = 1;  // of the tasks; programs of an older one are compiled anew
  Accumulator accumulator;
  WallTime limit{INT64_MAX};
  WallTime max_event{};
  WallTime now{};  // read once per block
  Instant now_mono{};
  FrameScratch scratch;
  ObservedRecord observed;  // as the observer is shown it; of the block that is read
  int64_t skewed = 0;

  // Choosing the program of a file.
  const SourcePlan& primary_plan(const FileState& state) const {
    return sources[state.primary].plan;
  }

  const slo::SourceSelector& selector_of(FileState& state) const {
    return state.context.effective(primary_plan(state).selector);
  }
  // What is known of the file's pod decides who counts it; false: it is not to be read now.
  bool readable(LogStream& file, FileState& state, std::string_view data, Reading how,
                Taken& taken);
  StreamContext::Gate look_at_pod(LogStream& file, FileState& state);
  void settle(LogStream& file, FileState& state);

  bool look_at_format(LogStream& file, FileState& state, std::string_view data, Reading how);
  Program* program_for(FileState& state);

  // One record.
  struct Line {
    LogStream& file;
    FileState& state;
    Program& program;
    const FramedRecord& record;
    bool lone_lines;  // of a format of one line a record: traces are passed over
  };
  bool is_trace(const Line& line);
  bool admit(const Line& line, WallTime ts);
  WallTime event_time(const Line& line, const log::ParsedRecord& parsed);
  FrameStep on_record(const Line& line);
  void fill_context(const Line& line, WallTime ts);
  void begin_observed(const LogStream& file, const FileState& state);
  void show_observer(const Line& line, WallTime ts);
  void run_tasks(const Line& line, int64_t slot);
  bool count_several(const Line& line, SliTask& task, int64_t slot, int64_t good, int64_t bad);
  bool run_threshold(SliTask& task, std::span<const Value> values, int64_t slot);
  void tally(SliTask& task, std::span<const Value> values, int64_t slot, int64_t good,
             int64_t bad) {
    accumulator.count(task.slo, slot, good, bad);
    if (task.groups != nullptr) [[unlikely]]
      (void)tally_group(task, values, slot, good, bad);
  }
  void tally_measured(SliTask& task, std::span<const Value> values, int64_t slot, bool good,
                      double value) {
    accumulator.count(task.slo, slot, good ? 1 : 0, good ? 0 : 1);
    accumulator.observe(task.slo, slot, value);
    if (task.groups == nullptr) [[likely]]
      return;
    rows.observe(tally_group(task, values, slot, good ? 1 : 0, good ? 0 : 1), slot, value);
  }
  // Out of the way of SLOs without groups. Gives the row.
  uint32_t tally_group(SliTask& task, std::span<const Value> values, int64_t slot, int64_t good,
                       int64_t bad);
  void tell_bad(const Line& line, uint32_t slo);
  void run_join(SliTask& task, std::span<const Value> values, WallTime ts);
  void count_verdicts(uint32_t slo, slo::EventJoin& join);
  void take_rows(slo::Batch& out);
  GroupTable* add_groups(uint32_t slo, const slo::SloSpec& spec);
  Status add_join(const slo::SloSpec& spec, TaskSpec task, uint32_t part);
  void malformed(const Line& line, uint64_t SourceCounts::*reason);
  void mark(const Line& line, const log::ParsedRecord& parsed, bool matched) noexcept;
  void begin_marks(FileState& state, const LogStream& file, const JoinRule& rule,
                   const slo::SourceSelector& selector);
  void after_block(LogStream& file, FileState& state, const FrameOutput& framed);
};

}  // namespace nines::collector
