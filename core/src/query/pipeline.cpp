#include "nines/query/pipeline.hpp"

#include <algorithm>

#include "nines/base/contract.hpp"
#include "nines/query/bytes.hpp"

namespace nines::query {
namespace {

bool is_stateless(const Stage& stage) { return std::holds_alternative<ProjectStage>(stage); }

bool is_mergeable(const Stage& stage) {
  if (const auto* sort = std::get_if<SortStage>(&stage)) return !sort->keys.empty();
  return std::holds_alternative<GroupStage>(stage);
}

bool is_by_time(const Stage& stage) {
  return std::holds_alternative<SessionStage>(stage) || std::holds_alternative<MatchStage>(stage) ||
         std::holds_alternative<ContextByStage>(stage);
}

class LinkedPipeline final : public QueryPipeline {
 public:
  LinkedPipeline(std::span<const Stage> stages, std::vector<std::string> inputs,
                 const Limits& limits, RowSink& out)
      : columns_(std::move(inputs)), out_(out), operators_(stages.size()) {
    std::vector<std::vector<std::string>> names{columns_};
    for (const Stage& stage : stages) names.push_back(columns_of(stage, names.back()));
    // From the end: each operator is made with the one that takes its rows.
    for (size_t i = stages.size(); i-- > 0;) {
      RowSink& next = i + 1 < stages.size() ? static_cast<RowSink&>(*operators_[i + 1]) : out_;
      operators_[i] = make_operator(stages[i], names[i], limits, next);
    }
    columns_ = names.back();
    const Split split = split_of(stages);
    if (split.merges) merging_ = operators_[split.stateless].get();
  }

  RowSink& input() override { return operators_.empty() ? out_ : *operators_.front(); }
  const std::vector<std::string>& columns() const override { return columns_; }

  void merge(QueryPipeline& later) override {
    auto& other = static_cast<LinkedPipeline&>(later);
    NINES_ASSERT(merging_ != nullptr && other.merging_ != nullptr);
    // Rows that operators before it have seen; its own it adds up itself.
    if (operators_.front().get() != merging_) rows_in_later_ += other.stats().rows_in;
    merging_->merge(*other.merging_);
  }

  void save(std::string& out) const override {
    NINES_ASSERT(merging_ != nullptr);
    put_varint(out, operators_.front().get() == merging_ ? 0 : stats().rows_in);
    merging_->save(out);
  }
  Status merge_saved(std::string_view saved) override {
    NINES_ASSERT(merging_ != nullptr);
    uint64_t rows = 0;
    if (!get_varint(saved, rows)) return Error{Errc::corrupt, "the state of a query is cut"};
    NINES_CHECK(merging_->merge_saved(saved));
    rows_in_later_ += rows;
    return Ok{};
  }

  void tick(WallTime now) override {
    if (!operators_.empty()) operators_.front()->tick(now);
  }
  void finish() override {
    for (auto& stage : operators_) stage->finish();
  }

  Status status() const override {
    for (const auto& stage : operators_) NINES_CHECK(stage->status());
    return Ok{};
  }

  OperatorStats stats() const override {
    OperatorStats total;
    for (const auto& stage : operators_) {
      const OperatorStats s = stage->stats();
      total.evicted += s.evicted;
      total.late += s.late;
      total.no_timestamp += s.no_timestamp;
      total.pending += s.pending;
      total.peak_bytes += s.peak_bytes;
      total.approximate |= s.approximate;
      total.rows_out = s.rows_out;
    }
    if (!operators_.empty()) total.rows_in = operators_.front()->stats().rows_in + rows_in_later_;
    return total;
  }

 private:
  std::vector<std::string> columns_;
  RowSink& out_;
  std::vector<std::unique_ptr<Operator>> operators_;
  Operator* merging_ = nullptr;
  uint64_t rows_in_later_ = 0;
};

}  // namespace

Split split_of(std::span<const Stage> stages) {
  Split split;
  while (split.stateless < stages.size() && is_stateless(stages[split.stateless])) {
    ++split.stateless;
  }
  if (split.stateless < stages.size()) split.merges = is_mergeable(stages[split.stateless]);
  split.by_time = std::any_of(stages.begin(), stages.end(), is_by_time);
  return split;
}

std::unique_ptr<QueryPipeline> QueryPipeline::make(std::span<const Stage> stages,
                                                   std::vector<std::string> inputs,
                                                   const Limits& limits, RowSink& out) {
  return std::make_unique<LinkedPipeline>(stages, std::move(inputs), limits, out);
}

}  // namespace nines::query
