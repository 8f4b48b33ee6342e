// AlertBook: the alert rules of one SLO and what they remember. Definitions: engine.hpp.
#pragma once

#include <string>
#include <vector>

#include "nines/slo/engine.hpp"

namespace nines::slo {

class AlertBook {
 public:
  AlertBook(const SloSpec& spec, Decimal budget);

  // Fills `status.rules` (windows are given, in the order of the policy) and appends transitions.
  // `frozen[i]`: rule i keeps its state.
  void evaluate(SloStatus& status, const std::vector<bool>& frozen, WallTime end,
                std::vector<AlertEvent>& transitions);

  // Appends rules that fire or have fired.
  void save(std::vector<AlertMemory>& to) const;
  bool restore(const AlertMemory& saved);  // false: no such rule

 private:
  struct Memory {
    bool firing = false;
    int calm = 0;
    WallTime since{}, last_resolved{};
    WallTime calm_at{};  // end of the windows that were last found calm
  };

  bool exceeds(size_t index, const BurnWindow& window) const;
  bool significant(size_t index, RuleState& rule) const;
  bool believable(size_t index, const RuleState& rule) const;
  bool inhibited(size_t urgency, WallTime end) const;
  void step(size_t urgency, RuleState& rule, WallTime end, const SloStatus& status,
            std::vector<AlertEvent>& transitions);
  void resolve_when_calm(Memory& memory, const RuleState& rule, WallTime end,
                         const SloStatus& status, std::vector<AlertEvent>& transitions);

  const SloSpec& spec_;
  Decimal budget_;
  double significance_;
  std::vector<size_t> by_urgency_;  // indices into the policy's rules, most urgent first
  // Per rule: it may fire above `enter` and resolves at `leave`, both as burn of `budget`.
  struct Limits {
    Decimal budget, enter, leave;
  };
  std::vector<Limits> limits_;
  std::vector<Memory> memory_;  // per rule
};

}  // namespace nines::slo
