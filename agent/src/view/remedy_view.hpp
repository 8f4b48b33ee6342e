// Remediation as JSON and as tables.
#pragma once

#include <string>
#include <vector>

#include "nines/remedy/learner.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::view {

std::string remedies_json(const remedy::Steward& steward, WallTime now);
std::string remedies_table(const remedy::Steward& steward, WallTime now, size_t width);
std::string lessons_json(const std::vector<nines::remedy::Lesson>& lessons);
std::string lessons_table(const std::vector<nines::remedy::Lesson>& lessons, size_t width);
std::string audit_json(const remedy::AuditLog& audit);
std::string remedy_metrics(const remedy::Steward& steward, WallTime now);

}  // namespace nines::agent::view
