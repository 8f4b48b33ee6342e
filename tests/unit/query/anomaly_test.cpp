#include <catch2/catch.hpp>

#include "rows_driver.hpp"

namespace nines::query::driving {
namespace {

using Rows = std::vector<std::string>;
const std::vector<std::string> kInputs = {"b", "service", "n"};

AnomalyStage stage_of(int64_t baseline_s) {
  AnomalyStage stage;
  stage.time = "b";
  stage.value = "n";
  stage.series = {"service"};
  stage.bucket_ns = seconds(1);
  stage.baseline_ns = seconds(static_cast<double>(baseline_s));
  stage.name = "z";
  return stage;
}

struct Bucket {
  int64_t second;
  std::string service, n;
};

// The scores alone, of rows in the order in which they come in.
Rows scores(const std::vector<Bucket>& buckets, const Limits& limits = {},
            OperatorStats* stats = nullptr, int64_t baseline_s = 100, size_t most = SIZE_MAX) {
  Shown shown;
  shown.most = most;
  const auto op = make_operator(Stage(stage_of(baseline_s)), kInputs, limits, shown);
  for (const Bucket& bucket : buckets) {
    const std::vector<Value> values = {Value::of_time(bucket.second * 1'000'000'000),
                                       value_of(bucket.service), value_of(bucket.n)};
    Row row;
    row.values = values;
    op->take(row);
  }
  op->finish();
  if (stats != nullptr) *stats = op->stats();
  Rows out;
  for (const std::string& row : shown.rows) out.push_back(row.substr(row.rfind('|') + 1));
  return out;
}

std::vector<Bucket> of_a(std::initializer_list<const char*> values) {
  std::vector<Bucket> out;
  for (const char* const n : values) out.push_back({static_cast<int64_t>(out.size()), "a", n});
  return out;
}

}  // namespace

TEST_CASE("anomaly() is the distance to the median of the buckets before, in spreads of them") {
  // Before the sixth: 1 2 3 4 5, median 3, distances 2 1 0 1 2, median 1: 0.6745 * (9 - 3) / 1.
  CHECK(scores(of_a({"1", "2", "3", "4", "5", "9"})) == Rows{"-", "-", "-", "-", "-", "4.047000"});
  // An even number: 1 2 3 4 5 9, median 3.5, distances 2.5 1.5 .5 .5 1.5 5.5, median 1.5.
  CHECK(scores(of_a({"1", "2", "3", "4", "5", "9", "2"})).back() == "-0.674500");
}

TEST_CASE(
    "Of buckets that are all alike the change counts, as a share of them but at least of one") {
  CHECK(scores(of_a({"20", "20", "20", "20", "20", "30"})).back() == "5.000000");
  CHECK(scores(of_a({"0", "0", "0", "0", "0", "3"})).back() == "30.000000");
}

TEST_CASE("A bucket that is missing is silence, also before a series appears") {
  // b comes in the seventh second: before it six buckets of nothing.
  CHECK(scores({{0, "a", "1"}, {6, "b", "4"}}) == Rows{"-", "40.000000"});
  // Four buckets of silence are too few.
  CHECK(scores({{0, "a", "1"}, {4, "b", "4"}}) == Rows{"-", "-"});
}

TEST_CASE("Only buckets within the baseline count, and each series has its own") {
  std::vector<Bucket> in = of_a({"500", "1", "1", "1", "1", "1", "2"});
  CHECK(scores(in, {}, nullptr, 5).back() == "10.000000");
  in.insert(in.begin(), {6, "b", "1"});
  CHECK(scores(in, {}, nullptr, 5).back() == "10.000000");
}

TEST_CASE("Rows without number or time have no score and are in no baseline") {
  std::vector<Bucket> in = of_a({"1", "1", "x", "1", "", "2"});
  const Rows got = scores(in);
  CHECK(got[2] == "-");
  CHECK(got[4] == "-");
  CHECK(got[5] == "10.000000");  // before it: 1 1 1, and two of silence
}

TEST_CASE("Rows beyond the memory limit of anomaly() are left out, and that is told") {
  std::vector<Bucket> in;
  for (int i = 0; i < 1000; ++i) in.push_back({i, "a", "1"});
  OperatorStats stats;
  const Rows got = scores(in, {.max_bytes = 10'000}, &stats);
  CHECK(got.size() < 1000);
  CHECK(stats.rows_in == 1000);
  CHECK(stats.rows_out == got.size());
  CHECK(stats.evicted == 1000 - got.size());
  CHECK(stats.approximate);
  CHECK(scores(of_a({"1"}), {}, &stats).size() == 1);
  CHECK_FALSE(stats.approximate);
}

TEST_CASE("When no more scores are wanted, none are given") {
  CHECK(scores(of_a({"1", "2", "3"}), {}, nullptr, 100, 2).size() == 2);
}

}  // namespace nines::query::driving
