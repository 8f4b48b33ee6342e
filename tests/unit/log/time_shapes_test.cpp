// Shapes of time stamps by the programs that write them. The expected moments are what Python's
// datetime makes of the same date, clock and offset.
#include "time_shapes.hpp"

#include "log_test_support.hpp"
#include "nines/log/timestamp.hpp"

using namespace nines;
using namespace nines::log;

namespace {

std::string any(std::string_view text, const TimeContext& context = test::kContext) {
  const auto t = parse_any_time(text, context);
  if (!t) return "none";
  return format_rfc3339(t->ts) + " " + std::to_string(t->length);
}

}  // namespace

TEST_CASE("Times of many programs are read with their zones", "[log]") {
  struct Case {
    const char* text;
    const char* expected;
  };
  static constexpr Case kCases[] = {
      {"261121  1:35:51 [Note] up", "2026-11-21T01:35:51Z 15"},  // old MySQL
      {"261121 11:35:51 [Note] up", "2026-11-21T11:35:51Z 15"},
      {"2026-11-21T01:35:51.262484Z 12 [Note]", "2026-11-21T01:35:51.262484Z 27"},
      {"2026-11-21 01:35:51.262 CET [12] LOG:", "2026-11-21T00:35:51.262Z 27"},  // PostgreSQL
      {"2026-07-21 01:35:51 CEST [12]", "2026-07-20T23:35:51Z 24"},
      {"2026-11-21 01:35:51.262 +03 [12]", "2026-11-20T22:35:51.262Z 27"},
      {"[2026-11-21 01:35:51.262 +03] LOG:", "2026-11-20T22:35:51.262Z 29"},
      {"2026-11-21 01:35:51 EST", "2026-11-21T06:35:51Z 23"},
      {"2026-07-21 01:35:51 EDT", "2026-07-21T05:35:51Z 23"},
      {"2026-11-21 01:35:51 CST", "2026-11-21T07:35:51Z 23"},
      {"2026-07-21 01:35:51 PDT x", "2026-07-21T08:35:51Z 23"},
      {"2026-11-21 01:35:51 JST", "2026-11-20T16:35:51Z 23"},
      {"2026-11-21 01:35:51 MSK", "2026-11-20T22:35:51Z 23"},
      {"2026-11-21 01:35:51 INFO up", "2026-11-21T01:35:51Z 19"},
      {"2026-11-21 01:35:51 ESTABLISHED", "2026-11-21T01:35:51Z 19"},
      {"2026/11/21 01:35:51.262484 main.go:1: up", "2026-11-21T01:35:51.262484Z 26"},  // Go
      {"Nov 21, 2026 1:35:51 AM org.x.Main run", "2026-11-21T01:35:51Z 23"},           // Java
      {"Nov 21, 2026 12:35:51 AM x", "2026-11-21T00:35:51Z 24"},
      {"Nov 21, 2026, 12:35:51 PM", "2026-11-21T12:35:51Z 25"},
      {"Nov 21, 2026, 1:35:51\xE2\x80\xAFPM x", "2026-11-21T13:35:51Z 26"},
      {"Nov 21, 2026 13:35:51 x", "2026-11-21T13:35:51Z 21"},
      {"21.11.2026 01:35:51 x", "2026-11-21T01:35:51Z 19"},
      {"21.11.2026 01:35:51,262 +0100", "2026-11-21T00:35:51.262Z 29"},
      {"21-Nov-2026 01:35:51.262 INFO [main]", "2026-11-21T01:35:51.262Z 24"},  // Tomcat
      {"Sat, 21 Nov 2026 01:35:51 GMT", "2026-11-21T01:35:51Z 29"},             // HTTP
      {"Saturday, 21-Nov-26 01:35:51 GMT", "2026-11-21T01:35:51Z 32"},          // RFC 850
      {"Sunday, 06-Nov-94 08:49:37 GMT", "1994-11-06T08:49:37Z 30"},
      {"Sat, 21 Nov 2026 01:35:51 -0800 (PST)", "2026-11-21T09:35:51Z 31"},  // mail
      {"Sat 21 Nov 2026 01:35:51 AM UTC", "2026-11-21T01:35:51Z 31"},        // date(1)
      {"Sat Nov 21 01:35:51 CET 2026", "2026-11-21T00:35:51Z 28"},
      {"Sat Nov 21 01:35:51 2026", "2026-11-21T01:35:51Z 24"},  // ctime
      {"20261121T013551Z", "2026-11-21T01:35:51Z 16"},
      {"20261121T013551+0100 x", "2026-11-21T00:35:51Z 20"},
      {"20261121013551", "2026-11-21T01:35:51Z 14"},
      {"20261121013551.262Z x", "2026-11-21T01:35:51.262Z 19"},
      {"Nov 21 2026 01:35:51: %ASA", "2026-11-21T01:35:51Z 20"},  // Cisco
      {"I1121 01:35:51.262484   1 x.go:1]", "2026-11-21T01:35:51.262484Z 21"},
      {"1763688951262484239 x", "2025-11-21T01:35:51.262484239Z 19"},
      {"31.12.2016 23:59:60", "2017-01-01T00:00:00Z 19"},  // a leap second
      {"29.02.2028 00:00:00", "2028-02-29T00:00:00Z 19"},
      {"01.01.1970 00:00:00", "1970-01-01T00:00:00Z 19"},
      {"31.12.2200 23:59:59", "2200-12-31T23:59:59Z 19"},
  };
  for (const Case& c : kCases) {
    CAPTURE(c.text);
    CHECK(any(c.text) == c.expected);
  }
}

TEST_CASE("The table of time stamps holds for any time, and nothing of a time is left over",
          "[log]") {
  for (const test::TimeShape& shape : test::kTimeShapes) {
    CAPTURE(shape.text);
    CHECK(any(shape.text) == std::string(shape.moment) + " " + std::to_string(shape.text.size()));
    const std::string bracketed = "[" + std::string(shape.text) + "] x";
    CHECK(any(bracketed) ==
          std::string(shape.moment) + " " + std::to_string(shape.text.size() + 2));
  }
  for (const std::string_view text : test::kNoTimes) {
    CAPTURE(text);
    CHECK(any(text) == "none");
  }
}

TEST_CASE("Abbreviations of several meanings leave the zone of the source", "[log]") {
  const TimeContext kolkata{19'800, test::kReference};
  CHECK(any("2026-11-21 06:05:51 IST x", kolkata) == "2026-11-21T00:35:51Z 23");
  CHECK(any("2026-11-21 06:05:51 IST x") == "2026-11-21T06:05:51Z 23");
  CHECK(any("2026-11-21 06:05:51 UTC x", kolkata) == "2026-11-21T06:05:51Z 23");
  CHECK(any("Sat Nov 21 06:05:51 BST 2026", kolkata) == "2026-11-21T00:35:51Z 28");
}

TEST_CASE("What is nearly a time is none", "[log]") {
  for (const char* bad : {"32.11.2026 01:35:51",      "21.13.2026 01:35:51",
                          "29.02.2027 00:00:00",      "01.01.1969 00:00:00",
                          "01.01.2201 00:00:00",      "21.11.2026 24:00:00",
                          "21.11.2026 01:60:00",      "21.11.2026 01:35",
                          "Nov 21, 2026 13:35:51 PM", "Nov 21, 2026 0:35:51 AM",
                          "Nov 31, 2026 1:35:51 AM",  "Nov 21, 2026 1:35",
                          "20261321013551",           "20261121013551x",
                          "20261121256000",           "261321  1:35:51",
                          "261121  1:61:51",          "Saturday, 21-Nov-26",
                          "Sa 21 Nov 2026 01:35:51",  "Saturday 21",
                          "11/21/2026 01:35:51"}) {
    CAPTURE(bad);
    CHECK(any(bad) == "none");
  }
}
