// The release gate: may a service be changed now? The stricter of two answers, both told:
//   of the risk    how fast the budget burns: SAFE go, OBSERVE caution, DANGER hold, FREEZE freeze
//   of the budget  how much is left of it: more than reduce_below go, at least freeze_below hold,
//                  less freeze
// Without data the answer is at least what on_no_data says: nobody saw what a release would do.
// Hold-down, release watches and overrides come on top: gate_keeper.hpp.
// Levels: engine.hpp. Error-budget policies: Google SRE Workbook, appendix B.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {

enum class Risk : uint8_t;
enum class State : uint8_t;

enum class Release : uint8_t {
  go,       // full velocity
  caution,  // release, and watch it
  hold,     // what makes the service more reliable; the rest waits
  freeze,   // critical fixes only
};
std::string_view release_name(Release) noexcept;  // GO CAUTION HOLD FREEZE

enum class OnNoData : uint8_t { go, observe, hold, freeze };
std::string_view on_no_data_name(OnNoData) noexcept;
std::optional<OnNoData> on_no_data_of(std::string_view name) noexcept;

// A step of the error-budget policy: what is to be done while less than this share is left.
struct BudgetStep {
  std::string name;
  Decimal remaining_below;  // within (0, 1]: in force while remaining < this
  std::vector<std::string> actions;
  std::string severity;  // of the alert that tells of it; empty: only the change log does
  friend bool operator==(const BudgetStep&, const BudgetStep&) = default;
};

struct GatePolicy {
  Decimal reduce_below{5, -1}, freeze_below{1, -1};  // shares of the budget left, within (0, 1)
  // The risk does not hold a release back before this share of the budget is spent: two seconds of
  // outage make it FREEZE at 99.9 %. 0: it always does.
  Decimal require_spent{0, 0};
  // Composite burn rate: [0, observe) SAFE, [observe, danger) OBSERVE, [danger, freeze_above]
  // DANGER, above FREEZE.
  CompositeWeights composite;
  Decimal observe{1, 0}, danger{15, -1}, freeze_above{2, 0};
  int64_t hold_down_s = 0;  // how long a closed gate stays closed after its cause is gone
  OnNoData on_no_data = OnNoData::observe;
  int64_t override_ttl_s = 4 * 3600;  // an override lasts at most so long
  bool override_needs_reason = true;
  std::vector<BudgetStep> steps;  // by remaining_below, smallest first
};

struct GateDecision {
  Release decision = Release::caution;
  Release by_risk = Release::go, by_budget = Release::go;
  bool risk_waived = false;  // require_spent was not reached
  bool no_data = false;
  bool allows() const noexcept { return decision <= Release::caution; }
};

// `window`: bad and total of the SLO window; `budget`: from budget_of(). Exact.
GateDecision decide_release(const GatePolicy& policy, Risk risk, State state, Ratio window,
                            Decimal budget);
// One sentence: "FREEZE: 4 % of the budget is left (below 10 %); risk SAFE".
std::string release_reason(const GatePolicy& policy, const GateDecision& decision, Risk risk,
                           Ratio window, Decimal budget);

// Index of the step in force: the one with the smallest share that the budget has fallen below.
std::optional<size_t> step_in_force(const GatePolicy& policy, Ratio window, Decimal budget);

// What the gate says in the end, and every reason for it.
struct GateVerdict {
  Release decision = Release::caution;
  std::string reason;
  std::optional<Release> held;  // by hold-down ...
  WallTime held_until{};        // ... until then; zero: as long as the cause is there
  std::string watch;            // the release watch that holds it; empty: none
  // An override opens the gate and hides nothing: what it would be stands beside it.
  bool overridden = false;
  Release without_override = Release::caution;
  std::string override_by, override_reason;
  WallTime override_at{}, override_until{};
  bool allows() const noexcept { return decision <= Release::caution; }
};

}  // namespace nines::slo
