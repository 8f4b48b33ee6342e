#include <catch2/catch.hpp>

#include "nines/sql/residual.hpp"
#include "sql_table.hpp"

using namespace nines;
using namespace nines::testing;

namespace {

// The only value of a statement, or its error.
std::string value_of(const std::string& expression) {
  MemoryTable t({"ts", "level", "n", "message"});
  t.add({Value::of_time(1'795'000'000'123'456'789), level(Level::error, "err"), decimal("0.285"),
         text("GET /a/b took 15ms")});
  auto prepared = sql::Residual::prepare("SELECT " + expression + " FROM t", {{"t", &t}}, {});
  if (!prepared.ok()) return prepared.error().message;
  TextSink sink;
  if (const Status run = (*prepared)->run(sink); !run.ok()) return run.error().message;
  return sink.lines.empty() ? "nothing" : sink.lines[0];
}

}  // namespace

TEST_CASE("Functions of the log language are there around log blocks") {
  CHECK(value_of("contains(message, 'took')") == "1");
  CHECK(value_of("starts_with(message, 'POST')") == "0");
  CHECK(value_of("split_part(message, ' ', -1)") == "'15ms'");
  CHECK(value_of("regexp_extract(message, '(\\d+)ms')") == "'15'");
  CHECK(value_of("regexp_extract(message, '(/\\w)(/\\w)', 2)") == "'/b'");
  CHECK(value_of("duration_ms('1m30s')") == "90000");
  CHECK(value_of("level('warning') < level") == "1");
  CHECK(value_of("number('12.50')") == "12.5");
}

TEST_CASE("Functions that SQLite means differently are ours") {
  CHECK(value_of("round(n, 2)") == "0.29");  // of the double it would be 0.28
  CHECK(value_of("trim(' \t x \n')") == "'x'");
  CHECK(value_of("nines_max(1, 'a')") == "NULL");  // no order
  CHECK(value_of("max(1, 'a')") == "'a'");
  CHECK(value_of("nines_typeof(ts)") == "'time'");
  CHECK(value_of("typeof(ts)") == "'text'");
}

TEST_CASE("REGEXP is RE2 and remembers its patterns") {
  CHECK(value_of("message REGEXP 'took \\d+'") == "1");
  CHECK(value_of("message REGEXP 'it''s'") == "0");
  CHECK(value_of("message NOT REGEXP '^GET'") == "0");
  CHECK(value_of("NULL REGEXP 'a'") == "NULL");
  CHECK(value_of("message REGEXP NULL") == "NULL");
  CHECK(value_of("message REGEXP '(a)\\1'").find("\\1") != std::string::npos);  // says why
}

TEST_CASE("A pattern may change from row to row") {
  MemoryTable t({"x", "p"});
  for (int i = 0; i < 200; ++i) {
    t.add({text("value" + std::to_string(i)), text("e" + std::to_string(i % 100) + "$")});
  }
  auto prepared =
      sql::Residual::prepare("SELECT count(*) FROM t WHERE x REGEXP p", {{"t", &t}}, {});
  REQUIRE(prepared.ok());
  TextSink sink;
  REQUIRE((*prepared)->run(sink).ok());
  CHECK(sink.lines == std::vector<std::string>{"100"});
}

TEST_CASE("Any expression of the log language can be evaluated over columns") {
  CHECK(value_of("nines_eval('a0 / 2', 7)") == "3.5");
  CHECK(value_of("nines_eval('a1 + a0 * 0.1', 3, n)") == "0.585");
  CHECK(value_of("nines_eval('a0 >= WARN', level)").find("unknown field 'WARN'") !=
        std::string::npos);  // a0 is not the field level
  CHECK(value_of("nines_eval('a0 >= level(''WARN'')', level)") == "1");
  CHECK(value_of("nines_eval('b', 1)").find("unknown field 'b'") != std::string::npos);
  CHECK(value_of("nines_eval('a1', 1)").find("unknown field 'a1'") != std::string::npos);
  CHECK(value_of("nines_eval('1 +')").find("expected") != std::string::npos);
  CHECK(value_of("nines_eval(NULL)") == "NULL");
}

TEST_CASE("Sums and products of decimals are exact when the log language works them out") {
  CHECK(value_of("nines_eval('a0 + a1', 0.1, 0.2)") == "0.3");
  CHECK(value_of("0.1 + 0.2") == "0.30000000000000004");
}
