// What goes to SQLite, and what is left of it for the scans.
#include <catch2/catch.hpp>

#include "statement_support.hpp"

using nines::query::test::plan_of;

TEST_CASE("Plain SQL around log blocks reads their rows as tables") {
  CHECK(plan_of("WITH e AS (SELECT request_id FROM logs('x') WHERE level = ERROR) "
                "SELECT count(*) FROM e JOIN (SELECT request_id r FROM logs('y')) ON r = "
                "request_id WITH (deadline='10s', lateness='1s', partial='refuse')") ==
        "nines_0: native -> request_id\n"
        "  scan logs('x')\n"
        "    fields: request_id, level\n"
        "    where level = 'ERROR'\n"
        "  project request_id\n"
        "nines_1: native -> r\n"
        "  scan logs('y')\n"
        "    fields: request_id\n"
        "sqlite: WITH e AS (SELECT * FROM \"nines_0\") SELECT count(*) FROM e JOIN (SELECT * FROM "
        "\"nines_1\") ON r = request_id\n"
        "with deadline 10s, lateness 1s, no partial answers\n");
}

TEST_CASE("ORDER BY and LIMIT behind UNION belong to the whole") {
  CHECK(plan_of("SELECT a FROM logs('x') UNION ALL SELECT b FROM logs('y') ORDER BY 1 LIMIT 4") ==
        "nines_0: native -> a\n"
        "  scan logs('x')\n"
        "    fields: a\n"
        "nines_1: native -> b\n"
        "  scan logs('y')\n"
        "    fields: b\n"
        "sqlite: SELECT * FROM \"nines_0\" UNION ALL SELECT * FROM \"nines_1\" ORDER BY 1 LIMIT "
        "4\n");
}

TEST_CASE("Window functions run over a table whose columns the scan works out") {
  CHECK(plan_of("SELECT lower(service) s, lag(ts) OVER (PARTITION BY service ORDER BY ts) p "
                "FROM logs('x') SINCE '-1h' WHERE level = ERROR AND bytes > 3 ORDER BY p") ==
        "nines_0: table of sqlite, because of lag() is a function of SQLite\n"
        "  scan logs('x')\n"
        "    fields: service, ts, level, bytes\n"
        "    since 2026-11-21T09:00:00Z\n"
        "    where level = 'ERROR' AND bytes > 3\n"
        "    time of each row\n"
        "  columns: lower(service) AS x0, ts AS x1, service AS x2\n"
        "sqlite: SELECT \"nines_0\".\"x0\" AS \"s\", lag(\"nines_0\".\"x1\") OVER (PARTITION BY "
        "\"nines_0\".\"x2\" ORDER BY \"nines_0\".\"x1\") AS \"p\" FROM \"nines_0\" WHERE 1 ORDER "
        "BY 2\n");
}

TEST_CASE("A join of logs compares in SQLite and calculates in our arithmetic") {
  CHECK(plan_of("SELECT l.id, sum(l.a) / count(*) q FROM logs('app') l JOIN files('b.log', FORMAT "
                "nginx) AS r ON l.id = r.id AND r.status >= 500 WHERE l.level >= WARN AND l.x + "
                "r.y > 3 GROUP BY 1 HAVING q > 0.5") ==
        "nines_0: table of sqlite, because of a join\n"
        "  scan logs('app')\n"
        "    fields: id, a, x, level\n"
        "    where level >= 'WARN'\n"
        "  columns: id AS x0, a AS x1, x AS x2\n"
        "nines_1: table of sqlite, because of a join\n"
        "  scan files('b.log') format nginx\n"
        "    fields: id, status, y\n"
        "  columns: id AS x0, status >= 500 AS x1, y AS x2\n"
        "sqlite: SELECT \"l\".\"x0\" AS \"id\", nines_eval('a0 / a1', nines_sum(\"l\".\"x1\"), "
        "count(*)) AS \"q\" FROM \"nines_0\" AS \"l\" JOIN \"nines_1\" AS \"r\" ON "
        "((\"l\".\"x0\" = \"r\".\"x0\") AND \"r\".\"x1\") WHERE nines_eval('a0 + a1 > 3', "
        "\"l\".\"x2\", \"r\".\"x2\") GROUP BY 1 HAVING nines_eval('a0 / a1 > 0.5', "
        "nines_sum(\"l\".\"x1\"), count(*))\n");
}

TEST_CASE("Conditions stay above a join that makes rows for what is missing") {
  const std::string plan = plan_of(
      "SELECT l.id FROM logs('a') l LEFT JOIN logs('b') r ON l.id = r.id WHERE r.x IS NULL");
  CHECK(plan.find("where") == std::string::npos);
  CHECK(plan.find("WHERE \"r\".\"x1\"") != std::string::npos);
}

TEST_CASE("Sub-queries that do not look outside run natively") {
  const std::string plan = plan_of(
      "SELECT count(*) FROM logs('x') l WHERE id IN (SELECT id FROM logs('y') WHERE level = ERROR) "
      "AND EXISTS (SELECT 1 FROM logs('z') z WHERE z.id = l.id)");
  CHECK(plan.find("nines_1: native -> id") != std::string::npos);
  CHECK(plan.find("nines_2: table of sqlite") != std::string::npos);
  CHECK(plan.find("EXISTS (SELECT 1 AS \"1\" FROM \"nines_2\" AS \"z\" WHERE (\"z\".\"x0\" = "
                  "\"l\".\"x0\"))") != std::string::npos);
}

TEST_CASE("On request every block is a table, with the same names of columns") {
  CHECK(plan_of("SELECT service, percentile(d, 0.5) FILTER (WHERE a ~ 'x'), first(message), "
                "rate('1m'), * FROM logs('x') GROUP BY bucket(ts, '1m')",
                false)
            .find("nines_first(\"nines_0\".\"x3\", \"nines_0\".\"x4\", \"nines_0\".\"x5\") AS "
                  "\"first(message)\", nines_rate(\"nines_0\".\"x4\", '60s')") !=
        std::string::npos);
  CHECK(plan_of("SELECT count(*)", false) ==
        "nines_0: table of sqlite, because of the caller's wish\n"
        "  scan logs('*')\n"
        "  columns: 1 AS x0\n"
        "sqlite: SELECT count(*) AS \"count(*)\" FROM \"nines_0\"\n");
}

TEST_CASE("A bare level beside a table that is no log is not a column of that table") {
  CHECK(
      plan_of("SELECT l.a FROM e JOIN logs('x') l ON e.k = l.k WHERE e.b = ERROR OR l.level = WARN")
          .find("l.level") == std::string::npos);
}

TEST_CASE("A table without FROM is all logs, within SINCE and UNTIL") {
  const std::string plan = plan_of("SELECT count(*) SINCE '-1h' UNTIL 'now' WHERE a = 1", false);
  CHECK_THAT(plan, Catch::Contains("scan logs('*')") && Catch::Contains("FROM \"nines_0\"") &&
                       Catch::Contains("since ") && !Catch::Contains("SINCE"));
}
