#pragma once

#include <stdexcept>
#include <string>

#include "nines/remedy/guard.hpp"

namespace nines::remedy::testing {

inline WallTime at_s(int64_t s) { return WallTime::from_s(1'700'000'000 + s); }

inline GuardLimits open_limits() {
  GuardLimits limits;
  limits.enabled = true;
  for (size_t i = 0; i < kVerbs; ++i) limits.verbs.insert(static_cast<Verb>(i));
  return limits;
}

inline Facts good_facts() {
  Facts f;
  f.known = f.clock_set = f.holds = f.budget_allows = true;
  f.other_incident = false;
  f.ready = 3;
  f.minimum = 1;
  return f;
}

inline Proposal proposal(const std::string& rule, Verb verb, const std::string& target,
                         const std::string& node = "pi-1", const std::string& incident = "INC-1") {
  Proposal p;
  p.rule = rule;
  p.action.verb = verb;
  p.target.name = target;
  p.target.node = node;
  p.target.namespace_ = "shop";
  p.target.service = "api";
  p.target.uid = "u-" + target;
  p.severity = 1;
  p.incident = incident;
  p.facts = good_facts();
  return p;
}

inline Proposal local_restart(const std::string& rule = "restart-worker", int incident = 1) {
  Proposal p = proposal(rule, Verb::unit_restart, "unit/pi-1/worker", "pi-1",
                        "INC-" + std::to_string(incident));
  p.target.namespace_.clear();
  p.target.local = true;
  return p;
}

inline GuardEvent must(Guard::Done done) {
  if (!done) throw std::runtime_error(done.error().message);
  return *done;
}

// Through all of its life, as people would.
inline void arm(Guard& guard, const std::string& rule, const Action& action, int64_t s) {
  must(guard.draft(rule, action, "crash_loop api", "api", "ada", at_s(s)));
  must(guard.shadow(rule, "ada", at_s(s)));
  for (int i = 0; i < 5; ++i) {
    Proposal p = proposal(rule, action.verb, "shadow/" + rule, "pi-1", "S" + std::to_string(i));
    p.target.namespace_.clear();
    p.target.local = true;
    p.action = action;
    if (!guard.propose({p}, 1, at_s(s))[0].event) throw std::runtime_error("no hit");
  }
  must(guard.approve(rule, "bob", at_s(s)));
  if (reach_of(action.verb) != Reach::irreversible) must(guard.arm(rule, 20, 0.7, "bob", at_s(s)));
}

}  // namespace nines::remedy::testing
