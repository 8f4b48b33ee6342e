// EventJoin: freshness and processing lag from two records that share a key: a start (published)
// and an end (stored). Sans-I/O, no clock; used by the ingest thread alone.
//
// What is counted, once a key, in the slot of the start
//   Let s be the earliest start and e the earliest end of the key that were read.
//   s and e       e - s compared with the objective; below zero (clocks of two hosts) it is 0 and
//                 counted as `negative`. e - s > timeout is as good as no end.
//   s alone       nothing yet; as soon as all ends up to s + timeout + grace are known to have been
//                 read, `on_timeout` says: bad, or not counted.
//   e alone       held as long, for its start may be read later; then `unmatched`.
//   So the counts are a function of the records, whatever the order in which the files are read,
//   as long as each is read before what is known passes it by timeout + grace. A start or end that
//   is read again, or an earlier one that is read later, changes the verdict (deltas are signed):
//   min is commutative. Sketches cannot be taken back and keep the first lag seen.
//   A key is free again timeout + grace after its start. With unique_keys a pair is forgotten as
//   soon as it has met: nothing is remembered of it, and a repeated record is a new start or end.
//
// What is known: `starts_known` and `ends_known` are event times up to which every log of that side
// was read. The caller raises them only while all of them were read to their end: a log that cannot
// be read makes its starts wait, it does not make them bad.
//
// Kept over a restart, in the same transaction as counts and file positions (law 1): the entries
// lie in buckets of the 10 s slot of their start (or lone end), and each bucket is one Position,
// "join:<id>:<slot>", 10 to 17 bytes an entry. take_positions() gives the buckets that changed
// since the last call, and an empty state for those that are gone: what is written is what changed,
// each bucket about twice in its life, and never the whole table. Of pairs that have met about 12
// bytes are written for the sake of duplicates (at 10 events/s some 10 MB a day); with unique_keys
// only what waits at the time of a commit.
//
// Keys are 64-bit hashes: with 10,000 of them, two unlike keys are taken for one once in 10^15.
// Bounded: at most max_pending entries of about 60 bytes. Beyond, the pair that met first is
// forgotten (`forgotten`: only a duplicate of it would count again), and if there is none an entry
// of the oldest bucket is given up uncounted (`overflow`).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/decimal.hpp"
#include "nines/base/time.hpp"
#include "nines/log/value.hpp"
#include "nines/slo/batch.hpp"
#include "nines/slo/spec.hpp"

namespace nines::slo {

// Numbers and their texts are the same key; 0 for what is no key (NULL).
uint64_t join_key(const Value& value) noexcept;
// How many ns a `unit` has (ns us ms s m h); 0: not one of them.
int64_t unit_ns(std::string_view unit) noexcept;

class EventJoin {
 public:
  struct Options {
    CompareOp op = CompareOp::lte;
    Decimal limit_ns;     // good when lag op limit
    int64_t unit_ns = 1;  // of the lags in verdicts
    JoinSpec join;
    std::string id;  // of its positions; unlike for each SLO
  };
  struct Verdict {
    int64_t slot = 0;
    int good = 0, bad = 0;  // signed: a correction takes back what it replaces
    bool measured = false;  // `lag` is worth a sketch
    double lag = 0;         // in the unit
  };
  struct Counters {
    uint64_t overflow = 0, forgotten = 0;  // see above
    uint64_t duplicates = 0;               // records of a key that had one of that side
    uint64_t negative = 0, unmatched = 0, timed_out = 0;
    uint64_t no_key = 0;        // records without a key, counted by the caller
    uint64_t lost_buckets = 0;  // damaged in the store
  };

  explicit EventJoin(Options options);

  void start(uint64_t key, WallTime at) { put(key, at.ns, true); }
  void end(uint64_t key, WallTime at) { put(key, at.ns, false); }
  void advance(WallTime starts_known, WallTime ends_known);

  // Verdicts since the last clear; the caller counts them.
  std::vector<Verdict>& verdicts() noexcept { return verdicts_; }
  void take_positions(std::vector<Position>& out);
  // True: it was one of ours.
  bool restore(const Position& position);
  // The prefix of all positions of all joins.
  static constexpr std::string_view kPrefix = "join:";

  size_t pending() const noexcept { return size_; }
  Counters& counters() noexcept { return counters_; }
  const Counters& counters() const noexcept { return counters_; }
  size_t memory_bytes() const noexcept;

 private:
  static constexpr uint32_t kNone = UINT32_MAX;
  static constexpr int64_t kUnset = INT64_MAX;
  // 1843 to 2096: sums and differences of two fit 64 bits. Times beyond count as these.
  static constexpr int64_t kMaxTimeNs = 4'000'000'000'000'000'000;
  struct Links {
    uint32_t prev = kNone, next = kNone;
  };
  struct Entry {
    uint64_t key = 0;
    int64_t start = kUnset, end = kUnset;
    Links bucket, met;
    bool both() const noexcept { return start != kUnset && end != kUnset; }
    int64_t home() const noexcept { return start != kUnset ? start : end; }
  };
  struct Bucket {
    uint32_t head = kNone, count = 0;
    bool dirty = false, kept = false;  // kept: the store may have it
  };
  using Buckets = std::map<int64_t, Bucket>;
  struct List {
    uint32_t head = kNone, tail = kNone;
  };

  void put(uint64_t key, int64_t at, bool is_start);
  uint32_t create(uint64_t key);
  void remove(uint32_t index);
  void make_room();
  void count(const Entry& entry, int sign, bool measured);
  void meet(uint32_t index);
  Verdict judge(const Entry& entry) const;
  bool is_due(int64_t at, int64_t known) const noexcept;

  // Which entry has the key, or kNone.
  uint32_t find(uint64_t key) const noexcept;
  size_t home_of(uint64_t key) const noexcept;
  void index_add(uint32_t index);
  void index_remove(uint64_t key);
  void grow();

  void bucket_add(uint32_t index);
  void bucket_remove(uint32_t index);
  void met_add(uint32_t index);
  void met_remove(uint32_t index);

  std::string encode(int64_t slot, const Bucket& bucket) const;
  bool decode(int64_t slot, std::string_view state);

  Options options_;
  int64_t keep_ns_;
  size_t size_ = 0;
  std::vector<Entry> pool_;
  std::vector<uint32_t> free_, table_;  // table: open addressing, a power of two
  Buckets buckets_;
  List met_;  // pairs that met, oldest first
  std::vector<Verdict> verdicts_;
  Counters counters_;
};

}  // namespace nines::slo
