// FleetState: what a node knows of all nodes: who they are, the counts of their SLOs, their events.
// Every part is written by one node only, its origin, as absolute values with a version; merging
// takes the higher version. So any order, loss and repetition of messages ends in the same state,
// and a hash of it says whether two nodes agree. Bounded in origins, series, events and bytes; no
// clock, no I/O. Not thread-safe.
//
// Cells    (origin, series, slot) -> good, bad, covered seconds, version. Two tiers: minutes, kept
//          for 3 h, and hours, kept for the SLO's window. What is kept is counted back from the
//          newest slot of the series, not from a clock: pruned states still merge to one state.
// Blocks   60 minutes or the 24 hours of a day, packed to about 7 bytes a cell: the unit that is
//          compared (by hash) and asked for. A message may carry a block with some cells only.
// Series   an SLO of one node with its generation, target and window. The origin names those it
//          has in its info; others are dropped everywhere.
// Events   (origin, boot, stream, sequence); of each stream of an origin the newest are kept, so
//          many as FleetLimits says. All but alerts and membership carry a body that is not looked
//          into.
//
// The owner
//   Its version is (boot, counter). After a loss of state its older cells come back from peers: a
//   cell of an earlier life that covers more than what this life counted is adopted under a new
//   version, and publish() never replaces a cell by one that covers less.
//   A boot of its own that peers know to be higher: raise_boot().
//
// Overflow, all counted: a new origin beyond the limit takes the place of one whose info is older
// by a day or is refused; bytes: the oldest day of hours of all origins goes, and is not taken
// again; a cell later than the caller's ceiling is refused.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"

namespace nines::fleet {

struct FleetLimits {
  size_t max_origins = 64;
  size_t max_series = 128;     // of one origin
  size_t max_events = 1000;    // alerts of one origin; membership: a quarter of it
  size_t max_incidents = 512;  // events of one origin in that stream
  size_t max_timeline = 256;   // the same
  size_t max_switches = 256, max_rules = 256, max_acts = 256;
  size_t max_anchors = 8;
  size_t max_bytes = 24 * 1024 * 1024;  // of packed cells and events, with their bookkeeping
  int64_t minutes_kept_s = 3 * 3600;
  int64_t hours_kept_s = 92 * 86400;  // at most; else the window and a day
};

inline constexpr size_t kMaxName = 256;                     // bytes of a node id, SLO, service...
inline constexpr size_t kMaxSummary = 1024;                 // bytes of an event's sentence
inline constexpr size_t kMaxEventBody = 1000;               // bytes of an event's body
inline constexpr int64_t kMaxCellCount = int64_t{1} << 40;  // sums over a fleet stay exact

struct Version {
  uint64_t boot = 0, counter = 0;
  friend auto operator<=>(const Version&, const Version&) = default;
};

struct Counts {
  int64_t good = 0, bad = 0;  // >= 0
  int64_t covered_s = 0;
  friend auto operator<=>(const Counts&, const Counts&) = default;
};

enum class Tier : uint8_t { minute, hour };
constexpr int64_t slot_seconds(Tier tier) { return tier == Tier::minute ? 60 : 3600; }
constexpr int64_t cells_of_block(Tier tier) { return tier == Tier::minute ? 60 : 24; }

// What an origin says of itself.
struct NodeInfo {
  Version version;
  uint64_t incarnation = 0;      // chance of the process: two lives may have one boot by accident
  WallTime at{};                 // when it was told, by its own clock
  WallTime isolated_since{};     // 0: it sees its peers
  uint64_t capabilities = 0;     // bits, see peer/messages
  std::vector<uint64_t> series;  // ascending: those it has
};

struct SeriesMeta {
  Version version;
  std::string slo, generation, service;
  std::string target;  // Decimal::to_string()
  int64_t window_s = 0;
};
// The same for equal SLOs on all nodes, and another when anything that counts differs.
uint64_t series_id(const SeriesMeta& meta) noexcept;

struct FleetEvent {
  enum class Kind : uint8_t { fired, resolved, node_silent, node_back, isolated, rejoined };
  // Streams have their own sequences: alerts those of the store, membership one of the machine, the
  // others those of their owner (see life_number). What is remedied is told in streams by what it
  // may bring about, so that who may tell it is judged, and what is kept of it, without looking
  // into it: what forbids, what allows, what was done. Numbers are sent: never reuse one.
  enum class Stream : uint8_t {
    alerts = 0,
    membership = 1,
    incidents = 2,
    timeline = 3,
    switches = 4,  // stops, and what takes a rule back: from whoever may tell of itself
    rules = 5,     // what lets rules act: from nodes only, and only by the sessions of peers
    acts = 6,
    anchors = 7,  // heads of audit logs
  };
  uint64_t boot = 0, sequence = 0;
  Stream stream = Stream::alerts;
  Kind kind = Kind::fired;
  bool sent_isolated = false;  // the origin was cut off from most peers
  int priority = 3;
  WallTime at{}, since{};
  std::string slo{}, service{}, rule{}, severity{}, summary{};
  std::string subject{};  // of membership: the node that it is about
  std::string body{};     // of streams that have one: 1 to kMaxEventBody bytes, and no text above
  friend bool operator==(const FleetEvent&, const FleetEvent&) = default;
};

// Whether events of that stream are a body.
constexpr bool has_body(FleetEvent::Stream stream) {
  return stream >= FleetEvent::Stream::incidents;
}
inline constexpr size_t kFleetStreams = 8;

// A boot for events with a body. They are taken back from peers after the loss of a disk, when the
// boot number begins anew: so theirs is of the time at which the life began, too, and higher in
// each life as long as clocks do not go back.
uint64_t life_number(uint64_t boot, WallTime began) noexcept;

// For a store: what has to be published again by the next life.
std::string encode_event(const FleetEvent& event);
// nullopt: broken, or a limit is exceeded.
std::optional<FleetEvent> decode_event(std::string_view body);

// A part of an origin's state: what is compared and asked for.
enum class PartKind : uint8_t { info, series, meta, minutes, hours, events };
struct PartKey {
  PartKind kind = PartKind::info;
  uint64_t id = 0;     // of the series; of events the boot
  uint8_t stream = 0;  // of events
  int64_t index = 0;   // hour of minutes, day of hours, sequence / 32 of events
  friend auto operator<=>(const PartKey&, const PartKey&) = default;
};
struct PartDigest {
  PartKey key;
  uint64_t hash = 0;
};
struct OriginDigest {
  std::string origin;
  WallTime at{};
  uint64_t hash = 0;
};
// A part, or some cells or events of it, as told.
struct Piece {
  std::string origin;
  PartKey key;
  std::string body;
};

enum class Merge : uint8_t { news, known, refused };

class FleetState {
 public:
  FleetState(std::string self, uint64_t boot, FleetLimits limits = {}, uint64_t incarnation = 0);
  ~FleetState();
  FleetState(FleetState&&) noexcept;
  FleetState& operator=(FleetState&&) noexcept;

  const std::string& self() const noexcept;
  uint64_t boot() const noexcept;
  const FleetLimits& limits() const noexcept;

  // --- Own state. Call set_series before the first peer is met: what it does not name is dropped
  // by all. Gives the ids in the order given; `exhausted` beyond max_series.
  Result<std::vector<uint64_t>> set_series(const std::vector<SeriesMeta>& metas, WallTime now);
  // Tells the info anew (hourly, and when something of it changes).
  void describe(WallTime now, uint64_t capabilities, WallTime isolated_since);
  // `slot` = seconds since 1970 / slot_seconds. False: nothing changed by it.
  bool publish(uint64_t series, Tier tier, int64_t slot, const Counts& counts);
  // Boot 0 becomes the present one; sequence 0 of membership the next one. Strings are cut. False:
  // it was known, is older than all that are kept, or its body breaks the limits.
  bool publish(FleetEvent event);
  // Takes a higher boot, because peers know this node with `known`; all own parts get new versions.
  void raise_boot(uint64_t known);
  // The highest boot of its own that it met with peers and never was in; 0: none.
  uint64_t foreign_boot() const noexcept;
  // What has been published since the last call, to be told at once.
  std::vector<Piece> take_changes();

  // Told of each event with a body that merge() finds to be news: of other nodes, and of earlier
  // lives of this one. It must not change this state.
  using OnEvent = std::function<void(const std::string& origin, const FleetEvent& event)>;
  void on_event(OnEvent told);

  // An event with a body that another origin published in the past, as the caller has kept it: a
  // part of that origin's state again. on_event() is not told. False: known, or the origin is not.
  bool recall(std::string_view origin, const FleetEvent& event);

  // --- Merging. Slots that begin after `ceiling` are refused.
  Merge merge(const Piece& piece, WallTime ceiling);

  // --- Comparing: the whole; origins; parts of an origin; parts of one series of an origin.
  uint64_t hash() const noexcept;
  std::vector<OriginDigest> digest() const;
  std::vector<PartDigest> parts(std::string_view origin) const;
  std::vector<PartDigest> parts(std::string_view origin, uint64_t series) const;
  // Of what a peer has, what differs here and could be taken.
  std::vector<std::string> missing(const std::vector<OriginDigest>& theirs) const;
  std::vector<PartKey> missing(std::string_view origin,
                               const std::vector<PartDigest>& theirs) const;
  std::optional<Piece> piece(std::string_view origin, const PartKey& key) const;

  // --- Reading.
  std::vector<std::string> origins() const;
  std::optional<NodeInfo> info(std::string_view origin) const;
  // Those whose meta is known.
  std::vector<std::pair<uint64_t, SeriesMeta>> series(std::string_view origin) const;
  // Cells of slots in [from, to), in order.
  void each_cell(std::string_view origin, uint64_t series, Tier tier, int64_t from, int64_t to,
                 const std::function<void(int64_t slot, const Counts&)>& take) const;
  // First and one past the last slot that has a cell; {0, 0}: none.
  std::pair<int64_t, int64_t> extent(std::string_view origin, uint64_t series, Tier tier) const;
  std::vector<FleetEvent> events(std::string_view origin) const;  // by stream, boot, sequence
  std::vector<FleetEvent> events(std::string_view origin, FleetEvent::Stream stream) const;
  bool has_event(std::string_view origin, const FleetEvent& like) const;  // of that name
  // Forgets a node that will not come back.
  void forget(std::string_view origin);

  struct Counters {
    uint64_t cells_taken = 0, cells_known = 0, cells_old = 0, cells_future = 0;
    uint64_t adopted = 0;         // own cells of an earlier life
    uint64_t shrinking = 0;       // publish() of less than was covered
    uint64_t invalid = 0;         // pieces that break a rule
    uint64_t unknown_series = 0;  // cells before their info or meta; asked for again
    uint64_t origins_refused = 0, origins_evicted = 0;
    uint64_t days_dropped = 0;                    // for want of bytes
    uint64_t events_dropped[kFleetStreams] = {};  // by stream: beyond what is kept of an origin
    uint64_t foreign_own = 0;  // own parts of this or a later life that this node never told
  };
  const Counters& counters() const noexcept;
  size_t bytes() const noexcept;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::fleet
