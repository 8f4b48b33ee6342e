// Coverage, and what becomes of counts when the store refuses them.
#include <catch2/catch.hpp>
#include <filesystem>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;

namespace {

constexpr int64_t kStart = kMidnight + 12 * 3600;

struct Rig {
  Rig() { setup.slos = {availability("web", dir / "access.log")}; }
  std::string log() const { return dir / "access.log"; }
  std::string state() const { return dir / "state"; }
  void write(int64_t from_s, int64_t until_s, int status = 200) {
    for (int64_t t = from_s; t < until_s; t += 5) append(log(), access_line(t, status));
  }
  Life life(bool kept = true) { return Life(setup, kept ? state() : "", clock); }
  // Ticks every 10 s until `until_s`, as a live agent does.
  void tick_until(Life& life, int64_t until_s) {
    while (clock.wall().seconds() < until_s) {
      clock.advance_s(10);
      life.tick();
    }
  }
  int64_t now() const { return clock.wall().seconds(); }

  TempDir dir;
  ManualClock clock{WallTime::from_s(kStart)};
  agent::Setup setup;
};

}  // namespace

TEST_CASE("A quiet log is covered: silence of a log that is watched is knowledge", "[judge]") {
  Rig rig;
  rig.write(kStart - 600, kStart);
  Life life = rig.life(false);
  life.tick();
  rig.tick_until(life, kStart + 1800);
  CHECK(life.covered_s(kStart - 600, kStart + 1800) == 2400);
  CHECK(life.status().coverage == 1.0);
  CHECK(life.status().state == slo::State::healthy);
}

TEST_CASE("A source without files is never covered and has no data", "[judge]") {
  Rig rig;
  Life life = rig.life(false);
  life.tick();
  rig.tick_until(life, kStart + 600);
  CHECK(life.covered_s(kStart, kStart + 600) == 0);
  CHECK(life.status().coverage == 0);
  CHECK(life.status().state == slo::State::no_data);
  CHECK_FALSE(life.judge().has_pending());
}

TEST_CASE("The time while a log was gone stays a gap, and is covered again from its return",
          "[judge]") {
  Rig rig;
  rig.write(kStart - 60, kStart);
  Life life = rig.life(false);
  life.tick();
  rig.tick_until(life, kStart + 100);
  std::filesystem::remove(rig.log());
  life.look_for_files();
  rig.tick_until(life, kStart + 400);  // a deleted file is let go after a while
  const int64_t after_s = 300;
  CHECK(life.covered_s(kStart + 100, kStart + 400) < after_s);
  const int64_t gone = life.covered_s(kStart + 100, kStart + 400);
  rig.write(kStart + 400, kStart + 410);
  life.look_for_files();
  rig.tick_until(life, kStart + 700);
  CHECK(life.covered_s(kStart + 100, kStart + 400) == gone);
  CHECK(life.covered_s(kStart + 410, kStart + 700) == 290);
}

TEST_CASE("The time while the agent was down is covered when the log went on meanwhile",
          "[judge]") {
  Rig rig;
  rig.write(kStart - 100, kStart);
  {
    Life life = rig.life();
    life.tick();
    life.commit();
  }
  rig.clock.advance_s(900);
  rig.write(kStart, kStart + 900);
  Life life = rig.life();
  life.tick();
  CHECK(life.status().window.total() == 200);
  CHECK(life.covered_s(kStart - 100, kStart + 900) == 1000);
  CHECK(life.status().burn_1h.counts.total() == 200);
}

TEST_CASE("The time while the agent was down is a gap when another log stands there now",
          "[judge]") {
  Rig rig;
  rig.write(kStart - 100, kStart);
  {
    Life life = rig.life();
    life.tick();
    life.commit();
  }
  std::filesystem::rename(rig.log(), rig.dir / "elsewhere");
  rig.clock.advance_s(900);
  append(rig.log(), access_line(kStart + 800, 200, 777));
  Life life = rig.life();
  life.tick();
  CHECK(life.covered_s(kStart - 100, kStart) == 100);
  CHECK(life.covered_s(kStart, kStart + 800) == 0);
  CHECK(life.covered_s(kStart + 800, kStart + 900) == 100);
}

TEST_CASE("While a source lags nothing is said of its time; it is covered once it has caught up",
          "[judge]") {
  Rig rig;
  agent::Judge judge(rig.setup.config);
  REQUIRE(judge.add(rig.setup.slos[0]).ok());
  judge.set_sources(0, {0, 0});
  const auto state = [](bool caught_up) {
    agent::HandOver h;
    h.sources.resize(1);
    h.sources[0].attached = true;
    h.sources[0].caught_up = caught_up;
    h.sources[0].counts.first_event = WallTime::from_s(kStart);
    return h;
  };
  const auto covered = [&](int64_t from_s, int64_t until_s) {
    return judge.engine().window(0, WallTime::from_s(until_s), until_s - from_s).covered_s;
  };
  judge.take(state(true), WallTime::from_s(kStart + 100));
  judge.take(state(false), WallTime::from_s(kStart + 200));
  judge.take(state(false), WallTime::from_s(kStart + 300));
  CHECK(covered(kStart, kStart + 300) == 100);
  judge.take(state(true), WallTime::from_s(kStart + 400));
  CHECK(covered(kStart, kStart + 400) == 400);
}

TEST_CASE("An SLO without sources as yet says nothing of its coverage", "[judge]") {
  const Rig rig;
  agent::Judge judge(rig.setup.config);
  REQUIRE(judge.add(rig.setup.slos[0]).ok());
  judge.take({}, WallTime::from_s(kStart));  // no source at all is known
  judge.evaluate(WallTime::from_s(kStart), WallTime::from_s(kStart));
  CHECK_FALSE(judge.has_pending());
  CHECK(judge.engine().status(0).state == slo::State::no_data);
  CHECK_FALSE(judge.known_until().has_value());
}

TEST_CASE("Coverage of a long history adds up to every second of it", "[judge]") {
  Rig rig;
  for (const int64_t days : {1, 5, 40}) {
    rig.setup.slos[0].window_s = 31 * 86400;
    agent::Judge judge(rig.setup.config);
    REQUIRE(judge.add(rig.setup.slos[0]).ok());
    judge.set_sources(0, {0, 0});
    agent::HandOver h;
    h.sources.resize(1);
    h.sources[0].attached = h.sources[0].caught_up = true;
    h.sources[0].counts.first_event = WallTime::from_s(kStart - days * 86400 - 130);
    judge.take(std::move(h), WallTime::from_s(kStart));
    judge.evaluate(WallTime::from_s(kStart), WallTime::from_s(kStart));
    CHECK(judge.pending_slots() < 25'000);
    for (const int64_t window_s : {3600, 7200, 86400, 3 * 86400, 31 * 86400}) {
      if (window_s > days * 86400) continue;
      INFO(days << " days, window " << window_s);
      const auto w = judge.engine().window(0, WallTime::from_s(kStart), window_s);
      CHECK(w.covered_s == (w.end.ns - w.start.ns) / kNsPerSecond);
    }
    CHECK(judge.engine().status(0).coverage == 1.0);
  }
}

TEST_CASE("What the store refuses is given back and committed later, once", "[judge]") {
  Rig rig;
  rig.write(kStart - 100, kStart, 500);
  Life life = rig.life();
  life.tick();
  auto refused = life.judge().take_commit(rig.clock.wall());
  const size_t events = refused.events.size();
  REQUIRE(events > 0);
  rig.write(kStart, kStart + 50, 500);
  rig.clock.advance_s(50);
  life.tick();
  life.judge().give_back(std::move(refused));
  CHECK(life.judge().has_pending_events());
  const std::string before = life.status_json();
  auto pending = life.judge().take_commit(rig.clock.wall());
  REQUIRE(pending.events.size() >= events);
  for (size_t i = 1; i < pending.events.size(); ++i) {
    CHECK(pending.events[i - 1].at <= pending.events[i].at);
  }
  REQUIRE(life.store().commit(pending).ok());
  CHECK_FALSE(life.judge().has_pending());
  const auto told = life.store().events_after(0, 100);
  REQUIRE(told.ok());
  CHECK(told->size() == pending.events.size());

  Life next = [&] {
    { const Life ended = std::move(life); }
    return rig.life();
  }();
  next.tick();
  CHECK(next.status_json() == before);
}

TEST_CASE("While the store refuses for long, what waits is kept by the minute: bounded and exact",
          "[judge]") {
  Rig rig;
  agent::Judge judge(rig.setup.config);
  REQUIRE(judge.add(rig.setup.slos[0]).ok());
  int64_t bad = 0;
  for (int64_t hour = 0; hour < 40 * 24; ++hour) {
    agent::HandOver h;
    for (int64_t i = 0; i < 360; ++i) {
      h.batch.slots.push_back({0, kStart / 10 + hour * 360 + i, 3, 1, 10});
      ++bad;
    }
    judge.take(std::move(h), agent::Judge::kNoCoverage);
    judge.give_back(judge.take_commit(WallTime::from_s(kStart)));
  }
  CHECK(judge.pending_slots() <= 100'000);
  const auto commit = judge.take_commit(WallTime::from_s(kStart));
  int64_t good_kept = 0, bad_kept = 0;
  uint64_t covered = 0;
  for (const auto& delta : commit.batch.slots) {
    good_kept += delta.good;
    bad_kept += delta.bad;
    covered += delta.covered_s;
  }
  CHECK(bad_kept == bad);
  CHECK(good_kept == 3 * bad);
  CHECK(covered == static_cast<uint64_t>(10 * bad));
}

TEST_CASE("More SLOs than the limit are refused with a reason; the others go on", "[judge]") {
  Rig rig;
  rig.setup.config.max_slos = 2;
  agent::Judge judge(rig.setup.config);
  REQUIRE(judge.add(availability("a", rig.log())).ok());
  REQUIRE(judge.add(availability("b", rig.log())).ok());
  const auto third = judge.add(availability("c", rig.log()));
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().code == Errc::exhausted);
  CHECK(judge.slos() == 2);
  rig.setup.slos.push_back(availability("b", rig.log()));
  rig.setup.slos.push_back(availability("c", rig.log()));
  CHECK_FALSE(agent::wire(rig.setup, nullptr, rig.clock).ok());
}
