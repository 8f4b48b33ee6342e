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
  CHECK(shown(life) == "api 3/0; api{/??} 1/0; api{/" + std::string(63, 'n') +
                           "} 1/0; api{other} 1/0; ");
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
