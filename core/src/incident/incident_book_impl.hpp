// What the files of IncidentBook share.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "incident/incident_fold.hpp"
#include "nines/incident/incident_book.hpp"

namespace nines::incident {

struct IncidentBook::Impl {
  static constexpr size_t kNone = IncidentFold::kNone;
  static constexpr size_t kMaxSuspects = 256;

  using Name = std::tuple<std::string, uint64_t, uint64_t>;  // node, boot, sequence
  struct Kept {
    IncidentEvent event;
    std::string bytes;  // encoded
  };

  // A condition that this node watches.
  struct Local {
    Condition condition;
    bool holds = false;
    bool said = false;     // our last event about it was that it began
    bool waiting = false;  // held back
    bool flapping = false;
    WallTime seen{}, said_at{}, held_since{}, sampled{};
    unsigned toggles = 0;  // since `sampled`
    uint32_t changed = 0;  // the last 20 samples, the newest lowest
  };

  Impl(BookIdentity i, BookRules r, BookLimits l)
      : identity(std::move(i)), rules(r), limits(l), fold(identity.cluster, r, l) {
    identity.node = short_name(identity.node.empty() ? "node" : identity.node, kMaxEventNode);
  }

  // --- The set (incident_book.cpp).
  Merge take(const IncidentEvent& event, WallTime now);
  void refold() const;
  void drop(const std::vector<bool>& gone);
  size_t oldest_day(WallTime now, std::vector<bool>& gone) const;
  void prune(WallTime now);
  bool make_room(WallTime now);
  // Writes, takes and returns an event about incident `at`; kNone: of an opening with `key`.
  // nullopt: there is no room. `other`: it speaks of that one, too, and comes behind its events.
  std::optional<IncidentEvent> write(IncidentEvent event, size_t at, WallTime now,
                                     size_t other = kNone);
  std::vector<size_t> roots() const;  // in the order of (opened, key)

  // --- Conditions (incident_observe.cpp).
  Local* watch(const Condition& condition, WallTime now);
  size_t place(const Condition& condition, WallTime now) const;
  bool returns_to(size_t at, const Condition& c, WallTime now) const;
  bool related(const Incident& incident, const Condition& condition, WallTime t) const;
  bool is_waiting_for(const Condition& condition, WallTime now) const;
  void begin(Local& local, WallTime now, Events& out);
  void say(Local& local, size_t at, bool again, WallTime now, Events& out);
  void end(Local& local, std::string_view text, WallTime now, Events& out);
  void sample(Local& local, WallTime now, Events& out);
  void settle_own(WallTime now, Events& out);
  void link_apart(WallTime now, Events& out);
  bool apart(size_t a, size_t b, WallTime now) const;

  // --- People (incident_commands.cpp).
  Result<size_t> named(std::string_view ref) const;
  Done tell(size_t at, EventKind kind, std::string_view who, std::string_view text, Details details,
            WallTime now, size_t other = kNone);

  BookIdentity identity;
  BookRules rules;
  BookLimits limits;
  Topology topology;
  Counters counters;
  uint64_t sequence = 0;
  std::map<Name, Kept> events;
  size_t bytes = 0;
  // Folded: the events in their order, and the track each belongs to.
  mutable std::vector<const IncidentEvent*> order;
  mutable std::vector<size_t> placed;
  mutable IncidentFold fold;
  mutable bool dirty = false;
  mutable uint64_t refolds = 0;

  std::map<std::string, Local, std::less<>> locals;
  std::map<std::string, WallTime, std::less<>> suspects;
  WallTime started{};
  bool settled = false;
  WallTime pruned{};

  struct Told {
    State state = State::open;
    int severity = 3, reopens = 0;
  };
  std::map<std::string, std::map<int64_t, Told>> told;  // by key and opening
};

}  // namespace nines::incident
