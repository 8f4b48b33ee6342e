#include "nines/upstream/slo_samples.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "nines/upstream/sloth.hpp"

namespace nines::upstream {
namespace {

using slo::SloSpec;
using slo::WindowCounts;

constexpr int64_t kDay = 86400;
constexpr int64_t kUsual[] = {300, 1800, 3600, 2 * 3600, 6 * 3600, kDay, 3 * kDay};
// Tiers keep a little more than this (engine.hpp); the rest is for windows that reach further back.
constexpr int64_t kByTenSecondsS = 110 * 60, kByMinuteS = 3 * kDay, kByFiveMinutesS = 31 * kDay;

constexpr int64_t kAheadS = 60;

double ratio(const WindowCounts& w) {
  return static_cast<double>(w.bad) / static_cast<double>(w.total());
}

// Events of a stretch, whatever exclusions say: a counter only grows.
SloTotals all_events(const WindowCounts& w) {
  return {w.good + w.dropped_good, w.bad + w.dropped_bad};
}

class Writer {
 public:
  Writer(const std::vector<Label>& common, std::vector<Label> own, std::vector<TimeSeries>& out)
      : out_(out) {
    base_ = common;
    base_.insert(base_.end(), own.begin(), own.end());
    std::erase_if(base_, [](const Label& label) { return label.value.empty(); });
  }

  template <class Value>  // Value(at_s) -> optional<double>
  void series(std::string name, std::vector<Label> more, const std::vector<int64_t>& times,
              Value value) {
    TimeSeries series;
    for (const int64_t at_s : times) {
      const std::optional<double> v = value(at_s);
      if (v) series.samples.push_back({*v, at_s * 1000});
    }
    if (series.samples.empty()) return;
    series.labels = base_;
    series.labels.push_back({"__name__", std::move(name)});
    series.labels.insert(series.labels.end(), more.begin(), more.end());
    std::sort(series.labels.begin(), series.labels.end());
    out_.push_back(std::move(series));
  }

 private:
  std::vector<Label> base_;
  std::vector<TimeSeries>& out_;
};

// What is asked of the engine for each SLO; kept together to keep the writers below short.
struct Subject {
  const slo::SloEngine& engine;
  uint32_t slo;
  const SloSpec& spec;
  const std::vector<int64_t>& times;

  WindowCounts window(int64_t at_s, int64_t length_s) const {
    return engine.window(slo, WallTime::from_s(at_s), length_s);
  }
  std::optional<double> error_ratio(int64_t at_s, int64_t length_s) const {
    const WindowCounts w = window(at_s, length_s);
    if (w.total() == 0) return std::nullopt;
    return ratio(w);
  }
  double budget() const { return 1 - spec.target.to_double(); }
};

void add_counters(const Subject& s, SloTotals now, WallTime watermark, Writer& out) {
  // The slot that has not ended is in the totals too, and lines of clocks a little ahead.
  const int64_t end_s = (watermark.seconds() + kAheadS) / slo::kSlotS * slo::kSlotS;
  std::vector<SloTotals> at;
  for (const int64_t at_s : s.times) {
    const SloTotals later =
        all_events(s.engine.events(s.slo, WallTime::from_s(end_s), end_s - at_s));
    at.push_back(
        {std::max<int64_t>(0, now.good - later.good), std::max<int64_t>(0, now.bad - later.bad)});
  }
  const auto one = [&](const char* result, auto member) {
    size_t i = 0;
    out.series("nines_slo_events_total", {{"result", result}}, s.times,
               [&](int64_t) { return std::optional(static_cast<double>(at[i++].*member)); });
  };
  one("good", &SloTotals::good);
  one("bad", &SloTotals::bad);
}

void add_coverage(const Subject& s, Writer& out) {
  out.series("nines_slo_coverage_ratio", {}, s.times, [&](int64_t at_s) -> std::optional<double> {
    const WindowCounts w = s.window(at_s, kUsual[0]);
    const int64_t whole_s = w.end.seconds() - w.start.seconds();
    if (whole_s <= 0) return std::nullopt;
    return static_cast<double>(w.covered_s) / static_cast<double>(whole_s);
  });
}

void add_sloth(const Subject& s, const std::string& version, Writer& out) {
  const SloSpec& spec = s.spec;
  std::set<int64_t> windows(std::begin(kUsual), std::end(kUsual));
  windows.insert(spec.window_s);
  for (const int64_t length_s : windows) {
    const std::string name = prometheus_duration(length_s);
    out.series("slo:sli_error:ratio_rate" + name, {{"sloth_window", name}}, s.times,
               [&](int64_t at_s) { return s.error_ratio(at_s, length_s); });
  }
  const auto constant = [&](double value) {
    return [value](int64_t) { return std::optional(value); };
  };
  const auto burn = [&](int64_t length_s, bool remaining) {
    return [&, length_s, remaining](int64_t at_s) -> std::optional<double> {
      const auto error = s.error_ratio(at_s, length_s);
      if (!error) return std::nullopt;
      return remaining ? 1 - *error / s.budget() : *error / s.budget();
    };
  };
  out.series("slo:objective:ratio", {}, s.times, constant(spec.target.to_double()));
  out.series("slo:error_budget:ratio", {}, s.times, constant(s.budget()));
  out.series("slo:time_period:days", {}, s.times,
             constant(static_cast<double>(spec.window_s) / static_cast<double>(kDay)));
  out.series("slo:current_burn_rate:ratio", {}, s.times, burn(kUsual[0], false));
  out.series("slo:period_burn_rate:ratio", {}, s.times, burn(spec.window_s, false));
  out.series("slo:period_error_budget_remaining:ratio", {}, s.times, burn(spec.window_s, true));
  const Decimal percent{spec.target.mantissa, spec.target.exponent + 2};
  out.series("sloth_slo_info",
             {{"sloth_mode", "nines"},
              {"sloth_spec", "openslo/v1"},
              {"sloth_version", version},
              {"sloth_objective", percent.to_string()}},
             s.times, constant(1));
}

}  // namespace

SloSamples::SloSamples(const slo::SloEngine& engine, std::function<SloTotals(uint32_t slo)> totals,
                       std::string node, std::vector<Label> labels, std::string version,
                       int64_t step_s)
    : engine_(engine),
      totals_(std::move(totals)),
      common_(std::move(labels)),
      version_(std::move(version)),
      step_s_(step_s) {
  common_.push_back({"node", node});
  common_.push_back({"instance", std::move(node)});
  common_.push_back({"job", "nines"});
}

int64_t SloSamples::step_of(int64_t at_s, int64_t watermark_s) const {
  const int64_t age_s = watermark_s - at_s;
  if (age_s <= kByTenSecondsS) return step_s_;
  if (age_s <= kByMinuteS) return std::max<int64_t>(step_s_, 60);
  return age_s <= kByFiveMinutesS ? 300 : 3600;
}

TimeSeries SloSamples::canary(int64_t at_s) const {
  std::vector<TimeSeries> out;
  Writer(common_, {}, out).series("nines_canary", {}, {at_s}, [](int64_t) {
    return std::optional(1.0);
  });
  return std::move(out.front());
}

std::vector<TimeSeries> SloSamples::between(int64_t from_s, int64_t to_s,
                                            WallTime watermark) const {
  std::vector<int64_t> times;
  const auto next_after = [&](int64_t at_s) {
    const int64_t step_s = step_of(at_s, watermark.seconds());
    return (at_s / step_s + 1) * step_s;
  };
  const int64_t last_s = std::min(to_s, watermark.seconds() + 1);
  for (int64_t at_s = next_after(from_s - 1); at_s < last_s; at_s = next_after(at_s)) {
    times.push_back(at_s);
  }
  std::vector<TimeSeries> out;
  if (times.empty()) return out;
  for (uint32_t slo = 0; slo < engine_.size(); ++slo) {
    if (engine_.has(slo)) add_slo(slo, times, watermark, out);
  }
  return out;
}

void SloSamples::add_slo(uint32_t slo, const std::vector<int64_t>& times, WallTime watermark,
                         std::vector<TimeSeries>& out) const {
  const SloSpec& spec = engine_.spec(slo);
  if (spec.composite.used()) return;  // judged by its parts, which are told
  const bool row = !spec.group_of.empty();
  const Subject subject{engine_, slo, spec, times};
  Writer own(
      common_,
      {{"slo", row ? spec.group_of : spec.name}, {"service", spec.service}, {"group", spec.group}},
      out);
  add_counters(subject, totals_(slo), watermark, own);
  add_coverage(subject, own);
  const SlothIdentity id = sloth_identity(spec, [&](const std::string& name) {
    for (uint32_t i = 0; i < engine_.size(); ++i) {
      if (!engine_.has(i)) continue;
      if (engine_.spec(i).service == spec.service && engine_.spec(i).name == name) return true;
    }
    return false;
  });
  Writer sloth(common_, {{"sloth_id", id.id}, {"sloth_service", id.service}, {"sloth_slo", id.slo}},
               out);
  add_sloth(subject, version_, sloth);
}

}  // namespace nines::upstream
