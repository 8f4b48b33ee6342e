#include "incident/condition_states.hpp"

#include <algorithm>
#include <utility>

namespace nines::incident {

bool ConditionStates::judge(const Verdict& verdict, WallTime now) {
  auto it = states_.find(verdict.condition.key);
  if (it == states_.end()) {
    if (!verdict.bad) return true;
    if (states_.size() >= most_) return false;
    it = states_.emplace(verdict.condition.key, State{verdict.condition, false, -1}).first;
  }
  State& state = it->second;
  if (!state.open) {
    if (!verdict.bad) {
      states_.erase(it);
      return true;
    }
    const WallTime since = std::min(state.condition.since, verdict.condition.since);
    state.condition = verdict.condition;
    state.condition.since = since;
    if (now.ns - since.ns >= verdict.for_s * kNsPerSecond) begin(state, now);
    return true;
  }
  if (verdict.bad && verdict.condition.priority < state.condition.priority) {
    state.condition.priority = verdict.condition.priority;
    state.condition.text = verdict.condition.text;
    begin(state, now);
  }
  if (!verdict.good) {
    state.good_since = -1;
    return true;
  }
  if (state.good_since < 0) state.good_since = now.ns;
  if (now.ns - state.good_since < verdict.clear_s * kNsPerSecond) return true;
  state.condition.holds = false;
  state.condition.at = now;
  state.condition.text = verdict.over;
  changes_.push_back(std::move(state.condition));
  states_.erase(it);
  return true;
}

void ConditionStates::begin(State& state, WallTime now) {
  state.open = true;
  state.good_since = -1;
  state.condition.holds = true;
  state.condition.at = now;
  changes_.push_back(state.condition);
}

bool ConditionStates::holds(const std::string& key) const {
  const auto it = states_.find(key);
  return it != states_.end() && it->second.open;
}

std::vector<std::string> ConditionStates::held(std::string_view prefix) const {
  std::vector<std::string> keys;
  for (const auto& [key, state] : states_) {
    if (key.starts_with(prefix)) keys.push_back(key);
  }
  return keys;
}

std::vector<Condition> ConditionStates::take_changes() {
  std::vector<Condition> changes = std::exchange(changes_, {});
  std::stable_sort(changes.begin(), changes.end(),
                   [](const Condition& a, const Condition& b) { return a.key < b.key; });
  return changes;
}

std::vector<Condition> ConditionStates::standing() const {
  std::vector<Condition> all;
  for (const auto& [key, state] : states_) {
    if (state.open) all.push_back(state.condition);
  }
  return all;
}

size_t ConditionStates::size() const noexcept {
  return static_cast<size_t>(std::count_if(states_.begin(), states_.end(),
                                           [](const auto& entry) { return entry.second.open; }));
}

}  // namespace nines::incident
