// Followed: the files behind a log block, read as they grow, each record once: through rotation,
// and where positions are kept, through restarts (by the tailer that counting uses). Used by one
// thread.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/collector/input_set.hpp"
#include "nines/collector/row_reader.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/query/plan.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

// How far the files of one source were read.
struct SourcePositions {
  std::string source;  // what it names: the same in each life
  std::vector<slo::Position> positions;
};

struct FollowedOptions {
  bool from_end = false;  // of files that were there before the first look ever, what is appended
  bool by_time = false;   // rows should come in the order of time over all files
  bool restrict_links = false;  // the rows are for others (nines/collector/link_rule.hpp)
  collector::TailerOptions tailer;
  std::vector<SourcePositions> saved;
  // After each piece that was read, and after each second of several files that are caught up with.
  std::function<void(size_t bytes)> did_read;
  std::function<bool()> step;  // false: read no more
};

class Followed {
 public:
  // `block`, `environment` and `out` outlive it. Errors: a source is none that can be followed.
  static Result<std::unique_ptr<Followed>> open(const nines::query::Block& block,
                                                const Environment& environment,
                                                FollowedOptions options,
                                                nines::query::RowSink& out);

  // Until the environment stops it or `out` wants no more rows, all that is there now. `tick` is
  // told the newest time stamp so far.
  using Tick = std::function<void(WallTime newest)>;
  void catch_up(const Tick& tick);
  // The files that several sources have, one after the other, whatever their time stamps.
  void read_to_end();
  // Waits for more and reads a bounded piece of it.
  void wait_and_read(int timeout_ms, size_t max_bytes, const Tick& tick);
  // Looks for files that came and went.
  void rescan() { inputs_->rescan(); }

  bool going() const;
  bool several_files() { return inputs_->list().size() > 1; }
  // Some record is held back because lines may follow that belong to it.
  bool holds_back();
  int64_t lag_bytes();
  // What changed since the last call, by source; a state that is empty is forgotten.
  std::vector<SourcePositions> take_positions();
  Status problem() const;
  void tell(Answer& answer) const;

 private:
  Followed(const nines::query::Block& block, const Environment& environment,
           FollowedOptions options)
      : block_(block), environment_(environment), options_(std::move(options)) {}
  Status add(const nines::query::SourceRef& source, nines::query::RowSink& out);
  std::vector<slo::Position> take_saved(const std::string& source);
  void read_all(const std::vector<collector::StreamRef>& streams, WallTime limit);
  bool refused() const;
  bool step() { return !options_.step || options_.step(); }
  void tick(const Tick& tick) const;

  const nines::query::Block& block_;
  const Environment& environment_;
  FollowedOptions options_;
  std::vector<std::unique_ptr<collector::RowReader>> readers_;
  std::unique_ptr<collector::InputSet> inputs_;  // after the readers: uses them
  struct Place {
    std::string source;
    collector::Input* input;
  };
  std::vector<Place> places_;
};

}  // namespace nines::agent::query
