// What is said of incidents beside the status of SLOs, and figures of many of them, for people.
#pragma once

#include <string>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/base/json_writer.hpp"
#include "nines/incident/kpi.hpp"
#include "nines/incident/postmortem.hpp"
#include "view/status_table.hpp"

namespace nines::agent::view {

// "1 incident is open: INC-2026-0301-042, P1, since 2026-03-01T22:00:00Z, shop ...", a line each;
// empty where incidents are not kept.
std::string incidents_footer(const Snapshot& snapshot, const TableOptions& options);
// One object: what GET /api/status and services say of it.
void write_open_incident(JsonWriter& json, const OpenIncident& incident);
// {"kept": true, "open": [...]}
void write_incidents(JsonWriter& json, const IncidentsStatus& incidents);

std::string kpis_text(const nines::incident::Kpis& kpis, const TableOptions& options);

struct ItemShown {
  std::string incident;
  nines::incident::ActionItem item;
};
std::string items_table(const std::vector<ItemShown>& items, WallTime now,
                        const TableOptions& options);
std::string items_json(const std::vector<ItemShown>& items, WallTime now);

}  // namespace nines::agent::view
