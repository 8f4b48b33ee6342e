#include "nines/sql/residual.hpp"

#include <catch2/catch.hpp>

#include "sql_table.hpp"

using namespace nines;
using namespace nines::testing;
using sql::Residual;

namespace {

using Lines = std::vector<std::string>;

// Rows as lines; a failure as one line "error: ...".
Lines ask(const std::string& statement, std::vector<sql::NamedTable> tables,
          const sql::Limits& limits = {}) {
  auto prepared = Residual::prepare(statement, std::move(tables), limits);
  if (!prepared.ok()) return {"error: " + prepared.error().message};
  TextSink sink;
  if (const Status run = (*prepared)->run(sink); !run.ok())
    return {"error: " + run.error().message};
  return sink.lines;
}

std::string error_of(const std::string& statement, std::vector<sql::NamedTable> tables = {}) {
  const Lines lines = ask(statement, std::move(tables));
  return lines.size() == 1 && lines[0].starts_with("error: ") ? lines[0] : "no error";
}

constexpr int64_t kMorning = 1'795'000'000'123'456'789;  // 2026-11-18T...

MemoryTable services() {
  MemoryTable t({"service", "n"});
  t.add({text("api"), integer(3)}).add({text("auth"), integer(5)});
  t.add({text("web"), Value::null()}).add({text("db"), integer(1)});
  return t;
}

}  // namespace

TEST_CASE("Values of every kind come out of SQL as what went in") {
  MemoryTable t({"v"});
  t.add({Value::null()}).add({integer(-7)}).add({decimal("0.25")}).add({decimal("2.50")});
  t.add({decimal("1e30")}).add({Value::of_bool(true)}).add({Value::of_time(kMorning)});
  t.add({level(Level::warn, "warning")}).add({text("")}).add({text("it's")});
  t.add({Value::of_real(1.0 / 3)}).add({text(std::string_view("a\0b", 3))});
  const Lines lines = ask("SELECT v FROM t", {{"t", &t}});
  CHECK(lines == Lines{"NULL", "-7", "0.25", "2.5", "1000000000000000000000000000000", "1",
                       "@" + format_rfc3339({kMorning}), "#WARN", "''", "'it's'",
                       "0.3333333333333333", std::string("'a\0b'", 5)});
}

TEST_CASE("Times are text of thirty characters that sorts as time does") {
  MemoryTable t({"ts"});
  t.add({Value::of_time(kMorning)}).add({Value::of_time(INT64_MIN)}).add({Value::of_time(-1)});
  t.add({Value::of_time(INT64_MAX)}).add({Value::of_time(0)});
  CHECK(ask("SELECT '<' || ts || '>' FROM t ORDER BY ts", {{"t", &t}}) ==
        Lines{"'<1677-09-21T00:12:43.145224192Z>'", "'<1969-12-31T23:59:59.999999999Z>'",
              "'<1970-01-01T00:00:00.000000000Z>'", "'<2026-11-18T11:06:40.123456789Z>'",
              "'<2262-04-11T23:47:16.854775807Z>'"});
  CHECK(ask("SELECT min(ts), max(ts) FROM t", {{"t", &t}}) ==
        Lines{"@" + format_rfc3339({INT64_MIN}) + "|@" + format_rfc3339({INT64_MAX})});
  CHECK(ask("SELECT strftime('%H:%M', ts) FROM t LIMIT 1", {{"t", &t}}) == Lines{"'11:06'"});
}

TEST_CASE("Text that only resembles a time stays text") {
  MemoryTable t({"v"});
  t.add({text("2026-02-30T00:00:00.000000000Z")}).add({text("2026-02-28T24:00:00.000000000Z")});
  t.add({text("2026-02-28T00:00:00.00000000aZ")}).add({text("9999-02-28T00:00:00.000000000Z")});
  t.add({text("error")});
  for (const std::string& line : ask("SELECT v FROM t", {{"t", &t}})) CHECK(line[0] == '\'');
}

TEST_CASE("Levels compare and sort by rank in columns of tables") {
  MemoryTable t({"level"});
  for (const Level l :
       {Level::warn, Level::trace, Level::fatal, Level::info, Level::error, Level::debug}) {
    t.add({level(l)});
  }
  CHECK(ask("SELECT level FROM t ORDER BY level", {{"t", &t}}) ==
        Lines{"#TRACE", "#DEBUG", "#INFO", "#WARN", "#ERROR", "#FATAL"});
  CHECK(ask("SELECT count(*) FROM t WHERE level >= 'WARN'", {{"t", &t}}) == Lines{"3"});
  CHECK(ask("WITH c AS (SELECT level l FROM t) SELECT max(l), min(l) FROM c", {{"t", &t}}) ==
        Lines{"#FATAL|#TRACE"});
}

TEST_CASE("Plain SQL runs over tables: groups, windows, common tables, unions") {
  MemoryTable t = services();
  CHECK(ask("SELECT count(*), sum(n), avg(n) FROM s", {{"s", &t}}) == Lines{"4|9|3"});
  CHECK(ask("SELECT service, row_number() OVER (ORDER BY n DESC) FROM s WHERE n > 1",
            {{"s", &t}}) == Lines{"'auth'|1", "'api'|2"});
  CHECK(ask("WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c WHERE i<3) "
            "SELECT i FROM c UNION SELECT n FROM s ORDER BY 1",
            {{"s", &t}}) == Lines{"NULL", "1", "2", "3", "5"});
  CHECK(ask("SELECT json_extract('{\"a\":4}', '$.a')", {}) == Lines{"4"});
}

TEST_CASE("A table is asked only for the columns and rows that are wanted") {
  MemoryTable t({"a", "b", "c"});
  for (int i = 0; i < 10; ++i) t.add({integer(i), integer(i), integer(i)});
  ask("SELECT c FROM t", {{"t", &t}});
  REQUIRE(t.wishes.size() == 1);
  CHECK(t.wishes[0].columns == 4);
  CHECK(t.wishes[0].limit == -1);
  ask("SELECT a, b FROM t LIMIT 4 OFFSET 2", {{"t", &t}});
  CHECK(t.wishes[1].columns == 3);
  CHECK(t.wishes[1].limit == 6);
}

TEST_CASE("A limit that other clauses come before is not passed to the table") {
  MemoryTable t({"a"});
  for (int i = 0; i < 10; ++i) t.add({integer(9 - i)});
  for (const char* sql : {"SELECT a FROM t WHERE a < 3 LIMIT 1", "SELECT DISTINCT a FROM t LIMIT 1",
                          "SELECT a FROM t ORDER BY a LIMIT 1", "SELECT sum(a) FROM t LIMIT 1",
                          "SELECT a FROM t WHERE a + 1 = 5 LIMIT 1",
                          "SELECT row_number() OVER (ORDER BY a) FROM t LIMIT 1",
                          "SELECT x.a FROM t x JOIN t y USING (a) LIMIT 1"}) {
    t.wishes.clear();
    const Lines lines = ask(sql, {{"t", &t}});
    CHECK(lines.size() == 1);
    for (const auto& wish : t.wishes) CHECK(wish.limit == -1);
  }
}

TEST_CASE("The inner side of a join is read once and looked up by key") {
  MemoryTable big({"id", "v"});
  MemoryTable small({"key", "name"});
  for (int i = 0; i < 300; ++i) big.add({integer(i % 20), integer(i)});
  for (int i = 0; i < 10; ++i) small.add({integer(i), text("n" + std::to_string(i))});
  big.estimate = 300;
  small.estimate = 10;
  const Lines lines =
      ask("SELECT name, count(*), sum(v) FROM big JOIN small ON id = key GROUP BY name ORDER BY 1",
          {{"big", &big}, {"small", &small}});
  REQUIRE(lines.size() == 10);
  CHECK(lines[0] == "'n0'|15|2100");
  CHECK(big.given == 300);
  CHECK(small.given == 10);
}

TEST_CASE("Joins find what SQLite's equality finds, and nothing for NULL") {
  MemoryTable a({"x"});
  MemoryTable b({"y"});
  a.add({integer(1)}).add({text("1")}).add({decimal("1.5")}).add({Value::null()});
  a.add({Value::of_time(5)}).add({level(Level::info)}).add({text("INFO")}).add({text("t")});
  b.add({Value::of_bool(true)}).add({text("1")}).add({Value::of_real(1.5)}).add({Value::null()});
  b.add({text("1970-01-01T00:00:00.000000005Z")}).add({level(Level::info)}).add({text("T")});
  // Equality over a cross join is worked out by SQLite alone.
  const std::vector<sql::NamedTable> tables = {{"a", &a}, {"b", &b}};
  CHECK(ask("SELECT x, y FROM a JOIN b ON x = y ORDER BY a.rowid, b.rowid", tables) ==
        ask("SELECT x, y FROM a CROSS JOIN b WHERE +x = +y ORDER BY a.rowid, b.rowid", tables));
  CHECK(ask("SELECT count(*) FROM a JOIN b ON x = CAST(y AS INTEGER)", tables) ==
        ask("SELECT count(*) FROM a JOIN b ON +x = CAST(y AS INTEGER) AND x IS NOT NULL", tables));
  CHECK(ask("SELECT count(*) FROM a LEFT JOIN b ON x = y", tables) == Lines{"8"});
  CHECK(ask("SELECT x FROM a WHERE EXISTS (SELECT 1 FROM b WHERE y = x COLLATE NOCASE AND x = 't')",
            tables) == Lines{"'t'"});
}

TEST_CASE("A join whose inner side does not fit reads it again and again") {
  MemoryTable a({"x"});
  MemoryTable b({"y", "pad"});
  const std::string pad(4000, 'p');
  for (int i = 0; i < 3; ++i) a.add({integer(i)});
  for (int i = 0; i < 400; ++i) b.add({integer(i), text(pad)});
  a.estimate = 100'000;
  b.estimate = 10;  // wrong: it shall stand inside
  sql::Limits limits;
  limits.max_bytes = 1'200'000;
  auto prepared = Residual::prepare("SELECT x, length(pad) FROM a JOIN b ON x = y",
                                    {{"a", &a}, {"b", &b}}, limits);
  REQUIRE(prepared.ok());
  TextSink sink;
  REQUIRE((*prepared)->run(sink).ok());
  CHECK(sink.lines == Lines{"0|4000", "1|4000", "2|4000"});
  CHECK(b.wishes.size() == 4);  // tried once to keep it, then read for each row of a
  CHECK((*prepared)->usage().kept_rows == 0);
  CHECK((*prepared)->usage().peak_bytes <= limits.max_bytes);
}

TEST_CASE("Names of tables and columns may be anything") {
  MemoryTable t({"http.status", "a\"b", "select"});
  t.add({integer(1), integer(2), integer(3)});
  CHECK(ask("SELECT \"http.status\", \"a\"\"b\", \"select\" FROM \"the table\"",
            {{"the table", &t}}) == Lines{"1|2|3"});
}

TEST_CASE("A query only reads") {
  MemoryTable t = services();
  const std::vector<sql::NamedTable> tables = {{"s", &t}};
  for (const char* sql :
       {"ATTACH ':memory:' AS x", "PRAGMA temp_store=FILE", "CREATE TABLE x(a)", "DELETE FROM s",
        "INSERT INTO s VALUES(1,2)", "CREATE TEMP TABLE y AS SELECT 1", "VACUUM", "BEGIN",
        "SELECT load_extension('x')", "EXPLAIN SELECT 1", "SELECT * FROM pragma_database_list",
        "SELECT fts3_tokenizer('simple')", "SELECT 1; SELECT 2", "", "DROP TABLE s"}) {
    INFO(sql);
    CHECK(error_of(sql, tables) != "no error");
  }
  CHECK(ask("SELECT 1 ; -- that is all\n /* really */ ", tables) == Lines{"1"});
}

TEST_CASE("Mistakes are shown in their line with what was meant") {
  MemoryTable t({"service", "duration_ms"});
  const std::vector<sql::NamedTable> tables = {{"calls", &t}};
  CHECK(error_of("SELECT servce FROM calls", tables) ==
        "error: no such column: servce; did you mean 'service'?\n"
        "  SELECT servce FROM calls\n"
        "         ^");
  CHECK(error_of("SELECT c.duration FROM calls c", tables).find("no such column: c.duration") !=
        std::string::npos);
  CHECK(error_of("SELECT 1,\n percentle(duration_ms, 0.5)\nFROM calls", tables) ==
        "error: no such function: percentle; did you mean 'percentile'?\n"
        "   percentle(duration_ms, 0.5)\n"
        "   ^");
  CHECK(error_of("SELECT 1 FROM cals", tables).find("did you mean 'calls'?") != std::string::npos);
  CHECK(error_of("SELECT 1 FROM calls WHERE service ~ 'a'", tables).find("REGEXP") !=
        std::string::npos);
  CHECK(error_of("SELECT zzzzzzzz FROM calls", tables).find("did you mean") == std::string::npos);
}

TEST_CASE("A table that fails ends the query with its own words") {
  MemoryTable t = services();
  t.failure = Error{Errc::io, "disk on fire", 5};
  t.fail_at = 2;
  auto prepared = Residual::prepare("SELECT * FROM s", {{"s", &t}}, {});
  REQUIRE(prepared.ok());
  TextSink sink;
  const Status run = (*prepared)->run(sink);
  REQUIRE(!run.ok());
  CHECK(run.error().code == Errc::io);
  CHECK(run.error().message == "disk on fire");
  CHECK(run.error().sys_errno == 5);
}

TEST_CASE("A sink that has enough ends the query") {
  MemoryTable t = services();
  t.batch = 1;
  auto prepared = Residual::prepare("SELECT * FROM s", {{"s", &t}}, {});
  REQUIRE(prepared.ok());
  TextSink sink;
  sink.most = 2;
  CHECK((*prepared)->run(sink).ok());
  CHECK(sink.lines.size() == 2);
  CHECK(t.given == 2);
}

TEST_CASE("A query stops when it is told to, in SQLite and between rows") {
  std::atomic<bool> stop{true};
  sql::Limits limits;
  limits.stop = &stop;
  MemoryTable t = services();
  for (const char* sql :
       {"WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM c) SELECT count(*) FROM c",
        "SELECT count(*) FROM s", "SELECT count(*) FROM s a JOIN s b ON a.n = b.n"}) {
    auto prepared = Residual::prepare(sql, {{"s", &t}}, limits);
    REQUIRE(prepared.ok());
    TextSink sink;
    const Status run = (*prepared)->run(sink);
    REQUIRE(!run.ok());
    CHECK(run.error().code == Errc::cancelled);
  }
}
