// Messages name the place, what stands there, what was expected and the way out.
#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;
using Catch::Contains;
using Catch::StartsWith;

TEST_CASE("Errors name line, column and token", "[expr]") {
  CHECK(error_of("status >=") ==
        "line 1, column 10: unexpected end of the expression; expected a value: a field, a number, "
        "'text', a function or '('");
  CHECK(error_of("status >= 500 path = '/'") ==
        "line 1, column 15: unexpected 'path'; expected an operator or the end");
  CHECK(error_of("status = 1\n  AND AND x") ==
        "line 2, column 7: unexpected 'AND'; expected a value: a field, a number, 'text', a "
        "function or '('");
  CHECK_THAT(error_of("'é' = 1 )"), StartsWith("line 1, column 9: unexpected ')'"));
  CHECK_THAT(error_of("(a = 1"),
             Contains("column 7") && Contains("')' for the '(' at line 1, column 1"));
  CHECK_THAT(error_of("a b"), Contains("\"in double quotes\""));
  CHECK_THAT(error_of(""), Contains("empty"));
  CHECK_THAT(error_of("  -- only a comment"), Contains("empty"));
}

TEST_CASE("Usual slips get a hint", "[expr]") {
  CHECK(error_of("status => 500") ==
        "line 1, column 8: unexpected '=>'; hint: 'greater or equal' is written >=");
  CHECK_THAT(error_of("status =< 500"), Contains("<="));
  CHECK_THAT(error_of("a = 1 && b = 2"), Contains("column 7") && Contains("write AND"));
  CHECK_THAT(error_of("!a"), Contains("write NOT"));
  CHECK_THAT(error_of("a =~ 'x'"), Contains("~ or REGEXP"));
  CHECK_THAT(error_of("a = \xe2\x80\x98x\xe2\x80\x99"), Contains("straight quotes"));
  CHECK_THAT(error_of("a = 1;"), Contains("semicolon"));
  CHECK_THAT(error_of("a = = 1"), Contains("column 5") && Contains("a = b"));
  CHECK_THAT(error_of("a > 5ms"), Contains("'5ms' is no number") && Contains("duration_ms"));
  CHECK_THAT(error_of("a > 1.2.3"), Contains("'1.2.3' is no number"));
  CHECK_THAT(error_of("a # b"), Contains("unexpected character '#'"));
  CHECK_THAT(error_of(std::string("a = \0", 5)), Contains("byte 0"));
  CHECK_THAT(error_of("1e999"), Contains("out of range"));
}

TEST_CASE("What is opened must be closed", "[expr]") {
  CHECK(error_of("path = 'abc") ==
        "line 1, column 8: the text that starts with 'abc is never closed; expected '; hint: a ' "
        "inside is written twice");
  CHECK_THAT(error_of("\"abc = 1"), Contains("column 1: the name that starts with"));
  CHECK_THAT(error_of("a /* b"), Contains("column 3: the comment"));
  CHECK_THAT(error_of("\"\" = 1"), Contains("is empty"));
  CHECK_THAT(error_of("CASE WHEN a THEN 1"), Contains("END of CASE"));
  CHECK_THAT(error_of("CASE a ELSE 1 END"), Contains("expected WHEN"));
  CHECK_THAT(error_of("CASE WHEN a 1 END"), Contains("expected THEN"));
  CHECK_THAT(error_of("a IN 1"), Contains("after IN"));
  CHECK_THAT(error_of("a IN ()"), Contains("column 7"));
  CHECK_THAT(error_of("a IN (1"), Contains("in the list of IN"));
  CHECK_THAT(error_of("a BETWEEN 1"), Contains("upper bound"));
  CHECK_THAT(error_of("a NOT 1"), Contains("after NOT"));
  CHECK_THAT(error_of("a LIKE 'x' ESCAPE 'xy'"), Contains("one ASCII character"));
  CHECK_THAT(error_of("CAST(a AS blob)"), Contains("'blob'") && Contains("a type"));
  CHECK_THAT(error_of("CAST(a)"), Contains("AS and a type"));
}

TEST_CASE("Unknown functions name the nearest one", "[expr]") {
  CHECK(error_of("lenght(a) > 1") ==
        "line 1, column 1: unknown function 'lenght'; did you mean 'length'?");
  CHECK_THAT(error_of("a = 1 AND startswith(a, 'x')"),
             Contains("column 11") && Contains("starts_with"));
  CHECK_THAT(error_of("frobnicate(a)"), !Contains("did you mean"));
}

TEST_CASE("Wrong arguments name count, kind and place", "[expr]") {
  CHECK(error_of("lower()") == "line 1, column 1: lower() takes 1 argument, got 0");
  CHECK(error_of("x = substr(a)") == "line 1, column 5: substr() takes 2 to 3 arguments, got 1");
  CHECK(error_of("max(a)") == "line 1, column 1: max() takes at least 2 arguments, got 1");
  CHECK(error_of("abs('x')") == "line 1, column 5: argument 1 of abs() must be a number, got 'x'");
  CHECK_THAT(error_of("d > duration_ms('soon')"), Contains("column 17") && Contains("a duration"));
  CHECK_THAT(error_of("d > duration_ms(5)"), Contains("a duration"));
  CHECK_THAT(error_of("lower(a"), Contains("after an argument"));
  CHECK_THAT(error_of("regexp_extract(a, b)"), Contains("column 19") && Contains("literal"));
  CHECK_THAT(error_of("regexp_extract(a, '(x)', 2)"), Contains("column 26") && Contains("0 to 1"));
}

TEST_CASE("Bad regular expressions give RE2's reason and say why", "[expr]") {
  CHECK_THAT(error_of("a REGEXP '(x'"), Contains("column 10") && Contains("missing )"));
  CHECK_THAT(error_of("a ~ '(?=x)'"), Contains("look-ahead"));
  CHECK_THAT(error_of("a ~ '(?<!x)y'"), Contains("look-behind"));
  CHECK_THAT(error_of(R"(a ~ '(x)\1')"), Contains("back references"));
  CHECK_THAT(error_of("a ~ b"), Contains("must be a literal"));
  const auto large = Expression::parse("a ~ '((a{100}){100}){10}'");
  REQUIRE_FALSE(large.ok());
}

TEST_CASE("Size and depth are bounded", "[expr]") {
  const auto code = [](const std::string& source) {
    const auto e = Expression::parse(source);
    return e.ok() ? -1 : static_cast<int>(e.error().code);
  };
  const int exhausted = static_cast<int>(nines::Errc::exhausted);
  CHECK(code(std::string(300, '(') + "a" + std::string(300, ')')) == exhausted);
  CHECK(code(std::string(190, '(') + "a" + std::string(190, ')')) == -1);
  std::string nots;
  for (int i = 0; i < 300; ++i) nots += "NOT ";
  CHECK(code(nots + "a") == exhausted);
  std::string sum = "a";
  for (int i = 0; i < 300; ++i) sum += " + a";
  CHECK(code(sum) == exhausted);
  std::string chain = "a = 0";
  for (int i = 0; i < 1000; ++i) chain += " OR a = " + std::to_string(i);
  CHECK(code(chain) == -1);
  for (int i = 0; i < 1000; ++i) chain += " OR a = " + std::to_string(i);
  CHECK(code(chain) == exhausted);
  CHECK(code("a = '" + std::string(70'000, 'x') + "'") == exhausted);
  CHECK_THAT(error_of(nots + "a"), Contains("200 levels"));
  CHECK_THAT(error_of(chain), Contains("4096"));
}
