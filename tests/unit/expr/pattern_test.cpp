// LIKE, GLOB, REGEXP.
#include "../../../core/src/expr/pattern.hpp"

#include <catch2/catch.hpp>

#include "support.hpp"

using namespace expr_test;

namespace {
// The same answer from the compiled pattern and from the general matcher of a pattern in a field.
std::string match(const std::string& subject, const std::string& op, const std::string& pattern) {
  const Record r = {{"s", text(subject)}, {"p", text(pattern)}};
  const std::string fixed = eval("s " + op + " r'" + pattern + "'", r);
  if (op != "REGEXP") CHECK(eval("s " + op + " p", r) == fixed);
  return fixed;
}
}  // namespace

TEST_CASE("LIKE knows prefix, suffix, infix and any mix of them, in either case", "[expr]") {
  CHECK(match("/healthz?x=1", "LIKE", "/healthz%") == "true");
  CHECK(match("/HealthZ", "LIKE", "/healthz%") == "true");
  CHECK(match("/health", "LIKE", "/healthz%") == "false");
  CHECK(match("a.PNG", "LIKE", "%.png") == "true");
  CHECK(match("png", "LIKE", "%.png") == "false");
  CHECK(match("connection Timeout while", "LIKE", "%timeout%") == "true");
  CHECK(match("timeou", "LIKE", "%timeout%") == "false");
  CHECK(match("/api/v1/x.json", "LIKE", "/api/%.json") == "true");
  CHECK(match("/a", "LIKE", "/a%/a") == "false");
  CHECK(match("abc", "LIKE", "ABC") == "true");
  CHECK(match("abcd", "LIKE", "abc") == "false");
  CHECK(match("", "LIKE", "") == "true");
  CHECK(match("x", "LIKE", "") == "false");
  CHECK(match("", "LIKE", "%") == "true");
  CHECK(match("x", "LIKE", "%%") == "true");
  CHECK(match("abc", "LIKE", "a%%c") == "true");
  CHECK(match("a-b-c", "LIKE", "a%b%c") == "true");
  CHECK(match("aXbXbY", "LIKE", "%x%by") == "true");
  CHECK(match("abc", "LIKE", "a_c") == "true");
  CHECK(match("a\xc3\xa9"
              "c",
              "LIKE", "a_c") == "true");
  CHECK(match("ac", "LIKE", "a_c") == "false");
  CHECK(match("mississippi", "LIKE", "m%iss%ip_i") == "true");
  CHECK(match("\xc3\x89", "LIKE", "\xc3\xa9") == "false");  // only ASCII folds
}

TEST_CASE("LIKE finds an infix at every place of a text of any length", "[expr]") {
  for (size_t length = 3; length < 70; ++length) {
    for (size_t at = 0; at + 3 <= length; ++at) {
      std::string subject(length, 'n');
      subject.replace(at, 3, "NeE");
      REQUIRE(eval("s LIKE '%nee%'", {{"s", text(subject)}}) == "true");
    }
    REQUIRE(eval("s LIKE '%nee%'", {{"s", text(std::string(length, 'n'))}}) == "false");
  }
}

TEST_CASE("LIKE's ESCAPE makes wildcards plain", "[expr]") {
  const auto like = [](const std::string& subject, const std::string& pattern) {
    const Record r = {{"s", text(subject)}, {"p", text(pattern)}};
    const std::string fixed = eval("s LIKE '" + pattern + "' ESCAPE '!'", r);
    CHECK(eval("s LIKE p ESCAPE '!'", r) == fixed);
    return fixed;
  };
  CHECK(like("100%", "100!%") == "true");
  CHECK(like("1000", "100!%") == "false");
  CHECK(like("a_b", "a!_b") == "true");
  CHECK(like("axb", "a!_b") == "false");
  CHECK(like("a!", "a!!") == "true");
  CHECK(like("a!", "a!") == "false");  // nothing is escaped
  CHECK(like("100%x", "%!%%") == "true");
}

TEST_CASE("LIKE and REGEXP read numbers and levels as text", "[expr]") {
  CHECK(eval("s LIKE '5%'", {{"s", number(503)}}) == "true");
  CHECK(eval("s REGEXP '^5..$'", {{"s", number(503)}}) == "true");
  CHECK(eval("503 NOT LIKE '4%'") == "true");
}

TEST_CASE("GLOB is case-sensitive and knows sets", "[expr]") {
  CHECK(match("/var/log/app.log", "GLOB", "/var/log/*.log") == "true");
  CHECK(match("/var/log/app.LOG", "GLOB", "/var/log/*.log") == "false");
  CHECK(match("app1", "GLOB", "app?") == "true");
  CHECK(match("app", "GLOB", "app?") == "false");
  CHECK(match("b7", "GLOB", "[a-c][0-9]") == "true");
  CHECK(match("d7", "GLOB", "[a-c][0-9]") == "false");
  CHECK(match("d7", "GLOB", "[^a-c]*") == "true");
  CHECK(match("]", "GLOB", "[]]") == "true");
  CHECK(match("-", "GLOB", "[a-]") == "true");
  CHECK(match("a", "GLOB", "[a") == "false");
  CHECK(match("xabx", "GLOB", "*ab*") == "true");
}

TEST_CASE("A wildcard pattern made to be slow ends soon", "[expr]") {
  const std::string subject(20'000, 'a');
  std::string pattern;
  for (int i = 0; i < 20; ++i) pattern += "%a";
  CHECK(eval("s LIKE '" + pattern + "_b'", {{"s", text(subject)}}) == "false");
}

TEST_CASE("REGEXP searches, unanchored, with RE2", "[expr]") {
  CHECK(match("read timeout after 5s", "REGEXP", "timeout|refused") == "true");
  CHECK(match("connection refused", "REGEXP", "timeout|refused") == "true");
  CHECK(match("connection reset", "REGEXP", "timeout|refused") == "false");
  CHECK(match("Timeout", "REGEXP", "timeout") == "false");
  CHECK(match("Timeout", "REGEXP", "(?i)timeout") == "true");
  CHECK(match("in 15ms", "REGEXP", R"(in \d+ms$)") == "true");
  CHECK(match("in 15ms.", "REGEXP", R"(in \d+ms$)") == "false");
  CHECK(match("a.b", "REGEXP", R"(a\.b)") == "true");
  CHECK(match("axb", "REGEXP", R"(a\.b)") == "false");
  CHECK(match("", "REGEXP", "") == "true");
  CHECK(match("\xff\xfe timeout 5", "REGEXP", R"(timeout \d)") == "true");
  CHECK(eval("'abc' ~ 'b'") == "true");
  CHECK(eval("'abc' !~ 'b'") == "false");
}

// The literals that are looked for first must be in every match.
TEST_CASE("Literals required by a regular expression never lose a match", "[expr]") {
  struct Case {
    const char* pattern;
    const char* subject;
  };
  const Case cases[] = {
      {"colou?r", "color"},
      {"ab*c", "ac"},
      {"ab+c", "abbc"},
      {"ab{0}c", "ac"},
      {"ab{0,2}c", "abbc"},
      {"a{b|c}d", "a{b"},
      {"a{b|c}d", "c}d"},
      {"(foo|bar)?baz", "baz"},
      {"(foo|bar)+baz", "barbaz"},
      {"(foo|b)x", "bx"},
      {"(a|)b", "b"},
      {"x(?:yz)*", "x"},
      {"[abc]def[^]x]", "adefy"},
      {"[[:alpha:]]bc", "abc"},
      {R"(\Qa.b\E)", "a.b"},
      {R"(\x41bc)", "Abc"},
      {R"(a\tb)", "a\tb"},
      {R"([\]]x)", "]x"},
      {"(?i)abc", "ABC"},
      {"(?i:abc)d", "ABCd"},
      {"a(?i)bc", "aBC"},
      {"(?P<n>ab)c", "abc"},
      {"a|b|", "zzz"},
      {"^abc$", "abc"},
      {R"(\bword\b)", "a word x"},
      {"a.c", "abc"},
      {"ab?", "a"},
      {"\xc3\xa9?x", "x"},
      {"a??b", "b"},
      {"(a+b)*c", "c"},
      {"((x))", "x"},
      {"((ab|cd)e|f)g", "fg"},
      {"a+?b", "aab"},
      {R"(\pLx)", "ax"},
      {"(?s)a.b", "a\nb"},
      {"ab{2}", "abb"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern, c.subject);
    CHECK(match(c.subject, "REGEXP", c.pattern) == "true");
  }
}

TEST_CASE("regexp_extract gives a group of the first match, or NULL", "[expr]") {
  const Record r = {{"m", text("took 15ms, then 20ms")}};
  CHECK(eval(R"(regexp_extract(m, r'(\d+)ms'))", r) == "'15'");
  CHECK(eval(R"(regexp_extract(m, r'\d+ms'))", r) == "'15ms'");
  CHECK(eval(R"(regexp_extract(m, r'(\d+)ms', 0))", r) == "'15ms'");
  CHECK(eval(R"(regexp_extract(m, r'(\d+)(x)?', 2))", r) == "null");
  CHECK(eval("regexp_extract(m, 'never')", r) == "null");
  CHECK(eval("regexp_extract(missing, 'x')", r) == "null");
  CHECK(eval("regexp_extract('', '(x*)')") == "''");
  CHECK(eval(R"(regexp_extract(m, r'(\d+)ms') > 10)", r) == "true");
}

TEST_CASE("Of each alternative the best literals are required", "[expr]") {
  using Sets = std::vector<std::vector<std::string>>;
  const auto sets = [](const char* pattern) {
    return nines::expr::pattern_literals(pattern).all_of;
  };
  CHECK(sets("a.bcd|xyz") == Sets{{"bcd", "xyz"}});     // the longer one
  CHECK(sets("ab.cd|xyz") == Sets{{"ab", "xyz"}});      // of equal ones the first
  CHECK(sets("(a|b)c.de|xyz") == Sets{{"de", "xyz"}});  // or the set of fewer
  CHECK(sets("a*+b") == Sets{{"b"}});
}

TEST_CASE("What is no regular expression, or may be a literal brace, requires nothing", "[expr]") {
  for (const char* const pattern : {"*a", "+a", "?a", "{a", "[ab", "[a", "(a", "a)", "a\\"}) {
    CAPTURE(pattern);
    CHECK(nines::expr::pattern_literals(pattern).all_of.empty());
  }
  CHECK(match("{a", "REGEXP", "{a") == "true");
}

TEST_CASE("A regular expression that needs too much memory is refused with a way out", "[expr]") {
  const auto large = nines::expr::Regexp::compile("\\pL{900}");
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().code == nines::Errc::exhausted);
  CHECK(large.error().message.find("make counted repetitions") != std::string::npos);
}

TEST_CASE("Sets of many literals are left to the automaton", "[expr]") {
  CHECK(match("xc9 then zz", "REGEXP", "(xa1|xb2|xc9|xd4|xe5|xf6|xg7|xh8|xi0).*zz") == "true");
  CHECK(match("xc8 then zz", "REGEXP", "(xa1|xb2|xc9|xd4|xe5|xf6|xg7|xh8|xi0).*zz") == "false");
}

TEST_CASE("A compiled expression may take the place of another", "[expr]") {
  auto a = nines::expr::Regexp::compile("a+b");
  auto b = nines::expr::Regexp::compile("x(\\d)");
  REQUIRE((a.ok() && b.ok()));
  *a = std::move(*b);
  CHECK(a->matches("x1"));
  CHECK_FALSE(a->matches("aab"));
  CHECK(a->groups() == 1);
}
