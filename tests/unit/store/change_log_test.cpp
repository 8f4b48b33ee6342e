// The change log in the state file: ids, restart, bounds, damage, and one transaction with what
// belongs to it.
#include <sqlite3.h>

#include "faulty_vfs.hpp"
#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

slo::Change change(const std::string& text) {
  slo::Change c;
  c.kind = slo::ChangeKind::deploy;
  c.at = WallTime::from_s(1'767'225'600);
  c.from = WallTime::from_s(1'767'225'000);
  c.to = WallTime::from_s(1'767'229'200);
  c.service = "shop";
  c.slo = "web";
  c.who = "ann";
  c.text = text;
  c.details = {{"version", "1.2"}, {"action", "x"}, {"action", "y"}};
  return c;
}

StateStore::Record one(const std::string& text) {
  StateStore::Record record;
  record.changes.push_back(change(text));
  return record;
}

void sql(const std::string& file, const std::string& statement) {
  sqlite3* db = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &db) == SQLITE_OK);
  CHECK(sqlite3_exec(db, statement.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(db);
}

}  // namespace

TEST_CASE("Changes are numbered and found again after a restart, in their order", "[store]") {
  const TempDir dir;
  {
    const auto store = open_store(dir.options());
    for (const char* text : {"a", "b"}) {
      auto record = one(text);
      require_ok(store->record(record));
    }
  }
  const auto store = open_store(dir.options());
  auto record = one("c");
  require_ok(store->record(record));
  CHECK(record.changes[0].id == 3);
  const auto changes = store->changes();
  REQUIRE(changes.ok());
  REQUIRE(changes->size() == 3);
  slo::Change first = change("a");
  first.id = 1;
  CHECK(changes->at(0) == first);
  CHECK(changes->at(2).text == "c");
}

TEST_CASE("The change log keeps the newest entries and counts those it gave up", "[store]") {
  const TempDir dir;
  StoreOptions options = dir.options();
  options.keep_changes = 3;
  const auto store = open_store(options);
  for (int i = 1; i <= 5; ++i) {
    auto record = one(std::to_string(i));
    require_ok(store->record(record));
    CHECK(record.changes[0].id == static_cast<uint64_t>(i));
  }
  const auto changes = store->changes();
  REQUIRE(changes->size() == 3);
  CHECK(changes->front().text == "3");
  CHECK(store->stats().changes_written == 5);
  CHECK(store->stats().dropped_changes == 2);
}

TEST_CASE("A change, its documents and its alerts stand together or not at all", "[store]") {
  const TempDir dir;
  const auto store = open_store(dir.options());
  StateStore::Record record = one("step");
  record.documents = {{"gate", "web", "memory"}};
  slo::AlertEvent event;
  event.slo = "web";
  event.rule = "step:slow";
  record.events = {event};
  require_ok(store->record(record));
  CHECK(record.events[0].sequence == 1);
  CHECK(record.events[0].boot == 1);
  CHECK(store->documents("gate")->size() == 1);
  CHECK(store->events_after(0, 10)->size() == 1);
  StateStore::Record refused = one("too large");
  refused.documents = {{"gate", "mail", std::string(100'000, 'x')}};
  CHECK(store->record(refused).error().code == Errc::invalid_argument);
  CHECK(store->changes()->size() == 1);
}

TEST_CASE("A damaged change is skipped and counted, the others stay", "[store]") {
  const TempDir dir;
  {
    const auto store = open_store(dir.options());
    for (const char* text : {"a", "b", "c"}) {
      auto record = one(text);
      require_ok(store->record(record));
    }
  }
  sql(dir.file("nines.db"), "UPDATE change SET body = x'0102' WHERE id = 2");
  const auto store = open_store(dir.options());
  const auto changes = store->changes();
  REQUIRE(changes->size() == 2);
  CHECK(changes->at(1).text == "c");
  CHECK(store->restored().skipped_rows == 1);
}

TEST_CASE("A state file of the schema before the change log is brought up to date", "[store]") {
  const TempDir dir;
  {
    const auto store = open_store(dir.options());
    require_ok(store->put_documents({{"kind", "key", "body"}}));
  }
  sql(dir.file("nines.db"), "DROP TABLE change; PRAGMA user_version=2");
  const auto store = open_store(dir.options());
  CHECK(store->documents("kind")->size() == 1);
  auto record = one("a");
  require_ok(store->record(record));
  CHECK(store->changes()->size() == 1);
}

TEST_CASE("An entry whose write failed is there once after it was given again", "[store]") {
  auto& vfs = FaultyVfs::instance();
  int fired = 0;
  for (int64_t nth = 1; nth <= 20; ++nth) {
    const TempDir dir;
    auto options = dir.options();
    options.vfs = FaultyVfs::kName;
    {
      auto store = open_store(options);
      vfs.arm(nth, SQLITE_IOERR_WRITE, false);
      StateStore::Record record = one("step");
      record.documents = {{"gate", "web", "memory"}};
      record.events.resize(1);
      Status done = store->record(record);
      fired += !done.ok();
      for (int again = 0; !done.ok() && again < 5; ++again) done = store->record(record);
      vfs.disarm();
      require_ok(done);
      CHECK(record.changes[0].id == 1);
    }
    const auto store = open_store(dir.options());
    CHECK(store->changes()->size() == 1);
    CHECK(store->events_after(0, 10)->size() == 1);
    CHECK(store->documents("gate")->size() == 1);
  }
  CHECK(fired > 0);
}
