// Every format, and every shape of a time stamp, through a scan.
#include "log_oracle.hpp"
#include "nines/log/format.hpp"
#include "scan_support.hpp"
#include "time_shapes.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

struct Sample {
  std::string_view format, pattern, content;
  std::string_view fields;  // separated by blanks
  std::string_view row;     // the first
};

constexpr Sample kSamples[] = {
    {"auto", "", R"(h - - [21/Nov/2026:01:35:51 +0000] "GET /a HTTP/1.1" 200 5 "-" "ua" 0.1)",
     "ts method path status duration_ms", "2026-11-21T01:35:51Z|GET|/a|200|100"},
    {"auto", "", R"({"time":1763688951.5,"severity":"warn","msg":"a\tb","a":{"b":[1,2]}})",
     "ts level message a.b", "2025-11-21T01:35:51.500Z|WARN|a\tb|[1,2]"},
    {"auto", "", R"(time="2026-11-21T01:35:51Z" level=error msg="a b" took=7ms)",
     "ts level message took", "2026-11-21T01:35:51Z|ERROR|a b|7ms"},
    {"auto", "", "Nov 20 15:16:01 combo sshd[19939]: check pass", "ts message",
     "2026-11-20T15:16:01Z|check pass"},
    {"auto", "", "<34>1 2003-10-11T22:14:15.003Z h su - ID47 - x", "ts level message",
     "2003-10-11T22:14:15.003Z|FATAL|x"},
    {"auto", "", "2026-11-21T01:35:51Z INFO main: starting", "ts level message",
     "2026-11-21T01:35:51Z|INFO|main: starting"},
    {"auto", "", "2026-11-21T01:35:51.5Z stderr F {\"level\":\"error\",\"msg\":\"x\"}",
     "ts level message raw",
     "2026-11-21T01:35:51.500Z|ERROR|x|{\"level\":\"error\",\"msg\":\"x\"}"},
    {"auto", "",
     R"({"log":"level=warn msg=x\n","stream":"stdout","time":"2026-11-21T01:35:51.2Z"})",
     "ts level message", "2026-11-21T01:35:51.200Z|WARN|x"},
    {"auto", "", "ts,level,msg\n2026-11-21T01:35:51Z,error,\"a, b\"\n", "ts level message",
     "2026-11-21T01:35:51Z|ERROR|a, b"},
    {"csv", "", "id,took\n7,\"a\nb\"\n8,c\n", "id took", "7|a\nb"},
    {"csv", "id,took", "7,2.5\n8,c\n", "id took", "7|25e-1"},
    {"tsv", "", "id\ttook\n7\t2.5\n", "id took", "7|25e-1"},
    {"auto", "",
     "__CURSOR=s=1\n__REALTIME_TIMESTAMP=1763688951262484\nPRIORITY=3\nMESSAGE=a=b c=d\n\n"
     "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1763688951262485\nMESSAGE=e\n\n",
     "ts level message", "2025-11-21T01:35:51.262484Z|ERROR|a=b c=d"},
    {"regex", R"(^(?P<ts>\S+) (?P<code>\d+) (?P<message>.*)$)", "2026-11-21T01:35:51Z 7 a b",
     "ts code message", "2026-11-21T01:35:51Z|7|a b"},
    {"redis", "", "1234:M 21 Nov 2026 01:35:51.262 * Ready to accept", "ts message",
     "2026-11-21T01:35:51.262Z|Ready to accept"},
    {"nginx", "$remote_addr [$time_local] $status", "::1 [21/Nov/2026:01:35:51 +0000] 502",
     "ts status", "2026-11-21T01:35:51Z|502"},
};

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t blank = std::min(text.find(' '), text.size());
    out.emplace_back(text.substr(0, blank));
    text.remove_prefix(std::min(blank + 1, text.size()));
  }
  return out;
}

}  // namespace

TEST_CASE("Every format gives its fields to a scan") {
  ScanFolder folder;
  for (const Sample& sample : kSamples) {
    CAPTURE(sample.content);
    ScanRequest request = asking(words(sample.fields));
    request.format = sample.format;
    request.pattern = sample.pattern;
    const Scanned found = scan(folder.write("a", sample.content), request);
    REQUIRE_FALSE(found.rows.empty());
    CHECK(found.rows[0] == sample.row);
    CHECK(found.stats.malformed == 0);
    request.options.block_bytes = 5;
    request.options.part_bytes = 7;
    CHECK(scan(folder.path("a"), request).rows == found.rows);
  }
}

TEST_CASE("A scan reads the layouts of all programs as their parser does") {
  ScanFolder folder;
  for (const auto& [name, line] : log::test::kLayoutSamples) {
    CAPTURE(line);
    const size_t colon = name.find(':');
    ScanRequest request = asking({"ts", "level", "message", "status", "logger", "raw"});
    request.format = name.substr(0, colon);
    if (colon != name.npos) request.pattern = name.substr(colon + 1);
    if (request.format == "log4j" && request.pattern.empty()) request.format = "auto";
    if (request.format == "k3s") request.format = "auto";
    const Scanned found = scan(folder.write("a", std::string(line) + "\n"), request);
    REQUIRE(found.rows.size() == 1);
    CHECK(found.stats.malformed == 0);
    CHECK(found.stats.no_timestamp == 0);
    CHECK(found.rows[0].ends_with(line));
    CHECK(found.rows[0].find("T") == 10);
  }
}

namespace {

// A line of each pattern that a format has; the time stamp, and one more field.
struct Known {
  std::string_view format, content, ts, field, value;
};
constexpr std::string_view kAt = "2026-11-21T01:35:51Z", kAtMs = "2026-11-21T01:35:51.262Z";
constexpr Known kKnown[] = {
    {"combined", R"(h - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.1" 200 5 "-" "ua")", kAt,
     "status", "200"},
    {"nginx", R"(h - - [21/Nov/2026:02:35:51 +0100] "GET / HTTP/1.1" 404 5 "-" "ua" 0.1)", kAt,
     "status", "404"},
    {"apache", R"(h - - [21/Nov/2026:01:35:51 +0000] "GET /a HTTP/1.1" 200 5)", kAt, "path", "/a"},
    {"common", R"(h - bob [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.1" 200 -)", kAt, "user",
     "bob"},
    {"json", R"({"ts":"2026-11-21T01:35:51Z","n":{"m":7}})", kAt, "n.m", "7"},
    {"logfmt", "time=2026-11-21T01:35:51Z level=warn msg=x", kAt, "level", "WARN"},
    {"containerd", R"(time="2026-11-21T01:35:51.262Z" level=info msg="a b")", kAtMs, "message",
     "a b"},
    {"syslog", "Nov 21 01:35:51 host app[12]: up", kAt, "message", "up"},
    {"syslog", "<34>1 2026-11-21T01:35:51.262Z h su - ID47 - up", kAtMs, "level", "FATAL"},
    {"syslog", "2026-11-21T02:35:51+01:00 host app[12]: up", kAt, "message", "up"},
    {"plain", "2026-11-21 01:35:51,262 WARN up", kAtMs, "level", "WARN"},
    {"csv", "when,ts,n\nx,2026-11-21T01:35:51Z,7\n", kAt, "n", "7"},
    {"tsv", "ts\tn\n2026-11-21 01:35:51\t7\n", kAt, "n", "7"},
    {"journal", "__REALTIME_TIMESTAMP=1795224951262000\nPRIORITY=4\nMESSAGE=up\n\n", kAtMs, "level",
     "WARN"},
    {"traefik",
     R"(192.0.2.1 - - [21/Nov/2026:01:35:51 +0000] "GET /w HTTP/2.0" 200 4 "-" "-" 12 "w@docker" "http://a:80" 17ms)",
     kAt, "duration_ms", "17"},
    {"envoy",
     R"([2026-11-21T01:35:51.262Z] "POST /api HTTP/2" 204 - 154 0 226 100 "10.0.35.28" "ua" "cc21" "l" "tcp://10.0.2.1:80")",
     kAtMs, "status", "204"},
    {"envoy",
     R"([2026-11-21T01:35:51.262Z] "GET /a HTTP/1.1" 503 UF via_upstream - "-" 0 91 12 - "-" "curl" "f0" "svc:80" "10.0.0.1:80" outbound|80||svc 10.0.0.2:1 10.0.0.3:80 10.0.0.2:2 - default)",
     kAtMs, "status", "503"},
    {"haproxy",
     R"(10.0.1.2:33317 [21/Nov/2026:01:35:51.262] http-in static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 "GET / HTTP/1.1")",
     kAtMs, "status", "200"},
    {"haproxy",
     "10.0.1.2:33313 [21/Nov/2026:01:35:51.262] fnt bck/srv1 0/0/5007 212 -- 0/0/0/0/3 0/0", kAtMs,
     "duration_ms", "5007"},
    {"haproxy",
     R"(lb1 haproxy[14389]: 10.0.1.2:33317 [21/Nov/2026:01:35:51.262] http-in~ static/srv1 10/0/30/69/109 200 2750 - - ---- 1/1/1/1/0 0/0 {1wt.eu} {} "GET /i HTTP/1.1")",
     kAtMs, "duration_ms", "109"},
    {"haproxy",
     "lb1 haproxy[14389]: 10.0.1.2:33313 [21/Nov/2026:01:35:51.262] fnt bck/srv1 0/0/5007 212 -- "
     "0/0/0/0/3 0/0",
     kAtMs, "duration_ms", "5007"},
    {"klog", R"(E1121 01:35:51.262000 1 reflector.go:150] "Failed" err="x")", kAtMs, "level",
     "ERROR"},
    {"klog", "W20261121 01:35:51.262000 1 a.cc:7] up", kAtMs, "level", "WARN"},
    {"redis", "1234:M 21 Nov 2026 01:35:51.262 * Ready", kAtMs, "message", "Ready"},
    {"redis", "1234:S 21 Nov 01:35:51.262 # Bad", kAtMs, "level", "WARN"},
    {"redis", "[1234] 21 Nov 01:35:51.262 * Ready", kAtMs, "message", "Ready"},
    {"rabbitmq", "2026-11-21 01:35:51.262000+00:00 [debug] <0.459.0> up", kAtMs, "level", "DEBUG"},
    {"rabbitmq", "=INFO REPORT==== 21-Nov-2026::01:35:51 ===\nup", kAt, "level", "INFO"},
    {"rabbitmq", "=ERROR REPORT==== 21-Nov-2026::01:35:51.262000 ===\nup", kAtMs, "level", "ERROR"},
    {"postgres", "2026-11-21 02:35:51.262 CET [12345] LOG:  duration: 12.345 ms", kAtMs,
     "duration_ms", "12345e-3"},
    {"postgres", "2026-11-21 04:35:51.262 +03 [12345] app@shop ERROR:  no", kAtMs, "level",
     "ERROR"},
    {"spring", "2026-11-21T01:35:51.262Z  INFO 7 --- [myapp] [ main] o.s.App  : up", kAtMs,
     "service", "myapp"},
    {"spring", "2026-11-21 01:35:51.262  WARN 7 --- [ main] o.s.App  : up", kAtMs, "level", "WARN"},
    {"log4j", "2026-11-21 01:35:51,262 [main] ERROR com.a.App - boom", kAtMs, "level", "ERROR"},
    {"log4j", "01:35:51.262 [main] ERROR com.a.App - boom", kAtMs, "level", "ERROR"},
    {"log4j", "01:35:51.262 [main] WARN com.a.App -- boom", kAtMs, "level", "WARN"},
    {"log4j", "2026-11-21 01:35:51,262 INFO [main] com.a.App: up", kAtMs, "message", "up"},
    {"log4j", "2026-11-21 01:35:51 INFO executor.Executor: up", kAt, "message", "up"},
    {"log4j", "[2026-11-21 01:35:51,262] INFO up (kafka.server.KafkaServer)", kAtMs, "message",
     "up"},
    {"python", "2026-11-21 01:35:51,262 - shop.cart - ERROR - no - stock", kAtMs, "message",
     "no - stock"},
    {"python", "WARNING:shop:no stock", "NULL", "level", "WARN"},
    {"k3s", R"(time="2026-11-21T01:35:51Z" level=info msg="Starting")", kAt, "message", "Starting"},
    {"k3s", "I1121 01:35:51.262000 1 a.go:7] up", kAtMs, "message", "up"},
};

// The names that a mistaken one is told.
std::vector<std::string> format_names() {
  const auto unknown = log::format_from_name("?");
  std::string names = unknown.error().message;
  names.erase(0, names.find("one of: ") + 8);
  std::erase(names, ',');
  return words(names);
}

}  // namespace

TEST_CASE("Every format that has a name gives the time stamps of its lines to a scan") {
  ScanFolder folder;
  std::vector<std::string> left = format_names();
  REQUIRE(left.size() > 20);
  std::erase(left, "regex");  // whatever its pattern says
  for (const Known& known : kKnown) {
    CAPTURE(known.format, known.content);
    std::erase(left, known.format);
    ScanRequest request = asking({"ts", std::string(known.field), "_error"});
    request.format = known.format;
    const Scanned found = scan(folder.write("a", std::string(known.content) + "\n"), request);
    REQUIRE(found.rows.size() == 1);
    const std::string error = known.ts == "NULL" ? "bad_time" : "NULL";
    CHECK(found.rows[0] == std::string(known.ts) + "|" + std::string(known.value) + "|" + error);
  }
  CHECK(left == std::vector<std::string>{});
}

TEST_CASE("Time stamps of every shape are read by a scan, whatever the format around them") {
  struct Around {
    std::string_view format, pattern, before, after;
  };
  static constexpr Around kAround[] = {
      {"regex", "^<(?P<ts>[^>]*)> (?P<message>.*)$", "<", "> m"},
      {"json", "", "{\"time\":\"", "\",\"msg\":\"m\"}"},
      {"logfmt", "", "ts=\"", "\" msg=m"},
      {"tsv", "ts\tmessage", "", "\tm"},
      {"log4j", "[%d] %m", "[", "] m"},
      {"plain", "", "", " - m"},
  };
  ScanFolder folder;
  for (const Around& around : kAround) {
    CAPTURE(around.format);
    std::string content;
    Rows expected;
    for (const log::test::TimeShape& shape : log::test::kTimeShapes) {
      std::string line(around.before);
      line.append(shape.text).append(around.after);
      content += line + "\n";
      expected.push_back(std::string(shape.moment) + "|NULL|" + line);
    }
    ScanRequest request = asking({"ts", "_error", "raw"});
    request.format = around.format;
    request.pattern = around.pattern;
    const Scanned found = scan(folder.write("a", content), request);
    CHECK(found.rows == expected);
    CHECK(found.stats.no_timestamp == 0);
  }
}

TEST_CASE("Numbers of JSON are times since 1970 in whatever unit") {
  ScanFolder folder;
  const std::string path = folder.write("a.json",
                                        "{\"ts\":1763688951}\n{\"ts\":1763688951.262}\n"
                                        "{\"ts\":1763688951262}\n{\"ts\":1763688951262484}\n"
                                        "{\"ts\":1763688951262484239}\n"
                                        "{\"ts\":1.763688951262e9}\n{\"ts\":0}\n");
  CHECK(scan(path, asking({"ts"})).rows ==
        Rows{"2025-11-21T01:35:51Z", "2025-11-21T01:35:51.262Z", "2025-11-21T01:35:51.262Z",
             "2025-11-21T01:35:51.262484Z", "2025-11-21T01:35:51.262484239Z",
             "2025-11-21T01:35:51.262Z", "1970-01-01T00:00:00Z"});
}

TEST_CASE(
    "A bad time stamp leaves its row without time, and the source's zone is that of the rest") {
  ScanFolder folder;
  std::string content = "<2026-11-21 01:35:51> m\n<2026-11-21 01:35:51 IST> m\n<> m\n";
  Rows expected = {"2026-11-21T00:35:51Z|m|NULL", "2026-11-21T00:35:51Z|m|NULL", "NULL|m|bad_time"};
  for (const std::string_view text : log::test::kNoTimes) {
    content += "<" + std::string(text) + "> m\n";
    expected.emplace_back("NULL|m|bad_time");
  }
  ScanRequest request = asking({"ts", "message", "_error"});
  request.format = "regex";
  request.pattern = "^<(?P<ts>[^>]*)> (?P<message>.*)$";
  request.options.utc_offset_s = 3600;
  const Scanned found = scan(folder.write("a", content), request);
  CHECK(found.rows == expected);
  CHECK(found.stats.no_timestamp == expected.size() - 2);
}

TEST_CASE("What is asked of a format that does not exist is refused") {
  ScanFolder folder;
  ScanRequest request = asking({"raw"});
  request.format = "jsno";
  const std::string path = folder.write("a", "x\n");
  CHECK_FALSE(try_scan({path, 0, ""}, request).ok());
  request.format = "regex";
  request.pattern = "(";
  CHECK_FALSE(try_scan({path, 0, ""}, request).ok());
  request = asking({"raw"});
  request.plan.extracts = {{query::Extract::Kind::pattern, "raw", "no field", {}}};
  CHECK_FALSE(try_scan({path, 0, ""}, request).ok());
}

TEST_CASE("Container logs give who wrote them, and lines without wrapping stay as rows") {
  ScanFolder folder;
  const std::string path =
      folder.write("pods/shop_web-7d4b9c_1b4e28ba-2fa1-11d2-883f-0016d3cca427/nginx/0.log",
                   "2026-11-21T01:35:51Z stdout F level=info msg=a\n"
                   "2026-11-21T01:35:52Z stdout P level=info \n"
                   "2026-11-21T01:35:52Z stderr F level=error msg=c\n"
                   "2026-11-21T01:35:53Z stdout F msg=b\n"
                   "damaged\n");
  const Scanned found = scan(
      path, asking({"namespace", "pod", "container", "level", "message", "ts", "line", "_error"}));
  const std::string who = "shop|web-7d4b9c|nginx|";
  CHECK(found.rows == Rows{who + "INFO|a|2026-11-21T01:35:51Z|0|NULL",
                           who + "ERROR|c|2026-11-21T01:35:52Z|89|NULL",
                           who + "INFO|b|2026-11-21T01:35:52Z|47|NULL",
                           who + "NULL|NULL|NULL|173|not_cri"});
}
