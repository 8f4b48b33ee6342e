// ConditionStates: which conditions hold. One begins when it was bad for long enough, gets worse
// with a higher priority, and is over when it was good for long enough; in between (neither bad nor
// good) it stays as it is.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nines/incident/condition.hpp"

namespace nines::incident {

struct Verdict {
  // Key, kind, priority, since (when it began to be bad), service, pod and text; the rest is set
  // here.
  Condition condition;
  bool bad = false, good = false;
  int64_t for_s = 0, clear_s = 0;
  std::string over;  // the sentence for when it is over
};

class ConditionStates {
 public:
  explicit ConditionStates(size_t most) : most_(most) {}

  // False: there are too many already.
  bool judge(const Verdict& verdict, WallTime now);
  bool holds(const std::string& key) const;
  // Keys that hold and begin so.
  std::vector<std::string> held(std::string_view prefix) const;
  const Condition& of(const std::string& key) const { return states_.at(key).condition; }

  std::vector<Condition> take_changes();  // by key
  std::vector<Condition> standing() const;
  size_t size() const noexcept;

 private:
  struct State {
    Condition condition;
    bool open = false;
    int64_t good_since = -1;
  };
  void begin(State& state, WallTime now);

  size_t most_;
  std::map<std::string, State> states_;
  std::vector<Condition> changes_;
};

}  // namespace nines::incident
