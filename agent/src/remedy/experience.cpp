#include "remedy/experience.hpp"

#include <algorithm>
#include <utility>

#include "nines/remedy/signature.hpp"

namespace nines::agent::remedy {

namespace core = nines::remedy;

core::History::Merge Experience::take(core::Record record) {
  const core::Record known = record;
  std::vector<core::Record> gone;
  const auto merged = history_.merge(std::move(record), &gone);
  for (const core::Record& one : gone) {
    learner_.remove(one);
    if (let_go_ && history_.find(one.id) == nullptr) let_go_(one.id);
  }
  const bool counts =
      merged == core::History::Merge::news || merged == core::History::Merge::better;
  if (!counts) return merged;
  learner_.add(known);
  ++changes_;
  if (rules_.size() + signatures_.size() >= kMostChanged) all_changed_ = true;
  if (all_changed_) return merged;
  gone.push_back(known);
  for (const core::Record& one : gone) {
    if (!one.rule.empty()) rules_.insert(one.rule);
    signatures_.insert(one.signature);
  }
  return merged;
}

void Experience::take(const nines::incident::Incident& incident, WallTime now) {
  for (core::Record& record : core::records_of(incident, now)) (void)take(std::move(record));
}

const std::vector<core::Lesson>& Experience::lessons() const {
  if (std::exchange(learned_, changes_) != changes_) lessons_ = learner_.learn();
  return lessons_;
}

bool Experience::has_changed(const std::string& rule, const std::string& signature) const {
  return all_changed_ || rules_.contains(rule) ||
         std::any_of(signatures_.begin(), signatures_.end(),
                     [&](const std::string& one) { return core::covers(signature, one); });
}

void Experience::forget_changes() {
  all_changed_ = false;
  rules_.clear();
  signatures_.clear();
}

}  // namespace nines::agent::remedy
