#include "nines/store/store_thread.hpp"

#include <atomic>
#include <future>
#include <vector>

#include "support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

StateStore::Commit counting(int64_t good) {
  StateStore::Commit commit;
  commit.batch.slots = {{0, 180'000'000, good, 0, 0}};
  commit.events.resize(1);
  return commit;
}

}  // namespace

TEST_CASE("StoreThread executes every commit once, in order, and drains before it stops",
          "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  attach_all(*store, 1);
  StoreThread thread(std::move(store));
  std::vector<uint64_t> sequences;  // written by the store's thread, read after it ended
  std::vector<std::thread> posters;
  for (int p = 0; p < 3; ++p) {
    posters.emplace_back([&] {
      for (int i = 0; i < 40; ++i) {
        thread.post(counting(1), [&](Status status, StateStore::Commit&& commit) {
          if (status.ok()) sequences.push_back(commit.events[0].sequence);
        });
      }
    });
  }
  for (auto& poster : posters) poster.join();
  thread.stop();
  REQUIRE(sequences.size() == 120);
  for (size_t i = 0; i < sequences.size(); ++i) REQUIRE(sequences[i] == i + 1);
  CHECK_FALSE(thread.post(counting(1), [](Status, StateStore::Commit&&) {}));
  auto again = open_store(dir.options());
  CHECK(again->restored().clean);
  CHECK(attach_all(*again, 1).good(0) == 120);
}

TEST_CASE("StoreThread gives a commit back untouched when its queue is full", "[store]") {
  const TempDir dir;
  auto store = open_store(dir.options());
  attach_all(*store, 1);
  StoreThread thread(std::move(store));
  std::promise<void> busy;
  std::promise<void> go_on;
  thread.run([&](StateStore&) {
    busy.set_value();
    go_on.get_future().wait();
  });
  busy.get_future().wait();  // the queue is empty now and nothing leaves it
  std::atomic<int> done{0};
  const auto count = [&](Status, StateStore::Commit&&) { ++done; };
  for (size_t i = 0; i < StoreThread::kQueue; ++i) CHECK(thread.try_post(counting(1), count));
  auto commit = counting(7);
  CHECK_FALSE(thread.try_post(std::move(commit), count));
  REQUIRE(commit.batch.slots.size() == 1);
  CHECK(commit.batch.slots[0].good == 7);
  go_on.set_value();
  thread.stop();
  CHECK(done == 4);
}
