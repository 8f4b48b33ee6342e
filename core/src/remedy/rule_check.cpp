#include "nines/remedy/rule_check.hpp"

#include <algorithm>
#include <iterator>

#include "nines/remedy/signature.hpp"

namespace nines::remedy {

bool overlaps(const RuleLife& a, const RuleLife& b) noexcept {
  const auto open = [](const std::string& x, const std::string& y) {
    return x.empty() || y.empty();
  };
  // As the Steward matches them: a coarse signature fits what a finer one fits.
  const bool of_one_kind = open(a.signature, b.signature) || covers(a.signature, b.signature) ||
                           covers(b.signature, a.signature);
  return of_one_kind && (open(a.service, b.service) || a.service == b.service);
}

std::vector<RuleLife> opposing(const RuleLife& rule, const std::vector<RuleLife>& rules,
                               const GuardLimits& limits) {
  std::vector<RuleLife> out;
  std::copy_if(rules.begin(), rules.end(), std::back_inserter(out), [&](const RuleLife& other) {
    return other.rule != rule.rule && other.state != RuleState::none && overlaps(rule, other) &&
           opposes(rule.action, other.action, limits);
  });
  return out;
}

}  // namespace nines::remedy
