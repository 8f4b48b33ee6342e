// The SQLite of one statement: in memory, with the tables and functions of the query, allowing
// nothing but to select.
#pragma once

#include <sqlite3.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/sql/residual.hpp"
#include "table_module.hpp"

namespace nines::sql {

struct CloseDb {
  void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
};
using Connection = std::unique_ptr<sqlite3, CloseDb>;

// REQUIRES a HeapScope of around.budget. `around` outlives the connection.
Result<Connection> open_connection(const std::vector<NamedTable>& tables, Surroundings& around);

// What SQLite (or a table that it read) failed with, with the line of `sql`, a caret below the
// place, and the nearest known name.
Error explain_failure(sqlite3* db, int rc, std::string_view sql,
                      const std::vector<NamedTable>& tables, const Surroundings& around);

}  // namespace nines::sql
