#include <algorithm>

#include "log_oracle.hpp"
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
  return std::string(found.cri ? "cri " : "") + (found.docker ? "docker " : "") +
         format_name(found.format);
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
    std::string escaped;
    for (const char c : sample[1])
      escaped += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
    const std::string docker = "{\"log\":\"" + escaped +
                               R"(\n","stream":"stdout","time":"2026-11-21T01:35:51.262484239Z"})";
    CHECK(kind({docker, docker}) == "docker " + sample[0]);
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

TEST_CASE("Programs with a layout of their own are detected by it", "[log]") {
  for (const auto& [pattern, line] : test::kLayoutSamples) {
    if (pattern.find(':') != std::string_view::npos || pattern == "k3s") continue;
    const std::string first(line.substr(0, line.find('\n')));
    CAPTURE(first);
    CHECK(kind({first, first}) == pattern);
    // Where half of the lines are of another shape it would lose them.
    CHECK(kind({first, "2026-11-21 01:35:51 up", "2026-11-21 01:35:52 up"}) == "plain");
  }
}

TEST_CASE("A table is detected by its header line, which has to be the first", "[log]") {
  CHECK(kind({"ts,level,msg", "2026-11-21T01:35:51Z,info,up", "2026-11-21T01:35:52Z,info,on"}) ==
        "csv");
  CHECK(kind({"time\tmethod\tpath", "1763688951\tGET\t/"}) == "tsv");
  CHECK(kind({"2026-11-21T01:35:51Z,info,up", "ts,level,msg"}) == "plain");
  CHECK(kind({"lost, one, connection", "2026-11-21 01:35:51 up", "2026-11-21 01:35:51 up"}) ==
        "plain");
  CHECK(detect({"ts,level,msg", "1763688951,info,up"}).format.pattern == ",ts,level,msg");
}

TEST_CASE("A journal export is detected by its fields", "[log]") {
  CHECK(kind({"__CURSOR=s=1", "__REALTIME_TIMESTAMP=1763688951262484", "MESSAGE=a=b c=d", "",
              "__CURSOR=s=2", "_PID=1"}) == "journal");
  CHECK(kind({"LEVEL=info MSG=x", "LEVEL=warn MSG=y"}) == "logfmt");
}

TEST_CASE("The explanation counts what the winner does not read", "[log]") {
  std::vector<std::string> lines(198, R"({"level":"info"})");
  lines.insert(lines.begin() + 50, 2, "2026-11-21 01:35:51 panic");
  CHECK(detect(lines).explanation ==
        "json: 198 of 200 sampled lines are JSON objects; 2 begin with a time stamp only (plain)");
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
    std::cout << c.name << ": " << found.explanation << "\n";
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
