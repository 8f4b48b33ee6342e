#include "view/status_table.hpp"

#include <algorithm>
#include <cmath>

#include "view/counts.hpp"
#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::SloStatus;

constexpr int kBarCells = 10;
constexpr const char* kGreen = "32";
constexpr const char* kYellow = "33";
constexpr const char* kRed = "31";
constexpr const char* kRedBold = "31;1";
constexpr const char* kDim = "2";

std::string budget_bar(const std::optional<double>& left, bool unicode) {
  if (!left || !std::isfinite(*left)) return "-";
  const double clamped = std::clamp(*left, 0.0, 1.0);
  int full = static_cast<int>(std::floor(clamped * kBarCells));
  if (full == 0 && clamped > 0) full = 1;  // something is left: show it
  std::string bar;
  for (int i = 0; i < kBarCells; ++i) {
    if (unicode)
      bar += i < full ? "\u2588" : "\u2591";
    else
      bar += i < full ? '#' : '.';
  }
  char buffer[400];
  const int n = std::snprintf(buffer, sizeof buffer, "%.1f%%", *left * 100);
  return bar + pad_left(std::string_view(buffer, static_cast<size_t>(n)), 8);
}

const char* budget_color(const std::optional<double>& left) {
  if (!left) return kDim;
  return *left <= 0 ? kRedBold : *left < 0.1 ? kRed : *left < 0.5 ? kYellow : kGreen;
}

const char* risk_color(slo::Risk risk) {
  switch (risk) {
    case slo::Risk::safe: return kGreen;
    case slo::Risk::observe: return kYellow;
    case slo::Risk::danger: return kRed;
    case slo::Risk::freeze: return kRedBold;
  }
  return "";
}

const char* state_color(slo::State state) {
  switch (state) {
    case slo::State::healthy: return kGreen;
    case slo::State::degrading: return kYellow;
    case slo::State::violated: return kRedBold;
    case slo::State::no_data: return kDim;
  }
  return "";
}

const char* burn_color(const std::optional<double>& burn) {
  return !burn || *burn < 1 ? "" : *burn <= 2 ? kYellow : kRed;
}

std::string firing_rules(const SloStatus& s) {
  std::string names;
  for (const slo::RuleState& r : s.rules) {
    if (!r.firing) continue;
    names += (names.empty() ? "" : ",") + r.rule.name + ":" + r.rule.severity;
  }
  if (s.forecast.warning) {
    names += (names.empty() ? "" : ",") + std::string("forecast:") + s.forecast.warning_severity;
  }
  return names.empty() ? "-" : printable(names);
}

std::vector<Table::Cell> slo_row(const SloStatus& s, bool unicode) {
  const bool has_data = s.state != slo::State::no_data;
  return {{printable(s.slo) + (s.draft ? "*" : "")},
          {printable(s.service)},
          {s.parts.empty() ? exact_percent(s.target) : "-"},
          {percent(s.sli)},
          {amount(s.window.good, s.window)},
          {amount(s.window.bad, s.window)},
          {amount(s.window.total(), s.window)},
          {short_number(s.burn_5m.burn), burn_color(s.burn_5m.burn)},
          {short_number(s.burn_1h.burn), burn_color(s.burn_1h.burn)},
          {short_number(s.burn_24h.burn), burn_color(s.burn_24h.burn)},
          {budget_bar(s.error_budget_remaining, unicode), budget_color(s.error_budget_remaining)},
          {std::string(slo::risk_name(s.risk)), has_data ? risk_color(s.risk) : kDim},
          {std::string(slo::state_name(s.state)), state_color(s.state)},
          {firing_rules(s), firing_rules(s) == "-" ? "" : kRedBold}};
}

}  // namespace

std::string status_table(const Snapshot& snapshot, const TableOptions& options) {
  if (snapshot.slos.empty()) return "no SLO is watched\n";
  Table table({{"SLO", false, 0},
               {"SERVICE", false, 8},
               {"TARGET", true, 5},
               {"SLI", true, 0},
               {"GOOD", true, 10},
               {"BAD", true, 3},
               {"TOTAL", true, 7},
               {"5M", true, 4},
               {"1H", true, 6},
               {"24H", true, 9},
               {"BUDGET LEFT", false, 0},
               {"RISK", false, 2},
               {"STATE", false, 0},
               {"ALERTS", false, 1}});
  bool drafts = false;
  for (const SloStatus& s : snapshot.slos) {
    table.add(slo_row(s, options.unicode));
    drafts = drafts || s.draft;
  }
  std::string out = table.render(options.width, options.color);
  if (drafts)
    out += "* a draft made from the logs; `nines suggest` prints it to keep and correct\n";
  return out;
}

std::string sources_table(const Snapshot& snapshot, const TableOptions& options) {
  if (snapshot.sources.empty()) return "no source is read\n";
  Table table({{"SOURCE", false, 0},
               {"FORMAT", false, 2},
               {"FILES", true, 3},
               {"RECORDS", true, 0},
               {"MALFORMED", true, 1},
               {"LAG", true, 0}});
  for (const SourceStatus& s : snapshot.sources) {
    uint64_t malformed = 0;
    for (const auto& [reason, lines] : s.malformed) malformed += lines;
    const auto lag = static_cast<uint64_t>(std::max<int64_t>(s.lag_bytes, 0));
    table.add({{printable(s.name)},
               {s.format},
               {std::to_string(s.files)},
               {std::to_string(s.records)},
               {std::to_string(malformed), malformed == 0 ? "" : kYellow},
               {human_bytes(lag)}});
  }
  return table.render(options.width, options.color);
}

}  // namespace nines::agent::view
