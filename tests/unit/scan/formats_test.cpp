// Every format, and every shape of a time stamp, through a scan.
#include "log_oracle.hpp"
#include "nines/log/format.hpp"
#include "scan_support.hpp"

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

TEST_CASE(
    "Time stamps of every shape are read by a scan, and bad ones leave the row without time") {
  struct Shape {
    std::string_view text, expected;
  };
  static constexpr Shape kShapes[] = {
      {"2026-11-21T01:35:51.262484239Z", "2026-11-21T01:35:51.262484239Z"},
      {"2026-11-21 01:35:51,262", "2026-11-21T01:35:51.262Z"},
      {"2026/11/21 01:35:51 +0100", "2026-11-21T00:35:51Z"},
      {"21/Nov/2026:01:35:51 +0100", "2026-11-21T00:35:51Z"},
      {"261121  1:35:51", "2026-11-21T01:35:51Z"},
      {"2026-11-21 01:35:51.262 CET", "2026-11-21T00:35:51.262Z"},
      {"2026-11-21 01:35:51 EST", "2026-11-21T06:35:51Z"},
      {"Nov 21, 2026 1:35:51 AM", "2026-11-21T01:35:51Z"},
      {"21.11.2026 01:35:51", "2026-11-21T01:35:51Z"},
      {"21-Nov-2026 01:35:51.262", "2026-11-21T01:35:51.262Z"},
      {"Sat, 21 Nov 2026 01:35:51 GMT", "2026-11-21T01:35:51Z"},
      {"Saturday, 21-Nov-26 01:35:51 GMT", "2026-11-21T01:35:51Z"},
      {"Sat Nov 21 01:35:51 2026", "2026-11-21T01:35:51Z"},
      {"Sat Nov 21 01:35:51 CET 2026", "2026-11-21T00:35:51Z"},
      {"20261121T013551Z", "2026-11-21T01:35:51Z"},
      {"I1121 01:35:51.262484", "2026-11-21T01:35:51.262484Z"},
      {"Nov 21 01:35:51", "2026-11-21T01:35:51Z"},
      {"Dec 31 23:59:59", "2025-12-31T23:59:59Z"},  // not in the future
      {"1763688951", "2025-11-21T01:35:51Z"},
      {"1763688951.262", "2025-11-21T01:35:51.262Z"},
      {"1763688951262", "2025-11-21T01:35:51.262Z"},
      {"1763688951262484239", "2025-11-21T01:35:51.262484239Z"},
      {"31.12.2016 23:59:60", "2017-01-01T00:00:00Z"},
      {"never", "NULL"},
      {"2026-13-21T01:35:51Z", "NULL"},
      {"1969-12-31T23:59:59Z", "NULL"},
      {"", "NULL"},
  };
  ScanFolder folder;
  std::string content;
  Rows expected;
  for (const Shape& shape : kShapes) {
    content += "<" + std::string(shape.text) + "> m\n";
    expected.push_back(std::string(shape.expected) + "|m|" +
                       (shape.expected == "NULL" ? "bad_time" : "NULL"));
  }
  ScanRequest request = asking({"ts", "message", "_error"});
  request.format = "regex";
  request.pattern = "^<(?P<ts>[^>]*)> (?P<message>.*)$";
  const Scanned found = scan(folder.write("a", content), request);
  CHECK(found.rows == expected);
  CHECK(found.stats.no_timestamp == 4);
  request.options.utc_offset_s = 3600;
  CHECK(scan(folder.path("a"), request).rows[1].starts_with("2026-11-21T00:35:51.262Z"));
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
