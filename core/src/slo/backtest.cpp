#include "nines/slo/backtest.hpp"

#include <algorithm>
#include <cmath>

#include "nines/base/contract.hpp"
#include "nines/slo/burn.hpp"
#include "projection.hpp"
#include "ring.hpp"

namespace nines::slo {
namespace {

constexpr size_t kMaxOrigins = 400;

std::optional<double> median(std::vector<double> values) {
  if (values.empty()) return std::nullopt;
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

struct Told {
  bool any = false;  // the method had something to say at this origin
  std::vector<CoursePoint> at;
  std::optional<double> exhausted;  // slots
};

// Per method, while origins are gone through.
struct Tally {
  std::vector<std::vector<double>> errors;                    // by lead
  std::vector<std::vector<std::optional<double>>> by_origin;  // by lead, every origin
  std::vector<size_t> within;
  std::vector<double> time_errors, leads;
  std::optional<size_t> telling_since;  // origin, as number of slots known then
};

class Backtest {
 public:
  Backtest(const ForecastInput& in, bool whole, const ForecastPolicy& policy)
      : policy_(policy),
        past_(past_of(in, budget_of(in.target)->to_double())),
        slots_(in.slots),
        window_(in.window_slots),
        points_(static_cast<size_t>(policy.history_s / in.step_s)),
        leads_(course_leads_in_slots(in.window_slots, in.step_s)) {
    // A window before the SLO is empty: what it says is what the engine said then.
    if (whole) pad_ = window_;
    padded_.assign(pad_, {});
    padded_.insert(padded_.end(), slots_.begin(), slots_.end());
    // What was planned was known before.
    for (const ForecastSlot& slot : slots_) {
      reserved_.push_back(static_cast<uint8_t>(slot.touching));
    }
    find_consumed();
  }

  BacktestReport run();

 private:
  void find_consumed();
  Told told_by(BacktestMethod method, size_t known);
  void judge(BacktestMethod method, size_t known, const Told& told, BacktestResult& out);
  void judge_exhaustion(Tally& tally, size_t known, const Told& told, BacktestResult& out);
  void end_of_budget(size_t at, BacktestReport& report);
  void choose_best(BacktestReport& report) const;
  void summarise(BacktestReport& report);
  Past past_at(size_t known) const;
  double consumed_at(size_t known) const { return consumed_[known - first_known_]; }
  std::optional<size_t> next_exhaustion(size_t known) const;

  const ForecastPolicy& policy_;
  Past past_;
  const std::vector<ForecastSlot>& slots_;
  std::vector<ForecastSlot> padded_;
  std::vector<uint8_t> reserved_;
  size_t window_, points_, pad_ = 0;
  std::vector<size_t> leads_;
  size_t first_known_ = 0;        // slots known at the first window that is whole
  std::vector<double> consumed_;  // by slots known, from first_known_ on
  std::array<Tally, kBacktestMethods> tallies_;
};

void Backtest::find_consumed() {
  first_known_ = pad_ != 0 ? 0 : window_;
  ForecastSlot sum;
  for (size_t i = 0; i < window_; ++i) sum += padded_[i];
  for (size_t end = window_;; ++end) {
    consumed_.push_back(consumed_of(sum, past_));
    if (end == padded_.size()) return;
    sum += padded_[end];
    sum -= padded_[end - window_];
  }
}

Past Backtest::past_at(size_t known) const {
  Past then = past_;
  then.slots = std::span(padded_).first(pad_ + known);
  then.end_s -= static_cast<int64_t>(slots_.size() - known) * past_.step_s;
  then.reserved_ahead = std::span(reserved_).subspan(known);
  return then;
}

Told Backtest::told_by(BacktestMethod method, size_t known) {
  Told told;
  const Past then = past_at(known);
  const double now = consumed_at(known);
  if (method == BacktestMethod::steady) {
    told.any = true;
    for (const size_t lead : leads_) {
      told.at.push_back({static_cast<int64_t>(lead), now, now, now});
    }
    return told;
  }
  std::optional<Season> season;
  if (method == BacktestMethod::seasonal) {
    if (past_.step_s != 3600) return told;
    const int64_t first_hour = floor_div(then.end_s, 3600) - static_cast<int64_t>(known);
    season = Season::learn(std::span(slots_).first(known), first_hour);
    if (!season) return told;
  }
  const Line line = fit(then, points_, season ? &*season : nullptr);
  if (line.n < policy_.min_points || line.n == 0) return told;
  told.any = true;
  if (method == BacktestMethod::pace) {
    const double pace = std::max(0.0, line.mean) / static_cast<double>(window_);
    for (const size_t lead : leads_) {
      const double then_used = now + pace * static_cast<double>(lead);
      told.at.push_back({static_cast<int64_t>(lead), then_used, then_used, then_used});
    }
    if (pace > 0 && now < 1) told.exhausted = (1 - now) / pace;
    return told;
  }
  Course course = project(then, line, season ? &*season : nullptr, leads_.back(), leads_);
  told.at = std::move(course.at);
  told.exhausted = course.exhausted;
  return told;
}

std::optional<size_t> Backtest::next_exhaustion(size_t known) const {
  const size_t last = std::min(slots_.size(), known + leads_.back());
  for (size_t i = known + 1; i <= last; ++i) {
    if (consumed_at(i) >= 1) return i;
  }
  return std::nullopt;
}

void Backtest::judge(BacktestMethod method, size_t known, const Told& told, BacktestResult& out) {
  Tally& tally = tallies_[static_cast<size_t>(method)];
  for (size_t i = 0; i < leads_.size(); ++i) {
    auto& error = tally.by_origin[i].emplace_back();
    if (!told.any || known + leads_[i] > slots_.size()) continue;
    const double actual = consumed_at(known + leads_[i]);
    error = std::abs(told.at[i].consumed - actual);
    tally.errors[i].push_back(*error);
    if (actual >= told.at[i].low && actual <= told.at[i].high) ++tally.within[i];
  }
  if (!told.any) {
    tally.telling_since.reset();
  } else if (consumed_at(known) < 1) {
    judge_exhaustion(tally, known, told, out);
  }
}

void Backtest::judge_exhaustion(Tally& tally, size_t known, const Told& told, BacktestResult& out) {
  const auto horizon = static_cast<double>(leads_.back());
  const bool tells = told.exhausted && *told.exhausted <= horizon;
  if (tells && !tally.telling_since) tally.telling_since = known;
  if (!tells) tally.telling_since.reset();
  const auto actual = next_exhaustion(known);
  // Whether it lasts is known only when the whole lead has passed.
  if (!actual && known + leads_.back() > slots_.size()) return;
  ++out.origins;
  if (tells && actual) {
    ++out.hits;
    tally.time_errors.push_back(std::abs(*told.exhausted - static_cast<double>(*actual - known)));
  } else if (tells) {
    ++out.false_alarms;
  } else if (actual) {
    ++out.misses;
  } else {
    ++out.quiet;
  }
}

void Backtest::end_of_budget(size_t at, BacktestReport& report) {
  ++report.exhaustions;
  for (Tally& tally : tallies_) {
    const size_t lead = tally.telling_since ? at - *tally.telling_since : 0;
    tally.leads.push_back(static_cast<double>(lead));
    tally.telling_since.reset();
  }
}

BacktestReport Backtest::run() {
  BacktestReport report;
  report.step_s = past_.step_s;
  report.history_slots = slots_.size();
  const size_t first = std::max({first_known_, points_, size_t{1}});
  const size_t last = slots_.size() - std::min(slots_.size(), leads_.front());
  size_t every = std::max<size_t>(1, window_ / 120);
  if (last > first) every = std::max(every, (last - first) / kMaxOrigins + 1);
  for (size_t m = 0; m < kBacktestMethods; ++m) {
    report.results[m].method = static_cast<BacktestMethod>(m);
    tallies_[m].errors.resize(leads_.size());
    tallies_[m].by_origin.resize(leads_.size());
    tallies_[m].within.resize(leads_.size());
  }
  const auto time_of = [&](size_t known) { return WallTime::from_s(past_at(known).end_s); };
  if (first <= last) report.first_origin = time_of(first);
  for (size_t known = first; known <= last; ++known) {
    if (known > first && consumed_at(known) >= 1 && consumed_at(known - 1) < 1) {
      end_of_budget(known, report);
    }
    if ((known - first) % every != 0) continue;
    report.last_origin = time_of(known);
    for (BacktestResult& result : report.results) {
      judge(result.method, known, told_by(result.method, known), result);
    }
  }
  choose_best(report);
  summarise(report);
  return report;
}

void Backtest::choose_best(BacktestReport& report) const {
  for (size_t lead = leads_.size(); lead-- > 0 && !report.best;) {
    std::vector<size_t> methods;
    for (size_t m = kBacktestMethods; m-- > 0;) {
      if (!tallies_[m].errors[lead].empty()) methods.push_back(m);
    }
    std::vector<std::vector<double>> errors(kBacktestMethods);
    for (size_t i = 0; i < tallies_[0].by_origin[lead].size(); ++i) {
      const bool all = std::all_of(methods.begin(), methods.end(), [&](size_t m) {
        return tallies_[m].by_origin[lead][i].has_value();
      });
      for (const size_t m : methods) {
        if (all) errors[m].push_back(*tallies_[m].by_origin[lead][i]);
      }
    }
    double least = 0;
    for (const size_t m : methods) {
      const auto error = median(errors[m]);
      if (!error || (report.best && *error >= least)) continue;
      least = *error;
      report.best = static_cast<BacktestMethod>(m);
      report.best_origins = errors[m].size();
      report.best_after_s = static_cast<int64_t>(leads_[lead]) * past_.step_s;
    }
  }
}

void Backtest::summarise(BacktestReport& report) {
  const double step_hours = static_cast<double>(past_.step_s) / 3600;
  const auto hours = [&](std::optional<double> v) {
    return v ? std::optional<double>(*v * step_hours) : std::nullopt;
  };
  for (size_t m = 0; m < kBacktestMethods; ++m) {
    BacktestResult& result = report.results[m];
    Tally& tally = tallies_[m];
    for (size_t i = 0; i < leads_.size(); ++i) {
      BacktestLead& lead = result.leads.emplace_back();
      lead.after_s = static_cast<int64_t>(leads_[i]) * past_.step_s;
      lead.origins = tally.errors[i].size();
      if (m < 2 && lead.origins > 0) {
        lead.within = static_cast<double>(tally.within[i]) / static_cast<double>(lead.origins);
      }
      lead.median_error = median(std::move(tally.errors[i]));
    }
    result.median_time_error_hours = hours(median(std::move(tally.time_errors)));
    result.median_lead_hours = hours(median(std::move(tally.leads)));
  }
}

}  // namespace

std::string_view backtest_name(BacktestMethod method) noexcept {
  static constexpr std::string_view kNames[] = {"regression+expiry", "seasonal+expiry", "pace",
                                                "steady"};
  return kNames[static_cast<size_t>(method)];
}

BacktestReport backtest(const ForecastInput& input, bool whole, const ForecastPolicy& policy) {
  NINES_ASSERT(input.window_slots > 0 && input.step_s > 0);
  if (input.slots.empty() || (!whole && input.slots.size() < input.window_slots)) {
    BacktestReport report;
    report.step_s = input.step_s;
    report.history_slots = input.slots.size();
    for (size_t m = 0; m < kBacktestMethods; ++m) {
      report.results[m].method = static_cast<BacktestMethod>(m);
    }
    return report;
  }
  return Backtest(input, whole, policy).run();
}

}  // namespace nines::slo
