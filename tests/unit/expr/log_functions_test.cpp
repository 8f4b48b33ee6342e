#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;

namespace {

// 2026-11-21T10:07:42.5Z, a Saturday.
const Record kRecord = {{"ts", Value::of_time(1795255662500000000)}};

std::string seconds(int64_t s) { return "time " + std::to_string(s) + "000000000"; }

}  // namespace

TEST_CASE("bucket() is the start of the bucket since 1970 that a time falls into", "[expr]") {
  CHECK(eval("bucket(ts, '1m')", kRecord) == seconds(1795255620));
  CHECK(eval("bucket(ts, '1h')", kRecord) == seconds(1795255200));
  CHECK(eval("bucket(ts, '15s')", kRecord) == seconds(1795255650));
  CHECK(eval("bucket('2026-11-21 10:07:42', '1m')") == seconds(1795255620));
  CHECK(eval("bucket(ts, '1m')", {{"ts", Value::of_time(-1)}}) == seconds(-60));
  CHECK(eval("bucket(missing, '1m')", kRecord) == "null");
  CHECK(eval("bucket('soon', '1m')") == "null");
}

TEST_CASE("The parts of a time are those of UTC", "[expr]") {
  CHECK(eval("year(ts)", kRecord) == "2026");
  CHECK(eval("month(ts)", kRecord) == "11");
  CHECK(eval("day(ts)", kRecord) == "21");
  CHECK(eval("hour(ts)", kRecord) == "10");
  CHECK(eval("minute(ts)", kRecord) == "7");
  CHECK(eval("second(ts)", kRecord) == "42");
  CHECK(eval("weekday(ts)", kRecord) == "6");
  CHECK(eval("weekday('1970-01-01')") == "4");
  const Record before = {{"ts", Value::of_time(-4 * 86'400'000'000'000 + 1)}};  // a Sunday
  CHECK(eval("weekday(ts)", before) == "7");
  CHECK(eval("hour(ts)", {{"ts", Value::of_time(-1)}}) == "23");
  CHECK(eval("hour(5)") == "null");
}

TEST_CASE("date_trunc() cuts a time down to a unit", "[expr]") {
  CHECK(eval("date_trunc('second', ts)", kRecord) == seconds(1795255662));
  CHECK(eval("date_trunc('minute', ts)", kRecord) == seconds(1795255620));
  CHECK(eval("date_trunc('hour', ts)", kRecord) == seconds(1795255200));
  CHECK(eval("date_trunc('day', ts) = '2026-11-21'", kRecord) == "true");
  CHECK(eval("date_trunc('week', ts) = '2026-11-16'", kRecord) == "true");
  CHECK(eval("date_trunc('month', ts) = '2026-11-01'", kRecord) == "true");
  CHECK(eval("date_trunc('YEAR', ts) = '2026-01-01'", kRecord) == "true");
}

TEST_CASE("template() puts <*> where messages differ", "[expr]") {
  CHECK(eval("template('took 15ms for user 42')") == "'took <*>ms for user <*>'");
  CHECK(eval("template('from 10.0.0.1:8080 to fe80::1')") == "'from <*> to <*>::<*>'");
  CHECK(eval("template('id 550e8400-e29b-41d4-a716-446655440000 gone')") == "'id <*> gone'");
  CHECK(eval("template('at 0x7fff12 in user123abc')") == "'at <*> in user<*>abc'");
  CHECK(eval("template('can''t open \"a b.txt\"')") == "'can't open <*>'");
  CHECK(eval("template('an open \" only')") == "'an open \" only'");
  CHECK(eval("template('2026-11-21 10:07')") == "'<*> <*>'");
  CHECK(eval("template('1. done')") == "'<*>. done'");
  CHECK(eval("template('plain words')") == "'plain words'");
  CHECK(eval("template('')") == "''");
  CHECK(eval("template(NULL)") == "null");
}

TEST_CASE("A template that scratch memory can't hold is NULL and counted", "[expr]") {
  std::string digits;
  for (int i = 0; i < 30000; ++i) digits += "1 ";
  const Evaluation e("template(x)", {{"x", text(digits)}});
  CHECK(e.shown() == "null");
  CHECK(e.overflows() == 1);
}

TEST_CASE("A text that is a time can be made one", "[expr]") {
  CHECK(eval("timestamp('2026-11-21 10:00')") == seconds(1795255200));
  CHECK(eval("timestamp(x)", {{"x", text("soon")}}) == "null");
  CHECK(eval("timestamp('2026-11-21 10:00:00')") == seconds(1795255200));
  CHECK(eval("ts - timestamp('2026-11-21')", kRecord) == "36462500");
}
