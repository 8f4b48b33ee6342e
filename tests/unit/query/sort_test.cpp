#include <catch2/catch.hpp>

#include "../../support/query_rows.hpp"

using namespace nines;
using namespace nines::query;
using namespace nines::query::testing;
using Lines = std::vector<std::string>;

namespace {

RowBatch some() {
  Rows rows(2);
  rows.add({number(2), text("a")}).add({Value::null(), text("b")}).add({number(1), text("c")});
  rows.add({number(2), text("d")}).add({number(1), text("c")});
  RowBatch batch(2);
  for (size_t i = 0; i < rows.batch().size(); ++i) batch.take(rows.batch()[i]);
  return batch;
}

SortStage by(bool descending, std::optional<bool> nulls_first = {}) {
  SortStage stage;
  stage.keys = {{0, descending, nulls_first}};
  stage.keep = 2;
  return stage;
}

}  // namespace

TEST_CASE("Equal rows keep the order of the input and NULL stands as in SQLite") {
  CHECK(run({by(false)}, {"x", "y"}, some()) ==
        Lines{"NULL 'b'", "1 'c'", "1 'c'", "2 'a'", "2 'd'"});
  CHECK(run({by(true)}, {"x", "y"}, some()) ==
        Lines{"2 'a'", "2 'd'", "1 'c'", "1 'c'", "NULL 'b'"});
  CHECK(run({by(true, true)}, {"x", "y"}, some()).front() == "NULL 'b'");
}

TEST_CASE("LIMIT, OFFSET and DISTINCT hold for sorted and for passing rows") {
  SortStage stage = by(false);
  stage.distinct = true;
  stage.offset = 1;
  stage.limit = 2;
  CHECK(run({stage}, {"x", "y"}, some()) == Lines{"1 'c'", "2 'a'"});
  stage.keys.clear();
  CHECK(run({stage}, {"x", "y"}, some()) == Lines{"NULL 'b'", "1 'c'"});
}

TEST_CASE("Rows without order stop the input once LIMIT is reached") {
  SortStage stage;
  stage.keep = 1;
  stage.limit = 2;
  OperatorStats stats;
  CHECK(run({stage}, {"x", "y"}, some(), {}, &stats) == Lines{"2", "NULL"});
  CHECK(stats.rows_in == 2);
}

TEST_CASE("What fits no memory is the end of the order, and is counted") {
  Rows rows(1);
  for (int i = 0; i < 1000; ++i) rows.add({number(i * 7 % 1000)});
  SortStage stage = by(false);
  stage.keep = 1;
  OperatorStats stats;
  const Lines lines = run({stage}, {"x"}, rows.batch(), {5000, 10}, &stats);
  REQUIRE(!lines.empty());
  for (size_t i = 0; i < lines.size(); ++i) CHECK(lines[i] == std::to_string(i));
  CHECK(stats.evicted == 1000 - lines.size());
}

TEST_CASE("Stages follow each other; only groups and sorted rows can be merged") {
  GroupStage group;
  group.keys.push_back({"x", expression("x")});
  group.aggregates = {aggregate(AggregateKind::count)};
  ProjectStage having{expression("a > 1"), {{"n", expression("a * 10")}, {"x", expression("x")}}};
  const std::vector<Stage> stages{group, having, by(true)};
  CHECK(run(stages, {"x", "y"}, some()) == Lines{"20 1", "20 2"});
  CHECK(split_of(stages).merges);
  CHECK(split_of(std::vector<Stage>{having, by(true)}).stateless == 1);
  SortStage passing;
  passing.keep = 1;
  CHECK_FALSE(split_of(std::vector<Stage>{having, passing}).merges);
}

TEST_CASE("A bucket far from its baseline has a high score, one of five first ones none") {
  AnomalyStage stage;
  stage.value = "n";
  stage.time = "t";
  stage.bucket_ns = 1;
  stage.baseline_ns = 10;
  Rows rows(2);
  for (int i = 0; i < 9; ++i) rows.add({Value::of_time(i), number(10 + i % 3)});
  rows.add({Value::of_time(9), number(31)});
  const Lines lines = run({stage}, {"t", "n"}, rows.batch());
  CHECK(lines[4] == "t4 11 NULL");
  CHECK(lines[5] != "t5 12 NULL");
  CHECK(lines[9] == "t9 31 ~13.49");  // 0.6745 * (31 - 11) / 1
}
