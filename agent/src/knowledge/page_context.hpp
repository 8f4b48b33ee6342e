// PageContext: what whoever is paged needs beside what the knowledge base has: how much budget is
// left and how fast it goes, who is suspected, and the newest lines that say what is wrong. All of
// it bounded; lines are redacted (view/redacted.hpp), because pages leave the fleet.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/incident.hpp"
#include "nines/slo/engine.hpp"

namespace nines::agent::knowledge {

struct BudgetLeft {
  std::string slo, window;     // "30d"
  std::optional<double> left;  // of 1; below 0: overspent
  std::optional<double> burn_5m, burn_1h;
  std::optional<double> exhausted_in_h;  // forecast; none: not in sight, or not known
};

struct PageContext {
  static constexpr size_t kMostBudgets = 3, kMostSuspects = 3, kMostLines = 3;
  static constexpr size_t kMaxSuspect = 240, kMaxLine = 240, kMaxName = 128;
  std::vector<BudgetLeft> budgets;  // the least left first
  std::vector<std::string> suspects, lines;
  bool empty() const noexcept { return budgets.empty() && suspects.empty() && lines.empty(); }
};

// Which SLOs an event is about: its own; of an incident those whose alerts belong to it, else
// those of its services. `incident`: what the event belongs to; null: nothing that is known.
std::vector<BudgetLeft> budgets_of(const slo::SloEngine& engine, const slo::AlertEvent& event,
                                   const nines::incident::Incident* incident);
std::vector<std::string> suspects_of(const nines::incident::Incident& incident);
// Lines that were kept with the incident when it was looked into, for whoever has no newer ones.
std::vector<std::string> examples_of(const nines::incident::Incident& incident);
// Whose lines are shown: of who is suspected, then of what the event is about.
std::vector<std::string> services_of(const slo::AlertEvent& event,
                                     const nines::incident::Incident* incident);

// For people: the parts as texts of one or more lines, empty where there is none.
std::string budgets_text(const PageContext& context);
std::string suspects_text(const PageContext& context);
std::string lines_text(const PageContext& context);
// {"budgets": [...], "suspects": [...], "lines": [...]}.
std::string to_json(const PageContext& context);

// Goes with an event as details, which messages take from there. Lines are redacted here.
inline constexpr const char* kContextJson = "context";
inline constexpr const char* kBudgetsText = "context_budgets";
inline constexpr const char* kSuspectsText = "context_suspects";
inline constexpr const char* kLinesText = "context_lines";
void attach(slo::AlertEvent& event, PageContext context);

// For those who want no line of a log in a message: takes the lines, and what sentences quote.
void leave_out_lines(PageContext& context);
void leave_out_lines(slo::AlertEvent& event);  // of the first suspect, which it names

}  // namespace nines::agent::knowledge
