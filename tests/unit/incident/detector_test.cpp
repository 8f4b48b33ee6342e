#include "nines/incident/detector.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::incident;

namespace {

constexpr int64_t kStart = 1'767'571'200;  // Monday 2026-01-05 00:00 UTC
constexpr int64_t kHour = 3600, kDay = 86400, kSlot = TemplateWatch::kSlotS;

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

// Three days of a service with 5 lines and, once a minute, an error in each slot of 10 s.
struct Node {
  Node() {
    for (int64_t s = 0; s < 3 * kDay; s += kSlot) {
      lines(s);
      watch.advance(at(s + kSlot));
    }
    now = 3 * kDay;
  }
  void lines(int64_t s) {
    watch.count("api", 1, false, at(s), 5);
    if (s % 60 == 0) watch.count("api", 2, true, at(s));
  }
  // One slot, with so many lines of template 9; what the detector says at its end.
  std::vector<Condition> slot(uint32_t errors, bool heard = true, Surroundings around = {},
                              Watched how = {}) {
    if (heard) lines(now);
    if (errors > 0) watch.count("api", 9, true, at(now), errors);
    now += kSlot;
    watch.advance(at(now), how);
    return detector.look(at(now), watch, around);
  }

  TemplateWatch watch;
  Detector detector;
  int64_t now = 0;
};

std::vector<Condition> quiet_look(Detector& detector, int64_t s) {
  static const TemplateWatch none;
  return detector.look(at(s), none);
}

}  // namespace

TEST_CASE(
    "A storm of errors begins once, with its first slot as onset, and is over when it is calm") {
  Node node;
  const int64_t from = node.now;
  std::vector<Condition> told;
  while (told.empty() && node.now < from + 300) told = node.slot(20);
  REQUIRE(told.size() == 1);
  CHECK(node.now - from <= 60);
  CHECK(told[0].holds);
  CHECK(told[0].kind == ConditionKind::error_storm);
  CHECK(told[0].priority == 2);
  CHECK(told[0].service == "api");
  CHECK(told[0].since == at(from));
  CHECK(told[0].at == at(node.now));
  CHECK(told[0].key == "storm/api/0000000000000009");
  CHECK(told[0].text.find("100 error lines of one template") != std::string::npos);
  for (int i = 0; i < 30; ++i) CHECK(node.slot(20, true, {}, {true, false}).empty());
  CHECK(node.detector.standing().size() == 1);
  const int64_t calm = node.now;
  told.clear();
  while (told.empty() && node.now < calm + 600) told = node.slot(0);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].holds);
  CHECK(told[0].since == at(from));
  CHECK(node.now - calm <= 190);
  CHECK(node.detector.standing().empty());
}

TEST_CASE("A burst of half a minute, however loud, and few lines, however long, are no storm") {
  Node node;
  for (int i = 0; i < 3; ++i) CHECK(node.slot(5000).empty());
  for (int i = 0; i < 30; ++i) CHECK(node.slot(0).empty());
  for (int i = 0; i < 60; ++i) CHECK(node.slot(6).empty());
}

TEST_CASE("Errors in the first day of a service are no storm: what is usual is not known") {
  TemplateWatch watch;
  Detector detector;
  for (int64_t s = 0; s < 6 * kHour; s += kSlot) {
    watch.count("young", 1, true, at(s), 100);
    watch.advance(at(s + kSlot));
    CHECK(detector.look(at(s + kSlot), watch).empty());
  }
}

TEST_CASE("A service that always logs and does not any more is silent since its last line") {
  Node node;
  const int64_t last = node.now - kSlot;
  std::vector<Condition> told;
  while (told.empty() && node.now < last + 600) told = node.slot(0, false);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == ConditionKind::service_silent);
  CHECK(told[0].since == at(last));
  CHECK(node.now - last <= 150);
  told.clear();
  while (told.empty() && node.now < last + 900) told = node.slot(0);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].holds);
  CHECK(told[0].text == "api: logs again");
}

TEST_CASE("Nobody is silent while the node is, while its logs are not read, or when it is gone") {
  Node node;
  for (int i = 0; i < 60; ++i) CHECK(node.slot(0, false, {"n", true, true}).empty());
  Node lagging;
  for (int i = 0; i < 60; ++i) {
    CHECK(lagging.slot(0, false, {"n", false, false}, {false, true}).empty());
  }
  Node gone;
  for (int i = 0; i < 20; ++i) gone.slot(0, false);
  REQUIRE(gone.detector.standing().size() == 1);
  gone.watch.forget("api");
  const auto told = gone.slot(0, false);
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].holds);
}

TEST_CASE("Who is often quiet for long is not watched for silence") {
  TemplateWatch watch;
  Detector detector;
  for (int64_t s = 0; s < 4 * kDay; s += kSlot) {
    if (s / 600 % 2 == 0) watch.count("batch", 1, false, at(s), 10);
    watch.advance(at(s + kSlot));
    CHECK(detector.look(at(s + kSlot), watch).empty());
  }
}

TEST_CASE("A queue above its limit for a minute is a condition until it is well below") {
  DetectorSettings settings;
  settings.queue.limits.push_back({"orders", "", 50});
  Detector detector(settings);
  const auto step = [&](int64_t s, double depth) {
    detector.queue("orders", "rabbitmq_queue_messages", depth, at(s));
    detector.queue("other", "depth", 900, at(s));
    return quiet_look(detector, s);
  };
  CHECK(step(0, 60).empty());
  CHECK(step(30, 40).empty());
  CHECK(step(60, 60).empty());
  CHECK(step(90, 70).empty());
  const auto told = step(120, 80);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == ConditionKind::queue_depth);
  CHECK(told[0].since == at(60));
  CHECK(told[0].text == "orders: rabbitmq_queue_messages is 80, above 50");
  for (int64_t s = 150; s < 400; s += 30) CHECK(step(s, 45).empty());
  CHECK(step(400, 39).empty());
  const auto over = step(460, 30);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].holds);
}

TEST_CASE("A queue that is no longer told of neither begins nor ends anything") {
  Detector detector;
  for (int64_t s = 0; s <= 60; s += 30) detector.queue("q", "depth", 5000, at(s));
  REQUIRE(quiet_look(detector, 60).size() == 1);
  for (int64_t s = 70; s < 4000; s += 10) CHECK(quiet_look(detector, s).empty());
  detector.queue("q", "depth", 5000, at(4000));
  CHECK(quiet_look(detector, 4000).empty());
  CHECK(detector.standing().size() == 1);
}

TEST_CASE("A killed process is a condition at once, and over ten minutes after the last one") {
  Detector detector;
  detector.kernel("oom_cgroup", "java", "orders", at(100));
  detector.kernel("usb_reset", "", "", at(100));
  const auto told = quiet_look(detector, 100);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == ConditionKind::oom_kill);
  CHECK(told[0].priority == 1);
  CHECK(told[0].service == "orders");
  CHECK(told[0].since == at(100));
  detector.kernel("oom_cgroup", "java", "orders", at(400));
  CHECK(quiet_look(detector, 990).empty());
  const auto over = quiet_look(detector, 1000);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].holds);
  CHECK(quiet_look(detector, 1010).empty());
}

TEST_CASE("Three restarts in ten minutes are a crash loop since the first; old restarts are none") {
  Detector detector;
  const auto step = [&](int64_t s, uint64_t restarts, std::string_view waiting = {}) {
    detector.container({"orders", "orders-5d", "app", restarts, waiting}, at(s));
    return quiet_look(detector, s);
  };
  CHECK(step(0, 40).empty());
  CHECK(step(60, 41).empty());
  CHECK(step(200, 42).empty());
  const auto told = step(300, 43);
  REQUIRE(told.size() == 1);
  CHECK(told[0].kind == ConditionKind::crash_loop);
  CHECK(told[0].since == at(60));
  CHECK(told[0].pod == "orders-5d");
  CHECK(step(800, 43).empty());
  const auto over = step(901, 43);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].holds);
  const auto waits = step(960, 43, "CrashLoopBackOff");
  REQUIRE(waits.size() == 1);
  CHECK(waits[0].since == at(960));
}

TEST_CASE("Restarts an hour apart are no crash loop") {
  Detector detector;
  for (int64_t hour = 0; hour < 20; ++hour) {
    detector.container({"a", "p", "c", static_cast<uint64_t>(hour)}, at(hour * kHour));
    CHECK(quiet_look(detector, hour * kHour).empty());
  }
}

TEST_CASE("A disk is told of at 85 %, again at 95 %, and is over two points lower") {
  Detector detector;
  const auto step = [&](int64_t s, double used) {
    detector.disk("/", used, at(s));
    return quiet_look(detector, s);
  };
  CHECK(step(0, 0.849).empty());
  const auto watch = step(60, 0.85);
  REQUIRE(watch.size() == 1);
  CHECK(watch[0].priority == 3);
  CHECK(watch[0].since == at(60));
  CHECK(step(120, 0.84).empty());
  CHECK(step(180, 0.86).empty());
  const auto critical = step(240, 0.951);
  REQUIRE(critical.size() == 1);
  CHECK(critical[0].priority == 1);
  CHECK(critical[0].since == at(60));
  CHECK(critical[0].text == "/: 95.1 % used");
  CHECK(step(300, 0.94).empty());
  for (int64_t s = 360; s < 3600; s += 60) CHECK(step(s, 0.84).empty());
  CHECK(step(3600, 0.82).empty());
  const auto over = step(3900, 0.82);
  REQUIRE(over.size() == 1);
  CHECK_FALSE(over[0].holds);
}

TEST_CASE("A disk that will be full within four hours is told of before it is, a sawtooth is not") {
  Detector filling, sawtooth;
  std::vector<Condition> told;
  int64_t s = 0;
  for (; s < 2 * kHour && told.empty(); s += 60) {
    filling.disk("/data", 0.70 + 0.10 * static_cast<double>(s) / kHour, at(s));  // full at 3 h
    told = quiet_look(filling, s);
  }
  REQUIRE(told.size() == 1);
  CHECK(told[0].priority == 2);
  CHECK(s < 2400);
  CHECK(told[0].text.find("full in 2.") != std::string::npos);
  for (s = 0; s < kDay; s += 60) {
    const double part = static_cast<double>(s % kHour) / kHour;
    sawtooth.disk("/data", 0.70 + 0.05 * part, at(s));
    CHECK((s < 2 * kHour || quiet_look(sawtooth, s).empty()));
  }
}

TEST_CASE("Low voltage is told of when it lasts ten seconds or comes three times, a blip is not") {
  Detector blip;
  blip.kernel("undervoltage", "", "", at(0));
  CHECK(quiet_look(blip, 2).empty());
  blip.kernel("voltage_ok", "", "", at(4));
  CHECK(quiet_look(blip, 60).empty());
  for (int64_t i = 1; i <= 2; ++i) {
    blip.kernel("undervoltage", "", "", at(i * 300));
    blip.kernel("voltage_ok", "", "", at(i * 300 + 4));
  }
  const auto often = quiet_look(blip, 610);
  REQUIRE(often.size() == 1);
  CHECK(often[0].since == at(0));
  std::vector<Condition> later;
  for (int64_t s = 620; s < 2 * kHour; s += 10) {
    for (const Condition& one : quiet_look(blip, s)) later.push_back(one);
  }
  REQUIRE(later.size() == 1);
  CHECK_FALSE(later[0].holds);

  Detector flagged;
  flagged.power(true, at(0));
  CHECK(quiet_look(flagged, 5).empty());
  const auto lasts = quiet_look(flagged, 10);
  REQUIRE(lasts.size() == 1);
  CHECK(lasts[0].kind == ConditionKind::under_voltage);
  CHECK(lasts[0].since == at(0));
}

TEST_CASE("Things beyond the limit are refused and counted") {
  DetectorSettings settings;
  settings.max_watched = 2;
  Detector detector(settings);
  for (const char* name : {"a", "b", "c"}) detector.queue(name, "depth", 1, at(0));
  CHECK(detector.stats().watched == 2);
  CHECK(detector.stats().refused == 1);
}

TEST_CASE("Rules that are switched off say nothing") {
  DetectorSettings settings;
  settings.oom.on = false;
  settings.disk.on = false;
  Detector detector(settings);
  detector.kernel("oom_kill", "java", "", at(0));
  detector.disk("/", 0.99, at(0));
  CHECK(quiet_look(detector, 0).empty());
}
