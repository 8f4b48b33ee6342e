// Project: a condition, then the SELECT list. Nothing is kept.
#include <optional>

#include "bound.hpp"
#include "operators.hpp"

namespace nines::query {
namespace {

class Project final : public Operator {
 public:
  Project(const ProjectStage& stage, std::span<const std::string> inputs, RowSink& out)
      : columns_(bind(stage.columns, inputs)), values_(stage.columns.size()), out_(out) {
    if (stage.filter) filter_.emplace(*stage.filter, inputs);
  }

  bool take(const Row& row) override {
    ++stats_.rows_in;
    if (filter_ && !filter_->holds(row.values)) return true;
    for (size_t i = 0; i < columns_.size(); ++i) values_[i] = columns_[i].eval(row.values);
    ++stats_.rows_out;
    return out_.take({values_, row.ts, row.place, row.has_ts});
  }
  void finish() override {}
  OperatorStats stats() const noexcept override { return stats_; }

 private:
  std::optional<Bound> filter_;
  std::vector<Bound> columns_;  // each has scratch memory of its own
  std::vector<Value> values_;
  RowSink& out_;
  OperatorStats stats_;
};

}  // namespace

std::unique_ptr<Operator> make_project(const ProjectStage& stage,
                                       std::span<const std::string> inputs, RowSink& out) {
  return std::make_unique<Project>(stage, inputs, out);
}

}  // namespace nines::query
