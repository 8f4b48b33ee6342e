#include "view/capacity.hpp"

#include <cstdio>

#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::CapacityForecast;
using slo::CapacityState;

std::string share_text(const std::optional<double>& share) {
  if (!share) return "-";
  char text[400];
  const int n = std::snprintf(text, sizeof text, "%.1f%%", 100 * *share);
  return {text, static_cast<size_t>(n)};
}

std::string growth_text(const CapacityForecast& f) {
  if (!f.growth_per_day) return "-";
  char text[400];
  const int n = std::snprintf(text, sizeof text, "%+.2f (%+.2f..%+.2f)", 100 * *f.growth_per_day,
                              100 * f.growth_low.value_or(0), 100 * f.growth_high.value_or(0));
  return {text, static_cast<size_t>(n)};
}

std::string days_text(const CapacityForecast& f, const std::optional<double>& days) {
  if (!f.growth_per_day) return "?";
  if (!days) return "not";
  char text[48];
  const int n = std::snprintf(text, sizeof text, "%.0fd", *days);
  return *days == 0 ? "now" : std::string(text, static_cast<size_t>(n));
}

const char* state_color(CapacityState state) {
  switch (state) {
    case CapacityState::ok: return "32";
    case CapacityState::watch: return "33";
    case CapacityState::scale: return "31";
    case CapacityState::critical: return "31;1";
  }
  return "";
}

}  // namespace

void write_capacity(JsonWriter& json, const Capacities& vitals) {
  json.begin_array();
  for (const CapacityForecast& f : vitals) {
    json.begin_object().member("vital", f.vital).member("state", capacity_state_name(f.state));
    json.member("newest", f.newest).member("highest", f.highest);
    json.member("newest_day", f.newest_day).member("days", f.days);
    json.key("thresholds").begin_object().member("watch", f.levels.watch);
    json.member("scale", f.levels.scale).member("critical", f.levels.critical).end_object();
    json.member("growth_per_day", f.growth_per_day).member("growth_low", f.growth_low);
    json.member("growth_high", f.growth_high).member("growing", f.growing);
    json.member("in_30_days", f.in_30_days).member("in_90_days", f.in_90_days);
    json.member("days_to_scale", f.days_to_scale);
    json.member("days_to_critical", f.days_to_critical);
    json.member("days_to_critical_earliest", f.days_to_critical_earliest);
    json.member("days_to_critical_latest", f.days_to_critical_latest);
    json.member("message", f.message).end_object();
  }
  json.end_array();
}

std::string capacity_json(const Capacities& vitals) {
  std::string out;
  JsonWriter json(out, 2);
  write_capacity(json, vitals);
  return out += '\n';
}

std::string capacity_table(const Capacities& vitals, const TableOptions& options) {
  if (vitals.empty()) return "nothing is known yet: a first value takes five minutes\n";
  Table table({{"VITAL", false, 0},
               {"STATE", false, 0},
               {"NEWEST", true, 0},
               {"HIGHEST", true, 4},
               {"DAYS", true, 3},
               {"POINTS A DAY (80%)", true, 2},
               {"IN 30D", true, 5},
               {"IN 90D", true, 1},
               {"SCALE IN", true, 1},
               {"CRITICAL IN", true, 0}});
  for (const CapacityForecast& f : vitals) {
    table.add({{printable(f.vital)},
               {std::string(slo::capacity_state_name(f.state)), state_color(f.state)},
               {share_text(f.newest)},
               {share_text(f.highest)},
               {std::to_string(f.days)},
               {growth_text(f)},
               {share_text(f.in_30_days)},
               {share_text(f.in_90_days)},
               {days_text(f, f.days_to_scale)},
               {days_text(f, f.days_to_critical)}});
  }
  return table.render(options.width, options.color);
}

}  // namespace nines::agent::view
