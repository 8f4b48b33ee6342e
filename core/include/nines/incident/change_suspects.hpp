// Change suspects: which change may have brought an incident about. Looks at what people and
// pipelines did (deploys, migrations, manual actions) in the half hour before the onset, which
// triples the weight of evidence, and at the share of errors of the changed service before and
// after, against services that were not changed (difference in differences).
//
//   effect     (after - before) of the changed service - (after - before) of the others
//   its error  sqrt of the binomial variances of the four shares, each (errors + 1) / (of + 2), or,
//              where they differ more than that, the spread of the others' own changes (three or
//              more of them)
//   score      3 * (effect / its error)^2, about chi2 but for the prior; 3 where there are no
//   counts;
//              0 where errors did not rise
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/slo/changes.hpp"

namespace nines::incident {

inline constexpr int64_t kChangeWindowS = 30 * 60;
inline constexpr int64_t kOnsetErrorS = 30;  // a change may seem to be so much after the onset
inline constexpr double kChangePrior = 3;

// Of one service, before a change (or the onset, of others) and after it.
struct ShareChange {
  std::string service;
  uint64_t errors_before = 0, of_before = 0;
  uint64_t errors_after = 0, of_after = 0;
};

struct ChangeSuspect {
  size_t change = 0;  // its place in what was given
  std::string service;
  int64_t seconds_before = 0;  // the onset
  // Shares of errors; null: no counts, or no service to compare with (others, effect).
  std::optional<double> before, after, others_change;
  std::optional<double> effect, effect_low, effect_high;  // 95 %
  double score = 0;
  std::string text;                   // one sentence with the numbers
  std::vector<std::string> wrong_if;  // what would make it wrong
};

// Strongest first; of equal ones the one nearest to the onset.
std::vector<ChangeSuspect> rank_changes(WallTime onset, std::span<const slo::Change> changes,
                                        std::span<const ShareChange> shares);
// What evidence against `service` is to be multiplied by: 3 when it was changed within the half
// hour before the onset, else 1.
double change_prior(WallTime onset, std::span<const slo::Change> changes,
                    std::string_view service) noexcept;

// Services and changes in one order.
struct ServiceEvidence {
  std::string service;
  double score = 0;  // without the prior
};
struct RankedCause {
  bool is_change = false;
  size_t at = 0;  // in `services` or `suspects`
  double score = 0;
};
// `services` come in the order of suspicion, which who calls whom has part in: it is kept, but for
// what was changed: evidence against a changed service counts by its prior. A change of a suspected
// service weighs at least as much as that and goes before it, whether or not its errors are
// counted: it says why.
std::vector<RankedCause> rank_causes(WallTime onset, std::span<const slo::Change> changes,
                                     std::span<const ChangeSuspect> suspects,
                                     std::span<const ServiceEvidence> services);

}  // namespace nines::incident
