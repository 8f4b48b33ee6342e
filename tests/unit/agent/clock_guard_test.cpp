#include "app/clock_guard.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>

using namespace nines;
using agent::ClockGuard;

namespace {

// A node whose clock runs from boot and is set by NTP at some time.
class PiClock final : public Clock {
 public:
  Instant mono() const noexcept override { return {up_ns}; }
  WallTime wall() const noexcept override { return {boot_ns + up_ns}; }
  bool synchronised() const noexcept override { return synced; }
  void pass_s(int64_t s) { up_ns += s * kNsPerSecond; }
  void set(WallTime now) {
    boot_ns = now.ns - up_ns;
    synced = true;
  }

  int64_t up_ns = 20 * kNsPerSecond;
  int64_t boot_ns = 1'700'000'000 * kNsPerSecond;
  bool synced = false;
};

slo::Batch one_event(WallTime at) {
  slo::Batch batch;
  slo::SlotDelta delta;
  delta.slot = slo::slot_of(at);
  delta.good = 1;
  batch.slots.push_back(delta);
  batch.max_event_time = at;
  return batch;
}

}  // namespace

TEST_CASE("A synchronised clock holds nothing back", "[clock]") {
  PiClock clock;
  clock.synced = true;
  ClockGuard guard(clock, {});
  CHECK_FALSE(guard.holding());
  CHECK_FALSE(guard.released());
}

TEST_CASE("What is read before NTP has set the clock is moved to its true time", "[clock]") {
  PiClock clock;
  ClockGuard guard(clock, {});
  REQUIRE(guard.holding());
  clock.pass_s(10);
  slo::Batch batch = one_event(clock.wall());
  CHECK_FALSE(guard.released());
  clock.pass_s(5);
  const WallTime truth = WallTime::from_s(1'763'700'000);
  clock.set(truth);
  REQUIRE(guard.released());
  CHECK_FALSE(guard.holding());
  guard.correct(batch);
  const int64_t true_slot = slo::slot_of(WallTime::from_s(1'763'700'000 - 5));
  CHECK(std::abs(batch.slots.front().slot - true_slot) <= 1);
  CHECK(batch.max_event_time == WallTime::from_s(1'763'700'000 - 5));
}

TEST_CASE("Lines stamped after the clock was set, and read before that was seen, keep their time",
          "[clock]") {
  PiClock clock;
  ClockGuard guard(clock, {});
  clock.pass_s(10);
  slo::Batch batch = one_event(clock.wall());
  clock.set(WallTime::from_s(1'763'700'000));
  clock.pass_s(1);
  batch.gather(one_event(clock.wall()));
  batch.normalize();
  REQUIRE(guard.released());
  guard.correct(batch);
  const int64_t true_slot = slo::slot_of(clock.wall());
  for (const slo::SlotDelta& delta : batch.slots) CHECK(std::abs(delta.slot - true_slot) <= 1);
  CHECK(batch.max_event_time == clock.wall());
}

TEST_CASE("Lines of an earlier life keep their time when the clock is set", "[clock]") {
  PiClock clock;
  ClockGuard guard(clock, {});
  slo::Batch batch = one_event(WallTime::from_s(1'699'999'000));  // before this boot
  clock.set(WallTime::from_s(1'763'700'000));
  REQUIRE(guard.released());
  guard.correct(batch);
  CHECK(batch.slots.front().slot == slo::slot_of(WallTime::from_s(1'699'999'000)));
}

TEST_CASE("A node that stays offline goes on with the clock it has", "[clock]") {
  PiClock clock;
  ClockGuard guard(clock, {});
  clock.pass_s(ClockGuard::kMaxWaitS - 21);
  CHECK_FALSE(guard.released());
  clock.pass_s(1);
  CHECK(guard.released());
  CHECK(guard.step_s() == 0);
}

TEST_CASE("A clock that was never synchronised is trusted on a machine long up", "[clock]") {
  PiClock clock;
  clock.pass_s(3600);
  CHECK_FALSE(ClockGuard(clock, {}).holding());
}

TEST_CASE("A clock behind what is known is not trusted, however long the machine is up",
          "[clock]") {
  PiClock clock;
  clock.pass_s(3600);
  ClockGuard guard(clock, WallTime::from_s(1'763'000'000));
  CHECK(guard.holding());
  clock.pass_s(ClockGuard::kMaxWaitS);
  CHECK(guard.released());
}

TEST_CASE("A small correction moves nothing", "[clock]") {
  PiClock clock;
  ClockGuard guard(clock, {});
  slo::Batch batch = one_event(clock.wall());
  const int64_t slot = batch.slots.front().slot;
  clock.set({clock.wall().ns + kNsPerSecond});
  REQUIRE(guard.released());
  guard.correct(batch);
  CHECK(batch.slots.front().slot == slot);
}
