#include "view/metrics_text.hpp"

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <utility>

#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::SloStatus;
using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

void append_label_value(std::string& out, std::string_view value) {
  for (const char c : value) {
    if (c == '\\')
      out += "\\\\";
    else if (c == '"')
      out += "\\\"";
    else if (c == '\n')
      out += "\\n";
    else
      out += c;
  }
}

// One family at a time: HELP and TYPE once, then its samples.
class Exposition {
 public:
  void gauge(std::string_view name, std::string_view help) { family(name, help, "gauge"); }
  void counter(std::string_view name, std::string_view help) { family(name, help, "counter"); }

  void sample(Labels labels, double value) { append(labels, double_text(value)); }
  void sample(Labels labels, uint64_t value) { append(labels, std::to_string(value)); }
  void sample(Labels labels, int64_t value) { append(labels, std::to_string(value)); }
  void sample(Labels labels, bool value) { append(labels, value ? "1" : "0"); }
  // Undefined ratios are absent, not NaN: an absent series cannot be averaged by mistake.
  void sample(Labels labels, const std::optional<double>& value) {
    if (value) sample(labels, *value);
  }
  template <class T>
  void single_gauge(std::string_view name, std::string_view help, T value) {
    gauge(name, help);
    sample({}, value);
  }
  template <class T>
  void single_counter(std::string_view name, std::string_view help, T value) {
    counter(name, help);
    sample({}, value);
  }
  std::string take() { return std::move(out_); }

 private:
  void family(std::string_view name, std::string_view help, std::string_view type) {
    name_ = name;
    out_.append("# HELP ").append(name).append(" ").append(help).append("\n# TYPE ");
    out_.append(name).append(" ").append(type).append("\n");
  }
  void append(Labels labels, std::string_view value) {
    if (value == "null") return;
    out_ += name_;
    char separator = '{';
    for (const auto& [key, text] : labels) {
      if (key == "group" && text.empty()) continue;  // of rows only
      out_ += separator;
      separator = ',';
      out_.append(key).append("=\"");
      append_label_value(out_, text);
      out_ += '"';
    }
    if (labels.size() != 0) out_ += '}';
    out_.append(" ").append(value).append("\n");
  }

  std::string out_;
  std::string_view name_;
};

void slo_counts(Exposition& out, const Snapshot& s) {
  out.counter("nines_slo_events_total", "Events counted for the SLO, by result.");
  for (const SloStatus& slo : s.slos) {
    if (!slo.parts.empty()) continue;  // those of its parts, which would count twice in a sum
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "good"}},
        slo.good_total);
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "bad"}},
        slo.bad_total);
  }
  out.gauge("nines_slo_window_events", "Events in the rolling SLO window, by result.");
  for (const SloStatus& slo : s.slos) {
    if (!slo.parts.empty()) continue;
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "good"}},
        slo.window.good);
    out.sample(
        {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"result", "bad"}},
        slo.window.bad);
  }
}

template <class Value>
void slo_gauge(Exposition& out, const Snapshot& s, std::string_view name, std::string_view help,
               Value value) {
  out.gauge(name, help);
  for (const SloStatus& slo : s.slos) {
    out.sample({{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}}, value(slo));
  }
}

void slo_ratios(Exposition& out, const Snapshot& s) {
  slo_gauge(out, s, "nines_slo_target_ratio", "Share of good events that the SLO asks for.",
            [](const SloStatus& x) {
              return x.parts.empty() ? std::optional(x.target.to_double()) : std::nullopt;
            });
  slo_gauge(out, s, "nines_slo_window_seconds", "Length of the rolling SLO window.",
            [](const SloStatus& x) { return x.window_s; });
  slo_gauge(out, s, "nines_slo_sli_ratio", "Share of good events in the SLO window.",
            [](const SloStatus& x) { return x.sli; });
  slo_gauge(out, s, "nines_slo_composite_burn_rate",
            "Weighted burn rate: 0.40 of 5m, 0.35 of 1h, 0.25 of 24h.",
            [](const SloStatus& x) { return x.composite_burn_rate; });
  slo_gauge(out, s, "nines_slo_error_budget_remaining_ratio",
            "Share of the error budget that is left; negative when overspent.",
            [](const SloStatus& x) { return x.error_budget_remaining; });
  slo_gauge(out, s, "nines_slo_coverage_ratio",
            "Share of the window in which the logs of the SLO were read.",
            [](const SloStatus& x) { return x.coverage; });
  slo_gauge(out, s, "nines_slo_risk_level", "Risk: 0 SAFE, 1 OBSERVE, 2 DANGER, 3 FREEZE.",
            [](const SloStatus& x) { return static_cast<int64_t>(x.risk); });
}

void slo_burn(Exposition& out, const Snapshot& s) {
  out.gauge("nines_slo_burn_rate",
            "Speed at which the error budget is spent; 1 spends it exactly.");
  for (const SloStatus& slo : s.slos) {
    const auto one = [&](std::string_view window, const slo::BurnWindow& w) {
      out.sample(
          {{"slo", slo.slo}, {"service", slo.service}, {"group", slo.group}, {"window", window}},
          w.burn);
    };
    one("5m", slo.burn_5m);
    one("1h", slo.burn_1h);
    one("24h", slo.burn_24h);
  }
}

void slo_state(Exposition& out, const Snapshot& s) {
  static constexpr slo::State kStates[] = {slo::State::healthy, slo::State::degrading,
                                           slo::State::violated, slo::State::no_data};
  out.gauge("nines_slo_state", "1 for the state that the SLO is in, 0 for the others.");
  for (const SloStatus& slo : s.slos) {
    for (const slo::State state : kStates) {
      out.sample({{"slo", slo.slo},
                  {"service", slo.service},
                  {"group", slo.group},
                  {"state", slo::state_name(state)}},
                 slo.state == state);
    }
  }
  out.gauge("nines_alerts_firing", "1 while the rule fires.");
  for (const SloStatus& slo : s.slos) {
    const auto rule_of = [&](const std::string& name, const std::string& severity, bool firing) {
      out.sample({{"slo", slo.slo},
                  {"service", slo.service},
                  {"rule", name},
                  {"severity", severity},
                  {"priority", priority_name(slo::priority_of(severity, slo.tier))}},
                 firing);
    };
    for (const slo::RuleState& rule : slo.rules) {
      rule_of(rule.rule.name, rule.rule.severity, rule.firing);
    }
    if (!slo.forecast.warning_severity.empty()) {
      rule_of("forecast", slo.forecast.warning_severity, slo.forecast.warning);
    }
  }
}

void incidents(Exposition& out, const Snapshot& s) {
  if (!s.incidents.kept) return;
  out.gauge("nines_incidents_open", "Incidents that are not resolved.");
  for (int severity = 0; severity <= 3; ++severity) {
    const auto open = std::count_if(s.incidents.open.begin(), s.incidents.open.end(),
                                    [&](const auto& one) { return one.severity == severity; });
    out.sample({{"severity", priority_name(severity)}}, static_cast<int64_t>(open));
  }
  const auto counts = [&](const char* label, const IncidentsStatus::Counts& all) {
    for (const auto& [kind, times] : all) out.sample({{label, kind}}, times);
  };
  out.counter("nines_incident_transitions_total", "What became of incidents, by kind.");
  counts("kind", s.incidents.transitions);
  out.counter("nines_incident_told_total",
              "What was given to notifiers of incidents, by transition; beyond_limit: not told.");
  counts("transition", s.incidents.told);
  out.counter("nines_incident_dropped_total",
              "What was let go or left out of what finds incidents and causes, because there was "
              "no room, by what it was.");
  counts("what", s.incidents.dropped);
  out.counter("nines_incident_fleet_events_total",
              "Events of incidents as other nodes told them, by what became of them.");
  counts("outcome", s.incidents.fleet);
  out.single_gauge("nines_incident_request_thinning",
                   "Requests are followed one in two to the power of this, for want of room.",
                   uint64_t{s.incidents.thinning});
  if (s.incidents.rewrites.empty()) return;
  out.counter("nines_narrative_rewrites_total",
              "Narratives that a language model was asked to put into other words, by what became "
              "of them; all but accepted were told in plain sentences.");
  counts("outcome", s.incidents.rewrites);
}

void slo_forecast(Exposition& out, const Snapshot& s) {
  slo_gauge(out, s, "nines_slo_forecast_exhaustion_seconds",
            "Time until the error budget is forecast to be exhausted, 0 when it is; absent when it "
            "lasts for the horizon or nothing is known.",
            [](const SloStatus& x) {
              const auto& hours = x.forecast.time_to_exhaustion_hours;
              return hours ? std::optional<double>(*hours * 3600) : std::nullopt;
            });
  slo_gauge(out, s, "nines_slo_forecast_confidence",
            "How far the forecast is to be trusted: 0 low, 1 medium, 2 high.",
            [](const SloStatus& x) { return static_cast<int64_t>(x.forecast.confidence); });
}

void slo_values(Exposition& out, const Snapshot& s) {
  out.gauge("nines_slo_value", "Percentiles of the measured value over 24 h, in the unit given.");
  for (const SloStatus& slo : s.slos) {
    const auto one = [&](std::string_view rank, const std::optional<double>& value) {
      out.sample({{"slo", slo.slo},
                  {"service", slo.service},
                  {"group", slo.group},
                  {"percentile", rank},
                  {"unit", slo.unit}},
                 value);
    };
    one("50", slo.p50);
    one("95", slo.p95);
    one("99", slo.p99);
  }
}

template <class Value>
void source_family(Exposition& out, const Snapshot& s, Value value) {
  for (const SourceStatus& source : s.sources) {
    out.sample({{"source", source.name}, {"format", source.format}}, value(source));
  }
}

void sources(Exposition& out, const Snapshot& s) {
  out.gauge("nines_source_files", "Files that the source follows.");
  source_family(out, s, [](const SourceStatus& x) { return x.files; });
  out.counter("nines_source_records_total", "Records read from the source.");
  source_family(out, s, [](const SourceStatus& x) { return x.records; });
  out.counter("nines_source_bytes_total", "Bytes read from the source.");
  source_family(out, s, [](const SourceStatus& x) { return x.bytes; });
  out.gauge("nines_source_lag_bytes", "Bytes written to the source's files but not read yet.");
  source_family(out, s, [](const SourceStatus& x) { return x.lag_bytes; });
  out.counter("nines_source_malformed_total",
              "Lines that could not be taken as records, by reason.");
  for (const SourceStatus& source : s.sources) {
    for (const auto& [reason, lines] : source.malformed) {
      out.sample({{"source", source.name}, {"reason", reason}}, lines);
    }
  }
}

void set_aside(Exposition& out, const Snapshot& s) {
  out.counter("nines_source_set_aside_total",
              "Not counted, or counted as part of others, on purpose, by reason: records beyond a "
              "rate limit that asks for drops, before the start asked for, lines joined to the "
              "record before, files whose pod was not known in time.");
  for (const SourceStatus& source : s.sources) {
    for (const auto& [reason, times] : source.set_aside) {
      out.sample({{"source", source.name}, {"reason", reason}}, times);
    }
  }
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

void store(Exposition& out, const Snapshot& s) {
  if (!s.has_store) return;
  const auto& t = s.store;
  out.single_counter("nines_store_commits_total", "Transactions committed.", t.commits);
  out.single_counter("nines_store_failed_commits_total", "Transactions refused and kept for later.",
                     t.failed_commits);
  out.single_counter("nines_store_written_bytes_total", "Bytes written to the state file.",
                     t.bytes_written);
  out.single_counter("nines_store_flushes_total", "Times it was flushed to the disk.", t.flushes);
  const StoreTrouble& trouble = s.store_trouble;
  out.single_gauge("nines_store_failing", "1: the last commit was not written; kept in memory.",
                   uint64_t{!trouble.failing.empty()});
  out.single_gauge("nines_store_in_memory",
                   "1: the state directory cannot be written; all of it is in memory.",
                   uint64_t{!trouble.in_memory.empty()});
  out.single_gauge("nines_store_memory_bytes", "What that takes; at most 16 MiB.", t.memory_bytes);
  out.single_gauge("nines_store_held_events", "Alert events that are told and not on disk yet.",
                   t.held_events);
  out.single_gauge("nines_store_quarantined",
                   "1: the state file was damaged when this life began, and was set aside.",
                   uint64_t{!trouble.quarantined.empty()});
  out.single_gauge("nines_store_damaged_rows", "Rows skipped for their checksum at the start.",
                   trouble.damaged_rows);
  out.single_gauge("nines_store_lost_positions",
                   "Files continued at their end because their position was damaged.",
                   trouble.lost_positions);
  out.single_gauge("nines_store_file_bytes", "Size of the state file.", t.file_bytes);
  out.single_gauge("nines_store_journal_rows", "Journal rows not folded yet.", t.journal_rows);
  out.single_counter("nines_store_folds_total", "Times the journal was folded.", t.folds);
  out.single_counter("nines_changes_written_total", "Entries written to the change log.",
                     t.changes_written);
  out.single_counter("nines_changes_dropped_total",
                     "Oldest entries given up because the change log was full.", t.dropped_changes);
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

template <class Value>
void upstream_family(Exposition& out, const Snapshot& s, Value value) {
  for (const UpstreamStatus& u : s.upstream) out.sample({{"upstream", u.name}}, value(u.stats));
}

void upstreams(Exposition& out, const Snapshot& s) {
  using Stats = upstream::SampleSenderStats;
  if (s.upstream.empty()) return;
  out.gauge("nines_upstream_up", "1 while the engine takes what it is told.");
  upstream_family(out, s, [](const Stats& u) { return u.trouble.empty(); });
  out.gauge("nines_upstream_behind_seconds", "Time whose samples it has not been told yet.");
  upstream_family(out, s, [](const Stats& u) { return u.behind_s; });
  out.counter("nines_upstream_samples_total", "Samples that it took.");
  upstream_family(out, s, [](const Stats& u) { return u.samples_sent; });
  out.counter("nines_upstream_bytes_total", "Bytes of requests that it took.");
  upstream_family(out, s, [](const Stats& u) { return u.bytes_sent; });
  out.counter("nines_upstream_requests_total", "Requests sent to it.");
  upstream_family(out, s, [](const Stats& u) { return u.requests; });
  out.counter("nines_upstream_failures_total", "Requests that have to be repeated.");
  upstream_family(out, s, [](const Stats& u) { return u.failures; });
  out.counter("nines_upstream_refused_samples_total", "Samples that it will never take.");
  upstream_family(out, s, [](const Stats& u) { return u.samples_refused; });
  out.counter("nines_upstream_given_up_seconds_total",
              "Time whose samples are too old for it or for max_age.");
  upstream_family(out, s, [](const Stats& u) { return u.seconds_given_up; });
  out.counter("nines_upstream_rewound_requests_total",
              "Requests told once more after an outage, for what it may have lost.");
  upstream_family(out, s, [](const Stats& u) { return u.rewound; });
}

void brokers(Exposition& out, const Snapshot& s) {
  if (s.brokers.empty()) return;
  const auto family = [&](auto value) {
    for (const BrokerStatus& b : s.brokers) {
      out.sample({{"broker", b.name}, {"kind", b.kind}}, value(b));
    }
  };
  out.gauge("nines_broker_up", "1 while the broker takes what it is told.");
  family([](const BrokerStatus& b) { return b.trouble.empty(); });
  out.gauge("nines_broker_denied",
            "Kinds of things that the permissions of its login did not let this node do lately.");
  family([](const BrokerStatus& b) { return uint64_t{b.denied.size()}; });
  out.gauge("nines_broker_waiting", "Messages that it does not have yet.");
  family([](const BrokerStatus& b) { return uint64_t{b.waiting}; });
  out.counter("nines_broker_connects_total", "Connections that stood.");
  family([](const BrokerStatus& b) { return b.connects; });
  out.counter("nines_broker_messages_total", "Messages of state that it acknowledged.");
  family([](const BrokerStatus& b) { return b.messages; });
  out.counter("nines_broker_events_total", "Alert events that it acknowledged.");
  family([](const BrokerStatus& b) { return b.events; });
  out.counter("nines_broker_bytes_total", "Bytes of the bodies that it acknowledged.");
  family([](const BrokerStatus& b) { return b.bytes; });
  out.counter("nines_broker_refused_total", "Messages that cannot be told: beyond its limits.");
  family([](const BrokerStatus& b) { return b.refused; });
  out.counter("nines_broker_rewound_total",
              "Messages told again, because the broker had lost what it had acknowledged.");
  family([](const BrokerStatus& b) { return b.rewound; });
  out.counter("nines_broker_queries_total",
              "Queries over it: that this node asked of others, answered, and refused.");
  for (const BrokerStatus& b : s.brokers) {
    if (!b.queries) continue;
    const auto outcome = [&](std::string_view name, uint64_t value) {
      out.sample({{"broker", b.name}, {"kind", b.kind}, {"outcome", name}}, value);
    };
    outcome("asked", b.queries->asked);
    outcome("answered", b.queries->answered);
    outcome("refused", b.queries->refused);
  }
}

void timeline(Exposition& out, const Snapshot& s) {
  if (!s.timeline) return;
  const TimelineFigures& t = *s.timeline;
  out.single_gauge("nines_timeline_events", "Events kept for the timeline.", uint64_t{t.events});
  out.single_gauge("nines_timeline_bytes", "Bytes that they take.", uint64_t{t.bytes});
  out.single_gauge("nines_timeline_clocks", "Moments at which a clock was known.",
                   uint64_t{t.clocks});
  out.counter("nines_timeline_events_total", "Events by what became of them in this life.");
  const std::pair<const char*, uint64_t> outcomes[] = {
      {"recorded", t.recorded}, {"heard", t.heard},       {"dropped", t.dropped},
      {"refused", t.refused},   {"left_out", t.left_out}, {"damaged", t.damaged}};
  for (const auto& [outcome, events] : outcomes) out.sample({{"outcome", outcome}}, events);
  out.single_counter("nines_timeline_busy_total", "Questions refused because too many waited.",
                     t.busy);
}

void notifiers(Exposition& out, const Snapshot& s) {
  const NotifySums sums = notify_sums(s);
  out.single_counter("nines_notify_sent_total", "Notifications delivered.", sums.sent);
  out.single_counter("nines_notify_failed_total", "Notifications given up: refused for good.",
                     sums.dead);
  out.single_gauge("nines_notify_pending", "Notifications waiting for delivery.", sums.pending);
  if (s.notifiers.empty()) return;
  out.counter("nines_notifier_total", "What came of telling each notifier, by outcome.");
  for (const notify::NotifierShown& n : s.notifiers) {
    const std::pair<const char*, uint64_t> outcomes[] = {
        {"sent", n.stats.sent},        {"dead", n.stats.dead},
        {"failure", n.stats.failures}, {"late", n.stats.late},
        {"dropped", n.stats.dropped},  {"passed_over", n.stats.passed_over},
        {"filtered", n.stats.filtered}};
    for (const auto& [outcome, times] : outcomes) {
      out.sample({{"notifier", n.name}, {"kind", n.kind}, {"outcome", outcome}}, times);
    }
  }
  out.gauge("nines_notifier_pending", "Notifications waiting for delivery, by notifier.");
  for (const notify::NotifierShown& n : s.notifiers) {
    out.sample({{"notifier", n.name}, {"kind", n.kind}}, uint64_t{n.stats.pending});
  }
}

void alertmanagers(Exposition& out, const Snapshot& s) {
  if (s.alertmanagers.empty()) return;
  out.counter("nines_alertmanager_total", "What came of telling each replica, by kind.");
  for (const notify::ReplicaShown& r : s.alertmanagers) {
    const std::pair<const char*, uint64_t> kinds[] = {{"request", r.stats.requests},
                                                      {"alert", r.stats.alerts},
                                                      {"failure", r.stats.failures},
                                                      {"dead", r.stats.dead},
                                                      {"replayed", r.stats.replayed}};
    for (const auto& [kind, times] : kinds) {
      out.sample({{"cluster", r.name}, {"url", r.url}, {"kind", kind}}, times);
    }
  }
  out.gauge("nines_alertmanager_pending", "Transitions that the replica has not been told.");
  for (const notify::ReplicaShown& r : s.alertmanagers) {
    out.sample({{"cluster", r.name}, {"url", r.url}}, uint64_t{r.stats.pending});
  }
}

double seconds(WallTime t) { return static_cast<double>(t.ns / kNsPerMs) / 1000; }

void standing_queries(Exposition& out, const Snapshot& s) {
  if (s.queries.empty()) return;
  const struct {
    const char* name;
    const char* help;
    uint64_t QueryStatus::*value;
  } counters[] = {
      {"nines_query_runs_total", "Runs of a standing query.", &QueryStatus::runs},
      {"nines_query_errors_total", "Runs that could not read all they should.",
       &QueryStatus::errors},
      {"nines_query_records_total", "Records looked at.", &QueryStatus::records},
      {"nines_query_rows_total", "Rows found.", &QueryStatus::rows},
      {"nines_query_rows_omitted_total", "Rows beyond what a message holds.",
       &QueryStatus::omitted},
      {"nines_query_evicted_total", "Groups, sessions and matches given up at the limit of memory.",
       &QueryStatus::evicted},
      {"nines_query_not_kept_total", "Times that what was found could not be written at once.",
       &QueryStatus::not_kept}};
  for (const auto& counter : counters) {
    out.counter(counter.name, counter.help);
    for (const QueryStatus& q : s.queries) out.sample({{"query", q.name}}, q.*counter.value);
  }
  out.gauge("nines_query_lag_bytes", "Bytes that the last run left for the next.");
  for (const QueryStatus& q : s.queries) out.sample({{"query", q.name}}, q.lag_bytes);
  out.gauge("nines_query_last_run_timestamp_seconds", "When it ran last.");
  for (const QueryStatus& q : s.queries) {
    if (q.runs > 0) out.sample({{"query", q.name}}, seconds(q.last_run));
  }
  out.gauge("nines_query_last_duration_seconds", "How long that took.");
  for (const QueryStatus& q : s.queries) {
    out.sample({{"query", q.name}}, static_cast<double>(q.last_duration_ns) / kNsPerSecond);
  }
}

void process(Exposition& out, const Snapshot& s) {
  out.single_gauge("nines_ready", "1 when /readyz says ready.", s.ready);
  if (s.watermark.ns != 0) {
    out.single_gauge("nines_watermark_timestamp_seconds",
                     "Event time up to which all logs are read.", seconds(s.watermark));
  }
  out.single_gauge("nines_engine_bytes", "Memory of the counting rings.", uint64_t{s.engine_bytes});
  out.single_gauge("process_resident_memory_bytes", "Resident memory size in bytes.",
                   uint64_t{s.resident_bytes});
  out.single_counter("process_cpu_seconds_total",
                     "Total user and system CPU time spent in seconds.", s.cpu_seconds);
  out.single_gauge("process_start_time_seconds",
                   "Start time of the process since unix epoch in seconds.", seconds(s.started));
  out.single_gauge("nines_boot_generation", "How often this node's state was opened.", s.boot);
  out.gauge("nines_build_info", "Always 1; the labels say what runs where.");
  out.sample({{"version", s.version}, {"node", s.node}}, true);
}

}  // namespace

std::string metrics_text(const Snapshot& s) {
  Exposition out;
  slo_counts(out, s);
  slo_ratios(out, s);
  slo_burn(out, s);
  slo_state(out, s);
  slo_forecast(out, s);
  incidents(out, s);
  slo_values(out, s);
  sources(out, s);
  set_aside(out, s);
  inputs(out, s);
  joins(out, s);
  groups(out, s);
  governor(out, s);
  tailer(out, s);
  block_index(out, s);
  overflow_policies(out, s);
  store(out, s);
  pods(out, s);
  context(out, s);
  upstreams(out, s);
  brokers(out, s);
  timeline(out, s);
  standing_queries(out, s);
  notifiers(out, s);
  alertmanagers(out, s);
  process(out, s);
  return out.take() + s.fleet_metrics + s.remedy_metrics + s.page_metrics;
}

}  // namespace nines::agent::view
