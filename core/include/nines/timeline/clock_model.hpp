// ClockModel: how far the clocks of nodes are apart, and how sure that is. Three sources, from the
// best to the weakest:
//  - exchanges of time stamps between peers (sync has them; chrony's bound is one with a node
//    called "UTC"): offset ± uncertainty, taken as they are;
//  - spans: a call happens while its caller waits, so that with theta = clock of the child - clock
//    of the parent: child end - parent end <= theta <= child start - parent start (Paxson 1998;
//    Cristian 1989 for one exchange);
//  - lines of one request on two nodes, with nothing known of who called whom: the node that was
//    busy with it for the longest time is taken to surround the others. Mostly true, so that these
//    are used only where there is nothing better, and are never surer than such a request is long.
//
// Of a pair of nodes the newest kBoundsAPair bounds are kept. Theta is where most of them agree
// (Marzullo 1984, as NTP chooses clocks), so that some wrong ones do no harm; as many as disagree
// there are granted to be wrong at its ends, too, and 2 % anyway. Pairs are joined to nodes by the
// tightest bounds over all ways (difference constraints) and, within these, by weighted least
// squares. A clock is taken to drift by at most 100 ppm (as sync does): what is known of it gets
// so much less sure as time goes by. Measured figures: src/timeline/README.md.
//
// Not thread-safe. All times and offsets in nanoseconds. Memory: 8 KiB a pair with bounds
// of one kind, 16 KiB with both.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::timeline {

inline constexpr int64_t kDriftDivisor = 10'000;  // 100 ppm

struct ClockLimits {
  static constexpr size_t kBoundsAPair = 256;
  static constexpr size_t kNodesARequest = 16;  // more: the request is left out
  size_t max_nodes = 64;   // beyond: nothing is learned of further nodes, told in stats()
  size_t max_pairs = 256;  // 2 to 4 MiB of bounds
};

// A stretch of time by the clock of a node.
struct Stretch {
  std::string_view node;
  WallTime start, end;
};

// What is known of one clock at one moment.
struct NodeClock {
  std::string node;
  WallTime at{};          // when this was solved; it gets less sure before and after
  int64_t offset_ns = 0;  // this clock - the reference's: subtract it from what the node reported
  // Half the interval around offset_ns that holds the truth. None: nothing ties this clock to the
  // reference's; its offset is then against the first node of its component (by name).
  std::optional<int64_t> uncertainty_ns;
  size_t component = 0;  // 0: that of the reference
  // The weakest source that offset_ns and its uncertainty rest upon.
  enum class Source : uint8_t {
    reference,
    exchange,
    spans,
    requests,
    nothing
  } source = Source::nothing;
};

class ClockModel {
 public:
  explicit ClockModel(ClockLimits limits = {}) : limits_(limits) {}

  // `now` is the clock of whoever holds the model; it does not go back. Each gives false when it
  // learned nothing: same node, absurd times, a limit.
  // `offset_ns`: clock of `of` - clock of `by`.
  bool add_exchange(std::string_view by, std::string_view of, int64_t offset_ns,
                    int64_t uncertainty_ns, WallTime now);
  bool add_span(const Stretch& parent, const Stretch& child, WallTime now);
  // The first and the last line of one request on each node; one entry a node.
  bool add_request(const std::vector<Stretch>& nodes, WallTime now);
  // The clock of `node` was set: what was known of it is no longer true.
  void forget(std::string_view node);

  // All clocks against that of `reference`, by name. A reference that nothing is known of is alone.
  std::vector<NodeClock> solve(std::string_view reference, WallTime now) const;

  struct Stats {
    uint64_t exchanges = 0, spans = 0, requests = 0;
    uint64_t absurd =
        0;  // times of other centuries, ends before starts, calls that outlast callers
    uint64_t left_out = 0;  // by a limit
    size_t nodes = 0, pairs = 0, memory_bytes = 0;
  };
  Stats stats() const noexcept;

 private:
  using NodeId = uint32_t;
  struct Bound {
    int64_t low = 0, high = 0;  // of clock(second) - clock(first)
    int64_t at = 0;
    int64_t extent = 0;  // of the whole request; 0 for spans
  };
  struct Ring {
    std::vector<Bound> bounds;
    size_t next = 0;
    void add(const Bound& bound);
  };
  struct Pair {
    std::optional<Bound> exchange;
    Ring spans, requests;
  };
  struct Edge;

  std::optional<NodeId> id_of(std::string_view node);
  Pair* pair_of(NodeId& first, NodeId& second, Bound& bound);
  bool add_bound(std::string_view first, std::string_view second, Bound bound, bool span);
  static std::optional<Edge> edge_of(const Pair& pair, int64_t now);

  ClockLimits limits_;
  std::map<std::string, NodeId, std::less<>> ids_;
  NodeId next_id_ = 0;
  std::map<std::pair<NodeId, NodeId>, Pair> pairs_;  // first < second
  Stats stats_;
};

}  // namespace nines::timeline
