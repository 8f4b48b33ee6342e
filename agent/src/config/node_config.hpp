// nines.yaml -> NodeConfig.
#pragma once

#include "config/config.hpp"
#include "config/reader.hpp"

namespace nines::agent::config {

// Defaults of the option table; node is left empty.
NodeConfig default_node_config();

// Reads the one document of nines.yaml. Relative paths of slos and token_file are taken from the
// folder of the file.
NodeConfig read_node_config(const YamlFile& file, Reporter& report);

}  // namespace nines::agent::config
