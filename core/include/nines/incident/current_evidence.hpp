// Current evidence: what the evidence of an incident says now. Suspects, impact and diagnostics are
// written anew while it lasts; of each the newest counts, the others are how it was known before.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/incident/incident.hpp"

namespace nines::incident {

// Pointers into the incident.
struct CurrentEvidence {
  std::vector<const Evidence*> suspects;     // by rank, of the node that told the newest first
  const Evidence* impact = nullptr;          // nullptr: unknown
  const Evidence* failure_class = nullptr;   // nullptr: nothing was classified
  std::vector<const Evidence*> diagnostics;  // the pages of each node and part, in their order
};
CurrentEvidence current_evidence(const Incident& incident);

// What a suspect is called wherever only its name is told: "deploy of pay", "pay"; a change that is
// of no service is of the node. Empty: it says no name.
std::string suspect_name(const Evidence& suspect);
// That of the first one; empty: nobody is suspected.
std::string first_suspect(const Incident& incident);

// What a class is for people: "a bad deploy or change".
std::string failure_class_words(std::string_view name);

// The lines of a page of diagnostics: the values of its details "1", "2"...
std::vector<std::string> lines_of(const Evidence& page);

// The history for people to read: of what was found and measured at one moment one entry (suspects:
// the first one; diagnostics: how many pages).
std::vector<HistoryEntry> short_history(const Incident& incident);

}  // namespace nines::incident
