#include "nines/remedy/rule_check.hpp"

#include <algorithm>
#include <iterator>

namespace nines::remedy {

bool overlaps(const RuleLife& a, const RuleLife& b) noexcept {
  const auto fit = [](const std::string& x, const std::string& y) {
    return x.empty() || y.empty() || x == y;
  };
  return fit(a.signature, b.signature) && fit(a.service, b.service);
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
