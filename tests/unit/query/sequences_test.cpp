#include <catch2/catch.hpp>

#include "pattern_driver.hpp"

namespace nines::query::driving {
namespace {

using Rows = std::vector<std::string>;

const std::vector<std::string> kInputs = {"id", "what", "message", "user"};

// Steps by the value of `what`; "!x" is NOT x.
MatchStage sequence(std::initializer_list<const char*> steps) {
  MatchStage stage;
  stage.sequence = true;
  stage.keys = columns({"id"});
  stage.pattern = node(Kind::sequence);
  for (const std::string step : steps) {
    const bool is_absent = step[0] == '!';
    const std::string name = is_absent ? step.substr(1) : step;
    stage.pattern.kids.push_back(is_absent ? absent(name) : var(name));
    const auto same = [&](const PatternExpression& e) { return e.name == name; };
    if (std::none_of(stage.define.begin(), stage.define.end(), same)) {
      stage.define.push_back(expression(name, "what = '" + name + "'"));
    }
  }
  return stage;
}

MatchStage within(MatchStage stage, double s) {
  stage.within_ns = seconds(s);
  return stage;
}

struct Ran {
  Rows rows;
  OperatorStats stats;
};

Ran run(const MatchStage& stage, const std::vector<In>& in, const Limits& limits = {}) {
  Shown shown;
  const auto stats = run_match(stage, kInputs, in, shown, limits);
  for (const size_t width : shown.widths) CHECK(width == match_columns(stage, kInputs).size());
  return {shown.rows, stats};
}

// key, start, end and state of each row.
Rows brief(const MatchStage& stage, const std::vector<In>& in) {
  Rows brief;
  for (const std::string& row : run(stage, in).rows) {
    std::vector<std::string> parts;
    for (size_t at = 0; at != std::string::npos;) {
      const size_t end = row.find('|', at);
      parts.push_back(row.substr(at, end == std::string::npos ? end : end - at));
      at = end == std::string::npos ? end : end + 1;
    }
    brief.push_back(parts[0] + " " + parts[2] + " " + parts[3] + " " + parts[5]);
  }
  return brief;
}

Rows matched(const MatchStage& stage, const std::vector<In>& in) {
  Rows rows;
  for (const std::string& row : brief(stage, in)) {
    if (row.find(" matched") != std::string::npos) rows.push_back(row.substr(0, row.size() - 8));
  }
  return rows;
}

}  // namespace

TEST_CASE("A sequence has the columns that its stage promises") {
  MatchStage stage = sequence({"a", "!f", "b"});
  stage.measures.push_back(
      expression("who", "B", {{"B", of(Navigation::Kind::value, "b", "user")}}));
  CHECK(match_columns(stage, kInputs) == Rows{"id", "match_number", "start", "end", "duration_ms",
                                              "state", "a_message", "b_message", "who"});
  const Rows with_time = {"raw", "ts", "id"};
  CHECK(match_columns(sequence({"a"}), with_time) ==
        Rows{"id", "match_number", "start", "end", "duration_ms", "state", "a_ts", "a_raw"});
  stage.rows = MatchStage::Rows::all;
  CHECK(match_columns(stage, kInputs) ==
        Rows{"id", "what", "message", "user", "match_number", "step"});
}

TEST_CASE("A sequence is a step behind a step of the same key") {
  MatchStage stage = sequence({"a", "b"});
  stage.measures.push_back(
      expression("who", "B", {{"B", of(Navigation::Kind::value, "b", "user")}}));
  CHECK(run(stage, {{1, {"x", "a", "m1"}},
                    {2, {"y", "b", "m2"}},
                    {2.5, {"x", "c", "m3"}},
                    {3.25, {"x", "b", "m4", "eve"}},
                    {4, {"", "a"}},
                    {5, {"z", "a", "m5"}}})
            .rows == Rows{"x|1|@1|@3.25|2250|matched|m1|m4|eve", "z|2|@5|@5|0|pending|m5|-|-"});
}

TEST_CASE("ALL ROWS shows the rows of the steps") {
  MatchStage stage = sequence({"a", "b"});
  stage.rows = MatchStage::Rows::all;
  const Ran all = run(stage, {{1, {"x", "a", "m1"}},
                              {2, {"x", "c", "m2"}},
                              {3, {"x", "b", "m3", "eve"}},
                              {4, {"x", "a"}}});
  CHECK(all.rows == Rows{"x|a|m1|-|1|a", "x|b|m3|eve|1|b"});
  CHECK(all.stats.pending == 1);
}

TEST_CASE("Only the latest attempt waits for each step, as EQL's state machine has it") {
  // Elastic's documentation, "How sequence queries handle matches".
  CHECK(matched(sequence({"A", "B", "C"}), {{1, {"1", "A"}},
                                            {2, {"1", "B"}},
                                            {3, {"2", "A"}},
                                            {4, {"1", "A"}},
                                            {5, {"1", "C"}},
                                            {6, {"2", "B"}},
                                            {7, {"1", "B"}},
                                            {8, {"2", "C"}},
                                            {9, {"1", "C"}}}) ==
        Rows{"1 @1 @5", "2 @3 @8", "1 @4 @9"});
  CHECK(matched(sequence({"a", "b"}),
                {{1, {"x", "a"}}, {2, {"x", "a"}}, {3, {"x", "b"}}, {4, {"x", "b"}}}) ==
        Rows{"x @2 @3"});
  CHECK(matched(sequence({"a", "b", "c"}), {{1, {"x", "a"}},
                                            {2, {"x", "b"}},
                                            {3, {"x", "a"}},
                                            {4, {"x", "b"}},
                                            {5, {"x", "c"}},
                                            {6, {"x", "c"}}}) == Rows{"x @3 @5"});
}

TEST_CASE("A run is one step several times, and its end may begin the next") {
  MatchStage stage = sequence({"a"});
  stage.pattern.kids[0] = repeat(var("a"), 3, 3);
  CHECK(matched(stage, {{1, {"x", "a"}}, {2, {"x", "a"}}, {3, {"x", "a"}}, {4, {"x", "a"}}}) ==
        Rows{"x @1 @3", "x @2 @4"});
}

TEST_CASE("A sequence of one step is every row that is it") {
  CHECK(matched(sequence({"a"}), {{1, {"x", "a"}}, {2, {"x", "b"}}, {3, {"x", "a"}}}) ==
        Rows{"x @1 @1", "x @3 @3"});
}

TEST_CASE("WITHIN bounds the time from the first to the last step") {
  CHECK(brief(within(sequence({"a", "b", "c"}), 10), {{1, {"x", "a"}},
                                                      {2, {"x", "b"}},
                                                      {11, {"x", "c"}},
                                                      {21, {"y", "a"}},
                                                      {22, {"y", "b"}},
                                                      {31.001, {"y", "c"}}}) ==
        Rows{"x @1 @11 matched"});
  CHECK(brief(within(sequence({"a", "b"}), 10), {{1, {"x", "a"}}, {11, {"x", "c"}}}) ==
        Rows{"x @1 @1 pending"});
  CHECK(brief(within(sequence({"a", "b"}), 10), {{1, {"x", "a"}}, {11.5, {"x", "c"}}}).empty());
}

TEST_CASE("A step that is absent ends the attempt when it comes") {
  const MatchStage stage = sequence({"a", "!f", "b"});
  CHECK(matched(stage, {{1, {"x", "a"}}, {2, {"x", "f"}}, {3, {"x", "b"}}}).empty());
  CHECK(matched(stage, {{1, {"x", "a"}}, {2, {"y", "f"}}, {3, {"x", "b"}}}) == Rows{"x @1 @3"});
  CHECK(matched(stage, {{1, {"x", "a"}}, {2, {"x", "f"}}, {3, {"x", "a"}}, {4, {"x", "b"}}}) ==
        Rows{"x @3 @4"});
  SECTION("but not the row that is the next step itself") {
    MatchStage both = stage;
    both.define[1] = expression("f", "message = 'm'");
    CHECK(matched(both, {{1, {"x", "a"}}, {2, {"x", "b", "m"}}}) == Rows{"x @1 @2"});
  }
}

TEST_CASE("A sequence that ends with NOT is matched when WITHIN has gone by") {
  const MatchStage stage = within(sequence({"a", "!f"}), 10);
  CHECK(brief(stage, {{1, {"x", "a"}},
                      {3, {"x", "a"}},
                      {11.5, {"y", "a"}},
                      {12, {"y", "f"}},
                      {13.5, {"z", "c"}}}) == Rows{"x @1 @1 matched", "x @3 @3 matched"});
  CHECK(brief(stage, {{1, {"x", "a"}}, {11, {"z", "c"}}}) == Rows{"x @1 @1 pending"});
  CHECK(brief(stage, {{1, {"x", "a"}}, {11, {"x", "f"}}, {12, {"z", "c"}}}).empty());
  CHECK(brief(stage, {{1, {"x", "a"}}, {11.001, {"x", "f"}}}) == Rows{"x @1 @1 matched"});
  SECTION("and comes out then, not at the end of the input") {
    Shown shown;
    const auto op = make_match(stage, kInputs, {}, shown);
    feed(*op, 4, {{1, {"x", "a"}}, {13, {"", ""}}});
    CHECK(shown.rows.empty());  // a row of the second before might come
    feed(*op, 4, {{13.001, {"", ""}}});
    CHECK(shown.rows.size() == 1);
  }
  SECTION("and without WITHIN never before") {
    CHECK(brief(sequence({"a", "!f"}), {{1, {"x", "a"}}, {1e6, {"x", "c"}}}) ==
          Rows{"x @1 @1 pending"});
  }
}

TEST_CASE("A sequence that begins with NOT asks for no such row within the time before") {
  const MatchStage stage = within(sequence({"!f", "a", "b"}), 10);
  CHECK(matched(stage, {{1, {"x", "a"}}, {2, {"x", "b"}}}) == Rows{"x @1 @2"});
  CHECK(matched(stage, {{1, {"x", "f"}}, {2, {"x", "a"}}, {11, {"x", "b"}}}).empty());
  CHECK(matched(stage, {{1, {"x", "f"}}, {2, {"x", "a"}}, {11.5, {"x", "b"}}}) ==
        Rows{"x @2 @11.5"});
  CHECK(matched(sequence({"!f", "a"}), {{1, {"x", "f"}}, {1e6, {"x", "a"}}, {1e6, {"y", "a"}}}) ==
        Rows{"y @1000000 @1000000"});
}

TEST_CASE("UNTIL ends every attempt of its key and takes part in none") {
  MatchStage stage = within(sequence({"a", "b"}), 100);
  stage.until = parsed("what = 'stop' OR message = 'stop'");
  CHECK(brief(stage, {{1, {"x", "a"}},
                      {1, {"y", "a"}},
                      {2, {"x", "stop"}},
                      {3, {"x", "b"}},
                      {4, {"y", "b"}},
                      {5, {"x", "a", "stop"}},
                      {6, {"x", "b"}}}) == Rows{"y @1 @4 matched"});
  SECTION("also those that wait for a NOT") {
    MatchStage last = within(sequence({"a", "b", "!f"}), 10);
    last.until = stage.until;
    CHECK(brief(last, {{1, {"x", "a"}}, {2, {"x", "b"}}, {3, {"x", "stop"}}, {99, {"x", ""}}})
              .empty());
  }
}

TEST_CASE("A funnel counts whoever passes its steps in order within the window") {
  // As windowFunnel(6)(ts, what = 'login', what = 'view', what = 'buy') of ClickHouse finds
  // level 3.
  const MatchStage stage = within(sequence({"login", "view", "buy"}), 6);
  CHECK(matched(stage, {{1, {"u1", "login"}},
                        {1, {"u2", "view"}},
                        {2, {"u1", "view"}},
                        {2, {"u3", "login"}},
                        {3, {"u2", "login"}},
                        {4, {"u1", "other"}},
                        {5, {"u1", "buy"}},
                        {6, {"u2", "buy"}},
                        {7, {"u3", "view"}},
                        {9, {"u3", "buy"}}}) == Rows{"u1 @1 @5"});
}

TEST_CASE("A step may look at the steps before it") {
  MatchStage stage = sequence({"a", "!f", "b"});
  const auto a_user = of(Navigation::Kind::value, "a", "user");
  stage.define[1] = expression("f", "what = 'f' AND user = AU", {{"AU", a_user}});
  stage.define[2] = expression("b", "what = 'b' AND user = AU", {{"AU", a_user}});
  CHECK(matched(stage, {{1, {"x", "a", "", "eve"}},
                        {2, {"x", "f", "", "bob"}},
                        {3, {"x", "b", "", "bob"}},
                        {4, {"x", "b", "", "eve"}}}) == Rows{"x @1 @4"});
  CHECK(
      matched(stage,
              {{1, {"x", "a", "", "eve"}}, {2, {"x", "f", "", "eve"}}, {4, {"x", "b", "", "eve"}}})
          .empty());
}

TEST_CASE("A step without condition is any row") {
  MatchStage stage = sequence({"a", "b"});
  stage.define.pop_back();
  CHECK(matched(stage, {{1, {"x", "a"}}, {2, {"x", "zzz"}}}) == Rows{"x @1 @2"});
}

TEST_CASE("Rows of equal time follow each other as they stand in the input") {
  const MatchStage stage = sequence({"a", "b"});
  CHECK(matched(stage, {{1, {"x", "b"}, 7}, {1, {"x", "a"}, 3}}) == Rows{"x @1 @1"});
  CHECK(matched(stage, {{1, {"x", "b"}, 3}, {1, {"x", "a"}, 7}}).empty());
}

TEST_CASE("Rows without time and late rows are counted in sequences") {
  const Ran all =
      run(sequence({"a", "b"}), {{-1, {"x", "a"}}, {100, {"x", "b"}}, {10, {"x", "a"}}});
  CHECK(all.stats.no_timestamp == 1);
  CHECK(all.stats.late == 1);
  CHECK(run(sequence({"a"}), {}).rows.empty());
}

TEST_CASE("Attempts beyond the memory limit are given up, the oldest keys first, and counted") {
  std::vector<In> in;
  for (int i = 0; i < 2000; ++i) in.push_back({10.0 + i * 0.01, {"k" + std::to_string(i), "a"}});
  in.push_back({50, {"k0", "b"}});
  in.push_back({51, {"k1999", "b"}});
  const Ran all = run(sequence({"a", "b"}), in, {.max_bytes = 200'000});
  CHECK(all.stats.evicted > 1000);
  CHECK(all.stats.evicted + all.stats.pending == 1999);
  CHECK(all.stats.peak_bytes < 260'000);
  CHECK(all.rows[0].substr(0, 8) == "k1999|1|");
}

TEST_CASE("Keys whose attempts have expired leave nothing behind") {
  std::vector<In> in;
  for (int i = 0; i < 20'000; ++i) in.push_back({10.0 + i, {"k" + std::to_string(i), "a"}});
  const Ran all = run(within(sequence({"a", "b"}), 20), in);
  CHECK(all.stats.evicted == 0);
  CHECK(all.stats.pending == 21);
  CHECK(all.stats.peak_bytes < 20'000);
}

TEST_CASE("When no more matches are wanted, no more rows are taken by a sequence") {
  for (const char* const last : {"b", "!f"}) {
    const MatchStage stage = within(sequence({"a", last}), 5);
    Shown shown;
    shown.most = 1;
    const auto op = make_match(stage, kInputs, {}, shown);
    CHECK_FALSE(feed(*op, 4,
                     {{1, {"x", "a"}},
                      {2, {"x", "b"}},
                      {3, {"x", "a"}},
                      {4, {"x", "b"}},
                      {50, {"x", "c"}},
                      {99, {"x", "c"}}}));
    op->finish();
    CHECK(shown.rows.size() == 1);
  }
}

TEST_CASE("Nothing stands beside the rows of a sequence: PREV is NULL") {
  MatchStage stage = sequence({"a"});
  stage.pattern.kids.push_back(var("b"));
  stage.define.push_back(
      expression("b", "P IS NULL", {{"P", of(Navigation::Kind::prev, "", "what", 1)}}));
  CHECK(run(stage, {{1, {"x", "a"}}, {2, {"x", "c"}}, {3, {"x", "d"}}}).stats.rows_out == 1);
}

TEST_CASE("What does not come is known as time goes by though no row comes") {
  Shown shown;
  const auto op = make_match(within(sequence({"a", "!f"}), 5), kInputs, {}, shown);
  op->tick(WallTime::from_s(5));
  feed(*op, 4, {{1, {"x", "a"}}});
  op->tick(WallTime::from_s(1));
  CHECK(shown.rows.empty());
  op->tick(WallTime::from_s(60));
  CHECK(shown.rows.size() == 1);
}

}  // namespace nines::query::driving
