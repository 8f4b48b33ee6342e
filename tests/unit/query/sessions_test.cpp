#include <catch2/catch.hpp>

#include "../../../core/src/query/session_parts.hpp"
#include "rows_driver.hpp"

namespace nines::query::driving {
namespace {

using Rows = std::vector<std::string>;

const std::vector<std::string> kInputs = {"id", "service", "message", "level"};

struct Ran {
  Rows rows;
  OperatorStats stats;
};

SessionStage by_id(double idle_s) {
  SessionStage stage;
  stage.keys = columns({"id"});
  stage.idle_ns = seconds(idle_s);
  stage.with_services = false;
  return stage;
}

Ran run(const SessionStage& stage, const std::vector<In>& in, const Limits& limits = {}) {
  Shown shown;
  const auto op = make_session(stage, kInputs, limits, shown);
  feed(*op, 4, in);
  op->finish();
  for (const size_t width : shown.widths) CHECK(width == session_columns(stage, kInputs).size());
  return {shown.rows, op->stats()};
}

// Without the id, which is a hash.
Rows without_id(Rows rows) {
  for (std::string& row : rows) {
    const size_t at = row.find('|');
    row.erase(at, row.find('|', at + 1) - at);
  }
  return rows;
}

Rows ran(const SessionStage& stage, const std::vector<In>& in) {
  return without_id(run(stage, in).rows);
}

}  // namespace

TEST_CASE("A session has the columns that its stage promises") {
  CHECK(session_columns(by_id(1), kInputs) == Rows{"id", "session_id", "start", "end",
                                                   "duration_ms", "n", "services", "timeline",
                                                   "state"});
}

TEST_CASE("A session ends where the idle time went by") {
  // The pause itself may be as long as the idle time, as in row_window_session.
  CHECK(ran(by_id(10), {{1, {"a"}}, {11, {"a"}}, {21.001, {"a"}}, {60, {"b"}}}) ==
        Rows{"a|@1|@11|10000|2|-|-|closed", "a|@21.001|@21.001|0|1|-|-|closed",
             "b|@60|@60|0|1|-|-|open"});
}

TEST_CASE("Sessions come out as soon as nothing can change them") {
  Shown shown;
  const auto op = make_session(by_id(10), kInputs, {}, shown);
  feed(*op, 4, {{1, {"a"}}, {2, {"a"}}, {12, {"b"}}});
  CHECK(shown.rows.empty());
  feed(*op, 4, {{15, {"b"}}});  // 2 s of lateness
  CHECK(without_id(shown.rows) == Rows{"a|@1|@2|1000|2|-|-|closed"});
  op->finish();
  CHECK(shown.rows.size() == 2);
  CHECK(op->stats().pending == 1);
  CHECK(op->stats().rows_in == 4);
  CHECK(op->stats().rows_out == 2);
}

TEST_CASE("A row without key is in no session, and one without time is counted") {
  const Ran all = run(by_id(10), {{1, {""}}, {-1, {"a"}}, {2, {"a"}}});
  CHECK(without_id(all.rows) == Rows{"a|@2|@2|0|1|-|-|open"});
  CHECK(all.stats.no_timestamp == 1);
  CHECK(run(by_id(10), {}).rows.empty());
}

TEST_CASE("Sessions by several keys may have NULL in all but the first") {
  SessionStage stage = by_id(10);
  stage.keys = columns({"id", "service"});
  const Rows rows =
      run(stage, {{1, {"a", "x"}}, {2, {"a", ""}}, {3, {"a", "x"}}, {4, {"a", ""}}}).rows;
  CHECK(rows.at(0).substr(0, 4) == "a|x|");
  CHECK(rows.at(1).substr(0, 4) == "a|-|");
  CHECK(without_id(without_id(rows)) == Rows{"a|@1|@3|2000|2|-|-|open", "a|@2|@4|2000|2|-|-|open"});
}

TEST_CASE("A key is the value, not how it is written") {
  CHECK(ran(by_id(10), {{1, {"7"}}, {2, {"7.0"}}}) == Rows{"7|@1|@2|1000|2|-|-|open"});
}

TEST_CASE("A late row joins two sessions that it stands between") {
  SessionStage stage = by_id(10);
  CHECK(ran(stage, {{1, {"a"}}, {12, {"a"}}, {11, {"a"}}}) == Rows{"a|@1|@12|11000|3|-|-|open"});
  stage.with_services = stage.with_timeline = true;
  CHECK(ran(stage, {{1, {"a", "x", "one"}},
                    {12, {"a", "y", "three"}},
                    {0.5, {"b", "z", "b"}},
                    {11, {"a", "z", "two"}}}) ==
        Rows{"b|@0.5|@0.5|0|1|[\"z\"]|[[0,\"z\",\"b\"]]|closed",
             "a|@1|@12|11000|3|[\"x\",\"y\",\"z\"]|"
             "[[0,\"x\",\"one\"],[10000,\"z\",\"two\"],[11000,\"y\",\"three\"]]|open"});
}

TEST_CASE("Rows later than the lateness are taken as they come, and counted") {
  const Ran all = run(by_id(10), {{100, {"a"}}, {10, {"a"}}, {10.5, {"a"}}});
  CHECK(all.stats.late == 2);
  CHECK(without_id(all.rows) == Rows{"a|@10|@10.5|500|2|-|-|closed", "a|@100|@100|0|1|-|-|open"});
}

TEST_CASE("MAX ends a session that goes on, and the next begins with the row that did not fit") {
  SessionStage stage = by_id(10);
  stage.max_ns = seconds(15);
  CHECK(ran(stage, {{1, {"a"}}, {8, {"a"}}, {16, {"a"}}, {17, {"a"}}, {18, {"a"}}}) ==
        Rows{"a|@1|@16|15000|3|-|-|closed", "a|@17|@18|1000|2|-|-|open"});
  // Nothing came, but a session that old is over.
  CHECK(ran(stage, {{1, {"a"}}, {9, {"a"}}, {16.5, {"b"}}}) ==
        Rows{"a|@1|@9|8000|2|-|-|closed", "b|@16.5|@16.5|0|1|-|-|open"});
}

TEST_CASE("START WHEN begins another session, END WHEN ends it with its row") {
  SessionStage stage = by_id(10);
  stage.start_when = parsed("message = 'login'");
  stage.end_when = parsed("message = 'logout'");
  CHECK(ran(stage, {{1, {"a", "", "login"}},
                    {2, {"a", "", "x"}},
                    {3, {"a", "", "login"}},
                    {4, {"a", "", "logout"}},
                    {5, {"a", "", "x"}}}) ==
        Rows{"a|@1|@2|1000|2|-|-|closed", "a|@3|@4|1000|2|-|-|closed", "a|@5|@5|0|1|-|-|open"});
  SECTION("also when the rows come out of order") {
    CHECK(ran(stage, {{2, {"a", "", "x"}},
                      {1, {"a", "", "login"}},
                      {4, {"a", "", "logout"}},
                      {3, {"a", "", "login"}},
                      {5, {"a", "", "x"}}}) ==
          Rows{"a|@1|@2|1000|2|-|-|closed", "a|@3|@4|1000|2|-|-|closed", "a|@5|@5|0|1|-|-|open"});
  }
}

TEST_CASE("A session's id depends on its key and its start alone") {
  const auto ids = [](const std::vector<In>& in) {
    Rows found;
    for (const std::string& row : run(by_id(10), in).rows) found.push_back(row.substr(2, 16));
    return found;
  };
  const Rows once = ids({{1, {"a"}}, {3, {"b"}}, {2, {"a"}}});
  CHECK(once[0] == ids({{1, {"a"}}})[0]);
  CHECK(once[0] != once[1]);
  CHECK(ids({{1, {"a"}}, {50, {"a"}}})[0] != ids({{1, {"a"}}, {50, {"a"}}})[1]);
  CHECK(once[0].find_first_not_of("0123456789abcdef") == std::string::npos);
}

TEST_CASE("At the memory limit the sessions that were idle longest are given out as evicted") {
  std::vector<In> in;
  for (int i = 0; i < 2000; ++i) in.push_back({10.0 + i * 0.001, {"k" + std::to_string(i)}});
  const Ran all = run(by_id(30), in, {.max_bytes = 100'000});
  CHECK(all.rows.size() == 2000);
  CHECK(all.stats.evicted > 1000);
  CHECK(all.stats.evicted + all.stats.pending == 2000);
  CHECK(all.stats.peak_bytes < 101'000);
  CHECK(all.rows[0].substr(0, 3) == "k0|");
  CHECK(all.rows[0].substr(all.rows[0].size() - 7) == "evicted");
  CHECK(all.rows[1999].substr(all.rows[1999].size() - 4) == "open");
}

TEST_CASE("Eviction spares a session that is still spoken to") {
  std::vector<In> in;
  for (int i = 0; i < 2000; ++i) {
    in.push_back({10.0 + i * 0.1, {"k" + std::to_string(i)}});
    in.push_back({10.0 + i * 0.1, {"busy"}});
  }
  const Ran all = run(by_id(3000), in, {.max_bytes = 100'000});
  Rows busy;
  for (const std::string& row : all.rows) {
    if (row.substr(0, 5) == "busy|") busy.push_back(row);
  }
  REQUIRE(busy.size() == 1);
  CHECK(without_id(busy) == Rows{"busy|@10|@209.9|199900|2000|-|-|open"});
}

TEST_CASE("Sessions that end at once leave nothing behind") {
  SessionStage stage = by_id(3600);
  stage.end_when = parsed("message = 'end'");
  std::vector<In> in;
  for (int i = 0; i < 20'000; ++i) {
    in.push_back({10.0 + i * 0.01, {"k" + std::to_string(i), "s", "end"}});
  }
  const Ran all = run(stage, in);
  CHECK(all.rows.size() == 20'000);
  CHECK(all.stats.evicted == 0);
  CHECK(all.stats.peak_bytes < 200'000);
}

TEST_CASE("A jump of the clock ends every session before it, in order") {
  CHECK(ran(by_id(10), {{1, {"a"}}, {3, {"b"}}, {2, {"c"}}, {4e8, {"d"}}, {4e8 + 1, {"a"}}}) ==
        Rows{"a|@1|@1|0|1|-|-|closed", "c|@2|@2|0|1|-|-|closed", "b|@3|@3|0|1|-|-|closed",
             "d|@400000000|@400000000|0|1|-|-|open", "a|@400000001|@400000001|0|1|-|-|open"});
}

TEST_CASE("A session knows hundreds of services, and a timeline its first fifty rows") {
  SessionStage stage = by_id(10);
  stage.with_services = stage.with_timeline = true;
  stage.lateness_ns = seconds(5);
  std::vector<In> in;
  for (int i = 0; i < 200; ++i) {
    in.push_back({1 + (i ^ 1) * 0.01, {"a", "s" + std::to_string(i), "m" + std::to_string(i)}});
  }
  in.push_back({3.5, {"a", "s150", "again"}});
  const std::string row = run(stage, in).rows.at(0);
  CHECK(row.find("\"s0\",\"s1\",\"s10\",\"s100\"") != std::string::npos);
  CHECK(row.find("\"s98\",\"s99\"],") == std::string::npos);
  CHECK(row.find("\"s98\",\"s99\"]|[[0,\"s1\",\"m1\"],[10,\"s0\",\"m0\"]") != std::string::npos);
  CHECK(row.find("[490,\"s48\",\"m48\"]]|open") != std::string::npos);
  in.push_back({17, {"a", "s160"}});
  in.push_back({13, {"a", "s2", "joins"}});
  CHECK(run(stage, in).rows.size() == 1);
}

TEST_CASE("More services than are kept are told") {
  SessionStage stage = by_id(10);
  stage.with_services = true;
  std::vector<In> in;
  for (int i = 0; i < 5000; ++i) in.push_back({1, {"a", "s" + std::to_string(i)}});
  CHECK(run(stage, in).stats.approximate);
}

TEST_CASE("When no more sessions are wanted, no more rows are taken") {
  SessionStage stage = by_id(1);
  SECTION("as they come") {}
  SECTION("in order") { stage.max_ns = seconds(100); }
  Shown shown;
  shown.most = 1;
  const auto op = make_session(stage, kInputs, {}, shown);
  CHECK_FALSE(feed(*op, 4, {{1, {"a"}}, {2, {"b"}}, {10, {"c"}}, {20, {"c"}}, {30, {"d"}}}));
  CHECK(shown.rows.size() == 1);
  op->finish();
  CHECK(shown.rows.size() == 1);
}

TEST_CASE("Aggregates of sessions that a late row joins are as if it had come in order") {
  SessionStage stage = by_id(10);
  stage.lateness_ns = seconds(60);
  const auto aggregate = [](AggregateKind kind) {
    AggregateSpec spec;
    spec.kind = kind;
    spec.name = "a";
    if (kind != AggregateKind::count) spec.value = parsed("message");
    return spec;
  };
  stage.aggregates = {aggregate(AggregateKind::count), aggregate(AggregateKind::first),
                      aggregate(AggregateKind::last), aggregate(AggregateKind::count_distinct)};
  const auto end_of = [&](const std::vector<In>& in) {
    const Rows rows = ran(stage, in);
    REQUIRE(rows.size() == 1);
    return rows.front();
  };
  const In early{1, {"a", "", "one"}, 1}, middle{11, {"a", "", "two"}, 2},
      late{21, {"a", "", "three"}, 3};
  const std::string expected = "a|@1|@21|20000|3|-|-|open|3|one|three|3";
  CHECK(end_of({early, middle, late}) == expected);
  CHECK(end_of({early, late, middle}) == expected);
  CHECK(end_of({late, early, middle}) == expected);
  SECTION("a session that no row ends is let go with its aggregates") {
    Shown shown;
    const auto op = make_session(stage, kInputs, {}, shown);
    CHECK(feed(*op, 4, {early, middle}));
    CHECK(shown.rows.empty());
  }
}

TEST_CASE("A late row takes the place of the last one of a full timeline") {
  SessionStage stage = by_id(10);
  stage.with_timeline = true;
  stage.lateness_ns = seconds(60);
  std::vector<In> in;
  for (int i = 0; i < 60; ++i) in.push_back({2 + i * 0.01, {"a", "", "m" + std::to_string(i)}});
  in.push_back({1, {"a", "", "before"}});
  const std::string row = run(stage, in).rows.at(0);
  CHECK(row.find("[[0,\"\",\"before\"],[1000,\"\",\"m0\"]") != std::string::npos);
  CHECK(row.find("\"m48\"]]|open") != std::string::npos);
}

TEST_CASE("Spans shorter than a millisecond are exact") {
  CHECK(show(milliseconds(3'000'000)) == "3");
  CHECK(show(milliseconds(1'250'000)) == "1.25");
  CHECK(show(milliseconds(1'000'001)) == "1.000001");
}

TEST_CASE("Sessions end as time goes by though no row comes") {
  SessionStage stage = by_id(10);
  SECTION("as they come") {}
  SECTION("in order") { stage.max_ns = seconds(100); }
  Shown shown;
  const auto op = make_session(stage, kInputs, {}, shown);
  op->tick(WallTime::from_s(5));  // before the first row there is nothing to end
  feed(*op, 4, {{1, {"a"}}, {2, {"a"}}});
  op->tick(WallTime::from_s(1));
  CHECK(shown.rows.empty());
  op->tick(WallTime::from_s(60));
  op->tick(WallTime::from_s(120));
  CHECK(without_id(shown.rows) == Rows{"a|@1|@2|1000|2|-|-|closed"});
}

}  // namespace nines::query::driving
