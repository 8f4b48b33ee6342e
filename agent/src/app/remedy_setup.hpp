// What the configuration makes of the parts of remediation: which targets the executor may act on,
// what the guard lets happen, and which rules cannot be.
#pragma once

#include <optional>
#include <string>

#include "config/config.hpp"
#include "config/remedy_target_config.hpp"
#include "k8s/api_follower.hpp"
#include "nines/remedy/guard.hpp"
#include "remedy/executor.hpp"

namespace nines::agent {

// Secrets and credentials are not in it: they are read for each call.
remedy::ExecutorSettings executor_settings(const NodeConfig& config, const RemedyTargets& targets,
                                           std::optional<k8s::Access> kube);
nines::remedy::GuardLimits guard_limits(const RemediationConfig& config,
                                        const RemedyTargets& targets);

// Whether a rule may name the action: an error for a unit, program, webhook or function that the
// configuration does not have, and what may have been meant.
Status check_action(const nines::remedy::Action& action, const RemediationConfig& config,
                    const RemedyTargets& targets);
// Of a webhook or function: whether it is asked for all nodes alike.
bool is_of_cluster(const nines::remedy::Action& action, const RemedyTargets& targets);

}  // namespace nines::agent
