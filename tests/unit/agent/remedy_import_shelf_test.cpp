// The ImportShelf beside a history and a store that has not much room.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>

#include "remedy/import_shelf.hpp"

using namespace nines;                 // NOLINT(google-build-using-namespace)
using namespace nines::agent::remedy;  // NOLINT(google-build-using-namespace)
using nines::remedy::History;
using nines::remedy::Record;

namespace {

Record record(const std::string& id, int64_t s, int64_t judged_s = 0) {
  Record r;
  r.id = r.incident = id;
  r.signature = "crash_loop api";
  r.action = {nines::remedy::Verb::rollout_undo, {}};
  r.at = WallTime::from_s(1'700'000'000 + s);
  r.judged = WallTime::from_s(1'700'000'000 + s + judged_s);
  r.outcome = nines::remedy::Outcome::resolved;
  r.actor = nines::remedy::Actor::import;
  r.censored = false;
  return r;
}

std::vector<Record> records(size_t from, size_t to) {
  std::vector<Record> out;
  for (size_t i = from; i < to; ++i) {
    out.push_back(record("CHG-" + std::to_string(i), static_cast<int64_t>(i)));
  }
  return out;
}

// As the agent does it.
struct World {
  explicit World(size_t room) {
    std::filesystem::remove_all(dir);
    store::StoreOptions options;
    options.directory = dir;
    options.max_documents = room;
    auto opened = store::StateStore::open(options);
    if (!opened.ok()) FAIL(opened.error().message);
    store = std::move(*opened);
  }
  ~World() { std::filesystem::remove_all(dir); }

  Status import(std::vector<Record> news) {
    auto begun = shelf.begin(std::move(news), history);
    if (!begun.ok()) return begun.error();
    const Status kept = store->put_documents(begun->documents);
    kept.ok() ? shelf.written(*begun) : shelf.failed(*begun);
    if (!kept.ok()) return kept;
    for (const Record& one : begun->records) take(one);
    return store->put_documents(shelf.deletions());
  }
  void take(const Record& one) {
    std::vector<Record> gone;
    if (history.merge(one, &gone) == History::Merge::refused) shelf.let_go(one.id);
    for (const Record& old : gone) {
      if (history.find(old.id) == nullptr) shelf.let_go(old.id);
    }
  }
  size_t kept() const {
    const auto all = store->documents(ImportShelf::kDocuments);
    return all.ok() ? all->size() : 0;
  }

  std::string dir =
      (std::filesystem::temp_directory_path() / ("nines-shelf-" + std::to_string(::getpid())))
          .string();
  std::unique_ptr<store::StateStore> store;
  ImportShelf shelf;
  History history;
};

}  // namespace

TEST_CASE("a node keeps so many imported records, and says so of one too many",
          "[remedy][history]") {
  World world(16'384);
  REQUIRE(world.import(records(0, ImportShelf::kMost - 1)).ok());
  const Status beyond = world.import(records(ImportShelf::kMost - 1, ImportShelf::kMost + 1));
  REQUIRE_FALSE(beyond.ok());
  CHECK(beyond.error().message.find("at most 4096 imported records: 4095 are here") !=
        std::string::npos);
  CHECK(world.kept() == ImportShelf::kMost - 1);
  CHECK(world.history.size() == ImportShelf::kMost - 1);
  // What is known takes no room.
  CHECK(world.import(records(100, ImportShelf::kMost)).ok());
  CHECK(world.kept() == ImportShelf::kMost);
}

TEST_CASE("an import that could not be written is news when it is tried again",
          "[remedy][history]") {
  World world(3);
  CHECK(world.import(records(0, 4)).error().code == Errc::exhausted);
  CHECK(world.history.size() == 0);
  CHECK(world.kept() == 0);
  CHECK(world.import(records(0, 3)).ok());
  CHECK(world.kept() == 3);
  CHECK(world.history.size() == 3);
  // What is on its way holds its room until it is known what became of it.
  World full(16'384);
  auto first = full.shelf.begin(records(0, ImportShelf::kMost), full.history);
  REQUIRE(first.ok());
  CHECK_FALSE(full.import(records(5000, 5001)).ok());
  full.shelf.failed(*first);
  CHECK(full.import(records(5000, 5001)).ok());
}

TEST_CASE("what history lets go leaves the store", "[remedy][history]") {
  World world(100);
  world.history = History(10);
  REQUIRE(world.import(records(0, 10)).ok());
  REQUIRE(world.import(records(20, 25)).ok());
  CHECK(world.kept() == 10);
  CHECK(world.shelf.size() == 10);
  // Older than all of a full history: not written at all.
  REQUIRE(world.import(records(1, 2)).ok());
  CHECK(world.kept() == 10);
  // By what the node itself has lived through.
  for (int i = 0; i < 10; ++i) world.take(record("INC-" + std::to_string(i) + "/1", 1000 + i));
  REQUIRE(world.store->put_documents(world.shelf.deletions()).ok());
  CHECK(world.kept() == 0);
}

TEST_CASE("of two records of one id the better one stays written", "[remedy][history]") {
  World world(10);
  REQUIRE(world.import({record("CHG-1", 5, 1800), record("CHG-1", 5, 600)}).ok());
  REQUIRE(world.import({record("CHG-1", 5, 900)}).ok());
  const auto all = world.store->documents(ImportShelf::kDocuments);
  REQUIRE(all.ok());
  REQUIRE(all->size() == 1);
  CHECK(nines::remedy::decode_record(all->front().body) == record("CHG-1", 5, 1800));
  REQUIRE(world.import({record("CHG-1", 5, 3600)}).ok());
  CHECK(
      nines::remedy::decode_record(world.store->documents(ImportShelf::kDocuments)->front().body) ==
      record("CHG-1", 5, 3600));
}

TEST_CASE("a store with more imported records than may be gives back the newest",
          "[remedy][history]") {
  std::vector<store::Document> documents{{ImportShelf::kDocuments, "CHG-x", "damaged"}};
  for (const Record& one : records(0, ImportShelf::kMost + 2)) {
    documents.push_back({ImportShelf::kDocuments, one.id, nines::remedy::encode_record(one)});
  }
  ImportShelf shelf;
  CHECK(shelf.restore(documents).size() == ImportShelf::kMost);
  std::set<std::string> deleted;
  for (const auto& one : shelf.deletions()) {
    CHECK(one.body.empty());
    deleted.insert(one.key);
  }
  CHECK(deleted == std::set<std::string>{"CHG-x", "CHG-0", "CHG-1"});
  CHECK(shelf.deletions().empty());
}
