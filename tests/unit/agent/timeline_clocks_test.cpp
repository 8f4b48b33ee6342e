// How far clocks were apart is known for the time at which something happened.
#include <catch2/catch.hpp>

#include "nines/timeline/event.hpp"
#include "timeline/clock_book.hpp"

namespace nines::agent::timeline {
namespace {

constexpr int64_t kStart = 1'790'000'000, kMs = kNsPerMs;
WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

// The one that is surest at a time.
core::NodeClock surest(const std::vector<core::NodeClock>& clocks, WallTime when) {
  core::NodeClock best;
  int64_t least = INT64_MAX;
  for (const core::NodeClock& clock : clocks) {
    if (!clock.uncertainty_ns) continue;
    const int64_t unsure =
        *clock.uncertainty_ns + std::abs(when.ns - clock.at.ns) / core::kDriftDivisor;
    if (unsure >= least) continue;
    least = unsure;
    best = clock;
  }
  return best;
}

std::vector<store::Document> life(ClockBook& book) { return book.take_changes(); }

}  // namespace

TEST_CASE("An old event is corrected by what was known then, also by a later life", "[timeline]") {
  std::vector<store::Document> kept;
  {
    ClockBook book("n1");
    for (int64_t s = 0; s < 7'200; s += 10) {
      const bool set = s >= 3'600;  // the clock of n2 was put right
      book.exchange("n2", set ? 2 * kMs : 5'000 * kMs, kMs, at(s));
      book.tick(at(s));
    }
    CHECK(book.stats().jumps == 1);
    kept = life(book);
  }
  ClockBook book("n1");
  book.restore(kept);
  const auto clocks = book.clocks(at(7'300));
  CHECK(surest(clocks, at(1'800)).offset_ns == 5'000 * kMs);
  CHECK(surest(clocks, at(3'580)).offset_ns == 5'000 * kMs);
  CHECK(surest(clocks, at(3'620)).offset_ns == 2 * kMs);
  CHECK(surest(clocks, at(7'190)).offset_ns == 2 * kMs);
}

TEST_CASE("Clocks of a day fit a document, however many nodes there are", "[timeline]") {
  ClockBook book("n0");
  for (int64_t s = 0; s < 4 * 86'400; s += 60) {
    for (int node = 1; node <= 40; ++node) {
      book.exchange("node-with-a-name-" + std::to_string(node), node * kMs, kMs, at(s));
    }
    book.tick(at(s));
  }
  CHECK(book.stats().kept <= ClockBook::kMostKept);
  CHECK(book.stats().dropped > 0);
  for (const auto& document : book.take_changes()) CHECK(document.body.size() < 64 * 1024);
  CHECK(book.take_changes().empty());
}

TEST_CASE("A node that is long gone makes room for a new one", "[timeline]") {
  ClockBook book("n0");
  for (int i = 1; i <= 200; ++i) {
    book.exchange("n" + std::to_string(i), i * kMs, kMs, at(i));
  }
  CHECK(surest(book.clocks(at(200)), at(200)).node == "n200");
  CHECK(book.model().left_out == 0);
}

TEST_CASE("Without exchanges requests that two nodes saw tell how far clocks are apart",
          "[timeline]") {
  ClockBook book("n1");
  std::vector<ClockBook::Seen> here, there;
  for (uint64_t i = 0; i < 20; ++i) {  // n2's clock is two seconds ahead
    const auto ns = [&](int64_t ms) { return WallTime{at(static_cast<int64_t>(i)).ns + ms * kMs}; };
    here.push_back({i * 1'000, ns(0), ns(10)});
    if (i % 3 != 0) there.push_back({i * 1'000, ns(2'003), ns(2'007)});
    there.push_back({i * 1'000 + 7, ns(500), ns(501)});  // that n1 never saw
  }
  const auto carried = decode_seen(encode_seen(there));
  REQUIRE(carried.ok());
  CHECK(*carried == there);
  CHECK(encode_seen(there).size() <= 1'000);
  book.requests("n2", *carried, at(29));
  book.requests("n1", here, at(30));
  book.requests("n2", *carried, at(30));  // told again
  CHECK(book.model().requests == 13);
  book.tick(at(30));
  const auto clock = surest(book.clocks(at(30)), at(10));
  CHECK(clock.node == "n2");
  CHECK(clock.source == core::NodeClock::Source::requests);
  CHECK(std::abs(clock.offset_ns - 2'000 * kMs) <= *clock.uncertainty_ns);
  CHECK(*clock.uncertainty_ns < 50 * kMs);
  CHECK_FALSE(book.measured("n2", at(30)));
  book.exchange("n2", 2'001 * kMs, kMs, at(31));  // better
  CHECK(surest(book.clocks(at(31)), at(31)).source == core::NodeClock::Source::exchange);
  CHECK(book.measured("n2", at(32)));
  CHECK_FALSE(book.measured("n2", at(9'000)));
}

TEST_CASE("Times of requests that are damaged or made up are left out", "[timeline]") {
  std::vector<ClockBook::Seen> seen;
  for (uint64_t i = 0; i < kMostSeen + 20; ++i) {
    seen.push_back({i << 57, at(static_cast<int64_t>(i)), at(static_cast<int64_t>(i) + 1)});
  }
  const std::string body = encode_seen(seen);
  CHECK(body.size() <= 1'000);
  CHECK(is_seen(body));
  CHECK(decode_seen(body)->size() == kMostSeen);
  for (size_t i = 0; i < body.size(); ++i) CHECK_FALSE(decode_seen(body.substr(0, i)).ok());
  CHECK_FALSE(decode_seen(body + "x").ok());
  CHECK_FALSE(decode_seen("").ok());
  core::TimelineEvent event;
  event.node = "n1";
  CHECK_FALSE(is_seen(core::encode({event})));
}

TEST_CASE("When this node's clock is set nothing of before is used for what comes", "[timeline]") {
  ClockBook book("n1");
  book.exchange("n2", 100 * kMs, kMs, at(0));
  book.tick(at(0));
  book.clock_set();
  const auto now = book.clocks(at(10));
  CHECK(std::count_if(now.begin(), now.end(), [](const core::NodeClock& clock) {
          return clock.at == at(10) && clock.uncertainty_ns;
        }) == 0);
}

TEST_CASE("Damaged clocks are measured anew", "[timeline]") {
  std::vector<core::NodeClock> clocks(3);
  for (size_t i = 0; i < clocks.size(); ++i) {
    clocks[i] = {"n" + std::to_string(i),          at(static_cast<int64_t>(i)), -5, 7, 0,
                 core::NodeClock::Source::exchange};
  }
  const std::string good = encode_clocks(clocks);
  const auto read = decode_clocks(good);
  REQUIRE(read.ok());
  REQUIRE(read->size() == 3);
  CHECK((*read)[2].node == "n2");
  CHECK((*read)[2].at == at(2));
  CHECK((*read)[2].offset_ns == -5);
  CHECK(*(*read)[2].uncertainty_ns == 7);
  for (size_t i = 0; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] ^= 4;
    CHECK_FALSE(decode_clocks(bad).ok());
    CHECK_FALSE(decode_clocks(good.substr(0, i)).ok());
  }
  ClockBook book("n1");
  book.restore({{ClockBook::kDocuments, "20000", "rubbish"}});
  CHECK(book.stats().damaged == 1);
  CHECK(book.take_changes().size() == 1);  // and forgotten
}

}  // namespace nines::agent::timeline
