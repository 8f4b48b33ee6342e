// OpenSLO SLO -> SloSpec, one per objective, with the default alert rules.
#pragma once

#include <vector>

#include "config/documents.hpp"
#include "config/indicator.hpp"

namespace nines::agent::config {

// A spec with where its parts stand, for what is checked later (policies, limits).
struct DraftSlo {
  slo::SloSpec spec;
  const Document* document = nullptr;
  const YamlNode* objective = nullptr;
  bool has_own_rules = false;  // from OpenSLO alertPolicies
};

// Reads every SLO document; those with errors are left out.
std::vector<DraftSlo> read_slos(const Documents& documents, Indicators& indicators,
                                Reporter& report);

}  // namespace nines::agent::config
