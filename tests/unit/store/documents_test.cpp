#include <sqlite3.h>

#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

void run_sql(const std::string& path, const std::string& sql) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(path.c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

std::vector<Document> kept(StateStore& store, const std::string& kind) {
  auto documents = store.documents(kind);
  if (!documents.ok()) FAIL(documents.error().message);
  return std::move(*documents);
}

}  // namespace

TEST_CASE("StateStore gives documents back after a restart, by kind and key", "[store]") {
  const TempDir dir;
  {
    auto store = open_store(dir.options());
    require_ok(store->put_documents({{"pod", "b", "two"}, {"pod", "a", "one"}, {"x", "a", "y"}}));
    require_ok(store->put_documents({{"pod", "b", "three"}, {"x", "a", ""}, {"x", "none", ""}}));
  }
  auto store = open_store(dir.options());
  CHECK(kept(*store, "pod") == std::vector<Document>{{"pod", "a", "one"}, {"pod", "b", "three"}});
  CHECK(kept(*store, "x").empty());
}

TEST_CASE("StateStore does not write a document that stands there already", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  require_ok(store->put_documents({{"pod", "a", "one"}, {"pod", "b", "two"}}));
  const auto before = store->stats();
  require_ok(store->put_documents({{"pod", "a", "one"}, {"pod", "b", "two"}, {"pod", "c", ""}}));
  CHECK(store->stats().flushes == before.flushes);
  CHECK(store->stats().bytes_written == before.bytes_written);
  require_ok(store->put_documents({{"pod", "a", "one"}, {"pod", "b", "2"}}));
  CHECK(store->stats().documents_written == before.documents_written + 1);
}

TEST_CASE("StateStore refuses documents beyond its bounds and writes none of them", "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.max_documents = 2;
  options.max_document_bytes = 4;
  auto store = open_store(options);
  require_ok(store->put_documents({{"pod", "a", "1"}, {"pod", "b", "2"}}));
  const auto many = store->put_documents({{"pod", "a", "9"}, {"pod", "c", "3"}});
  REQUIRE_FALSE(many.ok());
  CHECK(many.error().code == Errc::exhausted);
  const auto large = store->put_documents({{"pod", "a", "9"}, {"pod", "b", "12345"}});
  REQUIRE_FALSE(large.ok());
  CHECK(large.error().code == Errc::invalid_argument);
  CHECK(store->stats().documents_refused == 4);
  CHECK(kept(*store, "pod") == std::vector<Document>{{"pod", "a", "1"}, {"pod", "b", "2"}});
  require_ok(store->put_documents({{"pod", "c", "3"}, {"pod", "a", ""}}));  // one for another
  CHECK(kept(*store, "pod") == std::vector<Document>{{"pod", "b", "2"}, {"pod", "c", "3"}});
}

TEST_CASE("StateStore skips and counts a damaged document", "[store]") {
  const TempDir dir;
  {
    auto store = open_store(dir.options());
    require_ok(store->put_documents({{"pod", "a", "one"}, {"pod", "b", "two"}}));
  }
  run_sql(dir.file("nines.db"), "UPDATE document SET body=x'6f6e66' WHERE key='a'");
  auto store = open_store(dir.options());
  CHECK(kept(*store, "pod") == std::vector<Document>{{"pod", "b", "two"}});
  CHECK(store->restored().skipped_rows == 1);
}

TEST_CASE("StateStore brings a file of the schema before documents up to date", "[store]") {
  const TempDir dir;
  Sums expected;
  {
    auto store = open_store(dir.options());
    attach_all(*store, 1);
    StateStore::Commit commit;
    commit.now = WallTime::from_s(1'800'000'000);
    commit.batch.slots = {{0, 180'000'000, 7, 1, 10}};
    expected.add(commit.batch);
    require_ok(store->commit(commit));
  }
  run_sql(dir.file("nines.db"), "DROP TABLE document; DROP TABLE change; PRAGMA user_version=1");
  auto store = open_store(dir.options());
  CHECK(store->restored().quarantined.empty());
  CHECK(attach_all(*store, 1) == expected);
  require_ok(store->put_documents({{"pod", "a", "one"}}));
  CHECK(kept(*store, "pod").size() == 1);
}

TEST_CASE("documents of a commit are written with its counts and with nothing else", "[store]") {
  const TempDir dir;
  {
    auto store = open_store(dir.options());
    require_ok(store->attach(0, {"a", "g"}, [](const slo::Batch&) {}));
    StateStore::Commit alone;
    alone.documents = {{"upstream", "central", "1"}};
    require_ok(store->commit(alone));
    CHECK(kept(*store, "upstream").empty());
    StateStore::Commit commit = alone;
    commit.batch.slots = {{0, 180'000'000, 1, 0, 10}};
    commit.now = WallTime::from_s(1'800'000'000);
    const auto before = store->stats();
    require_ok(store->commit(commit));
    CHECK(store->stats().documents_written == before.documents_written + 1);
    commit.documents = {{"upstream", "central", std::string(100'000, 'x')}};
    require_ok(store->commit(commit));  // the counts are not held up
    CHECK(store->stats().documents_refused > 0);
  }
  auto store = open_store(dir.options());
  CHECK(kept(*store, "upstream") == std::vector<Document>{{"upstream", "central", "1"}});
}
