// nines.yaml -> NodeConfig, and the selectors that SLO documents share with it.
#pragma once

#include <span>

#include "config/config.hpp"
#include "config/reader.hpp"

namespace nines::agent::config {

// Defaults of the option table; node is left empty.
NodeConfig default_node_config();

// Reads the one document of nines.yaml. Relative paths of slos and token_file are taken from the
// folder of the file.
NodeConfig read_node_config(const YamlFile& file, Reporter& report);

// Reads the source keys (source | paths, kubernetes; exclude, format, pattern, timezone) of a
// metricSource.spec or connectionDetails over `base`, which they complete or replace. A named
// source must be one of `sources`. Returns whether any key was there.
bool read_selector(MapReader& reader, std::span<const SourceConfig> sources,
                   slo::SourceSelector& base, Reporter& report);

// A selector that says which logs to read.
bool names_logs(const slo::SourceSelector& selector);
// pattern and format fit together and the pattern compiles; `at` is where to report.
void check_selector(const slo::SourceSelector& selector, const YamlNode& at,
                    const std::string& what, Reporter& report);

}  // namespace nines::agent::config
