// Narrative: the state of services and incidents in plain sentences, each of which names the facts
// it is made of. Deterministic. A text that something else has made of it is accepted only if it
// has no number, service or id that is not among the facts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/incident/incident.hpp"

namespace nines::incident {

struct SloFacts {
  std::string slo, service;
  std::string target;                    // "99.9"; per cent
  std::string window;                    // "30d"
  std::optional<double> sli;             // per cent
  std::optional<double> budget_left;     // per cent; below 0: overspent
  std::optional<double> burn;            // times what the target allows, over the last hour
  std::optional<double> exhausted_in_h;  // forecast; nothing: not in sight
};

struct NarrativeFacts {
  WallTime now{};
  std::vector<std::string> services;  // all that are watched
  std::vector<SloFacts> slos;
  std::vector<Incident> incidents;   // open, and resolved lately
  std::vector<slo::Change> changes;  // of late
  int64_t changes_hours = 24;        // what "lately" means, for changes and resolved incidents
};

// A fact as it may be said: "slo.api.budget_left" -> "61.4 %".
struct NarrativeFact {
  std::string key, value;
};
struct Sentence {
  std::string text;
  std::vector<std::string> facts;  // keys
};
struct Narrative {
  std::vector<NarrativeFact> facts;
  std::vector<Sentence> sentences;
  std::string text() const;  // a paragraph
  const std::string* value(std::string_view key) const noexcept;
};

Narrative narrate(const NarrativeFacts& facts);
// What is happening in one incident.
Narrative narrate(const Incident& incident, WallTime now);
void write_json(JsonWriter& out, const Narrative& narrative);

inline constexpr size_t kMaxRewrite = 8192;  // bytes

// Whether `text` says nothing that the facts do not: every number in it, every incident id, and
// every name of `known` (services, nodes, SLOs) occurs among them. The reason if not.
struct Verdict {
  bool accepted = false;
  std::string reason;
};
Verdict accepts_rewrite(std::string_view text, const Narrative& narrative,
                        const std::vector<std::string>& known);

// The numbers of a text as they stand: "61.4", "2026"; ids and words with digits are left out.
std::vector<std::string> numbers_in(std::string_view text);

}  // namespace nines::incident
