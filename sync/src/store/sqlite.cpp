#include "sqlite.hpp"

#include <cstring>

namespace nines::store {
namespace {

Errc code_of(int rc) {
  switch (rc & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG: return Errc::exhausted;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return Errc::unavailable;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Errc::corrupt;
    default: return Errc::io;
  }
}

}  // namespace

Error sqlite_error(sqlite3* db, int rc, std::string_view doing) {
  Error error{code_of(rc), std::string(doing) + ": " + sqlite3_errstr(rc), 0};
  if (db == nullptr) return error;
  error.message = std::string(doing) + ": " + sqlite3_errmsg(db);
  error.sys_errno = sqlite3_system_errno(db);
  if (error.sys_errno != 0 && error.code != Errc::corrupt) {
    error.message += std::string(" (") + std::strerror(error.sys_errno) + ")";
  }
  return error;
}

Result<bool> Statement::row() {
  const int rc = sqlite3_step(stmt_);
  if (rc == SQLITE_ROW) return true;
  sqlite3* const db = sqlite3_db_handle(stmt_);
  if (rc != SQLITE_DONE) {
    Error error = sqlite_error(db, rc, "state database");
    sqlite3_reset(stmt_);
    return error;
  }
  sqlite3_reset(stmt_);
  return false;
}

Status Statement::run() {
  for (;;) {
    NINES_TRY(const bool more, row());
    if (!more) return Ok{};
  }
}

std::string_view Statement::bytes(int column) const {
  const void* const data = sqlite3_column_blob(stmt_, column);
  if (data == nullptr) return {};
  return {static_cast<const char*>(data), static_cast<size_t>(sqlite3_column_bytes(stmt_, column))};
}

void Statement::bind(int column, std::string_view text) {
  sqlite3_bind_text64(stmt_, column, text.empty() ? "" : text.data(), text.size(), nullptr,
                      SQLITE_UTF8);
}

void Statement::bind(int column, Blob blob) {
  const std::string_view b = blob.bytes;
  sqlite3_bind_blob64(stmt_, column, b.empty() ? "" : b.data(), b.size(), nullptr);
}

Status Database::open(const std::string& path, const char* vfs) {
  close();
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int rc = sqlite3_open_v2(path.c_str(), &db_, flags, vfs);
  if (rc == SQLITE_OK) {
    sqlite3_extended_result_codes(db_, 1);
    return Ok{};
  }
  Error error = sqlite_error(db_, rc, "state database");
  close();
  return error;
}

void Database::close() {
  if (db_ != nullptr) sqlite3_close_v2(db_);
  db_ = nullptr;
}

Status Database::execute(const std::string& sql) {
  const int rc = sqlite3_exec(db_, sql.c_str(), nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(db_, rc, "state database");
  return Ok{};
}

Result<Statement> Database::prepare(const char* sql) {
  Statement statement;
  const int rc =
      sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement.stmt_, nullptr);
  if (rc != SQLITE_OK) return sqlite_error(db_, rc, "state database");
  return statement;
}

Result<int64_t> Database::pragma(const char* name) {
  NINES_TRY(Statement statement, prepare((std::string("PRAGMA ") + name).c_str()));
  NINES_TRY(const bool any, statement.row());
  return any ? statement.integer(0) : int64_t{0};
}

void Database::rollback() {
  if (db_ != nullptr && sqlite3_get_autocommit(db_) == 0) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  }
}

void Database::keep_wal() {
  int on = 1;
  sqlite3_file_control(db_, "main", SQLITE_FCNTL_PERSIST_WAL, &on);
}

}  // namespace nines::store
