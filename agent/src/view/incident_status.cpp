#include "view/incident_status.hpp"

#include <cmath>
#include <cstdio>

#include "view/table.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using nines::incident::ActionItem;
using nines::incident::Kpis;
using nines::incident::SeverityKpis;
using nines::incident::TimeTo;

constexpr size_t kMostShown = 5;  // below the status of SLOs

std::string moment(WallTime t) { return format_rfc3339(WallTime::from_s(t.seconds())); }

// "4m (2)": the mean, and of how many.
std::string time_text(const TimeTo& time) {
  if (!time.mean) return "-";
  return format_duration_s(std::llround(*time.mean)) + " (" + std::to_string(time.count) + ")";
}

std::string share_text(const std::optional<double>& share) {
  if (!share) return "-";
  char text[32];
  std::snprintf(text, sizeof text, "%.1f %%", *share * 100);
  return text;
}

std::vector<Table::Cell> kpi_row(const std::string& name, const SeverityKpis& k) {
  return {{name},
          {std::to_string(k.incidents)},
          {std::to_string(k.open)},
          {std::to_string(k.reopened)},
          {time_text(k.detect)},
          {time_text(k.acknowledge)},
          {time_text(k.mitigate)},
          {time_text(k.recover)}};
}

std::string count_of(size_t n, const char* what) {
  return std::to_string(n) + " " + what + (n == 1 ? "" : "s");
}

}  // namespace

std::string incidents_footer(const Snapshot& snapshot, const TableOptions& options) {
  const IncidentsStatus& incidents = snapshot.incidents;
  if (!incidents.kept) return {};
  if (incidents.open.empty()) return "no incident is open\n";
  const size_t n = incidents.open.size();
  std::string out = count_of(n, "incident") + (n == 1 ? " is" : " are") + " open:";
  for (size_t i = 0; i < n && i < kMostShown; ++i) {
    const OpenIncident& one = incidents.open[i];
    std::string line = one.id + ", " + priority_name(one.severity) + ", since " +
                       moment(one.since) + ", " + one.state;
    if (!one.suspect.empty()) line += ", suspect " + printable(one.suspect);
    if (options.color && one.severity <= 1) line = "\x1b[31;1m" + line + "\x1b[0m";
    out += (n == 1 ? " " : "\n  ") + line;
  }
  if (n > kMostShown) out += "\n  and " + std::to_string(n - kMostShown) + " more";
  return out += '\n';
}

void write_open_incident(JsonWriter& json, const OpenIncident& one) {
  json.begin_object().member("id", one.id).member("severity", priority_name(one.severity));
  json.member("state", one.state).member("service", one.service).member("title", one.title);
  json.member("since", one.since).key("suspect");
  if (one.suspect.empty()) {
    json.null();
  } else {
    json.value(one.suspect);
  }
  json.end_object();
}

void write_incidents(JsonWriter& json, const IncidentsStatus& incidents) {
  json.key("incidents").begin_object().member("kept", incidents.kept);
  json.key("open").begin_array();
  for (const OpenIncident& one : incidents.open) {
    write_open_incident(json, one);
  }
  json.end_array().end_object();
}

std::string kpis_text(const Kpis& k, const TableOptions& options) {
  std::string out = "from " + moment(k.from) + " to " + moment(k.to) + "\n\n";
  Table table({{"SEVERITY"},
               {"INCIDENTS", true},
               {"OPEN", true},
               {"REOPENED", true, 4},
               {"MTTD", true, 1},
               {"MTTA", true, 0},
               {"MTTM", true, 3},
               {"MTTR", true, 0}});
  for (int p = 0; p < 4; ++p) table.add(kpi_row(priority_name(p), k.by_severity[p]));
  table.add(kpi_row("all", k.all));
  out += table.render(options.width, options.color) + "\n";
  out += "P0 and P1 over within 30m: " + std::to_string(k.urgent_in_time) + " of " +
         std::to_string(k.urgent) + " (" + share_text(k.urgent_share) + ")\n";
  out += "deploys that went well: " + std::to_string(k.changes - k.changes_failed) + " of " +
         std::to_string(k.changes) + " (" + share_text(k.change_success) + ")\n";
  out += "action items: " + std::to_string(k.items) + ", done " + std::to_string(k.items_done) +
         ", overdue " + std::to_string(k.items_overdue) + "\n";
  for (const auto& repeat : k.repeats) {
    out += "came again: " + printable(repeat.signature) + ", " + std::to_string(repeat.times) +
           " times, last " + repeat.ids.back() + "\n";
  }
  return out + "means of incidents opened in that time; in brackets of how many\n";
}

std::string items_table(const std::vector<ItemShown>& items, WallTime now,
                        const TableOptions& options) {
  if (items.empty()) return "no action items\n";
  Table table({{"WHAT"},
               {"INCIDENT"},
               {"ITEM"},
               {"OWNER", false, 2},
               {"PRIORITY", false, 3},
               {"DUE", false, 1},
               {"STATE"}});
  for (const ItemShown& one : items) {
    const ActionItem& item = one.item;
    const bool done = item.done != WallTime{}, overdue = item.overdue(now);
    table.add({{printable(item.text)},
               {one.incident},
               {item.item},
               {item.owner.empty() ? "-" : printable(item.owner)},
               {item.priority.empty() ? "-" : printable(item.priority)},
               {item.due == WallTime{} ? "-" : moment(item.due)},
               {done      ? "done"
                : overdue ? "OVERDUE"
                          : "open",
                overdue ? "31;1"
                : done  ? "2"
                        : ""}});
  }
  return table.render(options.width, options.color);
}

std::string items_json(const std::vector<ItemShown>& items, WallTime now) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const ItemShown& one : items) {
    const ActionItem& item = one.item;
    json.begin_object().member("incident", one.incident).member("item", item.item);
    json.member("text", item.text).member("owner", item.owner).member("priority", item.priority);
    json.member("added", item.added).member("due", item.due).member("done", item.done);
    json.member("overdue", item.overdue(now)).end_object();
  }
  json.end_array();
  return out += '\n';
}

}  // namespace nines::agent::view
