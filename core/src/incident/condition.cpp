#include "nines/incident/condition.hpp"

namespace nines::incident {

std::string_view condition_kind_name(ConditionKind kind) noexcept {
  switch (kind) {
    case ConditionKind::burn_rate: return "burn_rate";
    case ConditionKind::error_storm: return "error_storm";
    case ConditionKind::service_silent: return "service_silent";
    case ConditionKind::queue_depth: return "queue_depth";
    case ConditionKind::oom_kill: return "oom_kill";
    case ConditionKind::crash_loop: return "crash_loop";
    case ConditionKind::disk_full: return "disk_full";
    case ConditionKind::under_voltage: return "under_voltage";
    case ConditionKind::node_silent: return "node_silent";
    case ConditionKind::custom: return "custom";
  }
  return "custom";
}

}  // namespace nines::incident
