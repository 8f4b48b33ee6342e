#include "nines/collector/governor.hpp"

#include <catch2/catch.hpp>
#include <functional>
#include <vector>

using namespace nines;
using namespace nines::collector;

namespace {

constexpr int64_t kMs = kNsPerMs;

// A reading thread with more to read than it ever can: costs, pressure and time are scripted.
struct Simulation {
  explicit Simulation(GovernorOptions options) : governor(options) {}

  Governor governor;
  int64_t now = 1, cpu = 0, bytes = 0;
  int64_t ns_per_kib = 2000;  // 0.5 GB/s
  std::function<Pressure(int64_t now_ms)> pressure = [](int64_t) { return Pressure{}; };
  std::vector<int64_t> turns_ms;
  std::vector<std::string> reasons;
  uint64_t looks = 0, rounds = 0;

  void run_ms(int64_t ms, bool backlog = true) {
    for (const int64_t end = now + ms * kMs; now < end; ++rounds) {
      if (governor.wants_pressure({now}, backlog)) look();
      const Governor::Grant grant = governor.next({now}, cpu);
      if (grant.pause_until.ns > now) {
        now = grant.pause_until.ns;
      } else if (!backlog) {
        now += 50 * kMs;
      } else {
        read(grant.bytes);
      }
    }
  }
  void look() {
    ++looks;
    const bool before = governor.stats().backing_off;
    governor.note_pressure({now}, pressure(now / kMs));
    if (governor.stats().backing_off != before) turns_ms.push_back(now / kMs);
    const std::string& reason = governor.stats().reason;
    if (reasons.empty() ? !reason.empty() : reasons.back() != reason) reasons.push_back(reason);
  }
  void read(size_t granted) {
    const int64_t cost = static_cast<int64_t>(granted) * ns_per_kib / 1024 + 1000;
    now += cost;
    cpu += cost;
    bytes += static_cast<int64_t>(granted);
    governor.spent(granted);
  }
};

Pressure io(int32_t percent) { return {std::nullopt, std::nullopt, percent * 100}; }

}  // namespace

TEST_CASE("The governor keeps the CPU budget within 5 %", "[governor]") {
  for (const int32_t permille : {20, 100, 500, 900}) {
    for (const int64_t ns_per_kib : {500, 2000, 50'000}) {
      GovernorOptions options;
      options.cpu_permille = permille;
      Simulation sim(options);
      sim.ns_per_kib = ns_per_kib;
      sim.run_ms(60'000);
      const int64_t from_cpu = sim.cpu, from = sim.now;
      sim.run_ms(600'000);
      const double share =
          static_cast<double>(sim.cpu - from_cpu) / static_cast<double>(sim.now - from);
      INFO(permille << " permille, " << ns_per_kib << " ns a KiB: " << share);
      CHECK(share * 1000 == Approx(permille).epsilon(0.05));
    }
  }
}

TEST_CASE("The governor saves up no more than a burst while there is nothing to read",
          "[governor]") {
  GovernorOptions options;
  options.cpu_permille = 100;
  options.burst_ms = 300;
  Simulation sim(options);
  sim.run_ms(3'600'000, false);
  CHECK(sim.looks == 0);  // nobody is woken to look at pressure
  CHECK(sim.governor.stats().cpu_pauses == 0);
  const int64_t from = sim.cpu;
  sim.run_ms(1000);
  CHECK(sim.cpu - from <= (300 + 100 + 10) * kMs);
}

TEST_CASE("Without a budget the governor never pauses for CPU time", "[governor]") {
  GovernorOptions options;
  options.cpu_permille = 0;
  Simulation sim(options);
  sim.run_ms(10'000);
  CHECK(sim.cpu >= 9'990 * kMs);
  CHECK(sim.governor.stats().paused_ms == 0);
}

TEST_CASE("Under pressure the governor slows to the trickle, says why, and recovers",
          "[governor]") {
  GovernorOptions options;
  options.trickle_bytes_per_s = 256 * 1024;
  Simulation sim(options);
  sim.pressure = [](int64_t ms) { return io(ms > 20'000 && ms < 80'000 ? 43 : 5); };
  sim.run_ms(30'000);
  CHECK(sim.governor.stats().backing_off);
  CHECK(sim.governor.stats().reason == "io pressure 43 % > 30 %");
  const int64_t from = sim.bytes, at = sim.now;
  sim.run_ms(40'000);
  const double rate =
      static_cast<double>(sim.bytes - from) * 1e9 / static_cast<double>(sim.now - at);
  CHECK(rate == Approx(256.0 * 1024).epsilon(0.05));
  sim.run_ms(30'000);
  CHECK_FALSE(sim.governor.stats().backing_off);
  CHECK(sim.governor.stats().reason.empty());
  CHECK(sim.governor.stats().back_offs == 1);
  CHECK(sim.governor.stats().backed_off_ms == Approx(60'000).margin(4'000));
  CHECK(sim.turns_ms.size() == 2);
}

TEST_CASE("The governor leaves a back-off well below where it entered it", "[governor]") {
  Simulation sim{GovernorOptions{}};
  int32_t percent = 31;
  sim.pressure = [&](int64_t) { return io(percent); };
  sim.run_ms(30'000);
  REQUIRE(sim.governor.stats().backing_off);
  percent = 16;
  sim.run_ms(60'000);
  CHECK(sim.governor.stats().backing_off);
  CHECK(sim.governor.stats().reason == "io pressure 16 % > 15 %");
  percent = 15;
  sim.run_ms(10'000);
  CHECK_FALSE(sim.governor.stats().backing_off);
}

TEST_CASE("However the pressure swings, the governor turns no faster than declared", "[governor]") {
  for (const int64_t period_ms : {3000, 7000, 13'000, 40'000}) {
    GovernorOptions options;
    options.hold_ms = 10'000;
    Simulation sim(options);
    sim.pressure = [&](int64_t ms) { return io(ms / period_ms % 2 == 0 ? 90 : 0); };
    sim.run_ms(600'000);
    REQUIRE(sim.turns_ms.size() >= 2);
    for (size_t i = 1; i < sim.turns_ms.size(); ++i) {
      CHECK(sim.turns_ms[i] - sim.turns_ms[i - 1] >= 10'000);
    }
    CHECK(sim.governor.stats().back_offs <= 600'000 / 20'000 + 1);
  }
}

TEST_CASE("The governor never slows below the declared minimum", "[governor]") {
  GovernorOptions options;
  options.trickle_bytes_per_s = 0;
  Simulation sim(options);
  sim.pressure = [](int64_t) { return Pressure{9900, 9900, 9900}; };
  sim.run_ms(10'000);
  const int64_t from = sim.bytes, at = sim.now;
  sim.run_ms(60'000);
  CHECK(static_cast<double>(sim.bytes - from) * 1e9 / static_cast<double>(sim.now - at) ==
        Approx(double{kMinTrickle}).epsilon(0.05));
  CHECK(sim.governor.stats().reason ==
        "memory pressure 99 % > 10 %, io pressure 99 % > 30 %, cpu pressure 99 % > 60 %");
}

TEST_CASE("A reader that asks all the time gets its trickle all the same", "[governor]") {
  Governor governor{GovernorOptions{}};
  governor.note_pressure({1}, io(80));
  int64_t bytes = 0;
  for (int64_t now = 1; now < 4 * kNsPerSecond; now += 700) {
    const Governor::Grant grant = governor.next({now}, 0);
    if (grant.pause_until.ns > now) continue;
    bytes += static_cast<int64_t>(grant.bytes);
    governor.spent(grant.bytes);
  }
  CHECK(static_cast<double>(bytes) == Approx(4.0 * 512 * 1024).epsilon(0.1));
}

TEST_CASE("A trickle costs few wake-ups and pressure is looked at every few seconds",
          "[governor]") {
  Simulation sim{GovernorOptions{}};
  sim.pressure = [](int64_t) { return io(80); };
  sim.run_ms(10'000);
  const uint64_t rounds = sim.rounds, looks = sim.looks;
  sim.run_ms(60'000);
  CHECK(sim.rounds - rounds <= 60 * 8 + 10);
  CHECK(sim.looks - looks <= 31);
}

TEST_CASE("A kernel without PSI is never a reason to back off, nor is a limit of 0", "[governor]") {
  GovernorOptions options;
  options.io_percent = 0;
  Simulation sim(options);
  sim.pressure = [](int64_t) { return io(100); };
  sim.run_ms(60'000);
  CHECK(sim.governor.stats().back_offs == 0);
  sim.pressure = [](int64_t) { return Pressure{}; };
  sim.run_ms(60'000);
  CHECK(sim.governor.stats().back_offs == 0);
  CHECK_FALSE(read_pressure("/nonexistent").io.has_value());
}

TEST_CASE("Pressure is read as the kernel writes it", "[governor]") {
  CHECK(parse_pressure("some avg10=43.07 avg60=2.11 avg300=4.05 total=3273206225\nfull ...") ==
        4307);
  CHECK(parse_pressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n") == 0);
  CHECK(parse_pressure("some avg10=100.00 avg60=0.00\n") == 10'000);
  for (const char* text : {"", "full avg10=1.00", "some avg10=", "some avg10=1", "some avg10=1.",
                           "some avg10=1.2", "some avg10=-1.00", "some avg10=101.00"}) {
    INFO(text);
    CHECK_FALSE(parse_pressure(text).has_value());
  }
}
