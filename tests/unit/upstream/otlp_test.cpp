#include <catch2/catch.hpp>

#include "../../../sync/src/upstream/otlp_codec.hpp"
#include "nines/upstream/sample_sender.hpp"

using namespace nines;
using namespace nines::upstream;

namespace {

TimeSeries series_of(const std::string& name, std::vector<Sample> samples) {
  return {{{"__name__", name}, {"job", "nines"}, {"node", "n\"1"}, {"slo", "web"}}, samples};
}

}  // namespace

TEST_CASE("series of one name are one metric and counters are cumulative sums") {
  const std::vector<TimeSeries> all = {series_of("a_total", {{1, 60'000}, {2.5, 120'000}}),
                                       series_of("b", {{0.5, 60'000}}),
                                       series_of("a_total", {{7, 60'000}})};
  CHECK(encode_otlp(all) ==
        R"({"resourceMetrics":[{"resource":{"attributes":[)"
        R"({"key":"service.name","value":{"stringValue":"nines"}},)"
        R"({"key":"host.name","value":{"stringValue":"n\"1"}}]},)"
        R"("scopeMetrics":[{"scope":{"name":"nines"},"metrics":[)"
        R"({"name":"a_total","sum":{"aggregationTemporality":2,"isMonotonic":true,"dataPoints":[)"
        R"({"attributes":[{"key":"slo","value":{"stringValue":"web"}}],)"
        R"("timeUnixNano":"60000000000","asDouble":1},)"
        R"({"attributes":[{"key":"slo","value":{"stringValue":"web"}}],)"
        R"("timeUnixNano":"120000000000","asDouble":2.5},)"
        R"({"attributes":[{"key":"slo","value":{"stringValue":"web"}}],)"
        R"("timeUnixNano":"60000000000","asDouble":7}]}},)"
        R"({"name":"b","gauge":{"dataPoints":[)"
        R"({"attributes":[{"key":"slo","value":{"stringValue":"web"}}],)"
        R"("timeUnixNano":"60000000000","asDouble":0.5}]}}]}]}]})");
  CHECK(encode_otlp({}) == R"({"resourceMetrics":[]})");
}

TEST_CASE("what a collector rejects of a request is counted and not told again") {
  CHECK_FALSE(otlp_rejected("{}"));
  CHECK_FALSE(otlp_rejected(R"({"partialSuccess":{"rejectedDataPoints":"0"}})"));
  const auto some =
      otlp_rejected(R"({"partialSuccess": {"rejectedDataPoints": "3", "errorMessage": "no"}})");
  REQUIRE(some);
  CHECK(some->points == 3);
  CHECK(some->message == "no");
  CHECK(otlp_rejected(R"({"partialSuccess":{"rejectedDataPoints":4}})")->points == 4);
}

TEST_CASE("a collector is told the newest first and gzip of JSON") {
  SampleSenderOptions options;
  options.dialect = Dialect::otlp;
  std::vector<int64_t> asked;
  SampleSender sender(
      options,
      [&](int64_t from_s, int64_t) {
        asked.push_back(from_s);
        return std::vector<TimeSeries>{series_of("a_total", {{1, from_s * 1000}})};
      },
      [](int64_t at_s) {
        return series_of("canary", {{1, at_s * 1000}});
      },
      1);
  REQUIRE(sender.restore("0-600:0-600"));
  const WallTime now = WallTime::from_s(36'000);
  sender.known_until(now);
  for (int i = 0; i < 5; ++i) {
    const auto request = sender.begin(now, {0});
    REQUIRE(request);
    CHECK(request->headers[0].second == "gzip");
    CHECK(request->body.substr(0, 2) == "\x1f\x8b");
    sender.answered({200, "{}", {}, now}, now, {0});
  }
  REQUIRE_FALSE(asked.empty());
  CHECK(asked.front() == 36'000);
  CHECK(sender.stats().out_of_order);
}
