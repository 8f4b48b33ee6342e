#include "nines/slo/batch.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::slo;

TEST_CASE("Batch merges slots, bins, positions and counters", "[slo]") {
  Batch a;
  CHECK(a.empty());
  a.slots = {{1, 5, 10, 1, 4}, {0, 9, 1, 0, 10}};
  a.sketches = {{0, 3, {{7, 2}, {5, 1}}}};
  a.positions = {{"b", "1"}, {"a", "1"}};
  a.late = 1;
  a.max_event_time = WallTime::from_s(50);
  Batch b;
  b.slots = {{1, 5, 3, 2, 6}, {1, 4, 1, 0, 0}};
  b.sketches = {{0, 3, {{7, 40}}}, {0, 2, {{1, 1}}}};
  b.positions = {{"b", "2"}, {"c", ""}};
  b.late = 2;
  b.dropped_late = 3;
  b.skewed = 4;
  a.merge(std::move(b));

  REQUIRE(a.slots.size() == 3);
  CHECK(a.slots[0].slo == 0);
  CHECK(a.slots[1].slot == 4);
  CHECK(a.slots[2].good == 13);
  CHECK(a.slots[2].bad == 3);
  CHECK(a.slots[2].covered_s == 10);
  REQUIRE(a.sketches.size() == 2);
  CHECK(a.sketches[0].hour == 2);
  CHECK(a.sketches[1].bins == std::vector<std::pair<uint16_t, uint32_t>>{{5, 1}, {7, 42}});
  REQUIRE(a.positions.size() == 3);
  CHECK(a.positions[1].state == "2");
  CHECK(a.positions[2].state.empty());  // forgets the file, for whoever stores it
  CHECK(a.late == 3);
  CHECK(a.dropped_late == 3);
  CHECK(a.skewed == 4);
  CHECK(a.max_event_time == WallTime::from_s(50));
  CHECK_FALSE(a.empty());
}

TEST_CASE("Batch counts stop at their limits instead of wrapping", "[slo]") {
  Batch a;
  a.slots = {{0, 1, 0, 0, UINT32_MAX}, {0, 1, 0, 0, 2}};
  a.sketches = {{0, 1, {{3, UINT32_MAX - 1}, {3, 5}}}};
  a.normalize();
  REQUIRE(a.slots.size() == 1);
  CHECK(a.slots[0].covered_s == UINT32_MAX);
  CHECK(a.sketches[0].bins[0].second == UINT32_MAX);
}

TEST_CASE("The newest event time of a merge knows none from before 1970", "[slo]") {
  const auto newest = [](int64_t a_s, int64_t b_s) {
    Batch a, b;
    a.max_event_time = WallTime::from_s(a_s);
    b.max_event_time = WallTime::from_s(b_s);
    a.merge(std::move(b));
    return a.max_event_time.seconds();
  };
  CHECK(newest(0, -5) == -5);
  CHECK(newest(-5, 0) == -5);
  CHECK(newest(-5, -9) == -5);
  CHECK(newest(3, 7) == 7);
}

TEST_CASE("Slots are floored, also before 1970", "[slo]") {
  CHECK(slot_of(WallTime::from_s(19)) == 1);
  CHECK(slot_of(WallTime::from_s(-1)) == -1);
  CHECK(slot_of(WallTime::from_s(-10)) == -1);
  CHECK(slot_of(WallTime::from_s(-11)) == -2);
  CHECK(slot_of(WallTime{-1}) == -1);
}

TEST_CASE("Batch gathers many pieces to what merging them one by one gives", "[slo]") {
  Batch merged, gathered;
  size_t largest = 0;
  for (int64_t i = 0; i < 20'000; ++i) {
    Batch piece;
    piece.slots = {{static_cast<uint32_t>(i % 3), i % 700, 1, i % 2, 0}};
    piece.sketches = {{0, i % 5, {{static_cast<uint16_t>(i % 90), 1}}}};
    piece.positions = {{"file" + std::to_string(i % 4), std::to_string(i)}};
    if (i % 10 == 0) merged.merge(Batch(piece));  // a tenth is enough to compare
    if (i % 10 == 0) gathered.gather(std::move(piece));
    largest = std::max(largest, gathered.slots.size());
  }
  gathered.normalize();
  REQUIRE(gathered.slots.size() == merged.slots.size());
  for (size_t i = 0; i < merged.slots.size(); ++i) {
    CHECK(gathered.slots[i].slot == merged.slots[i].slot);
    CHECK(gathered.slots[i].good == merged.slots[i].good);
    CHECK(gathered.slots[i].bad == merged.slots[i].bad);
  }
  CHECK(gathered.positions.size() == merged.positions.size());
  CHECK(gathered.positions[0].state == merged.positions[0].state);
  CHECK(largest <= 2 * merged.slots.size() + 1100);
}
