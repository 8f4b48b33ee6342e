#include "connection.hpp"

#include <algorithm>
#include <cstring>

#include "aggregates.hpp"
#include "nines/expr/signatures.hpp"
#include "scalars.hpp"
#include "values.hpp"

namespace nines::sql {
namespace {

constexpr int kStepsBetweenLooks = 2000;  // of SQLite's machine: well below a millisecond

int authorize(void* p, int action, const char*, const char* name, const char*, const char*) {
  if (static_cast<const Surroundings*>(p)->declaring) return SQLITE_OK;
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_READ:
    case SQLITE_RECURSIVE: return SQLITE_OK;
    case SQLITE_FUNCTION:
      return sqlite3_stricmp(name, "load_extension") == 0 ||
                     sqlite3_stricmp(name, "fts3_tokenizer") == 0
                 ? SQLITE_DENY
                 : SQLITE_OK;
    default: return SQLITE_DENY;
  }
}

// The sizes of a statement that would cost memory before any row is read, or the stack.
void set_limits(sqlite3* db, size_t max_bytes) {
  constexpr size_t kMaxText = size_t{1} << 30;
  sqlite3_limit(db, SQLITE_LIMIT_LENGTH, static_cast<int>(std::min(max_bytes, kMaxText)));
  sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
  sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 400);
  sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 200);
  sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
  sqlite3_limit(db, SQLITE_LIMIT_TRIGGER_DEPTH, 0);
  sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
  sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 5000);
  int before = 0;
  sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, &before);
  sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, &before);
  sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, &before);
}

int collate(void*, int size_a, const void* a, int size_b, const void* b) {
  return compare_texts({static_cast<const char*>(a), static_cast<size_t>(size_a)},
                       {static_cast<const char*>(b), static_cast<size_t>(size_b)});
}

Error failed(sqlite3* db, int rc, const char* doing) {
  return {(rc & 0xff) == SQLITE_NOMEM ? Errc::exhausted : Errc::io,
          std::string(doing) + ": " + (db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc))};
}

// ---- messages ----

struct Suggestion {
  std::string name;
  size_t distance = SIZE_MAX;
  void offer(std::string_view candidate, std::string_view wanted) {
    const size_t d = expr::name_distance(candidate.substr(0, 64), wanted.substr(0, 64));
    if (d < distance) {
      distance = d;
      name = candidate;
    }
  }
};

bool near_enough(const Suggestion& s, std::string_view wanted) {
  return s.distance <= std::max<size_t>(2, wanted.size() / 3);
}

// "no such column: x" -> what the tables have that is called nearly so.
std::string hint_for(std::string_view message, const std::vector<NamedTable>& tables) {
  const auto behind = [&](std::string_view start) -> std::string_view {
    return message.starts_with(start) ? message.substr(start.size()) : std::string_view();
  };
  Suggestion best;
  std::string_view wanted = behind("no such column: ");
  if (!wanted.empty()) {
    wanted = wanted.substr(wanted.rfind('.') == std::string_view::npos ? 0 : wanted.rfind('.') + 1);
    for (const NamedTable& t : tables) {
      for (const std::string& c : t.table->columns()) best.offer(c, wanted);
    }
  } else if (wanted = behind("no such function: "); !wanted.empty()) {
    for (const std::string& f : scalar_names()) best.offer(f, wanted);
    for (const std::string& f : aggregate_names()) best.offer(f, wanted);
  } else if (wanted = behind("no such table: "); !wanted.empty()) {
    for (const NamedTable& t : tables) best.offer(t.name, wanted);
  } else if (message.starts_with("near \"~\"")) {
    return "; around a log block write x REGEXP 'pattern'";
  } else if (message.starts_with("near \"ILIKE\"")) {
    return "; around a log block write LIKE, which takes letters in either case";
  }
  if (wanted.empty() || best.name.empty()) return {};
  return near_enough(best, wanted) ? "; did you mean '" + best.name + "'?" : std::string();
}

// The line of `sql` at `offset` and a caret, cut to what a terminal shows.
std::string shown_place(std::string_view sql, int offset) {
  if (offset < 0 || static_cast<size_t>(offset) > sql.size()) return {};
  constexpr size_t kAround = 60;
  auto at = static_cast<size_t>(offset);
  size_t begin = sql.rfind('\n', at == 0 ? 0 : at - 1);
  begin = begin == std::string_view::npos || at == 0 ? 0 : begin + 1;
  if (at - begin > kAround) begin = at - kAround;
  const size_t end = std::min({sql.find('\n', at), sql.size(), at + kAround});
  return "\n  " + std::string(sql.substr(begin, end - begin)) + "\n  " +
         std::string(at - begin, ' ') + "^";
}

}  // namespace

Result<Connection> open_connection(const std::vector<NamedTable>& tables, Surroundings& around) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
                    SQLITE_OPEN_MEMORY | SQLITE_OPEN_PRIVATECACHE;
  int rc = sqlite3_open_v2(":memory:", &raw, flags, nullptr);
  Connection db(raw);
  if (rc != SQLITE_OK) return failed(raw, rc, "query");
  set_limits(raw, around.budget.limit());
  // Nothing goes to the SD card: sorters and intermediate tables stay in memory, and the budget
  // bounds them.
  rc = sqlite3_exec(raw, "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-256", nullptr, nullptr,
                    nullptr);
  if (rc == SQLITE_OK) {
    rc = sqlite3_create_collation_v2(raw, kCollation, SQLITE_UTF8, nullptr, collate, nullptr);
  }
  if (rc != SQLITE_OK) return failed(raw, rc, "query");
  NINES_CHECK(add_scalars(raw));
  NINES_CHECK(add_aggregates(raw, around.budget));
  for (const NamedTable& table : tables) NINES_CHECK(add_table(raw, table, around));
  sqlite3_set_authorizer(raw, authorize, &around);
  sqlite3_progress_handler(
      raw, kStepsBetweenLooks,
      [](void* p) { return static_cast<const Surroundings*>(p)->stopped() ? 1 : 0; }, &around);
  return db;
}

Error explain_failure(sqlite3* db, int rc, std::string_view sql,
                      const std::vector<NamedTable>& tables, const Surroundings& around) {
  if (!around.failure.ok()) return around.failure.error();
  switch (rc & 0xff) {
    case SQLITE_INTERRUPT: return {Errc::cancelled, "the query was stopped"};
    case SQLITE_NOMEM:
    case SQLITE_TOOBIG:
      return {Errc::exhausted,
              "the SQL around the log block needs more than " +
                  std::to_string(around.budget.limit() >> 20) +
                  " MiB of memory; let fewer rows or columns out of the block, group them there, "
                  "or raise max_memory"};
    case SQLITE_AUTH:
      return {Errc::invalid_argument, std::string("queries only read: ") + sqlite3_errmsg(db)};
    default: break;
  }
  const std::string message = sqlite3_errmsg(db);
  return {Errc::invalid_argument,
          message + hint_for(message, tables) + shown_place(sql, sqlite3_error_offset(db))};
}

}  // namespace nines::sql
