#include "view/fleet_table.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "nines/base/time.hpp"
#include "view/table.hpp"

namespace nines::agent::view {
namespace {

using nlohmann::json;
constexpr const char* kRed = "31;1";
constexpr const char* kYellow = "33";

// Of an agent of another version a member may be missing or of another kind.
std::string text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}
int64_t number(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_number_integer() ? found->get<int64_t>() : 0;
}
bool flag(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}
std::string percent(const json& object, const char* name, int digits) {
  const auto found = object.find(name);
  if (found == object.end() || !found->is_number()) return "-";
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%.*f %%", digits, found->get<double>() * 100);
  return buffer;
}
json list(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : json::array();
}

Result<json> parse(const std::string& body) {
  json tree = json::parse(body, nullptr, false);
  if (tree.is_object()) return tree;
  return Error{Errc::corrupt, "the agent's answer is not the document of a fleet"};
}

std::string isolation_line(const json& fleet) {
  if (!flag(fleet, "isolated")) return {};
  return text(fleet, "node") + " is cut off from most of its peers: what follows is old of them.\n";
}

std::string offset_of(const json& node) {
  const auto offset = node.find("clock_offset_ms"), sure = node.find("clock_uncertainty_ms");
  if (offset == node.end() || !offset->is_number() || sure == node.end() || !sure->is_number()) {
    return "-";
  }
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%+.1f ms (+-%.1f)", offset->get<double>(),
                sure->get<double>());
  return buffer;
}

}  // namespace

Result<std::string> fleet_status_table(const std::string& fleet_json, size_t width, bool color) {
  NINES_TRY(const json fleet, parse(fleet_json));
  Table table({{"SLO"},
               {"SERVICE", false, 3},
               {"TARGET", true, 2},
               {"WINDOW", true, 2},
               {"GOOD", true, 4},
               {"BAD", true, 1},
               {"SLI", true},
               {"BUDGET LEFT", true},
               {"NODES", true}});
  for (const json& slo : list(fleet, "slos")) {
    const json nodes = list(slo, "nodes");
    const int64_t stale = number(slo, "stale_nodes");
    const std::string of = std::to_string(nodes.size());
    table.add({{text(slo, "slo")},
               {text(slo, "service")},
               {text(slo, "target")},
               {text(slo, "window")},
               {std::to_string(number(slo, "good"))},
               {std::to_string(number(slo, "bad"))},
               {percent(slo, "sli", 3)},
               {percent(slo, "error_budget_remaining", 1), flag(slo, "violated") ? kRed : ""},
               {stale == 0 ? of : of + ", " + std::to_string(stale) + " stale",
                stale == 0 ? "" : kYellow}});
  }
  return isolation_line(fleet) + table.render(width, color);
}

Result<std::string> fleet_nodes_table(const std::string& fleet_json, size_t width, bool color) {
  NINES_TRY(const json fleet, parse(fleet_json));
  Table table({{"NODE"},
               {"STATE"},
               {"LINK", false, 1},
               {"HEARD", true},
               {"CLOCK", true, 2},
               {"SLOS", true, 3},
               {"ADDRESS", false, 4}});
  for (const json& node : list(fleet, "nodes")) {
    const bool self = flag(node, "self");
    const std::string state = text(node, "state");
    const std::string role = text(node, "role");
    const bool plain = role.empty() || role == "node";
    const bool isolated = !text(node, "isolated_since").empty();
    table.add({{text(node, "node")},
               {self       ? "this node"
                : isolated ? state + ", isolated"
                : plain    ? state
                           : state + ", " + role,
                state == "silent"                ? kRed
                : state == "suspect" || isolated ? kYellow
                                                 : ""},
               {self                      ? "-"
                : flag(node, "connected") ? "yes"
                                          : "no"},
               {self ? "-" : format_duration_s(number(node, "heard_ago_s")) + " ago"},
               {offset_of(node)},
               {std::to_string(number(node, "slos"))},
               {text(node, "address")}});
  }
  return isolation_line(fleet) + table.render(width, color);
}

}  // namespace nines::agent::view
