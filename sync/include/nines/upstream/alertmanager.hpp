// Alertmanager v2 as a sans-I/O machine (POST /api/v2/alerts). Alertmanager keeps nothing over a
// restart and forgets what is not said again, so this is level-triggered: what is true now is said
// again and again, to every replica of the cluster, each with its own cursor and back-off.
//
//   active      every resend_ms, endsAt = now + 4 x resend_ms
//   resolved    for 5 minutes after the replica first took it, endsAt = when it resolved
//   missed      began and ended while no replica could be told: Alertmanager notifies nobody of
//   what
//               is over, so it is told once as a firing alert OfflineIncidentReplay with endsAt =
//               now
//               + 15 min. Several of one rule are told as one.
//   400         the batch is sent again one by one; what is refused alone is a dead letter, until
//               that alert changes. (One bad alert makes 400 of a batch whose others are stored.)
//   401, 403    tried again slowly; 404, 405 and 415 too: a proxy in front is wrong, not the alerts
//   413         half as many at a time
//   408, 429, 5xx, anything else: back-off with full jitter (backoff.hpp)
//
// Label values that are empty are never sent: Alertmanager drops the label and with it changes
// which alert it is. Memory: kMaxAlerts alerts; beyond them the oldest resolved go, then new ones
// are refused and counted. Not thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "nines/base/backoff.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/engine.hpp"

namespace nines {
class JsonWriter;
}

namespace nines::upstream {

struct AlertmanagerOptions {
  std::string node;
  bool node_label = false;  // false: an annotation, so that two nodes make one alert
  std::vector<std::pair<std::string, std::string>> labels;  // added to every alert
  std::string generator_url;                                // empty: none
  int64_t resend_ms = 60'000;
  size_t batch = 256;
  RetryPolicy retry;
};

struct AlertmanagerRequest {
  std::string body;  // JSON array, for POST {replica}/api/v2/alerts
  size_t alerts = 0;
};

struct AlertmanagerDead {
  uint64_t sequence = 0;  // of the event
  std::string alert;      // "slo/rule"
  std::string why, body;
  int status = 0;
};

struct AlertmanagerStats {
  uint64_t requests = 0, failures = 0;
  uint64_t alerts = 0;  // taken, counted at every repetition
  uint64_t dead = 0, replayed = 0;
  size_t pending = 0;    // transitions that this replica has not been told
  bool refused = false;  // login or address, at the last attempt
  int64_t failures_in_row = 0;
};

class Alertmanager {
 public:
  static constexpr size_t kMaxAlerts = 1024;
  static constexpr int64_t kKeepResolvedMs = 300'000, kReplayMs = 900'000;

  // cursors: of each replica, as saved in an earlier life.
  Alertmanager(AlertmanagerOptions options, const std::vector<uint64_t>& cursors, uint64_t seed);

  // Every event the store still has, in order, then each new one; repeated ones are ignored.
  void take(const slo::AlertEvent& event);
  uint64_t last_known() const { return last_known_; }

  size_t replicas() const { return replicas_.size(); }
  // What is to be posted to that replica now, or nothing: nothing to say, one in flight, or waiting
  // until due().
  std::optional<AlertmanagerRequest> begin(size_t replica, Instant now, WallTime wall);
  std::optional<Instant> due(size_t replica, Instant now) const;
  // status 0: there was no answer. `server_time`: its Date, measured against which a wrong clock of
  // this node does no harm to endsAt.
  std::vector<AlertmanagerDead> answered(size_t replica, int status, const std::string& text,
                                         std::optional<int64_t> retry_after_ms, Instant now,
                                         WallTime wall, std::optional<WallTime> server_time);

  // Every event up to here has been told to that replica, is dead there, or need not be told.
  uint64_t cursor(size_t replica) const;
  AlertmanagerStats stats(size_t replica) const;
  uint64_t dropped() const { return dropped_; }

 private:
  // How far a replica is with one alert.
  struct Told {
    uint64_t sequence = 0;     // newest transition it knows
    uint64_t refused = 0;      // transition that it will never take
    Instant at{};              // last told
    Instant first_resolved{};  // took the resolution
  };
  struct Alert {
    slo::AlertEvent fired;
    WallTime resolved{};  // when active() is false
    std::string summary;  // of the last transition
    uint64_t fired_sequence = 0, sequence = 0;
    bool replay = false;  // ended untold: fired is the first of `missed` incidents
    int missed = 0;
    bool fire_told = false;  // by any replica
    bool active() const { return sequence == fired_sequence; }
    std::vector<Told> told;  // one a replica
  };
  struct Sent {
    std::string key;
    uint64_t sequence = 0;
  };
  struct Replica {
    Backoff backoff;
    uint64_t cursor = 0;
    size_t batch = 256;
    Instant not_before{INT64_MIN};
    std::vector<Sent> flight, alone;  // alone: to be sent one by one
    std::string body;                 // of the flight
    int64_t clock_offset_ns = 0;      // its clock minus ours
    AlertmanagerStats stats;
  };

  using Alerts = std::map<std::string, Alert>;

  void fire(const slo::AlertEvent& event);
  void resolve(const slo::AlertEvent& event);
  void miss(Alerts::iterator found);
  Alert* place_for(const std::string& key);
  bool make_room();
  bool is_under_way(const std::string& key) const;
  bool knows(const Alert& alert, size_t replica) const;
  std::optional<Instant> next_time(const Alert& alert, size_t replica) const;
  bool needs(const Alert& alert, size_t replica, Instant now) const;
  void gather(size_t replica, Instant now);
  void note_taken(size_t replica, Instant now);
  void wait(Replica& replica, int status, std::optional<int64_t> retry_after_ms, Instant now);
  std::vector<AlertmanagerDead> refused(size_t replica, int status, const std::string& text);
  void find_missed(const std::vector<Sent>& failed);
  void forget_settled();
  void move_cursor(size_t replica);
  void write(JsonWriter& json, const Alert& alert, WallTime now) const;

  AlertmanagerOptions options_;
  std::vector<Replica> replicas_;
  Alerts alerts_;  // by "slo/rule"; a prefix before it for what was missed
  uint64_t last_known_ = 0, dropped_ = 0;
};

}  // namespace nines::upstream
