// The tiered rings against a brute-force recount that keeps every delta. The recount follows the
// text of engine.hpp and shares no code with the rings.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <random>

#include "nines/slo/engine.hpp"

using namespace nines;
using namespace nines::slo;

namespace {

struct Seen {
  int64_t slot, good, bad, covered_s;
  bool late;
};

int64_t down(int64_t a, int64_t b) { return a - ((a % b) + b) % b; }

int64_t slot_length(int64_t window_s) {
  if (window_s <= 2 * 3600) return 10;
  if (window_s <= 3 * 86400) return 60;
  return window_s <= 31 * 86400 ? 300 : 3600;
}

class Recount {
 public:
  void add(const Batch& batch, int64_t late_horizon_s) {
    const int64_t newest_before = newest_;
    for (const SlotDelta& d : batch.slots) {
      const bool late = (newest_before - d.slot) * 10 > late_horizon_s;
      seen_.push_back({d.slot, d.good, d.bad, d.covered_s, late});
      newest_ = std::max(newest_, d.slot);
    }
  }

  WindowCounts window(int64_t end_s, int64_t window_s) const {
    end_s = down(end_s, 10);
    const int64_t slot_s = slot_length(window_s);
    const int64_t start_s = down(end_s - window_s, slot_s);
    WindowCounts sum;
    for (const Seen& s : seen_) {
      const int64_t at_s = s.slot * 10;
      if (at_s < start_s || at_s >= end_s) continue;
      // Late ones are known from 60 s up: also at the end, where only whole slots of 60 s count
      // them.
      if (s.late && (slot_s == 10 || at_s >= down(end_s, 60))) continue;
      sum.good += s.good;
      sum.bad += s.bad;
      sum.covered_s += s.covered_s;
    }
    sum.start = WallTime::from_s(start_s);
    sum.end = WallTime::from_s(end_s);
    return sum;
  }
  int64_t newest() const { return newest_; }

 private:
  std::vector<Seen> seen_;
  int64_t newest_ = INT64_MIN / 20;
};

bool same(const WindowCounts& a, const WindowCounts& b) {
  return a.good == b.good && a.bad == b.bad && a.covered_s == b.covered_s && a.start == b.start &&
         a.end == b.end;
}

constexpr int64_t kWindows[] = {
    10,    60,        300,       1800,      3600,       2 * 3600,   2 * 3600 + 10, 6 * 3600,
    86400, 3 * 86400, 4 * 86400, 7 * 86400, 30 * 86400, 31 * 86400, 45 * 86400,    91 * 86400};

// One history of `batches` batches, checked against the recount after each.
int mismatches(uint64_t seed, int batches, int64_t max_step_s, int& checks) {
  std::mt19937_64 random(seed);
  const auto upto = [&](int64_t n) {
    return static_cast<int64_t>(random() % static_cast<uint64_t>(n + 1));
  };
  SloSpec spec;
  spec.name = "recounted";
  spec.target = {99, -2};
  SloEngine engine;
  const uint32_t slo = *engine.add(spec);
  Recount recount;
  int64_t now_s = 1'767'225'600 + upto(100'000);
  int wrong = 0;
  for (int i = 0; i < batches; ++i) {
    now_s += upto(max_step_s);
    Batch batch;
    const int64_t n = 1 + upto(4);
    for (int64_t k = 0; k < n; ++k) {
      // One in four is old, up to 80 days; a slot is covered at most once.
      const int64_t age_s = upto(3) == 0 ? upto(upto(1) == 0 ? 3 * 3600 : 80 * 86400) : upto(60);
      batch.slots.push_back({slo, (now_s - age_s) / 10, upto(50), upto(3), 0});
    }
    batch.slots.push_back({slo, now_s / 10, upto(9), 0,
                           static_cast<uint32_t>(now_s / 10 > recount.newest() ? upto(10) : 0)});
    batch.max_event_time = WallTime::from_s(now_s);
    batch.normalize();
    engine.apply(batch);
    recount.add(batch, spec.data.late_horizon_s);
    for (const int64_t window_s : kWindows) {
      const int64_t end_s = now_s - upto(120) + 30;
      // Beyond the retention of the coarsest tier nothing is promised.
      if (now_s - end_s + window_s > 92 * 86400) continue;
      ++checks;
      if (!same(engine.window(slo, WallTime::from_s(end_s), window_s),
                recount.window(end_s, window_s)))
        ++wrong;
    }
  }
  return wrong;
}

}  // namespace

TEST_CASE("Windows of the tiered rings equal a brute-force recount, late events included",
          "[slo]") {
  int checks = 0;
  int wrong = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    wrong += mismatches(seed, 120, 40, checks);
    wrong += mismatches(seed, 120, 4'000, checks);
    wrong += mismatches(seed, 120, 200'000, checks);
  }
  CHECK(checks > 30'000);
  CHECK(wrong == 0);
}

TEST_CASE("Windows equal a recount for any seed and any step of time", "[slo]") {
  CHECK(rc::check([] {
    int checks = 0;
    const auto seed = *rc::gen::arbitrary<uint32_t>();
    const auto step = *rc::gen::element<int64_t>(5, 60, 900, 7'200, 100'000, 3'000'000);
    RC_ASSERT(mismatches(seed, 15, step, checks) == 0);
  }));
}
