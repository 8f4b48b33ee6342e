// anomaly(x): how far the value of a bucket lies from the buckets of its baseline, in robust
// standard deviations: 0.6745 (x - median) / MAD. Rows come out as they came in, with the score.
//
// The baseline begins with the earliest bucket of all series, so that a series that appears for the
// first time is compared with the silence before it. Costs O(buckets of a baseline) a row.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

#include "base/robust.hpp"
#include "bound.hpp"
#include "expr/coerce.hpp"
#include "nines/base/contract.hpp"
#include "operators.hpp"

namespace nines::query {
namespace {

constexpr size_t kFewest = 5;  // buckets that a baseline needs

// REQUIRES a baseline that is not empty; reorders it.
double score(double x, std::vector<double>& baseline) {
  const double centre = median(baseline);
  return robust_score(x, centre, mad(baseline, centre));
}

int64_t minus(int64_t a, int64_t b) noexcept {
  int64_t result = 0;
  if (!__builtin_sub_overflow(a, b, &result)) return result;
  return b > 0 ? INT64_MIN : INT64_MAX;
}

class Anomaly final : public Operator {
 public:
  Anomaly(const AnomalyStage& stage, std::span<const std::string> inputs, const Limits& limits,
          RowSink& out)
      : value_(input_index(inputs, stage.value)),
        time_(input_index(inputs, stage.time)),
        bucket_ns_(std::max<int64_t>(1, stage.bucket_ns)),
        baseline_ns_(std::max<int64_t>(0, stage.baseline_ns)),
        max_bytes_(limits.max_bytes),
        rows_(inputs.size()),
        out_(out) {
    for (const std::string& name : stage.series) series_.push_back(input_index(inputs, name));
  }

  bool take(const Row& row) override {
    ++stats_.rows_in;
    if (rows_.memory_bytes() > max_bytes_) {
      ++stats_.evicted;
      return true;
    }
    return rows_.take(row);
  }

  void finish() override {
    stats_.peak_bytes = rows_.memory_bytes();
    const std::vector<std::optional<double>> scores = all_scores();
    std::vector<Value> values;
    for (size_t i = 0; i < rows_.size(); ++i) {
      Row row = rows_[i];
      values.assign(row.values.begin(), row.values.end());
      values.push_back(scores[i] ? Value::of_real(*scores[i]) : Value::null());
      row.values = values;
      ++stats_.rows_out;
      if (!out_.take(row)) break;
    }
    rows_.clear();
  }

  OperatorStats stats() const noexcept override {
    OperatorStats stats = stats_;
    stats.approximate = stats.evicted != 0;
    return stats;
  }

 private:
  struct Point {
    size_t row;
    int64_t time;
    double x;
  };

  bool same_series(size_t a, size_t b) const { return compare_series(a, b) == 0; }
  int compare_series(size_t a, size_t b) const {
    for (const size_t column : series_) {
      const int order = compare_values(rows_[a].values[column], rows_[b].values[column]);
      if (order != 0) return order;
    }
    return 0;
  }

  // Rows that have a time and a number, series by series in the order of time.
  std::vector<Point> points() const {
    std::vector<Point> all;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const Value& time = rows_[i].values[time_];
      const Value x = expr::to_number(rows_[i].values[value_]);
      if (time.kind != ValueKind::time || x.is_null()) continue;
      all.push_back({i, time.time_ns, expr::double_of(x)});
    }
    std::stable_sort(all.begin(), all.end(), [this](const Point& a, const Point& b) {
      const int order = compare_series(a.row, b.row);
      return order != 0 ? order < 0 : a.time < b.time;
    });
    return all;
  }

  std::vector<std::optional<double>> all_scores() const {
    std::vector<std::optional<double>> scores(rows_.size());
    const std::vector<Point> all = points();
    int64_t start = INT64_MAX;
    for (const Point& point : all) start = std::min(start, point.time);
    std::vector<double> baseline;
    size_t first = 0;  // of the baseline of the point at hand
    for (size_t i = 0; i < all.size(); ++i) {
      if (i > 0 && !same_series(all[i - 1].row, all[i].row)) first = i;
      const int64_t from = std::max(start, minus(all[i].time, baseline_ns_));
      while (all[first].time < from) ++first;
      baseline.clear();
      for (size_t k = first; k < i && all[k].time < all[i].time; ++k) baseline.push_back(all[k].x);
      const auto buckets = static_cast<size_t>(
          std::min<int64_t>(minus(all[i].time, from) / bucket_ns_, kMostBuckets));
      if (baseline.size() < buckets) baseline.resize(buckets, 0);
      if (baseline.size() >= kFewest) scores[all[i].row] = score(all[i].x, baseline);
    }
    return scores;
  }

  static constexpr int64_t kMostBuckets = 1'000'000;  // a baseline of 11 days in seconds

  size_t value_, time_;
  std::vector<size_t> series_;
  int64_t bucket_ns_, baseline_ns_;
  size_t max_bytes_;
  RowBatch rows_;
  RowSink& out_;
  OperatorStats stats_;
};

}  // namespace

std::unique_ptr<Operator> make_anomaly(const AnomalyStage& stage,
                                       std::span<const std::string> inputs, const Limits& limits,
                                       RowSink& out) {
  return std::make_unique<Anomaly>(stage, inputs, limits, out);
}

}  // namespace nines::query
