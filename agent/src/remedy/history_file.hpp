// History of other tools, as JSON or CSV: what was done about incidents and what came of it. All of
// a file is right or none of it is taken; an error names the place. Pure functions, hostile input.
//
//   JSON  {"records": [{"id": "CHG-7", ...}, ...]}
//   CSV   RFC 4180 with a header line that names the columns, in any order; "quoted, with
//   ""quotes""
//         and line breaks"; lines end in CRLF or LF
//
//   id          needed  unique; known ones are not taken twice
//   signature   needed  incidents that are repeats of one another: "burn_rate jobs"
//   action      needed  a verb and its parameter ("unit-restart worker.service"), or words
//   at          needed  RFC 3339 with its zone
//   severity    needed  P0 to P3
//   outcome     needed  resolved or failed
//   recover_s   of what was resolved: whole seconds from its beginning to its recovery
//   hands_on_s  whole seconds that a person was busy with it
//   incident    several records may be of one (default: the id)
//   who         person or tool
#pragma once

#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/remedy/history.hpp"

namespace nines::agent::remedy {

inline constexpr size_t kHistoryFields = 10;
// Of one file, and of what a node keeps of them (ImportShelf): the store has 16,384 documents for
// all that must not be forgotten.
inline constexpr size_t kMostHistoryRows = 4096;
std::string_view history_field(size_t i) noexcept;  // its name

// One record as it was written; what is missing is empty.
using HistoryRow = std::array<std::string, kHistoryFields>;

struct HistoryFile {
  std::vector<HistoryRow> rows;
  std::vector<nines::remedy::Record> records;  // of them
};
// `name`: of the file, for errors: "history.csv:3:17: ..."; may be empty.
Result<HistoryFile> read_history_csv(std::string_view text, const std::string& name);
Result<HistoryFile> read_history_json(std::string_view text, const std::string& name);
std::string history_json(std::span<const HistoryRow> rows);

}  // namespace nines::agent::remedy
