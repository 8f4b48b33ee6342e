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
    places.emplace_back(std::string(r.path), r.offset);
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
  void bad(const ObservedBad& b) override {
    bads.emplace_back(b.slo, std::string(b.user));
    bad_at = b.at;
  }
  std::vector<std::pair<uint32_t, std::string>> bads;
  WallTime bad_at{};
  std::vector<std::pair<std::string, int64_t>> places;
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

TEST_CASE("Who met a bad event is told with the SLO that counted it, and for no good one",
          "[collector][observer]") {
  test::ManualClock clock{WallTime::from_s(1'790'000'000)};
  Notes notes;
  Pipeline pipeline{{.node = "n1", .observer = &notes}, clock};
  SourcePlan plan;
  plan.name = "logs";
  plan.user = "user";
  pipeline.add_source(std::move(plan));
  slo::SloSpec ratio;
  ratio.name = "shop";
  ratio.target = {999, -3};
  ratio.indicator.total.where = "status > 0";
  ratio.indicator.part.where = "status < 500";
  REQUIRE(pipeline.add_slo(0, ratio, 0, 0).ok());
  slo::SloSpec slow = ratio;
  slow.name = "fast";
  slow.indicator.kind = slo::SliKind::threshold;
  slow.indicator.value = "ms";
  slow.op = slo::CompareOp::lte;
  slow.threshold = {100, 0};
  REQUIRE(pipeline.add_slo(1, slow, 0, 0).ok());
  LogStream file;
  file.path = "/logs/app.log";
  file.matched = {0};
  pipeline.opened(file);
  const std::string text =
      "{\"ts\":\"2026-09-21T14:13:20Z\",\"status\":200,\"user\":\"ann\",\"ms\":5}\n"
      "{\"ts\":\"2026-09-21T14:13:21Z\",\"status\":503,\"user\":\"bob\",\"ms\":5}\n"
      "{\"ts\":\"2026-09-21T14:13:22Z\",\"status\":503,\"user\":17,\"ms\":5}\n"
      "{\"ts\":\"2026-09-21T14:13:23Z\",\"status\":200,\"user\":\"eve\",\"ms\":500}\n"
      "{\"ts\":\"2026-09-21T14:13:24Z\",\"status\":503,\"ms\":5}\n"
      "{\"ts\":\"2026-09-21T14:13:25Z\",\"user\":\"nobody\"}\n";
  pipeline.consume(file, text, Reading::last);
  using Bads = std::vector<std::pair<uint32_t, std::string>>;
  CHECK(notes.bads == Bads{{0, "bob"}, {0, "17"}, {1, "eve"}, {0, ""}});
  CHECK(notes.bad_at == WallTime::from_s(1'790'000'004));
}

TEST_CASE("Without a field for users nobody is told of bad events", "[collector][observer]") {
  Watched w("/logs/app.log");
  slo::SloSpec ratio;
  ratio.name = "shop";
  ratio.target = {999, -3};
  ratio.indicator.part.where = "status < 500";
  REQUIRE(w.pipeline.add_slo(0, ratio, 0, 0).ok());
  w.feed("{\"ts\":\"2026-09-21T14:13:21Z\",\"status\":503,\"user\":\"bob\"}\n");
  CHECK(w.notes.bads.empty());
}

TEST_CASE("An observer is told where a record stands", "[collector][observer]") {
  Watched w("/logs/app.log");
  w.feed("{\"message\":\"a\"}\n{\"message\":\"b\"}\n");
  CHECK(w.notes.places ==
        std::vector<std::pair<std::string, int64_t>>{{"/logs/app.log", 0}, {"/logs/app.log", 16}});
}

}  // namespace nines::collector
