// Ids of requests within messages.
#include "nines/incident/request_mark.hpp"

#include <catch2/catch.hpp>
#include <random>
#include <string>

namespace nines::incident {

TEST_CASE("The request of a line is found however its writers spell it", "[incident]") {
  const auto request = [](std::string_view text) { return find_request(text).request; };
  CHECK(request("TraceID: 49a51828322183eb SpanID: 083e5d40259e7999 [getRoute]") ==
        "49a51828322183eb");
  CHECK(find_request("TraceID: 49a51828322183eb SpanID: 083e5d40259e7999 [x]").span ==
        "083e5d40259e7999");
  CHECK(request("charged card request_id=\"req-7781aa\" in 3 ms") == "req-7781aa");
  CHECK(request("[req-id=5f3c00a1] done") == "5f3c00a1");
  CHECK(request("X-Request-Id: 0c0a5f3e-77") == "0c0a5f3e-77");
  CHECK(request("correlationId='ab12cd34'") == "ab12cd34");
  CHECK(request("requestId 12345678 begins") == "12345678");
  CHECK(request("req_id=aaaaaa1 trace_id=bbbbbb2") == "bbbbbb2");
}

TEST_CASE("Words that only look like ids of requests are none", "[incident]") {
  for (const char* const text :
       {"user id: 12345678", "invalid: 12345678", "request denied 12345678", "request id: none",
        "trace identity=12345678", "requestid", "id", "", "request id:", "trace id: 12",
        "outspan id=12345678"}) {
    CAPTURE(text);
    CHECK(find_request(text).request.empty());
    CHECK(find_request(text).span.empty());
  }
}

TEST_CASE("Finding requests stays within any text", "[incident]") {
  std::mt19937 random(5);
  const std::string parts[] = {"id",   "trace", "ID",     ":",  "=", " ",
                               "span", "9",     "abc123", "\"", "-"};
  for (int i = 0; i < 5'000; ++i) {
    std::string text;
    for (auto n = random() % 12; n > 0; --n) text += parts[random() % std::size(parts)];
    const RequestMark mark = find_request(text);
    CHECK(mark.request.size() <= 64);
    if (!mark.request.empty()) CHECK(text.find(mark.request) != std::string::npos);
  }
}

}  // namespace nines::incident
