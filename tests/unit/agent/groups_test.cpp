// Groups of an SLO: rows beside the whole that add up to it, over restarts too.
#include <catch2/catch.hpp>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;

namespace {

constexpr int64_t kStart = kMidnight + 12 * 3600;

std::string line(int64_t unix_s, const std::string& path, int status) {
  std::string text = access_line(unix_s, status);
  return text.replace(text.find("/a"), 2, path);
}

slo::SloSpec grouped(const TempDir& dir, int64_t max) {
  slo::SloSpec spec = availability("api", dir / "a.log", "0.9");
  spec.indicator.group = slo::GroupSpec{"path", max, false};
  return spec;
}

agent::Setup setup_of(slo::SloSpec spec) {
  agent::Setup setup;
  setup.slos = {std::move(spec)};
  return setup;
}

// "NAME good/bad ..." in the order in which they are shown.
std::string shown(Life& life) {
  std::string out;
  for (const slo::SloStatus& s : life.judge().snapshot().slos) {
    out += s.slo + " " + std::to_string(s.window.good) + "/" + std::to_string(s.window.bad) + "; ";
  }
  return out;
}

// A live agent: reads, judges and commits at its clock's time.
struct World {
  explicit World(int64_t max, int64_t window_s = 3600) : spec(grouped(dir, max)) {
    spec.window_s = window_s;
    spec.alerts = slo::default_policy(window_s, spec.target);
    spec.forecast = slo::default_forecast(window_s);
    start();
  }
  void start() {
    life.reset();
    life = std::make_unique<Life>(setup_of(spec), dir / "state", clock);
    life->ingest().pipeline().let_groups_go();
    life->look_for_files();
  }
  std::vector<std::string> tick() {
    std::vector<std::string> told;
    for (const slo::AlertEvent& e : life->tick()) told.push_back(Life::text(e));
    life->commit();
    return told;
  }
  void write(const std::string& path, int status = 200) {
    append(dir / "a.log", line(clock.wall().seconds() - 1, path, status));
  }
  std::string look() { return shown(*life); }

  TempDir dir;
  ManualClock clock{WallTime::from_s(kStart)};
  slo::SloSpec spec;
  std::unique_ptr<Life> life;
};

}  // namespace

TEST_CASE("An SLO with groups counts each value beside the whole, first come first kept",
          "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  for (int i = 0; i < 4; ++i) {
    append(dir / "a.log", line(kStart - 100 + i, "/x", 200) + line(kStart - 100 + i, "/y", 503) +
                              line(kStart - 100 + i, "/z" + std::to_string(i), 200));
  }
  for (const bool log_clock : {false, true}) {
    Life life(setup_of(grouped(dir, 2)), "", clock);
    life.run_once(log_clock);
    CHECK(shown(life) == "api 8/4; api{/x} 4/0; api{/y} 0/4; api{other} 4/0; ");
    const auto snapshot = life.judge().snapshot();
    REQUIRE(snapshot.groups.size() == 1);
    CHECK(snapshot.groups[0].groups == 2);
    CHECK(snapshot.groups[0].overflow == 4);
    CHECK(snapshot.slos[1].group_of == "api");
    CHECK(snapshot.slos[1].group == "/x");
    CHECK(snapshot.slos[1].rules.empty());  // rows alert only when asked to
    CHECK_FALSE(snapshot.slos[0].rules.empty());
  }
}

TEST_CASE("Groups come back after a restart with their counts and their places", "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  append(dir / "a.log", line(kStart - 100, "/x", 200) + line(kStart - 90, "/y", 503));
  const std::string state = dir / "state";
  {
    Life life(setup_of(grouped(dir, 2)), state, clock);
    life.run_once(false);
  }
  append(dir / "a.log", line(kStart - 80, "/y", 200) + line(kStart - 70, "/z", 200));
  for (int n = 0; n < 2; ++n) {
    Life life(setup_of(grouped(dir, 2)), state, clock);
    life.run_once(false);
    CHECK(shown(life) == "api 3/1; api{/x} 1/0; api{/y} 1/1; api{other} 1/0; ");
  }
}

TEST_CASE("A group whose window is empty makes room at the next start, and may come back",
          "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  const std::string state = dir / "state";
  const auto live_once = [&] {
    Life life(setup_of(grouped(dir, 1)), state, clock);
    life.run_once(false);
    return shown(life);
  };
  append(dir / "a.log", line(kStart - 100, "/x", 200));
  CHECK(live_once() == "api 1/0; api{/x} 1/0; ");
  clock.advance_s(2 * 86400);
  append(dir / "a.log", line(kStart + 2 * 86400 - 100, "/x", 200));
  CHECK(live_once() == "api 1/0; api{/x} 1/0; ");
  clock.advance_s(3 * 86400);
  append(dir / "a.log", line(kStart + 5 * 86400 - 100, "/y", 200));
  CHECK(live_once() == "api 1/0; api{/x} 0/0; api{other} 1/0; ");
  append(dir / "a.log", line(kStart + 5 * 86400 - 90, "/y", 503));
  CHECK(live_once() == "api 1/1; api{/y} 0/1; api{other} 1/0; ");
}

TEST_CASE("Records without a value and names that cannot be shown do no harm", "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  slo::SloSpec spec = grouped(dir, 5);
  spec.indicator.group->by = "NULLIF(path, '/x')";
  append(dir / "a.log", line(kStart - 100, "/x", 200) + line(kStart - 100, "/\xff\xfe", 200) +
                            line(kStart - 100, "/" + std::string(300, 'n'), 200));
  Life life(setup_of(spec), "", clock);
  life.run_once(false);
  CHECK(shown(life) ==
        "api 3/0; api{/??} 1/0; api{/" + std::string(63, 'n') + "} 1/0; api{other} 1/0; ");
  CHECK(life.judge().snapshot().groups[0].missing == 1);
}

TEST_CASE("Groups of a threshold are counted and measured", "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  slo::SloSpec spec = latency("lag", dir / "a.log");
  spec.indicator.group = slo::GroupSpec{"status", 5, true};
  for (int i = 0; i < 10; ++i) append(dir / "a.log", access_line(kStart - 100, 200, 100));
  append(dir / "a.log", access_line(kStart - 100, 503, 400));
  Life life(setup_of(spec), "", clock);
  life.run_once(false);
  CHECK(shown(life) == "lag 10/1; lag{200} 10/0; lag{503} 0/1; ");
  const auto slos = life.judge().snapshot().slos;
  REQUIRE(slos[2].p50);
  CHECK(*slos[2].p50 == Approx(400).epsilon(0.02));
  CHECK_FALSE(slos[1].rules.empty());
}

TEST_CASE("A group that no window holds any more goes while the agent runs, and makes room",
          "[groups]") {
  World world(1);
  world.write("/x");
  world.tick();
  for (int hour = 1; hour <= 4; ++hour) {
    world.clock.advance_s(3600);
    world.write("/y");
    world.tick();
    CHECK(world.look() == "api 1/0; api{/x} 0/0; api{other} 1/0; ");
  }
  world.clock.advance_s(3600);
  world.write("/y");
  world.tick();
  CHECK(world.look() == "api 1/0; api{other} 1/0; ");
  CHECK(world.life->judge().snapshot().groups[0].groups == 0);
  const size_t bytes = world.life->judge().engine().memory_bytes();
  world.clock.advance_s(3600);
  world.write("/y");
  world.tick();  // its place is free from now on
  world.write("/y");
  world.tick();
  CHECK(world.look() == "api 2/0; api{/y} 1/0; api{other} 1/0; ");
  CHECK(world.life->judge().engine().memory_bytes() > bytes);
  world.start();
  world.tick();
  CHECK(world.look() == "api 2/0; api{/y} 1/0; api{other} 1/0; ");
}

TEST_CASE("A group that comes back has its counts, and its SLO's coverage of the time between",
          "[groups]") {
  World world(3);
  world.spec.indicator.group->alerts = true;
  world.start();
  world.write("/x", 503);
  world.tick();
  const int64_t first = world.clock.wall().seconds();
  const auto pass = [&](int64_t seconds) {
    for (const int64_t end = world.clock.wall().seconds() + seconds;
         world.clock.wall().seconds() < end;) {
      world.clock.advance_s(60);
      world.write("/y");
      world.tick();
    }
  };
  pass(8 * 3600);
  CHECK(world.look().find("/x") == std::string::npos);
  world.write("/x", 503);
  world.tick();
  const slo::SloEngine& engine = world.life->judge().engine();
  uint32_t row = 0;
  while (!engine.has(row) || engine.spec(row).name != "api{/x}") ++row;
  const WallTime now = world.clock.wall();
  CHECK(engine.window(row, now, 86400).bad == 2);
  const int64_t since_s = now.seconds() - first;
  CHECK(engine.window(row, now, since_s).covered_s == engine.window(0, now, since_s).covered_s);
  CHECK(engine.window(row, now, 3600).covered_s >= 3500);
  for (int i = 0; i < 20; ++i) world.write("/x", 503);
  world.clock.advance_s(10);
  std::string told;
  for (const std::string& event : world.tick()) told += event + "\n";
  CHECK_THAT(told, Catch::Contains("fired api{/x}"));  // its rules are not frozen
}

TEST_CASE("What a group told is taken back when it goes", "[groups]") {
  World world(3);
  world.spec.indicator.group->alerts = true;
  world.start();
  for (int i = 0; i < 20; ++i) world.write("/x", 503);
  world.clock.advance_s(10);
  const auto fired = world.tick();
  REQUIRE(fired.size() == 2);
  CHECK_THAT(fired[1], Catch::Contains("fired api{/x}"));
  std::vector<std::string> told;
  for (int hour = 0; hour < 8; ++hour) {
    world.clock.advance_s(3600);
    for (int i = 0; i < 200; ++i) world.write("/y");
    for (const std::string& event : world.tick()) told.push_back(event);
  }
  const auto of_group = [](const std::string& event) {
    return event.find("resolved api{/x}") != std::string::npos;
  };
  CHECK(std::count_if(told.begin(), told.end(), of_group) == 1);
  CHECK(world.look().find("/x") == std::string::npos);
}

TEST_CASE("A group that comes back before its row has gone goes on as it was", "[groups]") {
  World world(1);
  world.write("/x");
  world.tick();
  const auto tick_uncommitted = [&] {
    world.clock.advance_s(3600);
    world.write("/y");
    world.life->tick();  // the store is busy
  };
  for (int hour = 1; hour <= 6; ++hour) tick_uncommitted();
  CHECK(world.look() == "api 1/0; api{other} 1/0; ");
  world.write("/x");
  world.tick();
  CHECK(world.look() == "api 2/0; api{/x} 1/0; api{other} 1/0; ");
  world.tick();
  const slo::SloEngine& engine = world.life->judge().engine();
  CHECK(engine.window(1, world.clock.wall(), 86400).good == 2);
  world.start();
  world.tick();
  CHECK(world.look() == "api 2/0; api{/x} 1/0; api{other} 1/0; ");
}

TEST_CASE("A group of the first day stays in a month of 31 days", "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));  // 1 March
  slo::SloSpec spec = grouped(dir, 3);
  spec.window_s = 30 * 86400;
  spec.calendar =
      std::make_shared<const slo::Calendar>(TimeZone(), slo::Calendar::Unit::month, 1, 0);
  append(dir / "a.log", line(kStart - 10, "/x", 503));
  const auto live_once = [&] {
    Life life(setup_of(spec), dir / "state", clock);
    life.run_once(false);
    return shown(life);
  };
  CHECK(live_once() == "api 0/1; api{/x} 0/1; ");
  clock.advance_s(30 * 86400 + 11 * 3600);
  append(dir / "a.log", line(clock.wall().seconds() - 10, "/y", 200));
  CHECK(live_once() == "api 1/1; api{/x} 0/1; api{/y} 1/0; ");
  CHECK(live_once() == "api 1/1; api{/x} 0/1; api{/y} 1/0; ");
}

TEST_CASE("A replay of days has room for the groups of each", "[groups]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart + 3 * 86400));
  slo::SloSpec spec = grouped(dir, 2);
  spec.window_s = 3600;
  spec.alerts = slo::default_policy(3600, spec.target);
  spec.forecast = slo::default_forecast(3600);
  for (int64_t t = 0; t < 3 * 86400; t += 600) {
    const std::string day = std::to_string(t / 86400);
    append(dir / "a.log", line(kStart + t, "/a" + day, 200) + line(kStart + t, "/b" + day, 503));
  }
  for (const char* state : {"", "state"}) {
    Life life(setup_of(spec), *state == 0 ? "" : dir / state, clock);
    life.run_once(true);
    CHECK(shown(life) == "api 6/6; api{/a2} 6/0; api{/b2} 0/6; api{other} 0/0; ");
  }
  Life again(setup_of(spec), dir / "state", clock);
  again.run_once(true);
  CHECK(shown(again) == "api 6/6; api{/a2} 6/0; api{/b2} 0/6; api{other} 0/0; ");
}
