// DISTINCT, LIMIT and OFFSET without ORDER BY.
#include <algorithm>
#include <unordered_set>

#include "nines/base/contract.hpp"
#include "sort_operators.hpp"

namespace nines::query {
namespace {

class Passing final : public Operator {
 public:
  Passing(const SortStage& stage, size_t columns, const Limits& limits, RowSink& out)
      : stage_(stage), max_bytes_(limits.max_bytes), out_(out) {
    NINES_ASSERT(stage.keep <= columns);
  }

  bool take(const Row& row) override {
    if (done()) return false;
    ++stats_.rows_in;
    Row shown = row;
    shown.values = row.values.first(stage_.keep);
    if (stage_.distinct && !is_new(shown)) return true;
    if (skipped_ < stage_.offset) {
      ++skipped_;
      return true;
    }
    ++stats_.rows_out;
    if (!out_.take(shown)) stopped_ = true;
    return !done();
  }
  void finish() override {}

  OperatorStats stats() const noexcept override {
    OperatorStats stats = stats_;
    stats.peak_bytes = bytes_;
    stats.approximate = stats.evicted != 0;
    return stats;
  }

 private:
  bool done() const noexcept {
    return stopped_ || (stage_.limit && stats_.rows_out >= *stage_.limit);
  }

  // A row that no memory is left to remember is left out: shown, it might be shown twice.
  bool is_new(const Row& row) {
    key_.clear();
    for (const Value& value : row.values) append_key(key_, value);
    if (seen_.count(key_) != 0) return false;
    const size_t bytes = key_.size() + kAround;
    if (bytes > max_bytes_ - std::min(max_bytes_, bytes_)) {
      ++stats_.evicted;
      return false;
    }
    bytes_ += bytes;
    seen_.insert(key_);
    return true;
  }

  static constexpr size_t kAround = 64;

  SortStage stage_;
  size_t max_bytes_;
  RowSink& out_;
  uint64_t skipped_ = 0;
  bool stopped_ = false;
  std::unordered_set<std::string> seen_;
  std::string key_;
  size_t bytes_ = 0;
  OperatorStats stats_;
};

}  // namespace

std::unique_ptr<Operator> make_passing(const SortStage& stage, size_t columns, const Limits& limits,
                                       RowSink& out) {
  return std::make_unique<Passing>(stage, columns, limits, out);
}

std::unique_ptr<Operator> make_sort(const SortStage& stage, std::span<const std::string> inputs,
                                    const Limits& limits, RowSink& out) {
  return stage.keys.empty() ? make_passing(stage, inputs.size(), limits, out)
                            : make_ordered(stage, inputs.size(), limits, out);
}

}  // namespace nines::query
