#include <catch2/catch.hpp>

#include "slo_test_support.hpp"

using namespace nines;
using namespace nines::slo;
using namespace nines::slo::test;

namespace {

constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86400;

SloSpec sliced(Budgeting budgeting = Budgeting::timeslices, const char* slice_target = "0.95",
               int64_t slice_s = kMinute, int64_t window_s = kDay) {
  SloSpec spec = spec_of("web", "0.99", window_s);
  spec.budgeting = budgeting;
  spec.slices.slice_s = slice_s;
  spec.slices.target = dec(slice_target);
  return spec;
}

std::string refused(SloSpec spec) {
  SloEngine engine;
  const auto added = engine.add(std::move(spec));
  return added.ok() ? "fine" : added.error().message;
}

}  // namespace

TEST_CASE("A slice is bad when its share of good events misses its target", "[slices]") {
  World world(sliced());
  world.run(kMinute, 95, 5);  // exactly at the target: good
  world.run(kMinute, 94, 6);  // bad
  world.run(kMinute, 100, 0);
  world.run(kMinute, 0, 1);  // bad, however few
  const SloStatus& s = world.status();
  CHECK(s.window.good == 2);
  CHECK(s.window.bad == 2);
  CHECK(s.window.scale == 1);
  CHECK(s.events.good == 289 * 6);
  CHECK(s.events.bad == 12 * 6);
  CHECK(*s.sli == 0.5);
  CHECK(*s.error_budget_consumed == Approx(50).epsilon(1e-12));
  CHECK(s.budgeting == Budgeting::timeslices);
}

TEST_CASE("Slices of a month cost less than half a megabyte, and are counted as memory",
          "[slices]") {
  World plain(spec_of("web", "0.99", 30 * kDay)),
      world(sliced(Budgeting::timeslices, "0.95", kMinute, 30 * kDay));
  const size_t slices = 31 * kDay / kMinute * 10;  // two counts and a coverage each, a day more
  CHECK(world.engine().memory_bytes() >= plain.engine().memory_bytes() + slices);
  CHECK(world.engine().memory_bytes() < plain.engine().memory_bytes() + 512 * 1024);
}

TEST_CASE("What comes late changes the verdict of its slice, wherever in a long window it lies",
          "[slices]") {
  World world(sliced());
  world.fill(3 * kDay, 100, 0);
  CHECK(world.status().window.good == kDay / kMinute);
  int64_t bad = 0;
  for (int64_t back_s = kMinute; back_s < kDay; back_s += 127 * kMinute) {
    const int64_t at = world.now_s() - back_s;
    world.engine().apply(batch_of({delta(at, 0, 50)}));
    world.evaluate();
    CHECK(world.status().window.bad == ++bad);
    world.engine().apply(batch_of({delta(at, 0, 50)}));  // the same slice
    world.evaluate();
    CHECK(world.status().window.bad == bad);
  }
  world.run(12 * kHour, 100, 0);  // the older half leaves
  CHECK(world.status().window.bad == (bad + 1) / 2);
  CHECK(world.status().window.total() == kDay / kMinute);
  world.run(12 * kHour, 100, 0);
  CHECK(world.status().window.bad == 0);
}

TEST_CASE("Silent slices are judged anew when it is learned that the logs were read then",
          "[slices]") {
  SloSpec spec = sliced();
  spec.slices.on_empty = OnEmpty::bad;
  World world(spec);
  world.fill(kDay, 100, 0);
  world.fill(kDay / 2, 0, 0);  // read, and empty
  CHECK(world.status().window.bad == kDay / 2 / kMinute);
  World late(spec);
  const int64_t begin = late.now_s();
  late.engine().apply(
      batch_of({delta(begin + kDay / 2, 1, 0, 10), delta(begin + kDay - 60, 1, 0)}));
  late.blind(kDay);
  const int64_t before = late.status().window.total();
  for (int64_t t = 0; t < kDay; t += kHour) {
    late.engine().apply(batch_of({delta(begin + t, 0, 0, 3600)}));
  }
  late.evaluate();
  CHECK(late.status().window.total() > before);
  CHECK(late.status().window.total() == kDay / kMinute);
}

TEST_CASE("Only closed slices count", "[slices]") {
  World world(sliced());
  world.run(kMinute + 50, 0, 1);
  CHECK(world.status().window.bad == 1);
  world.run(10, 0, 1);
  CHECK(world.status().window.bad == 2);
}

TEST_CASE("A quiet slice is what on_empty says, an unread one nothing", "[slices]") {
  for (const auto on_empty : {OnEmpty::good, OnEmpty::bad, OnEmpty::skip}) {
    SloSpec spec = sliced();
    spec.slices.on_empty = on_empty;
    World world(spec);
    world.run(10 * kMinute, 1, 0);
    world.run(10 * kMinute, 0, 0);     // quiet
    world.run(10 * kMinute, 0, 0, 0);  // nobody reads
    world.run(kMinute, 1, 0);
    const WindowCounts& w = world.status().window;
    CHECK(w.good == 11 + (on_empty == OnEmpty::good ? 10 : 0));
    CHECK(w.bad == (on_empty == OnEmpty::bad ? 10 : 0));
  }
}

TEST_CASE("A slice that nobody reads is not taken for read because one was, days before", "[slices]") {
  SloSpec spec = sliced();
  spec.slices.on_empty = OnEmpty::bad;
  World world(spec);
  world.fill(5 * kDay, 100, 0);  // more than is remembered: every place was used and left
  world.run(kHour, 0, 0, 0);
  world.run(kMinute, 1, 0);
  const WindowCounts& w = world.status().window;
  CHECK(w.bad == 0);
  CHECK(w.good == (kDay - kHour) / kMinute);
}

TEST_CASE("Too few events are a bad slice, if the logs were read", "[slices]") {
  SloSpec spec = sliced();
  spec.slices.floor = 60;
  World world(spec);
  world.run(5 * kMinute, 10, 0);     // 60 a minute
  world.run(5 * kMinute, 9, 0);      // 54
  world.run(5 * kMinute, 9, 0, 0);   // 54 seen, more may have been there
  world.run(5 * kMinute, 10, 0, 0);  // enough, whatever was missed
  const WindowCounts& w = world.status().window;
  CHECK(w.good == 10);
  CHECK(w.bad == 5);
}

TEST_CASE("The mean of shares is kept to 2^-32 of a slice", "[slices]") {
  World world(sliced(Budgeting::ratio_timeslices));
  world.run(kMinute, 2, 1);    // 1/3
  world.run(kMinute, 300, 0);  // 0: as much as the first, in spite of its events
  const SloStatus& s = world.status();
  CHECK(s.window.scale == int64_t{1} << 31);
  CHECK(static_cast<double>(s.window.bad) / static_cast<double>(s.window.scale) ==
        Approx(1.0 / 3).margin(1e-9));
  CHECK(*s.sli == Approx(1 - 1.0 / 6).margin(1e-9));
}

TEST_CASE("What comes late changes the verdict of its slice, however late", "[slices]") {
  World world(sliced());
  world.run(5 * kHour, 10, 0);
  REQUIRE(world.status().window.bad == 0);
  world.engine().apply(batch_of({delta(kT0 + kHour, 0, 60, 0)}));
  world.evaluate();
  CHECK(world.status().window.bad == 1);
  world.engine().apply(batch_of({delta(kT0 + kHour + 30, 2000, 0, 0)}));
  world.evaluate();
  CHECK(world.status().window.bad == 0);
}

TEST_CASE("Slices fire by burn rate and tell slices", "[slices]") {
  SloSpec spec = sliced(Budgeting::timeslices, "0.95", kMinute, 30 * kDay);
  World world(spec);
  world.fill(kDay, 10, 0);
  world.run(kHour, 0, 10);
  REQUIRE_FALSE(world.events().empty());
  CHECK_THAT(world.events().front().summary, Catch::Contains("time slices bad in 1h"));
}

TEST_CASE("A slice that an exclusion touches is excluded", "[slices]") {
  SloSpec spec = sliced(Budgeting::timeslices, "0.95", 5 * kMinute);
  ExclusionSpec e;
  e.name = "x";
  e.once = {kT0 + 7 * kMinute, kT0 + 11 * kMinute};
  spec.exclusions = {e};
  World world(spec);
  world.run(20 * kMinute, 0, 1);
  const WindowCounts& w = world.status().window;
  CHECK(w.bad == 2);
  CHECK(w.dropped_bad == 2);
  CHECK(w.excluded_s == 600);
}

TEST_CASE("Slices that can't be are refused", "[slices]") {
  CHECK(refused(sliced()) == "fine");
  CHECK_THAT(refused(sliced(Budgeting::timeslices, "0.95", 30)), Catch::Contains("whole minutes"));
  CHECK_THAT(refused(sliced(Budgeting::timeslices, "0.95", 90)), Catch::Contains("1m to 12h"));
  CHECK_THAT(refused(sliced(Budgeting::timeslices, "0.95", 13 * kHour)),
             Catch::Contains("1m to 12h"));
  CHECK_THAT(refused(sliced(Budgeting::timeslices, "0.95", kHour, 60)),
             Catch::Contains("shorter than a time slice"));
  CHECK_THAT(refused(sliced(Budgeting::timeslices, "0")), Catch::Contains("above 0, at most 1"));
  CHECK(refused(sliced(Budgeting::timeslices, "1")) == "fine");
}

TEST_CASE("A window of the calendar starts anew with its period", "[slices]") {
  SloSpec spec = spec_of("web", "0.99", 30 * kDay);
  spec.calendar = std::make_shared<Calendar>(TimeZone(), Calendar::Unit::month, 1, kT0);
  World world(spec, kT0 + 30 * kDay);  // the last day of January
  world.fill(kDay - kHour, 9, 1);
  CHECK(world.status().window.start == WallTime::from_s(kT0));
  CHECK(world.status().period_end == WallTime::from_s(kT0 + 31 * kDay));
  CHECK(world.status().window_name == "1M");
  CHECK(world.status().time_zone == "UTC");
  world.run(kHour - 10, 9, 1);
  CHECK(world.status().state == State::violated);
  world.run(10, 9, 1);
  CHECK(world.status().window.total() == 0);
  CHECK(world.status().window.start == WallTime::from_s(kT0 + 31 * kDay));
  world.run(kMinute, 10, 0);
  CHECK(world.status().window.good == 60);
  CHECK(world.status().window.bad == 0);
  CHECK(world.status().state == State::degrading);  // the pace of the last day is still told
}

TEST_CASE("A month of 31 days and an hour is counted to its last second", "[slices]") {
  SloSpec spec = spec_of("web", "0.99", 30 * kDay);
  // October where the clocks go back, as a period of 31 days from an anchor an hour early.
  const int64_t longest = 31 * kDay + kHour;
  spec.calendar = std::make_shared<Calendar>(TimeZone(), Calendar::Unit::month, 1, kT0 - kHour);
  World world(spec, kT0 - kHour);
  world.fill(longest - kHour, 1, 0);
  CHECK(world.status().window.good == 0);
  SloEngine engine;
  spec.name = "rolling";
  spec.calendar = nullptr;
  spec.window_s = longest;
  REQUIRE(engine.add(spec).ok());
  Batch batch;
  for (int64_t t = kT0; t < kT0 + longest; t += 10) batch.slots.push_back(delta(t, 1, 0));
  batch.max_event_time = WallTime::from_s(kT0 + longest);
  engine.apply(batch);
  // A slot of the 300 s tier newer than the watermark must not push out the first one.
  engine.apply(batch_of({delta(kT0 + longest + 60, 1, 0)}));
  std::vector<AlertEvent> events;
  const WallTime end = WallTime::from_s(kT0 + longest);
  engine.evaluate(end, end, events);
  CHECK(engine.status(0).window.good == longest / 10);
}
