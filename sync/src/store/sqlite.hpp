// RAII over the SQLite C API: a connection, prepared statements, a transaction that rolls back
// unless committed. Errors come as Error with what SQLite and the system say.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "nines/base/result.hpp"

namespace nines::store {

struct Blob {
  std::string_view bytes;
};

class Statement {
 public:
  Statement() = default;
  Statement(Statement&& other) noexcept : stmt_(other.stmt_) { other.stmt_ = nullptr; }
  Statement& operator=(Statement&& other) noexcept {
    std::swap(stmt_, other.stmt_);
    return *this;
  }
  ~Statement() { sqlite3_finalize(stmt_); }

  // Starts anew with these values. Texts and blobs must live until the statement is done.
  template <class... Values>
  Statement& with(const Values&... values) {
    sqlite3_reset(stmt_);
    int column = 0;
    (bind(++column, values), ...);
    return *this;
  }
  // true: a row stands at the cursor; false: there is none left and the statement is reset.
  Result<bool> row();
  // Executes to the end.
  Status run();
  void reset() { sqlite3_reset(stmt_); }

  int64_t integer(int column) const { return sqlite3_column_int64(stmt_, column); }
  // Lives until the next row(), with() or reset().
  std::string_view bytes(int column) const;

 private:
  friend class Database;
  void bind(int column, int64_t value) { sqlite3_bind_int64(stmt_, column, value); }
  void bind(int column, std::string_view text);
  void bind(int column, Blob blob);
  sqlite3_stmt* stmt_ = nullptr;
};

// What SQLite says of a failure, with the code translated: full = exhausted, locked = unavailable,
// damaged = corrupt, the rest io.
Error sqlite_error(sqlite3* db, int rc, std::string_view doing);

class Database {
 public:
  Database() = default;
  ~Database() { close(); }
  Database(const Database&) = delete;
  Database& operator=(const Database&) = delete;

  Status open(const std::string& path, const char* vfs);
  void close();
  bool is_open() const { return db_ != nullptr; }
  Status execute(const std::string& sql);
  Result<Statement> prepare(const char* sql);
  Result<int64_t> pragma(const char* name);
  // Once a statement failed, the transaction may be gone already.
  void rollback();
  // Keep the WAL and its size when closing: a growing WAL costs twice the flushes.
  void keep_wal();

 private:
  sqlite3* db_ = nullptr;
};

}  // namespace nines::store
