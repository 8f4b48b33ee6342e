#include "remedy/rule_story.hpp"

#include <algorithm>

namespace nines::agent::remedy {
namespace {

namespace core = nines::remedy;

template <class T>
void keep_newest(std::vector<T>& all, size_t most) {
  if (all.size() <= most) return;
  all.erase(all.begin(), all.end() - static_cast<std::ptrdiff_t>(most));
}

core::Procedure procedure_of(const Experience& experience, const core::RuleLife& rule) {
  core::Lesson lesson;
  lesson.signature = rule.signature;
  lesson.action = rule.action;
  for (const core::Lesson& one : experience.lessons()) {
    if (one.signature == rule.signature && one.action == rule.action) lesson = one;
  }
  auto made = procedures_of(experience.history(), {lesson});
  return made.empty() ? core::procedure_for(rule.signature, rule.action) : std::move(made.front());
}

}  // namespace

std::optional<RuleStory> story_of(const core::Guard& guard, const Experience& experience,
                                  const std::string& rule, WallTime now) {
  const auto life = guard.rule(rule);
  if (!life) return std::nullopt;
  RuleStory out;
  out.life = *life;
  out.known = experience.learner().about(life->signature, life->action);
  for (const core::Lesson& one : experience.lessons()) {
    if (one.signature == life->signature && one.action == life->action) out.known = one;
  }
  out.procedure = procedure_of(experience, *life);
  out.effect = effect_of(experience.history(), rule, life->signature, now);
  for (const core::GuardEvent& event : guard.events()) {
    const bool of_life = event.kind <= core::GuardKind::rule_removed;
    if (of_life && event.rule == rule) out.changes.push_back(event);
  }
  keep_newest(out.changes, RuleStory::kMostChanges);
  for (const core::Act& act : guard.acts()) {
    if (act.rule == rule) out.acts.push_back(act);
  }
  out.acts_in_all = out.acts.size();
  keep_newest(out.acts, RuleStory::kMostActs);
  return out;
}

}  // namespace nines::agent::remedy
