#include "knowledge/page_context.hpp"

#include <algorithm>
#include <utility>

#include "nines/base/json_writer.hpp"
#include "nines/incident/current_evidence.hpp"
#include "notify/message.hpp"
#include "view/redacted.hpp"
#include "view/text.hpp"

namespace nines::agent::knowledge {
namespace {

using nines::incident::Incident;

constexpr std::string_view kBurnKey = "burn/";
constexpr std::string_view kSuspectDetail = "suspect";  // of events of an incident

void add_new(std::vector<std::string>& to, const std::string& name) {
  if (!name.empty() && std::find(to.begin(), to.end(), name) == to.end()) to.push_back(name);
}

// By name; empty: none is named, its services' are meant.
std::vector<std::string> slos_of(const slo::AlertEvent& event, const Incident* incident) {
  std::vector<std::string> out;
  if (event.detail("transition") == nullptr) add_new(out, event.slo);
  if (incident == nullptr) return out;
  for (const auto& one : incident->conditions) {
    const std::string& key = one.condition.key;
    if (key.starts_with(kBurnKey)) add_new(out, key.substr(kBurnKey.size()));
  }
  return out;
}

BudgetLeft budget_of(const slo::SloStatus& status) {
  BudgetLeft out;
  out.slo = status.slo;
  out.window = status.window_name;
  out.left = status.error_budget_remaining;
  out.burn_5m = status.burn_5m.burn;
  out.burn_1h = status.burn_1h.burn;
  out.exhausted_in_h = status.forecast.time_to_exhaustion_hours;
  return out;
}

void write_texts(JsonWriter& json, const char* key, const std::vector<std::string>& texts) {
  json.key(key).begin_array();
  for (const std::string& text : texts) json.value(text);
  json.end_array();
}

std::string listed(const std::vector<std::string>& texts) {
  std::string out;
  for (const std::string& text : texts) out += (out.empty() ? "  " : "\n  ") + text;
  return out;
}

}  // namespace

std::vector<BudgetLeft> budgets_of(const slo::SloEngine& engine, const slo::AlertEvent& event,
                                   const Incident* incident) {
  const std::vector<std::string> named = slos_of(event, incident);
  const std::vector<std::string> services = services_of(event, incident);
  const auto among = [](const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  };
  std::vector<BudgetLeft> by_name, by_service;
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i)) continue;
    const slo::SloSpec& spec = engine.spec(i);
    const bool is_named = among(named, spec.name);
    if (!is_named && !among(services, spec.service)) continue;
    (is_named ? by_name : by_service).push_back(budget_of(engine.status(i)));
  }
  std::vector<BudgetLeft>& out = by_name.empty() ? by_service : by_name;
  std::erase_if(out, [](const BudgetLeft& one) { return !one.left; });
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return *a.left < *b.left; });
  if (out.size() > PageContext::kMostBudgets) out.resize(PageContext::kMostBudgets);
  return std::move(out);
}

std::vector<std::string> suspects_of(const Incident& incident) {
  std::vector<std::string> out;
  for (const auto* suspect : nines::incident::current_evidence(incident).suspects) {
    if (out.size() >= PageContext::kMostSuspects) break;
    out.push_back(suspect->entry.text);
  }
  return out;
}

std::vector<std::string> examples_of(const Incident& incident) {
  constexpr std::string_view kNow = " now logs ";
  std::vector<std::string> out;
  for (const auto* page : nines::incident::current_evidence(incident).diagnostics) {
    const std::string* const part = page->entry.detail("part");
    if (part == nullptr || *part != "examples") continue;
    for (std::string& line : nines::incident::lines_of(*page)) {
      const bool current = line.find(kNow) != std::string::npos;
      if (current && out.size() < PageContext::kMostLines) out.push_back(std::move(line));
    }
  }
  return out;
}

std::vector<std::string> services_of(const slo::AlertEvent& event, const Incident* incident) {
  std::vector<std::string> out;
  if (incident != nullptr) {
    for (const auto* suspect : nines::incident::current_evidence(*incident).suspects) {
      const std::string* const service = suspect->entry.detail("service");
      if (service != nullptr) add_new(out, *service);
    }
    for (const std::string& service : incident->services) add_new(out, service);
  }
  add_new(out, event.service);
  return out;
}

std::string budgets_text(const PageContext& context) {
  std::vector<std::string> out;
  for (const BudgetLeft& one : context.budgets) {
    std::string text = one.slo + ": " + view::percent(one.left) + " left";
    if (!one.window.empty()) text += " of " + one.window;
    if (one.burn_1h) text += ", burns " + view::short_number(one.burn_1h) + "x over 1h";
    if (one.burn_5m) text += ", " + view::short_number(one.burn_5m) + "x over 5m";
    if (one.exhausted_in_h && one.left.value_or(0) > 0) {
      text += ", gone in " + view::short_number(one.exhausted_in_h) + " h";
    }
    out.push_back(std::move(text));
  }
  return listed(out);
}

std::string suspects_text(const PageContext& context) { return listed(context.suspects); }
std::string lines_text(const PageContext& context) { return listed(context.lines); }

std::string to_json(const PageContext& context) {
  std::string out;
  JsonWriter json(out);
  json.begin_object().key("budgets").begin_array();
  for (const BudgetLeft& one : context.budgets) {
    json.begin_object().member("slo", one.slo).member("window", one.window);
    json.member("left", one.left).member("burn_rate_5m", one.burn_5m);
    json.member("burn_rate_1h", one.burn_1h);
    json.member("exhausted_in_hours", one.exhausted_in_h).end_object();
  }
  json.end_array();
  write_texts(json, "suspects", context.suspects);
  write_texts(json, "lines", context.lines);
  json.end_object();
  return out;
}

void attach(slo::AlertEvent& event, PageContext context) {
  if (context.empty() || event.detail(kContextJson) != nullptr) return;
  if (context.budgets.size() > PageContext::kMostBudgets) {
    context.budgets.resize(PageContext::kMostBudgets);
  }
  for (BudgetLeft& one : context.budgets) {
    one.slo = notify::cut(view::printable(one.slo), PageContext::kMaxName);
  }
  const auto make_fit = [](std::vector<std::string>& texts, size_t most, size_t bytes) {
    if (texts.size() > most) texts.resize(most);
    for (std::string& text : texts) {
      // Before it is cut: half a credential is one, too.
      text = notify::cut(view::printable(view::redacted(text)), bytes);
    }
  };
  make_fit(context.suspects, PageContext::kMostSuspects, PageContext::kMaxSuspect);
  make_fit(context.lines, PageContext::kMostLines, PageContext::kMaxLine);
  event.details.emplace_back(kContextJson, to_json(context));
  for (const auto& [name, text] : {std::pair{kBudgetsText, budgets_text(context)},
                                   std::pair{kSuspectsText, suspects_text(context)},
                                   std::pair{kLinesText, lines_text(context)}}) {
    if (!text.empty()) event.details.emplace_back(name, text);
  }
}

void leave_out_lines(PageContext& context) {
  context.lines.clear();
  for (std::string& text : context.suspects) text = view::without_quotes(text);
}

void leave_out_lines(slo::AlertEvent& event) {
  for (auto& [name, text] : event.details) {
    if (name == kSuspectDetail) text = view::without_quotes(text);
  }
}

}  // namespace nines::agent::knowledge
