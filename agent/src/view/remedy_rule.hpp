// One rule in full, all rules by what they were good for, and a run of one by a person.
#pragma once

#include <string>
#include <vector>

#include "remedy/rule_story.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::view {

std::string rule_json(const remedy::RuleStory& story, const nines::remedy::Guard& guard);
std::string rule_text(const remedy::RuleStory& story, size_t width);
std::string rules_report_json(const std::vector<remedy::RuleStory>& stories,
                              const nines::remedy::Guard& guard);
std::string rules_report_table(const std::vector<remedy::RuleStory>& stories, size_t width);
std::string run_json(const remedy::Steward::RunWish& wish, const remedy::Steward::Ran& ran);
std::string run_text(const remedy::Steward::RunWish& wish, const remedy::Steward::Ran& ran);

}  // namespace nines::agent::view
