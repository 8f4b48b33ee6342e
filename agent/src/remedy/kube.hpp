// The executions of the Kubernetes API, one for each verb. Every change is first sent as the API
// server's dry run (admission, quotas, disruption budgets), and bound to the object that was looked
// at: by uid or by resourceVersion. Paths and bodies: the API reference of apps/v1, policy/v1 and
// autoscaling/v2; rolling back as `kubectl rollout undo` does it.
#pragma once

#include <memory>

#include "remedy/execution.hpp"

namespace nines::agent::remedy {

// evict_pod, delete_pod. Refused: pods of kube-system, without a controller (nobody would make them
// anew), static ones, with a persistent volume claim. Another uid than the target's is left alone.
std::unique_ptr<Execution> remove_pod(Order order);
// Refused: a paused Deployment, kube-system.
std::unique_ptr<Execution> restart_rollout(Order order);
// To the revision before the present one. Refused: paused, no older one.
std::unique_ptr<Execution> undo_rollout(Order order);
// scale_up, scale_down: one more, one less. Taking that back, to order.restore. Refused: where a
// HorizontalPodAutoscaler rules, to zero, where somebody else has scaled since.
std::unique_ptr<Execution> scale(Order order);
// cordon, uncordon.
std::unique_ptr<Execution> cordon(Order order);

// The Event that tells people who look at the object what was done; nothing depends on it.
ApiCall audit_event(const Order& order, const Outcome& outcome, std::string_view node,
                    WallTime now);

}  // namespace nines::agent::remedy
