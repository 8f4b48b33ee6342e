#include "view/explain.hpp"

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

void append_window(std::string& out, const SloStatus& s) {
  const WindowCounts& w = s.window;
  const Decimal share = allowed_share(s);
  const std::string total = number(w.total());
  out += "Window " + format_duration_s(s.window_s) + " " + bounds(w) + "\n";
  out += "  counts     good " + number(w.good) + " + bad " + number(w.bad) + " = total " + total +
         "\n";
  if (w.total() == 0) {
    out += "  no event: SLI and budget are undefined, nothing is spent\n";
  } else {
    const std::string allowed = product(Decimal{w.total(), 0}, share);
    out += "  SLI        good / total = " + number(w.good) + " / " + total + " = " +
           percent(s.sli) + "\n";
    out += "  budget     total * (1 - target) = " + total + " * " + share.to_string() + " = " +
           allowed + " bad events allowed\n";
    out += "  consumed   bad / allowed = " + number(w.bad) + " / " + allowed + " = " +
           percent(s.error_budget_consumed) + "\n";
    out += "  remaining  1 - consumed = " + percent(s.error_budget_remaining) + "\n";
  }
  out += "  coverage   " + percent(s.coverage) + " since the SLO began; " + covered(w) + "\n";
}

void append_burn(std::string& out, const SloStatus& s, const BurnWindow& b) {
  const WindowCounts& w = b.counts;
  out += "  " + pad_right(window_name(b.window_s), 5) + bounds(w) + "\n";
  out += "       good " + number(w.good) + ", bad " + number(w.bad) + ", total " +
         number(w.total()) + "; " + covered(w) + "\n";
  if (w.total() == 0) {
    out += "       no event: undefined, burns nothing\n";
    return;
  }
  out += "       " + number(w.bad) + " / " + number(w.total()) + " / " +
         allowed_share(s).to_string() + " = " + short_number(b.burn) + "\n";
}

void append_composite(std::string& out, const SloStatus& s) {
  const auto term = [](const char* weight, const BurnWindow& w) {
    return std::string(weight) + " * " +
           (w.burn ? short_number(w.burn) : std::string("0 (no event)"));
  };
  out += "  composite = " + term("0.40", s.burn_5m) + " + " + term("0.35", s.burn_1h) + " + " +
         term("0.25", s.burn_24h) + " = ";
  out +=
      s.composite_burn_rate ? short_number(s.composite_burn_rate) : "undefined (no event at all)";
  out += "\n";
}

// bad > factor * (1 - target) * total, in integers and exact decimals as the engine decides it.
void append_comparison(std::string& out, const SloStatus& s, const RuleState& r,
                       const BurnWindow& b, int64_t window_s) {
  const Decimal share = allowed_share(s);
  const Decimal total{b.counts.total(), 0};
  const auto limit_share = multiply(r.rule.factor, share);
  const std::string limit =
      limit_share
          ? product(*limit_share, total)
          : "~" + double_text(r.rule.factor.to_double() * share.to_double() * total.to_double());
  bool exceeds = b.burn && *b.burn > r.rule.factor.to_double();
  if (const auto exact = limit_share ? multiply(*limit_share, total) : std::nullopt) {
    exceeds = Decimal{b.counts.bad, 0} > *exact;
  }
  out += "    " + pad_right(window_name(window_s), 5) + bounds(b.counts) + "\n";
  out += "         bad " + number(b.counts.bad) + " > " + r.rule.factor.to_string() + " * " +
         share.to_string() + " * " + number(b.counts.total()) + " = " + limit + " ? " +
         (exceeds ? "yes" : "no") + "\n";
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

void append_rule(std::string& out, const SloStatus& s, const RuleState& r) {
  const bool budget = r.rule.kind == slo::RuleKind::budget;
  out += "  " + printable(r.rule.name) + " (" + printable(r.rule.severity) + "), " +
         (budget ? "more than " + exact_percent(r.rule.factor) + " of the budget used for " +
                       format_duration_s(r.rule.for_s)
                 : "factor " + r.rule.factor.to_string()) +
         "\n";
  append_comparison(out, s, r, r.long_window, r.rule.long_s);
  append_comparison(out, s, r, r.short_window, r.rule.short_s);
  out += "    => " + rule_verdict(r) + "\n";
}

std::string risk_reason(const SloStatus& s) {
  const std::string rate = short_number(s.composite_burn_rate);
  if (!s.composite_burn_rate) return "no event in 24h, so nothing burns";
  switch (s.risk) {
    case slo::Risk::safe: return "composite burn rate " + rate + " is below 1";
    case slo::Risk::observe: return "composite burn rate " + rate + " lies in [1, 1.5)";
    case slo::Risk::danger: return "composite burn rate " + rate + " lies in [1.5, 2]";
    case slo::Risk::freeze: return "composite burn rate " + rate + " is above 2";
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
      return number(s.window.bad) + " bad events are more than the " +
             product(Decimal{s.window.total(), 0}, allowed_share(s)) + " that the target allows";
    case slo::State::no_data:
      return "the logs are not read up to now or were not watched lately (last 5m: " +
             covered(s.burn_5m.counts) + "): no verdict, alerts keep their state";
  }
  return {};
}

}  // namespace

std::string explain_text(const SloStatus& s) {
  std::string out = "SLO " + printable(s.slo) + " (service " + printable(s.service) + ", tier " +
                    std::to_string(s.tier) + (s.draft ? ", draft" : "") +
                    "): " + exact_percent(s.target) + " good over " +
                    format_duration_s(s.window_s) + "\n";
  out += "evaluated at " + (s.timestamp.ns == 0 ? "never" : format_rfc3339(s.timestamp)) + "\n\n";
  out += "State " + std::string(slo::state_name(s.state)) + ": " + state_reason(s) + "\n";
  out += "Risk  " + std::string(slo::risk_name(s.risk)) + ": " + risk_reason(s) + "\n";
  out += "Release " + s.release_reason + "\n\n";
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
  if (s.p50 || s.p95 || s.p99) {
    out += "\nMeasured value over 24h (error <= 1 %): p50 " + short_number(s.p50) + ", p95 " +
           short_number(s.p95) + ", p99 " + short_number(s.p99) + " " + printable(s.unit) + "\n";
  }
  return out;
}

}  // namespace nines::agent::view
