// Two nodes race one lease: reads, writes and their answers are delayed at will, processes die, and
// their monotonic clocks have nothing in common.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "nines/remedy/lease.hpp"

using namespace nines;
using namespace nines::remedy;

namespace {

constexpr LeaseRules kRules{10'000, 1'000};

struct Register {
  Lease lease;
  uint64_t version = 0;
  bool swap(uint64_t seen, const Lease& next) {
    if (seen != version) return false;
    lease = next;
    ++version;
    return true;
  }
};

// A node on its way through read, write and answer.
struct Racer {
  explicit Racer(std::string n, int64_t o) : name(std::move(n)), offset_ms(o), hand(name, kRules) {}
  std::string name;
  int64_t offset_ms;
  LeaseHand hand;
  std::optional<std::pair<Lease, uint64_t>> read;  // was answered
  std::optional<Lease> sent;                       // was written, the answer is under way
  Instant asked{};
  bool swapped = false;

  Instant now(int64_t ms) const { return {(ms + offset_ms) * kNsPerMs}; }
  void restart() {
    hand = LeaseHand(name, kRules);
    read.reset();
    sent.reset();
  }
  void step(Register& at, int64_t ms) {
    if (sent) {
      swapped ? hand.won(*sent, asked) : hand.lost();
      sent.reset();
    } else if (read) {
      asked = now(ms);
      // What was read may be old by now; only the register knows.
      if (auto bid = hand.bid(read->first, asked)) {
        swapped = at.swap(read->second, *bid);
        sent = std::move(bid);
      }
      read.reset();
    } else {
      read.emplace(at.lease, at.version);
      hand.see(at.lease, now(ms));
    }
  }
};

}  // namespace

TEST_CASE("Whatever is delayed, at most one holds the lease, and each hold has a higher token") {
  size_t held = 0;
  CHECK(rc::check([&] {
    Register at;
    Racer a("a", *rc::gen::inRange(0, 1'000'000)), b("b", *rc::gen::inRange(0, 1'000'000));
    std::map<uint64_t, std::string> holders;
    uint64_t newest = 0;
    int64_t ms = 0;
    const int steps = *rc::gen::resize(rc::kNominalSize, rc::gen::inRange(1, 120));
    for (int i = 0; i < steps; ++i) {
      ms += *rc::gen::weightedElement<int64_t>({{6, 1}, {4, 500}, {3, 4000}, {1, 12'000}});
      Racer& racer = *rc::gen::arbitrary<bool>() ? a : b;
      if (*rc::gen::resize(rc::kNominalSize, rc::gen::inRange(0, 25)) == 0) {
        racer.restart();
      } else {
        racer.step(at, ms);
      }
      const auto first = a.hand.holds(a.now(ms)), second = b.hand.holds(b.now(ms));
      held += first || second ? 1 : 0;
      RC_ASSERT(!(first && second));
      for (const auto& [token, name] : {std::pair{first, "a"}, std::pair{second, "b"}}) {
        if (!token) continue;
        RC_ASSERT(holders.emplace(*token, name).first->second == name);
        RC_ASSERT(*token >= newest);  // no older one ever comes behind a newer one
        newest = *token;
      }
    }
  }));
  CHECK(held > 500);  // else it has shown nothing
}

TEST_CASE("A lease whose holder died is taken over after its time, and not before") {
  Register at;
  Racer a("a", 0), b("b", 77'000);
  for (int i = 0; i < 3; ++i) a.step(at, i);
  REQUIRE(a.hand.holds(a.now(3)) == 1);
  int64_t ms = 3;
  for (; ms < 60'000 && !b.hand.holds(b.now(ms)); ms += 100) b.step(at, ms);
  CHECK(b.hand.holds(b.now(ms)) == 2);
  CHECK(ms > 11'000);
  CHECK(ms < 12'500);
  CHECK_FALSE(a.hand.holds(a.now(ms)));
}

TEST_CASE("A lease reads back, and nothing that is cut does") {
  CHECK(rc::check([](const std::string& holder, uint64_t token, const std::string& event) {
    const Lease lease{holder, token, 7, {event, "x"}};
    const std::string bytes = encode_lease(lease);
    RC_ASSERT(decode_lease(bytes) == lease);
    for (size_t i = 0; i < bytes.size(); ++i) RC_ASSERT(!decode_lease(bytes.substr(0, i)));
  }));
}
