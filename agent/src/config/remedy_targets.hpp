// What rules may run, call and invoke, and when: the lists of `remediation:`.
#pragma once

#include "config/options.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Into draft.remedies. `at`: the map of `remediation:`, whose plain options were read. Makes paths
// absolute. What they name is looked at now, and again before each use. What is wrong with a
// program or a file of secrets is an error where remediation is enabled, else a warning.
void read_remedy_targets(const YamlNode& at, Draft& draft, Reporter& report);

// Those of a nines.yaml that load_config() has read, for who acts on them (as on-call is). Empty:
// no file. The error is the first thing that is wrong, should the file have changed meanwhile.
Result<RemedyTargets> load_remedy_targets(const std::string& file);

}  // namespace nines::agent::config
