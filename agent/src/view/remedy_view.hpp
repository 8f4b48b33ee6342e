// Remediation as JSON and as tables.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/remedy/learner.hpp"
#include "remedy/audit_anchors.hpp"
#include "remedy/curator.hpp"
#include "remedy/steward.hpp"

namespace nines::agent::view {

std::string remedies_json(const remedy::Steward& steward, WallTime now);
std::string remedies_table(const remedy::Steward& steward, WallTime now, size_t width);
std::string lessons_json(const std::vector<nines::remedy::Lesson>& lessons);
std::string lessons_table(const std::vector<nines::remedy::Lesson>& lessons, size_t width);
// `fault`: of that log, also where it is not what other nodes have heard of it.
using AuditFault = nines::remedy::AuditFault;
std::string audit_json(const remedy::AuditLog& audit, const std::optional<AuditFault>& fault,
                       const remedy::AuditAnchors& anchors);
// Whether this log, and those of the others as far as is known here, are what they were: the first
// line begins with "whole" if so.
std::string audit_verdict(const std::string& node, const remedy::AuditLog& audit,
                          const std::optional<AuditFault>& fault,
                          const remedy::AuditAnchors& anchors);
std::string remedy_metrics(const remedy::Steward& steward, const remedy::Curator& curator,
                           WallTime now);

}  // namespace nines::agent::view
