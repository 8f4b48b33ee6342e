#include "nines/upstream/alertmanager.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::upstream;

namespace {

constexpr int64_t kStart = 1772402400;  // 2026-03-01T22:00:00Z

// Seconds since the start, on both clocks.
Instant at(int64_t s) { return {s * kNsPerSecond}; }
WallTime wall(int64_t s) { return WallTime::from_s(kStart + s); }

slo::AlertEvent event(uint64_t sequence, bool fired, const std::string& slo, int64_t s) {
  slo::AlertEvent e;
  e.kind = fired ? slo::AlertEvent::Kind::fired : slo::AlertEvent::Kind::resolved;
  e.slo = slo;
  e.service = "api";
  e.rule = "fast";
  e.severity = "page";
  e.priority = 1;
  e.at = e.since = wall(s);
  e.summary = "60 of 100 events bad";
  e.sequence = sequence;
  return e;
}
slo::AlertEvent fired(uint64_t n, const std::string& slo, int64_t s) {
  return event(n, true, slo, s);
}
slo::AlertEvent resolved(uint64_t n, const std::string& slo, int64_t s) {
  return event(n, false, slo, s);
}

AlertmanagerOptions options() {
  AlertmanagerOptions out;
  out.node = "node-1";
  return out;
}

struct Scene {
  explicit Scene(std::vector<uint64_t> cursors = {0}, AlertmanagerOptions o = options())
      : machine(std::move(o), cursors, 7) {}

  std::string posted(size_t replica, int64_t s) {
    const auto request = machine.begin(replica, at(s), wall(s));
    return request ? request->body : "";
  }
  std::vector<AlertmanagerDead> answer(size_t replica, int status, int64_t s,
                                       std::optional<WallTime> date = {}) {
    return machine.answered(replica, status, "because", {}, at(s), wall(s), date);
  }
  bool told(size_t replica, int64_t s) {
    if (posted(replica, s).empty()) return false;
    answer(replica, 200, s);
    return true;
  }
  Alertmanager machine;
};

bool has(const std::string& text, const std::string& what) {
  return text.find(what) != std::string::npos;
}

}  // namespace

TEST_CASE("Alertmanager is told a fire at once, with the node as an annotation", "[alertmanager]") {
  Scene scene;
  CHECK(scene.posted(0, 0).empty());
  scene.machine.take(fired(1, "web", 0));
  const std::string body = scene.posted(0, 1);
  CHECK(body ==
        R"([{"labels":{"alertname":"SLOBurn","service":"api","slo":"web","severity":"page",)"
        R"("rule":"fast","priority":"P1"},"annotations":{"node":"node-1",)"
        R"("summary":"60 of 100 events bad"},"startsAt":"2026-03-01T22:00:00Z",)"
        R"("endsAt":"2026-03-01T22:04:01Z"}])");
  scene.answer(0, 200, 1);
  CHECK(scene.machine.cursor(0) == 1);
}

TEST_CASE("Rows of a query are no alert", "[alertmanager]") {
  Scene scene;
  slo::AlertEvent rows = fired(1, "web", 0);
  rows.kind = slo::AlertEvent::Kind::rows;
  scene.machine.take(rows);
  CHECK(scene.posted(0, 0).empty());
  CHECK(scene.machine.last_known() == 1);
}

TEST_CASE("Alertmanager is never told a label without a value", "[alertmanager]") {
  Scene scene;
  auto e = fired(1, "web", 0);
  e.service.clear();
  e.summary.clear();
  scene.machine.take(e);
  const std::string body = scene.posted(0, 0);
  CHECK_FALSE(has(body, "service"));
  CHECK_FALSE(has(body, "summary"));
}

TEST_CASE("The node is a label where that is asked for, and configured labels are added",
          "[alertmanager]") {
  AlertmanagerOptions o = options();
  o.node_label = true;
  o.labels = {{"cluster", "shop"}};
  o.generator_url = "https://n/";
  Scene scene({0}, o);
  scene.machine.take(fired(1, "web", 0));
  const std::string body = scene.posted(0, 0);
  CHECK(has(body, R"("priority":"P1","node":"node-1","cluster":"shop"})"));
  CHECK(has(body, R"("generatorURL":"https://n/")"));
}

TEST_CASE("Active alerts are sent again every minute, resolved ones for five", "[alertmanager]") {
  Scene scene;
  scene.machine.take(fired(1, "web", 0));
  REQUIRE(scene.told(0, 0));
  CHECK_FALSE(scene.told(0, 59));
  CHECK(scene.machine.due(0, at(59)) == at(60));
  REQUIRE(scene.told(0, 60));
  REQUIRE(scene.told(0, 120));
  scene.machine.take(resolved(2, "web", 150));
  const std::string body = scene.posted(0, 150);
  CHECK(has(body, R"("endsAt":"2026-03-01T22:02:30Z")"));
  scene.answer(0, 200, 150);
  int repeats = 0;
  for (int64_t s = 151; s < 2000; ++s) repeats += scene.told(0, s) ? 1 : 0;
  CHECK(repeats == 5);
  CHECK_FALSE(scene.machine.due(0, at(2000)).has_value());
  CHECK(scene.machine.cursor(0) == 2);
}

TEST_CASE("Every replica is told everything, each at its own pace", "[alertmanager]") {
  Scene scene({0, 0});
  scene.machine.take(fired(1, "web", 0));
  REQUIRE(scene.told(0, 0));
  REQUIRE_FALSE(scene.posted(1, 0).empty());
  scene.answer(1, 503, 0);
  CHECK(scene.machine.cursor(0) == 1);
  CHECK(scene.machine.cursor(1) == 0);
  CHECK(scene.machine.stats(1).pending == 1);
  CHECK_FALSE(scene.told(1, 0));
  CHECK(scene.told(1, 1));
  CHECK(scene.machine.cursor(1) == 1);
}

TEST_CASE("What began and ended while nobody could be told is replayed once, as one alert",
          "[alertmanager]") {
  Scene scene({0, 0});
  for (size_t i = 0; i < 2; ++i) {
    scene.machine.take(fired(2 * i + 1, "web", static_cast<int64_t>(100 * i)));
    if (!scene.posted(0, static_cast<int64_t>(100 * i)).empty()) {
      scene.answer(0, 0, static_cast<int64_t>(100 * i));
    }
    scene.machine.take(resolved(2 * i + 2, "web", static_cast<int64_t>(100 * i + 50)));
  }
  const std::string body = scene.posted(0, 3600);
  CHECK(has(body, "OfflineIncidentReplay"));
  CHECK_FALSE(has(body, "SLOBurn"));
  CHECK(has(body,
            "2 incidents while Alertmanager could not be reached, from "
            "2026-03-01T22:00:00Z to 2026-03-01T22:02:30Z"));
  CHECK(has(body, R"("startsAt":"2026-03-01T23:00:00Z","endsAt":"2026-03-01T23:15:00Z")"));
  scene.answer(0, 200, 3600);
  CHECK(scene.machine.cursor(0) == 4);
  CHECK(has(scene.posted(1, 3601), "OfflineIncidentReplay"));  // the other one has not heard of it
  scene.answer(1, 200, 3601);
  for (int64_t s = 3601; s < 8000; s += 10) {
    CHECK_FALSE(scene.told(0, s));
    CHECK_FALSE(scene.told(1, s));
  }
  CHECK(scene.machine.stats(0).replayed == 1);
}

TEST_CASE("What one replica was told while it burned is not replayed to the other",
          "[alertmanager]") {
  Scene scene({0, 0});
  scene.machine.take(fired(1, "web", 0));
  REQUIRE(scene.told(0, 0));
  scene.machine.take(resolved(2, "web", 60));
  const std::string body = scene.posted(1, 4000);
  CHECK(has(body, "SLOBurn"));
  CHECK_FALSE(has(body, "Offline"));
}

TEST_CASE("An alert that ends while its fire is under way is replayed only if that fails",
          "[alertmanager]") {
  for (const int status : {200, 500}) {
    CAPTURE(status);
    Scene scene;
    scene.machine.take(fired(1, "web", 0));
    REQUIRE_FALSE(scene.posted(0, 0).empty());
    scene.machine.take(resolved(2, "web", 5));
    scene.answer(0, status, 6);
    const std::string body = scene.posted(0, 70);
    CHECK(has(body, "OfflineIncidentReplay") == (status == 500));
    CHECK(has(body, R"("endsAt":"2026-03-01T22:00:05Z")") == (status == 200));
  }
}

TEST_CASE("A restart continues: what burns is sent again, what was told is not replayed",
          "[alertmanager]") {
  Scene scene({3, 2});
  scene.machine.take(fired(1, "a", 0));
  scene.machine.take(fired(2, "b", 0));
  scene.machine.take(resolved(3, "a", 10));
  scene.machine.take(fired(4, "c", 20));
  scene.machine.take(resolved(5, "c", 30));
  const std::string first = scene.posted(0, 100);
  CHECK_FALSE(has(first, R"("slo":"a")"));
  CHECK(has(first, R"("alertname":"SLOBurn","service":"api","slo":"b")"));
  CHECK(has(first, R"("alertname":"OfflineIncidentReplay","service":"api","slo":"c")"));
  const std::string second = scene.posted(1, 100);
  CHECK(has(second, R"("alertname":"SLOBurn","service":"api","slo":"a")"));
  scene.answer(0, 200, 100);
  CHECK(scene.machine.cursor(0) == 5);
  CHECK(scene.machine.cursor(1) == 2);
}

TEST_CASE("After a 400 the batch goes out one by one and only the bad one is a dead letter",
          "[alertmanager]") {
  Scene scene;
  for (uint64_t i = 1; i <= 3; ++i) scene.machine.take(fired(i, "s" + std::to_string(i), 0));
  REQUIRE_FALSE(scene.posted(0, 0).empty());
  CHECK(scene.answer(0, 400, 0).empty());
  std::vector<AlertmanagerDead> dead;
  int requests = 0;
  for (std::string body = scene.posted(0, 1); !body.empty(); body = scene.posted(0, 1)) {
    ++requests;
    const bool bad = has(body, R"("slo":"s2")");
    for (auto& letter : scene.answer(0, bad ? 400 : 200, 1)) dead.push_back(letter);
  }
  CHECK(requests == 3);
  REQUIRE(dead.size() == 1);
  CHECK(dead[0].alert == "s2/fast");
  CHECK(dead[0].sequence == 2);
  CHECK(dead[0].status == 400);
  CHECK(scene.machine.cursor(0) == 3);
  const std::string again = scene.posted(0, 61);
  CHECK(has(again, "s1"));
  CHECK_FALSE(has(again, "s2"));
  scene.answer(0, 200, 61);
  scene.machine.take(resolved(4, "s2", 70));
  CHECK(has(scene.posted(0, 70), "s2"));  // it has changed: perhaps it is good now
}

TEST_CASE("A large set goes out in batches of 256, halved when they are too large",
          "[alertmanager]") {
  Scene scene;
  for (uint64_t i = 1; i <= 300; ++i) scene.machine.take(fired(i, "s" + std::to_string(i), 0));
  auto request = scene.machine.begin(0, at(0), wall(0));
  REQUIRE(request);
  CHECK(request->alerts == 256);
  scene.answer(0, 413, 0);
  size_t told = 0, requests = 0;
  while ((request = scene.machine.begin(0, at(1), wall(1)))) {
    CHECK(request->alerts <= 128);
    told += request->alerts;
    ++requests;
    scene.answer(0, 200, 1);
  }
  CHECK(told == 300);
  CHECK(requests == 3);
}

TEST_CASE("Failures back off, a refused login slowly, and Retry-After is kept", "[alertmanager]") {
  for (const int status : {0, 408, 429, 500, 503, 302}) {
    CAPTURE(status);
    Scene scene;
    scene.machine.take(fired(1, "web", 0));
    REQUIRE_FALSE(scene.posted(0, 0).empty());
    scene.answer(0, status, 0);
    CHECK(scene.machine.due(0, at(0))->ns <= at(1).ns);
    CHECK_FALSE(scene.machine.stats(0).refused);
  }
  for (const int status : {401, 403, 404}) {
    CAPTURE(status);
    Scene scene;
    scene.machine.take(fired(1, "web", 0));
    REQUIRE_FALSE(scene.posted(0, 0).empty());
    scene.answer(0, status, 0);
    CHECK(scene.machine.due(0, at(0))->ns >= at(150).ns);
    CHECK(scene.machine.stats(0).refused);
    CHECK(scene.machine.cursor(0) == 0);
  }
  Scene scene;
  scene.machine.take(fired(1, "web", 0));
  REQUIRE_FALSE(scene.posted(0, 0).empty());
  scene.machine.answered(0, 429, "", 30'000, at(0), wall(0), {});
  CHECK(scene.machine.due(0, at(0))->ns >= at(30).ns);
}

TEST_CASE("A node whose clock is wrong does not let its alerts end", "[alertmanager]") {
  Scene scene;
  scene.machine.take(fired(1, "web", 0));
  REQUIRE_FALSE(scene.posted(0, 0).empty());
  scene.answer(0, 200, 0, wall(3600));  // the other side is an hour ahead
  CHECK(has(scene.posted(0, 60), R"("endsAt":"2026-03-01T23:05:00Z")"));
}

TEST_CASE("The number of alerts is bounded; what is over gives way first", "[alertmanager]") {
  Scene scene;
  uint64_t n = 0;
  scene.machine.take(fired(++n, "old", 0));
  REQUIRE(scene.told(0, 0));
  scene.machine.take(resolved(++n, "old", 1));
  for (size_t i = 0; i < Alertmanager::kMaxAlerts; ++i) {
    scene.machine.take(fired(++n, "s" + std::to_string(i), 2));
  }
  CHECK(scene.machine.dropped() == 1);
  scene.machine.take(fired(++n, "more", 3));
  CHECK(scene.machine.dropped() == 2);
  CHECK(scene.machine.stats(0).pending == Alertmanager::kMaxAlerts);
}
