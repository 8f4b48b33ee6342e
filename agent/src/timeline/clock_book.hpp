// ClockBook: how far the clocks of other nodes were from this one's, now and in the hours before,
// so that old events are corrected by what was known then. Fed by the exchanges of peers, and where
// those give nothing by requests that passed several nodes. Solved every quarter of an hour, and at
// once when a clock was set.
//
// Bounded: kMostKept clocks; beyond, the oldest day goes. Kept as a document a day. Control thread;
// no clock, no I/O.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/incident/request_trail.hpp"
#include "nines/store/state_store.hpp"
#include "nines/timeline/clock_model.hpp"

namespace nines::agent::timeline {

namespace core = nines::timeline;

class ClockBook {
 public:
  static constexpr const char* kDocuments = "timeline-clocks";
  static constexpr size_t kMostKept = 4'096, kMostADay = 1'536;
  static constexpr int64_t kSolveEveryNs = 900 * kNsPerSecond;

  explicit ClockBook(std::string self) : self_(std::move(self)) {}

  void restore(const std::vector<store::Document>& documents);

  // clock of `peer` - own clock.
  void exchange(std::string_view peer, int64_t offset_ns, int64_t uncertainty_ns, WallTime now);
  // When requests were at work on `node`, by its clock (this one's own as well): those that two
  // nodes have seen bound how far their clocks are apart. Told twice it counts once.
  using Seen = nines::incident::RequestTrail::Seen;
  void requests(std::string_view node, std::vector<Seen> seen, WallTime now);
  bool measured(std::string_view peer, WallTime now) const;  // by an exchange of the last hour
  // Own clock: nothing that was measured against it holds any more.
  void clock_set() { model_.forget(self_); }
  void tick(WallTime now);

  // What is known of all moments, against this node.
  std::vector<core::NodeClock> clocks(WallTime now) const;
  // Of each node that is known what was surest at `at`; its uncertainty is that of then.
  std::vector<core::NodeClock> clocks_at(WallTime at, WallTime now) const;
  // Days that the store does not have as they are; taken.
  std::vector<store::Document> take_changes();

  struct Stats {
    size_t kept = 0;
    uint64_t solved = 0, jumps = 0, dropped = 0, damaged = 0;
  };
  const Stats& stats() const noexcept { return stats_; }
  core::ClockModel::Stats model() const noexcept { return model_.stats(); }

 private:
  void keep(WallTime now);
  void make_room();

  struct Batch {
    WallTime heard{};
    std::vector<Seen> seen;  // by request
  };
  void join(std::string_view node, const std::vector<Seen>& seen, std::string_view other,
            const Batch& batch, WallTime now);

  struct Told {  // by an exchange, last
    int64_t offset_ns = 0, uncertainty_ns = 0;
    WallTime at{};
  };
  std::string self_;
  core::ClockModel model_;
  std::map<std::string, Told, std::less<>> told_;
  std::map<std::string, std::deque<Batch>, std::less<>> seen_;  // the newest two of a node
  std::map<int64_t, std::vector<core::NodeClock>> days_;        // day since 1970 -> clocks
  std::map<int64_t, bool> changed_;                             // days
  std::optional<WallTime> solved_;
  Stats stats_;
};

// As the fleet carries them, at most kMostSeen; never taken for an event of the timeline.
inline constexpr size_t kMostSeen = 44;
std::string encode_seen(const std::vector<ClockBook::Seen>& seen);
bool is_seen(std::string_view body) noexcept;
// corrupt: not what encode_seen() gives.
Result<std::vector<ClockBook::Seen>> decode_seen(std::string_view body);

std::string encode_clocks(const std::vector<core::NodeClock>& clocks);
// corrupt: not what encode_clocks() gives.
Result<std::vector<core::NodeClock>> decode_clocks(std::string_view bytes);

}  // namespace nines::agent::timeline
