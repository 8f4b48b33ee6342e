#include "nines/remedy/procedure.hpp"

#include <algorithm>
#include <map>

#include "nines/remedy/signature.hpp"

namespace nines::remedy {
namespace {

constexpr int64_t kLeastWaitS = 120, kMostWaitS = 1800;

struct Resolution {
  const Record* last = nullptr;
  std::vector<const Record*> steps;  // in their order, `last` among them
};

bool is_kubernetes(Verb verb) noexcept {
  return scope_of(verb) == Scope::pod || scope_of(verb) == Scope::workload ||
         scope_of(verb) == Scope::node;
}

std::vector<Check> before(Verb verb) {
  std::vector<Check> out{Check::condition_holds, Check::no_other_incident};
  if (verb == Verb::other) return out;
  if (is_kubernetes(verb)) {
    out.push_back(Check::target_exists);
  } else {
    out.push_back(Check::allow_listed);
  }
  if (verb == Verb::rollout_restart || verb == Verb::rollout_undo) out.push_back(Check::not_paused);
  if (verb == Verb::rollout_undo) out.push_back(Check::earlier_revision);
  if (verb == Verb::scale_up || verb == Verb::scale_down) {
    out.push_back(Check::not_scaled_by_others);
  }
  if (scope_of(verb) == Scope::pod || verb == Verb::scale_down || verb == Verb::cordon) {
    out.push_back(Check::above_minimum);
  }
  if (inverse_of(verb) || verb == Verb::rollout_undo) out.push_back(Check::state_remembered);
  return out;
}

std::vector<Check> after(Verb verb, bool last) {
  std::vector<Check> out;
  if (is_kubernetes(verb) || scope_of(verb) == Scope::unit) out.push_back(Check::target_ready);
  if (last) {
    out.insert(out.end(), {Check::condition_over, Check::burn_below_one, Check::stays_over});
  }
  return out;
}

// Twice what it took in the middle, so that one that works is not undone while it does.
int64_t wait_of(std::vector<int64_t> took) {
  if (took.empty()) return 600;
  std::sort(took.begin(), took.end());
  return std::clamp(2 * took[took.size() / 2], kLeastWaitS, kMostWaitS);
}

Step step_of(const Action& action, bool last, uint64_t taken, std::vector<int64_t> took) {
  Step out{action, before(action.verb), after(action.verb, last), std::nullopt, 600, taken};
  if (const auto inverse = inverse_of(action.verb)) out.rollback = Action{*inverse, {}};
  out.wait_s = wait_of(std::move(took));
  return out;
}

struct Place {
  uint64_t taken = 0;
  double share = 0;  // sum of places, as shares of the way
};

Procedure procedure_of(const Lesson& lesson, const std::vector<const Resolution*>& resolutions) {
  Procedure out{lesson.signature, lesson.standing, {}, resolutions.size(), {}};
  std::map<Action, Place> places;
  std::vector<int64_t> took;
  for (const Resolution* one : resolutions) {
    std::map<Action, double> first;  // a step that was repeated counts once
    for (size_t i = 0; i < one->steps.size(); ++i) {
      first.emplace(one->steps[i]->action,
                    static_cast<double>(i) / static_cast<double>(one->steps.size()));
    }
    for (const auto& [action, share] : first) {
      ++places[action].taken;
      places[action].share += share;
    }
    took.push_back(one->last->recover_s);
    if (out.incidents.size() < kMaxExamples) out.incidents.push_back(one->last->incident);
  }
  std::vector<std::pair<double, const Action*>> order;
  for (const auto& [action, place] : places) {
    if (action == lesson.action || place.taken * 2 < resolutions.size()) continue;
    order.emplace_back(place.share / static_cast<double>(place.taken), &action);
  }
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first < b.first : *a.second < *b.second;
  });
  if (order.size() > kMaxSteps - 1) order.resize(kMaxSteps - 1);
  for (const auto& [share, action] : order) {
    out.steps.push_back(step_of(*action, false, places[*action].taken, {}));
  }
  out.steps.push_back(step_of(lesson.action, true, resolutions.size(), std::move(took)));
  return out;
}

}  // namespace

std::string_view check_text(Check check) noexcept {
  switch (check) {
    case Check::condition_holds: return "it is still wrong";
    case Check::no_other_incident: return "no other incident is open on the service";
    case Check::target_exists: return "the target exists and is the one that was meant";
    case Check::not_paused: return "the rollout is not paused";
    case Check::above_minimum: return "enough replicas stay ready, the disruption budget agrees";
    case Check::not_scaled_by_others: return "no autoscaler owns the replicas";
    case Check::earlier_revision: return "there is an earlier revision that differs";
    case Check::state_remembered: return "the present state is written down";
    case Check::allow_listed: return "it is on the allow-list";
    case Check::condition_over: return "what was wrong is over";
    case Check::target_ready: return "the target is ready";
    case Check::burn_below_one: return "the burn rate is below 1 for 10 minutes";
    case Check::stays_over: return "it is not back within 30 minutes";
  }
  return "";
}

std::vector<Procedure> procedures_of(const History& history, const std::vector<Lesson>& lessons) {
  std::map<std::string, Resolution> incidents;
  history.each([&](const Record& r) {
    Resolution& one = incidents[r.incident.empty() ? r.id : r.incident];
    one.steps.push_back(&r);
    if (r.outcome == Outcome::resolved) one.last = &r;
  });
  std::map<std::pair<std::string, Action>, std::vector<const Resolution*>> by_pair;
  for (const auto& [id, one] : incidents) {
    if (one.last != nullptr) by_pair[{one.last->signature, one.last->action}].push_back(&one);
  }
  std::vector<Procedure> out;
  for (const Lesson& lesson : lessons) {
    std::vector<const Resolution*> resolutions;
    for (auto it = by_pair.lower_bound({lesson.signature, {}});
         it != by_pair.end() && it->first.first.starts_with(lesson.signature); ++it) {
      const auto& [signature, action] = it->first;
      if (action != lesson.action || !covers(lesson.signature, signature)) continue;
      resolutions.insert(resolutions.end(), it->second.begin(), it->second.end());
    }
    if (resolutions.empty()) continue;
    std::sort(resolutions.begin(), resolutions.end(), [](const auto* a, const auto* b) {
      return std::tie(b->last->at.ns, b->last->id) < std::tie(a->last->at.ns, a->last->id);
    });
    out.push_back(procedure_of(lesson, resolutions));
  }
  return out;
}

Procedure procedure_for(const std::string& signature, const Action& action) {
  return {signature, Standing::suggested, {step_of(action, true, 0, {})}, 0, {}};
}

void write_json(JsonWriter& out, const Procedure& p) {
  const auto checks = [&](std::string_view name, const std::vector<Check>& all) {
    out.key(name).begin_array();
    for (const Check check : all) out.value(check_text(check));
    out.end_array();
  };
  out.begin_object().member("signature", p.signature);
  out.member("standing", standing_name(p.standing)).member("resolutions", p.resolutions);
  out.key("incidents").begin_array();
  for (const std::string& id : p.incidents) out.value(id);
  out.end_array().key("steps").begin_array();
  for (const Step& step : p.steps) {
    out.begin_object().member("action", step.action.key()).member("taken", step.taken);
    checks("before", step.before);
    checks("after", step.after);
    out.member("wait_s", step.wait_s).key("rollback");
    step.rollback ? out.value(step.rollback->key()) : out.null();
    out.end_object();
  }
  out.end_array().end_object();
}

std::string to_markdown(const Procedure& p) {
  std::string out = "# Recovery: " + p.signature + "\n\n" + std::string(standing_name(p.standing)) +
                    ", from " + std::to_string(p.resolutions) + " resolutions\n";
  int number = 0;
  for (const Step& step : p.steps) {
    out += "\n" + std::to_string(++number) + ". **" + step.action.key() + "** (in " +
           std::to_string(step.taken) + " of " + std::to_string(p.resolutions) + ")\n";
    for (const Check check : step.before)
      out += "   - before: " + std::string(check_text(check)) + "\n";
    for (const Check check : step.after)
      out += "   - after: " + std::string(check_text(check)) + "\n";
    out += "   - wait at most " + format_duration_s(step.wait_s) + ", else " +
           (step.rollback ? step.rollback->key() + " once, then call a person" : "call a person") +
           "\n";
  }
  if (!p.incidents.empty()) out += "\nAs in";
  for (size_t i = 0; i < p.incidents.size(); ++i) out += (i > 0 ? ", " : " ") + p.incidents[i];
  return out + "\n";
}

}  // namespace nines::remedy
