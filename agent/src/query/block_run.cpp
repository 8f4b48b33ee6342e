#include "query/block_run.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "query/threads.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;
using collector::FileScan;

// Whether the sink downstream still wants rows; no more than `most` of them.
class Gate final : public nq::RowSink {
 public:
  explicit Gate(nq::RowSink& out, uint64_t most = UINT64_MAX) : out_(out), left_(most) {}
  bool take(const nq::Row& row) override {
    open_ = open_ && left_ > 0 && out_.take(row) && --left_ > 0;
    return open_;
  }
  bool open() const noexcept { return open_ && left_ > 0; }

 private:
  nq::RowSink& out_;
  uint64_t left_;
  bool open_ = true;
};

// Of parts whose rows are kept until it is their turn.
constexpr size_t kRowPartBytes = 2 * 1024 * 1024;

// Pipelines that are merged never finish: nothing reaches it.
class Nothing final : public nq::RowSink {
 public:
  bool take(const nq::Row&) override { return false; }
};

nq::Limits limits_of(const Environment& environment) {
  nq::Limits limits;
  limits.max_bytes = environment.max_bytes;
  return limits;
}

size_t count_files(const std::vector<FileGroup>& groups) {
  size_t files = 0;
  for (const FileGroup& group : groups) files += group.files.size();
  return files;
}

// Of rows that wait for the turn of their part; whoever reads on waits then, too.
constexpr size_t kMostWaitingBytes = 8 * 1024 * 1024;

// Rows that wait until they may go on.
class Outlet final : public nq::RowSink {
 public:
  explicit Outlet(size_t columns) : rows_(columns) {}
  bool take(const nq::Row& row) override { return out_ ? out_->take(row) : rows_.take(row); }
  // From now on they go to `out`, those that have waited first.
  void open(nq::RowSink& out) {
    for (size_t i = 0; i < rows_.size() && out.take(rows_[i]); ++i) {
    }
    rows_ = nq::RowBatch(rows_.columns());
    out_ = &out;
  }
  size_t waiting_bytes() const noexcept { return rows_.memory_bytes(); }

 private:
  nq::RowBatch rows_;
  nq::RowSink* out_ = nullptr;
};

// Parts on several threads. What each part leaves is taken in the order of the parts by whichever
// thread completes the next one; a thread that is too far ahead waits, so that no more than a few
// parts' results are kept. Rows that are not merged go on at once from the part whose turn it is,
// however long it is.
class ParallelRun {
 public:
  ParallelRun(const nq::Block& block, const Environment& environment, PartQueue& parts,
              nq::RowSink& out, Answer& answer)
      : block_(block),
        environment_(environment),
        parts_(parts),
        answer_(answer),
        split_(nq::split_of(block.stages)),
        inputs_(nq::columns_of(block.scan)) {
    const std::span<const nq::Stage> stages = block_.stages;
    const auto rest = split_.merges ? stages : stages.subspan(split_.stateless);
    main_ = nq::QueryPipeline::make(rest, columns_between(), limits_of(environment), out);
    gate_.emplace(main_->input());
  }

  void run() {
    std::vector<std::thread> threads;
    add_threads(threads, environment_.threads - 1, [this] {
      if (environment_.thread_started) environment_.thread_started();
      work();
    });
    work();
    for (std::thread& thread : threads) thread.join();
    if (!open_) answer_.scan.partly = true;
  }
  Status finish() {
    main_->finish();
    answer_.add(main_->stats());
    return main_->status();
  }
  void save(std::string& state) const { main_->save(state); }

 private:
  // What one part leaves behind.
  struct Result {
    std::unique_ptr<nq::QueryPipeline> pipeline;
    std::unique_ptr<Outlet> rows;  // not merged: of the stateless stages
    bool has_turn = false;         // they are out
  };

  std::vector<std::string> columns_between() const {
    std::vector<std::string> columns = inputs_;
    if (split_.merges) return columns;
    for (size_t i = 0; i < split_.stateless; ++i) {
      columns = nq::columns_of(block_.stages[i], columns);
    }
    return columns;
  }

  void work() {
    while (wait_for_turn()) {
      const auto unit = parts_.next();
      if (!unit) break;
      Result result = read(*unit);
      deliver(unit->number, std::move(result));
    }
  }

  bool wait_for_turn() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [this] { return results_.size() < 2 * environment_.threads || !open_; });
    return open_ && !environment_.stopped();
  }

  Result read(const PartQueue::Unit& unit) {
    Result result;
    const std::span<const nq::Stage> stages = block_.stages;
    const auto own = split_.merges ? stages : stages.first(split_.stateless);
    if (!split_.merges) result.rows = std::make_unique<Outlet>(columns_between().size());
    nq::RowSink& out = split_.merges ? static_cast<nq::RowSink&>(nothing_) : *result.rows;
    result.pipeline = nq::QueryPipeline::make(own, inputs_, limits_of(environment_), out);
    auto scan = unit.file->scan(unit.part);
    if (!scan.ok()) {
      parts_.tell(scan.error().message);
      return result;
    }
    Gate gate(result.pipeline->input(), block_.scan.first_rows.value_or(UINT64_MAX));
    while (gate.open() && goes_on(unit.number, result)) {
      if ((*scan)->step(gate) == FileScan::PartScan::Step::end) break;
    }
    parts_.add(**scan);
    if (!split_.merges) result.pipeline->finish();
    return result;
  }

  // Lets rows out once it is the turn of their part, and waits for it when too many do already.
  bool goes_on(size_t number, Result& result) {
    if (result.rows && !result.has_turn) {
      std::unique_lock lock(mutex_);
      const auto has_turn = [&] { return !taking_ && next_ == number; };
      if (result.rows->waiting_bytes() > kMostWaitingBytes) {
        room_.wait(lock, [&] { return has_turn() || !open_; });
      }
      if (!open_) return false;
      result.has_turn = has_turn();
      taking_ = taking_ || result.has_turn;
      lock.unlock();
      if (result.has_turn) result.rows->open(*gate_);
    }
    return !environment_.stopped();
  }

  // Takes all results whose turn it is. Only one thread does at a time; the others go on reading.
  void deliver(size_t number, Result result) {
    std::unique_lock lock(mutex_);
    if (result.has_turn) {
      ++next_;
      open_ = open_ && gate_->open();
    } else {
      results_.emplace(number, std::move(result));
      if (taking_) return;
    }
    taking_ = true;
    while (!results_.empty() && results_.begin()->first == next_) {
      Result due = std::move(results_.begin()->second);
      results_.erase(results_.begin());
      ++next_;
      lock.unlock();
      const bool open = take(due);
      room_.notify_all();
      lock.lock();
      open_ = open_ && open;
    }
    taking_ = false;
    room_.notify_all();
  }

  bool take(Result& due) {
    if (split_.merges) {
      main_->merge(*due.pipeline);
      return true;
    }
    due.rows->open(*gate_);
    return gate_->open();
  }

  const nq::Block& block_;
  const Environment& environment_;
  PartQueue& parts_;
  Answer& answer_;
  nq::Split split_;
  std::vector<std::string> inputs_;
  Nothing nothing_;
  std::unique_ptr<nq::QueryPipeline> main_;
  std::optional<Gate> gate_;

  std::mutex mutex_;
  std::condition_variable room_;
  std::map<size_t, Result> results_;
  size_t next_ = 0;
  bool taking_ = false, open_ = true;
};

}  // namespace

Result<std::unique_ptr<BlockRun>> BlockRun::start(const nq::Block& block,
                                                  const Environment& environment, nq::RowSink& out,
                                                  Answer& answer) {
  NINES_TRY(auto groups, find_sources(block.source, environment));
  std::unique_ptr<BlockRun> run(new BlockRun(environment, answer));
  if (nq::split_of(block.stages).by_time && count_files(groups) > 1) {
    run->feed_ = make_merged_feed(block.scan, environment, groups, answer);
  } else {
    run->parts_ = std::make_unique<PartQueue>(block.scan, environment, std::move(groups), answer);
    run->feed_ = make_serial_feed(*run->parts_);
  }
  run->pipeline_ = nq::QueryPipeline::make(block.stages, nq::columns_of(block.scan),
                                           limits_of(environment), out);
  return run;
}

bool BlockRun::step() {
  if (done_) return false;
  Gate gate(pipeline_->input());
  if (!environment_.stopped() && feed_->step(gate) && gate.open()) return true;
  done_ = true;
  pipeline_->finish();
  answer_.add(pipeline_->stats());
  return false;
}

Status run_block(const nq::Block& block, const Environment& environment, nq::RowSink& out,
                 Answer& answer) {
  NINES_TRY(auto groups, find_sources(block.source, environment));
  const bool merged = nq::split_of(block.stages).by_time && count_files(groups) > 1;
  if (environment.threads <= 1 || merged) {
    NINES_TRY(const auto run, BlockRun::start(block, environment, out, answer));
    while (run->step()) {
    }
    return run->status();
  }
  PartQueue parts(block.scan, environment, std::move(groups), answer);
  if (!nq::split_of(block.stages).merges) parts.set_part_bytes(kRowPartBytes);
  ParallelRun run(block, environment, parts, out, answer);
  run.run();
  return run.finish();
}

Status run_block_to_state(const nq::Block& block, const Environment& environment,
                          std::string& state, Answer& answer) {
  NINES_TRY(auto groups, find_sources(block.source, environment));
  PartQueue parts(block.scan, environment, std::move(groups), answer);
  Nothing nothing;
  if (environment.threads > 1) {
    ParallelRun run(block, environment, parts, nothing, answer);
    run.run();
    run.save(state);
    return Ok{};
  }
  const auto pipeline = nq::QueryPipeline::make(block.stages, nq::columns_of(block.scan),
                                                limits_of(environment), nothing);
  const auto feed = make_serial_feed(parts);
  Gate gate(pipeline->input());
  while (!environment.stopped() && feed->step(gate) && gate.open()) {
  }
  pipeline->save(state);
  return Ok{};
}

namespace {

class WithOrder final : public nq::RowSink {
 public:
  WithOrder(OrderedSink& out, const Feed& feed) : out_(out), feed_(feed) {}
  bool take(const nq::Row& row) override { return out_.take(row, feed_.order()); }

 private:
  OrderedSink& out_;
  const Feed& feed_;
};

}  // namespace

Status run_block_by_time(const nq::Block& block, const Environment& environment, OrderedSink& out,
                         Answer& answer) {
  NINES_TRY(auto groups, find_sources(block.source, environment));
  const auto feed = make_merged_feed(block.scan, environment, groups, answer);
  WithOrder ordered(out, *feed);
  const auto pipeline = nq::QueryPipeline::make(block.stages, nq::columns_of(block.scan),
                                                limits_of(environment), ordered);
  Gate gate(pipeline->input());
  while (!environment.stopped() && feed->step(gate) && gate.open()) {
  }
  pipeline->finish();
  return pipeline->status();
}

}  // namespace nines::agent::query
