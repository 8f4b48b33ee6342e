#include "nines/query/extract.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using query::Extract;
using query::Extractor;

namespace {

std::string show(const Value& value) {
  switch (value.kind) {
    case ValueKind::null: return "NULL";
    case ValueKind::text: return "'" + std::string(value.text) + "'";
    case ValueKind::number:
      return std::to_string(value.mantissa) +
             (value.exponent != 0 ? "e" + std::to_string(value.exponent) : "");
    case ValueKind::real: return "real";
    default: return "?";
  }
}

std::string run(Extract::Kind kind, std::string_view pattern, std::string_view text) {
  auto made = Extractor::compile(kind, pattern);
  if (!made.ok()) return made.error().message;
  std::vector<Value> values(made->names().size());
  const bool matched = made->run(text, values);
  std::string out = matched ? "" : "no:";
  for (size_t i = 0; i < values.size(); ++i) {
    out += (i > 0 ? " " : "") + made->names()[i] + "=" + show(values[i]);
  }
  return out;
}
std::string pattern(std::string_view p, std::string_view text) {
  return run(Extract::Kind::pattern, p, text);
}
std::string regexp(std::string_view p, std::string_view text) {
  return run(Extract::Kind::regexp, p, text);
}

}  // namespace

TEST_CASE("EXTRACT finds what stands between literals, anywhere in the text") {
  CHECK(pattern("in <ms:num>ms", "GET / in 12ms") == "ms=12");
  CHECK(pattern("in <ms:num>ms", "in the end in 1.5ms") == "ms=15e-1");
  CHECK(pattern("in <ms:num>ms", "in 12s") == "no:ms=NULL");
  CHECK(pattern("user=<user> ip=<ip:word>", "x user=a b ip=10.0.0.1 y") ==
        "user='a b' ip='10.0.0.1'");
  CHECK(pattern("a<x>b", "ab") == "x=''");
  CHECK(pattern("from <_> to <to>", "from here to there") == "to='there'");
}

TEST_CASE("EXTRACT: any is the shortest text up to what follows it") {
  CHECK(pattern("<first> <rest>", "a b c") == "first='a' rest='b c'");
  CHECK(pattern("<all>", "a b c") == "all='a b c'");
  CHECK(pattern("[<x>] <n:int>ms", "[a] [b] 5ms") == "x='a] [b' n=5");
  CHECK(pattern("<x>: <y:num>;", "p: q: 1; 2") == "x='p: q' y=1");
}

TEST_CASE("EXTRACT: words have no blanks and end where the next literal begins first") {
  CHECK(pattern("<k:word>=<v:word>", "the key=value here") == "k='key' v='value'");
  CHECK(pattern("path <p:word>?<q:word>", "path /a b?c path /d?e") == "p='/d' q='e'");
  CHECK(pattern("id=<id:word>", "id= id=7") == "id='7'");
  CHECK(pattern("<w:word>", "  two words") == "w='two'");
  CHECK(pattern("<w:word> end", "a b end") == "w='b'");
  CHECK(pattern("x<w:word>x", "xxx") == "w='x'");
  const std::string longest(1024, 'w');
  CHECK(pattern("=<w:word>;", "=" + longest + ";") == "w='" + longest + "'");
  CHECK(pattern("=<w:word>;", "=" + longest + "w;") == "no:w=NULL");
}

TEST_CASE("EXTRACT: numbers are the longest run and come as numbers") {
  CHECK(pattern("<n:num>", "t-1.50e3x") == "n=-150e1");
  CHECK(pattern("<n:num>", "v1") == "n=1");
  CHECK(pattern("<n:num>ms", "1.2.3ms") == "n=23e-1");
  CHECK(pattern("<n:int>.", "12.5") == "n=12");
  CHECK(pattern("<n:int>", "+5") == "n=5");
  CHECK(pattern("<n:num> <m:num>", "3 - 4 5") == "n=4 m=5");
  CHECK(pattern("n=<n:num>", "n=5.") == "n=5");
  CHECK(pattern("n=<n:num>", "n=5e") == "n=5");
  CHECK(pattern("n=<n:num>", "n=5e-2") == "n=5e-2");
  CHECK(pattern("n=<n:num>", "n=12345678901234567890123") == "n=real");
  CHECK(pattern("n=<n:num>", "n=-") == "no:n=NULL");
  CHECK(pattern("<n:num>", "") == "no:n=NULL");
}

TEST_CASE("EXTRACT: a literal < or \\ is written with a backslash") {
  CHECK(pattern("\\<<tag>>", "x <b>") == "tag='b'");
  CHECK(pattern("C:\\\\<dir>\\\\", "C:\\temp\\x") == "dir='temp'");
  CHECK(pattern("a\\d<x>", "a\\d1") == "x='1'");
}

TEST_CASE("EXTRACT takes time linear in the text whatever the text is") {
  const std::string hostile(256 * 1024, 'a');
  CHECK(pattern("a<w:word>b", hostile) == "no:w=NULL");
  CHECK(pattern("1<n:num>x", std::string(256 * 1024, '1')) == "no:n=NULL");
}

TEST_CASE("EXTRACT says what is wrong with a pattern, and where") {
  const auto error = [](std::string_view text, size_t& at) {
    auto made = Extractor::compile(Extract::Kind::pattern, text, &at);
    REQUIRE_FALSE(made.ok());
    return made.error().message;
  };
  size_t at = 99;
  CHECK(error("nothing", at).find("has no field") != std::string::npos);
  CHECK(error("in <_>ms", at).find("has no field") != std::string::npos);
  CHECK(at == 0);
  CHECK(error("in <ms", at).find("no '>' ends") != std::string::npos);
  CHECK(at == 3);
  CHECK(error("in <ms:float>", at) == "unknown kind \"float\"; one of: any, word, num, int");
  CHECK(error("<a><b>", at).find("nothing stands between") != std::string::npos);
  CHECK(at == 3);
  CHECK(error("<a> <a>", at) == "field \"a\" is there twice");
  CHECK(error("<1a>", at).find("no name of a field") != std::string::npos);
  std::string many;
  for (int i = 0; i < 33; ++i) many += "<f" + std::to_string(i) + ">,";
  CHECK(error(many, at) == "more than 32 fields");
}

TEST_CASE("EXTRACT REGEXP gives named groups, those that look like numbers as numbers") {
  CHECK(regexp(R"(in (?P<ms>\d+)ms)", "done in 25ms") == "ms=25");
  CHECK(regexp(R"((?P<a>\S+) (x)?(?P<b>\S+)?)", "007 -0.5") == "a='007' b=-5e-1");
  CHECK(regexp(R"((?P<a>a)|(?P<b>b))", "b") == "a=NULL b='b'");
  CHECK(regexp(R"((?P<n>.*))", "1e3") == "n='1e3'");
  CHECK(regexp(R"((?P<n>.*))", "1.") == "n='1.'");
  CHECK(regexp(R"((?P<n>.*))", "-") == "n='-'");
  CHECK(regexp(R"((?P<n>.*))", "0") == "n=0");
  CHECK(regexp(R"((?P<n>\d+)ms)", "none") == "no:n=NULL");
}

TEST_CASE("EXTRACT REGEXP refuses what has no field and what needs backtracking") {
  CHECK(regexp(R"(\d+)", "1").find("no named group") != std::string::npos);
  CHECK(regexp(R"((?P<a>.)\1)", "aa").find("back references") != std::string::npos);
  CHECK(regexp("(?P<a>", "aa").find("missing") != std::string::npos);
  std::string many = "(?P<x>a)";
  for (int i = 0; i < 33; ++i) many = "(b)?" + many;
  CHECK(regexp(many, "a").find("more than 32 groups") != std::string::npos);
}

TEST_CASE("extract_names() tells the fields in order") {
  const auto names = query::extract_names(Extract::Kind::regexp, "(?P<b>.)(?P<a>.)");
  REQUIRE(names.ok());
  CHECK(*names == std::vector<std::string>{"b", "a"});
  CHECK_FALSE(query::extract_names(Extract::Kind::pattern, "").ok());
}
