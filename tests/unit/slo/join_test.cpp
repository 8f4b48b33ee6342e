// Joins: what becomes of each pair, and what is kept over a restart. In every order: property test.
#include "nines/slo/join.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::slo;

namespace {

constexpr int64_t kT = 1'772'000'000;  // a multiple of 10 s

WallTime at_ms(int64_t ms) { return {kT * kNsPerSecond + ms * kNsPerMs}; }

EventJoin::Options quick() {
  EventJoin::Options options;
  options.op = CompareOp::lt;
  options.limit_ns = {500, 6};
  options.unit_ns = kNsPerMs;
  options.id = "slo:gen";
  return options;
}

struct Sum {
  int good = 0, bad = 0;
  friend bool operator==(const Sum&, const Sum&) = default;
};

Sum drain(EventJoin& join) {
  Sum sum;
  for (const auto& v : join.verdicts()) {
    sum.good += v.good;
    sum.bad += v.bad;
  }
  join.verdicts().clear();
  return sum;
}

}  // namespace

TEST_CASE("A join compares the time between two records with the objective, exactly", "[join]") {
  EventJoin join(quick());
  join.start(1, at_ms(0));
  CHECK(drain(join) == Sum{});
  join.end(1, at_ms(499));
  REQUIRE(join.verdicts().size() == 1);
  CHECK(join.verdicts()[0].slot == kT / 10);
  CHECK(join.verdicts()[0].lag == 499.0);
  CHECK(drain(join) == Sum{1, 0});
  join.start(2, at_ms(0));
  join.end(2, at_ms(500));
  CHECK(drain(join) == Sum{0, 1});
}

TEST_CASE("A pair counts in the slot of its start, wherever its end lies", "[join]") {
  EventJoin join(quick());
  join.start(1, at_ms(9'900));
  join.end(1, at_ms(10'100));
  REQUIRE(join.verdicts().size() == 1);
  CHECK(join.verdicts()[0].slot == kT / 10);
}

TEST_CASE("A start without an end is bad once all ends in time are known, not before", "[join]") {
  EventJoin join(quick());  // timeout 60 s, grace 30 s
  join.start(1, at_ms(0));
  join.advance(at_ms(3'600'000), {INT64_MIN});  // the end's logs cannot be read
  join.advance(at_ms(89'999), at_ms(89'999));
  CHECK(drain(join) == Sum{});
  CHECK(join.pending() == 1);
  join.advance(at_ms(90'000), at_ms(90'000));
  CHECK(drain(join) == Sum{0, 1});
  CHECK(join.pending() == 0);
  CHECK(join.counters().timed_out == 1);
}

TEST_CASE("onTimeout skip leaves out what never ended", "[join]") {
  auto options = quick();
  options.join.on_timeout = OnTimeout::skip;
  EventJoin join(options);
  join.start(1, at_ms(0));
  join.start(2, at_ms(0));
  join.end(2, at_ms(60'001));  // beyond the timeout is as good as never
  join.advance(at_ms(90'000), at_ms(90'000));
  CHECK(drain(join) == Sum{});
  CHECK(join.counters().timed_out == 2);
}

TEST_CASE("An end may be read before its start, and one without is forgotten", "[join]") {
  EventJoin join(quick());
  join.end(1, at_ms(100));
  join.end(2, at_ms(100));
  join.start(1, at_ms(0));
  CHECK(drain(join) == Sum{1, 0});
  join.advance(at_ms(90'100), at_ms(90'100));
  CHECK(join.counters().unmatched == 1);
  CHECK(join.pending() == 0);
}

TEST_CASE("An end before its start took no time, and clocks that disagree are counted", "[join]") {
  EventJoin join(quick());
  join.start(1, at_ms(200));
  join.end(1, at_ms(100));
  REQUIRE(join.verdicts().size() == 1);
  CHECK(join.verdicts()[0].lag == 0.0);
  CHECK(drain(join) == Sum{1, 0});
  CHECK(join.counters().negative == 1);
}

TEST_CASE("Records logged twice count once, and an earlier one read later corrects", "[join]") {
  EventJoin join(quick());
  join.start(1, at_ms(1000));
  join.start(1, at_ms(1400));
  join.end(1, at_ms(1600));
  CHECK(drain(join) == Sum{0, 1});
  join.end(1, at_ms(1700));
  join.start(1, at_ms(1500));
  CHECK(drain(join) == Sum{});
  join.end(1, at_ms(1450));  // of an older file
  CHECK(drain(join) == Sum{1, -1});
  CHECK(join.counters().duplicates == 4);
}

TEST_CASE("With unique keys nothing is remembered of a pair that met", "[join]") {
  auto options = quick();
  options.join.unique_keys = true;
  EventJoin join(options);
  join.start(1, at_ms(0));
  join.end(1, at_ms(1));
  CHECK(drain(join) == Sum{1, 0});
  CHECK(join.pending() == 0);
  std::vector<Position> kept;
  join.take_positions(kept);
  CHECK(kept.empty());
}

TEST_CASE("A full join forgets pairs that met first, then the oldest, and says so", "[join]") {
  auto options = quick();
  options.join.max_pending = 2;
  EventJoin join(options);
  join.start(1, at_ms(0));
  join.start(2, at_ms(10'000));
  join.end(2, at_ms(10'001));
  join.start(3, at_ms(20'000));  // in the place of 2, which met
  CHECK(join.counters().forgotten == 1);
  CHECK(join.counters().overflow == 0);
  join.start(4, at_ms(30'000));  // in the place of 1, the oldest
  CHECK(join.counters().overflow == 1);
  CHECK(join.pending() == 2);
  join.advance(at_ms(200'000), at_ms(200'000));
  CHECK(drain(join) == Sum{1, 2});
}

TEST_CASE("What is pending comes back from its positions, and only changes are written", "[join]") {
  EventJoin join(quick());
  join.start(1, at_ms(0));
  join.start(2, at_ms(12'345));
  join.end(3, {at_ms(12'345).ns + 1});
  std::vector<Position> kept;
  join.take_positions(kept);
  REQUIRE(kept.size() == 2);
  CHECK(kept[0].key == "join:slo:gen:" + std::to_string(kT / 10));
  std::vector<Position> again;
  join.take_positions(again);
  CHECK(again.empty());

  EventJoin next(quick());
  for (const Position& p : kept) CHECK(next.restore(p));
  CHECK_FALSE(next.restore({"join:other:gen:1", kept[0].state}));
  next.take_positions(again);
  CHECK(again.empty());
  next.end(1, at_ms(100));
  next.end(2, at_ms(12'900));
  CHECK(drain(next) == Sum{1, 1});
  next.start(3, at_ms(12'000));
  CHECK(drain(next) == Sum{1, 0});
  next.advance(at_ms(200'000), at_ms(200'000));
  next.take_positions(again);
  REQUIRE(again.size() == 2);
  for (const Position& p : again) CHECK(p.state.empty());
}

TEST_CASE("A bucket that the store lost is counted and forgotten there too", "[join]") {
  EventJoin join(quick());
  CHECK(join.restore({"join:slo:gen:177200000", "lost"}));
  CHECK(join.counters().lost_buckets == 1);
  std::vector<Position> out;
  join.take_positions(out);
  REQUIRE(out.size() == 1);
  CHECK(out[0].state.empty());
}

TEST_CASE("A waiting start costs less than 20 bytes in the store", "[join]") {
  EventJoin join(quick());
  for (uint64_t key = 1; key <= 1000; ++key) {
    join.start(key * 0x9e3779b97f4a7c15ULL, at_ms(static_cast<int64_t>(key)));
  }
  std::vector<Position> kept;
  join.take_positions(kept);
  REQUIRE(kept.size() == 1);
  CHECK(kept[0].state.size() < 13 * 1000);
  CHECK(join.memory_bytes() < 100 * 1000);
}

TEST_CASE("A number and its text are one key, NULL is none", "[join]") {
  CHECK(join_key(Value::of_int(5)) == join_key(Value::of_text("5")));
  CHECK(join_key(Value::of_decimal(50, -1)) == join_key(Value::of_text("5")));
  CHECK(join_key(Value::of_text("a")) != join_key(Value::of_text("b")));
  CHECK(join_key(Value::null()) == 0);
}

TEST_CASE("Every kind of value is a key, and equal values are equal keys", "[join]") {
  CHECK(join_key(Value::of_bool(true)) == join_key(Value::of_text("true")));
  CHECK(join_key(Value::of_bool(false)) != join_key(Value::of_bool(true)));
  CHECK(join_key(Value::of_real(0.5)) == join_key(Value::of_real(0.5)));
  CHECK(join_key(Value::of_real(0.5)) != join_key(Value::of_real(0.25)));
  CHECK(join_key(Value::of_time(at_ms(7).ns)) == join_key(Value::of_time(at_ms(7).ns)));
  CHECK(join_key(Value::of_time(at_ms(7).ns)) != join_key(Value::of_time(at_ms(8).ns)));
  CHECK(join_key(Value::of_decimal(125, -2)) == join_key(Value::of_decimal(1250, -3)));
  CHECK(join_key(Value::of_decimal(125, -2)) != join_key(Value::of_int(125)));
}

TEST_CASE("Units of time are known by their names, and nothing else is one", "[join]") {
  CHECK(unit_ns("ns") == 1);
  CHECK(unit_ns("ms") == 1'000'000);
  CHECK(unit_ns("h") == 3600 * kNsPerSecond);
  CHECK(unit_ns("parsec") == 0);
  CHECK(unit_ns("") == 0);
}

TEST_CASE("Each comparison of an objective holds at its own side of the limit", "[join]") {
  const auto good = [](CompareOp op, int64_t lag_ms) {
    auto options = quick();
    options.op = op;
    EventJoin join(options);
    join.start(1, at_ms(0));
    join.end(1, at_ms(lag_ms));
    return drain(join).good == 1;
  };
  const CompareOp ops[] = {CompareOp::lt, CompareOp::lte, CompareOp::gt, CompareOp::gte};
  const bool below[] = {true, true, false, false}, at[] = {false, true, false, true};
  for (size_t i = 0; i < 4; ++i) {
    CHECK(good(ops[i], 499) == below[i]);
    CHECK(good(ops[i], 500) == at[i]);
    CHECK(good(ops[i], 501) == !below[i]);
  }
}

TEST_CASE("Keys that share a place in the table are found when one of them has gone", "[join]") {
  auto options = quick();
  options.join.unique_keys = true;  // a pair goes as soon as it has met
  EventJoin join(options);
  constexpr uint64_t kFar = uint64_t{1} << 32;  // the table takes the low bits
  for (uint64_t i = 0; i < 5; ++i) join.start(3 + i * kFar, at_ms(0));
  join.start(4, at_ms(0));
  for (const uint64_t i : {0U, 2U, 1U, 4U, 3U}) {
    join.end(3 + i * kFar, at_ms(100));
    CHECK(drain(join) == Sum{1, 0});
  }
  join.end(4, at_ms(100));
  CHECK(drain(join) == Sum{1, 0});
  CHECK(join.pending() == 0);
}

TEST_CASE("A damaged bucket is lost, whatever its numbers claim", "[join]") {
  const std::string key(8, '\1'), endless(12, '\xff');
  const std::string far = std::string(8, '\xff') + '\x7f';  // 2^63 - 1
  const std::string head = {'\1', '\0', '\1'}, head_ms = {'\1', '\6', '\1'};
  for (const std::string& state : {head + key + '\1' + endless, head_ms + key + '\1' + far}) {
    EventJoin join(quick());
    CHECK(join.restore({"join:slo:gen:177200000", state}));
    CHECK(join.counters().lost_buckets == 1);
    CHECK(join.pending() == 0);
  }
}

TEST_CASE("Times at the ends of the calendar do no harm to a join", "[join]") {
  EventJoin join(quick());
  join.start(1, {INT64_MIN});
  join.end(1, {INT64_MAX});
  join.start(2, {INT64_MAX});
  join.advance({INT64_MAX}, {INT64_MAX});
  std::vector<Position> kept;
  join.take_positions(kept);
  EventJoin next(quick());
  for (const Position& p : kept) CHECK(next.restore(p));
  CHECK(next.counters().lost_buckets == 0);
}
