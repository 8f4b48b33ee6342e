// How kinds meet; exact arithmetic.
#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;
using nines::Level;

TEST_CASE("Numbers compare exactly whatever their scale", "[expr]") {
  CHECK(eval("0.1 + 0.2 = 0.3") == "true");
  CHECK(eval("a < 0.5", {{"a", number(123, -3)}}) == "true");
  CHECK(eval("a < 0.5", {{"a", number(5, -1)}}) == "false");
  CHECK(eval("a = 1000", {{"a", number(1, 3)}}) == "true");
  CHECK(eval("a > 1e-30", {{"a", number(1)}}) == "true");
  CHECK(eval("a < 1e30", {{"a", number(999'999'999'999'999'999)}}) == "true");
  CHECK(eval("a < b", {{"a", number(1, -9)}, {"b", number(1, 9)}}) == "true");
  CHECK(eval("a = 9223372036854775807e0 OR a > 1", {{"a", number(INT64_MAX)}}) == "true");
}

TEST_CASE("Texts compare by bytes, and with numbers as numbers", "[expr]") {
  CHECK(eval("'10' < '9'") == "true");
  CHECK(eval("'10' < 9") == "false");
  CHECK(eval("'abc' < 'abd'") == "true");
  CHECK(eval("'ab' < 'abc'") == "true");
  CHECK(eval("'x' = 1") == "null");
  CHECK(eval("' 1' = 1") == "null");
  CHECK(eval("'0x10' = 16") == "null");
  CHECK(eval("'nan' = 1 OR 'inf' > 1") == "null");
  CHECK(eval("'12345678901234567890' > 1") == "true");
  CHECK(eval("'é' > 'z'") == "true");
}

TEST_CASE("Booleans meet texts as words and numbers as 0 and 1", "[expr]") {
  const Record r = {{"b", Value::of_bool(true)}};
  CHECK(eval("b = 'true'", r) == "true");
  CHECK(eval("b = 'FALSE'", r) == "false");
  CHECK(eval("b = 'yes'", r) == "null");
  CHECK(eval("b = TRUE", r) == "true");
  CHECK(eval("b = 1", r) == "true");
  CHECK(eval("'true' = TRUE") == "true");
  CHECK(eval("b + 1", r) == "2");
}

TEST_CASE("Levels compare by rank with levels and their names", "[expr]") {
  const Record r = {{"level", Value::of_level(Level::warn, "warning")}};
  CHECK(eval("level >= 'WARN'", r) == "true");
  CHECK(eval("level >= 'error'", r) == "false");
  CHECK(eval("level < 'E'", r) == "true");
  CHECK(eval("level = 'nonsense'", r) == "null");
  CHECK(eval("level >= WARN", r) == "true");
  CHECK(eval("FATAL > level", r) == "true");
  CHECK(eval("level >= 40", r) == "true");
  CHECK(eval("level = 1.5", r) == "null");
  CHECK(eval("level = TRUE", r) == "null");
  CHECK(eval("level = a", {{"level", r.at("level")}, {"a", text("W")}}) == "true");
  CHECK(eval("level LIKE 'warn%'", r) == "true");
  CHECK(eval("level IN ('ERROR', 'WARN')", r) == "true");
  CHECK(eval("level('err') > level", r) == "true");
}

TEST_CASE("Times compare with RFC 3339 texts", "[expr]") {
  const Record r = {{"ts", Value::of_time(1'767'225'600'500'000'000)}};  // 2026-01-01T00:00:00.5Z
  CHECK(eval("ts > '2026-01-01T00:00:00Z'", r) == "true");
  CHECK(eval("ts = '2026-01-01T00:00:00.500Z'", r) == "true");
  CHECK(eval("ts = '2026-01-01 01:00:00,5+01:00'", r) == "true");
  CHECK(eval("ts = '2025-12-31T19:00:00.5-0500'", r) == "true");
  CHECK(eval("ts >= '2026-01-01'", r) == "true");
  CHECK(eval("ts < '2026-01-02'", r) == "true");
  CHECK(eval("ts < d", {{"ts", r.at("ts")}, {"d", text("2026-01-01T00:01Z")}}) == "true");
  for (const std::string bad : {"2026-13-01", "2026-02-29", "2026-01-01T25:00:00Z", "x",
                                "2026-01-01T", "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zz",
                                "1600-01-01", "2262-12-01", "2026-01-01T00:00:00+99:00"}) {
    CAPTURE(bad);
    CHECK(eval("ts < '" + bad + "'", r) == "null");
  }
  CHECK(eval("ts < 5", r) == "null");
  CHECK(eval("ts - t", {{"ts", r.at("ts")}, {"t", Value::of_time(1'767'225'600'000'000'000)}}) ==
        "500");
  CHECK(eval("ts + 1", r) == "null");
  CHECK(eval("'at ' || ts", r) == "'at 2026-01-01T00:00:00.5Z'");
}

TEST_CASE("Arithmetic is exact while 64 bits suffice", "[expr]") {
  CHECK(eval("0.1 * 3") == "0.3");
  CHECK(eval("1 - 0.999") == "0.001");
  CHECK(eval("7 / 2") == "3.5");
  CHECK(eval("1 / 8") == "0.125");
  CHECK(eval("10 / 5") == "2");
  CHECK(eval("0 / 5") == "0");
  CHECK(eval("-7 / 2") == "-3.5");
  CHECK(eval("typeof(1 / 3)") == "'real'");
  CHECK(eval("round(1 / 3, 4)") == "real 0.333300");
  CHECK(eval("typeof(123456789012345678 * 123456789)") == "'real'");
  CHECK(eval("7 % 3") == "1");
  CHECK(eval("-7 % 3") == "-1");
  CHECK(eval("7.5 % 2") == "1.5");
  CHECK(eval("1e30 % 7") == "1");
  CHECK(eval("'12' + '0.5'") == "12.5");
  CHECK(eval("'x' + 1") == "null");
  CHECK(eval("-'5'") == "-5");
  CHECK(eval("+'5'") == "'5'");
}

TEST_CASE("Division by zero and results beyond all numbers are NULL", "[expr]") {
  CHECK(eval("1 / 0") == "null");
  CHECK(eval("1 % 0") == "null");
  CHECK(eval("1 / 0.0") == "null");
  CHECK(eval("1 / CAST(0 AS real)") == "null");
  CHECK(eval("1e300 * 1e300") == "null");
  CHECK(eval("typeof(a * 1e400)", {{"a", number(1, 400)}}) == "'null'");
  CHECK(eval("-a", {{"a", number(INT64_MIN)}}) == "real 9223372036854775808.000000");
  CHECK(eval("abs(a)", {{"a", number(INT64_MIN)}}) == "real 9223372036854775808.000000");
}

TEST_CASE("CAST converts, or gives NULL where it can't", "[expr]") {
  CHECK(eval("CAST('12.7' AS integer)") == "12");
  CHECK(eval("CAST(-12.7 AS integer)") == "-12");
  CHECK(eval("CAST('x' AS integer)") == "null");
  CHECK(eval("CAST('1.50' AS number)") == "1.5");
  CHECK(eval("typeof(CAST(1 AS real))") == "'real'");
  CHECK(eval("CAST(1.50 AS text)") == "'1.5'");
  CHECK(eval("CAST(TRUE AS text)") == "'true'");
  CHECK(eval("CAST(1e25 AS text)") == "'1e25'");
  CHECK(eval("CAST(0.0001 AS text)") == "'0.0001'");
  CHECK(eval("CAST('true' AS boolean)") == "true");
  CHECK(eval("CAST('0' AS boolean)") == "false");
  CHECK(eval("CAST('maybe' AS boolean)") == "null");
  CHECK(eval("CAST(2 AS boolean)") == "true");
  CHECK(eval("CAST(NULL AS text)") == "null");
}

TEST_CASE("Concatenation writes every kind as text", "[expr]") {
  CHECK(eval("'a' || 1 || TRUE || 0.50") == "'a1true0.5'");
  CHECK(eval("'a' || NULL") == "null");
  CHECK(eval("(1 / 4) || ''") == "'0.25'");
  CHECK(eval("level || '!'", {{"level", Value::of_level(Level::warn, "Warning")}}) == "'Warning!'");
}
