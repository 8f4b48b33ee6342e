#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "fleet/cells.hpp"
#include "fleet_dump.hpp"
#include "nines/fleet/fleet_view.hpp"

using namespace nines;
using namespace nines::fleet;
using fleet::test::dump;

namespace {

constexpr int64_t kHour0 = 500'000;  // since 1970
constexpr WallTime kCeiling = WallTime::from_s((kHour0 + 10'000) * 3600);

FleetLimits small_limits() {
  FleetLimits limits;
  limits.max_events = 40;
  limits.max_incidents = 12;
  limits.max_timeline = 5;
  limits.hours_kept_s = 4 * 86400;
  return limits;
}

SeriesMeta meta(const std::string& slo, int64_t window_s) {
  return {{}, slo, "g1", "shop", "0.99", window_s};
}

void write_something(FleetState& owner, const std::vector<uint64_t>& ids, int64_t step) {
  const uint64_t id = ids[*rc::gen::inRange<size_t>(0, ids.size())];
  const int64_t hour = kHour0 + step + *rc::gen::inRange<int64_t>(-30, 2);
  switch (*rc::gen::inRange(0, 7)) {
    case 0:
      owner.publish(FleetEvent{.at = WallTime::from_s(hour * 3600),
                               .summary = "s" + std::to_string(*rc::gen::inRange(0, 9))});
      break;
    case 6: {  // lives and numbers as their owner gives them, told again now and then
      FleetEvent event;
      event.stream = *rc::gen::arbitrary<bool>() ? FleetEvent::Stream::incidents
                                                 : FleetEvent::Stream::timeline;
      event.boot = *rc::gen::inRange<uint64_t>(1, 4);
      event.sequence = *rc::gen::inRange<uint64_t>(1, 40);
      event.body = "b" + std::to_string(*rc::gen::inRange(0, 2));
      owner.publish(event);
      break;
    }
    case 1: owner.describe(WallTime::from_s(hour * 3600), 1, {}); break;
    case 2:
    case 3:
      owner.publish(id, Tier::hour, hour,
                    {*rc::gen::inRange<int64_t>(0, 5000), *rc::gen::inRange<int64_t>(0, 50), 3600});
      break;
    default:
      owner.publish(id, Tier::minute, hour * 60 + *rc::gen::inRange<int64_t>(0, 60),
                    {*rc::gen::inRange<int64_t>(0, 100), *rc::gen::inRange<int64_t>(0, 9),
                     *rc::gen::inRange<int64_t>(50, 61)});
  }
}

// What two owners said over some days, as it was told live and as whole blocks.
struct History {
  std::vector<Piece> infos, pieces;
  FleetState a{"a", 3, small_limits()}, b{"b", 1, small_limits()};
};

void record(FleetState& owner, History& history) {
  for (auto& piece : owner.take_changes()) {
    auto& to = piece.key.kind == PartKind::info ? history.infos : history.pieces;
    to.push_back(std::move(piece));
  }
}

History any_history() {
  History history;
  const int64_t steps = *rc::gen::inRange<int64_t>(1, 60);
  for (FleetState* owner : {&history.a, &history.b}) {
    const auto ids =
        *owner->set_series({meta("api", 86400), meta("web", 2 * 86400)}, WallTime::from_s(1));
    for (int64_t step = 0; step < steps; ++step) {
      write_something(*owner, ids, step * 3);
      if (*rc::gen::inRange(0, 3) == 0) record(*owner, history);
      if (*rc::gen::inRange(0, 8) != 0) continue;
      for (const uint64_t id : ids) {
        for (const auto& part : owner->parts(owner->self(), id)) {
          history.pieces.push_back(*owner->piece(owner->self(), part.key));
        }
      }
    }
    record(*owner, history);
  }
  return history;
}

template <class T>
std::vector<T> shuffled(std::vector<T> all) {
  for (size_t i = all.size(); i > 1; --i) {
    std::swap(all[i - 1], all[*rc::gen::inRange<size_t>(0, i)]);
  }
  return all;
}

// Info first: what belongs to no origin known is refused, and asked for again by the protocol.
FleetState replica(const History& history) {
  FleetState state("c", 1, small_limits());
  state.take_changes();
  for (const auto& piece : shuffled(history.infos)) state.merge(piece, kCeiling);
  const int repeats = *rc::gen::inRange(1, 3);
  for (int i = 0; i < repeats; ++i) {
    for (const auto& piece : shuffled(history.pieces)) state.merge(piece, kCeiling);
  }
  return state;
}

// What c is told of others; its own info differs by nothing.
void pull(FleetState& to, const FleetState& from) {
  for (const auto& origin : to.missing(from.digest())) {
    for (int round = 0; round < 2; ++round) {  // the info first: it names the series
      for (const auto& key : to.missing(origin, from.parts(origin))) {
        if (key.kind != PartKind::series) {
          if (const auto piece = from.piece(origin, key)) to.merge(*piece, kCeiling);
          continue;
        }
        for (const auto& block : to.missing(origin, from.parts(origin, key.id))) {
          if (const auto piece = from.piece(origin, block)) to.merge(*piece, kCeiling);
        }
      }
    }
  }
}

}  // namespace

TEST_CASE("Any order and any repetition of messages gives the same fleet state",
          "[fleet][property]") {
  const bool holds = rc::check([] {
    const History history = any_history();
    const FleetState one = replica(history), other = replica(history);
    RC_ASSERT(dump(one) == dump(other));
    RC_ASSERT(one.hash() == other.hash());
    for (const FleetState* owner : {&history.a, &history.b}) {
      const auto now = WallTime::from_s((kHour0 + 40) * 3600);
      const auto theirs = fleet_budgets(*owner, now), ours = fleet_budgets(one, now);
      RC_ASSERT(theirs.size() == ours.size());
    }
  });
  REQUIRE(holds);
}

TEST_CASE("Merging states is commutative, associative and idempotent", "[fleet][property]") {
  const bool holds = rc::check([] {
    const History history = any_history();
    // Three replicas that heard different parts.
    std::vector<FleetState> parts;
    for (int i = 0; i < 3; ++i) {
      FleetState state("c", 1, small_limits());
      for (const auto& piece : history.infos) state.merge(piece, kCeiling);
      for (const auto& piece : history.pieces) {
        if (*rc::gen::inRange(0, 2) == 0) state.merge(piece, kCeiling);
      }
      parts.push_back(std::move(state));
    }
    const auto joined = [&](std::initializer_list<int> order) {
      FleetState sum("c", 1, small_limits());
      for (const int i : order) pull(sum, parts[static_cast<size_t>(i)]);
      return dump(sum);
    };
    const auto abc = joined({0, 1, 2});
    RC_ASSERT(joined({2, 1, 0}) == abc);
    RC_ASSERT(joined({1, 0, 2, 2, 0}) == abc);
    FleetState grouped("c", 1, small_limits());  // a + (b + c)
    pull(parts[1], parts[2]);
    pull(grouped, parts[0]);
    pull(grouped, parts[1]);
    RC_ASSERT(dump(grouped) == abc);
  });
  REQUIRE(holds);
}

TEST_CASE("Equal hashes and equal states go together, and nothing is missing between equals",
          "[fleet][property]") {
  const bool holds = rc::check([] {
    const History history = any_history();
    FleetState one = replica(history);
    FleetState other("c", 1, small_limits());
    pull(other, one);
    RC_ASSERT(dump(one) == dump(other));
    RC_ASSERT(one.hash() == other.hash());
    RC_ASSERT(other.missing(one.digest()).empty());
    RC_ASSERT(one.bytes() == other.bytes());
  });
  REQUIRE(holds);
}

TEST_CASE("Blocks of cells come back as they were packed, and any bytes are told from a block",
          "[fleet][property]") {
  const bool holds = rc::check([](const std::string& bytes) {
    const Tier tier = *rc::gen::arbitrary<bool>() ? Tier::minute : Tier::hour;
    CellBlock block;
    for (int64_t i = 0; i < cells_of_block(tier); ++i) {
      if (*rc::gen::inRange(0, 3) != 0) continue;
      block.set(i, {{*rc::gen::arbitrary<uint64_t>(), *rc::gen::arbitrary<uint64_t>()},
                    {*rc::gen::inRange<int64_t>(0, kMaxCellCount + 1),
                     *rc::gen::inRange<int64_t>(0, 1000),
                     *rc::gen::inRange<int64_t>(0, slot_seconds(tier) + 1)}});
    }
    if (block.mask != 0) {
      const auto packed = pack(block, tier);
      const auto again = unpack(packed, tier);
      RC_ASSERT(again.has_value());
      RC_ASSERT(again->mask == block.mask);
      RC_ASSERT(again->cells == block.cells);
      RC_ASSERT(!unpack(packed.substr(0, packed.size() - 1), tier).has_value());
    }
    if (const auto lucky = unpack(bytes, tier)) {
      RC_ASSERT(unpack(pack(*lucky, tier), tier)->cells == lucky->cells);
    }
  });
  REQUIRE(holds);
}
