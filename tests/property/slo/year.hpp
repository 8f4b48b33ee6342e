// A year of a service on a fake clock: traffic by hour of the day and day of the week, failures by
// chance and by plan, an engine that is evaluated every 10 s while something happens and every
// minute else.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "nines/slo/engine.hpp"

namespace nines::slo::test {

inline constexpr int64_t kMinute = 60, kHour = 3600, kDay = 86400;

// Something that happens to the service, in seconds since the year began.
struct Trouble {
  int64_t from_s = 0, to_s = 0;
  double failing = 1;    // share of events
  bool no_logs = false;  // nobody reads the logs
  bool no_traffic = false;
};

struct YearPlan {
  SloSpec spec;
  double per_hour = 36000;        // mean over the week
  double failing = 0;             // share of events that fail at all times
  bool level = false;             // no days and weeks: the same rate always
  bool certain = false;           // failures by the clock and not by chance
  std::vector<Trouble> troubles;  // ascending
  int64_t days = 365;
  unsigned seed = 1;
};

class Year {
 public:
  static constexpr int64_t kStart = 1'767'571'200;  // Monday 2026-01-05T00:00:00Z

  explicit Year(YearPlan plan) : plan_(std::move(plan)), random_(plan_.seed) {
    index_ = *engine_.add(plan_.spec);
  }

  // Steps of the clock that the watermark makes at a time, seconds.
  void step_clock_at(int64_t at_s, int64_t by_s) { step_at_s_ = at_s, step_by_s_ = by_s; }

  void run() {
    while (now_s_ < plan_.days * kDay) {
      const bool busy = happening();
      Batch batch;
      for (int i = 0; i < (busy ? 1 : 6); ++i) slot(batch);
      batch.max_event_time = WallTime::from_s(kStart + now_s_ - 1);
      engine_.apply(batch);
      evaluate();
    }
  }

  const SloStatus& status() const { return engine_.status(index_); }
  const std::vector<AlertEvent>& events() const { return events_; }
  // "fast:page 2, drift:ticket 1": how often each rule fired.
  std::string fired() const {
    std::map<std::string, int> counts;
    for (const AlertEvent& e : events_) {
      if (e.kind == AlertEvent::Kind::fired) ++counts[e.rule + ":" + e.severity];
    }
    std::string text;
    for (const auto& [rule, n] : counts) {
      text += (text.empty() ? "" : ", ") + rule + " " + std::to_string(n);
    }
    return text;
  }
  // "+fast -fast": transitions in order.
  std::string story() const {
    std::string text;
    for (const AlertEvent& e : events_) {
      text += (text.empty() ? "" : " ") +
              std::string(e.kind == AlertEvent::Kind::fired ? "+" : "-") + e.rule;
    }
    return text;
  }
  // Seconds from `from_s` of the year to the first alert at or after it; -1: none.
  int64_t told_after(int64_t from_s) const {
    for (const AlertEvent& e : events_) {
      const int64_t at_s = e.at.seconds() - kStart;
      if (e.kind == AlertEvent::Kind::fired && at_s >= from_s) return at_s - from_s;
    }
    return -1;
  }

 private:
  const Trouble* trouble() const {
    for (const Trouble& t : plan_.troubles) {
      if (now_s_ >= t.from_s && now_s_ < t.to_s) return &t;
    }
    return nullptr;
  }
  // Now, an hour ago, in a minute; or an alert, or a burn.
  bool happening() const {
    for (const Trouble& t : plan_.troubles) {
      if (now_s_ + kMinute >= t.from_s && now_s_ < t.to_s + kHour) return true;
    }
    return std::any_of(status().rules.begin(), status().rules.end(),
                       [](const RuleState& r) { return r.firing; }) ||
           (plan_.per_hour < 1000 && status().burn_5m.counts.bad > 0);
  }
  double rate() const {  // events in this slot
    const double mean = plan_.per_hour * static_cast<double>(kSlotS) / 3600;
    if (plan_.level) return mean;
    // Tenths of the mean by hour; the weekend has half of the working days' traffic.
    static constexpr int kHours[24] = {3,  2,  2,  1,  1,  2,  4,  8,  12, 15, 16, 17,
                                       17, 16, 16, 16, 15, 14, 13, 13, 13, 12, 9,  3};
    const double day = (now_s_ / kDay) % 7 >= 5 ? 7.0 / 12 : 14.0 / 12;
    return mean * kHours[now_s_ % kDay / kHour] / 10 * day;
  }
  double uniform() { return static_cast<double>(random_() >> 11) / 9007199254740992.0; }
  int64_t binomial(int64_t n, double p) {
    if (plan_.certain) {
      owed_ += static_cast<double>(n) * p;
      const auto whole = static_cast<int64_t>(owed_);
      owed_ -= static_cast<double>(whole);
      return whole;
    }
    if (p <= 0) return 0;
    if (p >= 1) return n;
    int64_t hits = 0;
    for (; n > 0; n -= 64) hits += binomial_of_few(std::min<int64_t>(n, 64), p);
    return hits;
  }
  // By inversion, with + - * / only: the same everywhere.
  int64_t binomial_of_few(int64_t n, double p) {
    double chance = none_of(n, p);
    double u = uniform();
    int64_t k = 0;
    while (u > chance && k < n) {
      u -= chance;
      chance *= static_cast<double>(n - k) / static_cast<double>(k + 1) * p / (1 - p);
      ++k;
    }
    return k;
  }
  double none_of(int64_t n, double p) {
    double& none = none_[{n, p}];
    if (none != 0) return none;
    none = 1;
    for (int64_t i = 0; i < n; ++i) none *= 1 - p;
    return none;
  }
  int64_t arrivals(double mean) {
    const auto whole = static_cast<int64_t>(mean);
    const double rest = mean - static_cast<double>(whole);
    return whole + (plan_.certain ? binomial_certain(rest) : (uniform() < rest ? 1 : 0));
  }
  int64_t binomial_certain(double rest) {
    coming_ += rest;
    const auto whole = static_cast<int64_t>(coming_);
    coming_ -= static_cast<double>(whole);
    return whole;
  }
  void slot(Batch& batch) {
    const Trouble* t = trouble();
    if (t == nullptr || !t->no_logs) {
      const int64_t n = t != nullptr && t->no_traffic ? 0 : arrivals(rate());
      const int64_t bad = binomial(n, t != nullptr && !t->no_traffic ? t->failing : plan_.failing);
      batch.slots.push_back({index_, (kStart + now_s_) / kSlotS, n - bad, bad, kSlotS});
    }
    now_s_ += kSlotS;
  }
  void evaluate() {
    int64_t at_s = kStart + now_s_;
    if (step_by_s_ != 0 && now_s_ >= step_at_s_ && now_s_ < step_at_s_ + kHour) at_s += step_by_s_;
    engine_.evaluate(WallTime::from_s(at_s), WallTime::from_s(at_s), events_);
  }

  YearPlan plan_;
  std::mt19937_64 random_;
  SloEngine engine_;
  uint32_t index_ = 0;
  int64_t now_s_ = 0, step_at_s_ = 0, step_by_s_ = 0;
  double owed_ = 0, coming_ = 0;
  std::map<std::pair<int64_t, double>, double> none_;  // chance that none of n fails
  std::vector<AlertEvent> events_;
};

}  // namespace nines::slo::test
