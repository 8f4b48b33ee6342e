// RecordKeeper on a real store that has no room for a while.
#include "app/record_keeper.hpp"

#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <future>
#include <thread>

using namespace nines;         // NOLINT(google-build-using-namespace)
using namespace nines::agent;  // NOLINT(google-build-using-namespace)
using store::Document;
using Whose = RecordKeeper::Whose;

namespace {

// Room for three documents, two of which are there.
struct World {
  World() {
    std::filesystem::remove_all(dir);
    store::StoreOptions options;
    options.directory = dir;
    options.max_documents = 3;
    auto opened = store::StateStore::open(options);
    if (!opened.ok()) FAIL(opened.error().message);
    store = std::move(*opened);
    REQUIRE(store->put_documents({{"other", "1", "x"}, {"other", "2", "x"}}).ok());
    keeper.emplace(RecordKeeper::Parts{io, worker, *store, [](const Record&, Whose) {},
                                       [](const std::vector<slo::AlertEvent>&) {}});
  }
  ~World() {
    worker.stop();
    std::filesystem::remove_all(dir);
  }

  static Record of(std::vector<Document> documents) {
    Record out;
    out.documents = std::move(documents);
    return out;
  }
  void keep(std::vector<Document> documents) {
    ++asked;
    keeper->keep(of(std::move(documents)), Whose::agent, [this](const Result<Record>& kept) {
      ++ended;
      written += kept.ok() ? 1 : 0;
    });
  }
  void wait() {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (ended < asked && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(std::chrono::milliseconds(5));
    }
    REQUIRE(ended == asked);
  }
  // The store's thread is done; nobody has heard of it.
  void let_write() {
    bool done = false;
    worker.post([&] { net::asio::post(io, [&] { done = true; }); });
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (!done && std::chrono::steady_clock::now() < end) {
      io.restart();
      io.run_for(std::chrono::milliseconds(5));
    }
    REQUIRE(done);
  }
  // On the store's thread, as everything.
  Result<std::vector<Document>> documents(const std::string& kind) {
    std::promise<Result<std::vector<Document>>> read;
    worker.post([&] { read.set_value(store->documents(kind)); });
    return read.get_future().get();
  }
  std::string body(const std::string& key) {
    std::string out;
    const auto all = documents("mine");
    if (!all.ok()) FAIL(all.error().message);
    for (const Document& one : *all) {
      if (one.key == key) out = one.body;
    }
    return out;
  }

  std::string dir =
      (std::filesystem::temp_directory_path() / ("nines-keeper-" + std::to_string(::getpid())))
          .string();
  net::asio::io_context io;
  Worker worker;
  std::unique_ptr<store::StateStore> store;
  std::optional<RecordKeeper> keeper;
  int asked = 0, ended = 0, written = 0;
};

}  // namespace

TEST_CASE("a write that is tried again leaves what was written of that key meanwhile", "[keeper]") {
  World world;
  world.keep({{"mine", "a", "old"}, {"mine", "b", "only here"}});  // no room
  world.keep({{"mine", "a", "new"}});
  world.keep({{"other", "1", ""}});  // there is room now
  world.wait();
  CHECK(world.written == 2);
  world.keeper->add(std::vector<Document>{{"other", "2", "y"}});
  world.let_write();
  CHECK(world.body("a") == "new");
  CHECK(world.body("b") == "only here");
}

TEST_CASE("while a write is under way it is not known what a failed one may still write",
          "[keeper]") {
  World world;
  world.keep({{"mine", "a", "old"}, {"mine", "b", "only here"}});  // no room
  world.wait();
  world.keep({{"other", "1", ""}});
  world.keep({{"mine", "a", "new"}});
  world.keeper->add(std::vector<Document>{{"other", "2", "y"}});  // the two are not heard of yet
  world.wait();
  world.let_write();
  CHECK(world.body("a") == "new");
  world.keeper->add(std::vector<Document>{{"other", "2", "z"}});
  world.let_write();
  CHECK(world.body("a") == "new");
  CHECK(world.body("b") == "only here");
}

TEST_CASE("in the end what failed is written before what came after it", "[keeper]") {
  World world;
  world.keep({{"mine", "a", "old"}, {"mine", "b", "only here"}});  // no room
  world.wait();
  world.keep({{"other", "1", ""}});
  world.keep({{"mine", "a", "new"}});
  world.wait();
  world.keeper->write_last();
  CHECK(world.body("a") == "new");
  CHECK(world.body("b") == "only here");
}

TEST_CASE("what the store has no room for holds up nothing that is decided later", "[keeper]") {
  World world;
  world.keep({{"mine", "a", "x"}, {"mine", "b", "x"}});  // no room, and there never is
  world.wait();
  for (const char* body : {"1", "2", "3"}) {
    world.keeper->add(std::vector<Document>{{"other", "1", body}});
    world.let_write();
    const auto all = world.documents("other");
    REQUIRE(all.ok());
    CHECK(all->front().body == body);
  }
  CHECK(world.body("a").empty());
  // A person makes room: it is written, unasked.
  world.keep({{"other", "1", ""}});
  world.wait();
  world.keeper->add(std::vector<Document>{});
  world.let_write();
  CHECK(world.body("a") == "x");
  CHECK(world.body("b") == "x");
}

TEST_CASE("of several that had no room each has its turn", "[keeper]") {
  World world;
  world.keep({{"mine", "a", "x"}, {"mine", "b", "x"}});  // two: no room
  world.keep({{"mine", "z", "x"}});
  world.keep({{"mine", "c", "x"}});  // one: none any more
  world.wait();
  CHECK(world.written == 1);
  world.keep({{"other", "1", ""}});  // room for one
  world.wait();
  world.keeper->add(std::vector<Document>{});
  world.let_write();
  world.let_write();
  CHECK(world.body("c") == "x");
  CHECK(world.body("a").empty());
}

TEST_CASE("what had no room never takes the place of what was decided later", "[keeper]") {
  World world;
  world.keep({{"mine", "a", "old"}, {"mine", "b", "x"}, {"mine", "c", "x"}});  // never
  world.keep({{"mine", "a", "new"}, {"mine", "d", "x"}});                      // not yet
  world.wait();
  CHECK(world.written == 0);
  world.keep({{"other", "1", ""}});  // room for two
  world.wait();
  for (int round = 0; round < 2; ++round) {
    world.keeper->add(std::vector<Document>{});
    world.let_write();
    world.let_write();
  }
  CHECK(world.body("a") == "new");
  CHECK(world.body("d") == "x");
  world.keep({{"other", "2", ""}, {"mine", "d", ""}});  // room for b and c
  world.wait();
  world.keeper->add(std::vector<Document>{});
  world.let_write();
  CHECK(world.body("a") == "new");
  CHECK(world.body("c") == "x");
}

TEST_CASE("of what was written together only what has no room waits", "[keeper]") {
  World world;
  world.keeper->add(std::vector<Document>{{"other", "1", "y"}});  // under way: the next wait
  world.keeper->add(std::vector<Document>{{"mine", "a", "x"}, {"mine", "b", "x"}});
  world.keeper->add(std::vector<Document>{{"other", "2", "z"}});
  for (int round = 0; round < 4; ++round) {
    world.let_write();
    world.keeper->add(std::vector<Document>{});
  }
  world.let_write();
  const auto all = world.documents("other");
  REQUIRE(all.ok());
  CHECK(all->back().body == "z");
  CHECK(world.body("a").empty());
}

TEST_CASE("what waits for a disk that takes nothing is bounded: the oldest gives way, counted",
          "[keeper]") {
  World world;
  const size_t all = RecordKeeper::kMostWaiting + 10;
  for (size_t i = 0; i < all; ++i) {
    const std::string key = std::to_string(i);  // two each: there is never room
    world.keep({{"mine", "a" + key, "x"}, {"mine", "b" + key, "x"}});
  }
  world.wait();
  CHECK(world.keeper->waiting() == RecordKeeper::kMostWaiting);
  CHECK(world.keeper->counters().given_up == 10);
  CHECK(world.keeper->counters().failed == all);
  CHECK(world.keeper->metrics().find("nines_store_changes_given_up_total 10\n") !=
        std::string::npos);
  // By their size as well; the newest one stays however large it is.
  const std::string large(RecordKeeper::kMostWaitingBytes / 4, 'x');
  for (const char* key : {"p", "q", "r", "s", "t"}) {
    world.keep({{"mine", key, large}, {"mine", std::string(key) + "2", "x"}});
  }
  world.wait();
  CHECK(world.keeper->waiting() == 3);
  const std::string huge(RecordKeeper::kMostWaitingBytes + 1, 'x');
  world.keep({{"mine", "u", huge}, {"mine", "u2", "x"}});
  world.wait();
  CHECK(world.keeper->waiting() == 1);
  CHECK(world.keeper->counters().given_up == all + 5);
}
