// OpenSLO AlertPolicy, AlertCondition and AlertNotificationTarget, as far as they can be mapped to
// multi-window burn rules; what cannot be is told, never dropped silently.
#pragma once

#include <string>
#include <vector>

#include "config/documents.hpp"

namespace nines::agent::config {

// Checks all alerting documents, used or not.
void check_alert_documents(const Documents& documents, Reporter& report);

// alertPolicies of an SLO -> burn rules. Empty: none could be used, the default rules stay.
std::vector<slo::AlertRule> read_alert_policies(const YamlNode& node, const std::string& title,
                                               const Documents& documents, Reporter& report);

// A rule whose factor no error rate can exceed is an error, told with the arithmetic. `at` is where
// to report.
void check_rules(const slo::SloSpec& spec, const YamlNode& at, Reporter& report);
void check_rule(const slo::SloSpec& spec, const slo::AlertRule& rule, const YamlNode& at,
                Reporter& report);

}  // namespace nines::agent::config
