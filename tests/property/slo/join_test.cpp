// A join against an oracle that sees all records at once: whatever the order of reading, and with a
// restart behind any record, the counts by slot are the same.
#include "nines/slo/join.hpp"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <set>
#include <tuple>

using namespace nines;
using namespace nines::slo;

namespace {

constexpr int64_t kTimeoutS = 20, kGraceS = 10, kSkewS = 5;
constexpr int64_t kBaseS = 1'772'000'000;

struct Record {
  uint64_t key = 0;
  bool start = false;
  int64_t at_ms = 0;       // event time
  int64_t arrives_ms = 0;  // when it is read, at most grace later than it says
};

struct Sum {
  int64_t good = 0, bad = 0;
  friend bool operator==(const Sum&, const Sum&) = default;
};
using Counts = std::map<int64_t, Sum>;  // by slot

EventJoin::Options options_with(OnTimeout on_timeout, int64_t max_pending = 1000) {
  EventJoin::Options options;
  options.op = CompareOp::lte;
  options.limit_ns = {5, 9};
  options.unit_ns = kNsPerMs;
  options.join.timeout_s = kTimeoutS;
  options.join.grace_s = kGraceS;
  options.join.max_pending = max_pending;
  options.join.on_timeout = on_timeout;
  options.id = "x";
  return options;
}

Counts oracle(const std::vector<Record>& records, OnTimeout on_timeout) {
  std::map<uint64_t, std::pair<std::set<int64_t>, std::set<int64_t>>> by_key;
  for (const Record& r : records) {
    (r.start ? by_key[r.key].first : by_key[r.key].second).insert(r.at_ms);
  }
  Counts counts;
  for (const auto& [key, sides] : by_key) {
    const auto& [starts, ends] = sides;
    if (starts.empty()) continue;
    const int64_t start = *starts.begin();
    Sum& sum = counts[start / 10'000];
    const bool in_time = !ends.empty() && *ends.begin() - start <= kTimeoutS * 1000;
    if (in_time) {
      ++(*ends.begin() - start <= 5000 ? sum.good : sum.bad);
    } else if (on_timeout == OnTimeout::bad) {
      ++sum.bad;
    }
  }
  std::erase_if(counts, [](const auto& c) { return c.second == Sum{}; });
  return counts;
}

// What the store would do: later states win, empty ones forget.
class Store {
 public:
  void commit(EventJoin& join) {
    std::vector<Position> changed;
    join.take_positions(changed);
    for (Position& p : changed) {
      written += p.state.size();
      kept_[p.key] = std::move(p.state);
    }
    std::erase_if(kept_, [](const auto& p) { return p.second.empty(); });
  }
  void restore(EventJoin& join) const {
    for (const auto& [key, state] : kept_) RC_ASSERT(join.restore({key, state}));
  }
  size_t size() const { return kept_.size(); }
  size_t written = 0;

 private:
  std::map<std::string, std::string> kept_;
};

void collect(EventJoin& join, Counts& counts) {
  for (const auto& v : join.verdicts()) {
    counts[v.slot].good += v.good;
    counts[v.slot].bad += v.bad;
  }
  join.verdicts().clear();
}

rc::Gen<int64_t> between(int64_t from, int64_t to) { return rc::gen::inRange(from, to + 1); }

std::vector<Record> some_records() {
  std::vector<Record> records;
  const auto keys = static_cast<uint64_t>(*between(1, 40));
  const auto add = [&](uint64_t key, bool start, int64_t at_ms) {
    records.push_back({key, start, at_ms, at_ms + *between(0, kGraceS * 1000)});
  };
  for (uint64_t key = 1; key <= keys; ++key) {
    const int64_t start = kBaseS * 1000 + *between(0, 90'000);
    const int64_t lag = *rc::gen::oneOf(between(-kSkewS * 1000, 6000), between(4998, 5002),
                                        between(19'998, 20'002), between(0, 40'000));
    const int64_t shape = *between(0, 9);
    if (shape != 0) add(key, true, start);
    if (shape != 1) add(key, false, start + lag);
    for (int64_t n = *between(0, 2); n > 0; --n) add(key, true, start + *between(0, 3000));
    for (int64_t n = *between(0, 2); n > 0; --n) add(key, false, start + lag + *between(0, 3000));
  }
  return records;
}

}  // namespace

TEST_CASE("a join counts what an oracle counts, in any order and with a restart at every step") {
  CHECK(rc::check([] {
    auto records = some_records();
    const OnTimeout on_timeout = *rc::gen::element(OnTimeout::bad, OnTimeout::skip);
    const bool restarts = *rc::gen::arbitrary<bool>();
    const int64_t burst = *between(1, 30'000);  // read in blocks, so that order within is free
    std::sort(records.begin(), records.end(), [&](const Record& a, const Record& b) {
      return std::tuple(a.arrives_ms / burst, a.key * 0x9e3779b97f4a7c15ULL, a.at_ms) <
             std::tuple(b.arrives_ms / burst, b.key * 0x9e3779b97f4a7c15ULL, b.at_ms);
    });
    const auto options = options_with(on_timeout);
    auto join = std::make_unique<EventJoin>(options);
    Store store;
    Counts counts;
    int64_t block = INT64_MIN;
    for (const Record& r : records) {
      if (r.arrives_ms / burst != block) {
        block = r.arrives_ms / burst;
        const WallTime known{block * burst * kNsPerMs - 1};  // all of the blocks before was read
        join->advance(known, known);
      }
      const WallTime at{r.at_ms * kNsPerMs};
      r.start ? join->start(r.key, at) : join->end(r.key, at);
      collect(*join, counts);
      if (!restarts) continue;
      store.commit(*join);
      join = std::make_unique<EventJoin>(options);
      store.restore(*join);
      RC_ASSERT(join->counters().lost_buckets == 0U);
    }
    const WallTime end = WallTime::from_s(kBaseS + 1000);
    join->advance(end, end);
    collect(*join, counts);
    std::erase_if(counts, [](const auto& c) { return c.second == Sum{}; });
    RC_ASSERT(counts == oracle(records, on_timeout));
    RC_ASSERT(join->pending() == 0U);
    store.commit(*join);
    RC_ASSERT(store.size() == 0U);
  }));
}

TEST_CASE("a full join gives up entries but never counts one twice") {
  CHECK(rc::check([] {
    auto records = some_records();
    const int64_t room = *between(1, 10);
    EventJoin join(options_with(OnTimeout::bad, room));
    std::set<uint64_t> keys;
    int64_t good = 0, bad = 0, starts = 0;
    for (Record& r : records) {
      if (r.start && !keys.insert(r.key).second) continue;  // no duplicates here
      starts += r.start ? 1 : 0;
      const WallTime at{r.at_ms * kNsPerMs};
      r.start ? join.start(r.key, at) : join.end(r.key, at);
      RC_ASSERT(join.pending() <= static_cast<size_t>(room));
    }
    const WallTime end = WallTime::from_s(kBaseS + 1000);
    join.advance(end, end);
    for (const auto& v : join.verdicts()) good += v.good, bad += v.bad;
    RC_ASSERT(good >= 0);
    RC_ASSERT(bad >= 0);
    RC_ASSERT(good + bad <= starts);
    RC_ASSERT(good + bad + static_cast<int64_t>(join.counters().overflow) >= starts);
  }));
}

TEST_CASE("whatever a damaged store gives back, a join stays whole") {
  CHECK(rc::check([] {
    EventJoin join(options_with(OnTimeout::bad, 50));
    for (const Record& r : some_records()) {
      const WallTime at{r.at_ms * kNsPerMs};
      r.start ? join.start(r.key, at) : join.end(r.key, at);
    }
    std::vector<Position> kept;
    join.take_positions(kept);
    EventJoin next(options_with(OnTimeout::bad, 50));
    for (Position& p : kept) {
      if (!p.state.empty() && *between(0, 1) == 0) {
        p.state[static_cast<size_t>(*between(0, static_cast<int64_t>(p.state.size()) - 1))] ^=
            static_cast<char>(*between(1, 255));
      }
      if (*between(0, 3) == 0) p.state.resize(p.state.size() / 2);
      RC_ASSERT(next.restore(p));
    }
    RC_ASSERT(next.pending() <= 50U);
    next.advance({INT64_MAX}, {INT64_MAX});
    RC_ASSERT(next.pending() == 0U);
  }));
}
