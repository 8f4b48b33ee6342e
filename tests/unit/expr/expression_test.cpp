#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;

TEST_CASE("A status test reads numbers and texts alike", "[expr]") {
  CHECK(eval("status >= 500", {{"status", number(503)}}) == "true");
  CHECK(eval("status >= 500", {{"status", text("503")}}) == "true");
  CHECK(eval("status >= 500", {{"status", text("200")}}) == "false");
  CHECK(eval("status >= 500", {{"status", text("-")}}) == "null");
  CHECK(eval("status >= 500") == "null");
  CHECK(eval("500 <= status", {{"status", text("503")}}) == "true");
  CHECK(eval("status = '200'", {{"status", number(200)}}) == "true");
}

TEST_CASE("Fields are listed once, in order of first use", "[expr]") {
  const auto e = Expression::parse("b > 1 AND a = b OR c.d.e = `odd name` OR @timestamp = a");
  REQUIRE(e.ok());
  CHECK(e->fields() == std::vector<std::string>{"b", "a", "c.d.e", "odd name", "@timestamp"});
}

TEST_CASE("Fields of parts that fold away are still listed", "[expr]") {
  CHECK(Expression::parse("FALSE AND a = 1")->fields() == std::vector<std::string>{"a"});
}

TEST_CASE("Slots map fields to any layout of values", "[expr]") {
  const auto e = Expression::parse("a - b");
  const size_t slots[] = {2, 0};
  Evaluator evaluator(*e, slots);
  const Value values[] = {number(1), text("unused"), number(10)};
  CHECK(Evaluation::show(evaluator.eval(values)) == "9");
}

TEST_CASE("depends_only_on tells whether one field decides", "[expr]") {
  CHECK(Expression::parse("status >= 500 OR status = 429")->depends_only_on("status"));
  CHECK_FALSE(Expression::parse("status >= 500 OR path = '/'")->depends_only_on("status"));
  CHECK_FALSE(Expression::parse("status >= 500")->depends_only_on("path"));
  CHECK(Expression::parse("1 = 1")->depends_only_on("status"));
}

TEST_CASE("test() takes numbers and booleans, and nothing else for an answer", "[expr]") {
  const auto test = [](const std::string& source) {
    const auto e = Expression::parse(source);
    return Evaluator(*e, {}).test({});
  };
  CHECK(test("1") == Truth::yes);
  CHECK(test("0") == Truth::no);
  CHECK(test("0.0") == Truth::no);
  CHECK(test("1/3") == Truth::yes);
  CHECK(test("TRUE") == Truth::yes);
  CHECK(test("NULL") == Truth::unknown);
  CHECK(test("'1'") == Truth::unknown);
  CHECK(test("level('warn')") == Truth::unknown);
}

TEST_CASE("Nested names, quoted names and odd characters are identifiers", "[expr]") {
  const Record r = {{"a.b", number(1)},    {"x-y", number(2)},     {"@t", number(3)},
                    {"select", number(4)}, {"a.b c.d", number(5)}, {"and", number(6)},
                    {"a.0.b", number(7)},  {"q\"q", number(8)}};
  CHECK(eval("a.b", r) == "1");
  CHECK(eval("\"x-y\"", r) == "2");
  CHECK(eval("`x-y`", r) == "2");
  CHECK(eval("@t", r) == "3");
  CHECK(eval("select", r) == "4");
  CHECK(eval("a.\"b c\".d", r) == "5");
  CHECK(eval("\"and\"", r) == "6");
  CHECK(eval("a.0.b", r) == "7");
  CHECK(eval("\"q\"\"q\"", r) == "8");
  CHECK(eval("Status", {{"status", number(1)}}) == "null");
}

TEST_CASE("Comments and blanks may stand anywhere", "[expr]") {
  CHECK(eval("1 -- one\n + /* two */ 2") == "3");
  CHECK(eval("\t1\r\n+\f1--") == "2");
}

TEST_CASE("Numbers are exact, texts keep their quotes, raw texts their backslashes", "[expr]") {
  CHECK(eval("1.10") == "1.1");
  CHECK(eval(".5e1") == "5");
  CHECK(eval("1e-3") == "0.001");
  CHECK(eval("'it''s'") == "'it's'");
  CHECK(eval(R"(r'\d+')") == R"('\d+')");
  CHECK(eval("''") == "''");
  CHECK(eval("typeof(12345678901234567890)") == "'real'");
}

TEST_CASE("Operators bind as in SQLite", "[expr]") {
  CHECK(canonical("a OR b AND c") == "a OR b AND c");
  CHECK(canonical("(a OR b) AND c") == "(a OR b) AND c");
  CHECK(canonical("NOT a = b") == "NOT a = b");
  CHECK(canonical("(NOT a) = b") == "(NOT a) = b");
  CHECK(canonical("NOT a AND b") == "NOT a AND b");
  CHECK(canonical("NOT (a AND b)") == "NOT (a AND b)");
  CHECK(canonical("a = b < c") == "a = b < c");
  CHECK(canonical("(a = b) < c") == "(a = b) < c");
  CHECK(canonical("a < b = c") == "a < b = c");
  CHECK(canonical("a - (b - c)") == "a - (b - c)");
  CHECK(canonical("(a - b) - c") == "a - b - c");
  CHECK(canonical("a + b * c") == "a + b * c");
  CHECK(canonical("(a + b) * c") == "(a + b) * c");
  CHECK(canonical("a * b || c") == "a * b || c");
  CHECK(canonical("(a * b) || c") == "(a * b) || c");
  CHECK(canonical("-a || b") == "-a || b");
  CHECK(canonical("-(a || b)") == "-(a || b)");
  CHECK(canonical("- -a") == "-(-a)");
  CHECK(canonical("a - -5") == "a - -5");
  CHECK(canonical("-(-5)") == "5");
  CHECK(canonical("-(0)") == "0");
  CHECK(canonical("-(-12345678901234567891)") == "12345678901234567891");
  CHECK(canonical("-12345678901234567891") == "-12345678901234567891");
  CHECK(canonical("a BETWEEN 1 AND 2 AND b") == "a BETWEEN 1 AND 2 AND b");
  CHECK(canonical("a AND (b AND c) AND d") == "a AND b AND c AND d");
  CHECK(canonical("a IS NULL = b") == "a IS NULL = b");
  CHECK(canonical("a IS NULL + 1") == "a IS NULL + 1");
  CHECK(eval("2 + 3 * 4 - 10 / 5 % 3") == "12");
  CHECK(eval("1 = 2 OR 1 = 1 AND 2 = 2") == "true");
}

TEST_CASE("Every spelling has one canonical form", "[expr]") {
  CHECK(canonical("a==1 and b!=2") == "a = 1 AND b <> 2");
  CHECK(canonical("a ~ 'x' or a !~ 'y'") == "a REGEXP 'x' OR a NOT REGEXP 'y'");
  CHECK(canonical("a ilike 'X%'") == "a LIKE 'X%'");
  CHECK(canonical("a like 'x!%' escape '!'") == "a LIKE 'x!%' ESCAPE '!'");
  CHECK(canonical("a not in (1,2 , 'x')") == "a NOT IN (1, 2, 'x')");
  CHECK(canonical("case a when 1 then 2 end") == "CASE a WHEN 1 THEN 2 ELSE NULL END");
  CHECK(canonical("cast(a as INT)") == "CAST(a AS integer)");
  CHECK(canonical("LOWER( a )") == "lower(a)");
  CHECK(canonical("a is (true)") == "a IS TRUE");
  CHECK(canonical("\"odd name\" = \"plain\"") == "\"odd name\" = plain");
  CHECK(canonical("\"and\" = 1") == "\"and\" = 1");
  CHECK(canonical("1e300") == "1e300");
  CHECK(canonical("12345678901234567891") == "12345678901234567891");
  CHECK(canonical("level >= warn") == "level >= 'warn'");
  CHECK(canonical("wanted = WARN") == "wanted = WARN");
}

TEST_CASE("CASE takes the first branch that is true and evaluates no other", "[expr]") {
  CHECK(eval("CASE WHEN 1 = 2 THEN 'a' WHEN 1 = 1 THEN 'b' ELSE 'c' END") == "'b'");
  CHECK(eval("CASE WHEN x THEN 'a' ELSE 'c' END") == "'c'");
  CHECK(eval("CASE WHEN x THEN 'a' END") == "null");
  const std::string simple = "CASE s WHEN 200 THEN 'ok' WHEN '404' THEN 'gone' ELSE 'other' END";
  CHECK(eval(simple, {{"s", text("200")}}) == "'ok'");
  CHECK(eval(simple, {{"s", number(404)}}) == "'gone'");
  CHECK(eval(simple, {{"s", number(500)}}) == "'other'");
  CHECK(eval("CASE n WHEN NULL THEN 1 ELSE 2 END") == "2");
  CHECK(eval("1 + CASE s WHEN 1 THEN 10 ELSE 20 END", {{"s", number(1)}}) == "11");
}

TEST_CASE("Texts made while evaluating are bounded and their loss is counted", "[expr]") {
  const std::string big(40'000, 'x');
  const Record r = {{"a", text(big)}};
  const Evaluation one("length(lower(a))", r);
  CHECK(one.shown() == "40000");
  CHECK(one.overflows() == 0);
  const Evaluation two("length(lower(a) || upper(a))", r);
  CHECK(two.shown() == "null");
  CHECK(two.overflows() == 1);
}

TEST_CASE("Scratch memory starts empty for each record", "[expr]") {
  const std::string big(60'000, 'x');
  const auto e = Expression::parse("lower(a)");
  const size_t slots[] = {0};
  Evaluator evaluator(*e, slots);
  const Value values[] = {text(big)};
  for (int i = 0; i < 5; ++i) CHECK(evaluator.eval(values).text.size() == big.size());
  CHECK(evaluator.overflows() == 0);
}

TEST_CASE("An expression outlives its text and its copies", "[expr]") {
  Expression copy = *Expression::parse("a IN ('x', 'y') AND a LIKE 'x%'");
  {
    const std::string source = "b = 'some longer text that is not kept in place'";
    copy = *Expression::parse(source);
  }
  const size_t slots[] = {0};
  Evaluator evaluator(copy, slots);
  const Value values[] = {text("some longer text that is not kept in place")};
  CHECK(evaluator.test(values) == Truth::yes);
}
