#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;
using nines::log::test::Lines;

namespace {

constexpr const char* kLine =
    R"(203.0.113.7 - alice [21/Nov/2026:01:35:51 +0000] "GET /api/v1/orders?id=7 HTTP/1.1" 200 1234 )"
    R"x("https://shop.example/cart" "Mozilla/5.0 (X11; Linux)" 0.123)x";

std::string with_request(const std::string& request) {
  return "::1 - - [21/Nov/2026:01:35:51 +0000] \"" + request + "\" 400 0 \"-\" \"-\"";
}
std::string with_tail(const std::string& tail) {
  return R"(h - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.1" 200 5)" + tail;
}

}  // namespace

TEST_CASE("Combined lines give every field", "[log]") {
  Lines lines(FormatKind::combined,
              {"ts", "remote_addr", "user", "remote_user", "method", "path", "protocol", "status",
               "bytes", "referer", "user_agent", "duration_ms", "level", "message"});
  CHECK(lines(kLine) ==
        "ok 2026-11-21T01:35:51Z 2026-11-21T01:35:51Z '203.0.113.7' 'alice' 'alice' 'GET' "
        "'/api/v1/orders?id=7' 'HTTP/1.1' 200 1234 'https://shop.example/cart' 'Mozilla/5.0 (X11; "
        "Linux)' 123 "
        "null 'GET /api/v1/orders?id=7 HTTP/1.1'");
}

TEST_CASE("Common lines have neither referer nor duration", "[log]") {
  Lines lines(FormatKind::combined, {"remote_addr", "status", "bytes", "referer", "duration_ms"});
  CHECK(lines(R"(2001:db8::1 - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.0" 304 -)") ==
        "ok 2026-11-21T01:35:51Z '2001:db8::1' 304 null null null");
  CHECK(lines(R"(::1 - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.0" 304)") ==
        "ok 2026-11-21T01:35:51Z '::1' 304 null null null");
}

TEST_CASE("Garbage requests still have a status", "[log]") {
  Lines lines(FormatKind::combined, {"status", "method", "path", "protocol"});
  CHECK(lines(with_request(R"(\x16\x03\x01\x02\x00)")) ==
        "ok 2026-11-21T01:35:51Z 400 null null null");
  CHECK(lines(with_request("-")) == "ok 2026-11-21T01:35:51Z 400 null null null");
  CHECK(lines(with_request("")) == "ok 2026-11-21T01:35:51Z 400 null null null");
  CHECK(lines(with_request(R"(GET /a\"b\\ HTTP/1.1)")) ==
        R"(ok 2026-11-21T01:35:51Z 400 'GET' '/a\"b\\' 'HTTP/1.1')");
  CHECK(lines(with_request("GET /a b c HTTP/1.1")) ==
        "ok 2026-11-21T01:35:51Z 400 'GET' '/a b c' 'HTTP/1.1'");
  CHECK(lines(with_request("GET /")) == "ok 2026-11-21T01:35:51Z 400 'GET' '/' null");
}

TEST_CASE("Request times are exact milliseconds wherever servers put them", "[log]") {
  Lines lines(FormatKind::combined, {"duration_ms"});
  struct Case {
    const char* tail;
    const char* ms;
  };
  static constexpr Case kCases[] = {
      {R"( "-" "ua" 0.123)", "123"},
      {R"( "-" "ua" 0.000)", "0"},
      {R"( "-" "ua" 12.5)", "12500"},
      {R"( "-" "ua" 0.0004)", "0.4"},
      {R"( "-" "ua" 0.123 0.120)", "123"},
      {R"( "-" "ua" 0.123 0.120, 0.003)", "123"},
      {R"( "-" "ua" "0.123" "0.120")", "123"},
      {R"( "-" "ua" "10.0.0.1" 0.123)", "123"},
      {R"( "-" "ua" "-" "0.123")", "123"},
      {R"( "-" "ua" rt=0.123 uct="0.000" urt="0.120")", "123"},
      {R"( "-" "ua" uct="0.001" request_time="0.123")", "123"},
      {R"( "-" "ua" "rt=0.123" "uct=0.001")", "123"},
      {R"( "-" "ua" 1234)", "1.234"},
      {R"( "-" "ua" 456 0.123 [default-web-80] [] 10.0.0.2:80 612 0.120 200 1234567890)", "123"},
      {R"( "-" "ua" 42 "web@docker" "http://10.0.0.2:80" 12ms)", "12"},
      {R"( 0.123)", "123"},
      {R"( "-" "ua")", "null"},
      {R"( "-" "ua" -)", "null"},
      {R"( "-" "ua" "-" "-")", "null"},
      {R"( "-" "ua \" 7")", "null"},
      {R"()", "null"},
  };
  for (const Case& c : kCases) {
    CAPTURE(c.tail);
    CHECK(lines(with_tail(c.tail)) == "ok 2026-11-21T01:35:51Z " + std::string(c.ms));
  }
}

TEST_CASE("Damaged access log times keep the fields", "[log]") {
  Lines lines(FormatKind::combined, {"status", "ts"});
  CHECK(lines(R"(h - - [garbage] "GET / HTTP/1.1" 200 5)") == "bad_time 200 null");
  CHECK(lines(R"(h - - [] "GET / HTTP/1.1" 200 5)") == "bad_time 200 null");
  CHECK(lines(R"(h - - [21/Nov/1754:01:35:51 +0000] "GET / HTTP/1.1" 200 5)") ==
        "bad_time 200 null");
  CHECK(lines(R"(h - a[b [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.1" 200 5)") ==
        "ok 2026-11-21T01:35:51Z 200 2026-11-21T01:35:51Z");
}

TEST_CASE("Lines that are no access log do not match, blank ones are empty", "[log]") {
  Lines lines(FormatKind::combined, {"status"});
  for (const char* bad :
       {"hello", "[", "h - - [21/Nov/2026:01:35:51 +0000] GET", R"(h - - [x] "GET /" abc)",
        R"(h - - [21/Nov/2026:01:35:51 +0000] "GET / 200 5)",
        R"(h - - [21/Nov/2026:01:35:51 +0000] "GET /" 2000 5)", "{\"a\":1}"}) {
    CAPTURE(bad);
    CHECK(lines(bad) == "no_match null");
  }
  CHECK(lines("") == "empty null");
  CHECK(lines("  \t\r") == "empty null");
}

TEST_CASE("The time stamp cache gives what a fresh parser gives", "[log]") {
  Lines kept(FormatKind::combined, {"ts"});
  for (const char* time :
       {"21/Nov/2026:01:35:51 +0000", "21/Nov/2026:01:35:52 +0000", "21/Nov/2026:01:35:52 +0000",
        "21/Nov/2026:01:35:59 +0000", "21/Nov/2026:01:35:60 +0000", "21/Nov/2026:01:35:01 +0000",
        "21/Nov/2026:01:35:01 +0100", "21/Nov/2026:01:35:61 +0100", "21/Nov/2026:01:35:x1 +0100",
        "21/Nov/2026:01:36:00 +0100", "21/Nov/2026:01:36:07 +0100", "22/Nov/2026:01:36:07 +0100"}) {
    Lines fresh(FormatKind::combined, {"ts"});
    const std::string line = "h - - [" + std::string(time) + R"(] "GET / HTTP/1.1" 200 5)";
    CAPTURE(line);
    CHECK(kept(line) == fresh(line));
  }
}
