// How early the warning of the forecast comes, how often it fails to, and how often it cries wolf:
// random degradations and healthy years of a service with daily and weekly traffic, on a fake
// clock. And what forecasting costs.
//   bench_forecast [degradations of each kind] [healthy years] [seed]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "nines/slo/engine.hpp"

namespace {

using namespace nines;
using namespace nines::slo;

constexpr int64_t kT0 = 1'767'225'600;
constexpr int64_t kStep = 300, kHour = 3600, kDay = 86400;
constexpr double kBudget = 0.001;

SloSpec spec_of(const std::string& name, bool rules) {
  SloSpec spec;
  spec.name = name;
  spec.target = {999, -3};
  if (rules) spec.alerts = default_policy(spec.window_s, spec.target);
  spec.forecast = default_forecast(spec.window_s);
  return spec;
}

double uniform(std::mt19937_64& random, double from, double to) {
  return std::uniform_real_distribution<double>(from, to)(random);
}

// Mean share of the week's peak traffic: nights and week ends are quiet.
double traffic_at(int64_t t) {
  const double hour = static_cast<double>(t % kDay) / kHour;
  const bool weekend = Season::cell_of(t / kHour) >= 5 * 24;
  const double day = 0.55 - 0.45 * std::cos((hour - 3) / 24 * 2 * 3.14159265358979);
  return day * (weekend ? 0.5 : 1);
}

bool busy(int64_t t) { return traffic_at(t) > 0.7; }

enum class Kind { linear, step, peak };
constexpr const char* kNames[] = {"linear growth", "step", "seasonal peak"};

struct Service {
  std::mt19937_64 random;
  double per_slot = 0;  // events at the peak
  double base = 0;      // burn when healthy
  Kind kind = Kind::step;
  int64_t begins_s = INT64_MAX;
  double strength = 0;  // burn reached (step, peak) or grown a day (linear)
  int64_t incident_s = 0, incident_end_s = 0;
  double incident = 0;

  explicit Service(uint64_t seed) : random(seed) {
    per_slot = std::exp(uniform(random, std::log(200), std::log(20'000)));
    base = uniform(random, 0.1, 0.6);
    next_incident(kT0);
  }
  // About two a month, each taking 2 to 15 % of the budget of an average month.
  void next_incident(int64_t after) {
    incident_s = after + static_cast<int64_t>(uniform(random, 2, 28) * kDay);
    const double hours = uniform(random, 0.2, 3);
    incident_end_s = incident_s + static_cast<int64_t>(hours * kHour);
    incident = uniform(random, 0.02, 0.15) * 720 / hours;
  }
  double burn_at(int64_t t) {
    double burn = base;
    if (t >= incident_end_s) next_incident(t);
    if (t >= incident_s) burn += incident;
    if (t < begins_s) return burn;
    const double days = static_cast<double>(t - begins_s) / kDay;
    if (kind == Kind::linear) return burn + strength * days;
    if (kind == Kind::step) return burn + strength;
    return burn + (busy(t) ? strength : 0);
  }
  SlotDelta slot(int64_t t) {
    const double mean = per_slot * traffic_at(t);
    const auto total = std::poisson_distribution<int64_t>(std::max(mean, 0.1))(random);
    const double share = std::min(1.0, burn_at(t) * kBudget);
    const auto bad = total == 0 ? 0 : std::binomial_distribution<int64_t>(total, share)(random);
    return {0, t / kSlotS, total - bad, bad, static_cast<uint32_t>(kStep)};
  }
};

class Run {
 public:
  explicit Run(Service service) : service_(std::move(service)) {
    if (!engine_.add(spec_of("s", false)).ok()) std::abort();
  }
  void step() {
    Batch batch;
    batch.slots.push_back(service_.slot(now_s_));
    batch.max_event_time = WallTime::from_s(now_s_ + kStep - 1);
    engine_.apply(batch);
    now_s_ += kStep;
    const WallTime now = WallTime::from_s(now_s_);
    engine_.evaluate(now, now, events_);
  }
  bool exhausted() const { return engine_.status(0).error_budget_consumed.value_or(0) >= 1; }
  const Forecast& forecast() const { return engine_.status(0).forecast; }
  std::vector<AlertEvent>& events() { return events_; }
  int64_t now_s() const { return now_s_; }

 private:
  Service service_;
  SloEngine engine_;
  std::vector<AlertEvent> events_;
  int64_t now_s_ = kT0;
};

double median(std::vector<double> v) {
  if (v.empty()) return NAN;
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

struct Outcome {
  std::vector<double> leads;  // hours
  size_t missed = 0, withdrawn = 0, lasted = 0;
};

// 45 to 60 healthy days, then the degradation until the budget is gone (60 days at most).
void degrade(Kind kind, uint64_t seed, Outcome& out) {
  Service service(seed);
  const double days = uniform(service.random, 45, 60);
  service.kind = kind;
  service.begins_s = kT0 + static_cast<int64_t>(days * kDay);
  service.strength = kind == Kind::linear ? std::exp(uniform(service.random, -1.6, 1.1))  // .2 to 3
                     : kind == Kind::step ? std::exp(uniform(service.random, 0.7, 3.2))   // 2 to 25
                                          : std::exp(uniform(service.random, 1.1, 3.4));  // 3 to 30
  const int64_t begins_s = service.begins_s;
  Run run(std::move(service));
  while (run.now_s() < begins_s && !run.exhausted()) run.step();
  if (run.exhausted()) return;  // by incidents, or by chance in its first hours: nothing to judge
  run.events().clear();
  bool up = run.forecast().warning;
  int64_t since_s = up ? run.forecast().warning_since.seconds() : 0;
  while (run.now_s() < begins_s + 60 * kDay) {
    run.step();
    const bool gone = run.exhausted();
    for (const AlertEvent& e : run.events()) {
      const bool fired = e.kind == AlertEvent::Kind::fired;
      if (fired) since_s = e.at.seconds();
      if (!fired && !gone) ++out.withdrawn;
      up = fired || (up && gone);
    }
    run.events().clear();
    if (!gone) continue;
    if (up) {
      out.leads.push_back(static_cast<double>(run.now_s() - since_s) / kHour);
    } else {
      ++out.missed;
    }
    return;
  }
  ++out.lasted;
}

void degradations(size_t n, uint64_t seed) {
  std::printf("%-14s %7s %7s %9s %9s %12s %12s %12s\n", "degradation", "budgets", "missed",
              "withdrawn", "lasted", "lead p10 h", "lead p50 h", "lead p90 h");
  for (const Kind kind : {Kind::linear, Kind::step, Kind::peak}) {
    Outcome out;
    for (size_t i = 0; i < n; ++i)
      degrade(kind, seed + 1000 * i + static_cast<uint64_t>(kind), out);
    std::sort(out.leads.begin(), out.leads.end());
    const size_t m = out.leads.size();
    std::printf("%-14s %7zu %7zu %9zu %9zu %12.1f %12.1f %12.1f\n", kNames[static_cast<int>(kind)],
                m + out.missed, out.missed, out.withdrawn, out.lasted,
                m != 0 ? out.leads[m / 10] : NAN, median(out.leads),
                m != 0 ? out.leads[m * 9 / 10] : NAN);
  }
}

// Without incidents every warning is false. With them: one that the end of the budget did not
// follow.
void healthy(size_t years, uint64_t seed, bool incidents) {
  size_t warnings = 0, vain = 0, exhausted = 0;
  for (size_t y = 0; y < years; ++y) {
    Service service(seed + 7919 * (y + 1));
    if (!incidents) service.incident_s = service.incident_end_s = INT64_MAX;
    Run run(std::move(service));
    bool was = false;
    while (run.now_s() < kT0 + 365 * kDay) {
      run.step();
      const bool gone = run.exhausted();
      // In the first hours of a window one bad event can be more than all of them allow.
      if (gone && !was && run.now_s() > kT0 + 2 * kDay) ++exhausted;
      was = gone;
      for (const AlertEvent& e : run.events()) {
        const bool fired = e.kind == AlertEvent::Kind::fired;
        if (fired) ++warnings;
        if (!fired && !gone) ++vain;
      }
      run.events().clear();
    }
  }
  std::printf("%zu healthy years %s: %zu warnings, %zu in vain; budgets exhausted %zu\n", years,
              incidents ? "with incidents" : "without incidents", warnings, vain, exhausted);
}

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// 100 SLOs with 92 days behind them; evaluations five minutes apart make a forecast each, those at
// one instant none.
void cost() {
  constexpr uint32_t kSlos = 100;
  SloEngine engine(kSlos);
  std::mt19937_64 random(1);
  for (uint32_t i = 0; i < kSlos; ++i) {
    if (!engine.add(spec_of("slo-" + std::to_string(i), true)).ok()) std::abort();
    Batch batch;
    Service service(i);
    for (int64_t t = kT0; t < kT0 + 92 * kDay; t += kStep) {
      batch.slots.push_back(service.slot(t));
      batch.slots.back().slo = i;
    }
    engine.apply(batch);
  }
  std::vector<AlertEvent> events;
  const auto run = [&](int64_t step_s, int n) {
    int64_t now_s = kT0 + 92 * kDay;
    const double start = cpu_seconds();
    for (int i = 0; i < n; ++i, now_s += step_s) {
      engine.evaluate(WallTime::from_s(now_s), WallTime::from_s(now_s), events);
    }
    return (cpu_seconds() - start) / n;
  };
  run(kStep, 1);
  const double still = run(0, 100), moving = run(kStep, 48);
  std::printf(
      "100 SLOs: evaluation %.3f ms; with a forecast of each (and the choice of the season "
      "each hour) %.2f ms every 5 min = %.4f %% of a core\n",
      still * 1e3, moving * 1e3, (moving - still) / 300 * 100);
  const double start = cpu_seconds();
  for (uint32_t i = 0; i < kSlos; ++i) (void)engine.backtest(i);
  std::printf("back-test of one SLO over 92 days: %.2f ms\n",
              (cpu_seconds() - start) / kSlos * 1e3);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t n = argc > 1 ? static_cast<size_t>(std::atoll(argv[1])) : 100;
  const size_t years = argc > 2 ? static_cast<size_t>(std::atoll(argv[2])) : 10;
  const uint64_t seed = argc > 3 ? static_cast<uint64_t>(std::atoll(argv[3])) : 1;
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  cost();
  if (n != 0) degradations(n, seed);
  healthy(years, seed, false);
  healthy(years, seed, true);
  return 0;
}
