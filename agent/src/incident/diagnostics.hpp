// Diagnostics: what is looked at first when something is wrong, taken when an incident opens and
// kept with it. Pure functions.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "incident/facts.hpp"
#include "incident/node_facts.hpp"
#include "incident/told.hpp"
#include "incident/watcher.hpp"
#include "nines/slo/changes.hpp"

namespace nines::agent::incident {

struct Diagnosis {
  const FactsQuestion& asked;
  const Answer& answer;
  const Facts& facts;
  std::vector<std::string> node;     // a line a vital
  std::vector<slo::Change> changes;  // all that are known, oldest first
  std::vector<Newcomer> newcomers;   // templates that their service never logged before
  NodeFacts::Trouble trouble{};      // since half an hour before the onset
};

// By part: examples (of each suspect, before and after), log (the lines around the first suspect's
// example), templates, node, pods, changes. Each says what is not known, and why.
std::vector<std::pair<std::string, std::vector<Told>>> diagnostics_of(const Diagnosis& diagnosis);

}  // namespace nines::agent::incident
