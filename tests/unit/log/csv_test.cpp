#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::Lines;

namespace {
FormatSpec csv(const std::string& pattern) { return {FormatKind::csv, pattern, {}}; }
}  // namespace

TEST_CASE("CSV gives cells by the names of its header line", "[log]") {
  Lines lines(csv(",timestamp,Severity,status,path,msg"),
              {"ts", "level", "status", "path", "message", "Severity", "nope", "raw"});
  CHECK(lines("2026-11-21T01:35:51Z,warn,503,/a,up") ==
        "ok 2026-11-21T01:35:51Z 2026-11-21T01:35:51Z WARN 503 '/a' 'up' 'warn' null "
        "'2026-11-21T01:35:51Z,warn,503,/a,up'");
  CHECK(lines(R"("2026-11-21 01:35:51",,"503","a,b","say ""no"" now")") ==
        "ok 2026-11-21T01:35:51Z 2026-11-21T01:35:51Z null '503' 'a,b' 'say \"no\" now' null null "
        R"('"2026-11-21 01:35:51",,"503","a,b","say ""no"" now"')");
  CHECK(lines("x,,007,\"\",-1.5\r").substr(0, 42) == "bad_time null null '007' '' -1.5 null null");
}

TEST_CASE("CSV refuses other columns and skips its header when it comes again", "[log]") {
  Lines lines(csv(";ts;a;b"), {"a", "b"});
  CHECK(lines("1763688951;1;2") == "ok 2025-11-21T01:35:51Z 1 2");
  CHECK(lines("ts;a;b") == "empty null null");
  CHECK(lines("\xEF\xBB\xBFts;a;b\r") == "empty null null");
  CHECK(lines("") == "empty null null");
  for (const char* bad : {"1;2", "1;2;3;4", "1;2;\"open", "1;\"x\"y;2", "1;2;3;"}) {
    CAPTURE(bad);
    CHECK(lines(bad) == "no_match null null");
  }
  Lines tabs(csv("\tts\ta\tb"), {"a", "b"});
  CHECK(tabs("1763688951\t\t \t").substr(0, 8) == "no_match");
  CHECK(tabs("1763688951\tx y\t") == "ok 2025-11-21T01:35:51Z 'x y' null");
}

TEST_CASE("CSV joins a date and a time of day", "[log]") {
  Lines lines(csv("|Date|Time|Level"), {"level", "Time"});
  CHECK(lines("2026-11-21|01:35:51|INFO") == "ok 2026-11-21T01:35:51Z INFO '01:35:51'");
  CHECK(lines("081109|203615|INFO") == "ok 2008-11-09T20:36:15Z INFO 203615");
}

TEST_CASE("CSV records with line ends in quotes are open until the quote closes", "[log]") {
  Lines lines(csv(",ts,a,b"), {"a", "b"});
  CHECK(lines.parser->open("1763688951,\"x"));
  CHECK(lines.parser->open("1763688951,\"x\ny\"\""));
  CHECK_FALSE(lines.parser->open("1763688951,\"x\ny\",2"));
  CHECK_FALSE(lines.parser->open("1763688951,x\"y,2"));
  CHECK(lines("1763688951,\"x\ny\",2") == "ok 2025-11-21T01:35:51Z 'x\ny' 2");
}

TEST_CASE("CSV formats without a header say what they need", "[log]") {
  for (const char* bad : {"", ",", "xts,a", ",ts", ",\"ts,a"}) {
    const auto parser = make_parser(csv(bad), {}, test::kContext);
    CAPTURE(bad);
    REQUIRE_FALSE(parser.ok());
    CHECK_THAT(parser.error().message, Catch::Contains("csv"));
  }
}

TEST_CASE("A header line names three columns or more and holds no values", "[log]") {
  CHECK(csv_header("ts,level,msg\r")->pattern == ",ts,level,msg");
  CHECK(csv_header("\xEF\xBB\xBF\"Line Id\";\"time\";\"msg\"")->pattern[0] == ';');
  CHECK(csv_header("a\tb\tc")->pattern[0] == '\t');
  for (const char* bad : {"", "a,b", "a,b,1", "a,b,a", "a,,b", "2026-11-21,x,y",
                          "one, {two}, three", "{\"a\":1,\"b\":2,\"c\":3}"}) {
    CAPTURE(bad);
    CHECK_FALSE(csv_header(bad));
  }
}
