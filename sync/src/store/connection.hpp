// The open database with its schema and prepared statements. Every row carries a CRC-32C over its
// key and body: SQLite itself has none, and 173 of 200 single flipped bits gave wrong rows in
// silence (README).
#pragma once

#include <algorithm>
#include <memory>
#include <string>

#include "nines/store/state_store.hpp"
#include "sqlite.hpp"

namespace nines::store {

uint32_t row_crc(int64_t key, std::string_view bytes);
uint32_t row_crc(int64_t key, int64_t second, std::string_view bytes);
uint32_t row_crc(std::string_view key, std::string_view bytes);

struct Connection {
  Database db;
  Statement begin, commit;
  Statement meta_get, meta_put;
  Statement slo_find, slo_put, slo_next;
  Statement journal_put, journal_scan, journal_drop, journal_undo, journal_count;
  Statement src_scan, src_put, src_drop;
  Statement chunk_get, chunk_put, chunk_next_hour, chunk_oldest, chunk_drop;
  Statement event_put, event_after, event_drop, event_undo, event_bounds;
  Statement event_large, event_large_drop;
  Statement cursor_get, cursor_put, cursor_least;
  Statement document_get, document_put, document_drop, document_scan, document_count;
  Statement change_put, change_scan, change_drop, change_undo, change_bounds;

  // Opens, checks (quick_check when `check`), creates the schema, prepares. `unavailable`: another
  // process has it; `corrupt`: the file is damaged; `unsupported`: a newer Nines wrote it.
  static Result<std::unique_ptr<Connection>> open(const StoreOptions& options,
                                                  const std::string& path, const char* vfs,
                                                  bool check);
  // Value of a meta row, empty when absent. A damaged row counts in `skipped` and is absent.
  Result<std::string> meta(std::string_view key, uint64_t& skipped);
  Status put_meta(std::string_view key, std::string_view value);

 private:
  Status configure(const StoreOptions& options);
  Status check_whole();
  Status migrate();
  Status prepare_all();
};

// BEGIN IMMEDIATE .. COMMIT; rolls back unless commit() succeeded.
class Transaction {
 public:
  explicit Transaction(Connection& c) : connection_(c) {}
  ~Transaction() { connection_.db.rollback(); }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  Status begin() { return connection_.begin.with().run(); }
  Status commit() { return connection_.commit.with().run(); }

 private:
  Connection& connection_;
};

}  // namespace nines::store
