// The release gate: may a service be changed now? The stricter of two answers, both told:
//   of the risk      how fast the budget burns: SAFE go, OBSERVE caution, DANGER hold, FREEZE
//   freeze of the budget    how much is left of it: more than reduce_below go, at least
//   freeze_below hold,
//                    less freeze
// Without data the answer is at least caution: nobody saw what a release would do.
// Levels: engine.hpp. Error-budget policies: Google SRE Workbook, appendix B.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nines/base/decimal.hpp"
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

struct GatePolicy {
  Decimal reduce_below{5, -1}, freeze_below{1, -1};  // shares of the budget left, within (0, 1)
  // The risk does not hold a release back before this share of the budget is spent: two seconds of
  // outage make it FREEZE at 99.9 %. 0: it always does.
  Decimal require_spent{0, 0};
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

}  // namespace nines::slo
