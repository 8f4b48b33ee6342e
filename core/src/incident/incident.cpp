#include "nines/incident/incident.hpp"

#include <algorithm>

#include "incident/text.hpp"
#include "nines/incident/current_evidence.hpp"

namespace nines::incident {
namespace {

constexpr std::array<std::string_view, 5> kStates{"open", "acknowledged", "mitigated", "resolved",
                                                  "reopened"};
constexpr std::array<std::string_view, kRoles> kRoleNames{"commander", "resolver", "communications",
                                                          "expert"};
constexpr std::array<std::string_view, kRoles> kRoleTitles{
    "Incident Commander", "Primary Resolver", "Communications Lead", "Subject Matter Expert"};

void write_entry(JsonWriter& out, const Entry& e) {
  out.begin_object().member("at", e.at).member("node", e.node);
  out.member("who", e.who).member("text", e.text);
  out.key("details").begin_object();
  for (const auto& [key, value] : e.details) out.member(key, value);
  out.end_object().end_object();
}

void write_entries(JsonWriter& out, std::string_view name, const std::vector<Entry>& entries) {
  out.key(name).begin_array();
  for (const Entry& e : entries) write_entry(out, e);
  out.end_array();
}

void write_texts(JsonWriter& out, std::string_view name, const std::vector<std::string>& texts) {
  out.key(name).begin_array();
  for (const std::string& text : texts) out.value(text);
  out.end_array();
}

void write_conditions(JsonWriter& out, const Incident& i) {
  out.key("conditions").begin_array();
  for (const IncidentCondition& c : i.conditions) {
    out.begin_object().member("key", c.condition.key);
    out.member("kind", condition_kind_name(c.condition.kind));
    out.member("severity", priority_text(c.condition.priority));
    out.member("service", c.condition.service).member("node", c.condition.node);
    out.member("pod", c.condition.pod).member("text", c.condition.text);
    out.member("holds", c.condition.holds).member("since", c.condition.since);
    out.member("began", c.began).member("over", c.over);
    out.key("observers").begin_array();
    for (const auto& o : c.observers) {
      out.begin_object().member("node", o.node).member("told", o.told).member("ended", o.ended);
      out.end_object();
    }
    out.end_array().end_object();
  }
  out.end_array();
}

void write_times(JsonWriter& out, const Incident& i) {
  out.member("began", i.began).member("opened", i.opened);
  out.member("acknowledged", i.acknowledged).member("acknowledged_by", i.acknowledged_by);
  out.member("first_acknowledged", i.first_acknowledged);
  out.member("mitigated", i.mitigated).member("mitigated_by", i.mitigated_by);
  out.member("recovered", i.recovered);
  out.member("resolved", i.resolved).member("resolved_by", i.resolved_by);
  out.member("resolved_itself", i.resolved_itself).member("resolution", i.resolution);
  out.member("reopened", i.reopened).member("reopens", i.reopens);
}

void write_items(JsonWriter& out, const Incident& i, WallTime now) {
  out.key("action_items").begin_array();
  for (const ActionItem& item : i.items) {
    out.begin_object().member("item", item.item).member("text", item.text);
    out.member("owner", item.owner).member("priority", item.priority);
    out.member("added", item.added).member("due", item.due).member("done", item.done);
    out.member("overdue", item.overdue(now)).end_object();
  }
  out.end_array();
}

void write_evidence(JsonWriter& out, const Incident& i) {
  out.key("evidence").begin_array();
  for (const Evidence& e : i.evidence) {
    out.begin_object().member("number", "E" + std::to_string(e.number));
    out.member("kind", event_kind_name(e.kind)).key("entry");
    write_entry(out, e.entry);
    out.end_object();
  }
  out.end_array();
}

std::string name_of(const Evidence& e) { return "E" + std::to_string(e.number); }

// Of the evidence what counts now, by number; in full it is in `evidence`.
void write_current(JsonWriter& out, const Incident& i) {
  const CurrentEvidence current = current_evidence(i);
  const auto write_list = [&](std::string_view name, const std::vector<const Evidence*>& list) {
    out.key(name).begin_array();
    for (const Evidence* e : list) out.value(name_of(*e));
    out.end_array();
  };
  const auto write_one = [&](std::string_view name, const Evidence* e) {
    out.key(name);
    if (e == nullptr) {
      out.null();
      return;
    }
    out.begin_object().member("evidence", name_of(*e)).member("text", e->entry.text);
    for (const auto& [key, value] : e->entry.details) {
      if (key != "evidence" && key != "text") out.member(key, value);
    }
    out.end_object();
  };
  write_list("suspects", current.suspects);
  write_one("failure_class", current.failure_class);
  write_one("impact", current.impact);
  write_list("diagnostics", current.diagnostics);
}

void write_history(JsonWriter& out, const Incident& i) {
  out.key("history").begin_array();
  for (const HistoryEntry& h : i.history) {
    out.begin_object().member("at", h.at).member("kind", event_kind_name(h.kind));
    out.member("node", h.node).member("who", h.who).member("text", h.text).end_object();
  }
  out.end_array();
}

}  // namespace

std::string_view state_name(State state) noexcept { return kStates[static_cast<size_t>(state)]; }

std::optional<State> state_of(std::string_view name) noexcept {
  const auto found = std::find(kStates.begin(), kStates.end(), name);
  if (found == kStates.end()) return std::nullopt;
  return static_cast<State>(found - kStates.begin());
}

std::string_view role_name(Role role) noexcept { return kRoleNames[static_cast<size_t>(role)]; }
std::string_view role_title(Role role) noexcept { return kRoleTitles[static_cast<size_t>(role)]; }

std::optional<Role> role_of(std::string_view name) noexcept {
  const auto found = std::find(kRoleNames.begin(), kRoleNames.end(), name);
  if (found == kRoleNames.end()) return std::nullopt;
  return static_cast<Role>(found - kRoleNames.begin());
}

const std::string* Entry::detail(std::string_view name) const noexcept {
  return find_detail(details, name);
}

bool Incident::holding() const noexcept {
  return std::any_of(conditions.begin(), conditions.end(),
                     [](const IncidentCondition& c) { return c.condition.holds; });
}

bool Incident::concerns(std::string_view name) const noexcept {
  return std::find(services.begin(), services.end(), name) != services.end();
}

std::string Incident::signature() const {
  if (conditions.empty()) return "declared " + (service.empty() ? "no service" : service);
  const Condition& first = conditions.front().condition;
  const std::string& where = first.service.empty() ? first.node : first.service;
  return std::string(condition_kind_name(first.kind)) + " " + where;
}

const Evidence* Incident::newest(EventKind kind) const noexcept {
  const auto found = std::find_if(evidence.rbegin(), evidence.rend(),
                                  [&](const Evidence& e) { return e.kind == kind; });
  return found == evidence.rend() ? nullptr : &*found;
}

void write_json(JsonWriter& out, const Incident& i, WallTime now) {
  out.begin_object().member("id", i.id);
  write_texts(out, "aliases", i.aliases);
  out.member("key", i.key).member("state", state_name(i.state));
  out.member("severity", priority_text(i.severity)).member("severity_by", i.severity_by);
  out.member("title", i.title).member("service", i.service);
  write_texts(out, "services", i.services);
  write_texts(out, "nodes", i.nodes);
  out.member("opened_on", i.opened_on).member("declared", i.declared);
  write_times(out, i);
  out.key("roles").begin_object();
  for (size_t r = 0; r < kRoles; ++r) out.member(kRoleNames[r], i.roles[r]);
  out.end_object();
  write_conditions(out, i);
  write_entries(out, "pages", i.pages);
  write_entries(out, "communications", i.communications);
  write_entries(out, "actions", i.actions);
  write_entries(out, "notes", i.notes);
  write_entries(out, "causes", i.causes);
  write_current(out, i);
  write_evidence(out, i);
  write_items(out, i, now);
  write_history(out, i);
  out.member("left_out", i.left_out).end_object();
}

}  // namespace nines::incident
