// Experience: the history of what was done, and what it teaches, kept up with what comes in: a
// record costs a few look-ups, and what was learned from the rest is not counted again. Remembers
// whose evidence has changed, for whoever has to look at it. Control thread; no I/O, no clock.
#pragma once

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "nines/incident/incident.hpp"
#include "nines/remedy/history.hpp"
#include "nines/remedy/learner.hpp"

namespace nines::agent::remedy {

class Experience {
 public:
  static constexpr size_t kMostChanged = 1024;  // names that are remembered; beyond: all changed

  // Told of each id that history knows no more, for want of room; may be empty.
  explicit Experience(std::function<void(const std::string& id)> let_go = {})
      : let_go_(std::move(let_go)) {}

  nines::remedy::History::Merge take(nines::remedy::Record record);
  void take(const nines::incident::Incident& incident, WallTime now);

  const nines::remedy::History& history() const noexcept { return history_; }
  const nines::remedy::Learner& learner() const noexcept { return learner_; }
  // Grows with each record that changed anything.
  uint64_t changes() const noexcept { return changes_; }
  // Learned anew only when something has changed.
  const std::vector<nines::remedy::Lesson>& lessons() const;

  // Whether something has come in since forget_changes() that the effect of a rule is made of.
  bool has_changed(const std::string& rule, const std::string& signature) const;
  void forget_changes();

 private:
  std::function<void(const std::string&)> let_go_;
  nines::remedy::History history_;
  nines::remedy::Learner learner_;
  uint64_t changes_ = 0;
  bool all_changed_ = false;
  std::set<std::string> rules_, signatures_;
  mutable uint64_t learned_ = 0;  // changes_ when lessons_ was made
  mutable std::vector<nines::remedy::Lesson> lessons_;
};

}  // namespace nines::agent::remedy
