#include "incident/impact.hpp"

#include <algorithm>
#include <cstdio>

#include "nines/slo/burn.hpp"

namespace nines::agent::incident {
namespace {

constexpr size_t kMostSlos = 3, kMostSiblings = 6;
constexpr const char* kBurning = "burn/";

std::string number(const char* format, double value) {
  char text[40];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string per_cent(double share) {
  const double value = 100 * share;
  return number(value >= 100 ? "%.0f" : value >= 1 ? "%.1f" : "%.3g", value) + " %";
}

// As shortest text that reads back equal.
std::string exact(double value) { return number("%.17g", value); }

struct SloCost {
  std::string slo, window;
  int64_t bad = 0, all = 0;
  std::optional<double> spent, consumed;
};

SloCost cost_of(const slo::SloEngine& engine, uint32_t slo, const ImpactQuestion& q) {
  const slo::SloSpec& spec = engine.spec(slo);
  const slo::SloStatus& status = engine.status(slo);
  const int64_t since_s = std::max<int64_t>(
      slo::kSlotS,
      (q.until.seconds() / slo::kSlotS - q.since.seconds() / slo::kSlotS) * slo::kSlotS);
  SloCost out;
  out.slo = spec.name;
  out.window = status.window_name.empty() ? format_duration_s(spec.window_s) : status.window_name;
  const auto events = engine.events(slo, q.until, since_s);
  out.bad = events.bad;
  out.all = events.total();
  out.consumed = status.error_budget_consumed;
  const auto budget = slo::budget_of(spec.target);
  if (!budget || spec.composite.used()) return out;
  // In the units in which the budget is counted: events, or slices of time.
  const int64_t bad = engine.window(slo, q.until, since_s).bad;
  const int64_t n = status.window.total() + status.window.forgiven;
  out.spent = slo::burn_rate({std::min(bad, n), n}, *budget);
  return out;
}

std::string tell(const SloCost& cost) {
  std::string text = cost.slo + ": " + std::to_string(cost.bad) + " of " +
                     std::to_string(cost.all) + " events were bad";
  if (cost.all > 0) {
    text += " (" + per_cent(static_cast<double>(cost.bad) / static_cast<double>(cost.all)) + ")";
  }
  if (cost.spent) {
    text += *cost.spent < 1 ? ", " + per_cent(*cost.spent) + " of the error budget of "
                            : ", " + number("%.1f", *cost.spent) + " times the error budget of ";
    text += cost.window;
    if (cost.consumed) {
      const double left = 1 - *cost.consumed;
      text += left > 0 ? ", of which " + per_cent(left) + " is left" : ", of which nothing is left";
    }
  } else {
    text += ", what of the error budget is not known";
  }
  return text;
}

std::string tell_users(const ImpactQuestion& q, const Facts& f, core::Details& details) {
  if (!f.users_told && q.users_before == 0) {
    details.emplace_back("users", "");
    return f.users_missing ? "users unknown: the bad events do not say who"
                           : "users unknown: no field says who (sources[].user)";
  }
  const uint64_t users = std::max(f.users.users, q.users_before);
  const char* const how = q.restarted || f.users_missing ? ">=" : f.users.exact ? "" : "~";
  details.emplace_back("users", how + std::to_string(users));
  std::string text = (*how == '>'   ? "at least "
                      : *how == '~' ? "about "
                                    : "") +
                     std::to_string(users) + (users == 1 ? " user" : " users") + " met a bad event";
  if (!f.users.exact) {
    details.emplace_back("users_error", exact(f.users.error));
    text += " (within " + per_cent(f.users.error) + ", one standard error)";
  }
  if (q.restarted) text += " (this node was restarted since)";
  if (f.users_missing) text += " (some did not say who)";
  return text;
}

std::string tell_requests(const ImpactQuestion& q, const Facts& f, core::Details& details) {
  const auto& passed = f.passed;
  if (passed.requests == 0) return "requests unknown: no line says which request it belongs to";
  const std::string about = f.thinning > 0 ? "about " : "";
  details.emplace_back("requests", std::to_string(passed.requests << f.thinning));
  details.emplace_back("failed", std::to_string(passed.failed << f.thinning));
  std::string text = about + std::to_string(passed.failed << f.thinning) + " of " +
                     std::to_string(passed.requests << f.thinning) +
                     " requests that were followed have an error line";
  if (passed.reaches_back > q.since) {
    text += " (since " + format_rfc3339(WallTime::from_s(passed.reaches_back.seconds())) +
            ": no further back)";
  }
  if (passed.services.empty()) return text;
  std::string names;
  for (size_t i = 0; i < std::min(passed.services.size(), kMostSiblings); ++i) {
    names += (i == 0 ? "" : ", ") + passed.services[i].service;
  }
  if (passed.services.size() > kMostSiblings) {
    names += " and " + std::to_string(passed.services.size() - kMostSiblings) + " more";
  }
  details.emplace_back("siblings", names);
  return text + "; those pass " + names;
}

}  // namespace

std::vector<uint32_t> slos_of(const core::Incident& incident, const slo::SloEngine& engine) {
  std::vector<uint32_t> burning, of_services;
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i)) continue;
    const slo::SloSpec& spec = engine.spec(i);
    const std::string key = kBurning + spec.name;
    const bool burns = std::any_of(incident.conditions.begin(), incident.conditions.end(),
                                   [&](const auto& one) { return one.condition.key == key; });
    if (burns) burning.push_back(i);
    if (incident.concerns(spec.service) && spec.group_of.empty()) of_services.push_back(i);
  }
  return burning.empty() ? of_services : burning;
}

Told tell_impact(const slo::SloEngine& engine, const ImpactQuestion& q, const Facts& facts) {
  Told out{core::EventKind::impact, {}, {}};
  std::vector<SloCost> costs;
  for (const uint32_t slo : q.slos) costs.push_back(cost_of(engine, slo, q));
  std::stable_sort(costs.begin(), costs.end(), [](const SloCost& a, const SloCost& b) {
    return a.spent.value_or(-1) > b.spent.value_or(-1);
  });
  out.details = {{"since", std::to_string(q.since.seconds())},
                 {"until", std::to_string(q.until.seconds())}};
  if (costs.empty()) out.text = "no SLO says how many events were bad";
  for (size_t i = 0; i < std::min(costs.size(), kMostSlos); ++i) {
    out.text += (i == 0 ? "" : "; ") + tell(costs[i]);
  }
  if (!costs.empty()) {
    const SloCost& first = costs.front();
    out.details.emplace_back("slo", first.slo);
    out.details.emplace_back("bad", std::to_string(first.bad));
    out.details.emplace_back("all", std::to_string(first.all));
    if (first.spent) out.details.emplace_back("spent", exact(*first.spent));
    if (first.consumed) out.details.emplace_back("consumed", exact(*first.consumed));
  }
  if (costs.size() > kMostSlos) {
    out.text += "; and " + std::to_string(costs.size() - kMostSlos) + " more SLOs";
  }
  out.text += "; " + tell_users(q, facts, out.details);
  out.text += "; " + tell_requests(q, facts, out.details);
  return out;
}

}  // namespace nines::agent::incident
