#include <fstream>

#include "faulty_vfs.hpp"
#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

constexpr int64_t kT0 = 1'800'000'000;  // a full minute
constexpr uint64_t kNow = 1'800'000'000;

StateStore::Commit a_commit(int minute) {
  StateStore::Commit commit;
  commit.now = WallTime::from_s(kT0 + 60 * minute);
  commit.batch.slots = {{0, kT0 / 10 + 6 * minute, 10 + minute, 1, 10}};
  commit.batch.positions = {{"log", std::to_string(minute)}};
  return commit;
}

void commit_to(StateStore& store, int minute, Sums& expected) {
  auto commit = a_commit(minute);
  expected.add(commit.batch);
  require_ok(store.commit(commit));
}

bool moved(StateStore& store) {
  const auto done = store.move_to_disk();
  if (!done.ok()) FAIL(done.error().message);
  return *done;
}

// A directory that cannot be made because a file is in its way, as anybody, also as root.
class Blocked {
 public:
  Blocked() {
    options.directory = dir.path() + "/disk/state";
    options.memory = make_memory_files();
    options.memory_boot = kNow;
    std::ofstream(dir.path() + "/disk") << "x";
  }
  void free() const { std::filesystem::remove(dir.path() + "/disk"); }
  TempDir dir;
  StoreOptions options;
};

// A disk with a state on it that fails every write until mend().
class Failing {
 public:
  explicit Failing(Sums& expected) {
    options = dir.options();
    options.vfs = FaultyVfs::kName;
    mend();
    {
      auto store = open_store(options);
      attach_all(*store, 1);
      for (int i = 0; i < 5; ++i) commit_to(*store, i, expected);
      REQUIRE(store->restored().boot == 1);
    }
    options.memory = make_memory_files();
    options.memory_boot = kNow;
    break_it();
  }
  ~Failing() { mend(); }
  static void break_it() { FaultyVfs::instance().arm(1, SQLITE_IOERR_WRITE, true); }
  static void mend() { FaultyVfs::instance().arm(0, SQLITE_OK, false); }
  TempDir dir;
  StoreOptions options;
};

}  // namespace

TEST_CASE("StateStore lives in memory where its directory cannot be made, and moves when it can",
          "[store][memory]") {
  const Blocked at;
  Sums expected;
  {
    auto store = open_store(at.options);
    CHECK(store->restored().in_memory.find("cannot") != std::string::npos);
    CHECK(store->restored().fresh);
    CHECK(store->restored().boot == kNow);
    attach_all(*store, 1);
    commit_to(*store, 0, expected);
    CHECK_FALSE(store->move_to_disk().ok());
    commit_to(*store, 1, expected);  // an attempt that fails changes nothing
    CHECK(store->stats().memory_bytes > 0);
    at.free();
    REQUIRE(moved(*store));
    CHECK(store->stats().memory_bytes == 0);
    commit_to(*store, 2, expected);
    REQUIRE(moved(*store));
  }
  auto store = open_store(at.options);
  CHECK(store->restored().in_memory.empty());
  CHECK(store->restored().boot == kNow + 1);
  CHECK(positions_of(store->restored()).at("log") == "2");
  CHECK(attach_all(*store, 1) == expected);
}

TEST_CASE("StateStore without memory refuses a directory that cannot be made", "[store][memory]") {
  Blocked at;
  at.options.memory = nullptr;
  const auto store = StateStore::open(at.options);
  REQUIRE_FALSE(store.ok());
  CHECK(store.error().code == Errc::io);
}

TEST_CASE("StateStore in memory goes on from what a disk holds that it cannot write",
          "[store][memory]") {
  Sums expected;
  Failing at(expected);
  {
    auto store = open_store(at.options);
    CHECK_FALSE(store->restored().in_memory.empty());
    CHECK_FALSE(store->restored().fresh);
    CHECK(positions_of(store->restored()).at("log") == "4");
    CHECK(attach_all(*store, 1) == expected);
    for (int i = 5; i < 200; ++i) commit_to(*store, i, expected);
    require_ok(store->fold(WallTime::from_s(kT0 + 86400)));
    CHECK(store->stats().memory_bytes < 2 * 1024 * 1024);
    Failing::mend();
    REQUIRE(moved(*store));
  }
  at.options.memory = nullptr;
  auto store = open_store(at.options);
  CHECK(store->restored().clean);
  CHECK(positions_of(store->restored()).at("log") == "199");
  CHECK(attach_all(*store, 1) == expected);
}

TEST_CASE("StateStore in memory is found again by who opens it anew", "[store][memory]") {
  const Blocked at;
  Sums expected;
  for (int life = 0; life < 3; ++life) {
    auto store = open_store(at.options);
    CHECK(store->restored().boot == kNow + static_cast<uint64_t>(life));
    CHECK(attach_all(*store, 1) == expected);
    commit_to(*store, life, expected);
  }
}

TEST_CASE("StateStore in memory overwrites no state that appears meanwhile", "[store][memory]") {
  const Blocked at;
  Sums in_memory, on_disk;
  auto store = open_store(at.options);
  attach_all(*store, 1);
  commit_to(*store, 7, in_memory);
  at.free();  // as when the disk is mounted late
  StoreOptions disk = at.options;
  disk.memory = nullptr;
  {
    auto other = open_store(disk);
    attach_all(*other, 1);
    commit_to(*other, 0, on_disk);
    const auto answer = store->move_to_disk();
    CHECK((answer.ok() ? !*answer : answer.error().code == Errc::unavailable));
  }
  CHECK_FALSE(moved(*store));
  store.reset();
  auto other = open_store(disk);
  CHECK(positions_of(other->restored()).at("log") == "0");
  CHECK(attach_all(*other, 1) == on_disk);
}

TEST_CASE("StateStore in memory sets a damaged file aside once it can", "[store][memory]") {
  Sums before, expected;
  Failing at(before);
  Failing::mend();
  {
    std::ofstream damage(at.dir.file("nines.db"), std::ios::in | std::ios::out);
    damage << std::string(4096, 'x');
  }
  std::filesystem::remove(at.dir.file("nines.db-wal"));  // it would heal that
  // Nothing can be set aside as on a disk that cannot be written: all names for it are taken.
  for (const char* n : {"1", "2", "3"}) {
    std::filesystem::create_directories(at.dir.file("nines.db.bad-") + n);
  }
  auto store = open_store(at.options);
  CHECK_FALSE(store->restored().in_memory.empty());
  CHECK(store->restored().quarantined == at.dir.file("nines.db"));
  attach_all(*store, 1);
  commit_to(*store, 3, expected);
  CHECK_FALSE(store->move_to_disk().ok());
  for (const char* n : {"1", "2", "3"}) std::filesystem::remove(at.dir.file("nines.db.bad-") + n);
  REQUIRE(moved(*store));
  CHECK(std::filesystem::exists(at.dir.file("nines.db.bad-1")));
  store.reset();
  at.options.memory = nullptr;
  store = open_store(at.options);
  CHECK(attach_all(*store, 1) == expected);
}

TEST_CASE("StateStore in memory stays within its bound and says that it is full",
          "[store][memory]") {
  const Blocked at;
  auto store = open_store(at.options);
  Status done = Ok{};
  for (int i = 0; done.ok() && i < 1000; ++i) {
    done = store->put_documents({{"large", std::to_string(i), std::string(60'000, 'x')}});
  }
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == Errc::exhausted);
  CHECK(store->stats().memory_bytes <= 16 * 1024 * 1024);
  at.free();
  REQUIRE(moved(*store));
  require_ok(store->put_documents({{"large", "more", std::string(60'000, 'x')}}));
}

TEST_CASE("StateStore finishes a move that was cut off", "[store][memory]") {
  const TempDir dir;
  const Blocked at;
  Sums old, expected;
  {
    auto store = open_store(dir.options());
    attach_all(*store, 1);
    commit_to(*store, 0, old);
  }
  {
    auto store = open_store(at.options);
    attach_all(*store, 1);
    commit_to(*store, 1, expected);
    at.free();
    REQUIRE(moved(*store));
  }
  // The old WAL still lies there, as after a cut just behind the rename of the new file.
  std::filesystem::rename(at.options.directory + "/nines.db", dir.file("nines.db.next"));
  auto store = open_store(dir.options());
  CHECK(attach_all(*store, 1) == expected);
  CHECK_FALSE(std::filesystem::exists(dir.file("nines.db.next")));
}
