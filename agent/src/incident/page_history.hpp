// Past pages as a file: one JSON object a line, appended when somebody is paged and again, with the
// same incident, person and time, when more is known (acknowledged, over); the last line counts.
//
//   {"at":"2026-03-03T12:00:00Z","person":"anna","incident":"INC-2026-0303-001","severity":"P1",
//    "service":"checkout","signature":"error_storm checkout","acknowledged":"...","over":"...",
//    "resolved":true,"by_itself":false}
//
// Needed are `at` and `person`. Bounds: 16 MiB, 100,000 lines.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "nines/oncall/page_ledger.hpp"

namespace nines::agent::incident {

struct PageHistory {
  std::vector<nines::oncall::Page> pages;  // by time
  uint64_t strangers = 0;                  // lines of people who are not in the roster
};

// invalid_argument: "line 7: ...". `text`: the whole file.
Result<PageHistory> read_page_history(std::string_view text, const nines::oncall::Roster& roster);

// One line of it, with its line feed.
std::string page_line(const nines::oncall::Page& page, const std::string& incident,
                      const nines::oncall::Roster& roster);

}  // namespace nines::agent::incident
