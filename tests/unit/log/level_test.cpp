#include <catch2/catch.hpp>
#include <string_view>
#include <vector>

#include "nines/log/value.hpp"

using nines::Level;
using nines::level_name;
using nines::parse_level;

namespace {
int rank(std::string_view text) {
  Level level{};
  return parse_level(text, level) ? static_cast<int>(level) : -1;
}
}  // namespace

TEST_CASE("Levels read back from their own names", "[log]") {
  for (const Level level :
       {Level::trace, Level::debug, Level::info, Level::warn, Level::error, Level::fatal}) {
    CHECK(rank(level_name(level)) == static_cast<int>(level));
  }
}

TEST_CASE("Levels are known in the spellings of common loggers", "[log]") {
  struct Case {
    Level level;
    std::vector<std::string_view> spellings;
  };
  const Case cases[] = {
      {Level::trace, {"trace", "Trace", "TRC", "V", "verbose", "10", "finest"}},
      {Level::debug, {"debug", "DEBUG", "dbg", "D", "20", "7", "debug3", "fine"}},
      {Level::info, {"info", "Information", "informational", "I", "notice", "LOG", "30", "6", "5"}},
      {Level::warn, {"warn", "Warning", "WRN", "W", "40", "4"}},
      {Level::error, {"error", "ERR", "E", "severe", "50", "3"}},
      {Level::fatal,
       {"fatal", "CRITICAL", "crit", "F", "panic", "emerg", "Emergency", "alert", "60", "0"}},
  };
  for (const Case& c : cases) {
    for (const std::string_view spelling : c.spellings) {
      CAPTURE(spelling);
      CHECK(rank(spelling) == static_cast<int>(c.level));
    }
  }
}

TEST_CASE("A text that is no level is none", "[log]") {
  for (const char* text : {"", "x", "infos", "warnings", "errr", "200", "8", "70", " info", "info ",
                           "informations", "a text much longer than any level"}) {
    CAPTURE(text);
    CHECK(rank(text) == -1);
  }
  CHECK(rank(std::string_view("\0\0\0\0info", 8)) == -1);
  CHECK(rank(std::string_view("\0info", 5)) == -1);
}
