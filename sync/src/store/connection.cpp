#include "connection.hpp"

#include <cstring>

#include "nines/base/crc32c.hpp"

namespace nines::store {
namespace {

constexpr int64_t kApplicationId = 0x4e494e45;  // "NINE"
constexpr int64_t kSchemaVersion = 3;

constexpr const char* kSchema = R"(
CREATE TABLE meta(k TEXT PRIMARY KEY, crc INT, v BLOB) WITHOUT ROWID;
CREATE TABLE slo(id INTEGER PRIMARY KEY, name TEXT, generation TEXT, crc INT, UNIQUE(name, generation));
CREATE TABLE journal(seq INTEGER PRIMARY KEY, t INT, crc INT, body BLOB);
CREATE TABLE src(key TEXT PRIMARY KEY, crc INT, state BLOB) WITHOUT ROWID;
CREATE TABLE chunk(hour INT, slo INT, crc INT, body BLOB, PRIMARY KEY(hour, slo)) WITHOUT ROWID;
CREATE TABLE event(seq INTEGER PRIMARY KEY, t INT, crc INT, body BLOB);
CREATE TABLE cursor(destination TEXT PRIMARY KEY, seq INT, crc INT) WITHOUT ROWID;
)";
// Since schema 2.
constexpr const char* kDocuments = R"(
CREATE TABLE document(kind TEXT, key TEXT, crc INT, body BLOB, PRIMARY KEY(kind, key)) WITHOUT ROWID;
)";
// Since schema 3.
constexpr const char* kChanges = R"(
CREATE TABLE change(id INTEGER PRIMARY KEY, t INT, crc INT, body BLOB);
)";

std::string key_bytes(int64_t key) {
  std::string out(sizeof key, '\0');
  for (size_t i = 0; i < sizeof key; ++i) {
    out[i] = static_cast<char>(static_cast<uint64_t>(key) >> (8 * i));
  }
  return out;
}

}  // namespace

uint32_t row_crc(int64_t key, std::string_view bytes) {
  return crc32c(bytes, crc32c(key_bytes(key)));
}
uint32_t row_crc(int64_t key, int64_t second, std::string_view bytes) {
  return crc32c(bytes, crc32c(key_bytes(second), crc32c(key_bytes(key))));
}
uint32_t row_crc(std::string_view key, std::string_view bytes) {
  return crc32c(bytes, crc32c(key, crc32c(key_bytes(static_cast<int64_t>(key.size())))));
}

Result<std::unique_ptr<Connection>> Connection::open(const StoreOptions& options,
                                                     const std::string& path, const char* vfs,
                                                     bool check) {
  auto c = std::make_unique<Connection>();
  NINES_CHECK(c->db.open(path, vfs));
  NINES_CHECK(c->configure(options));
  if (check) NINES_CHECK(c->check_whole());
  NINES_CHECK(c->migrate());
  NINES_CHECK(c->prepare_all());
  return c;
}

// Why each is set as it is: sync/README.md.
Status Connection::configure(const StoreOptions& options) {
  const int64_t pages = std::max<int64_t>(options.max_bytes / 4096, 64);
  NINES_CHECK(db.execute("PRAGMA locking_mode=EXCLUSIVE"));  // first: no -shm file
  NINES_CHECK(db.execute("PRAGMA page_size=4096; PRAGMA auto_vacuum=NONE"));
  NINES_CHECK(db.execute("PRAGMA journal_mode=WAL"));
  db.keep_wal();
  return db.execute(
      "PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=1000;"
      "PRAGMA journal_size_limit=-1; PRAGMA secure_delete=OFF;"
      "PRAGMA temp_store=MEMORY; PRAGMA cache_size=-512; PRAGMA mmap_size=0;"
      "PRAGMA max_page_count=" +
      std::to_string(pages));
}

Status Connection::check_whole() {
  NINES_TRY(Statement check, db.prepare("PRAGMA quick_check(1)"));
  NINES_TRY(const bool any, check.row());
  if (any && check.bytes(0) == "ok") return Ok{};
  return Error{Errc::corrupt, "state database is damaged: " + std::string(check.bytes(0)), 0};
}

Status Connection::migrate() {
  NINES_TRY(const int64_t application, db.pragma("application_id"));
  NINES_TRY(const int64_t version, db.pragma("user_version"));
  NINES_TRY(Statement tables, db.prepare("SELECT count(*) FROM sqlite_schema"));
  NINES_TRY(const bool any, tables.row());
  const bool empty = !any || tables.integer(0) == 0;
  tables.reset();
  if (empty) {
    return db.execute(std::string("BEGIN IMMEDIATE;") + kSchema + kDocuments + kChanges +
                      "PRAGMA application_id=" + std::to_string(kApplicationId) +
                      ";PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";COMMIT");
  }
  if (application != kApplicationId) {
    return Error{Errc::corrupt, "state database was not written by Nines", 0};
  }
  if (version > kSchemaVersion) {
    return Error{Errc::unsupported,
                 "state database has schema " + std::to_string(version) + ", this Nines knows " +
                     std::to_string(kSchemaVersion) +
                     ": run the newer version or start with another --state DIR",
                 0};
  }
  if (version == kSchemaVersion) return Ok{};
  return db.execute(std::string("BEGIN IMMEDIATE;") + (version < 2 ? kDocuments : "") + kChanges +
                    "PRAGMA user_version=" + std::to_string(kSchemaVersion) + ";COMMIT");
}

Status Connection::prepare_all() {
  const struct {
    Statement* statement;
    const char* sql;
  } all[] = {
      {&begin, "BEGIN IMMEDIATE"},
      {&commit, "COMMIT"},
      {&meta_get, "SELECT crc, v FROM meta WHERE k=?"},
      {&meta_put, "INSERT OR REPLACE INTO meta(k, crc, v) VALUES(?,?,?)"},
      {&slo_find, "SELECT id, crc FROM slo WHERE name=? AND generation=?"},
      {&slo_put, "INSERT OR REPLACE INTO slo(id, name, generation, crc) VALUES(?,?,?,?)"},
      {&slo_next, "SELECT coalesce(max(id), 0) + 1 FROM slo"},
      {&journal_put, "INSERT INTO journal(seq, t, crc, body) VALUES(?,?,?,?)"},
      {&journal_scan, "SELECT seq, t, crc, body FROM journal WHERE seq>? ORDER BY seq"},
      {&journal_drop, "DELETE FROM journal WHERE seq<=?"},
      {&journal_undo, "DELETE FROM journal WHERE seq>=?"},
      {&journal_count, "SELECT count(*) FROM journal"},
      {&src_scan, "SELECT key, crc, state FROM src"},
      {&src_put, "INSERT OR REPLACE INTO src(key, crc, state) VALUES(?,?,?)"},
      {&src_drop, "DELETE FROM src WHERE key=?"},
      {&chunk_get, "SELECT crc, body FROM chunk WHERE hour=? AND slo=?"},
      {&chunk_put, "INSERT OR REPLACE INTO chunk(hour, slo, crc, body) VALUES(?,?,?,?)"},
      {&chunk_next_hour, "SELECT hour FROM chunk WHERE hour>? ORDER BY hour LIMIT 1"},
      {&chunk_oldest, "SELECT hour FROM chunk ORDER BY hour LIMIT 1"},
      {&chunk_drop, "DELETE FROM chunk WHERE hour<=?"},
      {&event_put, "INSERT OR REPLACE INTO event(seq, t, crc, body) VALUES(?,?,?,?)"},
      {&event_after, "SELECT seq, crc, body FROM event WHERE seq>? ORDER BY seq"},
      {&event_drop, "DELETE FROM event WHERE seq<=?"},
      {&event_undo, "DELETE FROM event WHERE seq>=?"},
      {&event_large, "SELECT count(*) FROM event WHERE seq<=? AND seq>? AND length(body)>?"},
      {&event_large_drop, "DELETE FROM event WHERE seq<=? AND length(body)>?"},
      {&event_bounds,
       "SELECT (SELECT seq FROM event ORDER BY seq LIMIT 1),"
       " (SELECT seq FROM event ORDER BY seq DESC LIMIT 1)"},
      {&cursor_get, "SELECT seq, crc FROM cursor WHERE destination=?"},
      {&cursor_put, "INSERT OR REPLACE INTO cursor(destination, seq, crc) VALUES(?,?,?)"},
      {&cursor_least, "SELECT count(*), min(seq) FROM cursor"},
      {&document_get, "SELECT crc, body FROM document WHERE kind=? AND key=?"},
      {&document_put, "INSERT OR REPLACE INTO document(kind, key, crc, body) VALUES(?,?,?,?)"},
      {&document_drop, "DELETE FROM document WHERE kind=? AND key=?"},
      {&document_scan, "SELECT key, crc, body FROM document WHERE kind=? ORDER BY key"},
      {&document_count, "SELECT count(*) FROM document"},
      {&change_put, "INSERT INTO change(id, t, crc, body) VALUES(?,?,?,?)"},
      {&change_scan, "SELECT id, t, crc, body FROM change ORDER BY id"},
      {&change_drop, "DELETE FROM change WHERE id<=?"},
      {&change_undo, "DELETE FROM change WHERE id>=?"},
      {&change_bounds, "SELECT count(*), coalesce(max(id), 0) FROM change"},
  };
  for (const auto& one : all) {
    NINES_TRY(*one.statement, db.prepare(one.sql));
  }
  return Ok{};
}

Result<std::string> Connection::meta(std::string_view key, uint64_t& skipped) {
  NINES_TRY(const bool any, meta_get.with(key).row());
  std::string value;
  if (any) {
    value = meta_get.bytes(1);
    if (row_crc(key, value) != static_cast<uint32_t>(meta_get.integer(0))) {
      ++skipped;
      value.clear();
    }
  }
  meta_get.reset();
  return value;
}

Status Connection::put_meta(std::string_view key, std::string_view value) {
  return meta_put.with(key, static_cast<int64_t>(row_crc(key, value)), Blob{value}).run();
}

}  // namespace nines::store
