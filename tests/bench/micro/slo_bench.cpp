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
