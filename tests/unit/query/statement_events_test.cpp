// Sessions, sequences, patterns, context and anomalies: statement in, plan out.
#include <algorithm>
#include <catch2/catch.hpp>

#include "statement_support.hpp"

using nines::query::test::plan_of;

TEST_CASE("Aggregates of a session block are of the records of each session") {
  CHECK(plan_of("SELECT request_id, n, duration_ms, state, max(status) FROM logs('x') "
                "SESSION BY request_id IDLE '30s' MAX '10m' "
                "START WHEN message = 'a' END WHEN message = 'b'") ==
        "native -> request_id, n, duration_ms, state, max(status)\n"
        "  scan logs('x')\n"
        "    fields: status, request_id, message\n"
        "    time of each row\n"
        "  session by request_id idle 30s max 10m\n"
        "    start when message = 'a'\n"
        "    end when message = 'b'\n"
        "    max(status)\n"
        "  project request_id, n, duration_ms, state, max(status)\n");
}

TEST_CASE("Sessions are counted when nothing else is asked, and grouped by GROUP BY") {
  CHECK(plan_of("SELECT count(*) FROM logs('x') SESSION BY request_id IDLE '30s'") ==
        "native -> count(*)\n"
        "  scan logs('x')\n"
        "    fields: request_id\n"
        "    time of each row\n"
        "  session by request_id idle 30s\n"
        "  group everything\n"
        "    count(*)\n");
  CHECK(plan_of("SELECT state, count(*) FROM logs('x') SESSION BY request_id, user IDLE '30s' "
                "GROUP BY state HAVING count(*) > 1") ==
        "native -> state, count(*)\n"
        "  scan logs('x')\n"
        "    fields: request_id, user\n"
        "    time of each row\n"
        "  session by request_id, user idle 30s\n"
        "  group by state\n"
        "    count(*)\n"
        "  filter \"count(*)\" > 1\n"
        "  project state, count(*)\n");
}

TEST_CASE("The fields of services and timelines are read when these are asked for") {
  CHECK(plan_of("SELECT end, services, timeline FROM logs('x') SESSION BY k HAVING n > 2") ==
        "native -> end, services, timeline\n"
        "  scan logs('x')\n"
        "    fields: k, service, message\n"
        "    time of each row\n"
        "  session by k idle 30s\n"
        "    services\n"
        "    timeline\n"
        "  filter n > 2\n"
        "  project end, services, timeline\n");
}

TEST_CASE("Steps of a sequence give columns by their names, and conditions may look back") {
  CHECK(plan_of("SELECT request_id, a.ts, b.message, bytes, b_raw FROM logs('x') "
                "SEQUENCE BY request_id WITHIN '5s' (a: message = 'p', NOT f: level = ERROR, "
                "b: message = 'i' AND x > a.x) UNTIL (message = 'reset')") ==
        "native -> request_id, a.ts, b.message, bytes, b_raw\n"
        "  scan logs('x')\n"
        "    fields: request_id, message, level, x, ts, bytes, raw\n"
        "    time of each row\n"
        "  sequence by request_id within 5s: a -> NOT f -> b\n"
        "    a: message = 'p'\n"
        "    f: level = 'ERROR'\n"
        "    b: message = 'i' AND x > a.x\n"
        "    until message = 'reset'\n"
        "    measure a.ts: a.ts\n"
        "    measure b.message: b.message\n"
        "    measure bytes: bytes\n"
        "    one row a match; then past the last row\n"
        "  project request_id, a.ts, b.message, bytes, b_raw\n");
}

TEST_CASE("Matches of a sequence can be counted, and ALL ROWS lets the rows through") {
  CHECK(plan_of("SELECT count(*) FROM logs('x') SEQUENCE BY k (a: x = 1, b: x = 2)") ==
        "native -> count(*)\n"
        "  scan logs('x')\n"
        "    fields: k, x\n"
        "    time of each row\n"
        "  sequence by k: a -> b\n"
        "    a: x = 1\n"
        "    b: x = 2\n"
        "    one row a match; then past the last row\n"
        "  group everything\n"
        "    count(*)\n");
  CHECK(plan_of("SELECT * FROM logs('x') SEQUENCE BY k WITHIN '5s' (a: x = 1, b: x = 2) ALL ROWS")
            .starts_with("native -> ts, level, service, message, raw, match_number, step\n"));
}

TEST_CASE("MATCH_RECOGNIZE: measures, quantifiers, navigation and what comes after") {
  CHECK(plan_of("SELECT k, first_ts, n FROM logs('x') MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts "
                "MEASURES FIRST(A.ts) AS first_ts, count(B.*) AS n, CLASSIFIER() AS c, "
                "FINAL LAST(x) AS lx, sum(D.x) / 2 AS s ONE ROW PER MATCH "
                "AFTER MATCH SKIP TO LAST B PATTERN (^ A B+? (C | D){2,3} {- E* -} F??$) "
                "DEFINE A AS x > 3, b AS x > PREV(x, 2) AND A.x < B.x) WHERE n > 2") ==
        "native -> k, first_ts, n\n"
        "  scan logs('x')\n"
        "    fields: k, x, ts\n"
        "    time of each row\n"
        "  match by k: ^ A B+? (C | D){2,3} {-E-}* F?? $\n"
        "    A: x > 3\n"
        "    B: x > PREV(x, 2) AND A.x < x\n"
        "    measure first_ts: FIRST(A.ts)\n"
        "    measure n: count(B.*)\n"
        "    measure c: CLASSIFIER()\n"
        "    measure lx: FINAL LAST(x)\n"
        "    measure s: sum(D.x) / 2\n"
        "    one row a match; then to the last B\n"
        "  filter n > 2\n"
        "  project k, first_ts, n\n");
}

TEST_CASE("Variables of a pattern know no case, and '$' behind one is the anchor") {
  const auto pattern = [](const std::string& text, const std::string& rows = "") {
    const std::string plan =
        plan_of("SELECT c FROM logs('x') MATCH_RECOGNIZE (MEASURES CLASSIFIER() AS c " + rows +
                " PATTERN (" + text + ") DEFINE A AS x = 1)");
    const size_t begin = std::min(plan.find("  match"), plan.size());
    return plan.substr(begin, plan.find('\n', begin) - begin);
  };
  CHECK(pattern("A b a B$") == "  match: A b A b $");
  CHECK(pattern("A \"b$\"") == "  match: A b$");
  CHECK(pattern("A{,3} A{2} A{2,}") == "  match: A{0,3} A{2,2} A{2,}");
  CHECK(pattern("A", "ALL ROWS PER MATCH") == "  match: A");
  CHECK(pattern("A", "ALL ROWS PER MATCH OMIT EMPTY MATCHES") == "  match: A");
}

TEST_CASE("PERMUTE, unmatched rows, and a WHERE in front that chooses records") {
  CHECK(
      plan_of("SELECT c, x FROM logs('x') WHERE y = 1 MATCH_RECOGNIZE (MEASURES CLASSIFIER() AS c "
              "ALL ROWS PER MATCH WITH UNMATCHED ROWS AFTER MATCH SKIP TO NEXT ROW "
              "PATTERN (PERMUTE(A, B | ())) WITHIN '1m' DEFINE A AS x = 1)") ==
      "native -> c, x\n"
      "  scan logs('x')\n"
      "    fields: y, x\n"
      "    where y = 1\n"
      "    time of each row\n"
      "  match within 1m: PERMUTE(A, (B | ()))\n"
      "    A: x = 1\n"
      "    measure c: CLASSIFIER()\n"
      "    all rows, unmatched ones too; then to the next row\n"
      "  project c, x\n");
}

TEST_CASE("CONTEXT by file is the scan's, CONTEXT by a field a stage that WHERE moves into") {
  CHECK(plan_of("SELECT raw FROM files('-') WHERE level >= ERROR CONTEXT 3 BEFORE 2 AFTER") ==
        "native -> raw\n"
        "  scan files('-')\n"
        "    fields: raw, level\n"
        "    where level >= 'ERROR'\n"
        "    context 3 before, 2 after\n"
        "  project raw\n");
  CHECK(plan_of("SELECT raw, ctx_offset FROM stdin WHERE level >= ERROR CONTEXT 2 BY request_id "
                "WITHIN '10s'") ==
        "native -> raw, ctx_offset\n"
        "  scan files('-')\n"
        "    fields: raw, level, request_id\n"
        "    time of each row\n"
        "  context 2 before, 2 after by request_id within 10s\n"
        "    chosen: level >= 'ERROR'\n"
        "  project raw, ctx_offset\n");
}

TEST_CASE("anomaly() works on groups of its bucket, expressions through a projection") {
  CHECK(plan_of("SELECT bucket(ts,'1m') b, service, sum(a)/count(*) r, "
                "anomaly(r) OVER (BUCKETS '1m' BASELINE '1h') z "
                "FROM logs('*') GROUP BY b, service HAVING z > 3") ==
        "native -> b, service, r, z\n"
        "  scan logs('*')\n"
        "    fields: ts, service, a\n"
        "  group by bucket(ts, '1m'), service\n"
        "    sum(a)\n"
        "    count(*)\n"
        "  project bucket(ts, '1m'), service, sum(a), count(*), \"sum(a)\" / \"count(*)\"\n"
        "  anomaly(r) over buckets of 1m of bucket(ts, '1m'), baseline 1h, a series for each "
        "service\n"
        "  filter \"anomaly(r)\" > 3\n"
        "  project \"bucket(ts, '1m')\" AS b, service, \"sum(a)\" / \"count(*)\" AS r, "
        "\"anomaly(r)\" AS z\n");
}
