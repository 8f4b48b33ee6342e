// What a mistake gets: the line, a caret below the place, what was expected.
#include <catch2/catch.hpp>

#include "statement_support.hpp"

using nines::query::test::error_of;

TEST_CASE("An error shows the line of the statement and a caret below the place") {
  CHECK(error_of("SELECT service,\n  cuont(*)\nFROM logs('x')") ==
        "line 2, column 3: unknown function 'cuont'; did you mean 'count'?\n"
        "    cuont(*)\n"
        "    ^");
}

TEST_CASE("The caret stands below the character, not the byte, and tabs do not move it") {
  CHECK(error_of("SELECT '\xc3\xa4',\tcuont(*) FROM logs('x')") ==
        "line 1, column 13: unknown function 'cuont'; did you mean 'count'?\n"
        "  SELECT '\xc3\xa4', cuont(*) FROM logs('x')\n"
        "              ^");
}

TEST_CASE("Of a long line what stands around the place is shown") {
  const std::string error = error_of("SELECT " + std::string(300, ' ') + "cuont(*) FROM logs('x')");
  CHECK(error.find("\n  ...") != std::string::npos);
  const size_t text = error.find("cuont(*) FROM");
  const size_t line = error.rfind('\n', text);
  const size_t caret_line = error.find('\n', text);
  CHECK(error.find('^', caret_line) - caret_line == text - line);
}

TEST_CASE("Misspelt clauses and sources are told the nearest word") {
  CHECK(error_of("SELECT a FROM logs('x') WEHRE a = 1") ==
        "line 1, column 25: unexpected 'WEHRE'; did you mean WHERE?\n"
        "  SELECT a FROM logs('x') WEHRE a = 1\n"
        "                          ^");
  CHECK(error_of("SELECT a FROM lgos('x')") ==
        "line 1, column 15: unexpected 'lgos'; did you mean logs?\n"
        "  SELECT a FROM lgos('x')\n"
        "                ^");
  CHECK(error_of("SELCT a FROM logs('x')") ==
        "line 1, column 1: unexpected 'SELCT'; did you mean SELECT?\n"
        "  SELCT a FROM logs('x')\n"
        "  ^");
}

TEST_CASE("A source without its name is told what a source looks like, not its own word again") {
  CHECK(error_of("SELECT a FROM logs") ==
        "line 1, column 15: unexpected 'logs'; expected a log source: logs('name'), files('glob'), "
        "stdin or '/path/to/file'\n"
        "  SELECT a FROM logs\n"
        "                ^");
}

TEST_CASE("Parentheses without their other half are pointed at") {
  CHECK(error_of("SELECT count(* FROM logs('x')") ==
        "line 1, column 13: this '(' is never closed; expected ')'\n"
        "  SELECT count(* FROM logs('x')\n"
        "              ^");
  CHECK(error_of("SELECT count(*)) FROM logs('x')") ==
        "line 1, column 16: unexpected ')'; hint: there is no '(' that it closes\n"
        "  SELECT count(*)) FROM logs('x')\n"
        "                 ^");
}

TEST_CASE("Arguments that can't be are refused with what would be right") {
  CHECK(error_of("SELECT percentile(x, 99) FROM logs('x')") ==
        "line 1, column 22: percentile() takes a share between 0 and 1, got 99; did you mean "
        "0.99?\n"
        "  SELECT percentile(x, 99) FROM logs('x')\n"
        "                       ^");
  CHECK(error_of("SELECT bucket(ts) FROM logs('x')").find("hint: bucket(ts, '1m')") !=
        std::string::npos);
  CHECK(error_of("SELECT bucket(ts, 5) FROM logs('x')").find("a duration in quotes") !=
        std::string::npos);
  CHECK(error_of("SELECT a FROM logs('x') LIMIT ten") ==
        "line 1, column 31: unexpected 'ten'; expected a whole number after LIMIT\n"
        "  SELECT a FROM logs('x') LIMIT ten\n"
        "                                ^");
  CHECK(error_of("SELECT a FROM logs('x') SINCE 'soon'").find("'-2h' (two hours ago)") !=
        std::string::npos);
  CHECK(error_of("SELECT topk(a, 0) FROM logs('x')").find("1 to 10000") != std::string::npos);
}

TEST_CASE("Patterns that need backtracking are refused with the reason") {
  const std::string error = error_of("SELECT a FROM logs('x') WHERE message ~ '(?=a)b'");
  CHECK(error.starts_with("line 1, column 41: bad regular expression"));
  CHECK(error.find("matching time must stay linear") != std::string::npos);
}

TEST_CASE("A sequence can't begin with NOT, and one that ends with NOT needs WITHIN") {
  CHECK(error_of("SELECT k FROM logs('x') SEQUENCE BY k (NOT a: x = 1, b: x = 2)") ==
        "line 1, column 40: a sequence can't begin with NOT: nothing says from when on the step "
        "must be absent; hint: begin with the event that opens it\n"
        "  SELECT k FROM logs('x') SEQUENCE BY k (NOT a: x = 1, b: x = 2)\n"
        "                                         ^");
  CHECK(error_of("SELECT k FROM logs('x') SEQUENCE BY k (a: x = 1, NOT b: x = 2)").find("WITHIN") !=
        std::string::npos);
}

TEST_CASE("Aggregates are refused where there are no groups") {
  CHECK(error_of("SELECT a FROM logs('x') WHERE count(*) > 3").find("go into HAVING") !=
        std::string::npos);
  CHECK(error_of("SELECT sum(max(a)) FROM logs('x')").find("within another") != std::string::npos);
  CHECK(error_of("SELECT a FROM logs('x') HAVING a > 3").find("HAVING is for groups") !=
        std::string::npos);
  CHECK(error_of("SELECT a FROM logs('x') ORDER BY 2").find("the SELECT list has 1 item") !=
        std::string::npos);
}

TEST_CASE("Columns that a session or a match does not have are told with the nearest") {
  CHECK(error_of("SELECT stat FROM logs('x') SESSION BY k") ==
        "line 1, column 8: there is no column 'stat' here; did you mean 'start'?\n"
        "  SELECT stat FROM logs('x') SESSION BY k\n"
        "         ^");
}

TEST_CASE("What only runs natively says how to put plain SQL around it") {
  const std::string error = error_of(
      "SELECT k, row_number() OVER (ORDER BY start) FROM logs('x') SESSION BY k IDLE '1m'");
  CHECK(error.find("row_number() is a function of SQLite") != std::string::npos);
  CHECK(error.find("SELECT ... FROM (SELECT ...") != std::string::npos);
}

TEST_CASE("A field of a join must say whose it is when it may be of several logs") {
  CHECK(error_of("SELECT x FROM logs('a') a JOIN logs('b') b ON a.x = b.x") ==
        "line 1, column 8: 'x' may be a field of any of a, b; write which: a.x\n"
        "  SELECT x FROM logs('a') a JOIN logs('b') b ON a.x = b.x\n"
        "         ^");
}

TEST_CASE("Options and patterns name what is wrong within them") {
  CHECK(error_of("SELECT a FROM logs('x') WITH (deadlin='1s')").find("did you mean deadline?") !=
        std::string::npos);
  CHECK(error_of("SELECT a FROM logs('x') WITH (max_memory='much')").find("'64MB'") !=
        std::string::npos);
  CHECK(error_of("SELECT k FROM logs('x') MATCH_RECOGNIZE (PARTITION BY k PATTERN (A B{3,1}) "
                 "DEFINE A AS x = 1)")
            .find("{3,1} can never be") != std::string::npos);
  CHECK(error_of("SELECT k FROM logs('x') MATCH_RECOGNIZE (PATTERN (A B) DEFINE C AS x = 1)")
            .find("C is not in it") == std::string::npos);
  CHECK(error_of("SELECT k FROM logs('x') MATCH_RECOGNIZE (PATTERN (A B) DEFINE C AS x = 1)")
            .find("did you mean A?") != std::string::npos);
  CHECK(error_of("SELECT k FROM logs('x') MATCH_RECOGNIZE (PATTERN ((A{5000}){5000}))")
            .find("10000 variables") != std::string::npos);
  CHECK(error_of("SELECT a FROM files('x', FORMAT jsno)").find("jsno") != std::string::npos);
}

TEST_CASE("Names of fields can't hold control characters, which mark names made up on the way") {
  CHECK(error_of("SELECT a, lag(\"\x02zz\") OVER () FROM logs('x')").find("control characters") !=
        std::string::npos);
}

TEST_CASE("Navigation that can't be is refused with what would be right") {
  const auto error = [](const std::string& measure) {
    return error_of(
        "SELECT * FROM logs('x') MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts MEASURES " + measure +
        " AS m PATTERN (A B) DEFINE A AS x = 1)");
  };
  const auto has = [&](const std::string& measure, std::string_view text) {
    CAPTURE(error(measure));
    return error(measure).find(text) != std::string::npos;
  };
  CHECK(has("FIRST(5)", "a field, or a variable and a field"));
  CHECK(has("LAST(lower(A.x))", "put the expression around it"));
  CHECK(has("PREV(x, 'a')", "a number of rows, at most 10000"));
  CHECK(has("PREV(x, 10001)", "a number of rows, at most 10000"));
  CHECK(has("stddev(A.x)", "is not known within a match"));
  CHECK(has("sum(*)", "takes a field, such as A.bytes"));
  CHECK(has("x IN (SELECT 1)", "can't stand in a condition of a pattern"));
  CHECK(has("RUNNING LAST(A.x)", "no error"));
  CHECK(has("PREV(x) + PREV(x) * LAST(A.x)", "no error"));
}

namespace {

// The first line of the error, without the place.
std::string reason(const std::string& clause) {
  const std::string error = error_of("SELECT * FROM logs('x') " + clause);
  const size_t begin = error.find(": ") + 2;
  return error.substr(begin, error.find('\n') - begin);
}
std::string in_match(const std::string& text) { return reason("MATCH_RECOGNIZE (" + text + ")"); }
std::string of_pattern(const std::string& pattern) {
  return in_match("PATTERN (" + pattern + ") DEFINE A AS x = 1");
}

}  // namespace

TEST_CASE("A pattern that can't be says which part of it") {
  CHECK(of_pattern("A ^+") == "an anchor can't be repeated");
  CHECK(of_pattern("A $ {2}") == "an anchor can't be repeated");
  CHECK(of_pattern("A{}") ==
        "unexpected '}'; expected a number of repetitions: {2}, {2,}, {,3} or {2,3}");
  CHECK(of_pattern("A{2") == "unexpected ')'; expected '}' after the number of repetitions");
  CHECK(of_pattern("A{3,2}") == "the repetition {3,2} can never be");
  CHECK(of_pattern("A{0}") == "the repetition {0,0} can never be");
  CHECK(of_pattern("A{10001}") == "a repetition of more than 10000 is too large");
  CHECK(of_pattern("(A{1000}){11}") ==
        "the pattern has more than 10000 variables once its repetitions are written out");
  CHECK(of_pattern("PERMUTE(A, B, C, D, E, F, G)") == "PERMUTE takes at most 6 parts, got 7");
  CHECK(of_pattern("PERMUTE(A, B") == "this '(' is never closed; expected ')'");
  CHECK(of_pattern("{- A }") == "unexpected '}'; expected '-}' after the excluded part");
  CHECK(of_pattern(std::string(101, '(') + "A" + std::string(101, ')')) ==
        "the pattern is nested more than 100 levels deep");
}

TEST_CASE("The parts of MATCH_RECOGNIZE stand in their order, and each says what it lacks") {
  CHECK(in_match("ORDER BY ts") == "unexpected ')'; expected PATTERN (...) in MATCH_RECOGNIZE");
  CHECK(in_match("DEFINE A AS x = 1 PATTERN (A)") ==
        "unexpected 'DEFINE'; expected PATTERN (...); hint: the order is PARTITION BY, ORDER BY, "
        "MEASURES, ROWS PER MATCH, AFTER MATCH SKIP, PATTERN, DEFINE");
  CHECK(in_match("PARTITION k PATTERN (A)") == "unexpected 'k'; expected BY after PARTITION");
  CHECK(in_match("ORDER ts PATTERN (A)") == "unexpected 'ts'; expected BY after ORDER");
  CHECK(in_match("ORDER BY x PATTERN (A)") ==
        "unexpected 'x'; expected ts: rows are matched in the order of time");
  CHECK(in_match("MEASURES count(*) PATTERN (A)") ==
        "unexpected 'PATTERN'; expected AS and a name after the measure");
  CHECK(in_match("MEASURES A.x AS m, A.y AS m PATTERN (A)") == "the measure 'm' is there twice");
  CHECK(in_match("ALL ROWS MATCH PATTERN (A)") == "unexpected 'MATCH'; expected PER");
  CHECK(in_match("ALL ROWS PER MATCH SHOW EMPTY MATCHES PATTERN (A)") ==
        "SHOW EMPTY MATCHES is not supported; empty matches are omitted");
  CHECK(in_match("AFTER MATCH SKIP PATTERN (A)") == "unexpected 'PATTERN'; expected TO");
  CHECK(in_match("AFTER MATCH SKIP TO LAST C PATTERN (A)") ==
        "unexpected 'C'; expected a variable of the pattern");
  CHECK(in_match("PATTERN (A) SUBSET U = (A)") == "SUBSET is not supported");
  CHECK(in_match("PATTERN (A) DEFINE B AS x = 1") == "unexpected 'B'; did you mean A?");
  CHECK(in_match("PATTERN (A) DEFINE A x = 1") ==
        "unexpected 'x'; expected AS and a condition after the variable");
  CHECK(in_match("PATTERN (A) DEFINE 1") == "unexpected '1'; expected a variable of the pattern");
}
