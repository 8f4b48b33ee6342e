// Evaluation has to stay far below a millisecond for 100 SLOs: it runs every 10 s on a Pi.
#include <benchmark/benchmark.h>

#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nines/slo/binomial.hpp"
#include "nines/slo/engine.hpp"
#include "nines/slo/sketch.hpp"

namespace {

using namespace nines;
using namespace nines::slo;

constexpr int64_t kT0 = 1'767'225'600;

// `slos` SLOs with 31 days of counts in every slot and the default rules; bad_share in permille.
std::unique_ptr<SloEngine> filled(uint32_t slos, int64_t bad_permille) {
  auto engine = std::make_unique<SloEngine>(slos);
  for (uint32_t i = 0; i < slos; ++i) {
    SloSpec spec;
    spec.name = "slo-" + std::to_string(i);
    spec.target = {999, -3};
    spec.alerts = default_policy(spec.window_s, spec.target);
    if (!engine->add(spec).ok()) std::abort();
    Batch batch;
    for (int64_t t = 0; t < 31 * 86400; t += 10) {
      batch.slots.push_back({i, (kT0 + t) / 10, 1000 - bad_permille, bad_permille, 10});
    }
    engine->apply(batch);
  }
  return engine;
}

void evaluate(benchmark::State& state) {
  const auto engine = filled(static_cast<uint32_t>(state.range(0)), state.range(1));
  std::vector<AlertEvent> events;
  // Time stands still, or the windows would soon be empty.
  const int64_t now_s = kT0 + 31 * 86400;
  for (auto _ : state) {
    engine->evaluate(WallTime::from_s(now_s), WallTime::from_s(now_s), events);
    events.clear();
    benchmark::DoNotOptimize(engine->status(0));
  }
}
BENCHMARK(evaluate)->Args({1, 0})->Args({100, 0})->Args({100, 30})->Unit(benchmark::kMicrosecond);

// A whole day of ticks of 10 s, each counted and evaluated: forecasts, seasons and the rings'
// upkeep come as often as in an agent. percent_of_core is what a real day of it would take.
enum Kind : int64_t { kPlain, kSlices, kOverlays };

SloSpec day_spec(uint32_t i, int64_t kind) {
  SloSpec spec;
  spec.name = "slo-" + std::to_string(i);
  spec.target = {999, -3};
  spec.alerts = default_policy(spec.window_s, spec.target);
  spec.alerts.rules.push_back(
      {"half", "warning", spec.window_s, spec.window_s, {5, -1}, RuleKind::budget, 300});
  spec.forecast = default_forecast(spec.window_s);
  if (kind == kSlices) spec.budgeting = Budgeting::timeslices;
  if (kind != kOverlays) return spec;
  Recurrence::Start start;
  start.second_of_day = 3 * 3600;
  start.duration_s = 1800;
  ExclusionSpec weekly;
  weekly.name = "weekly";
  weekly.rule =
      std::make_shared<const Recurrence>(*Recurrence::parse("FREQ=WEEKLY;BYDAY=SU", start));
  ExclusionSpec move = weekly;
  move.name = "move";
  move.effect = ExclusionEffect::reserve;
  move.rule = std::make_shared<const Recurrence>(*Recurrence::parse("FREQ=WEEKLY;BYDAY=WE", start));
  spec.exclusions = {weekly, move};
  spec.reserve = {2, -1};
  return spec;
}

void day(benchmark::State& state) {
  const auto slos = static_cast<uint32_t>(state.range(0));
  SloEngine engine(slos);
  for (uint32_t i = 0; i < slos; ++i) {
    if (!engine.add(day_spec(i, state.range(1))).ok()) std::abort();
  }
  const auto slots = [&](int64_t from_s, int64_t to_s) {
    Batch batch;
    for (uint32_t i = 0; i < slos; ++i) {
      for (int64_t t = from_s; t < to_s; t += 10) {
        batch.slots.push_back({i, t / 10, 1000 + t / 10 % 97, t % 130 == 0 ? 1 : 0, 10});
      }
    }
    batch.max_event_time = WallTime::from_s(to_s - 1);
    return batch;
  };
  std::vector<AlertEvent> events;
  for (auto _ : state) {
    state.PauseTiming();
    int64_t now_s = kT0;
    for (; now_s < kT0 + 30 * 86400; now_s += 3600) engine.apply(slots(now_s, now_s + 3600));
    state.ResumeTiming();
    for (const int64_t end_s = now_s + 86400; now_s < end_s;) {
      engine.apply(slots(now_s, now_s + 10));
      now_s += 10;
      engine.evaluate(WallTime::from_s(now_s), WallTime::from_s(now_s), events);
    }
  }
  state.counters["percent_of_core"] =
      benchmark::Counter(86400.0 / 100, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["MiB"] = static_cast<double>(engine.memory_bytes()) / 1048576;
}
BENCHMARK(day)
    ->ArgNames({"slos", "kind"})
    ->Args({100, kPlain})
    ->Args({100, kSlices})
    ->Args({100, kOverlays})
    ->Iterations(1)
    ->Unit(benchmark::kMillisecond);

void apply_slot(benchmark::State& state) {
  const auto engine = filled(1, 0);
  Batch batch;
  batch.slots.push_back({0, (kT0 + 31 * 86400) / 10, 5, 1, 1});
  for (auto _ : state) engine->apply(batch);
}
BENCHMARK(apply_slot);

void index_of_value(benchmark::State& state) {
  std::mt19937_64 random(1);
  std::lognormal_distribution<double> latency(4, 1);
  std::vector<double> values(4096);
  for (double& v : values) v = latency(random);
  size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(sketch_index(values[i++ & 4095]));
}
BENCHMARK(index_of_value);

void guard(benchmark::State& state) {
  for (auto _ : state)
    benchmark::DoNotOptimize(binomial_tail(state.range(0), state.range(1), 0.001));
}
BENCHMARK(guard)->Args({5, 600})->Args({36'000, 2'000'000})->Args({1'000'100, 1'000'000'000});

}  // namespace

BENCHMARK_MAIN();
