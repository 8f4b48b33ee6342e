// Postmortem: the review of an incident in seven sections (summary, timeline, root cause analysis,
// resolution, lessons learned, action items, prevention), filled with what is known. Blameless, and
// nothing is made up: what only people can know is left to them, marked as such.
#pragma once

#include <string>
#include <vector>

#include "nines/incident/incident.hpp"

namespace nines::incident {

struct PostmortemLine {
  WallTime at{};
  std::string text;
  bool order_unknown = false;  // against the line before: the clocks do not tell
};

struct PostmortemFacts {
  std::vector<slo::Change> changes;  // within half an hour before it began, and while it lasted
  std::vector<Incident> earlier;     // of the same signature
  // What happened on all nodes, in their order, with all that became of the incident. Empty: not
  // kept (any more), and told by the changes and the incident's own history.
  std::vector<PostmortemLine> timeline{};
};

struct Postmortem {
  using Line = PostmortemLine;
  struct Factor {
    std::string text;
    int evidence = 0;      // "E<n>"; 0: no numbered evidence
    std::string wrong_if;  // what would make this wrong; may be empty
  };
  struct Why {
    std::string question, answer;
    bool known = false;  // the answer is a fact; else it asks a person
  };
  struct Finding {
    std::string text;                // begins with its number
    std::vector<std::string> lines;  // what it rests on; may be empty
  };
  std::string id, title, severity, state;
  WallTime as_of{};
  // 1 Incident Summary
  std::vector<std::string> summary;
  std::string impact;  // empty: unknown
  // 2 Timeline
  std::vector<Line> timeline;
  // 3 Root Cause Analysis
  std::vector<std::string> what_happened;
  std::string root_cause;  // as a person stated it; empty: unknown
  std::vector<Why> whys;
  std::vector<Factor> factors;
  std::vector<Finding> evidence;
  // 4 Resolution
  std::vector<std::string> actions, mitigations;
  std::string resolution;
  // 5 Lessons Learned
  std::vector<std::string> went_well, to_improve;
  // 6 Action Items
  std::vector<ActionItem> items;
  // 7 Prevention
  std::vector<std::string> short_term, long_term, monitoring;
};

Postmortem postmortem_of(const Incident& incident, const PostmortemFacts& facts, WallTime now);
std::string postmortem_markdown(const Postmortem& postmortem);
void write_json(JsonWriter& out, const Postmortem& postmortem);

struct OverdueItem {
  std::string incident;
  ActionItem item;
};
// Of all incidents given, the longest overdue first.
std::vector<OverdueItem> overdue_items(const std::vector<Incident>& incidents, WallTime now);

}  // namespace nines::incident
