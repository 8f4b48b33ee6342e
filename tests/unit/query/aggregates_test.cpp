#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <deque>
#include <random>

#include "../../support/query_rows.hpp"

using namespace nines;
using namespace nines::query;
using namespace nines::query::testing;
using Kind = AggregateKind;

namespace {

std::string of(AggregateSpec spec, const std::vector<Value>& values,
               OperatorStats* stats = nullptr) {
  Rows rows(1);
  for (const Value& v : values) rows.add({v});
  GroupStage stage;
  stage.aggregates = {std::move(spec)};
  return run({stage}, {"x"}, rows.batch(), {}, stats).at(0);
}

std::string of(Kind kind, const std::vector<Value>& values, OperatorStats* stats = nullptr) {
  return of(aggregate(kind, "x"), values, stats);
}

}  // namespace

TEST_CASE("Without keys there is one group, even of no rows") {
  GroupStage stage;
  stage.aggregates = {
      aggregate(Kind::count),     aggregate(Kind::sum, "x"),        aggregate(Kind::max, "x"),
      aggregate(Kind::topk, "x"), aggregate(Kind::percentile, "x"), aggregate(Kind::first, "x"),
      aggregate(Kind::rate),      aggregate(Kind::stddev, "x"),     aggregate(Kind::hist, "x")};
  CHECK(run({stage}, {"x"}, RowBatch(1)) ==
        std::vector<std::string>{"0 NULL NULL '[]' NULL NULL NULL NULL '[]'"});
  stage.keys.push_back({"x", expression("x")});
  CHECK(run({stage}, {"x"}, RowBatch(1)).empty());
}

TEST_CASE("Groups come out in the order of their keys") {
  GroupStage stage;
  stage.keys.push_back({"k", expression("x")});
  stage.aggregates = {aggregate(Kind::count)};
  Rows rows(1);
  for (const Value& v : {text("b"), number(10), Value::null(), number(9), text("a"), text("b"),
                         number(90, -1), Value::of_bool(true)}) {
    rows.add({v});
  }
  CHECK(run({stage}, {"x"}, rows.batch()) ==
        std::vector<std::string>{"NULL 1", "1 1", "9 2", "10 1", "'a' 1", "'b' 2"});
}

TEST_CASE("Sums of decimals are exact, whatever their order") {
  CHECK(of(Kind::sum, std::vector<Value>(10, number(1, -1))) == "1");
  CHECK(of(Kind::sum, {number(INT64_MAX), number(1, -12), number(-INT64_MAX)}) == "0.000000000001");
  CHECK(of(Kind::sum, {text("12.5"), text("none"), Value::null(), number(1)}) == "13.5");
  CHECK(of(Kind::avg, {number(1), number(2)}) == "1.5");
  CHECK(of(Kind::avg, {number(1), number(1), number(2)}) == "~1.3333333333333333");
  CHECK(of(Kind::count, {Value::null(), number(1)}) == "1");
}

TEST_CASE("Sums of doubles are rounded once, at the end") {
  const Value big = Value::of_real(1e300);
  const Value less = Value::of_real(-1e300);
  CHECK(of(Kind::sum, {big, Value::of_real(1.0 / 3), less}) == "~0.3333333333333333");
  CHECK(of(Kind::sum, {Value::of_real(5e-324), Value::of_real(5e-324)}) == "~1e-323");
  CHECK(of(Kind::sum, {Value::of_real(1.7e308), Value::of_real(1.7e308)}) == "NULL");
}

TEST_CASE("A sum that loses digits says so") {
  OperatorStats stats;
  CHECK(of(Kind::sum, {number(INT64_MAX), number(INT64_MAX)}, &stats) == "~18446744073709551616");
  CHECK(stats.approximate);
  CHECK(of(Kind::sum, {number(1, -13)}, &stats) == "~1e-13");
  CHECK(stats.approximate);
  CHECK(of(Kind::sum, {number(1, -12)}, &stats) == "0.000000000001");
  CHECK_FALSE(stats.approximate);
}

TEST_CASE("Standard deviation keeps its digits where values are large") {
  CHECK(of(Kind::stddev, {number(2), number(4), number(4), number(4), number(5), number(5),
                          number(7), number(9)}) == "~2.138089935299395");
  const int64_t far = 1'000'000'000'000'000;
  CHECK(of(Kind::stddev, {number(far), number(far + 1), number(far + 2)}) == "~1");
  CHECK(of(Kind::stddev, {number(7)}) == "NULL");
  CHECK(of(Kind::stddev, {Value::of_real(0.5), number(-5, -1)}) == "~0.7071067811865475");
}

TEST_CASE("Extremes keep the form of the first of equals") {
  CHECK(of(Kind::max, {number(3), text("z"), text("a"), Value::null()}) == "'z'");
  CHECK(of(Kind::min, {Value::of_bool(true), number(1), number(2)}) == "true");
}

TEST_CASE("First and last go by time, then by place, rows without time behind") {
  Rows rows(1);
  const auto at = [](int64_t ts, int64_t place, bool has_ts) {
    return Row{{}, WallTime{ts}, {0, place}, has_ts};
  };
  rows.add({number(1)}, at(0, 1, false)).add({number(2)}, at(9, 2, true));
  rows.add({number(3)}, at(5, 9, true)).add({number(4)}, at(5, 4, true));
  rows.add({number(5)}, at(0, 0, false));
  GroupStage stage;
  stage.aggregates = {aggregate(Kind::first, "x"), aggregate(Kind::last, "x")};
  CHECK(run({stage}, {"x"}, rows.batch()) == std::vector<std::string>{"4 1"});
}

TEST_CASE("Rate is rows by the range of their times; one moment has none") {
  AggregateSpec minute = aggregate(Kind::rate);
  minute.per_ns = 60 * kNsPerSecond;
  CHECK(of(aggregate(Kind::rate), std::vector<Value>(5, number(1))) == "1.25");
  CHECK(of(minute, std::vector<Value>(5, number(1))) == "75");
  CHECK(of(minute, {number(1)}) == "NULL");
}

TEST_CASE("FILTER takes rows of which it is true") {
  AggregateSpec spec = aggregate(Kind::count);
  spec.filter = expression("x > 2");
  CHECK(of(spec, {number(1), number(3), Value::null(), number(4)}) == "2");
}

TEST_CASE("DISTINCT aggregates each value once") {
  AggregateSpec count = aggregate(Kind::count, "x");
  count.distinct = true;
  AggregateSpec sum = aggregate(Kind::sum, "x");
  sum.distinct = true;
  const std::vector<Value> values{number(1), number(10, -1), number(2), text("2"), Value::null()};
  CHECK(of(count, values) == "3");
  CHECK(of(sum, values) == "5");
}

TEST_CASE("Percentiles are nearest ranks within one percent, exact at the ends") {
  std::mt19937_64 chance(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<Value> values;
    std::vector<double> sorted;
    for (int i = 0; i < 500; ++i) {
      const auto n = static_cast<int64_t>(chance() >> (chance() % 63 + 1));
      const int64_t v = round % 2 == 0 ? n : (i % 3 == 0 ? -n : n % 2 == 0 ? 0 : n);
      values.push_back(number(v));
      sorted.push_back(static_cast<double>(v));
    }
    std::sort(sorted.begin(), sorted.end());
    for (const uint32_t permille : {0U, 1U, 10U, 333U, 500U, 900U, 990U, 999U, 1000U}) {
      AggregateSpec spec = aggregate(Kind::percentile, "x");
      spec.permille = permille;
      const size_t rank = std::max<size_t>(1, (500 * permille + 999) / 1000);
      const double exact = sorted[rank - 1];
      const std::string shown = of(spec, values);
      const double got = std::stod(shown.substr(shown.starts_with('~') ? 1 : 0));
      INFO(permille << " " << exact << " " << got);
      CHECK(std::fabs(got - exact) <= std::fabs(exact) * 0.01006);
      if (rank == 1 || rank == 500) CHECK(got == exact);
    }
  }
}

TEST_CASE("Histograms count by powers of two") {
  CHECK(of(Kind::hist, {number(-1), number(0), number(1), number(2), number(3), number(4),
                        number(5), number(3, -1), text("x")}) ==
        "'[[0,2],[0.5,1],[1,1],[2,1],[4,2],[8,1]]'");
}

TEST_CASE("count_distinct is exact to a thousand and within three percent beyond") {
  std::vector<Value> values;
  OperatorStats stats;
  for (int i = 0; i < 1000; ++i) values.insert(values.end(), 2, number(i));
  CHECK(of(Kind::count_distinct, values, &stats) == "1000");
  CHECK_FALSE(stats.approximate);
  for (int64_t n : {1001, 5000, 100'000}) {
    values.clear();
    for (int64_t i = 0; i < n; ++i) values.push_back(number(i * 7919));
    const double got = std::stod(of(Kind::count_distinct, values, &stats));
    CHECK(std::fabs(got - static_cast<double>(n)) < 0.03 * static_cast<double>(n));
    CHECK(stats.approximate);
  }
}

TEST_CASE("topk gives the most frequent values, the smaller of equals first") {
  AggregateSpec spec = aggregate(Kind::topk, "x");
  spec.k = 3;
  CHECK(of(spec, {text("b"), text("a\"b"), number(3), text("b"), number(3), text("c"),
                  text("b")}) == "'[[\"b\",3],[3,2],[\"a\\\"b\",1]]'");
}

TEST_CASE("topk finds frequent values among more than it can count, and says that it estimates") {
  std::deque<std::string> texts;
  std::vector<Value> values;
  for (int i = 0; i < 30'000; ++i) {
    values.push_back(text(texts.emplace_back("id-" + std::to_string(i))));
    if (i % 10 == 0) values.push_back(text("often"));
    if (i % 20 == 0) values.push_back(text("sometimes"));
  }
  AggregateSpec spec = aggregate(Kind::topk, "x");
  spec.k = 2;
  OperatorStats stats;
  const std::string got = of(spec, values, &stats);
  INFO(got);
  int often = 0;
  int sometimes = 0;
  REQUIRE(std::sscanf(got.c_str(), "'[[\"often\",%d],[\"sometimes\",%d]]'", &often, &sometimes) ==
          2);
  CHECK((often >= 3000 && often <= 3020));
  CHECK((sometimes >= 1500 && sometimes <= 1520));
  CHECK(stats.approximate);
}

TEST_CASE(
    "Beyond what it can count, topk tells no value that makes up less than one in 2,000 rows") {
  std::deque<std::string> texts;
  std::vector<Value> values;
  for (int i = 0; i < 12'000; ++i) {
    values.push_back(text(texts.emplace_back("id-" + std::to_string(i))));
  }
  values.insert(values.end(), 20, text("more"));
  values.insert(values.end(), 4, text("fewer"));
  AggregateSpec spec = aggregate(Kind::topk, "x");
  spec.k = 10;
  const std::string got = of(spec, values);
  INFO(got);
  int more = 0;
  CHECK(std::sscanf(got.c_str(), "'[[\"more\",%d]]'", &more) == 1);
  CHECK(got.find("],[") == std::string::npos);
  CHECK((more >= 20 && more <= 22));
}

TEST_CASE("Groups beyond the limit are left out whole and counted") {
  GroupStage stage;
  stage.keys.push_back({"k", expression("x")});
  stage.aggregates = {aggregate(Kind::count)};
  Rows rows(1);
  for (int i = 0; i < 3000; ++i) rows.add({number(i % 100)});
  Limits limits;
  limits.max_groups = 10;
  OperatorStats stats;
  const auto lines = run({stage}, {"x"}, rows.batch(), limits, &stats);
  CHECK(lines.size() == 10);
  for (const std::string& line : lines) CHECK(line.substr(line.find(' ')) == " 30");
  CHECK(stats.evicted == 90);
  CHECK(stats.approximate);
}

TEST_CASE("A damaged saved state is refused, whatever byte is wrong or missing") {
  GroupStage stage;
  stage.keys.push_back({"k", expression("k")});
  for (const Kind kind : {Kind::count, Kind::sum, Kind::min, Kind::stddev, Kind::count_distinct,
                          Kind::topk, Kind::percentile, Kind::hist, Kind::rate, Kind::first}) {
    stage.aggregates.push_back(aggregate(kind, "x"));
  }
  stage.aggregates.push_back(aggregate(Kind::count, "x"));
  stage.aggregates.back().distinct = true;
  const std::vector<std::string> inputs{"k", "x"};
  RowBatch out(2 + stage.aggregates.size());
  const auto op = make_operator(stage, inputs, {}, out);
  const Value rows[][2] = {
      {text("a"), number(5, -1)}, {text("b"), Value::of_real(1.0 / 3)}, {Value::null(), text("9")}};
  for (const auto& row : rows) op->take({row, WallTime{5}, {0, 1}, true});
  std::string saved;
  op->save(saved);
  const auto refuses = [&](const std::string& bytes) {
    RowBatch none(1 + stage.aggregates.size());
    const auto other = make_operator(stage, inputs, {}, none);
    const Status status = other->merge_saved(bytes);
    other->finish();
    return !status.ok() && status.error().code == Errc::corrupt;
  };
  CHECK_FALSE(refuses(saved));
  for (size_t n = 0; n < saved.size(); ++n) CHECK(refuses(saved.substr(0, n)));
  CHECK(refuses(saved + '\0'));
  size_t refused = 0;
  for (size_t i = 0; i < saved.size(); ++i) {
    for (const int flip : {1, 0x80, 0xff}) {
      std::string bytes = saved;
      bytes[i] = static_cast<char>(bytes[i] ^ flip);
      refused += refuses(bytes) ? 1 : 0;  // else another state: a count has no redundancy
    }
  }
  CHECK(refused > saved.size() / 4);
}
