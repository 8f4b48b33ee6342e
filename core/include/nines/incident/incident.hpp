// Incident: what broke, as all nodes tell it: the fold of all its events (incident_event.hpp), with
// what time alone has done to it by the moment asked for. A value; made by IncidentBook.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/json_writer.hpp"
#include "nines/incident/incident_event.hpp"

namespace nines::incident {

enum class State : uint8_t { open, acknowledged, mitigated, resolved, reopened };
std::string_view state_name(State state) noexcept;
std::optional<State> state_of(std::string_view name) noexcept;

enum class Role : uint8_t { commander, resolver, communications, expert };
inline constexpr size_t kRoles = 4;
std::string_view role_name(Role role) noexcept;   // "commander"
std::string_view role_title(Role role) noexcept;  // "Incident Commander"
std::optional<Role> role_of(std::string_view name) noexcept;

// A condition as its observers told it.
struct IncidentCondition {
  Condition condition;  // the worst priority that it had; `holds` and `at` as of the moment asked
  WallTime began{};     // when the first observer told it (last time)
  // When the last observer told that it is over, or went silent about it. 0: it holds.
  WallTime over{};
  struct Observer {
    std::string node;
    WallTime told{};   // last
    WallTime ended{};  // 0: holds, as far as it said
  };
  std::vector<Observer> observers;
};

// One entry of a list of an incident: what an event said.
struct Entry {
  WallTime at{};
  std::string node, who, text;
  Details details;
  const std::string* detail(std::string_view name) const noexcept;
};

// Suspects, impact and diagnostics, numbered through as they came: "E1".
struct Evidence {
  int number = 0;
  EventKind kind = EventKind::suspects;
  Entry entry;
};

struct ActionItem {
  std::string item;  // its name within the incident: "A1"
  std::string uid;   // of the event that added it
  std::string text, owner, priority;
  WallTime added{}, due{}, done{};  // 0: not given, not done
  bool overdue(WallTime now) const noexcept {
    return done == WallTime{} && due != WallTime{} && due < now;
  }
};

// One line of the history: every event, in the order in which it was folded, and what followed from
// them by time alone (resolved by itself).
struct HistoryEntry {
  WallTime at{};
  EventKind kind = EventKind::note;
  bool by_itself = false;  // no event: `kind` is resolved
  std::string node, who, text;
};

struct Incident {
  std::string id;  // INC-YYYY-MMDD-NNN
  // Other ids that it has been told by: of incidents that became part of it, or from before a
  // collision was settled.
  std::vector<std::string> aliases;
  std::string key;
  std::string opened_on;  // the node that opened it
  State state = State::open;
  int severity = 3;           // P0..P3: the worst of its conditions, or as set
  std::string severity_by{};  // who set it; empty: nobody
  std::string title;          // the sentence of the worst condition (of these the first)
  std::string service;        // of the condition that opened it; may be empty
  std::vector<std::string> services, nodes;  // all, in the order of their coming

  WallTime began{};  // when it began to be wrong, as far as known
  WallTime opened{};
  WallTime acknowledged{};  // 0: not since it was opened or reopened
  WallTime first_acknowledged{}, mitigated{};
  WallTime recovered{};  // the last condition was over; 0: one holds, or it has none
  WallTime resolved{};   // 0: it is not
  WallTime reopened{};   // the last time
  int reopens = 0;
  bool resolved_itself = false, declared = false;
  WallTime unanswered_since{};  // what ack timers count from: opened, reopened, or became worse
  std::string acknowledged_by, mitigated_by, resolved_by;
  std::string resolution;  // what was said when it was resolved

  std::vector<IncidentCondition> conditions;  // in the order of their coming
  std::array<std::string, kRoles> roles;      // who; empty: nobody
  std::vector<Entry> pages, communications, actions, notes, causes;
  std::vector<Evidence> evidence;
  std::vector<ActionItem> items;
  std::vector<HistoryEntry> history;
  WallTime last_event{};
  uint64_t left_out = 0;  // events beyond what is kept of one incident

  bool over() const noexcept { return state == State::resolved; }
  bool holding() const noexcept;  // a condition holds
  bool concerns(std::string_view service) const noexcept;
  // What makes two incidents repeats of one another: kind and service of the first condition.
  std::string signature() const;
  // The newest evidence of a kind; nullptr: none.
  const Evidence* newest(EventKind kind) const noexcept;
};

// The whole as one JSON object.
void write_json(JsonWriter& out, const Incident& incident, WallTime now);

}  // namespace nines::incident
