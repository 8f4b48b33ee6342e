// The routes of the change log, gate overrides and the report, and the guard of all writes. What
// they do not serve goes to the reading routes of api.hpp.
#pragma once

#include <functional>
#include <string>

#include "app/logbook.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

struct ReportWish {
  int64_t from_s = 0, to_s = 0;  // whole hours
  bool markdown = true;
};

// All of it runs on the thread of the server; `done` is called there too.
struct ChangesAccess {
  std::string token;  // of writes; never empty
  std::function<const Logbook&()> book;
  std::function<WallTime()> now;
  // Writes decided entries, and gives them back with their ids.
  std::function<void(Record, std::function<void(Result<Record>)> done)> record;
  std::function<void(const ReportWish&, std::function<void(Result<std::string>)> done)> report;
};

AsyncHandler make_changes_api(ChangesAccess access, Handler reads);

// "2026-11" or the last `days` days, ending with the hour that `now` lies in.
Result<ReportWish> report_period(std::string_view month, std::string_view days, WallTime now);

}  // namespace nines::agent::http
