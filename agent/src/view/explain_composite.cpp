#include "view/explain_composite.hpp"

#include "view/counts.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::PartStatus;
using slo::SloStatus;

std::string share_of(const PartStatus& part) {
  const auto budget = subtract(Decimal{1, 0}, part.target).value_or(Decimal{});
  return std::to_string(part.window.bad) + " / " + std::to_string(part.window.total) + " / " +
         budget.to_string();
}

double sum_of_weights(const SloStatus& s) {
  double sum = 0;
  for (const PartStatus& part : s.parts) sum += part.weight.to_double();
  return sum;
}

void append_parts(std::string& out, const SloStatus& s) {
  out += "Parts: consumed = bad / total / (1 - target) over " + window_label(s) + "\n";
  std::string sum;
  for (const PartStatus& part : s.parts) {
    const std::string consumed = part.window.total == 0 ? "0 (no event)" : percent(part.consumed);
    out += "  " + printable(part.slo) + " (weight " + part.weight.to_string() + ", " +
           std::string(slo::state_name(part.state)) + "): ";
    out += part.window.total == 0 ? consumed : share_of(part) + " = " + consumed;
    out += "\n";
    sum += (sum.empty() ? "" : " + ") + part.weight.to_string() + " * " + consumed;
  }
  out += "  consumed   (" + sum + ") / " + double_text(sum_of_weights(s)) + " = " +
         percent(s.error_budget_consumed) + "\n";
  out += "  remaining  1 - consumed = " + percent(s.error_budget_remaining) + "\n";
}

void append_burns(std::string& out, const SloStatus& s) {
  out += "Burn rates: the weighted mean of those of the parts, a part without events burns 0\n";
  for (const slo::BurnWindow* w : {&s.burn_5m, &s.burn_1h, &s.burn_24h}) {
    out += "  " + pad_right(window_name(w->window_s), 5) +
           (w->burn ? short_number(w->burn) : std::string("undefined (no event)")) + "\n";
  }
  const auto term = [](const char* weight, const slo::BurnWindow& w) {
    return std::string(weight) + " * " + (w.burn ? short_number(w.burn) : std::string("0"));
  };
  out += "  composite = " + term("0.40", s.burn_5m) + " + " + term("0.35", s.burn_1h) + " + " +
         term("0.25", s.burn_24h) + " = " + short_number(s.composite_burn_rate) + "\n";
}

std::string state_reason(const SloStatus& s) {
  switch (s.state) {
    case slo::State::healthy: return "budget is left and no rule of a part fires";
    case slo::State::degrading: return "it burns at 1 or faster, or a rule of a part fires";
    case slo::State::violated: return "more than its weighted budget is consumed";
    case slo::State::no_data: break;
  }
  std::string blind;
  for (const PartStatus& part : s.parts) {
    if (part.state != slo::State::no_data) continue;
    blind += (blind.empty() ? "" : ", ") + printable(part.slo);
  }
  return "nothing is known now of " + blind;
}

}  // namespace

std::string explain_composite(const SloStatus& s) {
  std::string out = "SLO " + printable(s.slo) + " (service " + printable(s.service) + ", tier " +
                    std::to_string(s.tier) + "): composite of " + std::to_string(s.parts.size()) +
                    " over " + window_label(s) + "\n";
  out += "evaluated at " + (s.timestamp.ns == 0 ? "never" : format_rfc3339(s.timestamp)) + "\n\n";
  out += "State " + std::string(slo::state_name(s.state)) + ": " + state_reason(s) + "\n";
  out += "Risk  " + std::string(slo::risk_name(s.risk)) + "\n";
  out += "Release " + s.release_reason + "\n\n";
  append_parts(out, s);
  out += "\n";
  append_burns(out, s);
  out += "\n`nines slo explain PART` goes on down to the counts and rules of a part.\n";
  return out;
}

}  // namespace nines::agent::view
