// Faults 1-9 of an edge node's disk: killed, cut off, failing at the n-th write, full, flipped
// bits, truncated. The invariant is law 1: the counts in the file equal the position in the file.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <random>

#include "faulty_vfs.hpp"
#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

constexpr int64_t kT0 = 1'800'000'000;

// The agent's way in small: reads `lines` more lines, each counting 1; a failed batch is kept.
class Reader {
 public:
  explicit Reader(StateStore& store) : store_(store) {
    const Sums sums = attach_all(store, 1);
    counted_ = sums.good(0);
    const auto positions = positions_of(store.restored());
    const auto at = positions.find("log");
    offset_ = at == positions.end() ? 0 : std::stoll(at->second);
  }
  // Law 1.
  bool consistent() const { return counted_ == offset_; }
  int64_t offset() const { return offset_; }

  Status read(int64_t lines) {
    offset_ += lines;
    ++tick_;
    const int64_t t = kT0 + 60 * tick_;
    slo::Batch more;
    more.slots = {{0, t / 10, lines, 0, 10}};
    more.positions = {{"log", std::to_string(offset_)}};
    commit_.batch.merge(std::move(more));
    commit_.now = WallTime::from_s(t);
    commit_.events.resize(tick_ % 3 == 0 ? 1 : 0);
    NINES_CHECK(store_.commit(commit_));
    commit_ = {};
    return Ok{};
  }
  Status fold() { return store_.fold(WallTime::from_s(kT0 + 60 * tick_)); }

 private:
  StateStore& store_;
  StateStore::Commit commit_;
  int64_t counted_ = 0, offset_ = 0, tick_ = 0;
};

[[noreturn]] void live_until_killed(const StoreOptions& options, int told) {
  auto opened = StateStore::open(options);
  if (!opened.ok()) ::_exit(3);
  Reader reader(**opened);
  for (int64_t i = 1;; ++i) {
    if (!reader.read(i % 17 + 1).ok()) ::_exit(4);
    if (i % 5 == 0 && !reader.fold().ok()) ::_exit(5);
    const int64_t offset = reader.offset();
    if (::write(told, &offset, sizeof offset) != sizeof offset) ::_exit(0);
  }
}

// Kills the child after it told of `commits` commits; returns the last offset it told as committed.
int64_t run_and_kill(const StoreOptions& options, int commits) {
  int pipe_ends[2];
  REQUIRE(::pipe(pipe_ends) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::close(pipe_ends[0]);
    live_until_killed(options, pipe_ends[1]);
  }
  ::close(pipe_ends[1]);
  int64_t told = 0;
  int64_t offset = 0;
  for (int i = 0; i < commits && ::read(pipe_ends[0], &offset, sizeof offset) == sizeof offset;
       ++i) {
    told = offset;
  }
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK(WIFSIGNALED(status));
  while (::read(pipe_ends[0], &offset, sizeof offset) == sizeof offset) told = offset;
  ::close(pipe_ends[0]);
  return told;
}

std::string contents(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}
void write_file(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

}  // namespace

TEST_CASE("A store killed at any instant has counts equal to its position", "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.fold_after_s = 240;
  std::mt19937 random(1);
  uint64_t boot = 0;
  for (int run = 0; run < 50; ++run) {
    const int64_t told = run_and_kill(options, std::uniform_int_distribution<int>(0, 25)(random));
    auto store = open_store(options);
    const Reader reader(*store);
    REQUIRE(reader.consistent());
    CHECK(reader.offset() >= told);  // nothing acknowledged is lost
    CHECK(store->restored().boot > boot);
    CHECK(store->restored().skipped_rows == 0);
    boot = store->restored().boot;
    store.reset();
  }
}

TEST_CASE("A write or flush that fails leaves the batch with the caller and the file consistent",
          "[store]") {
  auto& vfs = FaultyVfs::instance();
  const int code = GENERATE(SQLITE_IOERR_WRITE, SQLITE_FULL);
  const bool lasting = GENERATE(false, true);
  int fired = 0;
  for (int64_t nth = 1; nth <= 40; ++nth) {
    const TempDir dir;
    auto options = dir.options();
    options.fold_after_s = 240;
    options.vfs = FaultyVfs::kName;
    int64_t last_good = 0;
    int64_t wanted = 0;
    {
      auto store = open_store(options);
      Reader reader(*store);
      vfs.arm(nth, code, lasting);
      for (int i = 1; i <= 12; ++i) {
        if (reader.read(i).ok()) last_good = reader.offset();
        wanted = reader.offset();
        if (i % 5 == 0) (void)reader.fold();
      }
      fired += vfs.fired() ? 1 : 0;
    }
    vfs.disarm();
    vfs.arm(0, 0, false);
    auto store = open_store(options);
    const Reader reader(*store);
    CAPTURE(nth, code, lasting);
    REQUIRE(reader.consistent());
    CHECK(reader.offset() >= last_good);
    if (!lasting) CHECK(reader.offset() == wanted);
    CHECK(store->restored().quarantined.empty());
  }
  CHECK(fired > 30);
}

TEST_CASE("A power cut loses nothing that was committed", "[store]") {
  auto& vfs = FaultyVfs::instance();
  for (int64_t nth = 1; nth <= 40; ++nth) {
    const TempDir dir;
    auto options = dir.options();
    options.fold_after_s = 240;
    options.vfs = FaultyVfs::kName;
    int64_t committed = 0;
    vfs.track(true);
    {
      auto store = open_store(options);
      Reader reader(*store);
      vfs.arm(nth, SQLITE_IOERR, true);
      for (int i = 1; i <= 12; ++i) {
        if (reader.read(i).ok()) committed = reader.offset();
        if (i % 4 == 0) (void)reader.fold();
      }
    }
    vfs.lose_unflushed();
    vfs.track(false);
    vfs.arm(0, 0, false);
    auto store = open_store(options);
    const Reader reader(*store);
    CAPTURE(nth);
    REQUIRE(reader.consistent());
    CHECK(reader.offset() >= committed);
  }
}

TEST_CASE(
    "A full store says exhausted, keeps its data, and makes room by giving up the oldest hours",
    "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.max_bytes = 64 * 4096;
  options.fold_after_s = 60;
  auto store = open_store(options);
  attach_all(*store, 20);
  std::map<uint32_t, int64_t> in_batch;
  StateStore::Commit commit;
  int64_t t = kT0;
  int refused = 0;
  for (int i = 0; i < 3000; ++i, t += 60) {
    slo::Batch more;
    for (uint32_t slo = 0; slo < 20; ++slo) more.slots.push_back({slo, t / 10, 1 + i % 7, 1, 10});
    more.positions = {{"log", std::to_string(i)}};
    commit.batch.merge(std::move(more));
    commit.now = WallTime::from_s(t);
    const auto status = store->commit(commit);
    if (status.ok()) {
      commit = {};
      continue;
    }
    REQUIRE(status.error().code == Errc::exhausted);
    ++refused;
    require_ok(store->fold(commit.now));
  }
  CHECK(refused > 0);
  CHECK(store->stats().dropped_hours > 0);
  CHECK(store->stats().ballast_freed == 0);
  CHECK(store->stats().file_bytes <= 64 * 4096);
  require_ok(store->commit(commit));
  store.reset();
  store = open_store(options);
  CHECK(store->restored().quarantined.empty());
  CHECK(positions_of(store->restored()).at("log") == "2999");
  // What is left is whole: the newest minutes have exactly what was counted.
  const Sums sums = attach_all(*store, 20);
  for (int i = 2900; i < 3000; ++i) {
    const Counts expected{1 + i % 7, 1, 10};
    REQUIRE(sums.minutes.at({19, (kT0 + 60 * i) / 60}) == expected);
  }
}

TEST_CASE("A full disk is met once with the ballast, which comes back later", "[store]") {
  const TempDir dir;
  auto& vfs = FaultyVfs::instance();
  auto options = dir.options();
  options.vfs = FaultyVfs::kName;
  auto store = open_store(options);
  Reader reader(*store);
  REQUIRE(std::filesystem::file_size(dir.file("nines.ballast")) == 1 << 20);
  vfs.full_until_gone(dir.file("nines.ballast"));
  require_ok(reader.read(5));
  CHECK(store->stats().ballast_freed == 1);
  CHECK_FALSE(std::filesystem::exists(dir.file("nines.ballast")));
  vfs.full_until_gone("");
  require_ok(reader.fold());
  CHECK(std::filesystem::exists(dir.file("nines.ballast")));
}

namespace {

slo::AlertEvent alert(int number) {
  slo::AlertEvent event;
  event.slo = "slo-" + std::to_string(number);
  event.at = event.since = WallTime::from_s(kT0 + number);
  return event;
}

std::vector<std::string> told(StateStore& store, uint64_t after) {
  std::vector<std::string> names;
  auto events = store.events_after(after, 1000);
  REQUIRE(events.ok());
  for (const auto& event : *events) {
    names.push_back(std::to_string(event.boot) + "/" + std::to_string(event.sequence) + " " +
                    event.slo);
  }
  return names;
}

}  // namespace

TEST_CASE("Alerts that a broken disk does not take are told all the same, and written later once",
          "[store]") {
  const std::vector<std::string> all = {"1/1 slo-0", "1/2 slo-1", "1/3 slo-2", "1/4 slo-3"};
  for (const bool by_record : {false, true}) {
    const TempDir dir;
    auto& vfs = FaultyVfs::instance();
    auto options = dir.options();
    options.vfs = FaultyVfs::kName;
    auto store = open_store(options);
    Reader reader(*store);
    StateStore::Commit commit;
    commit.events = {alert(0)};
    require_ok(store->commit(commit));
    vfs.arm(1, SQLITE_IOERR_WRITE, true);
    for (int i = 1; i < 3; ++i) {
      StateStore::Commit failing;
      StateStore::Record record;
      (by_record ? record.events : failing.events) = {alert(i)};
      CHECK_FALSE((by_record ? store->record(record) : store->commit(failing)).ok());
      CHECK((by_record ? record.events : failing.events)[0].sequence == uint64_t(i + 1));
      // Given again, it is no other event.
      CHECK_FALSE((by_record ? store->record(record) : store->commit(failing)).ok());
      CHECK(told(*store, 1).size() == size_t(i));
    }
    CHECK(told(*store, 2) == std::vector<std::string>{all[2]});
    CHECK(store->stats().held_events == 2);
    vfs.arm(0, 0, false);
    StateStore::Record later;
    later.events = {alert(3)};
    require_ok(store->record(later));
    CHECK(store->stats().held_events == 0);
    CHECK(told(*store, 0) == all);
    store.reset();
    store = open_store(options);
    CHECK(told(*store, 0) == all);
  }
}

TEST_CASE("Whatever writes fail, each alert is told under one number and is on disk in the end",
          "[store]") {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const TempDir dir;
    auto& vfs = FaultyVfs::instance();
    auto options = dir.options();
    options.vfs = FaultyVfs::kName;
    auto store = open_store(options);
    attach_all(*store, 1);
    std::map<uint64_t, std::string> heard;
    StateStore::Commit commit;
    for (int i = 0; i < 40; ++i) {
      if (random() % 3 == 0) {
        vfs.arm(static_cast<int64_t>(random() % 6 + 1), SQLITE_IOERR_WRITE, random() % 2 == 0);
      } else {
        vfs.arm(0, 0, false);
      }
      if (random() % 2 == 0) commit.events.push_back(alert(i));
      commit.batch.slots.push_back({0, kT0 / 10 + i, 1, 0, 10});
      commit.batch.normalize();
      if (store->commit(commit).ok()) commit = {};
      std::erase_if(commit.events, [](const auto& event) { return event.sequence != 0; });
      auto events = store->events_after(heard.size(), 1000);
      if (!events.ok()) continue;  // what comes first cannot be read now
      for (const auto& event : *events) {
        CHECK(heard.emplace(event.sequence, event.slo).second);
      }
    }
    vfs.arm(0, 0, false);
    commit.batch.slots.push_back({0, kT0 / 10 + 100, 1, 0, 10});
    require_ok(store->commit(commit));
    CHECK(commit.events.empty());
    store.reset();
    store = open_store(options);
    auto events = store->events_after(0, 1000);
    REQUIRE(events.ok());
    for (const auto& event : *events) {
      CHECK(heard.emplace(event.sequence, event.slo).first->second == event.slo);
    }
    CHECK(heard.size() == events->size());
  }
}

TEST_CASE("A flipped bit never becomes a wrong count", "[store]") {
  const TempDir dir;
  auto options = dir.options();
  options.fold_after_s = 600;
  Sums written;
  {
    auto store = open_store(options);
    attach_all(*store, 3);
    for (int i = 0; i < 60; ++i) {
      StateStore::Commit commit;
      const int64_t t = kT0 + 60 * i;
      commit.now = WallTime::from_s(t);
      for (uint32_t slo = 0; slo < 3; ++slo) {
        commit.batch.slots.push_back({slo, t / 10, 1000 + i, i, 10});
      }
      commit.batch.positions = {{"log", std::to_string(i)}};
      written.add(commit.batch);
      require_ok(store->commit(commit));
      if (i % 20 == 0) require_ok(store->fold(commit.now));
    }
  }
  std::filesystem::remove(dir.file("nines.db-wal"));  // closed: all of it is in the database
  const std::string intact = contents(dir.file("nines.db"));
  std::mt19937 random(7);
  int noticed = 0;
  for (int flip = 0; flip < 200; ++flip) {
    std::string damaged = intact;
    const size_t at = std::uniform_int_distribution<size_t>(0, intact.size() - 1)(random);
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << (flip % 8)));
    std::filesystem::remove_all(dir.state());
    std::filesystem::create_directory(dir.state());
    write_file(dir.file("nines.db"), damaged);
    auto opened = StateStore::open(options);
    CAPTURE(flip, at);
    if (!opened.ok()) {  // a version from the future: refused, nothing is lost
      REQUIRE(opened.error().code == Errc::unsupported);
      ++noticed;
      continue;
    }
    auto& store = *opened;
    const Sums sums = attach_all(*store, 3);
    for (const auto& [key, counts] : sums.minutes) {
      REQUIRE(written.minutes.contains(key));
      REQUIRE(counts.good <= written.minutes.at(key).good);
      REQUIRE(counts.covered_s <= written.minutes.at(key).covered_s);
    }
    const auto& restored = store->restored();
    const bool said = restored.skipped_rows > 0 || !restored.quarantined.empty();
    noticed += said ? 1 : 0;
    if (!said) {
      REQUIRE(sums == written);
      REQUIRE(positions_of(restored).at("log") == "59");
    }
  }
  CHECK(noticed >= 10);  // the rest fell on unused bytes
}

TEST_CASE("A damaged file is set aside and the store starts empty", "[store]") {
  const TempDir dir;
  {
    auto store = open_store(dir.options());
    Reader reader(*store);
    for (int i = 0; i < 50; ++i) require_ok(reader.read(3));
  }
  std::string bytes = contents(dir.file("nines.db"));
  const std::string how = GENERATE("header", "half", "zero page", "text");
  if (how == "header") bytes.replace(0, 16, "garbage garbage!");
  if (how == "half") bytes.resize(bytes.size() / 2 + 100);
  if (how == "zero page") bytes.replace(8192, 4096, std::string(4096, '\0'));
  if (how == "text") bytes = std::string(5000, 'x');
  CAPTURE(how);
  write_file(dir.file("nines.db"), bytes);
  write_file(dir.file("nines.db-wal"), "");
  auto store = open_store(dir.options());
  CHECK(store->restored().quarantined == dir.file("nines.db.bad-1"));
  CHECK(contents(dir.file("nines.db.bad-1")) == bytes);
  CHECK(store->restored().positions.empty());
  CHECK_FALSE(store->restored().clean);
  CHECK(store->restored().boot == 2);  // kept beside the database
  Reader reader(*store);
  CHECK(reader.offset() == 0);
  require_ok(reader.read(3));
}

TEST_CASE("Only three damaged files are kept", "[store]") {
  const TempDir dir;
  for (int i = 0; i < 5; ++i) {
    open_store(dir.options()).reset();
    write_file(dir.file("nines.db"), std::string(5000, 'x'));
    write_file(dir.file("nines.db-wal"), "");
  }
  open_store(dir.options()).reset();
  int bad = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir.state())) {
    const std::string name = entry.path().filename().string();
    bad += name.starts_with("nines.db.bad-") && !name.ends_with("-wal") ? 1 : 0;
  }
  CHECK(bad == 3);
}
