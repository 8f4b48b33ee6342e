#include "view/explain.hpp"

#include "view/counts.hpp"
#include "view/explain_composite.hpp"
#include "view/forecast.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::BurnWindow;
using slo::RuleState;
using slo::SloStatus;
using slo::WindowCounts;

std::string number(int64_t n) { return std::to_string(n); }

// Exact where 64 bits of mantissa suffice, else rounded and marked so.
std::string product(Decimal a, Decimal b) {
  const auto exact = multiply(a, b);
  if (exact) return exact->to_string();
  return "~" + double_text(a.to_double() * b.to_double());
}

// 1 - target: the share of events that may be bad.
Decimal allowed_share(const SloStatus& s) {
  return subtract(Decimal{1, 0}, s.target).value_or(Decimal{0, 0});
}

std::string bounds(const WindowCounts& w) {
  return "[" + format_rfc3339(w.start) + ", " + format_rfc3339(w.end) + ")";
}

std::string covered(const WindowCounts& w) {
  const int64_t seconds = (w.end.ns - w.start.ns) / kNsPerSecond;
  return "logs read during " + number(w.covered_s) + " of " + number(seconds) + " s";
}

// What exclusions took out of the counts, and what a reserve adds to what is consumed.
void append_excluded(std::string& out, const SloStatus& s) {
  const WindowCounts& w = s.window;
  if (w.dropped_good > 0 || w.dropped_bad > 0 || w.excluded_s > 0) {
    out += "  excluded   " + number(w.excluded_s) + " s with good " + amount(w.dropped_good, w) +
           ", bad " + amount(w.dropped_bad, w) + " (not in the counts above)\n";
  }
  if (w.reserve > 0 || w.reserved_bad > 0) {
    out += "  reserve    " + amount(w.reserve, w) + " bad are set aside and count as consumed; " +
           amount(w.reserved_bad, w) + " were needed, " + amount(w.forgiven, w) +
           " of them are paid by it\n";
  }
  if (!s.excluded_by.empty()) out += "  excluded now by " + printable(s.excluded_by) + "\n";
}

void append_window(std::string& out, const SloStatus& s) {
  const WindowCounts& w = s.window;
  const Decimal share = allowed_share(s);
  const bool slices = s.budgeting != slo::Budgeting::occurrences;
  const std::string total = amount(w.total(), w);
  out += "Window " + window_label(s) + " " + bounds(w);
  if (!s.time_zone.empty()) {
    out += " in " + printable(s.time_zone) + ", anew at " + format_rfc3339(s.period_end);
  }
  out += "\n";
  if (slices) {
    out += "  " + std::string(slo::budgeting_name(s.budgeting)) + ": good and bad are slices of " +
           "time; events: good " + number(s.events.good) + ", bad " + number(s.events.bad) + "\n";
  }
  out += "  counts     good " + amount(w.good, w) + " + bad " + amount(w.bad, w) + " = total " +
         total + "\n";
  append_excluded(out, s);
  if (w.spent().total == 0) {
    out += std::string("  no ") + (slices ? "slice" : "event") +
           ": SLI and budget are undefined, nothing is spent\n";
  } else {
    const slo::Ratio spent = w.spent();
    const Decimal all{spent.total / w.scale, 0};
    const std::string allowed = product(all, share);
    out += "  SLI        good / total = " + amount(w.good, w) + " / " + total + " = " +
           percent(s.sli) + "\n";
    out += "  budget     total * (1 - target) = " + number(spent.total / w.scale) + " * " +
           share.to_string() + " = " + allowed + " bad " + (slices ? "slices" : "events") +
           " allowed\n";
    out += "  consumed   bad / allowed = " + amount(spent.bad, w) + " / " + allowed + " = " +
           percent(s.error_budget_consumed) + "\n";
    out += "  remaining  1 - consumed = " + percent(s.error_budget_remaining) + "\n";
  }
  out += "  coverage   " + percent(s.coverage) + " since the SLO began; " + covered(w) + "\n";
}

void append_burn(std::string& out, const SloStatus& s, const BurnWindow& b) {
  const WindowCounts& w = b.counts;
  out += "  " + pad_right(window_name(b.window_s), 5) + bounds(w) + "\n";
  out += "       good " + amount(w.good, w) + ", bad " + amount(w.bad, w) + ", total " +
         amount(w.total(), w) + "; " + covered(w) + "\n";
  if (w.total() == 0) {
    out += "       no event: undefined, burns nothing\n";
    return;
  }
  out += "       " + amount(w.bad, w) + " / " + amount(w.total(), w) + " / " +
         allowed_share(s).to_string() + " = " + short_number(b.burn) + "\n";
}

void append_composite(std::string& out, const SloStatus& s) {
  const auto& weights = s.policy.composite;
  const auto term = [&](size_t i, const BurnWindow& w) {
    const int places = weights.whole == 100 ? 2 : 9;
    Decimal weight{static_cast<int64_t>(weights.parts[i]), -places};
    std::string text = weight.to_string();
    if (places == 2 && text.size() == 3) text += '0';  // 0.40, as the sources write it
    return text + " * " + (w.burn ? short_number(w.burn) : std::string("0 (no event)"));
  };
  out += "  composite = " + term(0, s.burn_5m) + " + " + term(1, s.burn_1h) + " + " +
         term(2, s.burn_24h) + " = ";
  out +=
      s.composite_burn_rate ? short_number(s.composite_burn_rate) : "undefined (no event at all)";
  out += "\n";
}

// bad > factor * (1 - target) * total, in integers and exact decimals as the engine decides it; of
// an early warning bad > (1 - the SLI it names) * total.
void append_comparison(std::string& out, const SloStatus& s, const RuleState& r,
                       const BurnWindow& b, int64_t window_s) {
  const bool early = r.rule.kind == slo::RuleKind::threshold;
  const Decimal share =
      early ? subtract({1, 0}, r.rule.factor).value_or(Decimal{}) : allowed_share(s);
  const Decimal factor = early ? Decimal{1, 0} : r.rule.factor;
  const slo::WindowCounts& w = b.counts;
  const bool of_budget = r.rule.kind == slo::RuleKind::budget;
  const slo::Ratio ratio = of_budget ? w.spent() : slo::Ratio{w.bad, w.total()};
  const Decimal total{ratio.total, 0};
  const auto limit_share = multiply(factor, share);
  const std::string limit = limit_share
                                ? product(*limit_share, Decimal{ratio.total / w.scale, 0})
                                : "~" + double_text(factor.to_double() * share.to_double() *
                                                    static_cast<double>(ratio.total / w.scale));
  bool exceeds = static_cast<double>(ratio.bad) >
                 factor.to_double() * share.to_double() * static_cast<double>(ratio.total);
  if (const auto exact = limit_share ? multiply(*limit_share, total) : std::nullopt) {
    exceeds = Decimal{ratio.bad, 0} > *exact;
  }
  out += "    " + pad_right(window_name(window_s), 5) + bounds(b.counts) + "\n";
  out += "         bad " + amount(ratio.bad, w) + " > " +
         (early ? "" : factor.to_string() + " * ") + share.to_string() + " * " +
         number(ratio.total / w.scale) + " = " + limit + " ? " + (exceeds ? "yes" : "no") + "\n";
}

std::string rule_verdict(const RuleState& r) {
  std::string text = r.firing ? "FIRING since " + format_rfc3339(r.since) : "not firing";
  if (r.frozen) text += "; frozen: without data a rule neither fires nor resolves";
  if (r.guarded) text += "; held back by the low-traffic guard";
  if (r.probability) {
    text += "; chance of so many bad events in a service that just meets its target: " +
            short_number(r.probability);
  }
  if (r.inhibited && !r.firing) {
    text +=
        "; held back: another rule of this SLO fires or has just resolved, and one incident is "
        "told once";
  }
  return text;
}

std::string rule_condition(const slo::AlertRule& rule) {
  const std::string held = " for " + format_duration_s(rule.for_s);
  switch (rule.kind) {
    case slo::RuleKind::burn: return "factor " + rule.factor.to_string();
    case slo::RuleKind::budget:
      return "more than " + exact_percent(rule.factor) + " of the budget used" + held;
    case slo::RuleKind::threshold:
      return "less than " + exact_percent(rule.factor) + " good over " + window_name(rule.long_s) +
             held;
  }
  return {};
}

void append_rule(std::string& out, const SloStatus& s, const RuleState& r) {
  out += "  " + printable(r.rule.name) + " (" + printable(r.rule.severity) + ", " +
         priority_name(slo::priority_of(r.rule.severity, s.tier)) + "), " + rule_condition(r.rule) +
         "\n";
  append_comparison(out, s, r, r.long_window, r.rule.long_s);
  append_comparison(out, s, r, r.short_window, r.rule.short_s);
  out += "    => " + rule_verdict(r) + "\n";
}

std::string risk_reason(const SloStatus& s) {
  const std::string rate = short_number(s.composite_burn_rate);
  if (!s.composite_burn_rate) return "no event in 24h, so nothing burns";
  const std::string observe = s.policy.observe.to_string();
  const std::string danger = s.policy.danger.to_string();
  const std::string freeze = s.policy.freeze_above.to_string();
  const std::string is = "composite burn rate " + rate;
  switch (s.risk) {
    case slo::Risk::safe: return is + " is below " + observe;
    case slo::Risk::observe: return is + " lies in [" + observe + ", " + danger + ")";
    case slo::Risk::danger: return is + " lies in [" + danger + ", " + freeze + "]";
    case slo::Risk::freeze: return is + " is above " + freeze;
  }
  return {};
}

std::string firing_names(const SloStatus& s) {
  std::string names;
  for (const RuleState& r : s.rules) {
    if (r.firing) names += (names.empty() ? "" : ", ") + printable(r.rule.name);
  }
  return names;
}

std::string state_reason(const SloStatus& s) {
  const std::string firing = firing_names(s);
  switch (s.state) {
    case slo::State::healthy: return "budget is left and no rule fires";
    case slo::State::degrading:
      return "budget is left, but it burns too fast (composite " +
             short_number(s.composite_burn_rate) +
             "; firing: " + (firing.empty() ? "none" : firing) + ")";
    case slo::State::violated:
      return amount(s.window.spent().bad, s.window) + " bad " +
             (s.budgeting == slo::Budgeting::occurrences ? "events" : "slices") +
             " are more than the " +
             product(Decimal{s.window.spent().total / s.window.scale, 0}, allowed_share(s)) +
             " that the target allows";
    case slo::State::no_data:
      return "the logs are not read up to now or were not watched lately (last 5m: " +
             covered(s.burn_5m.counts) + "): no verdict, alerts keep their state";
  }
  return {};
}

}  // namespace

std::string explain_text(const SloStatus& s) {
  if (!s.parts.empty()) return explain_composite(s);
  std::string out = "SLO " + printable(s.slo) + " (service " + printable(s.service) + ", tier " +
                    std::to_string(s.tier) + (s.draft ? ", draft" : "") +
                    "): " + exact_percent(s.target) + " good over " + window_label(s) + "\n";
  out += "evaluated at " + (s.timestamp.ns == 0 ? "never" : format_rfc3339(s.timestamp)) + "\n\n";
  out += "State " + std::string(slo::state_name(s.state)) + ": " + state_reason(s) + "\n";
  out += "Risk  " + std::string(slo::risk_name(s.risk)) + ": " + risk_reason(s) + "\n";
  out += "Release " + printable(s.gate.reason) + "\n";
  if (s.budget_step) {
    out += "Policy step " + printable(s.budget_step->name) + ", in force below " +
           exact_percent(s.budget_step->remaining_below) + " of the budget\n";
    for (const std::string& action : s.budget_step->actions) {
      out += "  - " + printable(action) + "\n";
    }
  }
  out += "\n";
  append_window(out, s);
  out += "\nBurn rate = bad / total / (1 - target), where 1 - target = " +
         allowed_share(s).to_string() + "\n";
  append_burn(out, s, s.burn_5m);
  append_burn(out, s, s.burn_1h);
  append_burn(out, s, s.burn_24h);
  append_composite(out, s);
  out += "\nRules: fire when bad > factor * (1 - target) * total in both windows\n";
  for (const RuleState& r : s.rules) append_rule(out, s, r);
  if (s.rules.empty()) out += "  none\n";
  out += forecast_paragraph(s);
  if (s.p50 || s.p95 || s.p99) {
    out += "\nMeasured value over 24h (error <= 1 %): p50 " + short_number(s.p50) + ", p95 " +
           short_number(s.p95) + ", p99 " + short_number(s.p99) + " " + printable(s.unit) + "\n";
  }
  return out;
}

}  // namespace nines::agent::view
