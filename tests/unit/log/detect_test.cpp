#include <algorithm>

#include "log_test_support.hpp"

using namespace nines;
using namespace nines::log;

namespace {

Detection detect(const std::vector<std::string>& lines) {
  const std::vector<std::string_view> views(lines.begin(), lines.end());
  return detect_format(views);
}
std::string kind(const std::vector<std::string>& lines) {
  const Detection found = detect(lines);
  return std::string(found.cri ? "cri " : "") + std::string(format_name(found.format.kind));
}

const std::vector<std::string> kSamples[] = {
    {"combined", R"(h - - [21/Nov/2026:01:35:51 +0000] "GET / HTTP/1.1" 200 5 "-" "ua" 0.1)"},
    {"json", R"({"level":"info","msg":"x"})"},
    {"logfmt", R"(level=info msg="a b")"},
    {"syslog", "Jun 14 15:16:01 combo sshd[19939]: check pass"},
    {"syslog", "<34>1 2003-10-11T22:14:15.003Z h su - ID47 - x"},
    {"syslog", "2026-11-21T01:35:51.262484+01:00 node1 app[5]: x"},
    {"plain", "2026-11-21T01:35:51Z INFO main: starting"},
    {"plain", "2026-11-21 01:35:51,262 - INFO - a=b c=d"},
};

}  // namespace

TEST_CASE("Each format is detected, bare and in a CRI envelope", "[log]") {
  for (const auto& sample : kSamples) {
    CAPTURE(sample[1]);
    CHECK(kind({sample[1], sample[1]}) == sample[0]);
    const std::string wrapped = "2026-11-21T01:35:51.262484239Z stdout F " + sample[1];
    CHECK(kind({wrapped, wrapped}) == "cri " + sample[0]);
  }
}

TEST_CASE("A few damaged lines and stack traces do not change the format", "[log]") {
  for (const auto& sample : kSamples) {
    std::vector<std::string> lines(10, sample[1]);
    lines.insert(lines.begin(), {"garbage", "", "{\"cut\":", "    at Thread.run(Thread.java:1)"});
    CAPTURE(sample[1]);
    const Detection found = detect(lines);
    CHECK(format_name(found.format.kind) == sample[0]);
    CHECK(found.matched == 10);
    CHECK(found.sampled == 13);
    CHECK_THAT(found.explanation, Catch::Contains(sample[0]) && Catch::Contains("10 of 13"));
    std::reverse(lines.begin(), lines.end());
    CHECK(detect(lines).explanation == found.explanation);
  }
}

TEST_CASE("Unknown lines are plain with nothing matched", "[log]") {
  const Detection found = detect({"hello", "world", "{not json}"});
  CHECK(found.format.kind == FormatKind::plain);
  CHECK(found.matched == 0);
  CHECK(detect({}).matched == 0);
  CHECK(detect({"", " "}).sampled == 0);
}

TEST_CASE("Real logs are detected and parse", "[log]") {
  struct Case {
    const char* name;
    const char* kind;
    bool levels;
  };
  static constexpr Case kCases[] = {{"Apache", "plain", true},     {"BGL", "plain", true},
                                    {"HDFS", "plain", true},       {"Hadoop", "log4j", true},
                                    {"HealthApp", "plain", false}, {"Linux", "syslog", false},
                                    {"OpenSSH", "syslog", false},  {"Zookeeper", "plain", true}};
  for (const Case& c : kCases) {
    const auto lines = test::real_log(c.name);
    if (lines.empty()) continue;
    CAPTURE(c.name);
    const Detection found = detect(lines);
    CHECK(format_name(found.format) == c.kind);
    CHECK(found.matched >= 1990);
    test::Lines parser(found.format, {"level", "message", "app"});
    size_t timed = 0, levels = 0, messages = 0, apps = 0;
    for (const std::string& line : lines) {
      timed += parser.parse(line) == ParseOutcome::ok;
      levels += parser.values[0].kind == ValueKind::level;
      messages += parser.values[1].kind == ValueKind::text;
      apps += parser.values[2].kind == ValueKind::text;
    }
    CHECK(timed >= 1999);
    CHECK(messages == lines.size());
    if (c.levels) CHECK(levels >= 1940);
    if (c.kind == std::string("syslog")) CHECK(apps >= 1880);
  }
}
