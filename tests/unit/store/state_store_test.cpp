#include <sys/stat.h>

#include <fstream>

#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

constexpr int64_t kT0 = 1'800'000'000;  // a full minute

StateStore::Commit a_commit(int64_t t, int64_t good, const std::string& offset) {
  StateStore::Commit commit;
  commit.now = WallTime::from_s(t);
  commit.batch.slots = {{0, t / 10, good, 1, 10}, {1, t / 10, 2 * good, 0, 10}};
  commit.batch.sketches = {{0, t / 3600, {{7, 3}, {900, 1}}}};
  commit.batch.positions = {{"dev:1", offset}};
  commit.batch.late = 1;
  commit.batch.max_event_time = WallTime::from_s(t);
  return commit;
}

}  // namespace

TEST_CASE("StateStore gives back after a restart what was committed", "[store]") {
  const TempDir dir;
  Sums expected;
  {
    auto store = open_store(dir.options());
    CHECK(store->restored().fresh);
    CHECK(store->restored().boot == 1);
    attach_all(*store, 2);
    for (int i = 0; i < 5; ++i) {
      auto commit = a_commit(kT0 + 60 * i, 10 + i, "offset " + std::to_string(i));
      expected.add(commit.batch);
      require_ok(store->commit(commit));
    }
  }
  auto store = open_store(dir.options());
  CHECK_FALSE(store->restored().fresh);
  CHECK(store->restored().clean);
  CHECK(store->restored().boot == 2);
  CHECK(store->restored().late == 5);
  CHECK(store->restored().max_event_time == WallTime::from_s(kT0 + 240));
  CHECK(positions_of(store->restored()) ==
        std::map<std::string, std::string>{{"dev:1", "offset 4"}});
  CHECK(attach_all(*store, 2) == expected);
}

TEST_CASE("StateStore keeps counts, positions and sums when rows are folded", "[store]") {
  const TempDir dir;
  Sums expected;
  {
    auto store = open_store(dir.options());
    attach_all(*store, 2);
    for (int i = 0; i < 500; ++i) {
      auto commit = a_commit(kT0 + 60 * i, i, std::to_string(i));
      if (i == 3) commit.batch.positions.push_back({"dev:gone", "x"});
      if (i == 9) commit.batch.positions.push_back({"dev:gone", ""});
      if (i == 5) commit.batch.positions.push_back({"dev:idle", "end"});
      expected.add(commit.batch);
      require_ok(store->commit(commit));
    }
    require_ok(store->fold(WallTime::from_s(kT0 + 60 * 500)));
    CHECK(store->stats().journal_rows == 129);  // younger than 2 h 10 min
  }
  auto store = open_store(dir.options());
  CHECK(attach_all(*store, 2) == expected);
  CHECK(positions_of(store->restored()) ==
        std::map<std::string, std::string>{{"dev:1", "499"}, {"dev:idle", "end"}});
  CHECK(store->restored().late == 500);
}

TEST_CASE("StateStore keeps the generations of an SLO apart", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  Sums none;
  const auto into = [&](const slo::Batch& batch) { none.add(batch); };
  require_ok(store->attach(0, {"checkout", "old"}, into));
  require_ok(store->attach(1, {"login", "g"}, into));
  auto commit = a_commit(kT0, 5, "1");
  require_ok(store->commit(commit));
  require_ok(store->attach(0, {"checkout", "new"}, into));
  CHECK(none.minutes.empty());
  Sums old;
  require_ok(store->attach(4, {"checkout", "old"}, [&](const slo::Batch& b) { old.add(b); }));
  CHECK(old.good(4) == 5);
}

TEST_CASE("StateStore refuses a commit for an SLO it was never told about", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  auto commit = a_commit(kT0, 5, "1");
  const auto status = store->commit(commit);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == Errc::invalid_argument);
}

TEST_CASE("StateStore remembers alerts and numbers their events once", "[store]") {
  const TempDir dir;
  slo::AlertMemory memory{"checkout", "fast", true, 1, WallTime::from_s(kT0), {}};
  memory.service = "shop";
  memory.severity = "page";
  memory.priority = 1;
  {
    auto store = open_store(dir.options());
    attach_all(*store, 2);
    auto commit = a_commit(kT0, 5, "1");
    commit.alerts = {memory};
    commit.events = {{slo::AlertEvent::Kind::fired, "checkout", "shop", "fast", "page",
                      WallTime::from_s(kT0), WallTime::from_s(kT0), "burning", 0}};
    require_ok(store->commit(commit));
    CHECK(commit.events[0].sequence == 1);
    CHECK(commit.events[0].boot == 1);
    require_ok(store->set_cursor("webhook:ops", 1));
    // Folding moves the memory out of the journal.
    require_ok(store->fold(WallTime::from_s(kT0 + 86400)));
  }
  auto store = open_store(dir.options());
  REQUIRE(store->restored().alerts.size() == 1);
  CHECK(store->restored().alerts[0].firing);
  CHECK(store->restored().alerts[0].calm_evaluations == 1);
  CHECK(store->restored().alerts[0].since == memory.since);
  CHECK(store->restored().alerts[0].service == "shop");
  CHECK(store->restored().alerts[0].severity == "page");
  CHECK(store->restored().alerts[0].priority == 1);
  CHECK(*store->cursor("webhook:ops") == 1);
  const auto all = store->events_after(0, 100);
  REQUIRE(all.ok());
  CHECK(*store->cursor("new here") == all->back().sequence);
  StateStore::Commit next;
  next.events = {{}, {}};
  require_ok(store->commit(next));
  CHECK(next.events[1].sequence == 3);
  const auto events = store->events_after(1, 10);
  REQUIRE(events.ok());
  REQUIRE(events->size() == 2);
  CHECK((*events)[0].sequence == 2);
  CHECK((*store->events_after(0, 1))[0].summary == "burning");
  // The life in which it happened, whoever tells it: what is told twice has the same name.
  CHECK((*store->events_after(0, 1))[0].boot == 1);
  CHECK((*events)[0].boot == 2);
}

TEST_CASE("StateStore keeps a stretch of coverage that one delta tells", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  attach_all(*store, 1);
  StateStore::Commit commit;
  const int64_t hour = kT0 - kT0 % 3600;
  commit.batch.slots = {{0, (hour + 300) / 10, 0, 0, 300}, {0, (hour + 3600) / 10, 0, 0, 3600}};
  commit.now = WallTime::from_s(kT0);
  require_ok(store->commit(commit));
  require_ok(store->fold(WallTime::from_s(kT0 + 86400)));
  store.reset();
  store = open_store(dir.options());
  const Sums kept = attach_all(*store, 1);
  CHECK(kept.minutes.size() == 65);
  for (const auto& [minute, counts] : kept.minutes) CHECK(counts.covered_s == 60);
}

TEST_CASE("StateStore keeps the newest events and counts those that were never told", "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.keep_events = 3;
  auto store = open_store(options);
  require_ok(store->set_cursor("webhook:ops", 4));
  StateStore::Commit commit;
  commit.events.resize(10);
  require_ok(store->commit(commit));
  require_ok(store->fold(WallTime::from_s(kT0)));
  const auto events = store->events_after(0, 100);
  REQUIRE(events.ok());
  REQUIRE(events->size() == 3);
  CHECK((*events)[0].sequence == 8);
  CHECK(store->stats().dropped_events == 3);  // 5, 6, 7
}

TEST_CASE("StateStore keeps the rows of standing queries with whom they are for", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  StateStore::Record record;
  slo::AlertEvent rows;
  rows.kind = slo::AlertEvent::Kind::rows;
  rows.rule = "failures";
  rows.notify = {"ops", "two"};
  rows.rows = R"([{"n":1}])";
  rows.omitted = 3;
  record.events = {rows, {}};
  record.documents = {{"standing-query", "failures/000", "place"}};
  require_ok(store->record(record));
  store.reset();
  store = open_store(dir.options());
  const auto events = store->events_after(0, 10);
  REQUIRE(events.ok());
  REQUIRE(events->size() == 2);
  CHECK((*events)[0].kind == slo::AlertEvent::Kind::rows);
  CHECK((*events)[0].notify == rows.notify);
  CHECK((*events)[0].rows == rows.rows);
  CHECK((*events)[0].omitted == 3);
  CHECK((*events)[1].notify.empty());
  CHECK(store->documents("standing-query")->size() == 1);
}

TEST_CASE("StateStore keeps fewer of the large events, and counts those that were never told",
          "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.keep_large_events = 4;
  auto store = open_store(options);
  require_ok(store->set_cursor("webhook:ops", 2));
  StateStore::Commit commit;
  commit.events.resize(10);
  for (const size_t i : {0U, 3U, 5U, 8U}) {
    commit.events[i].kind = slo::AlertEvent::Kind::rows;
    commit.events[i].rows = std::string(5000, 'x');
  }
  require_ok(store->commit(commit));
  require_ok(store->fold(WallTime::from_s(kT0)));
  const auto events = store->events_after(0, 100);
  REQUIRE(events.ok());
  std::vector<uint64_t> left;
  for (const slo::AlertEvent& event : *events) left.push_back(event.sequence);
  CHECK(left == std::vector<uint64_t>{2, 3, 5, 7, 8, 9, 10});
  CHECK(store->stats().dropped_events == 2);  // 4, 6
}

TEST_CASE("StateStore drops hours beyond their retention, but not because a clock jumped",
          "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.keep_chunks_s = 86400;
  auto store = open_store(options);
  attach_all(*store, 2);
  for (const int64_t t : {kT0, kT0 + 10 * 3600}) {
    auto commit = a_commit(t, 1, "x");
    require_ok(store->commit(commit));
  }
  require_ok(store->fold(WallTime::from_s(kT0 + 20 * 365 * 86400LL)));
  CHECK(attach_all(*store, 2).good(0) == 2);
  auto later = a_commit(kT0 + 30 * 3600, 1, "x");
  require_ok(store->commit(later));
  for (int i = 0; i < 2; ++i) require_ok(store->fold(WallTime::from_s(kT0 + 40 * 3600)));
  CHECK(attach_all(*store, 2).good(0) == 2);  // the first hour is gone
}

TEST_CASE("StateStore writes nothing when there is nothing new", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  const auto before = store->stats().flushes;
  StateStore::Commit nothing;
  require_ok(store->commit(nothing));
  CHECK(store->stats().flushes == before);
}

TEST_CASE("StateStore refuses a file that is in use and names the remedy", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  const auto second = StateStore::open(dir.options());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == Errc::unavailable);
  CHECK(second.error().message.find("--state DIR") != std::string::npos);
  CHECK(std::filesystem::exists(dir.file("nines.db")));
}

TEST_CASE("StateStore says where and why when its directory cannot be used", "[store]") {
  const TempDir dir;
  std::ofstream(dir.path() + "/plain") << "a file";
  auto options = dir.options();
  options.directory = dir.path() + "/plain/state";
  const auto store = StateStore::open(options);
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == Errc::io);
  CHECK(store.error().sys_errno == ENOTDIR);
  CHECK(store.error().message.find(options.directory) != std::string::npos);
  CHECK(store.error().message.find("--state DIR") != std::string::npos);
}

TEST_CASE("StateStore puts 20 SLOs and 6 slots well below one page", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  attach_all(*store, 20);
  StateStore::Commit commit;
  commit.now = WallTime::from_s(kT0);
  for (uint32_t slo = 0; slo < 20; ++slo) {
    for (int64_t slot = 0; slot < 6; ++slot) {
      commit.batch.slots.push_back({slo, kT0 / 10 + slot, 5000 + slo, 3, 10});
    }
  }
  commit.batch.positions = {{"fe01:1234567", std::string(60, 's')}};
  require_ok(store->commit(commit));
  INFO("row: " << store->stats().last_row_bytes << " bytes");
  CHECK(store->stats().last_row_bytes < 1024);
}
