#include "nines/log/timestamp.hpp"

#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::kContext;

namespace {

std::string show(const std::optional<ParsedTime>& t) {
  if (!t) return "none";
  return format_rfc3339(t->ts) + " " + std::to_string(t->length);
}
std::string any(std::string_view text) { return show(parse_any_time(text, kContext)); }

}  // namespace

TEST_CASE("ISO times parse with every separator, fraction and zone", "[log]") {
  struct Case {
    const char* text;
    const char* expected;
  };
  static constexpr Case kCases[] = {
      {"2026-11-21T01:35:51Z", "2026-11-21T01:35:51Z 20"},
      {"2026-11-21T01:35:51.262484239Z", "2026-11-21T01:35:51.262484239Z 30"},
      {"2026-11-21 01:35:51,262 INFO", "2026-11-21T01:35:51.262Z 23"},
      {"2026/11/21 01:35:51 [error]", "2026-11-21T01:35:51Z 19"},
      {"2026-11-21T01:35:51+01:00", "2026-11-21T00:35:51Z 25"},
      {"2026-11-21T01:35:51+0100", "2026-11-21T00:35:51Z 24"},
      {"2026-11-21 01:35:51+01", "2026-11-21T00:35:51Z 22"},
      {"2026-11-21 01:35:51.5 -0330", "2026-11-21T05:05:51.500Z 27"},
      {"2026-11-21 01:35:51 UTC [12]", "2026-11-21T01:35:51Z 23"},
      {"2026-11-21 01:35:51 - INFO", "2026-11-21T01:35:51Z 19"},
      {"2026-11-21T01:35Z", "2026-11-21T01:35:00Z 17"},
      {"2005-06-03-15.42.50.675872", "2005-06-03T15:42:50.675872Z 26"},
      {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z 20"},
      {"2028-02-29T00:00:00Z", "2028-02-29T00:00:00Z 20"},
      {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z 20"},
      {"2200-12-31T23:59:59Z", "2200-12-31T23:59:59Z 20"},
  };
  for (const Case& c : kCases) {
    CAPTURE(c.text);
    CHECK(show(parse_iso_time(c.text, kContext)) == c.expected);
    CHECK(any(c.text) == c.expected);
  }
  CHECK(parse_iso_time("2026-11-21T01:35:51.262484239Z", kContext)->ts.ns % kNsPerSecond ==
        262484239);
  CHECK(parse_iso_time("2026-11-21T01:35:51.26248423987654Z", kContext)->ts.ns % kNsPerSecond ==
        262484239);
}

TEST_CASE("Impossible and out-of-range times are refused", "[log]") {
  for (const char* bad : {"1754-08-30T22:43:41Z",
                          "2262-04-11T23:47:16Z",
                          "0000-01-01T00:00:00Z",
                          "1969-12-31T23:59:59Z",
                          "1970-01-01T00:00:00+01:00",
                          "2201-01-01T00:00:00Z",
                          "2026-02-30T00:00:00Z",
                          "2026-02-29T00:00:00Z",
                          "2100-02-29T00:00:00Z",
                          "2026-13-01T00:00:00Z",
                          "2026-00-01T00:00:00Z",
                          "2026-01-00T00:00:00Z",
                          "2026-01-01T24:00:00Z",
                          "2026-01-01T00:60:00Z",
                          "2026-01-01T00:00:61Z",
                          "2026-01-01",
                          "2026-01-01T",
                          "2026-1-01T00:00:00Z",
                          "20x6-01-01T00:00:00Z",
                          "2026-01/01T00:00:00Z",
                          "",
                          "-",
                          "garbage"}) {
    CAPTURE(bad);
    CHECK(any(bad) == "none");
  }
  CHECK(any("1969-12-31T23:30:00-01:00") == "1970-01-01T00:30:00Z 25");
}

TEST_CASE("Zone-less times take the offset of their source", "[log]") {
  const TimeContext berlin{3600, test::kReference};
  CHECK(show(parse_iso_time("2026-11-21 01:35:51", berlin)) == "2026-11-21T00:35:51Z 19");
  CHECK(show(parse_iso_time("2026-11-21 01:35:51Z", berlin)) == "2026-11-21T01:35:51Z 20");
  CHECK(show(parse_bsd_time("Nov 21 01:35:51", berlin)) == "2026-11-21T00:35:51Z 15");
}

TEST_CASE("Common log format times need their zone", "[log]") {
  CHECK(show(parse_clf_time("21/Nov/2026:01:35:51 +0100")) == "2026-11-21T00:35:51Z 26");
  CHECK(show(parse_clf_time("21/nov/2026:01:35:51 -0800]")) == "2026-11-21T09:35:51Z 26");
  for (const char* bad :
       {"21/Nov/2026:01:35:51", "21/Nox/2026:01:35:51 +0100", "31/Nov/2026:01:35:51 +0100",
        "21/Nov/2026:25:35:51 +0100", "21-Nov-2026:01:35:51 +0100"}) {
    CAPTURE(bad);
    CHECK(show(parse_clf_time(bad)) == "none");
  }
}

TEST_CASE("Times without a year take the latest one that is not in the future", "[log]") {
  const auto at = [](std::string_view reference, std::string_view text) {
    const TimeContext context{0, parse_iso_time(reference, {})->ts};
    const auto t = parse_bsd_time(text, context);
    return t ? format_rfc3339(t->ts) : "none";
  };
  CHECK(at("2027-01-01T00:00:10Z", "Dec 31 23:59:59") == "2026-12-31T23:59:59Z");
  CHECK(at("2026-12-31T23:59:59Z", "Jan  1 00:00:01") == "2027-01-01T00:00:01Z");
  CHECK(at("2026-12-30T00:00:00Z", "Jan  1 00:00:01") == "2026-01-01T00:00:01Z");
  CHECK(at("2026-11-21T12:00:00Z", "Nov 22 12:00:00") == "2026-11-22T12:00:00Z");
  CHECK(at("2026-11-21T12:00:00Z", "Nov 22 12:00:01") == "2025-11-22T12:00:01Z");
  CHECK(at("2026-11-21T12:00:00Z", "Feb 29 12:00:00") == "2024-02-29T12:00:00Z");
  CHECK(at("2103-01-01T12:00:00Z", "Feb 29 12:00:00") == "2096-02-29T12:00:00Z");
  CHECK(at("2026-11-21T12:00:00Z", "Nov 31 12:00:00") == "none");
  CHECK(at("2026-11-21T12:00:00Z", "Nov 20 2019 12:00:00") == "2019-11-20T12:00:00Z");
  CHECK(at("2026-11-21T12:00:00Z", "Nov  5 12:00:00.156789") == "2026-11-05T12:00:00.156789Z");
}

TEST_CASE("Epoch numbers are told apart by magnitude", "[log]") {
  const auto epoch = [](std::string_view text) {
    const auto t = parse_epoch(text);
    return t ? std::to_string(t->ns) : "none";
  };
  CHECK(epoch("1763688951") == "1763688951000000000");
  CHECK(epoch("1763688951.262484239") == "1763688951262484239");
  CHECK(epoch("1763688951262") == "1763688951262000000");
  CHECK(epoch("1763688951262.5") == "1763688951262500000");
  CHECK(epoch("1763688951262484") == "1763688951262484000");
  CHECK(epoch("1763688951262484239") == "1763688951262484239");
  CHECK(epoch("1.763688951e9") == "1763688951000000000");
  CHECK(epoch("0") == "0");
  for (const char* bad :
       {"", "-1", "9999999999", "99999999999999999999", "12x", "1e300", "1e", "."}) {
    CAPTURE(bad);
    CHECK(epoch(bad) == "none");
  }
}

TEST_CASE("Any time knows the shapes of glog, Apache, ctime, mail and compact dates", "[log]") {
  CHECK(any("I1121 01:35:51.262484   12345 file.go:12] up") == "2026-11-21T01:35:51.262484Z 21");
  CHECK(any("E20251121 01:35:51.262484 12345 file.cc:12] up") == "2025-11-21T01:35:51.262484Z 25");
  CHECK(any("[Sun Dec 04 04:47:44 2005] [notice]") == "2005-12-04T04:47:44Z 26");
  CHECK(any("[Sun Dec 04 04:47:44.262484 2005] [core:error]") == "2005-12-04T04:47:44.262484Z 33");
  CHECK(any("Sun Dec  4 04:47:44 2005") == "2005-12-04T04:47:44Z 24");
  CHECK(any("Sun Dec  4 04:47:44 UTC 2005") == "2005-12-04T04:47:44Z 28");
  CHECK(any("Sun, 04 Dec 2005 04:47:44 GMT") == "2005-12-04T04:47:44Z 29");
  CHECK(any("04 Dec 2005 04:47:44.262 * Ready") == "2005-12-04T04:47:44.262Z 24");
  CHECK(any("[2026-11-21 01:35:51,262] x") == "2026-11-21T01:35:51.262Z 25");
  CHECK(any("21/Nov/2026:01:35:51 +0100") == "2026-11-21T00:35:51Z 26");
  CHECK(any("20261121T013551Z") == "2026-11-21T01:35:51Z 16");
  CHECK(any("20171223-22:15:29:606|Step") == "2017-12-23T22:15:29.606Z 21");
  CHECK(any("081109 203615 148 INFO") == "2008-11-09T20:36:15Z 13");
  CHECK(any("1117838570 2005.06.03") == "2005-06-03T22:42:50Z 10");
  CHECK(any("Nov 21 01:35:51 host") == "2026-11-21T01:35:51Z 15");
  CHECK(any("[Sun Dec 04 04:47:44 2005") == "none");
  CHECK(any("1117838570x") == "none");
}
