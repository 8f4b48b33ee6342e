// StandingQuery: a query of nines.yaml that looks, run after run, at the records that were written
// since the run before, and at no others.
//
//   rows, GROUP BY, ORDER BY, LIMIT       over the records of one run
//   SESSION, SEQUENCE, MATCH_RECOGNIZE    when a session is closed, a match is found; what is open
//                                         goes on with the next run (of the same life)
//
// Used by one thread, but for check().
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/query/plan.hpp"
#include "query/bookmark.hpp"
#include "query/environment.hpp"
#include "query/standing.hpp"

namespace nines::agent::query {

// Where the reading of one run may be slowed down and what may end it.
struct RunControl {
  const std::atomic<bool>* stop = nullptr;     // as soon as can be; the run never happened
  std::function<void(size_t bytes)> did_read;  // may wait
};

struct StandingRun {
  WallTime since{}, at{};
  std::string rows;       // a JSON array of those that are told
  uint64_t count = 0;     // rows there were
  uint64_t omitted = 0;   // of them beyond the limits of one message
  uint64_t records = 0;   // looked at
  uint64_t evicted = 0;   // groups, sessions, matches given up at the limit of memory
  int64_t lag_bytes = 0;  // left for the next run, which the time limit ended
  int64_t duration_ns = 0;
  bool stopped = false;  // it was to end: nothing of it counts
  std::vector<std::string> problems;
  std::vector<store::Document> documents;  // that stand for what was looked at
};

class StandingQuery {
 public:
  static constexpr size_t kMaxRowsBytes = 32 * 1024;  // of one message
  static constexpr size_t kMaxStateBytes = 8 * 1024 * 1024;
  static constexpr size_t kMaxEventStateBytes = 2 * 1024 * 1024;  // kept between runs
  static constexpr int64_t kMaxRunNs = 10 * kNsPerSecond;

  // Whether the statement may stand in a configuration; says what to write instead.
  static Status check(const nines::query::Statement& statement);

  // All outlive it. `bookmark`: of an earlier life. REQUIRES that the statement passed check().
  StandingQuery(const StandingQueryConfig& config, const NodeConfig& node, const Clock& clock,
                Bookmark bookmark, RunControl control);
  ~StandingQuery();

  const StandingQueryConfig& config() const noexcept { return config_; }
  StandingRun run();

 private:
  class Collector;
  class Input;
  Status prepare();
  void read(StandingRun& run);
  void note_time(WallTime newest);
  void keep_place(StandingRun& run);

  const StandingQueryConfig& config_;
  const NodeConfig& node_;
  const Clock& clock_;
  Bookmark bookmark_;
  RunControl control_;
  nines::query::Statement statement_;
  Environment environment_;
  std::unique_ptr<Collector> rows_;
  std::unique_ptr<Input> input_;  // what the files push into
  std::unique_ptr<StandingBlock> events_;
  std::unique_ptr<Followed> files_;
  std::optional<WallTime> newest_;  // time stamp, and when it came
  Instant newest_seen_{};
  uint64_t records_ = 0, evicted_ = 0;  // up to the run before
};

}  // namespace nines::agent::query
