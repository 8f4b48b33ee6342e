// `exclusions` of an SLOPolicy: times planned ahead, one-off or recurring (RFC 5545).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "config/reader.hpp"
#include "nines/slo/exclusions.hpp"

namespace nines::agent::config {

// nullopt: it was reported.
std::optional<std::vector<slo::ExclusionSpec>> read_exclusions(const YamlNode& node,
                                                               const std::string& title,
                                                               Reporter& report);

}  // namespace nines::agent::config
