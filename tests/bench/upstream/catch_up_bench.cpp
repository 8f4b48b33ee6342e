// What it costs to tell an engine a day of SLOs: minute by minute, and all at once when it comes
// back after a day. The receiver takes everything at once; a real one is timed by tests/e2e.
//   bench_upstream [SLOs]
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

#include "nines/upstream/sample_sender.hpp"
#include "nines/upstream/slo_samples.hpp"

namespace {

using namespace nines;
using namespace nines::upstream;

constexpr int64_t kT0 = 1'800'000'000 / 86400 * 86400;
constexpr int64_t kDay = 86400, kHistory = 31 * kDay;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

struct World {
  explicit World(int slos) : engine(static_cast<size_t>(slos)), totals(static_cast<size_t>(slos)) {
    for (int i = 0; i < slos; ++i) {
      slo::SloSpec spec;
      spec.name = "service-" + std::to_string(i) + "-availability";
      spec.service = "service-" + std::to_string(i);
      spec.target = {999, -3};
      if (!engine.add(spec).ok()) std::abort();
    }
  }
  // Counts of [from_s, to_s), a batch an hour.
  void run(int64_t from_s, int64_t to_s) {
    for (int64_t hour = from_s; hour < to_s; hour += 3600) {
      slo::Batch batch;
      for (int64_t t = hour; t < std::min(to_s, hour + 3600); t += 10) add(t, batch);
      batch.max_event_time = WallTime::from_s(std::min(to_s, hour + 3600) - 1);
      batch.normalize();
      engine.apply(batch);
    }
  }
  void add(int64_t t, slo::Batch& batch) {
    for (uint32_t i = 0; i < totals.size(); ++i) {
      const auto good = static_cast<int64_t>(random() % 500);
      const auto bad = static_cast<int64_t>(random() % 20 == 0);
      batch.slots.push_back({i, t / 10, good, bad, 10});
      totals[i].good += good;
      totals[i].bad += bad;
    }
  }
  slo::SloEngine engine;
  std::vector<SloTotals> totals;
  std::mt19937_64 random{1};
};

struct Sent {
  uint64_t requests = 0, bytes = 0;
};

SampleSender sender_of(Dialect dialect, const SloSamples& samples, const int64_t& now_s) {
  SampleSenderOptions options;
  options.dialect = dialect;
  return {options,
          [&](int64_t from_s, int64_t to_s) {
            return samples.between(from_s, to_s, WallTime::from_s(now_s));
          },
          [&](int64_t at_s) { return samples.canary(at_s); }, 1};
}

void talk(SampleSender& sender, int64_t now_s, Sent& sent) {
  const WallTime now = WallTime::from_s(now_s);
  sender.known_until(now);
  while (auto request = sender.begin(now, {now_s * kNsPerSecond})) {
    ++sent.requests;
    sent.bytes += request->body.size();
    sender.answered({204, "", {}, now}, now, {now_s * kNsPerSecond});
  }
}

void measure(const char* name, Dialect dialect, int slos) {
  World world(slos);
  int64_t now_s = kT0;
  world.run(kT0 - kHistory, now_s);
  const SloSamples samples(
      world.engine, [&](uint32_t i) { return world.totals[i]; }, "node-1", {}, "bench");
  SampleSender live = sender_of(dialect, samples, now_s), away = live;
  Sent by_minute, at_once;
  talk(live, now_s, by_minute);
  talk(away, now_s, at_once);
  double told_s = 0;
  for (; now_s < kT0 + kDay; now_s += 60) {
    world.run(now_s, now_s + 60);
    const double began = cpu_seconds();
    talk(live, now_s, by_minute);
    told_s += cpu_seconds() - began;
  }
  const double began = cpu_seconds();
  const uint64_t before = away.stats().samples_sent;
  talk(away, now_s, at_once);
  std::printf("%-13s a day, minute by minute: %5llu requests, %6.2f MB, %5.2f CPU s\n", name,
              static_cast<unsigned long long>(by_minute.requests),
              static_cast<double>(by_minute.bytes) / 1e6, told_s);
  std::printf(
      "%-13s a day, all at once:      %5llu requests, %6.2f MB, %5.2f CPU s, %llu samples\n", name,
      static_cast<unsigned long long>(at_once.requests), static_cast<double>(at_once.bytes) / 1e6,
      cpu_seconds() - began, static_cast<unsigned long long>(away.stats().samples_sent - before));
}

}  // namespace

int main(int argc, char** argv) {
  const int slos = argc > 1 ? std::atoi(argv[1]) : 20;
  measure("remote_write", Dialect::remote_write, slos);
  measure("otlp", Dialect::otlp, slos);
}
