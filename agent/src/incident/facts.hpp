// Facts: what the half that reads knows of an incident beyond who is suspected (Answer): how
// services went before and after changes, who met bad events, which requests failed, lines around
// the examples. Asked and answered like the Watcher's other questions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/incident/change_suspects.hpp"
#include "nines/incident/request_trail.hpp"
#include "nines/incident/template_miner.hpp"
#include "nines/incident/user_sample.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

// What was let go or left out for want of room since the start, by what it was: every limit that
// can be met has one. Names are static.
using Dropped = std::vector<std::pair<std::string_view, uint64_t>>;

struct FactsQuestion {
  WallTime onset{}, now{};
  std::vector<std::pair<std::string, WallTime>> changed{};  // services, each with its change
  std::vector<uint32_t> slos{};                             // whose bad events users met
  struct Suspected {
    std::string service;
    core::TemplateId line = 0;  // that the evidence is about; 0: none
  };
  std::vector<Suspected> suspected{};  // the strongest first; the first one's lines are shown
  bool in_full = true;                 // false: users and requests only
};

// A line as it was logged, cut.
struct LoggedLine {
  WallTime at{};
  std::string text;  // empty: none is known
};

// What a suspect logged last before it began, and not since; and what it logs now.
struct BeforeAndAfter {
  std::string service;
  LoggedLine before, after;
};

// The lines around the first suspect's example, as they stand in the file.
struct LogContext {
  std::string path;
  std::vector<std::string> lines;  // the example is one of them
  std::string why_not;             // why there are none; empty: there are
};

struct Facts {
  std::vector<core::ShareChange> shares;  // of lines that are errors, by service
  bool users_told = false;                // a source says who met bad events
  bool users_missing = false;             // some bad events since the onset did not say who
  core::UserSample::Count users;
  WallTime users_from{INT64_MAX};  // complete from here on, over restarts
  core::RequestTrail::Passed passed;
  unsigned thinning = 0;  // of the requests one in 2^thinning was followed
  std::vector<BeforeAndAfter> examples;
  LogContext context;
  std::vector<std::string> templates;  // that rose, fell or were never seen; the strongest first
  size_t templates_left_out = 0;
};

}  // namespace nines::agent::incident
