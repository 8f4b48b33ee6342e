// `agent --once`: the same numbers in one life or in many, and alerts as they would have happened.
#include <algorithm>
#include <catch2/catch.hpp>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;

namespace {

struct Event {
  int64_t at_s;
  int status;
};

// Ten minutes of an outage in six hours of traffic, in two logs of the same service.
std::vector<Event> outage() {
  std::vector<Event> events;
  for (int64_t t = 0; t < 6 * 3600; t += 4) {
    const bool broken = t >= 2 * 3600 && t < 2 * 3600 + 600;
    events.push_back({kMidnight + t, broken && t % 3 != 0 ? 502 : 200});
  }
  return events;
}

agent::Setup two_logs(const TempDir& dir) {
  agent::Setup setup;
  setup.slos = {availability("web", dir / "*.log")};
  return setup;
}

// What the engine says when it is fed slot by slot: the simulation that a replay must equal.
std::vector<std::string> simulate(const slo::SloSpec& spec, const std::vector<Event>& events) {
  slo::SloEngine engine;
  REQUIRE(engine.add(spec).ok());
  std::vector<slo::AlertEvent> transitions;
  size_t next = 0;
  const int64_t last = events.back().at_s / 10;
  for (int64_t slot = events.front().at_s / 10; slot <= last; ++slot) {
    slo::Batch batch;
    slo::SlotDelta delta;
    delta.slot = slot;
    delta.covered_s = 10;
    for (; next < events.size() && events[next].at_s / 10 == slot; ++next) {
      ++(events[next].status < 500 ? delta.good : delta.bad);
    }
    batch.slots = {delta};
    engine.apply(batch);
    const WallTime end = WallTime::from_s((slot + 1) * 10);
    engine.evaluate(end, end, transitions);
  }
  std::vector<std::string> out;
  for (const auto& e : transitions) out.push_back(Life::text(e));
  return out;
}

}  // namespace

TEST_CASE("A replay fires and resolves what a slot-by-slot simulation does, at the same times",
          "[once]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kMidnight + 30 * 86400));
  const auto events = outage();
  for (size_t i = 0; i < events.size(); ++i) {
    append(dir / (i % 2 == 0 ? "a.log" : "b.log"), access_line(events[i].at_s, events[i].status));
  }
  const agent::Setup setup = two_logs(dir);
  Life life(setup, "", clock);
  const auto told = life.run_once(true);
  const auto expected = simulate(setup.slos[0], events);
  REQUIRE(expected.size() >= 2);
  CHECK(told == expected);
  CHECK(life.status().coverage == 1.0);
}

TEST_CASE("Two files that follow each other in time are read in the order of their lines",
          "[once]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kMidnight + 30 * 86400));
  const auto events = outage();
  // By name the later half comes first.
  for (size_t i = 0; i < events.size(); ++i) {
    append(dir / (i < events.size() / 2 ? "z.log" : "a.log"),
           access_line(events[i].at_s, events[i].status));
  }
  const agent::Setup setup = two_logs(dir);
  Life life(setup, "", clock);
  CHECK(life.run_once(true) == simulate(setup.slos[0], events));
  CHECK(life.judge().engine().counters().late == 0);
}

TEST_CASE("A log without lines leaves an SLO without data, and the run ends well", "[once]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kMidnight));
  append(dir / "empty.log", "");
  for (const bool log_clock : {false, true}) {
    Life life(two_logs(dir), dir / "state", clock);
    CHECK(life.run_once(log_clock).empty());
    CHECK(life.status().window.total() == 0);
  }
}

TEST_CASE("In a replay an SLO is covered from the first line of its own log on", "[once]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kMidnight + 86400));
  for (int64_t t = 0; t < 7200; t += 10) append(dir / "early", access_line(kMidnight + t, 200));
  for (int64_t t = 3600; t < 3700; t += 10) append(dir / "late", access_line(kMidnight + t, 200));
  agent::Setup setup;
  setup.slos = {availability("early", dir / "early"), availability("late", dir / "late")};
  Life life(setup, "", clock);
  life.run_once(true);
  CHECK(life.covered_s(kMidnight, kMidnight + 7200, 0) == 7200);
  CHECK(life.covered_s(kMidnight, kMidnight + 3600, 1) == 0);
  CHECK(life.covered_s(kMidnight + 3600, kMidnight + 7200, 1) == 3600);
}

TEST_CASE("A run that is told to stop says so, and the next one goes on exactly there", "[once]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kMidnight + 86400));
  const auto events = outage();
  for (const Event& e : events) append(dir / "a.log", access_line(e.at_s, e.status));
  const agent::Setup setup = two_logs(dir);
  for (const bool log_clock : {false, true}) {
    const std::string state = dir / (log_clock ? "log" : "wall");
    {
      Life life(setup, state, clock);
      agent::OnceOptions options;
      options.log_clock = log_clock;
      int asked = 0;
      options.stop = [&] { return ++asked == (log_clock ? 500 : 1); };
      const Status done =
          agent::run_once(life.ingest(), life.judge(), nullptr, &life.store(), clock, options);
      REQUIRE_FALSE(done.ok());
      CHECK(done.error().code == Errc::unavailable);
    }
    Life life(setup, state, clock);
    life.run_once(log_clock);
    CHECK(life.status().window.total() == static_cast<int64_t>(events.size()));
  }
}
