// Which logs an SLI reads: the source keys that nines.yaml and SLO documents share.
#pragma once

#include <span>

#include "config/config.hpp"
#include "config/reader.hpp"

namespace nines::agent::config {

// Reads the source keys (source | paths, kubernetes, journal, syslog, ...; format, multiline, ...)
// of a metricSource.spec or connectionDetails over `base`, which they complete or replace. A named
// source must be one of `sources`. Returns whether any key was there.
bool read_selector(MapReader& reader, std::span<const SourceConfig> sources,
                   slo::SourceSelector& base, Reporter& report);

// Which kind of input the keys of `map` speak of; more than one is an error.
void infer_input(const YamlNode& map, slo::SourceSelector& selector, Reporter& report);
// A selector that says which logs to read.
bool names_logs(const slo::SourceSelector& selector);
// The parts fit together and the patterns compile; `at` is where to report.
void check_selector(const slo::SourceSelector& selector, const YamlNode& at,
                    const std::string& what, Reporter& report);

}  // namespace nines::agent::config
