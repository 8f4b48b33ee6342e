// Statements in, plans out, as EXPLAIN tells them.
#include <catch2/catch.hpp>

#include "statement_support.hpp"

using nines::query::Block;
using nines::query::parse_statement;
using nines::query::test::kNow;
using nines::query::test::plan_of;

TEST_CASE("A count over a log source is a native block of one group") {
  CHECK(plan_of("SELECT count(*) FROM logs('app-*')") ==
        "native -> count(*)\n"
        "  scan logs('app-*')\n"
        "  group everything\n"
        "    count(*)\n");
}

TEST_CASE("A statement without FROM reads all sources") {
  CHECK(plan_of("select count(*) where level = error") ==
        "native -> count(*)\n"
        "  scan logs('*')\n"
        "    fields: level\n"
        "    where level = 'error'\n"
        "  group everything\n"
        "    count(*)\n");
}

TEST_CASE(
    "Groups are made by expressions, aliases and ordinals, and aggregates may be calculated with") {
  const char* const plan =
      "native -> s, r\n"
      "  scan files('a.log')\n"
      "    fields: service, bytes\n"
      "  group by lower(service)\n"
      "    sum(bytes)\n"
      "    count(*)\n"
      "  project \"lower(service)\" AS s, \"sum(bytes)\" / \"count(*)\" AS r\n";
  CHECK(plan_of("SELECT lower(service) s, sum(bytes) / count(*) r FROM 'a.log' GROUP BY s") ==
        plan);
  CHECK(plan_of("SELECT lower(service) s, sum(bytes) / count(*) r FROM a.log GROUP BY 1") == plan);
  CHECK(plan_of("SELECT lower(service) s, sum(bytes)/count(*) AS r FROM \"a.log\" "
                "GROUP BY lower( service )") == plan);
}

TEST_CASE("The whole of a log block becomes one plan") {
  CHECK(plan_of("SELECT service, count(*) n, percentile(duration_ms, 0.99) p99 "
                "FROM logs('app-*') AT NODES ('a','b') SINCE '-2h' "
                "EXTRACT message PATTERN 'in <ms:num>ms' "
                "WHERE level >= WARN AND message ~ 'timeout|refused' "
                "GROUP BY service, bucket(ts,'1m') HAVING n > 10 ORDER BY p99 DESC LIMIT 10") ==
        "native -> service, n, p99\n"
        "  scan logs('app-*') at nodes a, b\n"
        "    fields: service, ts, message, level, duration_ms\n"
        "    extract message pattern 'in <ms:num>ms' -> ms\n"
        "    since 2026-11-21T08:00:00Z\n"
        "    where level >= 'WARN' AND message REGEXP 'timeout|refused'\n"
        "    time of each row\n"
        "  group by service, bucket(ts, '1m')\n"
        "    count(*)\n"
        "    percentile(duration_ms, 0.99)\n"
        "  filter \"count(*)\" > 10\n"
        "  project service, \"count(*)\" AS n, \"percentile(duration_ms, 0.99)\" AS p99\n"
        "  sort by #3 desc, limit 10, keep 3\n");
}

TEST_CASE("A number that an alias stands for is a constant, not the column of that number") {
  CHECK(plan_of("SELECT DISTINCT 2 AS two, x FROM logs('x') ORDER BY two, x") ==
        "native -> two, x\n"
        "  scan logs('x')\n"
        "    fields: x\n"
        "  project 2 AS two, x\n"
        "  distinct, sort by #1, #2, keep 2\n");
  CHECK(plan_of("SELECT 2 AS two, round(sum(x), 2) r, y FROM logs('x') GROUP BY two, y") ==
        "native -> two, r, y\n"
        "  scan logs('x')\n"
        "    fields: y, x\n"
        "  group by 2, y\n"
        "    sum(x)\n"
        "  project 2 AS two, round(\"sum(x)\", 2) AS r, y\n");
}

TEST_CASE("A scan with CONTEXT is told which fields WHERE alone needs") {
  const auto shown = [](std::string_view sql) {
    const auto statement = parse_statement(sql, {kNow, true});
    REQUIRE(statement.ok());
    const auto& scan = std::get<Block>(statement->inputs[0].what).scan;
    return scan.shown_fields.value_or(99);
  };
  CHECK(shown("SELECT raw WHERE level = 'error' AND host = 'a' CONTEXT 3") == 1);
  CHECK(shown("SELECT raw, host WHERE level = 'error' AND host = 'a' CONTEXT 3 ORDER BY ts") == 3);
  CHECK(shown("SELECT count(level) WHERE level = 'error' CONTEXT 3") == 99);
  CHECK(shown("SELECT raw WHERE level = 'error'") == 99);
}

TEST_CASE("ORDER BY takes columns that are not selected, and they are cut off") {
  CHECK(plan_of("SELECT service, count(*) FROM logs('x') GROUP BY service "
                "ORDER BY max(bytes) DESC NULLS LAST, 1") ==
        "native -> service, count(*)\n"
        "  scan logs('x')\n"
        "    fields: service, bytes\n"
        "  group by service\n"
        "    count(*)\n"
        "    max(bytes)\n"
        "  sort by #3 desc nulls last, #1, keep 2\n");
}

TEST_CASE("LIMIT without an order asks the scan for no more rows") {
  CHECK(plan_of("SELECT message FROM logs('x') LIMIT 3, 5") ==
        "native -> message\n"
        "  scan logs('x')\n"
        "    fields: message\n"
        "    first 8 rows\n"
        "  limit 5, offset 3, keep 1\n");
  CHECK(plan_of("SELECT message FROM logs('x') LIMIT 5 OFFSET 3") ==
        plan_of("SELECT message FROM logs('x') LIMIT 3, 5"));
  CHECK(plan_of("SELECT message FROM logs('x') ORDER BY ts LIMIT 5").find("first") ==
        std::string::npos);
}

namespace {

// One line of the plan of SELECT a FROM ... .
std::string line_of(const std::string& rest, std::string_view begins) {
  const std::string plan = plan_of("SELECT a FROM " + rest);
  const size_t at = plan.find(begins);
  return at == std::string::npos ? plan : plan.substr(at, plan.find('\n', at) - at);
}

}  // namespace

TEST_CASE("Sources are names, globs, paths and standard input, with a format where one is given") {
  CHECK(line_of("logs('a', 'b*')", "scan") == "scan logs('a', 'b*')");
  CHECK(line_of("logs()", "scan") == "scan logs('*')");
  CHECK(line_of("files('a', 'b', FORMAT json)", "scan") == "scan files('a', 'b') format json");
  CHECK(line_of("files('a'), FORMAT csv ','", "scan") == "scan files('a') format csv ','");
  CHECK(line_of("files('-') FORMAT 'nginx' x", "scan") == "scan files('-') format nginx");
  CHECK(line_of("stdin", "scan") == "scan files('-')");
  CHECK(line_of("'/var/log/x.log'", "scan") == "scan files('/var/log/x.log')");
  CHECK(line_of("\"/var/log/*.gz\" x", "scan") == "scan files('/var/log/*.gz')");
  CHECK(line_of("remote('loki') AT NODES ('n')", "scan") == "scan remote('loki') at nodes n");
}

TEST_CASE("Time ranges take durations, days and now") {
  CHECK(line_of("stdin SINCE '-90m'", "since") == "since 2026-11-21T08:30:00Z");
  CHECK(line_of("stdin SINCE '2h'", "since") == "since 2026-11-21T08:00:00Z");
  CHECK(line_of("stdin SINCE 'today'", "since") == "since 2026-11-21T00:00:00Z");
  CHECK(line_of("stdin SINCE 'yesterday'", "since") == "since 2026-11-20T00:00:00Z");
  CHECK(line_of("stdin UNTIL now()", "until") == "until 2026-11-21T10:00:00Z");
  CHECK(line_of("stdin SINCE '2026-01-02' UNTIL '2026-01-02T03:04:05.678Z'", "until") ==
        "until 2026-01-02T03:04:05.678Z");
}

TEST_CASE("now() is one time, names may carry the alias of the source, levels stand bare") {
  CHECK(line_of("logs('x') l WHERE l.ts > now() AND L.level IN (ERROR, fatal)", "where") ==
        "where ts > timestamp('2026-11-21T10:00:00Z') AND level IN ('ERROR', 'fatal')");
}

TEST_CASE("WHERE takes aliases of expressions, but not of those that read the field itself") {
  CHECK(plan_of("SELECT bytes / 2 AS half FROM stdin WHERE half > 3").find("where bytes / 2 > 3") !=
        std::string::npos);
  CHECK(plan_of("SELECT lower(a) AS a FROM stdin WHERE a = 'X'").find("where a = 'X'") !=
        std::string::npos);
}

TEST_CASE("Columns of one name are numbered") {
  CHECK(plan_of("SELECT a, b AS a, count AS a FROM stdin").starts_with("native -> a, a_2, a_3\n"));
}

TEST_CASE("Aggregates of one text are worked out once") {
  CHECK(plan_of("SELECT count(*), 2 * count( * ), sum(a) FILTER (WHERE b = 1) FROM stdin") ==
        "native -> count(*), 2 * count(*), sum(a) FILTER (WHERE b = 1)\n"
        "  scan files('-')\n"
        "    fields: a, b\n"
        "  group everything\n"
        "    count(*)\n"
        "    sum(a) FILTER (WHERE b = 1)\n"
        "  project count(*), 2 * \"count(*)\" AS 2 * count(*), sum(a) FILTER (WHERE b = 1)\n");
}
