#include "config/policy_forecast.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kDay = 86400, kMaxDays = 92 * kDay;

void read_warning(const YamlNode& node, const std::string& policy, Reporter& report,
                  ForecastDraft& out) {
  MapReader reader(node, "warning of the forecast of " + policy, report);
  if (const YamlNode* within = reader.find("within")) {
    out.warn_within_s =
        read_duration_s(*within, "'within' of " + reader.what(), 0, kMaxDays, report);
  }
  if (const YamlNode* bad = reader.find("minBad")) {
    out.warn_min_bad = read_integer(*bad, "'minBad' of " + reader.what(), 1, 1'000'000, report);
  }
  if (const YamlNode* severity = reader.find("severity")) {
    out.warn_severity =
        read_choice(*severity, "'severity' of " + reader.what(), {"ticket", "warning"}, report);
  }
  reader.finish();
}

}  // namespace

ForecastDraft read_forecast(const YamlNode& node, const std::string& policy, Reporter& report) {
  using Use = slo::ForecastPolicy::Use;
  ForecastDraft out;
  MapReader reader(node, "forecast of " + policy, report);
  if (!reader.is_map()) return out;
  out.at = &node;
  if (const YamlNode* method = reader.find("method")) {
    const auto word = read_choice(*method, "'method' of " + reader.what(),
                                  {"auto", "regression+expiry", "seasonal+expiry"}, report);
    if (word) {
      out.use = *word == "auto"                ? Use::better
                : *word == "regression+expiry" ? Use::regression
                                               : Use::seasonal;
    }
  }
  if (const YamlNode* history = reader.find("history")) {
    out.history_s =
        read_duration_s(*history, "'history' of " + reader.what(), 120, 31 * kDay, report);
  }
  if (const YamlNode* points = reader.find("minPoints")) {
    out.min_points = read_integer(*points, "'minPoints' of " + reader.what(), 3, 10'000, report);
  }
  if (const YamlNode* horizon = reader.find("horizon")) {
    out.horizon_s =
        read_duration_s(*horizon, "'horizon' of " + reader.what(), 60, kMaxDays, report);
  }
  if (const YamlNode* warning = reader.find("warning")) {
    read_warning(*warning, policy, report, out);
  }
  reader.finish();
  return out;
}

void apply_forecast(const ForecastDraft& draft, slo::SloSpec& spec, Reporter& report) {
  if (draft.at == nullptr) return;
  slo::ForecastPolicy& to = spec.forecast;
  if (draft.use) to.use = *draft.use;
  to.history_s = draft.history_s.value_or(to.history_s);
  if (draft.min_points) to.min_points = static_cast<size_t>(*draft.min_points);
  to.horizon_s = draft.horizon_s.value_or(to.horizon_s);
  to.warn_within_s = draft.warn_within_s.value_or(to.warn_within_s);
  to.warn_min_bad = draft.warn_min_bad.value_or(to.warn_min_bad);
  to.warn_severity = draft.warn_severity.value_or(to.warn_severity);
  const int64_t step_s = spec.window_s >= kDay ? 3600 : 60;
  const int64_t points = to.history_s / step_s;
  if (points < static_cast<int64_t>(to.min_points)) {
    report.error(*draft.at,
                 "the forecast of SLO '" + spec.name + "' needs " + std::to_string(to.min_points) +
                     " points, but its history of " + format_duration_s(to.history_s) +
                     " has only " + std::to_string(points),
                 "a point is " + format_duration_s(step_s) + " for a window of " +
                     format_duration_s(spec.window_s) + "; raise history or lower minPoints");
  }
  if (to.warn_within_s > to.horizon_s) {
    report.error(*draft.at, "the forecast of SLO '" + spec.name + "' warns within " +
                                format_duration_s(to.warn_within_s) +
                                ", but looks no further than its horizon of " +
                                format_duration_s(to.horizon_s));
  }
}

}  // namespace nines::agent::config
