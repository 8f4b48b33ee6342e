// What `remediation:` of nines.yaml says has to make sense.
#pragma once

#include "config/config.hpp"
#include "config/remedy_target_config.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

void check_remediation(const RemediationConfig& remediation, const RemedyTargets& targets,
                       const YamlNode& at, Reporter& report);

}  // namespace nines::agent::config
