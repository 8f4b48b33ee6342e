// When rules may act: `windows` of `remediation:`.
#pragma once

#include "config/options.hpp"
#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

// Into draft.remedies. `at`: the map of `remediation:`. One that is wrong is an error wherever it
// stands: what is meant to keep rules from acting must not be passed over.
void read_remedy_windows(const YamlNode& at, Draft& draft, Reporter& report);

}  // namespace nines::agent::config
