#include "view/incident_text.hpp"

#include <algorithm>

#include "nines/incident/current_evidence.hpp"
#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using nines::incident::current_evidence;
using nines::incident::CurrentEvidence;
using nines::incident::Entry;
using nines::incident::Evidence;
using nines::incident::failure_class_words;
using nines::incident::HistoryEntry;
using nines::incident::Incident;

std::string moment(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }

std::string since(WallTime from, WallTime to) {
  return format_duration_s(std::max<int64_t>(0, (to.ns - from.ns) / kNsPerSecond));
}

const char* color_of(const Incident& incident) {
  if (incident.over()) return "2";
  return incident.severity <= 1 ? "31;1" : "33";
}

std::string detail_of(const Evidence& evidence, const char* name) {
  const std::string* const value = evidence.entry.detail(name);
  return value != nullptr ? printable(*value) : std::string();
}

// Sentences that stand one behind the other ("a; b; c"), one a line.
std::vector<std::string> sentences_of(const std::string& text) {
  std::vector<std::string> out;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find("; ", begin), text.size());
    out.push_back(text.substr(begin, end - begin));
    begin = end + 2;
  }
  return out;
}

void append_suspects(std::string& out, const CurrentEvidence& current) {
  if (current.suspects.empty()) {
    out += "\nSuspects\n  none yet\n";
    return;
  }
  out += "\nSuspects, the strongest first; none is confirmed\n";
  size_t number = 0;
  for (const Evidence* suspect : current.suspects) {
    const std::vector<std::string> sentences = sentences_of(printable(suspect->entry.text));
    out += "  " + std::to_string(++number) + ". " + (sentences.empty() ? "" : sentences.front()) +
           "\n";
    for (size_t i = 1; i < sentences.size(); ++i) out += "     " + sentences[i] + "\n";
    const auto detail = [&](const char* name, const char* title) {
      const std::string value = detail_of(*suspect, name);
      if (!value.empty()) out += std::string("     ") + title + ": " + value + "\n";
    };
    detail("pod", "most errors in pod");
    detail("example", "example");
    detail("wrong_if", "wrong if");
    detail("score", "weight of the evidence");
  }
}

void append_kind(std::string& out, const CurrentEvidence& current) {
  if (current.failure_class == nullptr) return;
  const Evidence& kind = *current.failure_class;
  const std::string name = detail_of(kind, "class");
  out += "\nWhat kind of failure: " +
         (name == "unknown" ? name : failure_class_words(name) + ", not confirmed") + "\n  " +
         printable(kind.entry.text) + "\n";
  for (const char* why : {"why-1", "why-2", "why-3"}) {
    const std::string text = detail_of(kind, why);
    if (!text.empty()) out += "  - " + text + "\n";
  }
}

void append_impact(std::string& out, const CurrentEvidence& current) {
  if (current.impact == nullptr) return;
  out += "\nImpact, as of " + moment(current.impact->entry.at) + "\n";
  for (const std::string& sentence : sentences_of(printable(current.impact->entry.text))) {
    out += "  " + sentence + "\n";
  }
}

void append_diagnostics(std::string& out, const CurrentEvidence& current) {
  if (current.diagnostics.empty()) return;
  out += "\nDiagnostics\n";
  std::string part, left_out;
  for (const Evidence* page : current.diagnostics) {
    const std::string of = page->entry.node + '/' + detail_of(*page, "part");
    if (of != part || detail_of(*page, "part").empty()) {
      part = of;
      out += "  " + moment(page->entry.at) + " " + printable(page->entry.text) + "\n";
    }
    for (const std::string& line : nines::incident::lines_of(*page)) {
      out += "      " + printable(line) + "\n";
    }
    left_out = detail_of(*page, "left_out");
    if (!left_out.empty()) out += "      (" + left_out + " more are left out)\n";
  }
}

void append_entries(std::string& out, const char* title, const std::vector<Entry>& entries) {
  if (entries.empty()) return;
  out += std::string("\n") + title + "\n";
  for (const Entry& entry : entries) {
    out += "  " + moment(entry.at) + (entry.who.empty() ? "" : " " + printable(entry.who)) + ": " +
           printable(entry.text) + "\n";
  }
}

void append_history(std::string& out, const Incident& incident) {
  out += "\nHistory\n";
  for (const HistoryEntry& entry : nines::incident::short_history(incident)) {
    out += "  " + moment(entry.at) + " " +
           std::string(nines::incident::event_kind_name(entry.kind)) +
           (entry.by_itself ? " by itself" : "") +
           (entry.who.empty() ? "" : " by " + printable(entry.who)) +
           (entry.text.empty() ? "" : ": " + printable(entry.text)) + "\n";
  }
}

}  // namespace

std::string incidents_table(const std::vector<Incident>& incidents, WallTime now, size_t width) {
  if (incidents.empty()) return "no incidents\n";
  Table table({{"WHAT"}, {"ID"}, {"P"}, {"STATE"}, {"SINCE", true}, {"SUSPECT", false, 2}});
  for (const Incident& incident : incidents) {
    const std::string suspect = printable(nines::incident::first_suspect(incident));
    const WallTime end = incident.over() ? incident.resolved : now;
    table.add({{printable(incident.title)},
               {incident.id},
               {priority_name(incident.severity), color_of(incident)},
               {std::string(nines::incident::state_name(incident.state)), color_of(incident)},
               {since(incident.began, end)},
               {suspect.empty() ? "-" : suspect}});
  }
  return table.render(width, false);
}

std::string incident_text(const Incident& incident, WallTime now) {
  std::string out = incident.id + "  " + priority_name(incident.severity) + "  " +
                    std::string(nines::incident::state_name(incident.state)) + "\n" +
                    printable(incident.title) + "\n\n";
  const auto line = [&](const char* title, const std::string& value) {
    if (!value.empty()) out += "  " + pad_right(title, 14) + value + "\n";
  };
  const auto list = [](const std::vector<std::string>& names) {
    std::string all;
    for (const std::string& name : names) all += (all.empty() ? "" : ", ") + printable(name);
    return all;
  };
  line("services", list(incident.services));
  line("nodes", list(incident.nodes));
  line("also known as", list(incident.aliases));
  line("began", moment(incident.began));
  line("opened", moment(incident.opened) + " (" + since(incident.began, incident.opened) +
                     " after it began)");
  if (incident.acknowledged.ns != 0) {
    line("acknowledged",
         moment(incident.acknowledged) + " by " + printable(incident.acknowledged_by));
  }
  if (incident.mitigated.ns != 0) line("mitigated", moment(incident.mitigated));
  if (incident.recovered.ns != 0) line("recovered", moment(incident.recovered));
  if (incident.resolved.ns != 0) line("resolved", moment(incident.resolved));
  line("lasted", since(incident.began, incident.over() ? incident.resolved : now));
  out += "\nConditions\n";
  for (const auto& condition : incident.conditions) {
    out += std::string("  ") + (condition.condition.holds ? "holds " : "over  ") +
           moment(condition.condition.since) + " " + printable(condition.condition.text) + "\n";
  }
  const CurrentEvidence current = current_evidence(incident);
  append_impact(out, current);
  append_suspects(out, current);
  append_kind(out, current);
  append_diagnostics(out, current);
  append_entries(out, "Actions", incident.actions);
  append_entries(out, "Notes", incident.notes);
  if (!incident.items.empty()) out += "\nAction items\n";
  for (const auto& item : incident.items) {
    out += "  " + item.item + " " + printable(item.text) +
           (item.owner.empty() ? "" : " (" + printable(item.owner) + ")") +
           (item.done.ns != 0   ? " done " + moment(item.done)
            : item.overdue(now) ? " OVERDUE since " + moment(item.due)
            : item.due.ns != 0  ? " due " + moment(item.due)
                                : std::string()) +
           "\n";
  }
  append_history(out, incident);
  return out;
}

}  // namespace nines::agent::view
