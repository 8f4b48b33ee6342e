#include "nines/timeline/clock_model.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

using namespace nines;
using namespace nines::timeline;

namespace {

constexpr WallTime kNow{1'700'000'000 * kNsPerSecond};
constexpr int64_t kMs = kNsPerMs;

const NodeClock& clock_of(const std::vector<NodeClock>& clocks, const std::string& node) {
  const auto found = std::find_if(clocks.begin(), clocks.end(),
                                  [&](const NodeClock& clock) { return clock.node == node; });
  REQUIRE(found != clocks.end());
  return *found;
}

Stretch stretch(std::string_view node, int64_t start_ms, int64_t end_ms) {
  return {node, {kNow.ns + start_ms * kMs}, {kNow.ns + end_ms * kMs}};
}

// Nodes n0.. whose clocks are wrong; calls between them as they would be told.
struct World {
  explicit World(size_t nodes, uint32_t seed) : random(seed) {
    std::uniform_int_distribution<int64_t> wrong(-30 * kNsPerSecond, 30 * kNsPerSecond);
    for (size_t i = 0; i < nodes; ++i) {
      names.push_back("n" + std::to_string(i));
      offsets.push_back(wrong(random));
    }
  }
  Stretch at(size_t node, int64_t from, int64_t to) const {
    return {names[node], {kNow.ns + from + offsets[node]}, {kNow.ns + to + offsets[node]}};
  }
  // A caller, a callee, and how long the request takes to get there, to be answered, to get back.
  struct Call {
    int64_t start, there, back, end;
  };
  Call call() {
    std::exponential_distribution<double> way(1 / 3e6), work(1 / 20e6);
    const auto some = [&](auto& of) { return 1 + static_cast<int64_t>(of(random)); };
    Call c{};
    c.start = static_cast<int64_t>(random() % 1000) * kNsPerSecond;
    c.there = c.start + some(way);
    c.back = c.there + some(work);
    c.end = c.back + some(way);
    return c;
  }
  std::vector<double> errors_ms(const std::vector<NodeClock>& clocks) const {
    std::vector<double> out;
    for (size_t i = 1; i < names.size(); ++i) {
      const auto& clock = clock_of(clocks, names[i]);
      const int64_t error = std::abs(clock.offset_ns - (offsets[i] - offsets[0]));
      CHECK(error <= clock.uncertainty_ns.value());
      out.push_back(static_cast<double>(error) / 1e6);
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  std::mt19937 random;
  std::vector<std::string> names;
  std::vector<int64_t> offsets;
};

}  // namespace

TEST_CASE("clocks: what peers measured is taken as it is, from either end") {
  ClockModel model;
  CHECK(model.add_exchange("a", "b", 500 * kMs, 2 * kMs, kNow));
  CHECK(model.add_exchange("c", "a", 100 * kMs, kMs, kNow));
  const auto from_a = model.solve("a", kNow);
  CHECK(clock_of(from_a, "a").uncertainty_ns == 0);
  CHECK(clock_of(from_a, "b").offset_ns == 500 * kMs);
  CHECK(clock_of(from_a, "b").uncertainty_ns == 2 * kMs);
  CHECK(clock_of(from_a, "c").offset_ns == -100 * kMs);
  const auto from_b = model.solve("b", kNow);
  CHECK(clock_of(from_b, "a").offset_ns == -500 * kMs);
  CHECK(clock_of(from_b, "c").offset_ns == -600 * kMs);
  CHECK(clock_of(from_b, "c").uncertainty_ns == 3 * kMs);
  CHECK(clock_of(from_b, "c").source == NodeClock::Source::exchange);
}

TEST_CASE("clocks: a span within its caller's bounds its clock on both sides") {
  ClockModel model;
  // Child clock 1 s ahead: runs from 4 to 7 ms of a parent that takes 0 to 10.
  CHECK(model.add_span(stretch("p", 0, 10), stretch("c", 1004, 1007), kNow));
  auto clock = clock_of(model.solve("p", kNow), "c");
  CHECK(clock.offset_ns - *clock.uncertainty_ns == 997 * kMs);
  CHECK(clock.offset_ns + *clock.uncertainty_ns == 1004 * kMs);
  // Another one leaves less: from 0.5 to 9.5.
  CHECK(model.add_span(stretch("c", 2000, 2020), stretch("p", 1001, 1018), kNow));
  clock = clock_of(model.solve("p", kNow), "c");
  CHECK(clock.offset_ns - *clock.uncertainty_ns == 999 * kMs);
  CHECK(clock.offset_ns + *clock.uncertainty_ns == 1002 * kMs);
}

TEST_CASE("clocks: spans find clocks that are wrong by half a minute within 2 ms") {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    World world(12, seed);
    ClockModel model;
    for (size_t i = 0; i < 4000; ++i) {
      const size_t a = world.random() % 12, b = (a + 1 + world.random() % 3) % 12;
      const auto c = world.call();
      model.add_span(world.at(a, c.start, c.end), world.at(b, c.there, c.back), kNow);
    }
    const auto errors = world.errors_ms(model.solve("n0", kNow));
    CHECK(errors[errors.size() / 2] < 2);
  }
}

TEST_CASE("clocks: a sixth of the spans being wrong does not mislead") {
  World world(2, 7);
  ClockModel model;
  for (size_t i = 0; i < 300; ++i) {
    auto c = world.call();
    if (i % 6 == 0) c.there += 300 * kMs, c.back += 300 * kMs;  // goes on after it was answered
    model.add_span(world.at(0, c.start, c.end), world.at(1, c.there, c.back), kNow);
  }
  CHECK(world.errors_ms(model.solve("n0", kNow))[0] < 2);
}

TEST_CASE("clocks: lines of requests alone find them within 50 ms and never claim to be sure") {
  for (uint32_t seed = 1; seed <= 5; ++seed) {
    World world(9, seed);
    ClockModel model;
    for (size_t i = 0; i < 3000; ++i) {
      const size_t a = world.random() % 3, b = 3 + world.random() % 6;
      const auto c = world.call();
      std::vector<Stretch> heard{world.at(a, c.start, c.end), world.at(b, c.there, c.back)};
      if (i % 2 == 0) std::reverse(heard.begin(), heard.end());
      model.add_request(heard, kNow);
    }
    const auto clocks = model.solve("n0", kNow);
    const auto errors = world.errors_ms(clocks);
    CHECK(errors[errors.size() / 2] < 50);
    for (size_t i = 1; i < 9; ++i)
      CHECK(clock_of(clocks, world.names[i]).uncertainty_ns.value() > 5 * kMs);
  }
}

TEST_CASE("clocks: few requests tell nothing, and spans count before any number of them") {
  ClockModel model;
  for (int i = 0; i < 7; ++i) model.add_request({stretch("a", 0, 10), stretch("b", 2, 8)}, kNow);
  CHECK_FALSE(clock_of(model.solve("a", kNow), "b").uncertainty_ns);
  model.add_request({stretch("a", 0, 10), stretch("b", 2, 8)}, kNow);
  CHECK(clock_of(model.solve("a", kNow), "b").source == NodeClock::Source::requests);
  model.add_span(stretch("a", 0, 10), stretch("b", 101, 109), kNow);
  const auto clock = clock_of(model.solve("a", kNow), "b");
  CHECK(clock.source == NodeClock::Source::spans);
  CHECK(clock.offset_ns == 100 * kMs);
}

TEST_CASE("clocks: a way over others makes less sure, a second way surer") {
  ClockModel model;
  model.add_exchange("a", "b", 0, 10 * kMs, kNow);
  model.add_exchange("b", "d", 0, 10 * kMs, kNow);
  CHECK(clock_of(model.solve("a", kNow), "d").uncertainty_ns == 20 * kMs);
  model.add_exchange("a", "c", 0, 10 * kMs, kNow);
  model.add_exchange("c", "d", 15 * kMs, 10 * kMs, kNow);
  const auto clock = clock_of(model.solve("a", kNow), "d");
  CHECK(clock.offset_ns - *clock.uncertainty_ns <= -5 * kMs);
  CHECK(clock.offset_ns + *clock.uncertainty_ns >= 20 * kMs);
  CHECK(clock.uncertainty_ns < 20 * kMs);
}

TEST_CASE("clocks: bounds that contradict each other still give an answer, a less sure one") {
  ClockModel model;
  model.add_exchange("a", "b", 0, kMs, kNow);
  model.add_exchange("b", "c", 0, kMs, kNow);
  model.add_exchange("a", "c", 100 * kMs, kMs, kNow);
  const auto clocks = model.solve("a", kNow);
  for (const char* node : {"b", "c"}) CHECK(clock_of(clocks, node).uncertainty_ns.has_value());
}

TEST_CASE("clocks: what is known gets less sure as time goes by, and what is new counts") {
  ClockModel model;
  model.add_exchange("a", "b", 0, kMs, kNow);
  const WallTime later{kNow.ns + 1000 * kNsPerSecond};
  CHECK(clock_of(model.solve("a", later), "b").uncertainty_ns == 101 * kMs);
  model.add_exchange("a", "b", 0, 5 * kMs, later);  // surer than the old one by now
  CHECK(clock_of(model.solve("a", later), "b").uncertainty_ns == 5 * kMs);
  model.add_exchange("a", "b", 0, 50 * kMs, later);  // and this one is not
  CHECK(clock_of(model.solve("a", later), "b").uncertainty_ns == 5 * kMs);
  model.add_exchange("a", "b", 9000 * kMs, 50 * kMs, later);  // the clock was set
  CHECK(clock_of(model.solve("a", later), "b").offset_ns == 9000 * kMs);
}

TEST_CASE("clocks: nodes that nothing ties to the reference are apart") {
  ClockModel model;
  model.add_exchange("a", "b", 0, kMs, kNow);
  model.add_exchange("x", "y", 70 * kMs, kMs, kNow);
  const auto clocks = model.solve("a", kNow);
  CHECK(clock_of(clocks, "b").component == 0);
  CHECK(clock_of(clocks, "x").component == clock_of(clocks, "y").component);
  CHECK(clock_of(clocks, "x").component != 0);
  CHECK_FALSE(clock_of(clocks, "y").uncertainty_ns);
  CHECK(clock_of(clocks, "y").offset_ns == 70 * kMs);
  const auto alone = model.solve("nobody", kNow);
  CHECK(clock_of(alone, "nobody").uncertainty_ns == 0);
  CHECK_FALSE(clock_of(alone, "a").uncertainty_ns);
  model.forget("b");
  CHECK(model.solve("a", kNow).size() == 3);
  CHECK(model.stats().pairs == 1);
}

TEST_CASE("clocks: memory has a limit, and what is beyond is counted") {
  ClockLimits limits;
  limits.max_nodes = 3;
  limits.max_pairs = 2;
  ClockModel model(limits);
  CHECK(model.add_exchange("a", "b", 0, 1, kNow));
  CHECK(model.add_exchange("a", "c", 0, 1, kNow));
  CHECK_FALSE(model.add_exchange("b", "c", 0, 1, kNow));
  CHECK_FALSE(model.add_exchange("a", "d", 0, 1, kNow));
  CHECK(model.stats().left_out == 2);
  for (int i = 0; i < 10'000; ++i) model.add_span(stretch("a", 0, 10), stretch("b", 1, 9), kNow);
  CHECK(model.stats().memory_bytes < 16 * 1024);
  CHECK_FALSE(model.add_request(std::vector<Stretch>(17, stretch("a", 0, 1)), kNow));
}

TEST_CASE("clocks: absurd times are refused and counted") {
  ClockModel model;
  const int64_t most = std::numeric_limits<int64_t>::max();
  CHECK_FALSE(model.add_exchange("a", "b", most, 1, kNow));
  CHECK_FALSE(model.add_exchange("a", "b", -most - 1, most, kNow));
  CHECK_FALSE(model.add_exchange("a", "b", 0, -1, kNow));
  CHECK_FALSE(model.add_exchange("a", "a", 0, 1, kNow));
  CHECK_FALSE(model.add_span({"a", {-most - 1}, {most}}, {"b", kNow, kNow}, kNow));
  CHECK_FALSE(model.add_span(stretch("a", 0, 1), stretch("b", 0, 2), kNow));  // outlasts it
  CHECK_FALSE(model.add_request({{"a", {most}, {-most}}, stretch("b", 0, 1)}, kNow));
  CHECK(model.stats().absurd == 7);
  CHECK(model.add_exchange("a", "b", int64_t{1} << 60, 1, kNow));
  CHECK(model.add_exchange("b", "c", int64_t{1} << 60, 1, kNow));
  CHECK(model.add_exchange("c", "d", int64_t{1} << 60, 1, kNow));
  CHECK(model.solve("a", kNow).size() == 4);
}
