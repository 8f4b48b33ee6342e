// Figures of a report against a history made by hand.
#include "nines/slo/report.hpp"

#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kHour = 3600, kDay = 86400;

WallTime at(int64_t s) { return WallTime::from_s(kT0 + s); }

AlertEvent event(AlertEvent::Kind kind, const char* rule, int64_t s, const char* slo = "web") {
  AlertEvent e;
  e.kind = kind;
  e.slo = slo;
  e.rule = rule;
  e.severity = "page";
  e.at = at(s);
  return e;
}
constexpr auto kFired = AlertEvent::Kind::fired, kResolved = AlertEvent::Kind::resolved;

}  // namespace

TEST_CASE("A report sums hours to days and weeks and divides once", "[slo]") {
  SloEngine engine;
  const uint32_t slo = *engine.add(spec_of("web", "0.99"));
  Batch batch;
  // Ten days from Thursday 2026-01-01: 100 events an hour, none on the fourth day; 50 bad in one
  // hour of the second, 1 bad each hour of the third.
  for (int64_t h = 0; h < 240; ++h) {
    const int64_t day = h / 24;
    if (day == 3) continue;
    const int64_t bad = h == 30 ? 50 : day == 2 ? 1 : 0;
    batch.slots.push_back(delta(kT0 + h * kHour, 100 - bad, bad, 10, slo));
  }
  batch.max_event_time = at(240 * kHour - 1);
  engine.apply(batch);
  std::vector<AlertEvent> none;
  engine.evaluate(at(240 * kHour), at(240 * kHour), none);
  const SloReport r = report_of(engine, slo, {}, at(0), at(10 * kDay));
  CHECK(r.counts.total() == 9 * 2400);
  CHECK(r.counts.bad == 74);
  CHECK(r.allowed_bad == 216);
  CHECK(*r.budget_used == Approx(74.0 / 216));
  CHECK(r.met);
  CHECK(r.days.counted == 9);
  CHECK(r.days.met == 8);  // 24 bad of 2400 is exactly what is allowed
  CHECK(*r.days.share() == 8.0 / 9);
  CHECK(r.hours.counted == 216);
  CHECK(r.hours.met == 215);
  REQUIRE(r.weeks.size() == 2);
  CHECK(r.weeks[0].start == at(-3 * kDay));  // Monday 2025-12-29
  CHECK(r.weeks[0].counts.total() == 3 * 2400);
  CHECK_FALSE(r.weeks[0].met);
  CHECK(r.weeks[1].counts.total() == 6 * 2400);
  REQUIRE(r.worst_days.size() == 2);
  CHECK(r.worst_days[0].start == at(kDay));
  CHECK(r.worst_days[0].counts.bad == 50);
  CHECK(r.worst_hours.size() == 5);
  CHECK(r.worst_hours[0].start == at(30 * kHour));
}

TEST_CASE("A period without events is neither met nor missed", "[slo]") {
  SloEngine engine;
  const uint32_t slo = *engine.add(spec_of("web"));
  const SloReport r = report_of(engine, slo, {}, at(0), at(kDay));
  CHECK_FALSE(r.met);
  CHECK_FALSE(r.sli);
  CHECK(r.days.counted == 0);
  CHECK_FALSE(r.days.share());
  CHECK_FALSE(r.reliability.mttr_s);
  CHECK_FALSE(r.reliability.mtbf_s);
}

TEST_CASE("MTTR is from fired to resolved, MTBF from the end of trouble to its next beginning",
          "[slo]") {
  const std::vector<AlertEvent> events{
      event(kFired, "fast", 0),           event(kFired, "slow", 100),
      event(kResolved, "fast", 600),      event(kResolved, "slow", 1000),
      event(kFired, "fast", 4600),        event(kResolved, "fast", 4800),
      event(kFired, "fast", 300, "mail"), event(kFired, "fast", 9800)};
  const Reliability r = reliability_of("web", events, at(0), at(kDay));
  REQUIRE(r.incidents.size() == 4);
  CHECK(r.mttr_s == (600 + 900 + 200) / 3);
  CHECK(r.mtbf_s == (3600 + 5000) / 2);  // slow ended last of the first trouble
  REQUIRE(r.modes.size() == 2);
  CHECK(r.modes[0].rule == "fast");
  CHECK(r.modes[0].times == 3);
  CHECK(r.modes[0].open == 1);
  CHECK(r.modes[0].total_s == 800);
  CHECK(reliability_of("web", events, at(50), at(4600)).incidents.size() == 1);
}

TEST_CASE("A resolution whose beginning is not known is no incident", "[slo]") {
  const Reliability r = reliability_of("web", {event(kResolved, "fast", 10)}, at(0), at(kDay));
  CHECK(r.incidents.empty());
  CHECK(r.modes.empty());
}
