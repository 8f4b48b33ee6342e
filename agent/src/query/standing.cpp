#include "query/standing.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "nines/expr/expression.hpp"
#include "nines/query/pipeline.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr size_t kMostBuckets = 10'000;  // open at once; beyond, the earliest are given early

Error refused(const std::string& what, const std::string& instead) {
  return {Errc::unsupported, "a standing query cannot have " + what + "; " + instead};
}

// The key that is a bucket of time.
std::optional<size_t> bucket_key(const nq::GroupStage& group) {
  for (size_t i = 0; i < group.keys.size(); ++i) {
    const expr::Expression& key = group.keys[i].value;
    if (key.depends_only_on("ts") && key.to_string().starts_with("bucket(")) return i;
  }
  return std::nullopt;
}

// What no later row can change may go out; what any row may change cannot.
class Checker {
 public:
  Status check(const nq::Block& block) {
    for (const nq::Stage& stage : block.stages) {
      NINES_CHECK(std::visit([this](const auto& s) { return this->stage(s); }, stage));
    }
    return Ok{};
  }

 private:
  Status stage(const nq::ProjectStage&) { return Ok{}; }
  Status stage(const nq::ContextByStage&) { return events(); }
  Status stage(const nq::MatchStage&) { return events(); }
  Status stage(const nq::SessionStage&) { return events(); }
  Status events() {
    events_ = true;
    return Ok{};
  }
  Status stage(const nq::GroupStage& group) {
    if (events_) {
      return refused("aggregates over sessions or matches", "select their rows");
    }
    if (!bucket_key(group)) {
      return refused("aggregates over all rows, which never end",
                     "add a bucket of time: GROUP BY ..., bucket(ts, '1m')");
    }
    grouped_ = true;
    return Ok{};
  }
  Status stage(const nq::SortStage& sort) {
    if (grouped_ && (sort.limit || sort.offset != 0)) {
      return refused("LIMIT over buckets, of which more and more come", "choose rows with HAVING");
    }
    if (!grouped_ && !sort.keys.empty()) {
      return refused("ORDER BY, for which all rows must be known",
                     "leave it out: rows come as they are read");
    }
    if (grouped_ && sort.distinct) return refused("DISTINCT over buckets", "leave it out");
    return Ok{};
  }
  Status stage(const nq::AnomalyStage&) {
    return refused("anomaly(), whose baseline is the whole answer",
                   "ask for a range of time again and again");
  }

  bool events_ = false, grouped_ = false;
};

class Passing final : public StandingBlock {
 public:
  Passing(const nq::Block& block, const nq::Limits& limits, nq::RowSink& out)
      : by_time_(nq::split_of(block.stages).by_time),
        pipeline_(nq::QueryPipeline::make(block.stages, nq::columns_of(block.scan), limits, out)) {}

  nq::RowSink& input() override { return pipeline_->input(); }
  void tick(WallTime newest) override { pipeline_->tick(newest); }
  nq::OperatorStats stats() const override { return pipeline_->stats(); }
  bool by_time() const noexcept override { return by_time_; }

 private:
  bool by_time_;
  std::unique_ptr<nq::QueryPipeline> pipeline_;
};

// A pipeline for each bucket that is open.
class Bucketed final : public StandingBlock, private nq::RowSink {
 public:
  Bucketed(const nq::Block& block, const expr::Expression& key, int64_t lateness_ns,
           const nq::Limits& limits, nq::RowSink& out)
      : block_(block),
        columns_(nq::columns_of(block.scan)),
        lateness_ns_(std::max<int64_t>(lateness_ns, 0)),
        limits_(limits),
        out_(out),
        bucket_(key, slot_of_ts()) {
    values_.resize(columns_.size());
  }

  nq::RowSink& input() override { return *this; }
  bool by_time() const noexcept override { return true; }

  bool take(const nq::Row& row) override {
    ++rows_in_;
    const Value bucket = bucket_.eval(row.values);
    if (bucket.kind != ValueKind::time) {
      ++no_timestamp_;
    } else if (bucket.time_ns < open_from_) {
      ++late_;
    } else {
      pipeline(bucket.time_ns).input().take(row);
    }
    return !full_;
  }

  void tick(WallTime newest) override {
    if (newest.ns < INT64_MIN + lateness_ns_) return;
    values_[ts_] = Value::of_time(newest.ns - lateness_ns_);
    const Value now = bucket_.eval(values_);
    if (now.kind != ValueKind::time || now.time_ns <= open_from_) return;
    open_from_ = now.time_ns;
    while (!open_.empty() && open_.begin()->first < open_from_) close_first();
  }

  nq::OperatorStats stats() const override {
    nq::OperatorStats sum = closed_;
    for (const auto& [start, pipeline] : open_) add(sum, *pipeline);
    sum.rows_in = rows_in_;
    sum.rows_out = given_;
    sum.late += late_;
    sum.no_timestamp += no_timestamp_;
    sum.pending = open_.size();
    return sum;
  }

 private:
  // Counts what goes out, and notes when nobody wants more.
  class Out final : public nq::RowSink {
   public:
    explicit Out(Bucketed& of) : of_(of) {}
    bool take(const nq::Row& row) override {
      if (of_.full_) return false;
      ++of_.given_;
      of_.full_ = !of_.out_.take(row);
      return !of_.full_;
    }

   private:
    Bucketed& of_;
  };

  std::vector<size_t> slot_of_ts() {
    ts_ = static_cast<size_t>(std::find(columns_.begin(), columns_.end(), "ts") - columns_.begin());
    return {ts_};
  }

  nq::QueryPipeline& pipeline(int64_t start) {
    const auto found = open_.find(start);
    if (found != open_.end()) return *found->second;
    if (open_.size() >= kMostBuckets) {
      ++closed_.evicted;
      open_from_ =
          std::next(open_.begin()) == open_.end() ? start : std::next(open_.begin())->first;
      close_first();
    }
    auto& made = open_[start];
    made = nq::QueryPipeline::make(block_.stages, columns_, limits_, sink_);
    return *made;
  }

  void close_first() {
    open_.begin()->second->finish();
    add(closed_, *open_.begin()->second);
    open_.erase(open_.begin());
  }

  static void add(nq::OperatorStats& sum, const nq::QueryPipeline& pipeline) {
    const nq::OperatorStats one = pipeline.stats();
    sum.evicted += one.evicted;
    sum.late += one.late;
    sum.no_timestamp += one.no_timestamp;
    sum.peak_bytes = std::max(sum.peak_bytes, one.peak_bytes);
    sum.approximate = sum.approximate || one.approximate;
  }

  const nq::Block& block_;
  std::vector<std::string> columns_;
  int64_t lateness_ns_;
  nq::Limits limits_;
  nq::RowSink& out_;
  size_t ts_ = 0;
  expr::Evaluator bucket_;
  Out sink_{*this};
  std::map<int64_t, std::unique_ptr<nq::QueryPipeline>> open_;  // by the start of the bucket
  int64_t open_from_ = INT64_MIN;
  nq::OperatorStats closed_;
  uint64_t rows_in_ = 0, given_ = 0, late_ = 0, no_timestamp_ = 0;
  bool full_ = false;  // nobody wants more rows
  std::vector<Value> values_;
};

}  // namespace

Result<const nq::Block*> standing_block(const nq::Statement& statement) {
  if (!statement.residual.empty()) {
    return refused("joins, subqueries or window functions around its log source",
                   "follow one SELECT ... FROM logs(...) and do the rest with its rows");
  }
  const auto* block = std::get_if<nq::Block>(&statement.inputs[0].what);
  if (block == nullptr) {
    return refused(statement.inputs[0].why_not_native, "ask for a range of time");
  }
  NINES_CHECK(Checker().check(*block));
  return block;
}

Result<std::unique_ptr<StandingBlock>> StandingBlock::make(const nq::Statement& statement,
                                                           const nq::Limits& limits,
                                                           nq::RowSink& out) {
  NINES_TRY(const nq::Block* block, standing_block(statement));
  for (const nq::Stage& stage : block->stages) {
    const auto* group = std::get_if<nq::GroupStage>(&stage);
    if (group == nullptr) continue;
    const size_t key = *bucket_key(*group);
    return std::unique_ptr<StandingBlock>(std::make_unique<Bucketed>(
        *block, group->keys[key].value, statement.lateness_ns, limits, out));
  }
  return std::unique_ptr<StandingBlock>(std::make_unique<Passing>(*block, limits, out));
}

}  // namespace nines::agent::query
