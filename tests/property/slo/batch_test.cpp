#include "nines/slo/batch.hpp"

#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <tuple>

using namespace nines;
using namespace nines::slo;

namespace {

Batch random_batch() {
  Batch b;
  const int slots = *rc::gen::inRange(0, 12);
  for (int i = 0; i < slots; ++i) {
    b.slots.push_back({*rc::gen::inRange(0u, 3u), *rc::gen::inRange<int64_t>(-3, 4),
                       *rc::gen::inRange<int64_t>(-5, 50), *rc::gen::inRange<int64_t>(0, 9),
                       *rc::gen::inRange(0u, 11u)});
  }
  const int sketches = *rc::gen::inRange(0, 4);
  for (int i = 0; i < sketches; ++i) {
    SketchDelta s{*rc::gen::inRange(0u, 3u), *rc::gen::inRange<int64_t>(0, 3), {}};
    const int bins = *rc::gen::inRange(0, 5);
    for (int j = 0; j < bins; ++j) {
      s.bins.emplace_back(*rc::gen::inRange<uint16_t>(0, 6),
                          *rc::gen::element<uint32_t>(1, 7, UINT32_MAX - 2));
    }
    b.sketches.push_back(s);
  }
  b.late = *rc::gen::inRange(0, 5);
  b.dropped_late = *rc::gen::inRange(0, 5);
  b.skewed = *rc::gen::inRange(0, 5);
  b.max_event_time = WallTime::from_s(*rc::gen::inRange<int64_t>(-5, 5));
  return b;
}

Batch merged(Batch a, Batch b) {
  a.merge(std::move(b));
  return a;
}

auto key(const SlotDelta& s) { return std::tuple(s.slo, s.slot, s.good, s.bad, s.covered_s); }

bool same(const Batch& a, const Batch& b) {
  const auto slots = [](const Batch& x) {
    std::vector<decltype(key(x.slots[0]))> keys;
    for (const SlotDelta& s : x.slots) keys.push_back(key(s));
    return keys;
  };
  const auto sketches = [](const Batch& x) {
    std::vector<std::tuple<uint32_t, int64_t, std::vector<std::pair<uint16_t, uint32_t>>>> keys;
    for (const SketchDelta& s : x.sketches) keys.emplace_back(s.slo, s.hour, s.bins);
    return keys;
  };
  const auto positions = [](const Batch& x) {
    std::vector<std::pair<std::string, std::string>> keys;
    for (const Position& p : x.positions) keys.emplace_back(p.key, p.state);
    return keys;
  };
  return slots(a) == slots(b) && sketches(a) == sketches(b) && positions(a) == positions(b) &&
         a.late == b.late && a.dropped_late == b.dropped_late && a.skewed == b.skewed &&
         a.max_event_time == b.max_event_time;
}

}  // namespace

TEST_CASE("Batch merging is commutative and associative for counts", "[slo]") {
  CHECK(rc::check([] {
    const Batch a = random_batch(), b = random_batch(), c = random_batch();
    RC_ASSERT(same(merged(a, b), merged(b, a)));
    RC_ASSERT(same(merged(merged(a, b), c), merged(a, merged(b, c))));
  }));
}

TEST_CASE("Batch merging is associative for positions and the later one wins", "[slo]") {
  CHECK(rc::check([] {
    std::vector<Batch> parts(3);
    std::map<std::string, std::string> expected;
    int serial = 0;
    for (Batch& part : parts) {
      const int n = *rc::gen::inRange(0, 5);
      for (int i = 0; i < n; ++i) {
        Position p{std::string(1, *rc::gen::inRange('a', 'e')), std::to_string(++serial)};
        expected[p.key] = p.state;
        part.positions.push_back(p);
      }
    }
    const Batch left = merged(merged(parts[0], parts[1]), parts[2]);
    const Batch right = merged(parts[0], merged(parts[1], parts[2]));
    RC_ASSERT(same(left, right));
    RC_ASSERT(left.positions.size() == expected.size());
    for (const Position& p : left.positions) RC_ASSERT(expected.at(p.key) == p.state);
  }));
}

TEST_CASE("Normalizing a batch twice changes nothing and an empty batch is neutral", "[slo]") {
  CHECK(rc::check([] {
    Batch a = random_batch();
    a.normalize();
    Batch again = a;
    again.normalize();
    RC_ASSERT(same(a, again));
    RC_ASSERT(same(merged(a, Batch{}), a));
    RC_ASSERT(same(merged(Batch{}, a), a));
  }));
}
