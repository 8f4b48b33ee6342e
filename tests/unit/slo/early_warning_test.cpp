// The early warning: told before the budget is gone, once, and not without reason.
#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kHour = 3600, kDay = 86400;

// 30 d, 99.9 %, no other rules.
SloSpec warned() {
  SloSpec spec = spec_of("checkout");
  spec.alerts.rules.clear();
  spec.forecast = default_forecast(spec.window_s);
  return spec;
}

// An engine that is fed and evaluated every five minutes.
struct Service {
  explicit Service(const SloSpec& spec) { (void)*engine.add(spec); }
  void run(int64_t seconds, int64_t good, int64_t bad) {
    for (const int64_t end = now_s + seconds; now_s < end;) {
      engine.apply(batch_of({delta(now_s, good, bad, 300)}));
      now_s += 300;
      evaluate();
    }
  }
  void blind(int64_t seconds) {
    for (const int64_t end = now_s + seconds; now_s < end;) {
      now_s += 300;
      evaluate();
    }
  }
  void evaluate() { engine.evaluate(WallTime::from_s(now_s), WallTime::from_s(now_s), events); }
  std::string story() const {
    std::string text;
    for (const AlertEvent& e : events) {
      text += (text.empty() ? "" : " ") +
              std::string(e.kind == AlertEvent::Kind::fired ? "+" : "-") + e.rule;
    }
    return text;
  }
  SloEngine engine;
  int64_t now_s = kT0;
  std::vector<AlertEvent> events;
};

}  // namespace

TEST_CASE("A budget that will be gone within a day is told of before", "[slo]") {
  Service s(warned());
  s.run(30 * kDay, 30'000, 0);
  s.run(6 * kDay, 29'850, 150);  // burn 5: exhausted after six days
  REQUIRE(s.story() == "+forecast -forecast");
  const AlertEvent& fired = s.events[0];
  CHECK(fired.severity == "ticket");
  CHECK(fired.priority == priority_of("ticket", s.engine.spec(0).tier));
  CHECK(fired.at.seconds() == Approx(kT0 + 35 * kDay).margin(2 * kHour));
  CHECK(fired.summary.find("24.0 h if it goes on like this") != std::string::npos);
  CHECK(fired.summary.find("83.") != std::string::npos);
  CHECK(s.events[1].summary.find("come to what was forecast") != std::string::npos);
  CHECK(s.events[1].since == fired.at);
  CHECK(s.engine.status(0).error_budget_consumed >= 1.0);
}

TEST_CASE("A warning is withdrawn when the errors stop, an hour after", "[slo]") {
  Service s(warned());
  s.run(30 * kDay, 30'000, 0);
  s.run(5 * kDay + 6 * kHour, 29'850, 150);
  REQUIRE(s.story() == "+forecast");
  CHECK(s.engine.status(0).forecast.warning);
  CHECK(s.engine.status(0).forecast.warning_since == s.events[0].at);
  s.run(kDay, 30'000, 0);
  REQUIRE(s.story() == "+forecast -forecast");
  CHECK(s.events[1].summary.find("no more forecast") != std::string::npos);
  CHECK_FALSE(s.engine.status(0).forecast.warning);
}

TEST_CASE("No warning without data, points, or a limit", "[slo]") {
  SECTION("switched off") {
    SloSpec spec = warned();
    spec.forecast.warn_within_s = 0;
    Service s(spec);
    s.run(30 * kDay, 30'000, 0);
    s.run(6 * kDay, 29'850, 150);
    CHECK(s.story().empty());
    CHECK_FALSE(s.engine.status(0).forecast.warning);
  }
  SECTION("a handful of bad events is no trend") {
    Service s(warned());
    s.run(30 * kDay, 6, 0);
    for (int i = 0; i < 8; ++i) {
      s.run(2 * kHour, 6, 0);
      s.run(300, 5, 1);
    }
    CHECK(s.story().empty());
  }
  SECTION("nobody reads the logs: the warning stays as it is") {
    Service s(warned());
    s.run(30 * kDay, 30'000, 0);
    s.run(5 * kDay + 6 * kHour, 29'850, 150);
    REQUIRE(s.story() == "+forecast");
    s.blind(2 * kDay);
    CHECK(s.story() == "+forecast");
    CHECK(s.engine.status(0).forecast.warning);
  }
}

TEST_CASE("A restart neither repeats nor loses the warning", "[slo]") {
  Service s(warned());
  s.run(30 * kDay, 30'000, 0);
  s.run(5 * kDay + 6 * kHour, 29'850, 150);
  REQUIRE(s.story() == "+forecast");
  const auto memory = s.engine.save_alerts();
  REQUIRE(memory.size() == 1);
  CHECK(memory[0].rule == "forecast");
  Service again(warned());
  again.engine.restore_alerts(memory);
  again.run(30 * kDay, 30'000, 0);  // another history: the errors are gone
  CHECK(again.story() == "-forecast");
  // Switched off meanwhile: it is resolved, and says why.
  SloSpec off = warned();
  off.forecast.warn_within_s = 0;
  Service third(off);
  third.engine.restore_alerts(memory);
  third.run(300, 1, 0);
  CHECK(third.story() == "-forecast");
}

TEST_CASE("A burn rule must not be called like the warning", "[slo]") {
  SloSpec spec = warned();
  spec.alerts = default_policy(spec.window_s, spec.target);
  spec.alerts.rules[0].name = "forecast";
  SloEngine engine;
  CHECK_FALSE(engine.add(spec).ok());
  spec.forecast.warn_within_s = 0;
  CHECK(engine.add(spec).ok());
}
