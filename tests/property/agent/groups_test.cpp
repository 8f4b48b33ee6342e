// The sum law: whatever is read, in whatever order, with restarts, the rows of an SLO add up to it.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;

namespace {

constexpr int64_t kStart = kMidnight + 12 * 3600;

slo::SloSpec grouped(const TempDir& dir, int64_t max) {
  slo::SloSpec spec = availability("api", dir / "a.log", "0.9");
  spec.indicator.group = slo::GroupSpec{"path", max, false};
  return spec;
}

bool adds_up(Life& life, int64_t written) {
  const slo::SloEngine& engine = life.judge().engine();
  for (const int64_t window_s : {60L, 300L, 3600L, 86400L}) {
    const auto whole = engine.window(0, WallTime::from_s(kStart + 60), window_s);
    int64_t good = 0, bad = 0;
    for (uint32_t row = 1; row < engine.size(); ++row) {
      const auto part = engine.window(row, WallTime::from_s(kStart + 60), window_s);
      good += part.good;
      bad += part.bad;
    }
    if (good != whole.good || bad != whole.bad) return false;
    if (window_s == 86400 && whole.total() != written) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("Groups and other add up to the whole in every window", "[groups]") {
  CHECK(rc::check([] {
    const TempDir dir;
    ManualClock clock(WallTime::from_s(kStart));
    agent::Setup setup;
    setup.slos = {grouped(dir, *rc::gen::inRange<int64_t>(1, 5))};
    const std::string state = dir / "state";
    auto life = std::make_unique<Life>(setup, state, clock);
    int64_t written = 0;
    for (int step = *rc::gen::inRange(1, 8); step > 0; --step) {
      for (int n = *rc::gen::inRange(0, 12); n > 0; --n, ++written) {
        // Mostly recent, some later than the late horizon.
        const int64_t at = kStart - *rc::gen::oneOf(rc::gen::inRange<int64_t>(0, 50),
                                                    rc::gen::inRange<int64_t>(0, 5000));
        std::string line = access_line(at, *rc::gen::element(200, 200, 503));
        line.replace(line.find("/a"), 2, std::string("/") + *rc::gen::inRange('a', 'i'));
        append(dir / "a.log", line);
      }
      life->look_for_files();
      life->tick();
      RC_ASSERT(adds_up(*life, written));
      if (*rc::gen::inRange(0, 3) != 0) continue;
      if (*rc::gen::arbitrary<bool>()) life->commit();  // or a crash: what is lost is read again
      life.reset();
      life = std::make_unique<Life>(setup, state, clock);
      life->look_for_files();
      life->tick();
      RC_ASSERT(adds_up(*life, written));
    }
  }));
}

TEST_CASE("Groups that come and go add up to the whole in the windows of the SLO", "[groups]") {
  CHECK(rc::check([] {
    const TempDir dir;
    ManualClock clock(WallTime::from_s(kStart));
    agent::Setup setup;
    setup.slos = {grouped(dir, *rc::gen::inRange<int64_t>(1, 4))};
    setup.slos[0].window_s = 3600;
    setup.slos[0].alerts = slo::default_policy(3600, setup.slos[0].target);
    setup.slos[0].forecast = slo::default_forecast(3600);
    setup.slos[0].indicator.group->alerts = *rc::gen::arbitrary<bool>();
    std::unique_ptr<Life> life;
    const auto start = [&] {
      life.reset();
      life = std::make_unique<Life>(setup, dir / "state", clock);
      life->ingest().pipeline().let_groups_go();
      life->look_for_files();
      life->tick();
    };
    start();
    for (int step = *rc::gen::inRange(1, 25); step > 0; --step) {
      clock.advance_s(*rc::gen::oneOf(rc::gen::inRange<int64_t>(1, 5000), rc::gen::just(3600L)));
      for (int n = *rc::gen::inRange(0, 6); n > 0; --n) {
        const int64_t at = clock.wall().seconds() - *rc::gen::inRange<int64_t>(1, 550);
        std::string line = access_line(at, *rc::gen::element(200, 200, 503));
        line.replace(line.find("/a"), 2, std::string("/") + *rc::gen::inRange('a', 'g'));
        append(dir / "a.log", line);
      }
      life->tick();
      if (*rc::gen::inRange(0, 3) != 0) life->commit();
      if (*rc::gen::inRange(0, 6) == 0) start();
      const slo::SloEngine& engine = life->judge().engine();
      for (const int64_t window_s : {60L, 3600L}) {
        slo::WindowCounts sum;
        for (uint32_t row = 1; row < engine.size(); ++row) {
          if (!engine.has(row)) continue;
          const auto part = engine.window(row, clock.wall(), window_s);
          sum.good += part.good;
          sum.bad += part.bad;
        }
        const auto whole = engine.window(0, clock.wall(), window_s);
        RC_ASSERT(sum.good == whole.good);
        RC_ASSERT(sum.bad == whole.bad);
      }
      RC_ASSERT(engine.size() <= static_cast<size_t>(setup.config.max_slos));
    }
  }));
}
