// OpenSLO v1alpha documents -> v1 documents, as trees: nodes keep their places in the file, so that
// every later message still points at what was written.
#pragma once

#include <vector>

#include "config/reporter.hpp"
#include "config/yaml_tree.hpp"

namespace nines::agent::config {

bool is_v1alpha(const YamlNode& document);
// Usually one document; an SLO whose objectives have different ratioMetrics becomes one for each.
// Warns that the document was converted; reports what v1alpha has no v1 form for.
std::vector<YamlNode> convert_v1alpha(const YamlNode& document, Reporter& report);

}  // namespace nines::agent::config
