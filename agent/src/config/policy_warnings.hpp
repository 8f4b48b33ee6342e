// Of an SLOPolicy: `earlyWarnings`, rules that warn when the SLI of a window of their own is below
// a share, whatever the budget.
#pragma once

#include <optional>
#include <string>

#include "config/reader.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent::config {

struct EarlyWarning {
  slo::AlertRule rule;
  const YamlNode* below = nullptr;
};

// One of the list; `title` names the policy in messages. What is wrong is reported.
std::optional<EarlyWarning> read_early_warning(const YamlNode& node, const std::string& title,
                                               Reporter& report);
// Whether it can be a rule of `spec` beside those that are there.
bool fits_early_warning(const slo::SloSpec& spec, const EarlyWarning& warning, Reporter& report);

}  // namespace nines::agent::config
