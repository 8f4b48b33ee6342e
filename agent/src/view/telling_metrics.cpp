#include <utility>

#include "app/snapshot.hpp"
#include "view/exposition.hpp"
#include "view/metrics_parts.hpp"
#include "view/text.hpp"

namespace nines::agent::view {
namespace {

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

}  // namespace

void telling_metrics(Exposition& out, const Snapshot& s) {
  upstreams(out, s);
  brokers(out, s);
  timeline(out, s);
  standing_queries(out, s);
  notifiers(out, s);
  alertmanagers(out, s);
}

}  // namespace nines::agent::view
