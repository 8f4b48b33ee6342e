// What an observer of the pipeline is shown.
#include "nines/collector/observer.hpp"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "manual_clock.hpp"
#include "nines/collector/pipeline.hpp"

namespace nines::collector {
namespace {

struct Seen {
  std::string service, pod, message, request, span;
  int64_t status = 0, at_ms = 0;
  int level = -1;
};

class Notes final : public RecordObserver {
 public:
  void record(const ObservedRecord& r) override {
    records.push_back({std::string(r.service), std::string(r.pod), std::string(r.message),
                       std::string(r.request), std::string(r.span), r.status,
                       r.at.ns / kNsPerMs % 60'000, r.has_level ? static_cast<int>(r.level) : -1});
  }
  void gauge(const ObservedGauge& g) override {
    gauges.emplace_back(std::string(g.of), g.value);
    gauge_source = g.source;
  }
  void container(const ObservedContainer& c) override {
    restarts.emplace_back(std::string(c.pod), c.restart);
  }
  std::vector<Seen> records;
  std::vector<std::pair<std::string, uint64_t>> restarts;
  std::vector<std::pair<std::string, double>> gauges;
  uint32_t gauge_source = 99;
};

struct Watched {
  explicit Watched(const std::string& path, SourcePlan plan = {}) {
    plan.name = "logs";
    pipeline.add_source(std::move(plan));
    file.path = path;
    file.matched = {0};
    pipeline.opened(file);
  }
  void feed(const std::string& data) { pipeline.consume(file, data, Reading::last); }

  test::ManualClock clock{WallTime::from_s(1'790'000'000)};
  Notes notes;
  Pipeline pipeline{{.node = "n1", .observer = &notes}, clock};
  LogStream file;
};

}  // namespace

TEST_CASE("An observer is shown records of a source that no SLO counts", "[collector][observer]") {
  Watched w("/var/log/pods/shop_web-7d9f-x2x1z_0a1b/web/0.log");
  w.feed(
      "2026-09-21T14:13:20.5Z stdout F {\"level\":\"error\",\"msg\":\"no \\\"card\\\"\","
      "\"traceId\":\"t-1\",\"span_id\":\"s-1\"}\n"
      "2026-09-21T14:13:21.5Z stdout F {\"service\":\"till\",\"message\":\"paid\"}\n");
  REQUIRE(w.notes.records.size() == 2);
  const Seen& first = w.notes.records[0];
  CHECK(first.service == "web");
  CHECK(first.pod == "web-7d9f-x2x1z");
  CHECK(first.message == "no \"card\"");
  CHECK(first.request == "t-1");
  CHECK(first.span == "s-1");
  CHECK(first.level == static_cast<int>(Level::error));
  CHECK(first.at_ms == 20'500);
  CHECK(w.notes.records[1].service == "till");  // the record knows better than its container
  CHECK(w.notes.records[1].level == -1);
}

TEST_CASE("A service that the configuration names is not replaced by what a record says",
          "[collector][observer]") {
  SourcePlan plan;
  plan.service = "shop";
  Watched w("/logs/app.log", plan);
  w.feed("{\"ts\":\"2026-09-21T14:13:20Z\",\"service\":\"till\",\"message\":\"paid\"}\n");
  REQUIRE(w.notes.records.size() == 1);
  CHECK(w.notes.records[0].service == "shop");
}

TEST_CASE("A container that starts again is told once, by the number of its log",
          "[collector][observer]") {
  Watched w("/var/log/pods/shop_web-1_0a1b/web/3.log");
  w.feed(
      "2026-09-21T14:13:20.5Z stdout F {\"level\":\"info\",\"msg\":\"up\"}\n"
      "2026-09-21T14:13:21.5Z stdout F {\"level\":\"info\",\"msg\":\"on\"}\n");
  CHECK(w.notes.restarts == std::vector<std::pair<std::string, uint64_t>>{{"web-1", 3}});
}

TEST_CASE("Access logs show their status", "[collector][observer]") {
  Watched w("/logs/access.log");
  w.feed(
      "10.0.0.1 - - [21/Sep/2026:14:13:20 +0000] \"GET /a HTTP/1.1\" 503 12 \"-\" \"curl/8\"\n"
      "10.0.0.1 - - [21/Sep/2026:14:13:21 +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"curl/8\"\n");
  REQUIRE(w.notes.records.size() == 2);
  CHECK(w.notes.records[0].status == 503);
  CHECK(w.notes.records[1].status == 200);
}

TEST_CASE("Numbers that a source is watched for come with what they are of",
          "[collector][observer]") {
  SourcePlan plan;
  plan.gauge = {"depth", "queue"};
  Watched w("/logs/queues.log", plan);
  w.feed(
      "{\"ts\":\"2026-09-21T14:13:20Z\",\"queue\":\"mail\",\"depth\":1200}\n"
      "{\"ts\":\"2026-09-21T14:13:21Z\",\"queue\":\"mail\",\"depth\":\"7.5\"}\n"
      "{\"ts\":\"2026-09-21T14:13:22Z\",\"queue\":\"mail\"}\n");
  REQUIRE(w.notes.gauges.size() == 2);
  CHECK(w.notes.gauges[0] == std::pair<std::string, double>{"mail", 1200});
  CHECK(w.notes.gauges[1].second == 7.5);
  CHECK(w.notes.gauge_source == 0);
  CHECK(w.notes.records.size() == 3);
}

}  // namespace nines::collector
