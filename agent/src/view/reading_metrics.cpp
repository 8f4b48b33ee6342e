#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/snapshot.hpp"
#include "view/exposition.hpp"
#include "view/metrics_parts.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

// SLOs that name the same files have a source each, of the same name: the first that is asked
// counts the lines, the others never learn a format. A series may be told once only, so they are
// added up.
std::vector<SourceStatus> sources_by_name(const Snapshot& s) {
  std::vector<SourceStatus> out;
  for (const SourceStatus& source : s.sources) {
    const auto same = std::find_if(out.begin(), out.end(), [&](const SourceStatus& other) {
      return other.name == source.name && (other.format == source.format ||
                                           other.format == "unknown" || source.format == "unknown");
    });
    if (same == out.end()) {
      out.push_back(source);
      continue;
    }
    if (same->format == "unknown") same->format = source.format;
    same->files += source.files;
    same->records += source.records;
    same->bytes += source.bytes;
    same->lag_bytes += source.lag_bytes;
    for (const auto& [reason, lines] : source.malformed) same->malformed[reason] += lines;
    for (const auto& [reason, times] : source.set_aside) same->set_aside[reason] += times;
  }
  return out;
}

using Sources = std::vector<SourceStatus>;

template <class Value>
void source_family(Exposition& out, const Sources& sources, Value value) {
  for (const SourceStatus& source : sources) {
    out.sample({{"source", source.name}, {"format", source.format}}, value(source));
  }
}

// By source and reason: of two formats under one name the sum.
void reason_family(Exposition& out, const Sources& sources,
                   std::map<std::string, uint64_t> SourceStatus::*reasons) {
  std::map<std::pair<std::string, std::string>, uint64_t> sums;
  for (const SourceStatus& source : sources) {
    for (const auto& [reason, times] : source.*reasons) sums[{source.name, reason}] += times;
  }
  for (const auto& [of, times] : sums) {
    out.sample({{"source", of.first}, {"reason", of.second}}, times);
  }
}

void sources(Exposition& out, const Sources& all) {
  out.gauge("nines_source_files", "Files that the source follows.");
  source_family(out, all, [](const SourceStatus& x) { return x.files; });
  out.counter("nines_source_records_total", "Records read from the source.");
  source_family(out, all, [](const SourceStatus& x) { return x.records; });
  out.counter("nines_source_bytes_total", "Bytes read from the source.");
  source_family(out, all, [](const SourceStatus& x) { return x.bytes; });
  out.gauge("nines_source_lag_bytes", "Bytes written to the source's files but not read yet.");
  source_family(out, all, [](const SourceStatus& x) { return x.lag_bytes; });
  out.counter("nines_source_malformed_total",
              "Lines that could not be taken as records, by reason.");
  reason_family(out, all, &SourceStatus::malformed);
}

void set_aside(Exposition& out, const Sources& all) {
  out.counter("nines_source_set_aside_total",
              "Not counted, or counted as part of others, on purpose, by reason: records beyond a "
              "rate limit that asks for drops, before the start asked for, lines joined to the "
              "record before, files whose pod was not known in time.");
  reason_family(out, all, &SourceStatus::set_aside);
}

void joins(Exposition& out, const Snapshot& s) {
  if (s.joins.empty()) return;
  out.gauge("nines_join_pending", "Keys remembered by SLOs that join two records.");
  for (const JoinStatus& join : s.joins) out.sample({{"slo", join.slo}}, uint64_t{join.pending});
  out.counter("nines_join_total", "What joining records came across, by kind.");
  for (const JoinStatus& join : s.joins) {
    const auto& c = join.counters;
    const std::pair<const char*, uint64_t> kinds[] = {
        {"timed_out", c.timed_out}, {"unmatched_end", c.unmatched}, {"duplicate", c.duplicates},
        {"negative", c.negative},   {"no_key", c.no_key},           {"forgotten", c.forgotten},
        {"lost", c.lost_buckets}};
    for (const auto& [kind, times] : kinds) out.sample({{"slo", join.slo}, {"kind", kind}}, times);
  }
  out.counter("nines_join_overflow_total", "Keys given up uncounted: more waited than maxPending.");
  for (const JoinStatus& join : s.joins) {
    out.sample({{"slo", join.slo}}, uint64_t{join.counters.overflow});
  }
}

void groups(Exposition& out, const Snapshot& s) {
  if (s.groups.empty()) return;
  out.gauge("nines_slo_groups", "Groups that have a row of their own.");
  for (const GroupStatus& g : s.groups) out.sample({{"slo", g.slo}}, uint64_t{g.groups});
  out.counter("nines_group_other_total",
              "Events counted in the group other, by reason: more values than groupBy.max, or no "
              "value.");
  for (const GroupStatus& g : s.groups) {
    out.sample({{"slo", g.slo}, {"reason", "overflow"}}, g.overflow);
    out.sample({{"slo", g.slo}, {"reason", "missing"}}, g.missing);
  }
}

void governor(Exposition& out, const Snapshot& s) {
  const auto& g = s.governor;
  out.single_gauge("nines_governor_backing_off",
                   "1 while reading is slowed because the node is under pressure.", g.backing_off);
  out.single_counter("nines_governor_back_offs_total", "Times that it began.", g.back_offs);
  out.single_counter("nines_governor_cpu_pauses_total", "Pauses that keep the CPU budget.",
                     g.cpu_pauses);
  out.single_counter("nines_governor_paused_seconds_total", "Length of all pauses.",
                     static_cast<double>(g.paused_ms) / 1000);
}

template <class Value>
void input_family(Exposition& out, const Snapshot& s, Value value) {
  for (const collector::InputStats& input : s.inputs) {
    out.sample({{"input", input.kind}, {"name", input.name}}, value(input));
  }
}

void inputs(Exposition& out, const Snapshot& s) {
  using collector::InputStats;
  out.gauge("nines_input_healthy", "1 while the input works.");
  input_family(out, s, [](const InputStats& x) { return x.healthy; });
  out.gauge("nines_input_resumable",
            "1 when what comes while Nines is down can be read afterwards; 0 when it is lost.");
  input_family(out, s, [](const InputStats& x) { return x.resumable; });
  out.counter("nines_input_received_total", "Records, datagrams or scrapes received.");
  input_family(out, s, [](const InputStats& x) { return x.received; });
  out.counter("nines_input_bytes_total", "Bytes received.");
  input_family(out, s, [](const InputStats& x) { return x.bytes; });
  out.counter("nines_input_lost_total", "Known to have been lost before they reached Nines.");
  input_family(out, s, [](const InputStats& x) { return x.lost; });
  out.counter("nines_input_refused_total", "Turned away at a declared limit.");
  input_family(out, s, [](const InputStats& x) { return x.refused; });
  out.counter("nines_input_restarts_total", "Restarts of what the input reads from.");
  input_family(out, s, [](const InputStats& x) { return x.restarts; });
}

void tailer(Exposition& out, const Snapshot& s) {
  const auto& t = s.tailer;
  out.single_gauge("nines_tailer_files_open", "Log files held open.", t.files_open);
  out.single_gauge("nines_tailer_files_known", "Log files open or remembered.", t.files_known);
  out.single_counter("nines_tailer_rotations_total", "Rotations followed.", t.rotations);
  out.single_counter("nines_tailer_truncations_total", "Files found truncated.", t.truncations);
  out.single_counter("nines_tailer_copies_recognised_total",
                     "Copies of files already read (copytruncate) that were not read again.",
                     t.copies_recognised);
  out.single_counter("nines_tailer_read_errors_total", "Reads that the system refused.",
                     t.read_errors);
  out.single_counter("nines_tailer_read_bytes_total", "Bytes read from log files.", t.bytes_read);
  out.single_counter("nines_tailer_rescans_total", "Full searches for files.", t.rescans);
  out.single_counter("nines_wakeups_total", "Returns of the reading thread from waiting.",
                     t.wakeups);
  out.single_gauge("nines_tailer_polling", "1 when inotify is not available.", t.polling);
  out.single_gauge("nines_tailer_lag_bytes", "Bytes written but not read yet, all files.",
                   t.lag_bytes);
}

void block_index(Exposition& out, const Snapshot& s) {
  if (!s.index) return;
  const collector::IndexStats& i = *s.index;
  out.single_counter("nines_index_blocks_total", "Blocks of logs noted for queries.", i.blocks);
  out.single_counter("nines_index_log_bytes_total", "Bytes of logs noted for queries.",
                     i.bytes_indexed);
  out.single_counter("nines_index_passed_bytes_total",
                     "Bytes of logs that queries must read because they were not noted.",
                     i.bytes_passed);
  out.single_counter("nines_index_written_bytes_total", "Bytes written to the index.",
                     i.bytes_written);
  out.single_gauge("nines_index_bytes", "Size of the index on disk.", i.disk_bytes);
  out.single_gauge("nines_index_paused", "1 while the bytes of the day are used up.", i.paused);
}

// Law 2: every bound says how often its policy was used.
void overflow_policies(Exposition& out, const Snapshot& s) {
  out.counter("nines_overflow_policy_total", "How often a declared limit acted, by limit.");
  const std::pair<const char*, uint64_t> limits[] = {
      {"tailer_files_refused", s.tailer.files_refused},
      {"tailer_lines_cut", s.tailer.lines_cut},
      {"tailer_compressed_damaged", s.tailer.compressed_damaged},
      {"tailer_throttled", s.tailer.throttled},
      {"inotify_queue", s.tailer.overflows},
      {"late_horizon", s.counters.late},
      {"retention_dropped_late", s.counters.dropped_late},
      {"future_skew", s.counters.skewed},
      {"slot_saturated", s.counters.saturated},
      {"index_daily_bytes", s.index ? s.index->pauses : 0},
      {"index_max_bytes", s.index ? s.index->evicted : 0},
      {"index_tokens_of_a_block", s.index ? s.index->saturated : 0}};
  for (const auto& [limit, times] : limits) out.sample({{"limit", limit}}, times);
}

void pods(Exposition& out, const Snapshot& s) {
  if (!s.pods) return;
  const k8s::WatcherStats& k = *s.pods;
  out.single_gauge("nines_k8s_connected", "1 while the Kubernetes API is listened to.",
                   k.connected);
  out.single_gauge("nines_k8s_pods", "Pods of this node that are known.", uint64_t{k.pods});
  if (k.heard.ns != 0) {
    out.single_gauge(
        "nines_k8s_metadata_age_seconds",
        "Seconds since the Kubernetes API last said something, also in an earlier "
        "life of this agent.",
        static_cast<uint64_t>(std::max<int64_t>(0, (s.now.ns - k.heard.ns)) / kNsPerSecond));
  }
  out.counter("nines_k8s_total", "What came of asking the Kubernetes API, by kind.");
  const std::pair<const char*, uint64_t> kinds[] = {
      {"list", k.sync.lists},          {"watch", k.sync.watches},
      {"event", k.sync.events},        {"bookmark", k.sync.bookmarks},
      {"expired", k.sync.expired},     {"failure", k.sync.failures},
      {"malformed", k.sync.malformed}, {"oversized", k.sync.oversized},
      {"foreign", k.sync.foreign},     {"left_out", k.sync.left_out},
      {"refused", k.refused}};
  for (const auto& [kind, times] : kinds) out.sample({{"kind", kind}}, times);
}

void context(Exposition& out, const Snapshot& s) {
  if (!s.context) return;
  const ContextStats& c = *s.context;
  out.single_gauge("nines_happenings", "Things that happened around the services, kept.",
                   uint64_t{c.happenings});
  out.single_counter("nines_happenings_dropped_total", "The oldest of them, let go to make room.",
                     c.let_go);
  out.single_gauge("nines_evidence_series", "Series of metrics kept as evidence of incidents.",
                   uint64_t{c.metrics});
  out.single_counter("nines_evidence_series_dropped_total",
                     "Those that were quiet for longest, let go to make room.", c.metrics_let_go);
  out.single_counter("nines_k8s_context_refused_total",
                     "Pods and workloads that were not looked at, there being too many.",
                     c.refused);
  if (!c.events) return;
  out.single_gauge("nines_k8s_events_connected", "1 while events of Kubernetes are listened to.",
                   c.events_connected);
  out.counter("nines_k8s_events_total", "What came of asking for events of Kubernetes, by kind.");
  const std::pair<const char*, uint64_t> kinds[] = {
      {"list", c.sync.lists},          {"watch", c.sync.watches},
      {"event", c.sync.events},        {"bookmark", c.sync.bookmarks},
      {"expired", c.sync.expired},     {"failure", c.sync.failures},
      {"malformed", c.sync.malformed}, {"oversized", c.sync.oversized},
      {"foreign", c.sync.foreign},     {"left_out", c.sync.left_out}};
  for (const auto& [kind, times] : kinds) out.sample({{"kind", kind}}, times);
}

}  // namespace

void reading_metrics(Exposition& out, const Snapshot& s) {
  const Sources named = sources_by_name(s);
  sources(out, named);
  set_aside(out, named);
  inputs(out, s);
  joins(out, s);
  groups(out, s);
  governor(out, s);
  tailer(out, s);
  block_index(out, s);
  overflow_policies(out, s);
  pods(out, s);
  context(out, s);
}

}  // namespace nines::agent::view
