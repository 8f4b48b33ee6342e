// Pipeline: from the bytes of followed files to slot deltas (DESIGN 3). For every file it finds the
// format, compiles the fields and predicates that the SLOs on that file need into a program shared
// by all files alike, and counts. The hot path allocates nothing and takes no lock.
//
// Used by the ingest thread alone.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/pod_directory.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/log/format.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/join.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

class RecordObserver;

struct PipelineOptions {
  std::string node;
  size_t max_record_bytes = 256 * 1024;  // a line, also one of pieces, is cut there
  size_t max_pending_slots = 64 * 1024;  // beyond: full() asks for take()
  int64_t max_future_skew_s = 60;        // a time stamp further ahead is counted at ingest time
  // Who tells of pods; null: nobody. Then sources that choose by labels count nothing.
  std::shared_ptr<const PodFeed> pods = nullptr;
  bool marks = false;                  // marks() is wanted: the level of every record is read
  RecordObserver* observer = nullptr;  // outlives the pipeline
};

// Fields of a source's records that an observer is told of.
struct GaugePlan {
  std::string value;  // empty: none
  std::string of;     // whose value it is; empty: the record's service
};

struct SourcePlan {
  std::string name, service;
  slo::SourceSelector selector;
  GlobSpec globs;
  GaugePlan gauge{};
  std::string user{};  // the field that says who a record's user is; empty: none does
};
// Globs of a selector: its paths, or those of the container logs it names.
GlobSpec globs_of(const slo::SourceSelector& selector);

// Names in the path of a container log (/var/log/pods/NS_POD_UID/CONTAINER/N.log and what the
// kubelet makes of it when it rotates, /var/log/containers/POD_NS_CONTAINER-ID.log). They need no
// API. The uid of a static pod is the hash of its manifest.
struct ContainerPath {
  std::string_view ns, pod, container;
  std::string_view uid;            // empty: the path does not tell
  std::optional<int32_t> restart;  // likewise
};
std::optional<ContainerPath> parse_container_path(std::string_view path);

struct SourceCounts {
  std::string name, service, format;  // format: "unknown" until seen, "mixed" for several
  uint64_t files = 0, records = 0, bytes = 0;
  uint64_t no_match = 0, bad_time = 0, truncated = 0, not_cri = 0, detect_failed = 0;
  uint64_t pods_unknown = 0;     // files read although their pod was not known in time
  uint64_t bytes_excluded = 0;   // of files that matched by name and that no source counts
  uint64_t bad_annotations = 0;  // of pods, that mean nothing
  uint64_t bad_count = 0;        // `count` of an SLI gave no whole number of events
  uint64_t continuations = 0;    // lines that are part of the record before, or of a trace
  uint64_t nul_bytes = 0;        // removed from the start of lines
  uint64_t replaced = 0;         // characters that UTF-16 could not mean
  uint64_t before_start = 0;     // records older than the source's start
  uint64_t dropped = 0;          // records beyond the source's rate
  std::string first_malformed;
  WallTime first_event{}, last_event{};  // 0: none yet
};

struct JoinCounts {
  uint32_t slo = 0;
  size_t pending = 0;
  slo::EventJoin::Counters counters;
};

inline constexpr std::string_view kGroupPrefix = "group:";  // of the positions that keep groups
struct GroupCounts {
  uint32_t slo = 0;
  size_t groups = 0;                   // without `other`
  uint64_t overflow = 0, missing = 0;  // events in `other`: beyond max, without a value
};

class Pipeline : public RecordConsumer {
 public:
  Pipeline(PipelineOptions options, const Clock& clock);
  ~Pipeline() override;

  // Indices are given in order from 0; inputs use them in LogStream::matched.
  uint32_t add_source(SourcePlan plan);
  // `total` and `part` are source indices (equal for one-source SLIs and thresholds).
  Status add_slo(uint32_t slo, const slo::SloSpec& spec, uint32_t total, uint32_t part);
  // Gives the joins added so far what they had pending in an earlier life; removes it from `saved`.
  void restore_joins(std::vector<slo::Position>& saved);

  // RecordConsumer
  Taken consume(LogStream& file, std::string_view data, Reading how) override;
  void opened(LogStream& file) override;
  void closed(LogStream& file) override;

  // Replay in time order: records stamped later than `limit` are left unread; the stamp of the
  // first one is next_time(file). nullopt: nothing was left back.
  void set_replay_limit(WallTime limit);
  static std::optional<WallTime> next_time(const LogStream& file);

  // Of what consume() took last of that file.
  static RecordMarks marks(const LogStream& file);

  // The same for the groups of SLOs; `newest`: newest event time of that life.
  void restore_groups(std::vector<slo::Position>& saved, WallTime newest);
  // From now on batches tell which groups have nothing in any window any more. The batches must
  // then be counted in turn: places of such groups are given to others.
  void let_groups_go();
  // Groups that no batch and no call of this has told of yet.
  void take_groups(std::vector<slo::GroupRow>& out);

  // Event time up to which each source was read completely, by index; INT64_MIN: unknown. What
  // joins await from before is counted as missing.
  void know(std::span<const WallTime> until);

  // Moves the counts since the last call into `out` (adds to it), with what joins have pending.
  void take(slo::Batch& out);
  bool full() const noexcept;

  std::vector<SourceCounts> counts() const;
  std::vector<JoinCounts> join_counts() const;
  std::vector<GroupCounts> group_counts() const;
  // Largest event time seen in any source; 0 when none.
  WallTime max_event_time() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::collector
