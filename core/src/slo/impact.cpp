#include "nines/slo/impact.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "nines/slo/binomial.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;
constexpr double kNormal95 = 1.959963984540054;
constexpr int64_t kFewEvents = 100;  // of a window: the normal interval is rough below

std::string counts_text(const WindowCounts& w) {
  return std::to_string(w.bad) + " of " + std::to_string(w.total());
}

std::string number_text(double value) {
  char text[32];
  const int n = std::snprintf(text, sizeof text, "%.2g", value);
  return {text, static_cast<size_t>(n)};
}

WindowCounts window_between(const SloEngine& engine, uint32_t slo, int64_t from_s, int64_t to_s) {
  const WallTime end = WallTime::from_s(to_s);
  if (to_s <= from_s) {
    WindowCounts none;
    none.start = none.end = end;
    return none;
  }
  return engine.events(slo, end, to_s - from_s);
}

bool significant(const Comparison& c, double limit) { return c.enough && c.probability < limit; }

bool is_worse(const ReleaseWatch& w, Decimal budget, int64_t min_bad, double limit) {
  const WindowCounts& after = w.just_before.after;
  if (after.bad < min_bad || after.total() == 0 ||
      compare_burn({after.bad, after.total()}, budget, {1, 0}) <= 0) {
    return false;
  }
  const bool one = significant(w.just_before, limit) || significant(w.day_before, limit);
  const auto fine = [&](const Comparison& c) { return !c.enough || significant(c, limit); };
  return one && fine(w.just_before) && fine(w.day_before);
}

std::string watch_text(const ReleaseWatch& w) {
  return "release #" + std::to_string(w.change) + " is " +
         std::string(watch_verdict_name(w.verdict)) + " for " + w.slo + ": " +
         counts_text(w.just_before.after) + " events bad after it, " +
         counts_text(w.just_before.before) + " just before (P " +
         number_text(w.just_before.probability) + "), " + counts_text(w.day_before.before) +
         " at that time of the day before (P " + number_text(w.day_before.probability) + ")";
}

// --- impact

std::optional<double> share(const WindowCounts& w) {
  if (w.total() == 0) return std::nullopt;
  return static_cast<double>(w.bad) / static_cast<double>(w.total());
}

// Agresti and Caffo's: one bad and one good event more, so that no variance is 0 by chance.
double variance(const WindowCounts& w) {
  const double n = static_cast<double>(w.total()) + 2;
  const double p = (static_cast<double>(w.bad) + 1) / n;
  return p * (1 - p) / n;
}

void add(WindowCounts& sum, const WindowCounts& w) {
  sum.good += w.good;
  sum.bad += w.bad;
  sum.covered_s += w.covered_s;
  sum.start = w.start;
  sum.end = w.end;
}

struct Span {
  int64_t from_s, at_s, to_s;
};

bool touches(const Change& c, const std::string& service, const std::string& slo,
             const Span& span) {
  if (c.kind != ChangeKind::deploy && c.kind != ChangeKind::migration) return false;
  if (!(c.service.empty() ? c.slo == slo : c.service == service)) return false;
  const int64_t from_s = c.from == WallTime{} ? c.at.seconds() : c.from.seconds();
  const int64_t to_s = c.to == WallTime{} ? c.at.seconds() : c.to.seconds();
  return from_s < span.to_s && to_s >= span.from_s;
}

ImpactRow row_of(const SloEngine& engine, uint32_t slo, const Span& span) {
  ImpactRow row;
  row.slo = engine.spec(slo).name;
  row.service = engine.spec(slo).service;
  row.before = window_between(engine, slo, span.from_s, span.at_s);
  row.after = window_between(engine, slo, span.at_s, span.to_s);
  row.before_share = share(row.before);
  row.after_share = share(row.after);
  return row;
}

struct Difference {
  std::optional<double> plain, value;
  ShareInterval interval;
  bool adjusted = false;
};

Difference difference_of(const ImpactRow& treated, const WindowCounts& control_before,
                         const WindowCounts& control_after) {
  Difference d;
  if (!treated.before_share || !treated.after_share) return d;
  d.plain = d.value = *treated.after_share - *treated.before_share;
  double spread = variance(treated.before) + variance(treated.after);
  const auto before = share(control_before), after = share(control_after);
  if (before && after) {
    d.adjusted = true;
    d.value = *d.plain - (*after - *before);
    spread += variance(control_before) + variance(control_after);
  }
  const double half = kNormal95 * std::sqrt(spread);
  d.interval = {*d.value - half, *d.value + half};
  return d;
}

bool holds_zero(const ShareInterval& i) { return i.low <= 0 && i.high >= 0; }

void add_count_doubts(Impact& out) {
  const auto few = [&](const char* what, const WindowCounts& w) {
    if (w.total() >= kFewEvents) return;
    out.doubts.push_back("only " + std::to_string(w.total()) + " events " + what +
                         ": the interval is rough");
  };
  few("before", out.treated.before);
  few("after", out.treated.after);
  const auto gaps = [&](const char* what, const WindowCounts& w) {
    const int64_t length_s = w.end.seconds() - w.start.seconds();
    if (w.covered_s * 10 >= length_s * 9) return;
    out.doubts.push_back(std::string("the logs were watched for ") + std::to_string(w.covered_s) +
                         " of " + std::to_string(length_s) + " s " + what);
  };
  gaps("before", out.treated.before);
  gaps("after", out.treated.after);
  if (!out.adjusted) {
    out.doubts.push_back(
        "no untouched service of the same kind had events: what moved all services at once is in "
        "the difference");
  }
  out.doubts.push_back(
      "the interval takes events as independent; failures come in bursts, so the truth is wider");
}

// Had the two moved alike before the change? The same difference, one window earlier.
void add_trend_doubt(const SloEngine& engine, uint32_t slo, const std::vector<uint32_t>& controls,
                     const Span& span, Impact& out) {
  const Span earlier{span.from_s - (span.at_s - span.from_s), span.from_s, span.at_s};
  const ImpactRow treated = row_of(engine, slo, earlier);
  WindowCounts before, after;
  for (const uint32_t control : controls) {
    const ImpactRow row = row_of(engine, control, earlier);
    add(before, row.before);
    add(after, row.after);
  }
  const Difference d = difference_of(treated, before, after);
  if (!d.value || holds_zero(d.interval)) return;
  out.doubts.push_back("the difference was moving before the change already (by " +
                       number_text(*d.value) +
                       " one window earlier): the change may not be its cause");
}

void add_company_doubts(const Change& change, const std::vector<Change>& changes, const Span& span,
                        Impact& out) {
  for (const Change& other : changes) {
    if (other.id == change.id || !touches(other, out.treated.service, out.treated.slo, span)) {
      continue;
    }
    out.doubts.push_back("#" + std::to_string(other.id) + " (" +
                         std::string(change_kind_name(other.kind)) + " at " +
                         format_rfc3339(other.at) + ") touched the same service in these windows");
  }
}

Impact impact_on(const SloEngine& engine, uint32_t slo, const std::vector<uint32_t>& controls,
                 const Span& span, const Change& change, const std::vector<Change>& changes) {
  Impact out;
  out.treated = row_of(engine, slo, span);
  for (const uint32_t control : controls) {
    out.controls.push_back(row_of(engine, control, span));
    add(out.control_before, out.controls.back().before);
    add(out.control_after, out.controls.back().after);
  }
  const Difference d = difference_of(out.treated, out.control_before, out.control_after);
  out.plain_difference = d.plain;
  out.difference = d.value;
  out.interval = d.interval;
  out.adjusted = d.adjusted;
  out.significant = d.value && !holds_zero(d.interval);
  add_count_doubts(out);
  add_trend_doubt(engine, slo, controls, span, out);
  add_company_doubts(change, changes, span, out);
  return out;
}

}  // namespace

std::string_view watch_verdict_name(WatchVerdict verdict) noexcept {
  static constexpr std::string_view kNames[] = {"WATCHING", "OK", "WORSE", "TOO_LITTLE_TRAFFIC"};
  return kNames[static_cast<size_t>(verdict)];
}

Comparison compare_windows(const WindowCounts& before, const WindowCounts& after,
                           int64_t min_events) noexcept {
  Comparison out{before, after, 1, before.total() >= min_events};
  if (before.total() == 0 || after.total() == 0) return out;
  const double share = static_cast<double>(after.total()) /
                       (static_cast<double>(after.total()) + static_cast<double>(before.total()));
  out.probability = binomial_tail(after.bad, before.bad + after.bad, share);
  return out;
}

ReleaseWatch watch_release(const SloEngine& engine, uint32_t slo, const Change& release,
                           WallTime ends, WallTime now, const WatchPolicy& policy) {
  ReleaseWatch out;
  out.change = release.id;
  out.service = engine.spec(slo).service;
  out.slo = engine.spec(slo).name;
  out.released = release.at;
  out.ends = ends;
  out.done = now >= ends;
  const int64_t at_s = release.at.seconds() - ((release.at.seconds() % kSlotS) + kSlotS) % kSlotS;
  const int64_t end_s = std::min(now, ends).seconds();
  const int64_t length_s = std::max<int64_t>(0, (end_s - at_s) / kSlotS * kSlotS);
  const auto window = [&](int64_t to_s) {
    return window_between(engine, slo, to_s - length_s, to_s);
  };
  const WindowCounts after = window(at_s + length_s);
  out.just_before = compare_windows(window(at_s), after, policy.min_events);
  out.day_before = compare_windows(window(at_s - kDayS + length_s), after, policy.min_events);
  const auto budget = budget_of(engine.spec(slo).target);
  const double limit = out.done ? policy.significance : policy.while_watching;
  const bool compared = out.just_before.enough || out.day_before.enough;
  if (is_worse(out, *budget, policy.min_bad, limit)) {
    out.verdict = WatchVerdict::worse;
  } else if (!out.done) {
    out.verdict = WatchVerdict::watching;
  } else {
    out.verdict = after.total() < policy.min_events || !compared ? WatchVerdict::too_little_traffic
                                                                 : WatchVerdict::ok;
  }
  out.text = watch_text(out);
  return out;
}

std::vector<Impact> impact_of(const SloEngine& engine, const Change& change,
                              const std::vector<Change>& changes, WallTime now, int64_t window_s) {
  const int64_t at_s = change.at.seconds() - ((change.at.seconds() % kSlotS) + kSlotS) % kSlotS;
  const int64_t after_s =
      std::clamp<int64_t>((now.seconds() - at_s) / kSlotS * kSlotS, 0, window_s);
  const Span span{at_s - window_s, at_s, at_s + after_s};
  std::vector<uint32_t> treated, untouched;
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i)) continue;
    const SloSpec& spec = engine.spec(i);
    const bool named =
        change.slo.empty() ? spec.service == change.service : spec.name == change.slo;
    const bool touched = std::any_of(changes.begin(), changes.end(), [&](const Change& c) {
      return touches(c, spec.service, spec.name, span);
    });
    if (named) {
      treated.push_back(i);
    } else if (!touched && spec.service != change.service && spec.group_of.empty()) {
      // Rows are in the counts of their SLO.
      untouched.push_back(i);
    }
  }
  std::vector<Impact> out;
  for (const uint32_t slo : treated) {
    std::vector<uint32_t> controls;
    for (const uint32_t other : untouched) {
      const bool alike = engine.spec(other).indicator.kind == engine.spec(slo).indicator.kind;
      if (alike && engine.spec(other).service != engine.spec(slo).service)
        controls.push_back(other);
    }
    out.push_back(impact_on(engine, slo, controls, span, change, changes));
  }
  return out;
}

}  // namespace nines::slo
