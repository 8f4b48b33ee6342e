// What metric engines are told about an SLO, against sums kept beside the engine.
#include "nines/upstream/slo_samples.hpp"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using namespace nines;
using namespace nines::upstream;

namespace {

constexpr int64_t kT0 = 1'800'000'000 / 3600 * 3600;

slo::SloSpec spec_of(const std::string& name) {
  slo::SloSpec spec;
  spec.name = name;
  spec.service = "api";
  spec.target = *Decimal::parse("0.99");
  spec.window_s = 7 * 86400;
  return spec;
}

// Label values of a series by name; "" when absent.
std::string label(const TimeSeries& series, const std::string& name) {
  for (const Label& l : series.labels) {
    if (l.name == name) return l.value;
  }
  return "";
}

const TimeSeries* find(const std::vector<TimeSeries>& all, const std::string& name,
                       const std::string& result = "") {
  for (const TimeSeries& s : all) {
    if (label(s, "__name__") == name && label(s, "result") == result) return &s;
  }
  return nullptr;
}

struct World {
  World() : engine(8) { REQUIRE(engine.add(spec_of("api-availability")).ok()); }
  // Random counts each 10 s until `until_s`; some come late.
  void run(int64_t until_s) {
    std::mt19937 random(3);
    for (; now_s < until_s; now_s += 10) {
      slo::Batch batch;
      const int64_t late_s = random() % 50 == 0 ? 40 : 0;
      const auto failed = static_cast<int64_t>(random() % 10 == 0);
      batch.slots.push_back({0, (now_s - late_s) / 10, 5, failed, 0});
      batch.slots.push_back({0, now_s / 10, 0, 0, 10});
      batch.max_event_time = WallTime::from_s(now_s);
      batch.normalize();
      engine.apply(batch);
      good[now_s - late_s] += 5;
      bad[now_s - late_s] += failed;
      totals.good += 5;
      totals.bad += failed;
    }
  }
  SloSamples samples() {
    return {engine, [this](uint32_t) { return totals; }, "node-1", {{"cluster", "edge"}}, "1.0"};
  }
  // Everything before `at_s` in event time.
  static double before(const std::map<int64_t, int64_t>& counts, int64_t at_s) {
    int64_t sum = 0;
    for (const auto& [t, n] : counts) sum += t < at_s ? n : 0;
    return static_cast<double>(sum);
  }

  slo::SloEngine engine;
  SloTotals totals;
  std::map<int64_t, int64_t> good, bad;
  int64_t now_s = kT0;
};

}  // namespace

TEST_CASE("counters of the past are what was counted until then") {
  World world;
  world.run(kT0 + 5 * 86400);
  const WallTime now = WallTime::from_s(world.now_s);
  const auto all = world.samples().between(kT0, world.now_s + 1, now);
  const TimeSeries* good = find(all, "nines_slo_events_total", "good");
  const TimeSeries* bad = find(all, "nines_slo_events_total", "bad");
  REQUIRE(good != nullptr);
  REQUIRE(bad != nullptr);
  double last = 0;
  int64_t last_s = kT0 - 300;
  for (const Sample& s : good->samples) {
    const int64_t at_s = s.at_ms / 1000;
    CHECK(at_s - last_s == (world.now_s - at_s > 3 * 86400 - 300 ? at_s - last_s : 60));
    last_s = at_s;
    CHECK(s.value >= last);
    last = s.value;
    CHECK(s.value == World::before(world.good, at_s));
  }
  CHECK(last_s == world.now_s);
  for (const Sample& s : bad->samples) CHECK(s.value == World::before(world.bad, s.at_ms / 1000));
  CHECK(bad->samples.back().value == static_cast<double>(world.totals.bad));
}

TEST_CASE("samples of three days are a minute apart, then five minutes, then an hour") {
  World world;
  const SloSamples samples = world.samples();
  CHECK(samples.step_of(1000, 1000) == 60);
  CHECK(samples.step_of(0, 3 * 86400) == 60);
  CHECK(samples.step_of(0, 3 * 86400 + 1) == 300);
  CHECK(samples.step_of(0, 31 * 86400) == 300);
  CHECK(samples.step_of(0, 31 * 86400 + 1) == 3600);
  const SloSamples fine(
      world.engine, [](uint32_t) { return SloTotals{}; }, "n", {}, "1", 10);
  CHECK(fine.step_of(0, 6600) == 10);
  CHECK(fine.step_of(0, 6601) == 60);
}

TEST_CASE("the series bear the names of Sloth and the identity of the node") {
  World world;
  world.run(kT0 + 2 * 86400);
  const int64_t at = world.now_s;
  const auto all = world.samples().between(at, at + 60, WallTime::from_s(at));
  for (const TimeSeries& s : all) {
    CHECK(label(s, "node") == "node-1");
    CHECK(label(s, "job") == "nines");
    CHECK(label(s, "cluster") == "edge");
    CHECK(std::is_sorted(s.labels.begin(), s.labels.end()));
    CHECK(s.samples.size() == 1);
  }
  const TimeSeries* ratio = find(all, "slo:sli_error:ratio_rate1h");
  REQUIRE(ratio != nullptr);
  CHECK(label(*ratio, "sloth_id") == "api-availability");
  CHECK(label(*ratio, "sloth_slo") == "availability");
  CHECK(label(*ratio, "sloth_window") == "1h");
  const auto w = world.engine.window(0, WallTime::from_s(at), 3600);
  const double wanted = static_cast<double>(w.bad) / static_cast<double>(w.good + w.bad);
  CHECK(ratio->samples[0].value == wanted);
  for (const char* name :
       {"slo:objective:ratio", "slo:error_budget:ratio", "sloth_slo_info", "slo:time_period:days",
        "slo:current_burn_rate:ratio", "slo:period_burn_rate:ratio", "slo:sli_error:ratio_rate1w",
        "slo:period_error_budget_remaining:ratio", "nines_slo_coverage_ratio"}) {
    CHECK(find(all, name) != nullptr);
  }
  CHECK(find(all, "slo:time_period:days")->samples[0].value == 7);
  CHECK(find(all, "nines_slo_coverage_ratio")->samples[0].value == 1);
}

TEST_CASE("a ratio without events is absent and the counters stay") {
  World world;
  world.run(kT0 + 60);
  world.now_s += 7200;
  slo::Batch quiet;
  quiet.slots.push_back({0, world.now_s / 10 - 1, 0, 0, 10});
  world.engine.apply(quiet);
  const int64_t at = world.now_s / 60 * 60;
  const auto all = world.samples().between(at, at + 60, WallTime::from_s(at));
  CHECK(find(all, "slo:sli_error:ratio_rate5m") == nullptr);
  CHECK(find(all, "slo:sli_error:ratio_rate1d") != nullptr);
  CHECK(find(all, "nines_slo_events_total", "good")->samples[0].value == 30);
}

TEST_CASE("what was counted of a slot that has not ended belongs to no sample before it") {
  World world;
  world.run(kT0 + 1000);
  for (const int64_t into_slot_s : {1, 4, 9}) {
    const WallTime now = WallTime::from_s(world.now_s - into_slot_s);
    const auto all = world.samples().between(kT0, world.now_s, now);
    for (const Sample& s : find(all, "nines_slo_events_total", "good")->samples) {
      CHECK(s.value == World::before(world.good, s.at_ms / 1000));
    }
  }
}
