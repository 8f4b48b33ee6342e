// The status document of DESIGN 4.2 and its neighbours, as JSON, NDJSON and CSV. Ratios that are
// undefined are null (CSV: empty), never NaN; the same Snapshot gives the same bytes everywhere.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "app/snapshot.hpp"
#include "nines/base/json_writer.hpp"

namespace nines::agent::view {

// One object of the array.
void write_slo(JsonWriter& json, const slo::SloStatus& status);

// The members "release" and "budget_policy" of an object.
void write_release(JsonWriter& json, const slo::SloStatus& status);

std::string slos_json(const Snapshot& snapshot);    // array, indented, ends with a newline
std::string slos_ndjson(const Snapshot& snapshot);  // an object a line
std::string slos_csv(const Snapshot& snapshot);     // RFC 4180 with a header line, LF

std::string agent_json(
    const Snapshot& snapshot);  // GET /api/status: node, version, sources, limits

// The release gate of an SLO, a service or (without a name) all there is: the strictest of theirs.
struct Gate {
  slo::Release decision = slo::Release::go;
  std::vector<const slo::SloStatus*> slos;  // of the snapshot
};
std::optional<Gate> gate_of(const Snapshot& snapshot, std::string_view name);  // nullopt: unknown
std::string gate_json(const Gate& gate);
std::string gate_text(const Gate& gate);  // the decision, then a line for each SLO

// The firing rule in one sentence with the counts it comes from.
std::string rule_summary(const slo::SloStatus& status, const slo::RuleState& rule);

}  // namespace nines::agent::view
