// Snapshot: what the agent shows of itself at one instant. The ingest and control sides fill it;
// the table, JSON, /metrics and explain writers only read it. Plain values: may be copied to any
// thread.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/context_stats.hpp"
#include "k8s/pod_watcher.hpp"
#include "nines/base/time.hpp"
#include "nines/broker/query_port.hpp"
#include "nines/collector/governor.hpp"
#include "nines/collector/index_writer.hpp"
#include "nines/collector/tailer.hpp"
#include "nines/slo/engine.hpp"
#include "nines/slo/join.hpp"
#include "nines/store/state_store.hpp"
#include "nines/upstream/sample_sender.hpp"
#include "notify/alertmanagers.hpp"
#include "notify/teller.hpp"

namespace nines::agent {

// One group of files with the same source and format.
struct SourceStatus {
  std::string name;  // of nines.yaml, or the glob
  std::string service;
  std::string format;  // combined, json... or "unknown"
  uint64_t files = 0, records = 0, bytes = 0;
  std::map<std::string, uint64_t>
      malformed;  // reason (no_match, bad_time, truncated, ...) -> lines
  std::map<std::string, uint64_t> set_aside;  // on purpose, by reason: beyond a rate, joined, ...
  std::string first_malformed;                // an example: path:offset and a short excerpt
  int64_t lag_bytes = 0;
};

// What waits for its other half, of one SLO that joins two records.
struct JoinStatus {
  std::string slo;
  size_t pending = 0;
  slo::EventJoin::Counters counters;
};

struct GroupStatus {
  std::string slo;
  size_t groups = 0;
  uint64_t overflow = 0, missing = 0;  // events in `other`: beyond max, without a value
};

// An engine that is told about the SLOs.
struct UpstreamStatus {
  std::string name;
  upstream::SampleSenderStats stats;
};

// A broker that is told what peers are, or the status of the SLOs.
struct BrokerStatus {
  std::string name, kind;
  std::string trouble;  // empty: all is well
  uint64_t connects = 0, messages = 0, events = 0, bytes = 0, refused = 0, rewound = 0;
  size_t waiting = 0;  // messages that it does not have yet
  std::optional<broker::QueryPort::Stats> queries{};
  std::vector<std::string> denied{};  // nats: what its permissions lack, in words
};

struct AlertShown {
  slo::AlertEvent event;
  bool firing = false;
};

// A standing query of nines.yaml.
struct QueryStatus {
  std::string name, sql, severity;
  int64_t every_s = 0;
  std::vector<std::string> notify;  // empty: all
  uint64_t runs = 0, errors = 0;    // errors: runs that could not read all they should
  uint64_t records = 0, rows = 0;   // looked at, found
  uint64_t omitted = 0;             // rows beyond what a message holds
  uint64_t evicted = 0;             // groups, sessions, matches given up at the limit of memory
  uint64_t not_kept = 0;            // times that what a run found could not be written at once
  WallTime last_run{};
  uint64_t last_rows = 0;
  int64_t last_duration_ns = 0;
  int64_t lag_bytes = 0;  // unread at the end of the last run
  std::string error;      // of the last run
};

// What is told of an incident in one line.
struct OpenIncident {
  std::string id, state, title, service;
  std::string suspect;  // the first; empty: nobody yet
  int severity = 3;
  WallTime since{};  // it began
};

struct IncidentsStatus {
  bool kept = false;               // false: incidents are switched off
  std::vector<OpenIncident> open;  // the newest first
  using Counts = std::vector<std::pair<std::string_view, uint64_t>>;
  Counts transitions;     // of this life, by kind
  Counts told;            // what people were to be told, by transition
  Counts dropped;         // for want of room, by what it was
  Counts fleet;           // events of other nodes, by what became of them
  unsigned thinning = 0;  // of the requests one in 2^thinning is followed
  Counts rewrites;        // of narratives, by what became of them; empty: nobody is asked
};

// What went wrong with the state file.
struct StoreTrouble {
  std::string quarantined;  // damaged when this life began, and set aside as this; empty: no
  std::string failing;      // why the last commit was not written; empty: it was
  uint64_t damaged_rows = 0, lost_positions = 0;  // found when this life began
  std::string in_memory;                          // why nothing is on the disk at all; empty: it is
};

// What is kept for the timeline.
struct TimelineFigures {
  size_t events = 0, bytes = 0, clocks = 0;
  uint64_t recorded = 0, heard = 0;  // of this life
  uint64_t dropped = 0;              // the oldest, for want of room
  uint64_t refused = 0;              // of other nodes: too old, unreadable, or of too many nodes
  uint64_t left_out = 0;             // beyond so many an hour of one service or SLO
  uint64_t damaged = 0;              // documents of the store
  uint64_t busy = 0;                 // questions beyond those that may wait
};

struct Snapshot {
  std::string node, version;
  WallTime now{}, started{}, watermark{};
  bool ready = false;
  std::string not_ready_reason;
  bool replay = false;  // --clock log
  std::vector<slo::SloStatus> slos;
  std::vector<SourceStatus> sources;
  std::vector<JoinStatus> joins;
  std::vector<GroupStatus> groups;
  std::vector<AlertShown> recent_alerts;  // newest first, at most 100
  collector::Tailer::Stats tailer;
  std::optional<collector::IndexStats> index;  // unset: logs are not indexed
  std::vector<collector::InputStats> inputs;
  collector::Governor::Stats governor;
  store::StateStore::Stats store;
  StoreTrouble store_trouble;
  bool has_store = false;
  uint64_t boot = 0;
  std::optional<k8s::WatcherStats> pods;  // unset: no Kubernetes API is followed
  std::optional<ContextStats> context;
  std::vector<QueryStatus> queries;
  slo::SloEngine::Counters counters;
  std::vector<UpstreamStatus> upstream;
  std::vector<BrokerStatus> brokers;
  std::optional<TimelineFigures> timeline;
  IncidentsStatus incidents;
  std::string fleet_metrics;   // of peers, as /metrics shows them; empty: none
  std::string remedy_metrics;  // likewise of remediation
  std::string page_metrics;    // likewise of what pages carry: knowledge, links
  std::vector<notify::NotifierShown> notifiers;
  std::vector<notify::ReplicaShown> alertmanagers;
  size_t engine_bytes = 0, resident_bytes = 0;
  double cpu_seconds = 0;
};

// Of all notifiers together.
struct NotifySums {
  uint64_t sent = 0, dead = 0, pending = 0;
};
inline NotifySums notify_sums(const Snapshot& s) {
  NotifySums sums;
  for (const notify::NotifierShown& notifier : s.notifiers) {
    sums.sent += notifier.stats.sent;
    sums.dead += notifier.stats.dead;
    sums.pending += notifier.stats.pending;
  }
  return sums;
}

}  // namespace nines::agent
