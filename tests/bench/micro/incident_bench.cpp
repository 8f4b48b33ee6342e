// Cost of finding the template of a message, beside the published Drain.
#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <vector>

#include "drain_reference.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/incident/template_watch.hpp"

namespace {

// Some 60 templates with up to four parameters, some of them names.
std::vector<std::string> make_messages(size_t count) {
  const char* const names[] = {"alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"};
  const char* const verbs[] = {"opened", "closed", "refused", "accepted", "lost", "retried"};
  const char* const things[] = {"session", "connection", "order",  "payment", "message",
                                "lease",   "snapshot",   "volume", "request", "token"};
  std::mt19937 chance(1);
  std::vector<std::string> messages;
  for (size_t i = 0; i < count; ++i) {
    const auto pick = [&](const auto& list) {
      return std::string(list[chance() % std::size(list)]);
    };
    messages.push_back(pick(things) + " " + pick(verbs) + " for user " + pick(names) +
                       " from 10.0." + std::to_string(chance() % 256) + "." +
                       std::to_string(chance() % 256) + ":" + std::to_string(chance() % 65536) +
                       " after " + std::to_string(chance() % 5000) +
                       " ms, id=" + std::to_string(chance()));
  }
  return messages;
}

template <class Miner>
void mine(benchmark::State& state, Miner& miner) {
  const auto messages = make_messages(20000);
  size_t bytes = 0;
  for (const std::string& message : messages) {
    bytes += message.size();
    miner.add(message);
  }
  for (auto _ : state) {
    for (const std::string& message : messages) benchmark::DoNotOptimize(miner.add(message));
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(messages.size()));
  state.SetBytesProcessed(state.iterations() * static_cast<int64_t>(bytes));
}

void template_miner(benchmark::State& state) {
  nines::incident::TemplateMiner miner;
  mine(state, miner);
  const auto stats = miner.stats();
  state.counters["templates"] = static_cast<double>(stats.templates);
  state.counters["KiB"] = static_cast<double>(stats.memory_bytes) / 1024;
}
BENCHMARK(template_miner);

void published_drain(benchmark::State& state) {
  nines::incident::test::Drain drain({{}, 0.5, 4});  // without masks, which cost most
  mine(state, drain);
}
BENCHMARK(published_drain);

constexpr int64_t kStart = 1'767'571'200;

// Two hours of 2,048 templates of 32 services, so that most have a week.
nines::incident::TemplateWatch full_watch() {
  using nines::WallTime;
  nines::incident::TemplateWatch watch;
  for (int64_t s = 0; s < 7200; s += 60) {
    for (uint64_t line = 0; line < 2048; ++line) {
      watch.count("service-" + std::to_string(line % 32), line, line % 8 == 0,
                  WallTime::from_s(kStart + s));
    }
    for (int64_t i = 10; i <= 60; i += 10) watch.advance(WallTime::from_s(kStart + s + i));
  }
  return watch;
}

void watch_count(benchmark::State& state) {
  nines::incident::TemplateWatch watch = full_watch();
  const nines::WallTime now = nines::WallTime::from_s(kStart + 7200);
  const std::string service = "service-7";
  uint64_t line = 7;
  for (auto _ : state) {
    watch.count(service, line, false, now);
    line = (line + 32) % 2048;
  }
  const auto stats = watch.stats();
  state.counters["templates"] = static_cast<double>(stats.templates);
  state.counters["KiB"] = static_cast<double>(stats.memory_bytes) / 1024;
  state.counters["saved_KiB"] = static_cast<double>(watch.save().size()) / 1024;
}
BENCHMARK(watch_count);

// An hour of it: 360 slots, 60 minutes, one hour.
void watch_hour(benchmark::State& state) {
  nines::incident::TemplateWatch watch = full_watch();
  int64_t s = 7200;
  for (auto _ : state) {
    for (int i = 0; i < 360; ++i) watch.advance(nines::WallTime::from_s(kStart + (s += 10)));
  }
}
BENCHMARK(watch_hour)->Unit(benchmark::kMillisecond);

void watch_findings(benchmark::State& state) {
  nines::incident::TemplateWatch watch = full_watch();
  for (auto _ : state) {
    benchmark::DoNotOptimize(watch.findings(nines::WallTime::from_s(kStart + 7080), 3, 0));
  }
}
BENCHMARK(watch_findings)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
