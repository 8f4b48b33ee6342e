// The way of a line from the bytes of a file to slot counts, without the tailer.
#include "nines/collector/pipeline.hpp"

#include <catch2/catch.hpp>
#include <map>

#include "manual_clock.hpp"

using namespace nines;
using namespace nines::collector;

namespace {

constexpr int64_t kNoonS = 1'790'000'000 / 10 * 10;  // a slot boundary in 2026

slo::SloSpec ratio(const std::string& name, const std::string& total, const std::string& good,
                   const std::string& glob = "/logs/*.log") {
  slo::SloSpec spec;
  spec.name = name;
  spec.target = {999, -3};
  spec.indicator.total.source.paths = {glob};
  spec.indicator.total.where = total;
  spec.indicator.part.source.paths = {glob};
  spec.indicator.part.where = good;
  return spec;
}

slo::SloSpec latency(const std::string& name, const std::string& value, Decimal threshold) {
  slo::SloSpec spec = ratio(name, "", "");
  spec.indicator.kind = slo::SliKind::threshold;
  spec.indicator.value = value;
  spec.op = slo::CompareOp::lte;
  spec.threshold = threshold;
  return spec;
}

struct Rig {
  test::ManualClock clock{WallTime::from_s(kNoonS + 600)};
  Pipeline pipeline{{.node = "n1"}, clock};
  LogStream file;

  Rig(const std::vector<slo::SloSpec>& slos, const std::string& path,
      slo::SourceSelector selector = {}) {
    SourcePlan plan;
    plan.name = "logs";
    plan.service = "shop";
    plan.selector = std::move(selector);
    pipeline.add_source(plan);
    for (uint32_t i = 0; i < slos.size(); ++i) REQUIRE(pipeline.add_slo(i, slos[i], 0, 0).ok());
    file.path = path;
    file.matched = {0};
    pipeline.opened(file);
  }

  size_t feed(const std::string& text, bool last = false) {
    const size_t used = pipeline.consume(file, text, last ? Reading::last : Reading::more).bytes;
    file.offset += static_cast<int64_t>(used);
    return used;
  }

  struct Counts {
    int64_t good = 0, bad = 0;
    bool operator==(const Counts&) const = default;
  };
  Counts counts(uint32_t slo) {
    pipeline.take(taken);
    taken.normalize();
    Counts out;
    for (const auto& delta : taken.slots) {
      if (delta.slo != slo) continue;
      out.good += delta.good;
      out.bad += delta.bad;
    }
    return out;
  }
  slo::Batch taken;
};

std::string nginx(int64_t at_s, int status, const std::string& path = "/",
                  const std::string& seconds = "0.010") {
  const CivilDate d = civil_from_days(at_s / 86400);
  const int64_t t = at_s % 86400;
  char time[64];
  static const char* const kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::snprintf(time, sizeof time, "%02d/%s/%04d:%02d:%02d:%02d +0000", d.day, kMonths[d.month - 1],
                static_cast<int>(d.year), static_cast<int>(t / 3600), static_cast<int>(t / 60 % 60),
                static_cast<int>(t % 60));
  return "10.0.0.1 - - [" + std::string(time) + "] \"GET " + path + " HTTP/1.1\" " +
         std::to_string(status) + " 512 \"-\" \"curl/8\" " + seconds + "\n";
}

}  // namespace

TEST_CASE("Pipeline counts good and bad events of an access log in their slots", "[collector]") {
  Rig rig({ratio("availability", "path NOT LIKE '/healthz%'", "status < 500"),
           latency("latency", "duration_ms", {500, 0})},
          "/logs/access.log");
  rig.feed(nginx(kNoonS, 200) + nginx(kNoonS + 9, 503) + nginx(kNoonS + 10, 404, "/x", "0.501") +
           nginx(kNoonS + 11, 500, "/healthz"));
  CHECK(rig.counts(0) == Rig::Counts{2, 1});
  CHECK(rig.counts(1) == Rig::Counts{3, 1});
  std::map<int64_t, int64_t> by_slot;
  for (const auto& d : rig.taken.slots) {
    if (d.slo == 0) by_slot[d.slot] += d.good + d.bad;
  }
  CHECK(by_slot == std::map<int64_t, int64_t>{{kNoonS / 10, 2}, {kNoonS / 10 + 1, 1}});
}

TEST_CASE("Pipeline leaves an unfinished line unread until it is complete", "[collector]") {
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log");
  const std::string line = nginx(kNoonS, 200);
  CHECK(rig.feed(line + line.substr(0, 30)) == line.size());
  CHECK(rig.counts(0) == Rig::Counts{1, 0});
  CHECK(rig.feed(line) == line.size());
  CHECK(rig.counts(0) == Rig::Counts{2, 0});
}

TEST_CASE("Pipeline counts the last line of a finished file although it has no newline",
          "[collector]") {
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log");
  std::string line = nginx(kNoonS, 200);
  line.pop_back();
  CHECK(rig.feed(line, true) == line.size());
  CHECK(rig.counts(0) == Rig::Counts{1, 0});
}

TEST_CASE("Pipeline counts malformed lines per reason and goes on", "[collector]") {
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log");
  rig.feed(nginx(kNoonS, 200) + nginx(kNoonS, 200) + "garbage\x01\xff\n" + nginx(kNoonS, 500));
  CHECK(rig.counts(0) == Rig::Counts{2, 1});
  const SourceCounts counts = rig.pipeline.counts().front();
  CHECK(counts.no_match == 1);
  CHECK(counts.records == 3);
  CHECK(counts.first_malformed.find("garbage??") != std::string::npos);
  CHECK(counts.first_malformed.find("/logs/access.log:") == 0);
}

TEST_CASE("Pipeline joins CRI pieces and takes the names from the path", "[collector]") {
  Rig rig({ratio("by-pod",
                 "pod = 'web-1' AND namespace = 'shop' AND container = 'app' AND service = 'shop'",
                 "level < 'ERROR'")},
          "/var/log/pods/shop_web-1_0a1b/app/0.log");
  rig.feed(
      "2026-09-21T14:13:20.1Z stdout P {\"level\":\"err\n"
      "2026-09-21T14:13:20.2Z stderr F {\"level\":\"info\",\"message\":\"b\"}\n"
      "2026-09-21T14:13:20.3Z stdout F or\",\"message\":\"a\"}\n"
      "2026-09-21T14:13:20.4Z stdout F {\"level\":\"info\",\"message\":\"c\"}\n");
  CHECK(rig.counts(0) == Rig::Counts{2, 1});
}

TEST_CASE("Pipeline keeps open CRI pieces with the position, so that a restart completes them",
          "[collector]") {
  const auto spec = ratio("errors", "", "level < 'ERROR'");
  Rig first({spec}, "/var/log/pods/shop_web-1_0a1b/app/0.log");
  first.feed(
      "2026-09-21T14:13:20.0Z stdout F {\"level\":\"info\",\"message\":\"x\"}\n"
      "2026-09-21T14:13:20.1Z stdout P {\"level\":\"err\n");
  CHECK(first.counts(0) == Rig::Counts{1, 0});

  test::ManualClock clock{WallTime::from_s(kNoonS)};
  Pipeline pipeline({.node = "n1"}, clock);
  pipeline.add_source({.name = "logs", .service = "", .selector = {}, .globs = {}});
  REQUIRE(pipeline.add_slo(0, spec, 0, 0).ok());
  LogStream again;
  again.path = first.file.path;
  again.matched = {0};
  again.extra = first.file.extra;
  pipeline.opened(again);
  pipeline.consume(again, "2026-09-21T14:13:20.3Z stdout F or\",\"message\":\"a\"}\n",
                   Reading::more);
  slo::Batch batch;
  pipeline.take(batch);
  REQUIRE(batch.slots.size() == 1);
  CHECK(batch.slots[0].bad == 1);
}

TEST_CASE("Pipeline gives a record without time stamp the time of the line before", "[collector]") {
  slo::SourceSelector lines;
  lines.multiline = "none";
  Rig rig({ratio("errors", "", "level < 'ERROR'")}, "/logs/app.log", lines);
  rig.feed(
      "2026-09-21T14:13:20Z INFO started\n"
      "2026-09-21T14:13:21Z INFO going\n"
      "    at com.example.Main(Main.java:1)\n"
      "2026-09-21T14:13:45Z ERROR gone\n");
  rig.counts(0);
  std::map<int64_t, int64_t> by_slot;
  for (const auto& d : rig.taken.slots) by_slot[d.slot] += d.good + d.bad;
  CHECK(by_slot[slo::slot_of(WallTime::from_s(1790000000))] == 3);
  CHECK(rig.pipeline.counts().front().bad_time == 1);
}

TEST_CASE("Pipeline counts an event stamped in the future now and says so", "[collector]") {
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log");
  rig.feed(nginx(kNoonS, 200) + nginx(kNoonS + 86400, 200));
  rig.counts(0);
  CHECK(rig.taken.skewed == 1);
  CHECK(rig.taken.slots.back().slot == slo::slot_of(rig.clock.wall()));
}

TEST_CASE("Pipeline leaves records later than the replay limit unread", "[collector]") {
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log");
  rig.pipeline.set_replay_limit(WallTime::from_s(kNoonS + 5));
  const std::string early = nginx(kNoonS, 200), late = nginx(kNoonS + 30, 200);
  CHECK(rig.feed(early + late) == early.size());
  CHECK(Pipeline::next_time(rig.file) == WallTime::from_s(kNoonS + 30));
  rig.pipeline.set_replay_limit(WallTime::from_s(kNoonS + 30));
  CHECK(rig.feed(late) == late.size());
  CHECK_FALSE(Pipeline::next_time(rig.file).has_value());
}

TEST_CASE("Pipeline counts good and total events of different sources independently",
          "[collector]") {
  test::ManualClock clock{WallTime::from_s(kNoonS + 600)};
  Pipeline pipeline({.node = "n1"}, clock);
  pipeline.add_source({.name = "requests", .service = "", .selector = {}, .globs = {}});
  pipeline.add_source({.name = "failures", .service = "", .selector = {}, .globs = {}});
  slo::SloSpec spec = ratio("across", "", "level >= 'ERROR'");
  spec.indicator.part_is_bad = true;
  REQUIRE(pipeline.add_slo(0, spec, 0, 1).ok());
  LogStream requests, failures;
  requests.path = "/logs/access.log";
  requests.matched = {0};
  failures.path = "/logs/app.log";
  failures.matched = {1};
  pipeline.opened(requests);
  pipeline.opened(failures);
  pipeline.consume(requests, nginx(kNoonS, 200) + nginx(kNoonS, 200) + nginx(kNoonS, 200),
                   Reading::more);
  pipeline.consume(failures, "2026-09-21T14:13:20Z ERROR boom\n2026-09-21T14:13:20Z INFO fine\n",
                   Reading::more);
  slo::Batch batch;
  pipeline.take(batch);
  batch.normalize();
  int64_t good = 0, bad = 0;
  for (const auto& d : batch.slots) {
    good += d.good;
    bad += d.bad;
  }
  CHECK(good == 2);
  CHECK(bad == 1);
}

TEST_CASE("Container paths give namespace, pod and container", "[collector]") {
  const auto pods =
      parse_container_path("/var/log/pods/kube-system_coredns-5d_0a1b-2c/coredns/3.log");
  REQUIRE(pods);
  CHECK(pods->ns == "kube-system");
  CHECK(pods->pod == "coredns-5d");
  CHECK(pods->container == "coredns");
  const auto rotated =
      parse_container_path("/var/log/pods/a_b_c/kube-scheduler44/1.log.20250219-233547");
  REQUIRE(rotated);
  CHECK(rotated->container == "kube-scheduler44");
  const auto link = parse_container_path("/var/log/containers/web-1_shop_app-0123abc.log");
  REQUIRE(link);
  CHECK(link->ns == "shop");
  CHECK(link->pod == "web-1");
  CHECK(link->container == "app");
  CHECK_FALSE(parse_container_path("/var/log/nginx/access.log"));
}

TEST_CASE("Pipeline counts for a source from when its glob comes to match the file",
          "[collector]") {
  Rig rig({ratio("first", "", "status < 500")}, "/logs/access.log");
  rig.pipeline.add_source({.name = "second", .service = "", .selector = {}, .globs = {}});
  REQUIRE(rig.pipeline.add_slo(1, ratio("later", "", "status < 500"), 1, 1).ok());
  rig.feed(nginx(kNoonS, 200));
  rig.file.matched = {0, 1};
  rig.feed(nginx(kNoonS, 200));
  CHECK(rig.counts(0) == Rig::Counts{2, 0});
  CHECK(rig.counts(1) == Rig::Counts{1, 0});
}

TEST_CASE("Pipeline passes over stack traces between JSON lines and counts their lines",
          "[collector]") {
  slo::SourceSelector json;
  json.format = "json";
  Rig rig({ratio("errors", "", "level < 'ERROR'")}, "/logs/app.log", json);
  const std::string line = "{\"ts\":\"2026-09-21T14:13:20Z\",\"level\":\"info\"}\n";
  rig.feed(line +
           "Traceback (most recent call last):\n  File \"a.py\", line 1, in f\nKeyError: 'a'\n" +
           line + "\tat a.B.c(D.java:1)\n" + "garbage\n" + line);
  CHECK(rig.counts(0) == Rig::Counts{3, 0});
  const SourceCounts counts = rig.pipeline.counts().front();
  CHECK(counts.continuations == 4);
  CHECK(counts.no_match == 1);
  CHECK(counts.first_malformed.find("garbage") != std::string::npos);
}

TEST_CASE("Pipeline counts a record of several lines once, at the time of its first line",
          "[collector]") {
  Rig rig({ratio("errors", "", "level < 'ERROR'"),
           ratio("npe", "message LIKE '%NullPointer%'", "level < 'ERROR'")},
          "/logs/app.log");
  rig.feed(
      "2026-09-21 14:13:20 INFO started\n"
      "2026-09-21 14:13:21 ERROR failed\n"
      "java.lang.NullPointerException\n"
      "\tat com.example.Main(Main.java:1)\n\n"
      "2026-09-21 14:13:45 INFO gone on\n",
      true);
  CHECK(rig.counts(0) == Rig::Counts{2, 1});
  CHECK(rig.counts(1) == Rig::Counts{0, 1});
  const SourceCounts counts = rig.pipeline.counts().front();
  CHECK(counts.records == 3);
  CHECK(counts.continuations == 2);
  CHECK(counts.bad_time == 0);
}

TEST_CASE("Pipeline leaves a record of several lines unread until its time has come",
          "[collector]") {
  Rig rig({ratio("errors", "", "level < 'ERROR'")}, "/logs/app.log");
  const std::string early = "2026-09-21 14:13:20 INFO one\n  more\n";
  const std::string late = "2026-09-21 14:13:40 ERROR two\n  more\n\n";
  rig.pipeline.set_replay_limit(WallTime::from_s(1'790'000'000));
  CHECK(rig.feed(early + late, true) == early.size());
  CHECK(Pipeline::next_time(rig.file) == WallTime::from_s(1'790'000'020));
  CHECK(rig.pipeline.counts().front().continuations == 1);
  rig.pipeline.set_replay_limit(WallTime::from_s(1'790'000'020));
  CHECK(rig.feed(late, true) == late.size());
  CHECK(rig.counts(0) == Rig::Counts{1, 1});
  CHECK(rig.pipeline.counts().front().continuations == 2);
}

TEST_CASE("Pipeline does not let a container's record wait for a line that is not due",
          "[collector]") {
  slo::SourceSelector plain;
  plain.format = "plain";
  Rig rig({ratio("errors", "", "level < 'ERROR'")}, "/var/log/pods/a_b_c/d/0.log", plain);
  const std::string early =
      "2026-09-21T14:13:20.1Z stderr F 2026-09-21 14:13:20 ERROR one\n"
      "2026-09-21T14:13:20.2Z stderr F   more\n";
  const std::string late = "2026-09-21T14:13:40.1Z stderr F 2026-09-21 14:13:40 ERROR two\n";
  rig.pipeline.set_replay_limit(WallTime::from_s(1'790'000'001));
  CHECK(rig.feed(early + late, true) == early.size());
  CHECK(rig.counts(0) == Rig::Counts{0, 1});
  CHECK(Pipeline::next_time(rig.file) == WallTime{1'790'000'020'100'000'000});
  rig.pipeline.set_replay_limit(WallTime::from_s(1'790'000'021));
  CHECK(rig.feed(late, true) == late.size());
  CHECK(rig.counts(0) == Rig::Counts{0, 2});
}

TEST_CASE("Pipeline counts as many events as a record says it stands for", "[collector]") {
  slo::SloSpec spec = ratio("requests", "", "code < 500");
  spec.indicator.count = "n";
  slo::SourceSelector json;
  json.format = "json";
  Rig rig({spec}, "/logs/app.log", json);
  std::string text;
  for (const char* rest :
       {"\"code\":200,\"n\":10", "\"code\":503,\"n\":2.0", "\"code\":200,\"n\":0",
        "\"code\":200,\"n\":\"7\"", "\"code\":200,\"n\":-1", "\"code\":200",
        "\"code\":200,\"n\":1.5", "\"code\":200,\"n\":1e15"}) {
    text += "{\"ts\":\"2026-09-21T14:13:20Z\"," + std::string(rest) + "}\n";
  }
  rig.feed(text);
  CHECK(rig.counts(0) == Rig::Counts{17, 2});
  CHECK(rig.pipeline.counts().front().bad_count == 4);
  CHECK(rig.pipeline.counts().front().first_malformed.find("\"n\":-1") != std::string::npos);
}

TEST_CASE("Pipeline does not count records older than where its source starts", "[collector]") {
  slo::SourceSelector later;
  later.start = format_rfc3339(WallTime::from_s(kNoonS + 5));
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log", later);
  const std::string text = nginx(kNoonS, 500) + nginx(kNoonS + 5, 200) + nginx(kNoonS + 6, 500);
  CHECK(rig.feed(text) == text.size());
  CHECK(rig.counts(0) == Rig::Counts{1, 1});
  const SourceCounts counts = rig.pipeline.counts().front();
  CHECK(counts.before_start == 1);
  CHECK(counts.records == 2);
  CHECK(counts.first_event == WallTime::from_s(kNoonS + 5));
}

TEST_CASE("Pipeline drops what is beyond the rate of one source and gives it to the others",
          "[collector]") {
  test::ManualClock clock{WallTime::from_s(kNoonS + 600)};
  Pipeline pipeline({.node = "n1"}, clock);
  slo::SourceSelector limited;
  limited.max_lines_per_s = 3;
  limited.excess = slo::Excess::drop;
  pipeline.add_source({.name = "limited", .service = "", .selector = limited, .globs = {}});
  pipeline.add_source({.name = "all", .service = "", .selector = {}, .globs = {}});
  REQUIRE(pipeline.add_slo(0, ratio("limited", "", "status < 500"), 0, 0).ok());
  REQUIRE(pipeline.add_slo(1, ratio("all", "", "status < 500"), 1, 1).ok());
  LogStream file;
  file.path = "/logs/access.log";
  file.matched = {0, 1};
  pipeline.opened(file);
  std::string ten;
  for (int i = 0; i < 10; ++i) ten += nginx(kNoonS, 200);
  const auto totals = [&] {
    slo::Batch batch;
    pipeline.take(batch);
    std::map<uint32_t, int64_t> out;
    for (const auto& delta : batch.slots) out[delta.slo] += delta.good;
    return out;
  };
  pipeline.consume(file, ten, Reading::more);
  CHECK(totals() == std::map<uint32_t, int64_t>{{0, 3}, {1, 10}});
  pipeline.consume(file, ten, Reading::more);
  CHECK(totals() == std::map<uint32_t, int64_t>{{1, 10}});
  clock.advance_s(60);  // a second's worth at most
  pipeline.consume(file, ten, Reading::more);
  CHECK(totals() == std::map<uint32_t, int64_t>{{0, 3}, {1, 10}});
  CHECK(pipeline.counts()[0].dropped == 24);
  CHECK(pipeline.counts()[1].dropped == 0);
}

TEST_CASE("Pipeline limits bytes a second too", "[collector]") {
  slo::SourceSelector limited;
  limited.max_bytes_per_s = 250;
  limited.excess = slo::Excess::drop;
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log", limited);
  std::string text;
  for (int i = 0; i < 10; ++i) text += nginx(kNoonS, 200);  // of 90 bytes
  rig.feed(text);
  CHECK(rig.counts(0) == Rig::Counts{3, 0});
  CHECK(rig.pipeline.counts().front().dropped == 7);
}

TEST_CASE("Pipeline counts the NULs that it removes and the characters that UTF-16 could not mean",
          "[collector]") {
  Rig rig({ratio("availability", "", "status < 500")}, "/logs/access.log");
  rig.feed(nginx(kNoonS, 200) + std::string(7, '\0') + nginx(kNoonS, 200));
  CHECK(rig.counts(0) == Rig::Counts{2, 0});
  CHECK(rig.pipeline.counts().front().nul_bytes == 7);
  Rig wide({ratio("all", "", "")}, "/logs/app.log");
  std::string text = "\xFF\xFE";
  for (const char c : std::string("2026-09-21 14:13:20 one \xD8\n")) {
    text += c == '\xD8' ? '\0' : c;
    text += c == '\xD8' ? c : '\0';
  }
  wide.feed(text, true);
  CHECK(wide.pipeline.counts().front().records == 1);
  CHECK(wide.pipeline.counts().front().replaced == 1);
}

TEST_CASE("Pipeline refuses an SLO on a source whose multiline pattern is none", "[collector]") {
  test::ManualClock clock{WallTime::from_s(kNoonS)};
  Pipeline pipeline({.node = "n1"}, clock);
  slo::SourceSelector broken;
  broken.multiline = "(";
  pipeline.add_source({.name = "logs", .service = "", .selector = broken, .globs = {}});
  CHECK_FALSE(pipeline.add_slo(0, ratio("availability", "", "status < 500"), 0, 0).ok());
}
