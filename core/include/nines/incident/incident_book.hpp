// IncidentBook: all incidents that a node knows, its own conditions, and what people do about them.
//
// What is kept is a set of events; state is a pure function of the set and the time asked for, so
// nodes that have the same events tell the same incidents with the same ids. Every call that
// returns events has already taken them: the caller keeps them in its store and publishes them.
//
// Rules
//   One condition, one incident: by its key, whoever observed it. It holds until its last observer
//   said that it is over, or repeated nothing for `lapse_s`.
//   A condition joins an open incident, else it opens one at once:
//     of the same key;
//     whose holding condition is of a service that this one depends on (its victims are no
//     incidents of their own), or of the node that is silent;
//     of the same service, while one of that service's conditions holds there or the last one
//     began within `group_s`; of connected services, or of the node itself, within `group_s`.
//     of the same or a connected service, where the incident was over by itself no longer than
//     `reopen_s` ago: it is back.
//   It is held back for `hold_back_s` at most while what it depends on is suspect (see suspect())
//   or is held back itself. Incidents that began apart on two nodes and would have been one are
//   linked afterwards; the one opened first (ties: by key) goes on, the id of the other becomes an
//   alias. It resolves itself when all conditions have been over for `resolve_s`, and is reopened
//   under the same id by a condition that returns within `reopen_s`. A condition that flaps
//   (Nagios' weighted changes over 21 samples) holds until it is steady.
//
// Ids: INC-YYYY-MMDD-NNN of the day (UTC) on which it was opened; NNN comes from a hash of cluster,
// key and day, the k-th of that key on that day takes the k-1 next, and the next free one when it
// is taken; all in the order of (opened, key). So two nodes that cannot talk tell one id for one
// key; if different keys collide across a partition, the later opened one gets another id when they
// meet, and the id it was told by remains an alias, as every id that any of its events carries.
//
// Not thread-safe. No clock: `now` is the wall time, and the same for all calls of one moment.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/incident/incident.hpp"
#include "nines/incident/topology.hpp"

namespace nines::incident {

struct BookRules {
  int64_t group_s = 300;
  int64_t hold_back_s = 30;
  int64_t resolve_s = 600;
  int64_t reopen_s = 1800;
  int64_t repeat_s = 3600;     // an observer repeats what still holds
  int64_t lapse_s = 3 * 3600;  // and is believed for so long
  int64_t settle_s = 900;      // after a start: own conditions not seen again by then are over
  int64_t flap_sample_s = 60;
  double flap_start = 0.50, flap_stop = 0.25;
  int64_t ack_s[4] = {300, 900, 3600, 0};  // by severity; 0: no timer
};

struct BookLimits {
  size_t max_events = 16'384;
  size_t max_bytes = 8 * 1024 * 1024;  // of events, encoded
  size_t max_resolved = 1000;          // whole days go, the oldest first
  int64_t keep_s = 92 * 86400;
  size_t max_observed = 512;   // conditions that this node watches
  size_t max_conditions = 64;  // of one incident
  size_t max_entries = 200;    // of one list of one incident; history: four times that
  int64_t max_ahead_s = 3600;  // events from later are refused
};

struct BookIdentity {
  std::string cluster, node;
  uint64_t boot = 1;  // higher in each life of the node
};

// What became of an incident since last asked.
struct Transition {
  enum class Kind : uint8_t { opened, reopened, worse, acknowledged, mitigated, resolved };
  Kind kind = Kind::opened;
  std::string id;
  int severity = 3;
  WallTime at{};
};

// An incident that nobody has acknowledged in time.
struct Escalation {
  std::string id, key;
  int severity = 3;
  WallTime since{};  // unanswered
  WallTime next{};   // when `level` becomes one more
  int level = 0;     // how many times the timer has run out; 0: not yet
};

struct BookQuery {
  std::optional<State> state;
  bool only_open = false;  // whatever the state, but not resolved
  std::string service;     // concerned; empty: any
  WallTime from{}, to{};   // open at some time of [from, to); 0: without a bound
  size_t limit = 1000;
};

class IncidentBook {
 public:
  using Events = std::vector<IncidentEvent>;

  explicit IncidentBook(BookIdentity identity, BookRules rules = {}, BookLimits limits = {});
  ~IncidentBook();
  IncidentBook(IncidentBook&&) noexcept;
  IncidentBook& operator=(IncidentBook&&) noexcept;

  // From the store or from peers.
  enum class Merge : uint8_t { news, known, refused };
  Merge merge(const IncidentEvent& event, WallTime now);

  // A detector says that a condition holds, or is over; repeating it does no harm.
  Events observe(const Condition& condition, WallTime now);
  // What follows from time: conditions held back, repeated, flapping; incidents to be linked; what
  // is too old goes. Every few seconds.
  Events tick(WallTime now);
  // A service, or a node, is about to be found in trouble (a pending alert, a missed beat).
  void suspect(std::string_view service_or_node, WallTime until);
  // Learned elsewhere; the book only asks it.
  Topology& topology() noexcept;
  const Topology& topology() const noexcept;

  // --- People. `ref` is an id or an alias. Errors say what stands against it.
  using Done = Result<IncidentEvent>;
  Done declare(std::string_view service, int severity, std::string_view text, std::string_view who,
               WallTime now);
  Done acknowledge(std::string_view ref, std::string_view who, std::string_view text, WallTime now);
  Done mitigate(std::string_view ref, std::string_view who, std::string_view text, WallTime now);
  // While a condition holds only with `force`; it opens another incident if it still holds then.
  Done resolve(std::string_view ref, std::string_view who, std::string_view text, bool force,
               WallTime now);
  Done reopen(std::string_view ref, std::string_view who, std::string_view text, WallTime now);
  Done set_severity(std::string_view ref, int severity, std::string_view who, std::string_view text,
                    WallTime now);
  Done assign(std::string_view ref, Role role, std::string_view person, std::string_view who,
              WallTime now);
  Done add_item(std::string_view ref, std::string_view text, std::string_view owner, WallTime due,
                std::string_view priority, std::string_view who, WallTime now);
  Done finish_item(std::string_view ref, std::string_view item, std::string_view who, WallTime now);
  Done link(std::string_view ref, std::string_view other, std::string_view who, WallTime now);
  // note, action, communication_sent, page_sent, suspects, impact, diagnostics, cause_stated.
  Done add(std::string_view ref, EventKind kind, std::string_view who, std::string_view text,
           Details details, WallTime now);

  // --- Asking.
  std::optional<Incident> find(std::string_view id_or_alias, WallTime now) const;
  std::vector<Incident> list(const BookQuery& query, WallTime now) const;  // newest first
  std::vector<Escalation> due(WallTime now) const;  // unanswered ones with a timer, worst first
  // Since the last call. After a restore the first one tells everything: leave it out.
  std::vector<Transition> take_transitions(WallTime now);
  Events events() const;  // all, in their order

  struct Counters {
    uint64_t news = 0, known = 0, refused_old = 0, refused_future = 0, refused_full = 0;
    uint64_t invalid = 0, conflicts = 0;  // conflicts: two contents under one name
    uint64_t unobserved = 0;              // conditions beyond max_observed
    uint64_t held_back = 0, held_over = 0, joined = 0, opened = 0, linked = 0, flapping = 0;
    uint64_t pruned = 0, refolds = 0;
  };
  const Counters& counters() const noexcept;
  struct Stats {
    size_t events = 0, bytes = 0, incidents = 0, open = 0, observed = 0, waiting = 0;
    size_t orphans = 0;  // events of incidents whose beginning is not known (yet)
  };
  Stats stats(WallTime now) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nines::incident
