#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;

TEST_CASE("Text functions count characters, not bytes", "[expr]") {
  CHECK(eval("lower('AbÉ')") == "'abÉ'");
  CHECK(eval("upper('abc1')") == "'ABC1'");
  CHECK(eval("length('héllo')") == "5");
  CHECK(eval("length(12.50)") == "4");
  CHECK(eval("length(NULL)") == "null");
  CHECK(eval("instr('héllo', 'llo')") == "3");
  CHECK(eval("instr('abc', 'x')") == "0");
}

TEST_CASE("substr follows SQLite", "[expr]") {
  CHECK(eval("substr('hello', 2)") == "'ello'");
  CHECK(eval("substr('hello', 2, 3)") == "'ell'");
  CHECK(eval("substr('hello', -3)") == "'llo'");
  CHECK(eval("substr('hello', -3, 2)") == "'ll'");
  CHECK(eval("substr('hello', 0)") == "'hello'");
  CHECK(eval("substr('hello', 0, 3)") == "'he'");
  CHECK(eval("substr('hello', -7, 3)") == "'h'");
  CHECK(eval("substr('hello', 4, -2)") == "'el'");
  CHECK(eval("substr('hello', 9)") == "''");
  CHECK(eval("substr('hello', 2, 0)") == "''");
  CHECK(eval("substr('hello', 2, 1000000000000)") == "'ello'");
  CHECK(eval("substr('héllo', 2, 1)") == "'é'");
  CHECK(eval("substr('hello', n)", {{"n", text("x")}}) == "null");
}

TEST_CASE("Trimming, replacing and splitting", "[expr]") {
  CHECK(eval("trim('  a b ')") == "'a b'");
  CHECK(eval("ltrim('  a ')") == "'a '");
  CHECK(eval("rtrim('  a ')") == "'  a'");
  CHECK(eval("trim('xxaxx', 'x')") == "'a'");
  CHECK(eval("trim('   ')") == "''");
  CHECK(eval("rtrim('   ')") == "''");
  CHECK(eval("trim('')") == "''");
  CHECK(eval("replace('a-b-c', '-', '::')") == "'a::b::c'");
  CHECK(eval("replace('abc', 'x', 'y')") == "'abc'");
  CHECK(eval("replace('abc', '', 'y')") == "'abc'");
  CHECK(eval("replace('aaa', 'a', '')") == "''");
  CHECK(eval("split_part('/api/v1/users', '/', 3)") == "'v1'");
  CHECK(eval("split_part('/api/v1/users', '/', 1)") == "''");
  CHECK(eval("split_part('/api/v1/users', '/', -1)") == "'users'");
  CHECK(eval("split_part('a,b', ',', 3)") == "null");
  CHECK(eval("split_part('a,b', ',', -3)") == "null");
  CHECK(eval("split_part('a,b', ',', 0)") == "null");
  CHECK(eval("split_part('a,b', '', 1)") == "'a,b'");
}

TEST_CASE("Prefix, suffix and infix functions are case-sensitive", "[expr]") {
  CHECK(eval("starts_with('abc', 'ab')") == "true");
  CHECK(eval("starts_with('abc', 'AB')") == "false");
  CHECK(eval("ends_with('abc', 'bc')") == "true");
  CHECK(eval("contains('abc', 'b')") == "true");
  CHECK(eval("contains('abc', 'x')") == "false");
  CHECK(eval("contains('abc', '')") == "true");
  CHECK(eval("contains(missing, 'x')") == "null");
}

TEST_CASE("Choosing functions", "[expr]") {
  CHECK(eval("coalesce(a, b, 3)") == "3");
  CHECK(eval("coalesce(a, 2, 3)", {{"a", number(1)}}) == "1");
  CHECK(eval("ifnull(a, 'x')") == "'x'");
  CHECK(eval("nullif(1, 1.0)") == "null");
  CHECK(eval("nullif(1, 2)") == "1");
  CHECK(eval("nullif(a, '-')", {{"a", text("-")}}) == "null");
  CHECK(eval("iif(1 = 1, 'y', 'n')") == "'y'");
  CHECK(eval("iif(NULL, 'y', 'n')") == "'n'");
  CHECK(eval("iif(FALSE, 'y')") == "null");
  CHECK(eval("min(3, 1.5, '2')") == "1.5");
  CHECK(eval("max(3, 1.5, '20')") == "'20'");
  CHECK(eval("max(1, NULL)") == "null");
  CHECK(eval("max(1, 'x')") == "null");
}

TEST_CASE("Rounding is exact on decimals and half goes away from zero", "[expr]") {
  CHECK(eval("round(2.5)") == "3");
  CHECK(eval("round(-2.5)") == "-3");
  CHECK(eval("round(1.005, 2)") == "1.01");
  CHECK(eval("round(1234, -2)") == "1200");
  CHECK(eval("round(0.4)") == "0");
  CHECK(eval("round(1.5, 400)") == "1.5");
  CHECK(eval("round(1e-100)") == "0");
  CHECK(eval("floor(-1.5)") == "-2");
  CHECK(eval("floor(1.5)") == "1");
  CHECK(eval("ceil(1.2)") == "2");
  CHECK(eval("ceil(-1.2)") == "-1");
  CHECK(eval("ceil(1e-100)") == "1");
  CHECK(eval("floor(-1e-100)") == "-1");
  CHECK(eval("floor('7.9')") == "7");
  CHECK(eval("floor(7 / 3)") == "real 2.000000");
  CHECK(eval("abs(-1.5)") == "1.5");
  CHECK(eval("abs(x)", {{"x", text("y")}}) == "null");
}

TEST_CASE("typeof, number and level tell and change kinds", "[expr]") {
  CHECK(eval("typeof(missing)") == "'null'");
  CHECK(eval("typeof(1)") == "'number'");
  CHECK(eval("typeof('1')") == "'text'");
  CHECK(eval("typeof(1 = 1)") == "'boolean'");
  CHECK(eval("typeof(level('WARN'))") == "'level'");
  CHECK(eval("typeof(t)", {{"t", Value::of_time(1)}}) == "'time'");
  CHECK(eval("number('12.50')") == "12.5");
  CHECK(eval("number('12ms')") == "null");
  CHECK(eval("level('crit')") == "FATAL");
  CHECK(eval("level('what')") == "null");
}

TEST_CASE("duration_ms reads durations exactly", "[expr]") {
  CHECK(eval("duration_ms('1m30s')") == "90000");
  CHECK(eval("duration_ms('250ms')") == "250");
  CHECK(eval("duration_ms('1.5s')") == "1500");
  CHECK(eval("duration_ms('250us')") == "0.25");
  CHECK(eval("duration_ms('250µs')") == "0.25");
  CHECK(eval("duration_ms('1h2m3s4ms')") == "3723004");
  CHECK(eval("duration_ms('-5s')") == "-5000");
  CHECK(eval("duration_ms(d)", {{"d", text("1ns")}}) == "0.000001");
  for (const char* bad : {"", "5", "s", "1x", "1s2", "1 s", "1..5s", "-"}) {
    CAPTURE(bad);
    CHECK(eval("duration_ms(d)", {{"d", text(bad)}}) == "null");
  }
}
