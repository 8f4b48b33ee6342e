#include <catch2/catch.hpp>

#include "../../../core/src/query/navigation.hpp"
#include "pattern_driver.hpp"

namespace nines::query::driving {
namespace {

using Rows = std::vector<std::string>;
using Nav = Navigation::Kind;
using Skip = MatchStage::Skip;
const std::vector<std::string> kInputs = {"id", "price"};

struct Ran {
  Rows rows;
  OperatorStats stats;
  std::string error;
};

Ran run(const MatchStage& stage, const std::vector<In>& in, const Limits& limits = {}) {
  Shown shown;
  const auto op = make_match(stage, kInputs, limits, shown);
  if (feed(*op, kInputs.size(), in)) op->finish();
  for (const size_t width : shown.widths) CHECK(width == match_columns(stage, kInputs).size());
  const Status status = op->status();
  return {shown.rows, op->stats(), status.ok() ? "" : status.error().message};
}

// Rows a second apart, of key "x".
std::vector<In> prices(std::initializer_list<int> values, const char* id = "x") {
  std::vector<In> rows;
  for (const int value : values) {
    rows.push_back({1.0 + static_cast<double>(rows.size()), {id, std::to_string(value)}});
  }
  return rows;
}

Navigation final_of(Navigation term) {
  term.final_ = true;
  return term;
}
Navigation aggregate(AggregateKind kind, std::string variable, std::string column) {
  Navigation term = of(Nav::aggregate, std::move(variable), std::move(column));
  term.aggregate = kind;
  return term;
}

// PATTERN (START DOWN+ UP+), the V of every introduction.
MatchStage v_shape() {
  MatchStage stage;
  stage.keys = columns({"id"});
  stage.pattern = node(Kind::sequence, {var("START"), repeat(var("DOWN"), 1, UINT32_MAX),
                                        repeat(var("UP"), 1, UINT32_MAX)});
  const auto before = of(Nav::prev, "", "price", 1);
  stage.define = {expression("DOWN", "price < PV", {{"PV", before}}),
                  expression("UP", "price > PV", {{"PV", before}})};
  return stage;
}

MatchStage of_values(PatternNode pattern) {
  MatchStage stage;
  stage.keys = columns({"id"});
  stage.pattern = std::move(pattern);
  stage.define = {expression("A", "price = 1"), expression("B", "price = 2"),
                  expression("C", "price = 3")};
  stage.measures = {expression("m", "X", {{"X", of(Nav::match_number, "", "")}}),
                    expression("c", "X", {{"X", of(Nav::classifier, "", "")}})};
  stage.rows = MatchStage::Rows::all;
  return stage;
}

}  // namespace

TEST_CASE("A V of a stock's price: ONE ROW with its start, bottom and end, as Trino shows it") {
  MatchStage stage = v_shape();
  const auto last = [](const char* variable) { return of(Nav::last, variable, "price"); };
  stage.measures = {expression("start", "S", {{"S", of(Nav::value, "START", "price")}}),
                    expression("bottom", "L", {{"L", last("DOWN")}}),
                    expression("final", "L", {{"L", last("UP")}}),
                    expression("n", "C", {{"C", aggregate(AggregateKind::count, "", "")}})};
  CHECK(match_columns(stage, kInputs) == Rows{"id", "start", "bottom", "final", "n"});
  // 90 80 70 80 | 90 50 40 60
  std::vector<In> in = prices({90, 80, 70, 80, 90, 50, 40, 60}, "cust_1");
  for (const In& row : prices({50, 100, 90, 95, 80, 70, 120}, "cust_2")) in.push_back(row);
  std::stable_sort(in.begin(), in.end(), [](const In& a, const In& b) { return a.ts < b.ts; });
  for (size_t i = 0; i < in.size(); ++i) in[i].at = static_cast<int64_t>(i);
  CHECK(run(stage, in).rows ==
        Rows{"cust_2|100|90|95|3", "cust_1|90|70|90|5", "cust_1|50|40|60|3", "cust_2|80|70|120|3"});
}

TEST_CASE("ALL ROWS shows running measures row by row, and FINAL ones as of the end") {
  MatchStage stage = v_shape();
  stage.rows = MatchStage::Rows::all;
  const auto last = of(Nav::last, "DOWN", "price");
  stage.measures = {expression("m", "X", {{"X", of(Nav::match_number, "", "")}}),
                    expression("c", "X", {{"X", of(Nav::classifier, "", "")}}),
                    expression("low", "X", {{"X", last}}),
                    expression("final_low", "X", {{"X", final_of(last)}}),
                    expression("first2", "X", {{"X", of(Nav::first, "DOWN", "price", 1)}}),
                    expression("sum", "X", {{"X", aggregate(AggregateKind::sum, "", "price")}}),
                    expression("next", "X", {{"X", of(Nav::next, "", "price", 1)}}),
                    expression("double", "price * 2")};
  CHECK(run(stage, prices({90, 80, 70, 80, 60})).rows ==
        Rows{"x|90|1|START|-|70|-|90|80|180", "x|80|1|DOWN|80|70|-|170|70|160",
             "x|70|1|DOWN|70|70|70|240|80|140", "x|80|1|UP|70|70|70|320|60|160"});
}

TEST_CASE("Rows of no match come out WITH UNMATCHED ROWS, their measures NULL") {
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), var("B")}));
  stage.rows = MatchStage::Rows::all_unmatched;
  CHECK(run(stage, prices({1, 1, 2, 3})).rows == Rows{"x|1|-|-", "x|1|1|A", "x|2|1|B", "x|3|-|-"});
}

TEST_CASE("An empty match is a match: it has a number, and its row is shown") {
  MatchStage stage = of_values(repeat(var("A"), 0, UINT32_MAX));
  CHECK(run(stage, prices({2, 1, 1, 3})).rows == Rows{"x|2|1|-", "x|1|2|A", "x|1|2|A", "x|3|3|-"});
  stage.rows = MatchStage::Rows::one;
  CHECK(run(stage, prices({2, 1, 1, 3})).rows == Rows{"x|1|-", "x|2|A", "x|3|-"});
  stage.pattern.reluctant = true;
  CHECK(run(stage, prices({1, 1})).rows == Rows{"x|1|-", "x|2|-"});
}

TEST_CASE("AFTER MATCH SKIP says where the next match may begin") {
  MatchStage stage =
      of_values(node(Kind::sequence, {var("A"), repeat(var("B"), 1, UINT32_MAX), var("A")}));
  stage.rows = MatchStage::Rows::one;
  const auto in = prices({1, 2, 2, 1, 2, 1});
  CHECK(run(stage, in).rows == Rows{"x|1|A"});
  stage.skip = Skip::to_next;
  CHECK(run(stage, in).rows == Rows{"x|1|A", "x|2|A"});
  stage.skip = Skip::to_last;
  stage.skip_to = "A";
  CHECK(run(stage, in).rows == Rows{"x|1|A", "x|2|A"});
  stage.skip_to = "B";
  CHECK(run(stage, in).rows == Rows{"x|1|A", "x|2|A"});
  stage.skip = Skip::to_first;
  CHECK(run(stage, in).rows == Rows{"x|1|A", "x|2|A"});
  SECTION("to the row where the match began is an error, told with the way out") {
    stage.skip_to = "A";
    const Ran failed = run(stage, in);
    CHECK(failed.error.find("AFTER MATCH SKIP TO FIRST A: the match that begins at "
                            "1970-01-01T00:00:01Z begins with that row") == 0);
    CHECK(failed.rows.size() == 1);
  }
  SECTION("to a row that the match does not have as well") {
    stage.skip = Skip::to_last;
    stage.skip_to = "C";
    CHECK(run(stage, in).error.find("has no row of it") != std::string::npos);
  }
}

TEST_CASE("Alternatives and permutations are preferred in the order in which they are written") {
  MatchStage stage;
  stage.keys = columns({"id"});
  stage.rows = MatchStage::Rows::all;
  stage.measures = {expression("c", "X", {{"X", of(Nav::classifier, "", "")}})};
  stage.pattern = node(Kind::alternation, {var("L"), var("R")});
  CHECK(run(stage, prices({1})).rows == Rows{"x|1|L"});
  stage.pattern = node(Kind::permute, {var("L"), var("R"), var("S")});
  stage.define = {expression("L", "price >= 2")};
  CHECK(run(stage, prices({1, 2, 3})).rows == Rows{"x|1|R", "x|2|L", "x|3|S"});
}

TEST_CASE("Excluded rows belong to the match and are not shown") {
  PatternNode middle = repeat(var("B"), 1, UINT32_MAX);
  middle.excluded = true;
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), middle, var("C")}));
  CHECK(run(stage, prices({1, 2, 2, 3})).rows == Rows{"x|1|1|A", "x|3|1|C"});
}

TEST_CASE("Anchors tie a match to the first and the last row of the partition") {
  MatchStage stage = of_values(node(Kind::sequence, {node(Kind::first), var("A")}));
  CHECK(run(stage, prices({1, 1})).rows == Rows{"x|1|1|A"});
  stage.pattern = node(Kind::sequence, {var("A"), node(Kind::last)});
  std::vector<In> in = prices({1, 1});
  in.push_back({5, {"y", "1"}});
  CHECK(run(stage, in).rows == Rows{"x|1|1|A", "y|1|1|A"});
  CHECK(run(stage, prices({1, 2})).rows.empty());
}

TEST_CASE("A match comes out when no row to come can change it") {
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), repeat(var("B"), 0, UINT32_MAX)}));
  stage.lateness_ns = 0;
  stage.rows = MatchStage::Rows::one;
  Shown shown;
  const auto op = make_match(stage, kInputs, {}, shown);
  feed(*op, 2, {{1, {"x", "1"}}, {2, {"x", "2"}}, {3, {"x", "3"}}});
  CHECK(shown.rows.empty());
  feed(*op, 2, {{4, {"x", "3"}}});
  CHECK(shown.rows == Rows{"x|1|B"});
}

TEST_CASE("WITHIN bounds a match, and what it ends is settled without waiting for the partition") {
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), repeat(var("B"), 1, UINT32_MAX)}));
  stage.rows = MatchStage::Rows::one;
  stage.within_ns = seconds(2);
  stage.measures = {expression("n", "C", {{"C", aggregate(AggregateKind::count, "B", "price")}})};
  CHECK(run(stage, prices({1, 2, 2, 2})).rows == Rows{"x|2"});
  Shown shown;
  const auto op = make_match(stage, kInputs, {}, shown);
  feed(*op, 2, {{1, {"x", "1"}}, {2, {"x", "2"}}, {9, {"y", "3"}}, {19, {"y", "3"}}});
  CHECK(shown.rows == Rows{"x|1"});
}

TEST_CASE("A partition that WITHIN has left quiet is remembered until memory is short") {
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), var("B")}));
  stage.rows = MatchStage::Rows::one;
  stage.measures.pop_back();  // the number of the match is left
  stage.within_ns = seconds(2);
  const auto pair = [](std::vector<In>& in, double ts, const char* id) {
    in.push_back({ts, {id, "1"}});
    in.push_back({ts + 1, {id, "2"}});
  };
  std::vector<In> in;
  pair(in, 1, "x");
  pair(in, 1.2, "y");
  for (int i = 0; i < 20; ++i) pair(in, 10 + 10 * i, "z");
  pair(in, 300, "x");  // quiet for long
  pair(in, 303, "x");
  std::stable_sort(in.begin(), in.end(), [](const In& a, const In& b) { return a.ts < b.ts; });
  const Ran ran = run(stage, in);
  REQUIRE(ran.rows.size() == 24);
  CHECK(ran.rows[0] == "x|1");
  CHECK(ran.rows[1] == "y|1");
  CHECK(ran.rows[21] == "z|20");
  CHECK(Rows(ran.rows.end() - 2, ran.rows.end()) == Rows{"x|2", "x|3"});
  CHECK(ran.stats.evicted == 0);
  // Of those that are remembered only, the ones that were quiet longest go first.
  std::vector<In> many;
  for (int i = 0; i < 2000; ++i) {
    const std::string id = "k" + std::to_string(i);
    pair(many, 1.0 + 3 * i, id.c_str());
  }
  pair(many, 6010, "k0");
  pair(many, 6020, "k1999");
  const Ran short_of = run(stage, many, {.max_bytes = 300'000});
  CHECK(short_of.stats.evicted > 1000);
  CHECK(Rows(short_of.rows.end() - 2, short_of.rows.end()) == Rows{"k0|1", "k1999|2"});
}

TEST_CASE("UNTIL ends the attempts of its partition and is in no match") {
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), repeat(var("B"), 0, UINT32_MAX)}));
  stage.until = parsed("price = 2");
  stage.define.pop_back();
  CHECK(run(stage, prices({1, 2, 1})).rows == Rows{"x|1|1|A", "x|1|2|A"});
}

TEST_CASE("Conditions may look at the match so far") {
  MatchStage stage = of_values(
      node(Kind::sequence, {repeat(var("A"), 1, UINT32_MAX), repeat(var("B"), 1, UINT32_MAX)}));
  stage.define = {expression("A", "S <= 10", {{"S", aggregate(AggregateKind::sum, "A", "price")}}),
                  expression("B", "price > F AND price > M",
                             {{"F", of(Nav::first, "A", "price")},
                              {"M", aggregate(AggregateKind::avg, "A", "price")}})};
  CHECK(run(stage, prices({3, 4, 5, 9, 1})).rows ==
        Rows{"x|3|1|A", "x|4|1|A", "x|5|1|B", "x|9|1|B"});
}

TEST_CASE("Rows without key or time are in no partition") {
  MatchStage stage = of_values(var("A"));
  const Ran all = run(stage, {{1, {"", "1"}}, {-1, {"x", "1"}}, {9, {"x", "1"}}, {2, {"x", "1"}}});
  CHECK(all.rows == Rows{"x|1|1|A", "x|1|2|A"});
  CHECK(all.stats.no_timestamp == 1);
  CHECK(all.stats.late == 1);
  stage.keys.clear();
  CHECK(run(stage, {{1, {"", "1"}}}).rows == Rows{"-|1|1|A"});
}

TEST_CASE("A long run that fails costs no more than one that matches") {
  MatchStage stage = of_values(node(Kind::sequence, {repeat(var("A"), 1, UINT32_MAX), var("B")}));
  stage.rows = MatchStage::Rows::all_unmatched;
  std::vector<In> in;
  for (int i = 0; i < 50'000; ++i) in.push_back({1.0 + i * 0.01, {"x", "1"}});
  CHECK(run(stage, in).rows.size() == 50'000);  // a billion readings without it
}

TEST_CASE("A long match is shown whole, and what no reading needs is forgotten on the way") {
  MatchStage stage = of_values(
      node(Kind::sequence,
           {repeat(node(Kind::alternation, {var("A"), var("D")}), 1, UINT32_MAX), var("C")}));
  std::vector<In> in;
  for (int i = 0; i < 5000; ++i) in.push_back({1.0 + i * 0.01, {"x", i % 2 == 0 ? "1" : "2"}});
  in.push_back({100, {"x", "3"}});
  const Ran all = run(stage, in);
  REQUIRE(all.rows.size() == 5001);
  CHECK(all.rows[4998] == "x|1|1|A");
  CHECK(all.rows[4999] == "x|2|1|D");
  CHECK(all.rows[5000] == "x|3|1|C");
}

TEST_CASE("Readings beyond the limit are dropped and counted") {
  MatchStage stage = of_values(
      node(Kind::sequence,
           {repeat(node(Kind::alternation, {var("A"), var("D")}), 1, UINT32_MAX), var("C")}));
  stage.define.push_back(
      expression("D", "S >= 0", {{"S", aggregate(AggregateKind::sum, "D", "price")}}));
  std::vector<In> in;
  for (int i = 0; i < 16; ++i) in.push_back({1.0 + i, {"x", "1"}});
  CHECK(run(stage, in).stats.evicted > 1000);
}

TEST_CASE("Partitions beyond the memory limit are given up, the quietest first, and counted") {
  MatchStage stage = of_values(node(Kind::sequence, {var("A"), var("B")}));
  std::vector<In> in;
  for (int i = 0; i < 2000; ++i) in.push_back({1.0 + i * 0.01, {"k" + std::to_string(i), "1"}});
  in.push_back({50, {"k0", "2"}});
  in.push_back({51, {"k1999", "2"}});
  const Ran all = run(stage, in, {.max_bytes = 300'000});
  CHECK(all.stats.evicted > 1000);
  CHECK(all.stats.peak_bytes < 400'000);
  CHECK(all.rows == Rows{"k1999|1|1|A", "k1999|2|1|B"});
}

TEST_CASE("When no more matches are wanted, no more rows are taken by a pattern") {
  MatchStage stage = of_values(var("A"));
  Shown shown;
  shown.most = 1;
  const auto op = make_match(stage, kInputs, {}, shown);
  CHECK_FALSE(feed(*op, 2, prices({1, 1, 1, 1, 1, 1, 1})));
  op->finish();
  CHECK(shown.rows.size() == 1);
}

TEST_CASE("A pattern that grows too large when written out is refused") {
  CHECK_FALSE(compile_pattern(repeat(repeat(var("A"), 200, 200), 200, 200)).ok());
  std::vector<PatternNode> kids(8, var("A"));
  CHECK_FALSE(compile_pattern(node(Kind::permute, kids)).ok());
  CHECK_FALSE(compile_pattern(repeat(var("A"), 0, 20'000)).ok());
}

TEST_CASE("Rows that no attempt needs any more are let go while the partition stays") {
  // UP looks one row back, so that there is always a row left.
  std::vector<In> in = prices({90, 80, 85});
  for (int i = 0; i < 500; ++i) in.push_back({4.0 + i, {"x", "85"}});
  in.push_back({505, {"x", "70"}});
  in.push_back({506, {"x", "75"}});
  MatchStage stage = v_shape();
  stage.measures = {expression("low", "L", {{"L", of(Nav::last, "DOWN", "price")}})};
  const Ran all = run(stage, in);
  CHECK(all.rows == Rows{"x|80", "x|70"});
  CHECK(all.stats.peak_bytes < 20'000);
}

TEST_CASE("A match of thousands of rows keeps the label of each") {
  MatchStage stage = of_values(repeat(var("A"), 1, UINT32_MAX));
  std::vector<In> in;
  for (int i = 0; i < 3000; ++i) in.push_back({1.0 + i, {"x", "1"}});
  in.push_back({5000, {"x", "2"}});
  const Ran all = run(stage, in);
  REQUIRE(all.rows.size() == 3000);
  CHECK(all.rows.front() == "x|1|1|A");
  CHECK(all.rows.back() == "x|1|1|A");
}

TEST_CASE("A condition is true as a number that is not 0, and never as a text") {
  CHECK(is_true(Value::of_bool(true)));
  CHECK(is_true(Value::of_int(2)));
  CHECK(is_true(Value::of_real(0.5)));
  CHECK_FALSE(is_true(Value::of_real(0)));
  CHECK_FALSE(is_true(Value::of_text("true")));
  CHECK_FALSE(is_true(Value::null()));
}

}  // namespace nines::query::driving
