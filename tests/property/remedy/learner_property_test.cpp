// What is learned from a company in which it is known what helps (planted.hpp).
// NINES_LONG=n in the environment: n times as many seeds.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <iostream>

#include "nines/remedy/procedure.hpp"
#include "planted.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

namespace {

int seeds() {
  const char* const times = std::getenv("NINES_LONG");  // NOLINT(concurrency-mt-unsafe)
  return 50 * (times == nullptr ? 1 : std::max(1, std::atoi(times)));
}

void print(const char* what, const Score& s) {
  std::cout << what << ": precision " << s.precision() << ", recall " << s.recall()
            << ", wrong a seed " << s.wrong_a_seed() << " (" << s.seeds << " seeds)\n";
}

}  // namespace

TEST_CASE("Planted rules are found, hardly anything else is") {
  const Score got = score(1, seeds(), {});
  print("planted", got);
  CHECK(got.precision() >= 0.98);
  CHECK(got.recall() >= 0.80);
  // What makes this hard: counting alone is wrong often.
  const Score naive = score(1, seeds(), {}, {}, true);
  print("counting alone", naive);
  CHECK(naive.precision() < 0.85);
}

TEST_CASE("Where no action works, hardly any rule is made") {
  World world;
  world.planted = 0;
  const Score got = score(1, seeds(), world);
  print("nothing works", got);
  CHECK(got.wrong_a_seed() <= 0.05);
  const Score naive = score(1, seeds(), world, {}, true);
  print("nothing works, counting alone", naive);
  CHECK(naive.wrong_a_seed() > 2);
}

TEST_CASE("Signatures that are easier than others do not prove what was tried on them") {
  World world;
  world.moods = 0.5;
  const Score got = score(1, seeds(), world);
  print("moods", got);
  CHECK(got.precision() >= 0.97);
  world.planted = 0;
  const Score nothing = score(1, seeds(), world);
  print("moods, nothing works", nothing);
  CHECK(nothing.wrong_a_seed() <= 0.2);
}

TEST_CASE("A thousand incidents are learned, with their procedures, within a second") {
  const Planted planted = plant(7);
  const auto start = std::chrono::steady_clock::now();
  History history;
  Learner learner;
  for (const Record& r : planted.records) {
    CHECK(history.merge(r) == History::Merge::news);
    learner.add(r);
  }
  const auto procedures = procedures_of(history, learner.learn());
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::cout << "1,000 incidents in " << took.count() * 1000 << " ms\n";
  CHECK(procedures.size() > 5);
  CHECK(took.count() < 1);
}

TEST_CASE("Learning on and off in any order ends where learning the rest at once does") {
  CHECK(rc::check([] {
    World world;
    world.incidents = 300;
    world.signatures = 8;
    world.planted = 4;
    const auto records = plant(*rc::gen::arbitrary<uint64_t>(), world).records;
    const size_t most = static_cast<size_t>(*rc::gen::inRange(50, 320));
    History history(most), reversed(most);
    Learner on, fresh;
    std::vector<Record> gone;
    for (const Record& r : records) {
      gone.clear();
      if (history.merge(r, &gone) == History::Merge::refused) continue;
      on.add(r);
      for (const Record& old : gone) on.remove(old);
    }
    for (auto it = records.rbegin(); it != records.rend(); ++it) reversed.merge(*it);
    reversed.each([&](const Record& r) { fresh.add(r); });
    RC_ASSERT(history.size() == reversed.size());
    const auto a = on.learn(), b = fresh.learn();
    RC_ASSERT(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      RC_ASSERT(a[i].signature == b[i].signature);
      RC_ASSERT(a[i].action == b[i].action);
      RC_ASSERT(a[i].standing == b[i].standing);
      RC_ASSERT(a[i].adjusted == b[i].adjusted);
    }
  }));
}
