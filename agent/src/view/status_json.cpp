#include "view/status_json.hpp"

#include <algorithm>

#include "view/counts.hpp"
#include "view/forecast.hpp"
#include "view/incident_status.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

using slo::BurnWindow;
using slo::RuleState;
using slo::SloStatus;

// Counts are integers; shares of slices (RatioTimeslices) are sums of fractions.
void write_counts(JsonWriter& json, const slo::WindowCounts& w) {
  if (w.scale == 1) {
    json.member("good", w.good).member("bad", w.bad).member("total", w.total());
    return;
  }
  const auto units = [&](int64_t n) {
    return static_cast<double>(n) / static_cast<double>(w.scale);
  };
  json.member("good", units(w.good)).member("bad", units(w.bad)).member("total", units(w.total()));
}

void write_window(JsonWriter& json, const BurnWindow& window) {
  json.key(window_name(window.window_s)).begin_object();
  write_counts(json, window.counts);
  json.member("burn_rate", window.burn);
  json.member("covered_s", window.counts.covered_s);
  json.member("start", window.counts.start).member("end", window.counts.end).end_object();
}

// The three windows of the composite and those of the alert rules, each length once, ascending.
std::vector<const BurnWindow*> all_windows(const SloStatus& s) {
  std::vector<const BurnWindow*> windows{&s.burn_5m, &s.burn_1h, &s.burn_24h};
  for (const RuleState& rule : s.rules) {
    if (rule.rule.kind == slo::RuleKind::budget) continue;  // those of the SLO window
    windows.push_back(&rule.long_window);
    // That of an early warning ended `for` ago.
    if (rule.rule.kind == slo::RuleKind::burn) windows.push_back(&rule.short_window);
  }
  std::stable_sort(windows.begin(), windows.end(),
                   [](auto* a, auto* b) { return a->window_s < b->window_s; });
  const auto same = [](auto* a, auto* b) { return a->window_s == b->window_s; };
  windows.erase(std::unique(windows.begin(), windows.end(), same), windows.end());
  return windows;
}

void write_alert(JsonWriter& json, const SloStatus& s, const RuleState& r) {
  json.begin_object();
  json.member("rule", r.rule.name).member("severity", r.rule.severity);
  json.member("priority", priority_name(slo::priority_of(r.rule.severity, s.tier)));
  json.member("since", r.since);
  json.member("factor", r.rule.factor);
  json.member("long_window", window_name(r.rule.long_s));
  json.member("long_burn_rate", r.long_window.burn);
  json.member("long_bad", r.long_window.counts.bad / r.long_window.counts.scale);
  json.member("long_total", r.long_window.counts.total() / r.long_window.counts.scale);
  json.member("short_window", window_name(r.rule.short_s));
  json.member("short_burn_rate", r.short_window.burn);
  json.member("short_bad", r.short_window.counts.bad / r.short_window.counts.scale);
  json.member("short_total", r.short_window.counts.total() / r.short_window.counts.scale);
  json.member("inhibited", r.inhibited).member("frozen", r.frozen);
  json.member("summary", rule_summary(s, r)).end_object();
}

void write_warning(JsonWriter& json, const SloStatus& s) {
  json.begin_object().member("rule", "forecast").member("severity", s.forecast.warning_severity);
  json.member("priority", priority_name(slo::priority_of(s.forecast.warning_severity, s.tier)));
  json.member("since", s.forecast.warning_since);
  json.member("summary", s.slo + ": " + s.forecast.message).end_object();
}

void write_rates(JsonWriter& json, const SloStatus& s) {
  json.member("burn_rate_5m", s.burn_5m.burn).member("burn_rate_1h", s.burn_1h.burn);
  json.member("burn_rate_24h", s.burn_24h.burn);
  json.member("composite_burn_rate", s.composite_burn_rate);
  json.member("error_budget_consumed", s.error_budget_consumed);
  json.member("error_budget_remaining", s.error_budget_remaining);
  json.member("risk_level", slo::risk_name(s.risk)).member("state", slo::state_name(s.state));
}

void write_override(JsonWriter& json, const slo::GateVerdict& gate) {
  json.key("override");
  if (!gate.overridden) {
    json.null();
    return;
  }
  json.begin_object().member("by", gate.override_by).member("reason", gate.override_reason);
  json.member("at", gate.override_at).member("until", gate.override_until).end_object();
}

void write_budget_policy(JsonWriter& json, const SloStatus& s) {
  json.key("budget_policy");
  if (!s.budget_step) {
    json.null();
    return;
  }
  json.begin_object().member("step", s.budget_step->name);
  json.member("remaining_below", s.budget_step->remaining_below);
  json.member("severity", s.budget_step->severity).key("actions").begin_array();
  for (const std::string& action : s.budget_step->actions) json.value(action);
  json.end_array().end_object();
}

// What the overlays took out, so that raw = shown + excluded; only where there are any.
void write_excluded(JsonWriter& json, const SloStatus& s) {
  const slo::WindowCounts& w = s.window;
  const bool reserve = w.reserve > 0 || w.reserved_bad > 0;
  const bool dropped = w.dropped_good > 0 || w.dropped_bad > 0 || w.excluded_s > 0;
  if (!reserve && !dropped && s.excluded_by.empty()) return;
  const auto units = [&](int64_t n) {
    return static_cast<double>(n) / static_cast<double>(w.scale);
  };
  json.key("excluded").begin_object();
  json.member("now", s.excluded_by).member("seconds", w.excluded_s);
  json.member("good", units(w.dropped_good)).member("bad", units(w.dropped_bad));
  const int64_t good = w.good + w.dropped_good;
  const int64_t bad = w.bad + w.forgiven + w.dropped_bad;
  json.member("raw_sli", good + bad == 0
                             ? std::optional<double>()
                             : static_cast<double>(good) / static_cast<double>(good + bad));
  if (reserve) {
    json.member("reserve", units(w.reserve)).member("reserve_used", units(w.forgiven));
    json.member("reserved_bad", units(w.reserved_bad));
  }
  json.end_object();
}

void write_parts(JsonWriter& json, const SloStatus& s) {
  json.key("parts").begin_array();
  for (const slo::PartStatus& part : s.parts) {
    json.begin_object().member("slo", part.slo).member("weight", part.weight);
    json.member("target", part.target).member("bad", part.window.bad);
    json.member("total", part.window.total).member("state", slo::state_name(part.state));
    json.member("error_budget_consumed", part.consumed).end_object();
  }
  json.end_array();
}

void write_extras(JsonWriter& json, const SloStatus& s) {
  write_release(json, s);
  json.key("forecast");
  write_forecast(json, s.forecast);
  write_excluded(json, s);
  if (!s.time_zone.empty()) {
    json.member("time_zone", s.time_zone).member("period_end", s.period_end);
  }
  if (s.budgeting != slo::Budgeting::occurrences) {
    json.key("events").begin_object();
    write_counts(json, s.events);
    json.end_object();
  }
  json.member("draft", s.draft);
  if (!s.group_of.empty()) json.member("group_of", s.group_of).member("group", s.group);
  if (s.p50 || s.p95 || s.p99) {
    json.member("p50", s.p50).member("p95", s.p95).member("p99", s.p99).member("unit", s.unit);
  }
  json.key("windows").begin_object();
  for (const BurnWindow* window : all_windows(s)) write_window(json, *window);
  json.end_object();
  if (!s.parts.empty()) write_parts(json, s);
}

void write_source(JsonWriter& json, const SourceStatus& source) {
  json.begin_object();
  json.member("name", source.name).member("service", source.service);
  json.member("format", source.format).member("files", source.files);
  json.member("records", source.records).member("bytes", source.bytes);
  json.key("malformed").begin_object();
  for (const auto& [reason, lines] : source.malformed) json.member(reason, lines);
  json.end_object().key("set_aside").begin_object();
  for (const auto& [reason, times] : source.set_aside) json.member(reason, times);
  json.end_object();
  json.member("first_malformed", source.first_malformed);
  json.member("lag_bytes", source.lag_bytes).end_object();
}

void write_tailer(JsonWriter& json, const collector::Tailer::Stats& t) {
  json.key("tailer").begin_object();
  json.member("files_open", t.files_open).member("files_known", t.files_known);
  json.member("files_refused", t.files_refused).member("rotations", t.rotations);
  json.member("truncations", t.truncations).member("copies_recognised", t.copies_recognised);
  json.member("read_errors", t.read_errors).member("bytes_read", t.bytes_read);
  json.member("lines_cut", t.lines_cut).member("overflows", t.overflows);
  json.member("rescans", t.rescans).member("polling", t.polling).member("lag_bytes", t.lag_bytes);
  json.end_object();
}

void write_input(JsonWriter& json, const collector::InputStats& input) {
  json.begin_object();
  json.member("kind", input.kind).member("name", input.name);
  json.member("healthy", input.healthy).member("trouble", input.trouble);
  json.member("resumable", input.resumable).member("received", input.received);
  json.member("bytes", input.bytes).member("lost", input.lost);
  json.member("refused", input.refused).member("restarts", input.restarts);
  json.member("lag_bytes", input.lag_bytes).end_object();
}

void write_governor(JsonWriter& json, const collector::Governor::Stats& g) {
  json.key("governor").begin_object();
  json.member("backing_off", g.backing_off).member("reason", g.reason);
  json.member("back_offs", g.back_offs).member("cpu_pauses", g.cpu_pauses);
  json.member("paused_ms", g.paused_ms).end_object();
}

void write_store(JsonWriter& json, const Snapshot& s) {
  json.key("store");
  if (!s.has_store) {
    json.null();
    return;
  }
  json.begin_object();
  json.member("commits", s.store.commits).member("failed_commits", s.store.failed_commits);
  json.member("bytes_written", s.store.bytes_written).member("file_bytes", s.store.file_bytes);
  json.member("journal_rows", s.store.journal_rows).member("folds", s.store.folds);
  const StoreTrouble& trouble = s.store_trouble;
  json.member("quarantined", trouble.quarantined).member("damaged_rows", trouble.damaged_rows);
  json.member("lost_positions", trouble.lost_positions);
  json.member("in_memory", trouble.in_memory).member("memory_bytes", s.store.memory_bytes);
  json.member("trouble", trouble.failing).end_object();
}

void write_limits(JsonWriter& json, const Snapshot& s) {
  json.key("counters").begin_object();
  json.member("late", s.counters.late).member("dropped_late", s.counters.dropped_late);
  json.member("skewed", s.counters.skewed).member("saturated", s.counters.saturated);
  json.end_object().key("notify").begin_object();
  const NotifySums sums = notify_sums(s);
  json.member("sent", sums.sent).member("failed", sums.dead);
  json.member("pending", sums.pending).end_object();
  json.member("engine_bytes", s.engine_bytes).member("resident_bytes", s.resident_bytes);
  json.member("cpu_seconds", s.cpu_seconds);
}

void write_brokers(JsonWriter& json, const Snapshot& s) {
  json.key("brokers").begin_array();
  for (const BrokerStatus& b : s.brokers) {
    json.begin_object().member("name", b.name).member("kind", b.kind);
    json.member("trouble", b.trouble).key("denied").begin_array();
    for (const std::string& denied : b.denied) json.value(denied);
    json.end_array().end_object();
  }
  json.end_array();
}

std::string csv_field(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

std::string csv_number(const std::optional<double>& value) {
  const std::string text = value ? double_text(*value) : "";
  return text == "null" ? "" : text;
}

std::string csv_alerts(const SloStatus& s) {
  std::string names;
  for (const RuleState& rule : s.rules) {
    if (rule.firing) names += (names.empty() ? "" : ";") + rule.rule.name;
  }
  if (s.forecast.warning) names += names.empty() ? "forecast" : ";forecast";
  return names;
}

std::string csv_time(WallTime t) { return t.ns == 0 ? "" : format_rfc3339(t); }

void append_csv_row(std::string& out, const SloStatus& s) {
  const std::string fields[] = {s.slo,
                                s.service,
                                std::to_string(s.tier),
                                s.parts.empty() ? s.target.to_string() : "",
                                window_label(s),
                                std::string(slo::budgeting_name(s.budgeting)),
                                amount(s.window.good, s.window),
                                amount(s.window.bad, s.window),
                                amount(s.window.total(), s.window),
                                csv_number(s.sli),
                                csv_number(s.burn_5m.burn),
                                csv_number(s.burn_1h.burn),
                                csv_number(s.burn_24h.burn),
                                csv_number(s.composite_burn_rate),
                                csv_number(s.error_budget_consumed),
                                csv_number(s.error_budget_remaining),
                                std::string(slo::risk_name(s.risk)),
                                std::string(slo::state_name(s.state)),
                                csv_number(s.coverage),
                                csv_time(s.window.start),
                                csv_time(s.window.end),
                                csv_alerts(s),
                                csv_time(s.timestamp),
                                s.draft ? "true" : "false",
                                csv_number(s.p50),
                                csv_number(s.p95),
                                csv_number(s.p99),
                                s.unit};
  bool first = true;
  for (const std::string& field : fields) {
    if (!first) out += ',';
    first = false;
    out += csv_field(field);
  }
  out += '\n';
}

}  // namespace

void write_release(JsonWriter& json, const SloStatus& s) {
  json.key("release").begin_object();
  json.member("decision", slo::release_name(s.gate.decision));
  json.member("allowed", s.gate.allows());
  json.member("by_risk", slo::release_name(s.release.by_risk));
  json.member("by_budget", slo::release_name(s.release.by_budget));
  json.member("reason", s.gate.reason);
  json.member("without_override", slo::release_name(s.gate.without_override));
  json.key("held_down_until");
  if (s.gate.held) {
    json.value(s.gate.held_until);
  } else {
    json.null();
  }
  json.member("watch", s.gate.watch);
  write_override(json, s.gate);
  json.end_object();
  write_budget_policy(json, s);
}

std::string rule_summary(const SloStatus& s, const RuleState& r) {
  const auto part = [](const BurnWindow& w, int64_t window_s) {
    return short_number(w.burn) + " over " + window_name(window_s) + " (" +
           amount(w.counts.bad, w.counts) + " bad of " + amount(w.counts.total(), w.counts) + ")";
  };
  if (r.rule.kind == slo::RuleKind::budget) {
    return s.slo + ": budget used " + part(r.long_window, r.rule.long_s) + ", " +
           window_name(r.rule.for_s) + " ago " + part(r.short_window, r.rule.short_s) + "; rule " +
           r.rule.name + " fires when both exceed " + r.rule.factor.to_string();
  }
  if (r.rule.kind == slo::RuleKind::threshold) {
    const auto level = [](const BurnWindow& w) {
      const auto total = static_cast<double>(w.counts.total());
      return percent(w.counts.total() == 0 ? std::optional<double>()
                                           : static_cast<double>(w.counts.good) / total) +
             " (" + amount(w.counts.bad, w.counts) + " bad of " +
             amount(w.counts.total(), w.counts) + ")";
    };
    return s.slo + ": " + level(r.long_window) + " good over " + window_name(r.rule.long_s) + ", " +
           window_name(r.rule.for_s) + " ago " + level(r.short_window) + "; rule " + r.rule.name +
           " fires when both are below " + exact_percent(r.rule.factor);
  }
  return s.slo + ": burn rate " + part(r.long_window, r.rule.long_s) + " and " +
         part(r.short_window, r.rule.short_s) + "; rule " + r.rule.name +
         " fires when both exceed " + r.rule.factor.to_string();
}

void write_slo(JsonWriter& json, const SloStatus& s) {
  json.begin_object();
  json.member("slo", s.slo).member("service", s.service).member("tier", s.tier);
  if (s.parts.empty()) {
    json.member("target", s.target);
  } else {
    json.key("target").null();  // its parts have theirs
  }
  json.member("window", window_label(s));
  json.member("budgeting_method", slo::budgeting_name(s.budgeting));
  write_counts(json, s.window);
  json.member("sli", s.sli);
  write_rates(json, s);
  json.member("coverage", s.coverage);
  json.member("window_start", s.window.start).member("window_end", s.window.end);
  json.key("alerts").begin_array();
  for (const RuleState& rule : s.rules) {
    if (rule.firing) write_alert(json, s, rule);
  }
  if (s.forecast.warning) write_warning(json, s);
  json.end_array().member("timestamp", s.timestamp);
  write_extras(json, s);
  json.end_object();
}

std::optional<Gate> gate_of(const Snapshot& snapshot, std::string_view name) {
  Gate gate;
  for (const SloStatus& s : snapshot.slos) {
    if (!name.empty() && s.service != name && s.slo != name) continue;
    if (!s.group_of.empty() && s.slo != name) continue;  // its SLO decides
    gate.slos.push_back(&s);
    gate.decision = std::max(gate.decision, s.gate.decision);
  }
  if (gate.slos.empty() && !name.empty()) return std::nullopt;
  return gate;
}

std::string gate_json(const Gate& gate) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("decision", slo::release_name(gate.decision));
  json.member("allowed", gate.decision <= slo::Release::caution);
  json.key("slos").begin_array();
  for (const SloStatus* s : gate.slos) {
    json.begin_object().member("slo", s->slo).member("service", s->service);
    write_release(json, *s);
    json.end_object();
  }
  json.end_array().end_object();
  return out += '\n';
}

std::string gate_text(const Gate& gate) {
  std::string out(slo::release_name(gate.decision));
  out += '\n';
  for (const SloStatus* s : gate.slos) {
    out += "  " + printable(s->slo) + " (" + printable(s->service) +
           "): " + printable(s->gate.reason) + '\n';
    if (!s->budget_step) continue;
    out += "    step " + printable(s->budget_step->name) + " of the error-budget policy:\n";
    for (const std::string& action : s->budget_step->actions) {
      out += "      - " + printable(action) + '\n';
    }
  }
  return out;
}

std::string slos_json(const Snapshot& snapshot) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_array();
  for (const SloStatus& s : snapshot.slos) write_slo(json, s);
  json.end_array();
  return out += '\n';
}

std::string slos_ndjson(const Snapshot& snapshot) {
  std::string out;
  for (const SloStatus& s : snapshot.slos) {
    JsonWriter json(out);
    write_slo(json, s);
    out += '\n';
  }
  return out;
}

std::string slos_csv(const Snapshot& snapshot) {
  std::string out =
      "slo,service,tier,target,window,budgeting_method,good,bad,total,sli,burn_rate_5m,"
      "burn_rate_1h,burn_rate_24h,composite_burn_rate,error_budget_consumed,"
      "error_budget_remaining,risk_level,state,coverage,window_start,window_end,alerts,timestamp,"
      "draft,p50,p95,p99,unit\n";
  for (const SloStatus& s : snapshot.slos) append_csv_row(out, s);
  return out;
}

std::string agent_json(const Snapshot& s) {
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object();
  json.member("node", s.node).member("version", s.version).member("boot", s.boot);
  json.member("ready", s.ready).member("not_ready_reason", s.not_ready_reason);
  json.member("replay", s.replay).member("now", s.now).member("started", s.started);
  json.member("watermark", s.watermark).member("slos", s.slos.size());
  json.key("sources").begin_array();
  for (const SourceStatus& source : s.sources) write_source(json, source);
  json.end_array().key("inputs").begin_array();
  for (const collector::InputStats& input : s.inputs) write_input(json, input);
  json.end_array();
  write_tailer(json, s.tailer);
  write_governor(json, s.governor);
  write_store(json, s);
  write_limits(json, s);
  write_brokers(json, s);
  write_incidents(json, s.incidents);
  json.end_object();
  return out += '\n';
}

}  // namespace nines::agent::view
