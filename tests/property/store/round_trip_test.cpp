#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "../../../sync/src/store/codec.hpp"
#include "../../unit/store/support.hpp"

using namespace nines;
using namespace nines::store;
using namespace nines::store::test;

namespace {

constexpr int64_t kT0 = 1'800'000'000;
constexpr uint32_t kSlos = 4;

slo::Batch any_batch(int64_t now_s) {
  slo::Batch batch;
  const auto slots = *rc::gen::inRange(0, 12);
  for (int i = 0; i < slots; ++i) {
    // Mostly now, some of it days late, unsorted and repeated as a raw batch may be.
    const int64_t age = *rc::gen::weightedOneOf<int64_t>(
        {{5, rc::gen::inRange<int64_t>(0, 60)}, {1, rc::gen::inRange<int64_t>(0, 20 * 86400)}});
    batch.slots.push_back({*rc::gen::inRange(0U, kSlos), (now_s - age) / 10,
                           *rc::gen::inRange<int64_t>(-5, 1'000'000),
                           *rc::gen::inRange<int64_t>(-5, 5), *rc::gen::inRange(0U, 11U)});
  }
  if (*rc::gen::inRange(0, 4) == 0) {
    slo::SketchDelta sketch{*rc::gen::inRange(0U, kSlos), now_s / 3600, {}};
    for (uint16_t bin = 3; bin < 40; bin = static_cast<uint16_t>(bin + *rc::gen::inRange(1, 20))) {
      sketch.bins.emplace_back(bin, *rc::gen::inRange(1U, 4'000'000'000U));
    }
    batch.sketches.push_back(sketch);
  }
  const auto files = *rc::gen::inRange(0, 3);
  for (int i = 0; i < files; ++i) {
    const bool forget = *rc::gen::inRange(0, 5) == 0;
    batch.positions.push_back({"file " + std::to_string(*rc::gen::inRange(0, 6)),
                               forget ? "" : *rc::gen::nonEmpty<std::string>()});
  }
  batch.late = *rc::gen::inRange(0, 3);
  return batch;
}

void take_positions(const slo::Batch& batch, std::map<std::string, std::string>& positions) {
  for (const auto& position : batch.positions) {
    if (position.state.empty()) {
      positions.erase(position.key);
    } else {
      positions[position.key] = position.state;
    }
  }
}

}  // namespace

TEST_CASE("Whatever is committed, folded and reopened comes back by the minute",
          "[store][property]") {
  const bool holds = rc::check([] {
    const TempDir dir;
    auto options = dir.options();
    options.fold_after_s = *rc::gen::inRange(0, 4000);
    Sums expected;
    std::map<std::string, std::string> positions;
    int64_t late = 0;
    int64_t now_s = kT0;
    auto store = open_store(options);
    attach_all(*store, kSlos);
    const auto steps = *rc::gen::inRange(1, 25);
    for (int i = 0; i < steps; ++i) {
      now_s += *rc::gen::inRange(-600, 2400);  // the clock steps back, too
      StateStore::Commit commit;
      commit.now = WallTime::from_s(now_s);
      commit.batch = any_batch(now_s);
      require_ok(store->commit(commit));
      expected.add(commit.batch);
      take_positions(commit.batch, positions);
      late += commit.batch.late;
      if (*rc::gen::inRange(0, 4) == 0) require_ok(store->fold(WallTime::from_s(now_s)));
      if (*rc::gen::inRange(0, 10) != 0) continue;
      store.reset();
      store = open_store(options);
      RC_ASSERT(attach_all(*store, kSlos) == expected);
    }
    store.reset();
    store = open_store(options);
    RC_ASSERT(attach_all(*store, kSlos) == expected);
    RC_ASSERT(positions_of(store->restored()) == positions);
    RC_ASSERT(store->restored().late == late);
    RC_ASSERT(store->restored().skipped_rows == 0U);
  });
  REQUIRE(holds);
}

TEST_CASE("Decoders take any bytes and end", "[store][property]") {
  const bool holds = rc::check([](std::string bytes) {
    if (*rc::gen::arbitrary<bool>()) bytes.insert(0, 1, '\x01');  // the version
    (void)decode_journal(bytes);
    (void)Chunk::decode(bytes);
    (void)decode_alerts(bytes);
    (void)decode_event(bytes, 1);
  });
  REQUIRE(holds);
}
