// What reading one metricSource gives; shared by the parts of Indicators.
#pragma once

#include <optional>
#include <string>

#include "config/indicator.hpp"

namespace nines::agent::config {

struct Indicators::Metric {
  slo::MetricSpec spec;
  std::string value, count, unit;
  bool independent = false;
  slo::OnMissing on_missing = slo::OnMissing::skip;
  const YamlNode* at = nullptr;
  // value: {start, end, ...}; spec is the start, part the end.
  std::optional<slo::JoinSpec> join;
  slo::MetricSpec part;
  std::optional<slo::GroupSpec> group;
  const YamlNode* group_at = nullptr;
  std::optional<slo::SliceWish> slices;
  const YamlNode* slices_at = nullptr;
};

}  // namespace nines::agent::config
