#include "alerts.hpp"

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>

#include "nines/slo/binomial.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {
namespace {

constexpr double kCalmByChance = 0.01;

// A guard's chance is that of a tenth of the SLO window.
double share_of_span(int64_t long_s, int64_t window_s) {
  return std::min(1.0, 10 * static_cast<double>(long_s) / static_cast<double>(window_s));
}

// What a rule compares: of the budget all that is spent, of the pace what was bad.
Ratio ratio_of(const AlertRule& rule, const WindowCounts& c) {
  return rule.kind == RuleKind::budget ? c.spent() : Ratio{c.bad, c.total()};
}

// Of whole events or slices, rounded down, as chance counts them.
Ratio whole(Ratio r, int64_t scale) { return {r.bad / scale, r.total / scale}; }

std::string units(int64_t n, int64_t scale) {
  if (scale == 1) return std::to_string(n);
  char text[64];
  const int size =
      std::snprintf(text, sizeof text, "%.2f", static_cast<double>(n) / static_cast<double>(scale));
  return {text, static_cast<size_t>(size)};
}

std::string bad_of_total(const BurnWindow& w, bool slices) {
  const WindowCounts& c = w.counts;
  return units(c.bad, c.scale) + " of " + units(c.total(), c.scale) +
         (slices ? " time slices" : " events") + " bad in " + format_duration_s(w.window_s);
}

bool in_slices(const SloStatus& status) { return status.budgeting != Budgeting::occurrences; }

std::string decimals(double value, int places) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "%.*f", places, value);
  return {text, static_cast<size_t>(n)};
}

// "web has used 92.3 % of its 30d error budget: 923 of 1000000 events bad"
std::string used(const SloStatus& status, const RuleState& rule) {
  return decimals(100 * rule.long_window.burn.value_or(0), 1) + " % of its " +
         format_duration_s(status.window_s) +
         " error budget: " + bad_of_total(rule.long_window, in_slices(status)) + " (rule " +
         rule.rule.name + ", " + rule.rule.severity + " above " +
         decimals(100 * rule.rule.factor.to_double(), 1) + " %).";
}

std::string percent(double share) {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "%.6g %%", 100 * share);
  return {text, static_cast<size_t>(n)};
}

// "99.31 % good: 69 of 10000 events bad in 5m (rule early, warning below 99.5 %); 12.0 % of..."
std::string level(const SloStatus& status, const RuleState& rule) {
  const WindowCounts& c = rule.long_window.counts;
  return percent(static_cast<double>(c.good) / static_cast<double>(c.total())) +
         " good: " + bad_of_total(rule.long_window, in_slices(status)) + " (rule " +
         rule.rule.name + ", " + rule.rule.severity + " below " +
         percent(rule.rule.factor.to_double()) + "); " +
         decimals(100 * status.error_budget_consumed.value_or(0), 1) + " % of the " +
         format_duration_s(status.window_s) + " budget is used.";
}

std::string fired_summary(const SloStatus& status, const RuleState& rule) {
  if (rule.rule.kind == RuleKind::budget) return status.slo + " has used " + used(status, rule);
  if (rule.rule.kind == RuleKind::threshold)
    return status.slo + " is down to " + level(status, rule);
  return status.slo + " burns its error budget " + decimals(rule.long_window.burn.value_or(0), 1) +
         " times as fast as it may: " + bad_of_total(rule.long_window, in_slices(status)) + ", " +
         bad_of_total(rule.short_window, in_slices(status)) + " (rule " + rule.rule.name + ", " +
         rule.rule.severity + " above " + rule.rule.factor.to_string() + "); " +
         decimals(100 * status.error_budget_consumed.value_or(0), 1) + " % of the " +
         format_duration_s(status.window_s) + " budget is used.";
}

// For people: "50 s", "24 min 10 s", "2 h 5 min", "3 d 4 h".
std::string lasted(int64_t s) {
  struct Unit {
    int64_t seconds;
    const char* name;
  };
  static constexpr Unit kUnits[] = {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}};
  size_t first = 0;
  while (kUnits[first].seconds > std::max<int64_t>(s, 1)) ++first;
  std::string out = std::to_string(s / kUnits[first].seconds) + kUnits[first].name;
  if (first + 1 == std::size(kUnits)) return out;
  const int64_t rest = s % kUnits[first].seconds / kUnits[first + 1].seconds;
  return rest == 0 ? out : out + " " + std::to_string(rest) + kUnits[first + 1].name;
}

std::string resolved_summary(const SloStatus& status, const RuleState& rule, int64_t lasted_s) {
  if (rule.rule.kind == RuleKind::budget) {
    return status.slo + " has recovered after " + lasted(lasted_s) + " and uses " +
           used(status, rule);
  }
  if (rule.rule.kind == RuleKind::threshold) {
    return status.slo + " has recovered after " + lasted(lasted_s) + " to " + level(status, rule);
  }
  return status.slo + " has recovered after " + lasted(lasted_s) + ": " +
         bad_of_total(rule.short_window, in_slices(status)) + " (rule " + rule.rule.name + ", " +
         rule.rule.severity + " above " + rule.rule.factor.to_string() + "); " +
         decimals(100 * status.error_budget_consumed.value_or(0), 1) + " % of the " +
         format_duration_s(status.window_s) + " budget is used.";
}

bool more_urgent(const AlertRule& a, const AlertRule& b) {
  if (a.kind != b.kind) return a.kind < b.kind;
  if (a.kind == RuleKind::budget) return a.factor > b.factor;
  const int ra = severity_rank(a.severity), rb = severity_rank(b.severity);
  if (ra != rb) return ra < rb;
  return a.kind == RuleKind::burn ? a.long_s < b.long_s : a.factor < b.factor;
}

}  // namespace

AlertBook::AlertBook(const SloSpec& spec, Decimal budget)
    : spec_(spec),
      budget_(budget),
      significance_(spec.alerts.significance.to_double()),
      by_urgency_(spec.alerts.rules.size()),
      memory_(spec.alerts.rules.size()) {
  const std::vector<AlertRule>& rules = spec.alerts.rules;
  std::iota(by_urgency_.begin(), by_urgency_.end(), size_t{0});
  std::stable_sort(by_urgency_.begin(), by_urgency_.end(),
                   [&](size_t a, size_t b) { return more_urgent(rules[a], rules[b]); });
  for (const AlertRule& rule : rules) {
    // add() has checked that these exist.
    const bool level = rule.kind == RuleKind::threshold;
    const Decimal enter = level ? Decimal{1, 0} : rule.factor;
    limits_.push_back({level ? *budget_of(rule.factor) : budget, enter,
                       *multiply(enter, spec.alerts.resolve_ratio)});
  }
}

bool AlertBook::exceeds(size_t index, const BurnWindow& window) const {
  const Ratio r = ratio_of(spec_.alerts.rules[index], window.counts);
  return r.total > 0 && compare_burn(r, limits_[index].budget, limits_[index].enter) > 0;
}

bool AlertBook::significant(size_t index, RuleState& rule) const {
  const WindowCounts& counts = rule.long_window.counts;
  const Ratio r = whole(ratio_of(rule.rule, counts), counts.scale);
  rule.probability = binomial_tail(r.bad, r.total, budget_.to_double());
  if (spec_.alerts.high_value) return true;
  if (r.bad < spec_.alerts.min_bad) return false;
  if (*rule.probability < significance_ * share_of_span(rule.rule.long_s, spec_.window_s))
    return true;
  // Of so many events the share is a number of events that means something.
  return rule.rule.kind != RuleKind::burn &&
         compare_burn({spec_.alerts.min_bad, r.total}, limits_[index].budget,
                      limits_[index].enter) <= 0;
}

// A calm short window of little traffic is an accident of what it saw: then the long one must be
// calm as well.
bool AlertBook::believable(size_t index, const RuleState& rule) const {
  const WindowCounts& counts = rule.short_window.counts;
  const Ratio seen = whole(ratio_of(rule.rule, counts), counts.scale);
  const double burning = limits_[index].enter.to_double() * budget_.to_double();
  if (burning >= 1 || (seen.bad < seen.total &&
                       binomial_tail(seen.bad + 1, seen.total, burning) > 1 - kCalmByChance)) {
    return true;
  }
  const Ratio longer = ratio_of(rule.rule, rule.long_window.counts);
  return longer.total == 0 ||
         compare_burn(longer, limits_[index].budget, limits_[index].leave) <= 0;
}

bool AlertBook::inhibited(size_t urgency, WallTime end) const {
  const AlertRule& mine = spec_.alerts.rules[by_urgency_[urgency]];
  for (size_t i = 0; i < by_urgency_.size(); ++i) {
    const AlertRule& rule = spec_.alerts.rules[by_urgency_[i]];
    if (i == urgency || rule.kind != mine.kind) continue;
    const Memory& other = memory_[by_urgency_[i]];
    if (mine.kind != RuleKind::burn) {
      if (i < urgency && other.firing) return true;
      continue;
    }
    const bool same_severity = rule.severity == mine.severity;
    if (other.firing && (i < urgency || same_severity)) return true;
    const bool just_resolved = other.last_resolved != WallTime{} && other.last_resolved <= end &&
                               end.ns - other.last_resolved.ns < mine.short_s * kNsPerSecond;
    if (i < urgency && just_resolved) return true;
  }
  return false;
}

void AlertBook::resolve_when_calm(Memory& memory, const RuleState& rule, WallTime end,
                                  const SloStatus& status, std::vector<AlertEvent>& transitions) {
  const bool burns = rule.rule.kind == RuleKind::burn;
  const Ratio r = ratio_of(rule.rule, burns ? rule.short_window.counts : rule.long_window.counts);
  if (r.total == 0) return;
  const size_t index = static_cast<size_t>(&memory - memory_.data());
  if (compare_burn(r, limits_[index].budget, limits_[index].leave) > 0 ||
      (burns && !believable(index, rule))) {
    memory.calm = 0;
    memory.calm_at = {};
    return;
  }
  // Evaluating the same windows twice tells nothing new.
  if (end == memory.calm_at) return;
  memory.calm_at = end;
  if (++memory.calm < spec_.alerts.resolve_evaluations) return;
  const int64_t lasted_s = (end.ns - memory.since.ns) / kNsPerSecond;
  transitions.push_back({AlertEvent::Kind::resolved, spec_.name, spec_.service, rule.rule.name,
                         rule.rule.severity, end, memory.since,
                         resolved_summary(status, rule, lasted_s), 0, 0,
                         priority_of(rule.rule.severity, spec_.tier)});
  memory = {false, 0, {}, end, {}};
}

void AlertBook::step(size_t urgency, RuleState& rule, WallTime end, const SloStatus& status,
                     std::vector<AlertEvent>& transitions) {
  const size_t index = by_urgency_[urgency];
  Memory& memory = memory_[index];
  rule.inhibited = inhibited(urgency, end);
  const bool condition = exceeds(index, rule.long_window) && exceeds(index, rule.short_window);
  const bool sure = condition && significant(index, rule);
  rule.guarded = condition && !sure;
  if (rule.frozen) return;
  if (memory.firing) {
    resolve_when_calm(memory, rule, end, status, transitions);
    return;
  }
  // A resolution in the future is from before a clock was set back: no cooldown to wait for.
  const bool cooling = memory.last_resolved != WallTime{} && memory.last_resolved <= end &&
                       end.ns - memory.last_resolved.ns < spec_.alerts.cooldown_s * kNsPerSecond;
  if (!sure || cooling || rule.inhibited) return;
  memory.firing = true;
  memory.calm = 0;
  memory.since = end;
  transitions.push_back({AlertEvent::Kind::fired, spec_.name, spec_.service, rule.rule.name,
                         rule.rule.severity, end, end, fired_summary(status, rule), 0, 0,
                         priority_of(rule.rule.severity, spec_.tier)});
}

void AlertBook::evaluate(SloStatus& status, const std::vector<bool>& frozen, WallTime end,
                         std::vector<AlertEvent>& transitions) {
  for (size_t urgency = 0; urgency < by_urgency_.size(); ++urgency) {
    const size_t i = by_urgency_[urgency];
    RuleState& rule = status.rules[i];
    rule.frozen = frozen[i];
    rule.probability.reset();
    step(urgency, rule, end, status, transitions);
    rule.firing = memory_[i].firing;
    rule.since = memory_[i].since;
  }
}

void AlertBook::save(std::vector<AlertMemory>& to) const {
  for (size_t i = 0; i < memory_.size(); ++i) {
    const Memory& m = memory_[i];
    if (!m.firing && m.last_resolved == WallTime{}) continue;
    const AlertRule& rule = spec_.alerts.rules[i];
    to.push_back({spec_.name, rule.name, m.firing, m.calm, m.since, m.last_resolved, m.calm_at,
                  spec_.service, rule.severity, priority_of(rule.severity, spec_.tier)});
  }
}

bool AlertBook::restore(const AlertMemory& saved) {
  for (size_t i = 0; i < memory_.size(); ++i) {
    if (spec_.alerts.rules[i].name != saved.rule) continue;
    memory_[i] = {saved.firing, saved.calm_evaluations, saved.since, saved.last_resolved,
                  saved.calm_at};
    return true;
  }
  return false;
}

}  // namespace nines::slo
