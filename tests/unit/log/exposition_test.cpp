#include "nines/log/exposition.hpp"

#include <catch2/catch.hpp>
#include <cmath>
#include <string>
#include <vector>

using namespace nines;
using namespace nines::log;

namespace {

const char* word(SampleRole role) {
  switch (role) {
    case SampleRole::gauge: return "gauge";
    case SampleRole::counter: return "counter";
    case SampleRole::bucket: return "bucket";
    case SampleRole::count: return "count";
    case SampleRole::sum: return "sum";
    case SampleRole::created: return "created";
  }
  return "?";
}

// One text a sample: ROLE FAMILY NAME{label=value,...} VALUE [@ms]
std::vector<std::string> read(std::string_view body) {
  std::vector<std::string> out;
  ExpositionReader reader(body);
  ExpositionSample sample;
  while (reader.next(sample)) {
    std::string text = std::string(word(sample.role)) + " " + std::string(sample.family) + " " +
                       std::string(sample.name) + "{";
    for (const auto& label : sample.labels) {
      text += std::string(label.name) + "=" + std::string(label.value) + ",";
    }
    text += "} " + std::string(sample.value);
    if (sample.ts) text += " @" + std::to_string(sample.ts->ns / kNsPerMs);
    out.push_back(text);
  }
  return out;
}

ExpositionReader::Counts counts(std::string_view body) {
  ExpositionReader reader(body);
  ExpositionSample sample;
  while (reader.next(sample)) continue;
  return reader.counts();
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("Exposition reads the example of the format's own page", "[log]") {
  const char* body = R"(# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 1395066363000

# Escaping in label values:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} 1.458255915e9

# Minimalistic line:
metric_without_timestamp_and_labels 12.47

# A weird metric from before the epoch:
something_weird{problem="division by zero"} +Inf -3982045

# TYPE http_request_duration_seconds histogram
http_request_duration_seconds_bucket{le="0.05"} 24054
http_request_duration_seconds_bucket{le="+Inf"} 144320
http_request_duration_seconds_sum 53423
http_request_duration_seconds_count 144320

# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.01"} 3102
rpc_duration_seconds_sum 1.7560473e+07
rpc_duration_seconds_count 2693
)";
  CHECK(
      read(body) ==
      Lines{"counter http_requests http_requests_total{method=post,code=200,} 1027 @1395066363000",
            "counter http_requests http_requests_total{method=post,code=400,} 3 @1395066363000",
            "gauge msdos_file_access_time_seconds msdos_file_access_time_seconds{path=C:\\DIR\\"
            "FILE.TXT,error=Cannot find file:\n\"FILE.TXT\",} 1.458255915e9",
            "gauge metric_without_timestamp_and_labels metric_without_timestamp_and_labels{} "
            "12.47",
            "gauge something_weird something_weird{problem=division by zero,} +Inf @-3982045",
            "bucket http_request_duration_seconds http_request_duration_seconds_bucket{le=0.05,} "
            "24054",
            "bucket http_request_duration_seconds http_request_duration_seconds_bucket{le=+Inf,} "
            "144320",
            "sum http_request_duration_seconds http_request_duration_seconds_sum{} 53423",
            "count http_request_duration_seconds http_request_duration_seconds_count{} 144320",
            "gauge rpc_duration_seconds rpc_duration_seconds{quantile=0.01,} 3102",
            "sum rpc_duration_seconds rpc_duration_seconds_sum{} 1.7560473e+07",
            "count rpc_duration_seconds rpc_duration_seconds_count{} 2693"});
  CHECK(counts(body).malformed == 0);
}

TEST_CASE("Exposition reads OpenMetrics: families, start times, exemplars, seconds", "[log]") {
  const char* body = R"(# TYPE acme_http_router_request_seconds histogram
# UNIT acme_http_router_request_seconds seconds
acme_http_router_request_seconds_bucket{path="/api",le="0.01"} 8 # {trace_id="KOO5S4vxi0o"} 0.0067
acme_http_router_request_seconds_bucket{path="/api",le="+Inf"} 10 1605301325.5 # {} 9.8 1520879607.789
acme_http_router_request_seconds_created{path="/api"} 1605281325.0
# TYPE jobs counter
jobs_total{kind="a"} 17 1520879607.789
jobs_created{kind="a"} 1520430000.123
# EOF
jobs_total{kind="after the end"} 1
)";
  const std::string text(body);
  const std::string ended = text.substr(0, text.find("jobs_total{kind=\"after"));
  CHECK(read(ended) ==
        Lines{"bucket acme_http_router_request_seconds "
              "acme_http_router_request_seconds_bucket{path=/api,le=0.01,} 8",
              "bucket acme_http_router_request_seconds "
              "acme_http_router_request_seconds_bucket{path=/api,le=+Inf,} 10 @1605301325500",
              "created acme_http_router_request_seconds "
              "acme_http_router_request_seconds_created{path=/api,} 1605281325.0",
              "counter jobs jobs_total{kind=a,} 17 @1520879607789",
              "created jobs jobs_created{kind=a,} 1520430000.123"});
  CHECK(counts(ended).exemplars == 2);
  CHECK(counts(ended).malformed == 0);
  ExpositionReader reader(ended);
  CHECK(reader.open_metrics());
}

TEST_CASE("Exposition gives the start times of Python's client in 0.0.4 the family of the counter",
          "[log]") {
  CHECK(read("# TYPE jobs_total counter\njobs_total 5\n"
             "# TYPE jobs_created gauge\njobs_created 1.6e9\n") ==
        Lines{"counter jobs jobs_total{} 5", "created jobs jobs_created{} 1.6e9"});
}

TEST_CASE("Exposition does not lend a type to a metric whose name only begins alike", "[log]") {
  CHECK(read("# TYPE http gauge\nhttp 1\nhttp_requests_total 7\nhttp_requests 8\n") ==
        Lines{"gauge http http{} 1", "counter http_requests http_requests_total{} 7",
              "gauge http_requests http_requests{} 8"});
  CHECK(read("# TYPE a gauge\na_bucket{le=\"1\"} 1\n") ==
        Lines{"gauge a_bucket a_bucket{le=1,} 1"});
}

TEST_CASE("Exposition passes over native histograms and counts them", "[log]") {
  const char* body =
      "# TYPE rpc histogram\n"
      "rpc {count:12,sum:100.0,schema:0,zero_threshold:0.001,zero_count:2}\n"
      "rpc{a=\"b\"} {count:12,sum:100.0,schema:0}\n"
      "rpc_bucket{le=\"+Inf\"} 12\n";
  CHECK(read(body).size() == 1);
  CHECK(counts(body).native_histograms == 2);
  CHECK(counts(body).malformed == 0);
}

TEST_CASE("Exposition counts malformed lines and goes on behind them", "[log]") {
  for (const char* line : {"a", "a{", "a{}", "a{b=\"c\"}", "a{b=c} 1", "a{b=\"c} 1", "a{b=\"c\" 1",
                           "a{b=\"1\",b=\"2\"} 1", "a 1 2 3", "a 0x10", "a 1 x", "{a=\"b\"} 1",
                           "9a 1", "a one", "a{b=\"c\"}1x", "<html>", "a 1 # x # y z\nb"}) {
    const std::string body = std::string(line) + "\nfine 1\n";
    INFO(line);
    CHECK(read(body).back() == "gauge fine fine{} 1");
    CHECK(counts(body).malformed == 1);
  }
  CHECK(read("# TYPE h histogram\nh_bucket{le=\"NaN\"} 1\nh_bucket 1\nh_bucket{le=\"x\"} 1\n") ==
        Lines{});
}

TEST_CASE("Exposition bounds labels and the bytes of their values", "[log]") {
  std::string labels, value(ExpositionReader::kMaxScratch + 8, 'x');
  for (size_t i = 0; i <= ExpositionReader::kMaxLabels; ++i) {
    labels += "l" + std::to_string(i) + "=\"\",";
  }
  const std::string body = "a{" + labels + "} 1\nb{v=\"\\n" + value + "\"} 1\nfine 1\n";
  CHECK(read(body) == Lines{"gauge fine fine{} 1"});
  CHECK(counts(body).malformed == 2);
}

TEST_CASE("Exposition tells a body that was cut", "[log]") {
  CHECK(ExpositionReader("a 1\n").complete());
  CHECK(ExpositionReader("").complete());
  CHECK(ExpositionReader("# TYPE a counter\na_total 1\n# EOF").complete());
  CHECK_FALSE(ExpositionReader("a 1\nb 123").complete());
  CHECK_FALSE(ExpositionReader("a 1\n# EO").complete());
}

TEST_CASE("Exposition numbers are those of Go's ParseFloat", "[log]") {
  CHECK(parse_metric_number("1.5e+09") == 1.5e9);
  CHECK(parse_metric_number("+5") == 5);
  CHECK(parse_metric_number(".5") == 0.5);
  CHECK(parse_metric_number("5.") == 5);
  CHECK(parse_metric_number("-1e-3") == -0.001);
  CHECK(parse_metric_number("+Inf") == INFINITY);
  CHECK(parse_metric_number("-Infinity") == -INFINITY);
  CHECK(parse_metric_number("1e999") == INFINITY);
  CHECK(parse_metric_number("1e-999") == 0);
  CHECK(std::isnan(parse_metric_number("NaN").value_or(0)));
  for (const char* text : {"", "+", "-", ".", "e5", "1e", "1e+", "1e+-5", "--1", "-+1", "1 ", "0x1",
                           "1_000", "nano", "1e5x"}) {
    INFO(text);
    CHECK_FALSE(parse_metric_number(text).has_value());
  }
}

TEST_CASE("Exposition counts are read from their digits, not through a double", "[log]") {
  const auto count = [](std::string_view text, int scale) {
    const auto c = parse_metric_count(text, scale);
    return c ? std::to_string(c->value) + (c->exact ? "" : " cut") : std::string("none");
  };
  CHECK(count("9007199254740993", 0) == "9007199254740993");
  CHECK(count("18446744073709551615", 0) == "18446744073709551615");
  CHECK(count("18446744073709551616", 0) == "none");
  CHECK(count("1.5e+09", 0) == "1500000000");
  CHECK(count("12.000", 0) == "12");
  CHECK(count("12.5", 0) == "12 cut");
  CHECK(count("12.3456789", 6) == "12345678 cut");
  CHECK(count("0.1", 6) == "100000");
  CHECK(count("0e999", 6) == "0");
  CHECK(count("1e-999", 6) == "0 cut");
  CHECK(count("1e20", 0) == "none");
  CHECK(count("-1", 0) == "none");
  CHECK(count("NaN", 0) == "none");
  CHECK(count("+Inf", 0) == "none");
}
