// nines/v1alpha1 SLOPolicy: what OpenSLO has no place for.
#pragma once

#include <vector>

#include "config/documents.hpp"
#include "config/objectives.hpp"

namespace nines::agent::config {

// Reads every SLOPolicy and applies it. sloRef wins over selector, selector over the defaults; what
// a policy leaves out keeps its default. Two policies for one SLO with the same right are an error.
void apply_policies(const Documents& documents, std::vector<DraftSlo>& slos, Reporter& report);

}  // namespace nines::agent::config
