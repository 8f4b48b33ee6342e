// Tables of a query as virtual tables of SQLite: read-only, one module a table, found by its name
// without any CREATE. Rows stream through; SQLite is told which columns it asked for are enough,
// and equality with another table is answered from rows kept in memory (SQLite makes no automatic
// index over virtual tables: a join would read the inner one once a row).
#pragma once

#include <sqlite3.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "memory.hpp"
#include "nines/base/result.hpp"
#include "nines/sql/residual.hpp"

namespace nines::sql {

// What the tables of one statement share.
struct Surroundings {
  explicit Surroundings(size_t max_bytes) : budget(max_bytes) {}
  Budget budget;
  const std::atomic<bool>* stop = nullptr;
  // What a table failed with, in its own words; SQLite only hears that it did.
  Status failure = Ok{};
  bool declaring = false;  // SQLite asks whether a table may declare its columns, too
  // Seen by tests and EXPLAIN ANALYZE: how often tables were read, and rows kept.
  uint64_t readings = 0;
  uint64_t kept_rows = 0;
  bool stopped() const noexcept { return stop != nullptr && stop->load(std::memory_order_relaxed); }
};

// `table.table` and `around` outlive the connection.
Status add_table(sqlite3* db, const NamedTable& table, Surroundings& around);

}  // namespace nines::sql
