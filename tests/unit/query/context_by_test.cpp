#include <catch2/catch.hpp>

#include "rows_driver.hpp"

namespace nines::query::driving {
namespace {

using Rows = std::vector<std::string>;
const std::vector<std::string> kInputs = {"id", "n", "level"};

ContextByStage around(uint32_t before, uint32_t after) {
  ContextByStage stage{{before, after, "id", std::nullopt}, parsed("level = 'E'")};
  return stage;
}

OperatorStats run(const ContextByStage& stage, const std::vector<In>& in, Shown& shown,
                  const Limits& limits = {}) {
  const auto op = make_context_by(stage, kInputs, limits, shown);
  if (feed(*op, kInputs.size(), in)) op->finish();
  return op->stats();
}
Rows ran(const ContextByStage& stage, const std::vector<In>& in) {
  Shown shown;
  run(stage, in, shown);
  return shown.rows;
}

}  // namespace

TEST_CASE("Context by key shows rows around the chosen one among those of its key") {
  CHECK(context_by_columns(around(1, 1), kInputs) ==
        Rows{"id", "n", "level", "ctx_group", "ctx_offset"});
  CHECK(ran(around(2, 1), {{1, {"a", "1"}},
                           {2, {"a", "2"}},
                           {3, {"b", "3"}},
                           {4, {"a", "4"}},
                           {5, {"a", "5", "E"}},
                           {6, {"b", "6"}},
                           {7, {"a", "7"}},
                           {8, {"a", "8"}}}) ==
        Rows{"a|2|-|1|-2", "a|4|-|1|-1", "a|5|E|1|0", "a|7|-|1|1"});
}

TEST_CASE("Groups of context that touch are one, and others are not") {
  CHECK(ran(around(1, 1), {{1, {"a", "1", "E"}},
                           {2, {"a", "2"}},
                           {3, {"a", "3"}},
                           {4, {"a", "4", "E"}},
                           {5, {"a", "5", "E"}},
                           {6, {"a", "6"}},
                           {7, {"a", "7"}},
                           {8, {"a", "8"}},
                           {9, {"a", "9", "E"}}}) == Rows{"a|1|E|1|0", "a|2|-|1|1", "a|3|-|1|-1",
                                                          "a|4|E|1|0", "a|5|E|1|0", "a|6|-|1|1",
                                                          "a|8|-|2|-1", "a|9|E|2|0"});
  CHECK(ran(around(0, 0), {{1, {"a", "1", "E"}}, {2, {"a", "2"}}, {3, {"a", "3", "E"}}}) ==
        Rows{"a|1|E|1|0", "a|3|E|2|0"});
}

TEST_CASE(
    "A row between two chosen ones of its key belongs to the nearer one, of equals to the first") {
  CHECK(ran(around(3, 3), {{1, {"a", "1", "E"}},
                           {2, {"a", "2"}},
                           {3, {"a", "3"}},
                           {4, {"a", "4", "E"}},
                           {5, {"a", "5"}},
                           {6, {"a", "6"}},
                           {7, {"a", "7"}},
                           {8, {"a", "8", "E"}}}) == Rows{"a|1|E|1|0", "a|2|-|1|1", "a|3|-|1|-1",
                                                          "a|4|E|1|0", "a|5|-|1|1", "a|6|-|1|2",
                                                          "a|7|-|1|-1", "a|8|E|1|0"});
  // The window of the nearer one does not reach it.
  CHECK(ran(around(0, 3),
            {{1, {"a", "1", "E"}}, {2, {"a", "2"}}, {3, {"a", "3"}}, {4, {"a", "4", "E"}}}) ==
        Rows{"a|1|E|1|0", "a|2|-|1|1", "a|3|-|1|2", "a|4|E|1|0"});
}

TEST_CASE("Rows behind a chosen one come as soon as no row to come can be nearer to them") {
  Shown shown;
  const auto op = make_context_by(around(2, 2), kInputs, {}, shown);
  REQUIRE(feed(*op, 3, {{10, {"a", "1", "E"}}, {20, {"a", "2"}}, {30, {"b", "3"}}}));
  CHECK(shown.rows == Rows{"a|1|E|1|0", "a|2|-|1|1"});
  REQUIRE(feed(*op, 3, {{40, {"a", "4"}}, {50, {"b", "5"}}}));
  CHECK(shown.rows.size() == 2);  // the next may be chosen
  REQUIRE(feed(*op, 3, {{60, {"a", "6"}}, {70, {"b", "7"}}}));
  CHECK(shown.rows.back() == "a|4|-|1|2");
  op->finish();
  CHECK(shown.rows.size() == 3);
}

TEST_CASE(
    "Rows that wait for their group are given when their key is forgotten or the input ends") {
  CHECK(ran(around(2, 2), {{1, {"a", "1", "E"}}, {2, {"a", "2"}}, {3, {"a", "3"}}}) ==
        Rows{"a|1|E|1|0", "a|2|-|1|1", "a|3|-|1|2"});
  ContextByStage stage = around(2, 2);
  stage.spec.within_ns = seconds(5);
  Shown shown;
  const auto op = make_context_by(stage, kInputs, {}, shown);
  REQUIRE(feed(*op, 3,
               {{1, {"a", "1", "E"}},
                {2, {"a", "2"}},
                {3, {"a", "3"}},
                {99, {"b", "4"}},
                {999, {"b", "5"}}}));
  CHECK(shown.rows == Rows{"a|1|E|1|0", "a|2|-|1|1", "a|3|-|1|2"});
}

TEST_CASE("WITHIN parts groups whose records follow each other later than that") {
  ContextByStage stage = around(1, 1);
  stage.spec.within_ns = seconds(2);
  CHECK(ran(stage,
            {{1, {"a", "1", "E"}}, {3, {"a", "2", "E"}}, {6, {"a", "3", "E"}}, {7, {"b", "4"}}}) ==
        Rows{"a|1|E|1|0", "a|2|E|1|0", "a|3|E|2|0"});
}

TEST_CASE("WITHIN keeps rows that are too far away out of the context") {
  ContextByStage stage = around(5, 5);
  stage.spec.within_ns = seconds(2);
  CHECK(ran(stage, {{1, {"a", "1"}},
                    {2.5, {"a", "2"}},
                    {4, {"a", "3", "E"}},
                    {6, {"a", "4"}},
                    {6.5, {"a", "5"}},
                    {8.6, {"a", "6", "E"}},
                    {99, {"a", "7"}}}) ==
        Rows{"a|2|-|1|-1", "a|3|E|1|0", "a|4|-|1|1", "a|6|E|2|0"});
}

TEST_CASE("Of late rows, too, those beyond WITHIN belong to the chosen one that they are near to") {
  ContextByStage stage = around(2, 3);
  stage.spec.within_ns = seconds(5);
  CHECK(ran(stage, {{100, {"b", "0"}},
                    {200, {"b", "0"}},
                    {1, {"a", "1", "E"}},
                    {2, {"a", "2"}},
                    {3, {"a", "3"}},
                    {10, {"a", "4", "E"}}}) ==
        Rows{"a|1|E|1|0", "a|2|-|1|1", "a|3|-|1|2", "a|4|E|2|0"});
}

TEST_CASE("A chosen row without key stands alone, and others without key are nobody's neighbours") {
  CHECK(ran(around(1, 1), {{1, {"", "1"}}, {2, {"", "2", "E"}}, {3, {"", "3"}}}) ==
        Rows{"-|2|E|1|0"});
}

TEST_CASE("Context by key follows time, whatever the order of the rows within the lateness") {
  Shown shown;
  const auto stats = run(around(1, 1),
                         {{2, {"a", "2", "E"}},
                          {1, {"a", "1"}},
                          {3, {"a", "3"}},
                          {-1, {"a", "4"}},
                          {99, {"b", "5"}},
                          {5, {"b", "6"}}},
                         shown);
  CHECK(shown.rows == Rows{"a|1|-|1|-1", "a|2|E|1|0", "a|3|-|1|1"});
  CHECK(stats.no_timestamp == 1);
  CHECK(stats.late == 1);
}

TEST_CASE("Keys beyond the memory limit lose their rows, the quietest first, and are counted") {
  std::vector<In> in;
  for (int i = 0; i < 2000; ++i) in.push_back({1.0 + i, {"k" + std::to_string(i), "1"}});
  in.push_back({3000, {"k0", "2", "E"}});
  in.push_back({3001, {"k1999", "2", "E"}});
  Shown shown;
  const auto stats = run(around(1, 0), in, shown, {.max_bytes = 100'000});
  CHECK(stats.evicted > 1000);
  CHECK(stats.peak_bytes < 130'000);
  CHECK(shown.rows == Rows{"k0|2|E|1|0", "k1999|1|-|2|-1", "k1999|2|E|2|0"});
}

TEST_CASE("When no more rows of context are wanted, no more are taken") {
  Shown shown;
  shown.most = 1;
  const auto op = make_context_by(around(1, 1), kInputs, {}, shown);
  CHECK_FALSE(feed(*op, 3, {{1, {"a", "1"}}, {2, {"a", "2", "E"}}, {9, {"a"}}, {19, {"a"}}}));
  op->finish();
  CHECK(shown.rows.size() == 1);
}

}  // namespace nines::query::driving
