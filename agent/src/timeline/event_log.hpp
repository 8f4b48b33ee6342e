// EventLog: the events of this node's timeline and those that other nodes told, each once, in the
// order in which they came, over restarts. Kept as encoded blocks of at most kBlockEvents: in
// memory (about 100 bytes an event instead of 400), and as one document a block in the store, of
// which the one that is being filled is written anew. No clock, no I/O. Not thread-safe; blocks()
// may go to any thread.
//
// Bounded by events, bytes and age: the oldest block goes, counted.
//
// The number of an own event rises with the time at which it happened by a clock that was never
// set: microseconds since 1970 at the start of this life, going on from there. So events of one
// second that are noticed one after the other are in order, and where the clock was set number and
// time disagree, which is how Timeline knows. What is told more than kLateNs late gets a number of
// the moment it is told at: it is out of sequence, and no order against others of the node is
// claimed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/store/state_store.hpp"
#include "nines/timeline/event.hpp"

namespace nines::agent::timeline {

namespace core = nines::timeline;

struct EventLogLimits {
  size_t max_events = 20'000;
  size_t max_bytes = 4 * 1024 * 1024;  // encoded
  size_t max_blocks = 512;             // documents
  size_t max_nodes = 64;               // beyond: what further ones tell is refused
  int64_t keep_s = 31 * 86400;
};

class EventLog {
 public:
  static constexpr const char* kDocuments = "timeline";
  static constexpr size_t kBlockEvents = 64;
  static constexpr size_t kBlockBytes = 24 * 1024;  // then a block is full as well
  static constexpr int64_t kLateNs = 60 * kNsPerSecond;

  explicit EventLog(std::string node, EventLogLimits limits = {});

  // Before anything else. Damaged documents are left out, counted and forgotten.
  void restore(const std::vector<store::Document>& documents, WallTime now);
  // The clock of this node was set forward by so much (back: negative).
  void clock_set(int64_t by_ns) { set_by_ns_ += by_ns; }

  // Gives node and number, fits it; what is kept now.
  const core::TimelineEvent& add(core::TimelineEvent event, WallTime now);
  // What a node told; peers give back what this one told before it lost its disk. False: known, too
  // old, of nobody, or there is no room.
  bool take(core::TimelineEvent event, WallTime now);

  // What the store does not have yet. Taken: it is written, or given back.
  bool has_changes() const noexcept { return !changed_.empty(); }
  std::vector<store::Document> changes() const;
  std::vector<store::Document> take_changes();
  void give_back(const std::vector<store::Document>& documents);

  // Each as core::decode() reads it.
  using Blocks = std::vector<std::shared_ptr<const std::string>>;
  Blocks blocks() const;
  std::vector<core::TimelineEvent> events() const;

  struct Stats {
    size_t events = 0, bytes = 0, blocks = 0, nodes = 0;
    uint64_t recorded = 0, heard = 0, known = 0;  // of this life; known: told again
    uint64_t refused = 0, dropped = 0, damaged = 0, cut = 0;
  };
  const Stats& stats() const noexcept { return stats_; }

 private:
  struct Block {
    uint64_t number = 0;
    std::shared_ptr<const std::string> bytes;
    size_t events = 0;
    WallTime newest{};
  };
  void append(core::TimelineEvent event);
  void seal();
  void make_room(WallTime now);
  void drop_oldest();
  uint64_t number_for(WallTime at, WallTime now) const;
  std::string encoded_tail() const;

  std::string node_;
  EventLogLimits limits_;
  std::deque<Block> sealed_;
  std::vector<core::TimelineEvent> tail_;  // of the block that is being filled
  size_t tail_bytes_ = 0;                  // about
  uint64_t tail_number_ = 1;
  std::map<std::string, std::set<uint64_t>, std::less<>> known_;  // node -> numbers
  std::set<uint64_t> changed_;                                    // blocks; also those that went
  int64_t set_by_ns_ = 0;
  Stats stats_;
};

}  // namespace nines::agent::timeline
