#include "view/incident_text.hpp"

#include <algorithm>

#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using nines::incident::Entry;
using nines::incident::EventKind;
using nines::incident::Evidence;
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

// Of each rank the newest word.
std::vector<const Evidence*> newest_suspects(const Incident& incident) {
  std::vector<const Evidence*> out;
  for (auto it = incident.evidence.rbegin(); it != incident.evidence.rend(); ++it) {
    if (it->kind != EventKind::suspects) continue;
    const std::string* const rank = it->entry.detail("rank");
    const bool known = std::any_of(out.begin(), out.end(), [&](const Evidence* one) {
      const std::string* const other = one->entry.detail("rank");
      return rank == other || (rank != nullptr && other != nullptr && *rank == *other);
    });
    if (!known) out.push_back(&*it);
  }
  std::sort(out.begin(), out.end(), [](const Evidence* a, const Evidence* b) {
    const std::string *x = a->entry.detail("rank"), *y = b->entry.detail("rank");
    return (x != nullptr ? *x : "9") < (y != nullptr ? *y : "9");
  });
  return out;
}

void append_suspects(std::string& out, const Incident& incident) {
  const auto suspects = newest_suspects(incident);
  if (suspects.empty()) return;
  out += "\nSuspects\n";
  size_t number = 0;
  for (const Evidence* suspect : suspects) {
    out += "  " + std::to_string(++number) + ". " + printable(suspect->entry.text) + "\n";
    const auto detail = [&](const char* name, const char* title) {
      const std::string* const value = suspect->entry.detail(name);
      if (value != nullptr && !value->empty()) {
        out += std::string("     ") + title + ": " + printable(*value) + "\n";
      }
    };
    detail("pod", "most errors in pod");
    detail("example", "example");
    detail("wrong_if", "wrong if");
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
  for (const HistoryEntry& entry : incident.history) {
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
    const auto suspects = newest_suspects(incident);
    const std::string* const suspect =
        suspects.empty() ? nullptr : suspects.front()->entry.detail("service");
    const WallTime end = incident.over() ? incident.resolved : now;
    table.add({{printable(incident.title)},
               {incident.id},
               {priority_name(incident.severity), color_of(incident)},
               {std::string(nines::incident::state_name(incident.state)), color_of(incident)},
               {since(incident.began, end)},
               {suspect != nullptr ? printable(*suspect) : "-"}});
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
  append_suspects(out, incident);
  for (const Evidence& evidence : incident.evidence) {
    if (evidence.kind != EventKind::suspects) {
      append_entries(out, evidence.kind == EventKind::impact ? "Impact" : "Diagnostics",
                     {evidence.entry});
    }
  }
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
