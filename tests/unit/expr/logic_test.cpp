// Three-valued logic and NULL.
#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;

namespace {
const std::string kTruths[] = {"TRUE", "FALSE", "NULL"};

// As fields, so that nothing folds away, and as literals.
void check_binary(const std::string& op, const std::string (&expected)[9]) {
  const Value values[] = {Value::of_bool(true), Value::of_bool(false), Value::null()};
  for (size_t i = 0; i < 9; ++i) {
    const std::string& a = kTruths[i / 3];
    const std::string& b = kTruths[i % 3];
    CAPTURE(a, op, b);
    CHECK(eval(a + " " + op + " " + b) == expected[i]);
    CHECK(eval("a " + op + " b", {{"a", values[i / 3]}, {"b", values[i % 3]}}) == expected[i]);
  }
}
}  // namespace

TEST_CASE("AND, OR and NOT follow SQL's truth tables", "[expr]") {
  check_binary("AND",
               {"true", "false", "null", "false", "false", "false", "null", "false", "null"});
  check_binary("OR", {"true", "true", "true", "true", "false", "null", "true", "null", "null"});
  CHECK(eval("NOT TRUE") == "false");
  CHECK(eval("NOT FALSE") == "true");
  CHECK(eval("NOT NULL") == "null");
}

TEST_CASE("Comparison with NULL is NULL for every operator", "[expr]") {
  for (const std::string op :
       {"=", "<>", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "||", "LIKE", "GLOB"}) {
    CAPTURE(op);
    CHECK(eval("NULL " + op + " 1") == "null");
    CHECK(eval("1 " + op + " NULL") == "null");
    CHECK(eval("missing " + op + " missing") == "null");
  }
  CHECK(eval("missing REGEXP 'x'") == "null");
  CHECK(eval("missing NOT REGEXP 'x'") == "null");
  CHECK(eval("-missing") == "null");
}

TEST_CASE("IS never answers NULL", "[expr]") {
  check_binary("IS",
               {"true", "false", "false", "false", "true", "false", "false", "false", "true"});
  check_binary("IS NOT",
               {"false", "true", "true", "true", "false", "true", "true", "true", "false"});
  CHECK(eval("missing IS NULL") == "true");
  CHECK(eval("missing IS NOT NULL") == "false");
  CHECK(eval("a IS TRUE", {{"a", number(7)}}) == "true");
  CHECK(eval("a IS FALSE", {{"a", number(0)}}) == "true");
  CHECK(eval("a IS NOT TRUE", {{"a", text("x")}}) == "true");
  CHECK(eval("a IS b", {{"a", number(1)}, {"b", text("1.0")}}) == "true");
  CHECK(eval("a IS b", {{"a", number(1)}, {"b", text("x")}}) == "false");
}

TEST_CASE("IN is a chain of OR, with its NULL", "[expr]") {
  CHECK(eval("1 IN (1, 2)") == "true");
  CHECK(eval("3 IN (1, 2)") == "false");
  CHECK(eval("3 IN (1, NULL)") == "null");
  CHECK(eval("1 IN (1, NULL)") == "true");
  CHECK(eval("NULL IN (1)") == "null");
  CHECK(eval("3 NOT IN (1, NULL)") == "null");
  CHECK(eval("3 NOT IN (1, 2)") == "true");
  const Record r = {{"a", text("b")}, {"n", number(2)}, {"t", text("2")}};
  CHECK(eval("a IN ('a', 'b')", r) == "true");
  CHECK(eval("a NOT IN ('a', 'c')", r) == "true");
  CHECK(eval("a IN ('a', NULL)", r) == "null");
  CHECK(eval("t IN (1, 2)", r) == "true");
  CHECK(eval("n IN ('1', '2')", r) == "true");
  CHECK(eval("n IN (1, t)", r) == "true");
  CHECK(eval("n IN (t + 1, missing)", r) == "null");
  CHECK(eval("a IN ('c', 1)", r) == "null");  // 'b' = 1 is NULL
}

TEST_CASE("BETWEEN is two comparisons, with their NULL", "[expr]") {
  const Record r = {{"n", number(5)}, {"one", number(1)}, {"nine", text("9")}};
  CHECK(eval("n BETWEEN 5 AND 5", r) == "true");
  CHECK(eval("n BETWEEN 6 AND 9", r) == "false");
  CHECK(eval("n NOT BETWEEN 6 AND 9", r) == "true");
  CHECK(eval("n BETWEEN one AND nine", r) == "true");
  CHECK(eval("n BETWEEN NULL AND 4", r) == "false");
  CHECK(eval("n BETWEEN NULL AND 6", r) == "null");
  CHECK(eval("n NOT BETWEEN missing AND 4", r) == "true");
  CHECK(eval("missing BETWEEN 1 AND 2", r) == "null");
}

TEST_CASE("AND and OR stop as soon as the answer is known", "[expr]") {
  // The overflow counter tells whether the right side ran.
  const std::string big(50'000, 'x');
  const Record r = {{"a", text(big)}, {"no", Value::of_bool(false)}, {"yes", Value::of_bool(true)}};
  const std::string costly = "lower(a) || a = 'y'";
  CHECK(Evaluation("no AND " + costly, r).overflows() == 0);
  CHECK(Evaluation("yes AND " + costly, r).overflows() == 1);
  CHECK(Evaluation("yes OR " + costly, r).overflows() == 0);
  CHECK(Evaluation("no OR " + costly, r).overflows() == 1);
  CHECK(Evaluation("coalesce(yes, " + costly + ")", r).overflows() == 0);
  CHECK(Evaluation("iif(yes, 1, " + costly + ")", r).overflows() == 0);
  CHECK(Evaluation("CASE WHEN no THEN " + costly + " ELSE 1 END", r).overflows() == 0);
}

TEST_CASE("Chains of field tests give the same truth in every mix of yes, no and unknown",
          "[expr]") {
  const Value values[] = {number(1), number(2), Value::null()};
  for (const Value& a : values) {
    for (const Value& b : values) {
      for (const Value& c : values) {
        const Record r = {{"a", a}, {"b", b}, {"c", c}};
        for (const std::string join : {"AND", "OR"}) {
          // `+ 0` keeps the tests from being field tests.
          const std::string fast = "a = 1 " + join + " b LIKE '1' " + join + " c <> 2";
          const std::string slow = "a + 0 = 1 " + join + " b + 0 LIKE '1' " + join + " c + 0 <> 2";
          CHECK(eval(fast, r) == eval(slow, r));
        }
      }
    }
  }
}
