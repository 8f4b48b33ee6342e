#include <catch2/catch.hpp>

#include "nines/sql/residual.hpp"
#include "sql_table.hpp"

using namespace nines;
using namespace nines::testing;

namespace {

using Lines = std::vector<std::string>;

MemoryTable calls() {
  MemoryTable t({"service", "ms", "ts", "level"});
  const auto at = [](int64_t s) { return Value::of_time(s * kNsPerSecond); };
  t.add({text("api"), decimal("0.1"), at(30), level(Level::warn)});
  t.add({text("api"), decimal("0.2"), at(10), level(Level::error)});
  t.add({text("web"), integer(5), at(20), level(Level::info)});
  t.add({text("api"), Value::null(), at(40), Value::null()});
  t.add({text("web"), text("fast"), Value::null(), level(Level::debug)});
  return t;
}

Lines ask(const std::string& statement, size_t max_bytes = size_t{64} << 20) {
  MemoryTable t = calls();
  sql::Limits limits;
  limits.max_bytes = max_bytes;
  auto prepared = sql::Residual::prepare(statement, {{"t", &t}}, limits);
  if (!prepared.ok()) return {prepared.error().message};
  TextSink sink;
  if (const Status run = (*prepared)->run(sink); !run.ok()) return {run.error().message};
  return sink.lines;
}

}  // namespace

TEST_CASE("Aggregates of the log language count in SQL as they do natively") {
  CHECK(ask("SELECT nines_count(), nines_count(ms), nines_sum(ms), nines_avg(ms) FROM t "
            "WHERE service = 'api'") == Lines{"3|2|0.3|0.15"});
  CHECK(ask("SELECT nines_min(level), nines_max(level) FROM t") == Lines{"#DEBUG|#ERROR"});
  CHECK(ask("SELECT service, count_distinct(ms), nines_count(DISTINCT level) FROM t "
            "GROUP BY service ORDER BY service") == Lines{"'api'|2|2", "'web'|2|2"});
  CHECK(ask("SELECT topk(service, 1) FROM t") == Lines{"'[[\"api\",3]]'"});
  CHECK(ask("SELECT percentile(ms, 0.5) FROM (SELECT 1 ms UNION SELECT 2 UNION SELECT 3)").size() ==
        1);
}

TEST_CASE("First and last go by time, then by place, then by arrival") {
  CHECK(ask("SELECT first(service, ts), last(service, ts) FROM t") == Lines{"'api'|'web'"});
  CHECK(ask("SELECT first(ms, ts, rowid), last(ms, ts, rowid) FROM t WHERE ts IS NOT NULL") ==
        Lines{"0.2|NULL"});
  CHECK(ask("SELECT nines_first(x, NULL, p), nines_last(x, NULL, p) FROM "
            "(SELECT 'b' x, 7 p UNION ALL SELECT 'a', 3 UNION ALL SELECT 'c', 9)") ==
        Lines{"'a'|'c'"});
  CHECK(ask("SELECT first(service), last(service) FROM t") == Lines{"'api'|'web'"});
}

TEST_CASE("A rate is of the range of time of its rows") {
  CHECK(ask("SELECT rate(ts, '1m') FROM t WHERE ts IS NOT NULL") ==
        ask("SELECT nines_rate(ts) * 60 FROM t WHERE ts IS NOT NULL"));
  CHECK(ask("SELECT rate(ts, 'soon') FROM t")[0].find("duration") != std::string::npos);
}

TEST_CASE("Groups without rows give what the native aggregates give") {
  CHECK(ask("SELECT nines_count(), nines_count(ms), nines_sum(ms), nines_min(ms), nines_avg(ms), "
            "stddev(ms), count_distinct(ms), percentile(ms, 0.9), first(ms, ts) FROM t WHERE 0") ==
        Lines{"0|0|NULL|NULL|NULL|NULL|0|NULL|NULL"});
}

TEST_CASE("Aggregates take FILTER, DISTINCT and windows that only grow") {
  CHECK(ask("SELECT nines_sum(ms) FILTER (WHERE service = 'web') FROM t") == Lines{"5"});
  CHECK(
      ask("SELECT nines_sum(DISTINCT x) FROM (SELECT 2 x UNION ALL SELECT 2 UNION ALL SELECT 3)") ==
      Lines{"5"});
  CHECK(ask("SELECT nines_sum(ms) OVER (ORDER BY ts) FROM t WHERE ts IS NOT NULL ORDER BY ts") ==
        Lines{"0.2", "5.2", "5.3", "5.3"});
  CHECK(ask("SELECT first(ms, ts) OVER (PARTITION BY service) FROM t WHERE service = 'web'") ==
        Lines{"5", "5"});
  CHECK(
      ask("SELECT percentile(ms, 0.5) OVER (ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) "
          "FROM t")[0]
          .find("can't slide") != std::string::npos);
}

TEST_CASE("Wrong parameters of aggregates are told") {
  CHECK(ask("SELECT percentile(ms, 95) FROM t") == Lines{"percentile(x, share): 0 <= share <= 1"});
  CHECK(ask("SELECT percentile(ms, 'a') FROM t")[0].find("share") != std::string::npos);
  CHECK(ask("SELECT topk(ms, 0) FROM t")[0].find("above 0") != std::string::npos);
  CHECK(ask("SELECT percentile(ms) FROM t")[0].find("wrong number of arguments") !=
        std::string::npos);
}
