// Slices of time, exclusions, reserves and calendar windows against a recount that keeps every
// event and follows the text of engine.hpp and spec.hpp; it shares no code with the engine.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <map>
#include <random>

#include "nines/slo/engine.hpp"

using namespace nines;
using namespace nines::slo;

namespace {

constexpr int64_t kT0 = 1'767'225'600;  // 2026-01-01T00:00:00Z
constexpr int64_t kHour = 3600, kDay = 86400;

int64_t down(int64_t a, int64_t b) { return a - ((a % b) + b) % b; }
int64_t up(int64_t a, int64_t b) { return -down(-a, b); }

int64_t slot_length(int64_t window_s) {
  if (window_s <= 2 * kHour) return 10;
  if (window_s <= 3 * kDay) return 60;
  return window_s <= 31 * kDay ? 300 : 3600;
}

struct Counts {
  int64_t good = 0, bad = 0, dropped_good = 0, dropped_bad = 0, forgiven = 0, reserve = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

struct Slot {
  int64_t good = 0, bad = 0, covered_s = 0;
};

class Recount {
 public:
  explicit Recount(const SloSpec& spec) : spec_(spec) {}

  void add(int64_t at_s, int64_t good, int64_t bad, int64_t covered_s) {
    Slot& slot = slots_[at_s];
    slot.good += good;
    slot.bad += bad;
    slot.covered_s = std::min<int64_t>(10, slot.covered_s + covered_s);
    if (covered_s > 0) first_covered_ = std::min(first_covered_, at_s);
  }

  Counts slo_window(int64_t end_s) const {
    const int64_t start_s = spec_.calendar ? period_start(end_s) : end_s - spec_.window_s;
    Raw raw = spec_.budgeting == Budgeting::occurrences
                  ? events(down(start_s, slot_length(spec_.window_s)), end_s)
                  : slices(spec_.calendar ? up(start_s, slice()) : from(end_s, spec_.window_s),
                           down(end_s, slice()));
    Counts out = raw.counts();
    if (!touches(raw.start_s, raw.end_s, ExclusionEffect::reserve)) return out;
    // floor(reserve * (1 - target) * n) with both as hundredths, which is what the cases have.
    const int64_t share = hundredths(spec_.reserve) * (100 - hundredths(spec_.target));
    out.reserve = static_cast<int64_t>((out.good + out.bad) * share / 10'000);
    out.forgiven = std::min(out.reserve, raw.reserved.bad);
    out.bad -= out.forgiven;
    return out;
  }

  Counts window(int64_t end_s, int64_t window_s) const {
    const bool sliced = spec_.budgeting != Budgeting::occurrences;
    const Raw raw = sliced ? slices(from(end_s, window_s), down(end_s, slice()))
                           : events(down(end_s - window_s, slot_length(window_s)), end_s);
    Counts out = raw.counts();
    const Counts own = slo_window(end_s);
    const bool exhausted = reserved_bad(end_s) > own.forgiven;
    if (!exhausted) out.forgiven = raw.reserved.bad;
    out.bad -= out.forgiven;
    return out;
  }

 private:
  struct Pair {
    int64_t good = 0, bad = 0;
  };
  struct Raw {
    int64_t start_s = 0, end_s = 0;
    Pair counted, dropped, reserved;
    Counts counts() const {
      return {counted.good + reserved.good, counted.bad + reserved.bad, dropped.good, dropped.bad};
    }
  };

  static int64_t hundredths(Decimal d) { return std::llround(d.to_double() * 100); }
  int64_t slice() const { return spec_.slices.slice_s; }
  int64_t from(int64_t end_s, int64_t window_s) const {
    return down(down(end_s, slice()) - window_s, slice());
  }
  // Months of UTC, which is what the cases have.
  static int64_t period_start(int64_t t) {
    const CivilDate date = civil_from_days(down(t, kDay) / kDay);
    return days_from_civil(date.year, date.month, 1) * kDay;
  }

  bool touches(int64_t from_s, int64_t to_s, ExclusionEffect effect) const {
    for (const ExclusionSpec& e : spec_.exclusions) {
      if (e.effect != effect) continue;
      for (int64_t m = down(from_s, 10); m < to_s; m += 10) {
        if (m >= down(e.once.from_s, 60) && m < up(e.once.to_s, 60) &&
            (effect == ExclusionEffect::drop || !covered_by_drop(m))) {
          return true;
        }
        if (m < down(e.once.from_s, 60) - 10) m = down(e.once.from_s, 60) - 20;
        if (m >= up(e.once.to_s, 60)) break;
      }
    }
    return false;
  }
  bool covered_by_drop(int64_t at_s) const {
    for (const ExclusionSpec& e : spec_.exclusions) {
      if (e.effect == ExclusionEffect::drop && at_s >= down(e.once.from_s, 60) &&
          at_s < up(e.once.to_s, 60)) {
        return true;
      }
    }
    return false;
  }

  Raw events(int64_t start_s, int64_t end_s) const {
    Raw raw{start_s, end_s, {}, {}, {}};
    for (auto i = slots_.lower_bound(start_s); i != slots_.end() && i->first < end_s; ++i) {
      Pair& to = touches(i->first, i->first + 10, ExclusionEffect::drop)      ? raw.dropped
                 : touches(i->first, i->first + 10, ExclusionEffect::reserve) ? raw.reserved
                                                                              : raw.counted;
      to.good += i->second.good;
      to.bad += i->second.bad;
    }
    return raw;
  }

  Raw slices(int64_t start_s, int64_t end_s) const {
    Raw raw{std::min(start_s, end_s), end_s, {}, {}, {}};
    for (int64_t at = start_s; at < end_s; at += slice()) {
      Slot sum;
      for (auto i = slots_.lower_bound(at); i != slots_.end() && i->first < at + slice(); ++i) {
        sum.good += i->second.good;
        sum.bad += i->second.bad;
        sum.covered_s += i->second.covered_s;
      }
      const int64_t one = spec_.budgeting == Budgeting::timeslices ? 1 : int64_t{1} << 31;
      const int64_t bad = verdict(at, sum, one);
      if (bad < 0) continue;
      Pair& to = touches(at, at + slice(), ExclusionEffect::drop)      ? raw.dropped
                 : touches(at, at + slice(), ExclusionEffect::reserve) ? raw.reserved
                                                                       : raw.counted;
      to.good += one - bad;
      to.bad += bad;
    }
    return raw;
  }

  // -1: not judged.
  int64_t verdict(int64_t at, const Slot& sum, int64_t one) const {
    const int64_t n = sum.good + sum.bad;
    const bool covered = at >= first_covered_ && sum.covered_s * 10 >= slice() * 9;
    if (n < spec_.slices.floor) return covered ? one : -1;
    if (n == 0) {
      if (!covered || spec_.slices.on_empty == OnEmpty::skip) return -1;
      return spec_.slices.on_empty == OnEmpty::bad ? one : 0;
    }
    if (one > 1) {
      // Rounded to the nearest, halves up.
      return (sum.bad * one * 2 + n) / (2 * n);
    }
    return sum.bad * 100 > n * (100 - hundredths(spec_.slices.target)) ? 1 : 0;
  }

  int64_t reserved_bad(int64_t end_s) const {
    const int64_t start_s = spec_.calendar ? period_start(end_s) : end_s - spec_.window_s;
    const Raw raw =
        spec_.budgeting == Budgeting::occurrences
            ? events(down(start_s, slot_length(spec_.window_s)), end_s)
            : slices(spec_.calendar ? up(start_s, slice()) : from(end_s, spec_.window_s),
                     down(end_s, slice()));
    // Without a reserve in the window nothing of it is forgiven, and nothing of it is there.
    return raw.reserved.bad;
  }

  const SloSpec& spec_;
  std::map<int64_t, Slot> slots_;
  int64_t first_covered_ = INT64_MAX;
};

Counts of(const WindowCounts& w) {
  return {w.good, w.bad, w.dropped_good, w.dropped_bad, w.forgiven, w.reserve};
}

class Case {
 public:
  explicit Case(uint64_t seed) : random_(seed), spec_(make()), recount_(spec_) {
    INFO(seed);
    REQUIRE(engine_.add(spec_).ok());
  }

  int run() {
    int wrong = 0;
    int64_t now = kT0 + upto(40 * kDay);
    now = down(now, 10);
    for (int step = 0; step < 25; ++step) {
      const int64_t length = 10 * (1 + upto(chance(5) ? 4000 : 300));
      feed(now, length);
      now += length;
      if (chance(10)) now = down(now + upto(3 * kDay), 10);
      wrong += check(now);
    }
    return wrong;
  }

 private:
  int64_t upto(int64_t n) { return static_cast<int64_t>(random_() % static_cast<uint64_t>(n + 1)); }
  bool chance(int one_in) { return random_() % static_cast<uint64_t>(one_in) == 0; }

  SloSpec make() {
    SloSpec spec;
    spec.name = "web";
    spec.target = Decimal{chance(2) ? 90 : 99, -2};
    static constexpr int64_t kWindows[] = {2 * kHour, kDay, 7 * kDay, 30 * kDay, 45 * kDay};
    spec.window_s = kWindows[upto(4)];
    if (chance(3)) {
      spec.window_s = 30 * kDay;
      spec.calendar = std::make_shared<Calendar>(TimeZone(), Calendar::Unit::month, 1, kT0);
    }
    if (!chance(3))
      spec.budgeting = chance(2) ? Budgeting::timeslices : Budgeting::ratio_timeslices;
    static constexpr int64_t kSlices[] = {60, 300, 420, kHour};
    spec.slices.slice_s = kSlices[upto(3)];
    spec.slices.target = Decimal{95, -2};
    spec.slices.floor = chance(3) ? upto(50) : 0;
    spec.slices.on_empty = static_cast<OnEmpty>(upto(2));
    for (int64_t n = upto(4); n > 0; --n) {
      ExclusionSpec e;
      e.once.from_s = kT0 + upto(50 * kDay);
      e.once.to_s = e.once.from_s + 1 + upto(chance(2) ? kHour : 2 * kDay);
      if (chance(2)) e.effect = ExclusionEffect::reserve;
      spec.exclusions.push_back(e);
    }
    spec.reserve = Decimal{1 + upto(chance(2) ? 4 : 90), -2};
    return spec;
  }

  void feed(int64_t from_s, int64_t length_s) {
    Batch batch;
    const bool quiet = chance(4), unread = chance(6);
    const int64_t bad_percent = chance(3) ? upto(40) : upto(6);
    for (int64_t t = from_s; t < from_s + length_s; t += 10) {
      const int64_t n = quiet || chance(4) ? 0 : upto(20);
      int64_t bad = 0;
      for (int64_t i = 0; i < n; ++i) bad += upto(99) < bad_percent ? 1 : 0;
      const auto covered = static_cast<uint32_t>(unread ? upto(3) : 10);
      batch.slots.push_back({0, t / 10, n - bad, bad, covered});
      recount_.add(t, n - bad, bad, covered);
    }
    batch.max_event_time = WallTime::from_s(from_s + length_s - 1);
    batch.normalize();
    engine_.apply(batch);
  }

  int check(int64_t now) {
    std::vector<AlertEvent> events;
    engine_.evaluate(WallTime::from_s(now), WallTime::from_s(now), events);
    const SloStatus& s = engine_.status(0);
    int wrong = of(s.window) == recount_.slo_window(now) ? 0 : 1;
    for (const BurnWindow* w : {&s.burn_5m, &s.burn_1h, &s.burn_24h}) {
      if (!(of(w->counts) == recount_.window(now, w->window_s))) ++wrong;
    }
    return wrong;
  }

  std::mt19937_64 random_;
  const SloSpec spec_;
  Recount recount_;
  SloEngine engine_;
};

}  // namespace

TEST_CASE("Slices, exclusions, reserves and calendar months count what a recount counts",
          "[overlays]") {
  const char* const many = std::getenv("NINES_LONG");
  const uint64_t cases = many != nullptr ? 5000 : sizeof(void*) == 4 ? 15 : 150;
  for (uint64_t seed = 1; seed <= cases; ++seed) {
    CAPTURE(seed);
    CHECK(Case(seed).run() == 0);
  }
}
