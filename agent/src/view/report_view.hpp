// The reliability report of a period, as Markdown for people and as JSON for programs.
#pragma once

#include <string>
#include <vector>

#include "nines/slo/changes.hpp"
#include "nines/slo/impact.hpp"
#include "nines/slo/report.hpp"

namespace nines::agent::view {

struct ChangeWithImpact {
  slo::Change change;
  std::vector<slo::Impact> impacts;  // of deploys and migrations
};

struct Report {
  std::string node;
  WallTime from{}, to{}, made{};
  std::vector<slo::SloReport> slos;
  std::vector<ChangeWithImpact> changes;  // within the period, but overrides and toil
  std::vector<slo::Change> overrides, exclusions;
  std::vector<slo::ToilItem> toil;
};

std::string report_json(const Report& report);
std::string report_markdown(const Report& report);

}  // namespace nines::agent::view
