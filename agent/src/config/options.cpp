#include "config/options.hpp"

#include <utility>

namespace nines::agent::config {
namespace {

using enum OptionType;

constexpr int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr int64_t kKiB = 1024, kMiB = 1024 * kKiB, kGiB = 1024 * kMiB;
constexpr int32_t kMaxOffset = 14 * 3600;

slo::SourceSelector& selector(Draft& d) { return d.node.sources.back().selector; }

RemoteConfig& remote(Draft& d) { return d.node.remotes.back(); }
StandingQueryConfig& query(Draft& d) { return d.node.queries.back(); }
NotifierConfig& notifier(Draft& d) { return d.node.notifiers.back(); }
ChainConfig& chain(Draft& d) { return d.node.chains.back(); }

NotifierConfig::Kind notifier_kind(std::string_view word) {
  using Kind = NotifierConfig::Kind;
  if (word == "pagerduty") return Kind::pagerduty;
  if (word == "opsgenie") return Kind::opsgenie;
  if (word == "slack") return Kind::slack;
  if (word == "ntfy") return Kind::ntfy;
  if (word == "email") return Kind::email;
  if (word == "mqtt") return Kind::mqtt;
  return word == "exec" ? Kind::exec : Kind::webhook;
}

RemoteConfig::Kind remote_kind(std::string_view word) {
  if (word == "loki") return RemoteConfig::Kind::loki;
  if (word == "graylog") return RemoteConfig::Kind::graylog;
  return word == "splunk" ? RemoteConfig::Kind::splunk : RemoteConfig::Kind::elasticsearch;
}

UpstreamConfig& upstream(Draft& d) { return d.node.upstream.back(); }

// The key itself says which input a source is: infer_input().
void said_by_key(Draft&, OptionValue&&) {}

// The order is that of the sample file. Ranges are inclusive.
constexpr Option kOptions[] = {
    {"node", text, "", 0, 0, "",
     "Name of this node in status, alerts and metrics. Default: the host name.", "node-1",
     [](Draft& d, OptionValue&& v) { d.node.node = std::move(v.text); }},

    {"sources", maps, "", 0, 0, "",
     "Logs that SLOs refer to by name (metricSource.spec: {source: NAME}).", "", nullptr},
    {"sources[].name", text, "", 0, 0, "", "Name, unique among the sources. Required.", "nginx",
     [](Draft& d, OptionValue&& v) { d.node.sources.back().name = std::move(v.text); }},
    {"sources[].service", text, "", 0, 0, "",
     "Service of the records that do not name one themselves.", "web",
     [](Draft& d, OptionValue&& v) { d.node.sources.back().service = std::move(v.text); }},
    {"sources[].paths", texts, "", 0, 0, "",
     "Files, as globs (*, ?, [a-z], ** for any folders). Rotated files are followed.",
     "[/var/log/nginx/access.log]",
     [](Draft& d, OptionValue&& v) { selector(d).paths = std::move(v.texts); }},
    {"sources[].exclude", texts, "", 0, 0, "", "Files to leave out, as globs.",
     "[\"/var/log/nginx/*debug*\"]",
     [](Draft& d, OptionValue&& v) { selector(d).exclude = std::move(v.texts); }},
    {"sources[].format", choice, "auto", 0, 0,
     "auto nginx=combined=common=nginx-combined apache=apache-combined json=jsonl=ndjson logfmt "
     "syslog=rfc3164=rfc5424 plain regex traefik envoy haproxy klog k3s containerd postgres redis "
     "rabbitmq python log4j=logback spring csv tsv journal",
     "Format of a record; auto looks at the first lines of each file.", "",
     [](Draft& d, OptionValue&& v) { selector(d).format = std::move(v.text); }},
    {"sources[].pattern", text, "", 0, 0, "",
     "Of the format: for nginx its log_format, for apache its LogFormat, for log4j its "
     "PatternLayout, for python its format, for postgres its log_line_prefix, for csv the header; "
     "for regex an RE2 with named groups (ts and level are special).",
     "'^(?P<ts>\\S+) (?P<level>\\w+) (?P<message>.*)$'",
     [](Draft& d, OptionValue&& v) { selector(d).pattern = std::move(v.text); }},
    {"sources[].multiline", text, "auto", 0, 0, "",
     "Lines that belong together: auto joins stack traces, and lines without time stamp where "
     "records have one; none joins nothing; anything else is an RE2 that the first line of a "
     "record matches.",
     "", [](Draft& d, OptionValue&& v) { selector(d).multiline = std::move(v.text); }},
    {"sources[].start", text, "beginning", 0, 0, "",
     "Where to start in files that were there before Nines first looked: beginning, end, or a "
     "time (RFC 3339), before which records do not count.",
     "", [](Draft& d, OptionValue&& v) { selector(d).start = std::move(v.text); }},
    {"sources[].ignore_older", duration, "", 0, 3650 * kDay, "",
     "Files that were not written for longer are left alone until they are.", "7d",
     [](Draft& d, OptionValue&& v) { selector(d).ignore_older_s = v.number / kSecond; }},
    {"sources[].catch_up", choice, "oldest_first", 0, 0, "oldest_first newest_first",
     "After a long stop: which of a log's rotated files is read first.", "",
     [](Draft& d, OptionValue&& v) { selector(d).newest_first = v.text == "newest_first"; }},
    {"sources[].user", text, "", 0, 0, "",
     "Field that says who the user of a record is (a name, a number, remote_addr): an incident "
     "tells how many different ones met a bad event. Kept as hashes, on this node only.",
     "user_id", [](Draft& d, OptionValue&& v) { d.node.sources.back().user = std::move(v.text); }},
    {"sources[].gauge", map, "", 0, 0, "",
     "A number in its records: how much of something (CPU, memory) a service uses, as evidence "
     "when something breaks, or how deep a queue is.",
     "", nullptr},
    {"sources[].gauge.value", text, "", 0, 0, "", "Field with the number.", "cpu_percent",
     [](Draft& d, OptionValue&& v) { d.node.sources.back().gauge = std::move(v.text); }},
    {"sources[].gauge.of", text, "service", 0, 0, "", "Field with the name of the service.", "",
     [](Draft& d, OptionValue&& v) { d.node.sources.back().gauge_of = std::move(v.text); }},
    {"sources[].gauge.limit", integer, "0", 0, 1'000'000'000'000, "",
     "For depths of queues: above it for a minute is an incident. 0: no limit.", "1000",
     [](Draft& d, OptionValue&& v) { d.node.sources.back().gauge_limit = v.number; }},
    {"sources[].rate_limit", map, "", 0, 0, "",
     "Reading faster than this waits (and the lag shows), or drops if asked to.", "", nullptr},
    {"sources[].rate_limit.lines", integer, "", 1, 100'000'000, "", "Records a second.", "20000",
     [](Draft& d, OptionValue&& v) { selector(d).max_lines_per_s = v.number; }},
    {"sources[].rate_limit.bytes", size, "", 1 * kKiB, 64 * kGiB, "", "Bytes a second.", "8MiB",
     [](Draft& d, OptionValue&& v) { selector(d).max_bytes_per_s = v.number; }},
    {"sources[].rate_limit.excess", choice, "wait", 0, 0, "wait drop",
     "What becomes of the rest. Dropped records are counted on /metrics and in the status.", "",
     [](Draft& d, OptionValue&& v) {
       selector(d).excess = v.text == "drop" ? slo::Excess::drop : slo::Excess::wait;
     }},
    {"sources[].kubernetes", map, "", 0, 0, "",
     "Container logs of this node instead of paths; globs on names.", "", nullptr},
    {"sources[].kubernetes.namespace", text, "", 0, 0, "", "Namespace.", "shop",
     [](Draft& d, OptionValue&& v) { selector(d).k8s_namespace = std::move(v.text); }},
    {"sources[].kubernetes.pod", text, "", 0, 0, "", "Pod.", "web-*",
     [](Draft& d, OptionValue&& v) { selector(d).k8s_pod = std::move(v.text); }},
    {"sources[].kubernetes.container", text, "", 0, 0, "", "Container.", "nginx",
     [](Draft& d, OptionValue&& v) { selector(d).k8s_container = std::move(v.text); }},
    {"sources[].kubernetes.labels", texts, "", 0, 0, "",
     "Labels of the pod, all of which must hold (needs the API, see kubernetes below).",
     "[app=web]", [](Draft& d, OptionValue&& v) { selector(d).k8s_labels = std::move(v.texts); }},
    {"sources[].journal", map, "", 0, 0, "", "The systemd journal instead of files.", "", nullptr},
    {"sources[].journal.units", texts, "", 0, 0, "", "Units; all when left out.", "[k3s.service]",
     [](Draft& d, OptionValue&& v) { selector(d).units = std::move(v.texts); }},
    {"sources[].syslog", map, "", 0, 0, "",
     "Messages sent to this node instead of files. What is sent while Nines is down is lost.", "",
     nullptr},
    {"sources[].syslog.listen", texts, "", 0, 0, "",
     "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH, unix-stream:///PATH.",
     "[udp://127.0.0.1:5514]",
     [](Draft& d, OptionValue&& v) { selector(d).listen = std::move(v.texts); }},
    {"sources[].kmsg", flag, "false", 0, 0, "",
     "The kernel's messages instead of files: OOM kills, under-voltage, SD card errors.", "true",
     said_by_key},
    {"sources[].stdin", flag, "false", 0, 0, "", "Standard input instead of files.", "true",
     said_by_key},
    {"sources[].scrape", map, "", 0, 0, "",
     "Metrics of a local Prometheus endpoint: one record a sample (metric, labels, value, delta).",
     "", nullptr},
    {"sources[].scrape.url", text, "", 0, 0, "", "http:// or https:// address.",
     "http://127.0.0.1:9100/metrics",
     [](Draft& d, OptionValue&& v) { selector(d).url = std::move(v.text); }},
    {"sources[].scrape.every", duration, "15s", kSecond, kHour, "", "How often.", "",
     [](Draft& d, OptionValue&& v) { selector(d).scrape_every_s = v.number / kSecond; }},
    {"sources[].scrape.token_file", text, "", 0, 0, "", "File that holds a bearer token to send.",
     "/etc/nines/scrape.token",
     [](Draft& d, OptionValue&& v) { selector(d).token_file = std::move(v.text); }},
    {"sources[].vitals", map, "", 0, 0, "",
     "The node's own vitals: CPU, memory, disk, pressure (PSI), temperature, throttling.", "",
     nullptr},
    {"sources[].vitals.every", duration, "10s", kSecond, kHour, "", "How often.", "",
     [](Draft& d, OptionValue&& v) { selector(d).vitals_every_s = v.number / kSecond; }},
    {"sources[].timezone", offset, "+00:00", -kMaxOffset, kMaxOffset, "",
     "UTC offset of time stamps that carry no zone.", "",
     [](Draft& d, OptionValue&& v) { selector(d).utc_offset_s = static_cast<int32_t>(v.number); }},

    {"slos", texts, "", 0, 0, "",
     "Files and folders of SLO documents (*.yaml, *.yml, *.json), relative to this file. "
     "Default: the folder slos/ beside this file, when there is one.",
     "[slos/]", [](Draft& d, OptionValue&& v) { d.node.slo_paths = std::move(v.texts); }},

    {"webhooks", maps, "", 0, 0, "", "Where alerts are sent as JSON, beside the log.", "", nullptr},
    {"webhooks[].name", text, "", 0, 0, "", "Name, unique among the webhooks. Required.", "on-call",
     [](Draft& d, OptionValue&& v) { d.node.webhooks.back().name = std::move(v.text); }},
    {"webhooks[].url", text, "", 0, 0, "", "http:// or https:// address. Required.",
     "https://alerts.example.org/nines",
     [](Draft& d, OptionValue&& v) { d.node.webhooks.back().url = std::move(v.text); }},
    {"webhooks[].bearer_token", text, "", 0, 0, "",
     "Sent as 'Authorization: Bearer ...'. Give it or token_file, not both.", "change-me",
     [](Draft& d, OptionValue&& v) { d.node.webhooks.back().bearer_token = std::move(v.text); }},
    {"webhooks[].token_file", text, "", 0, 0, "",
     "File that holds the token, so that this file need not be secret.", "/etc/nines/webhook.token",
     [](Draft& d, OptionValue&& v) { d.token_file = std::move(v.text); }},
    {"webhooks[].timeout", duration, "5s", 100, 5 * kMinute, "",
     "After this long a delivery counts as failed and is tried again later.", "",
     [](Draft& d, OptionValue&& v) { d.node.webhooks.back().timeout_ms = v.number; }},

    {"notifiers", maps, "", 0, 0, "",
     "People and services that are told of alerts. Each is told on its own, unless it is a step of "
     "a chain.",
     "", nullptr},
    {"notifiers[].name", text, "", 0, 0, "", "Name, unique among notifiers and webhooks. Required.",
     "pager", [](Draft& d, OptionValue&& v) { notifier(d).name = std::move(v.text); }},
    {"notifiers[].kind", choice, "", 0, 0, "webhook pagerduty opsgenie slack ntfy email exec mqtt",
     "What it is. Required.", "pagerduty",
     [](Draft& d, OptionValue&& v) { notifier(d).kind = notifier_kind(v.text); }},
    {"notifiers[].url", text, "", 0, 0, "",
     "webhook: its address; ntfy: https://SERVER/TOPIC; email: smtp://HOST:587 (STARTTLS), "
     "smtps://HOST:465, or smtp+plain://HOST:25 without TLS; mqtt: mqtts://HOST:8883, or mqtt:// "
     "without TLS; pagerduty, opsgenie: another address than the usual one "
     "(https://api.eu.opsgenie.com); slack: in place of the secret.",
     "https://events.pagerduty.com/v2/enqueue",
     [](Draft& d, OptionValue&& v) { notifier(d).url = std::move(v.text); }},
    {"notifiers[].secret_file", text, "", 0, 0, "",
     "File with the routing key (pagerduty), API key (opsgenie), webhook URL (slack), token "
     "(webhook, ntfy) or password (email, mqtt); read again for every use.",
     "/etc/nines/pager.key",
     [](Draft& d, OptionValue&& v) { notifier(d).secret.file = std::move(v.text); }},
    {"notifiers[].secret_env", text, "", 0, 0, "",
     "Variable of the environment that holds it instead.", "PAGER_KEY",
     [](Draft& d, OptionValue&& v) { notifier(d).secret.env = std::move(v.text); }},
    {"notifiers[].severities", texts, "", 0, 0, "",
     "Only alerts of these (critical, page, ticket, warning). Default: all.", "[page]",
     [](Draft& d, OptionValue&& v) { notifier(d).severities = std::move(v.texts); }},
    {"notifiers[].link", text, "", 0, 0, "", "Where people find more, as a link in the message.",
     "https://nines.example.org/",
     [](Draft& d, OptionValue&& v) { notifier(d).link = std::move(v.text); }},
    {"notifiers[].scope", text, "", 0, 0, "",
     "pagerduty, opsgenie: nodes of the same scope share the incident of an SLO. Default: the "
     "name of the node.",
     "shop", [](Draft& d, OptionValue&& v) { notifier(d).scope = std::move(v.text); }},
    {"notifiers[].ca_file", text, "", 0, 0, "",
     "PEM file with the authority that signed its certificate. Default: those of the system.",
     "/etc/nines/pager-ca.pem",
     [](Draft& d, OptionValue&& v) { notifier(d).ca_file = std::move(v.text); }},
    {"notifiers[].cert_file", text, "", 0, 0, "",
     "mqtt: PEM file with our own certificate, where the broker asks for one (mutual TLS).",
     "/etc/nines/node.pem",
     [](Draft& d, OptionValue&& v) { notifier(d).cert_file = std::move(v.text); }},
    {"notifiers[].key_file", text, "", 0, 0, "", "mqtt: PEM file with the key of cert_file.",
     "/etc/nines/node.key",
     [](Draft& d, OptionValue&& v) { notifier(d).key_file = std::move(v.text); }},
    {"notifiers[].topic", text, "", 0, 0, "",
     "mqtt: where events are published (QoS 1); told means acknowledged by the broker.",
     "shop/pages", [](Draft& d, OptionValue&& v) { notifier(d).topic = std::move(v.text); }},
    {"notifiers[].user", text, "", 0, 0, "", "email, mqtt: user to log in as.", "nines",
     [](Draft& d, OptionValue&& v) { notifier(d).user = std::move(v.text); }},
    {"notifiers[].from", text, "", 0, 0, "", "email: the sender's address.", "nines@example.org",
     [](Draft& d, OptionValue&& v) { notifier(d).from = std::move(v.text); }},
    {"notifiers[].to", texts, "", 0, 0, "", "email: addresses.", "[ops@example.org]",
     [](Draft& d, OptionValue&& v) { notifier(d).to = std::move(v.texts); }},
    {"notifiers[].program", text, "", 0, 0, "",
     "exec: absolute path of a program, run without a shell; the event as JSON is its input, exit "
     "code 0 means told.",
     "/usr/local/bin/siren",
     [](Draft& d, OptionValue&& v) { notifier(d).program = std::move(v.text); }},
    {"notifiers[].arguments", texts, "", 0, 0, "", "exec: its arguments.", "[--loud]",
     [](Draft& d, OptionValue&& v) { notifier(d).arguments = std::move(v.texts); }},
    {"notifiers[].timeout", duration, "10s", 100, 5 * kMinute, "",
     "After this long an attempt counts as failed and is made again later.", "",
     [](Draft& d, OptionValue&& v) { notifier(d).timeout_ms = v.number; }},

    {"chains", maps, "", 0, 0, "",
     "Notifiers in order: when one has not delivered in time, the next one tries too.", "",
     nullptr},
    {"chains[].name", text, "", 0, 0, "", "Name, unique among the chains. Required.", "on-call",
     [](Draft& d, OptionValue&& v) { chain(d).name = std::move(v.text); }},
    {"chains[].steps", maps, "", 0, 0, "", "The steps, first to last. Required.", "", nullptr},
    {"chains[].steps[].notify", text, "", 0, 0, "", "Name of a notifier. Required.", "pager",
     [](Draft& d, OptionValue&& v) { chain(d).steps.back().notify = std::move(v.text); }},
    {"chains[].steps[].within", duration, "", kSecond, kDay, "",
     "How long it may take. Required, except of the last step.", "2m",
     [](Draft& d, OptionValue&& v) { chain(d).steps.back().within_ms = v.number; }},

    {"remotes", maps, "", 0, 0, "",
     "Other systems that keep logs, asked by nines query: FROM remote('NAME').", "", nullptr},
    {"remotes[].name", text, "", 0, 0, "", "Name, unique among the remotes. Required.", "central",
     [](Draft& d, OptionValue&& v) { remote(d).name = std::move(v.text); }},
    {"remotes[].kind", choice, "", 0, 0, "elasticsearch=opensearch loki graylog splunk",
     "What it is (OpenSearch is asked like Elasticsearch). Required.", "elasticsearch",
     [](Draft& d, OptionValue&& v) { remote(d).kind = remote_kind(v.text); }},
    {"remotes[].url", text, "", 0, 0, "",
     "http:// or https:// address of its API; Splunk's management port. Required.",
     "https://logs.example.org:9200",
     [](Draft& d, OptionValue&& v) { remote(d).url = std::move(v.text); }},
    {"remotes[].token_file", text, "", 0, 0, "",
     "File with the token or API key to send, read for each query. Or user and password_file.",
     "/etc/nines/central.token",
     [](Draft& d, OptionValue&& v) { remote(d).token_file = std::move(v.text); }},
    {"remotes[].user", text, "", 0, 0, "", "User to log in as.", "nines",
     [](Draft& d, OptionValue&& v) { remote(d).user = std::move(v.text); }},
    {"remotes[].password_file", text, "", 0, 0, "", "File with the user's password.",
     "/etc/nines/central.password",
     [](Draft& d, OptionValue&& v) { remote(d).password_file = std::move(v.text); }},
    {"remotes[].ca_file", text, "", 0, 0, "",
     "PEM file with the authority that signed its certificate. Default: those of the system.",
     "/etc/nines/central-ca.pem",
     [](Draft& d, OptionValue&& v) { remote(d).ca_file = std::move(v.text); }},
    {"remotes[].index", text, "", 0, 0, "",
     "Elasticsearch: index pattern (default: all); Splunk: index; Graylog: id of a stream; Loki: "
     "tenant.",
     "logs-*", [](Draft& d, OptionValue&& v) { remote(d).index = std::move(v.text); }},
    {"remotes[].query", text, "", 0, 0, "",
     "What is asked for by remote('NAME') without a query, in the words of that system: a query "
     "string or JSON query (Elasticsearch), a LogQL selector, a Graylog query, an SPL search.",
     "\"NOT env:test\"", [](Draft& d, OptionValue&& v) { remote(d).query = std::move(v.text); }},
    {"remotes[].timeout", duration, "30s", 100, 10 * kMinute, "", "Of one request.", "",
     [](Draft& d, OptionValue&& v) { remote(d).timeout_ms = v.number; }},
    {"remotes[].max_rows", integer, "1000000", 1, 1'000'000'000, "",
     "A query takes no more records than these from it, and says so.", "",
     [](Draft& d, OptionValue&& v) { remote(d).max_rows = v.number; }},
    {"remotes[].range", duration, "30d", kSecond, 3650 * kDay, "",
     "How far back a query without SINCE looks.", "",
     [](Draft& d, OptionValue&& v) { remote(d).range_s = v.number / kSecond; }},

    {"upstream", maps, "", 0, 0, "",
     "Engines that are told about the SLOs of this node, also about what happened while they could "
     "not be reached.",
     "", nullptr},
    {"upstream[].name", text, "", 0, 0, "", "Name, unique among them. Required.", "central",
     [](Draft& d, OptionValue&& v) { upstream(d).name = std::move(v.text); }},
    {"upstream[].kind", choice, "remote_write", 0, 0,
     "remote_write=prometheus=victoriametrics=mimir=thanos otlp=opentelemetry alertmanager nats mqtt",
     "How it is told: remote_write sends the SLOs as series of Prometheus, otlp as metrics of "
     "OpenTelemetry (OTLP/HTTP, JSON); alertmanager is told the alerts, every replica of its cluster "
     "again and again; nats gets all that peers tell each other into a stream of JetStream, from "
     "which anybody has the view of the whole fleet; mqtt the status of each SLO as a retained "
     "message, and the alerts.",
     "",
     [](Draft& d, OptionValue&& v) {
       using Kind = UpstreamConfig::Kind;
       upstream(d).kind = v.text == "otlp"           ? Kind::otlp
                          : v.text == "alertmanager" ? Kind::alertmanager
                          : v.text == "nats"         ? Kind::nats
                          : v.text == "mqtt"         ? Kind::mqtt
                                                     : Kind::remote_write;
     }},
    {"upstream[].url", text, "", 0, 0, "",
     "http:// or https:// address that takes it, with its path; nats:// or tls://; mqtt:// or "
     "mqtts://. Required, except of alertmanager.",
     "https://prometheus.example.org/api/v1/write",
     [](Draft& d, OptionValue&& v) { upstream(d).url = std::move(v.text); }},
    {"upstream[].urls", texts, "", 0, 0, "",
     "alertmanager: the addresses of all replicas (no load balancer in front).",
     "[\"https://am-1.example.org:9093\", \"https://am-2.example.org:9093\"]",
     [](Draft& d, OptionValue&& v) { upstream(d).urls = std::move(v.texts); }},
    {"upstream[].token_file", text, "", 0, 0, "",
     "File with the bearer token to send, read for each request. Or user and password_file.",
     "/etc/nines/central.token",
     [](Draft& d, OptionValue&& v) { upstream(d).token_file = std::move(v.text); }},
    {"upstream[].user", text, "", 0, 0, "", "User to log in as.", "edge",
     [](Draft& d, OptionValue&& v) { upstream(d).user = std::move(v.text); }},
    {"upstream[].password_file", text, "", 0, 0, "", "File with the user's password.",
     "/etc/nines/central.password",
     [](Draft& d, OptionValue&& v) { upstream(d).password_file = std::move(v.text); }},
    {"upstream[].ca_file", text, "", 0, 0, "",
     "PEM file with the authority that signed its certificate. Default: those of the system.",
     "/etc/nines/central-ca.pem",
     [](Draft& d, OptionValue&& v) { upstream(d).ca_file = std::move(v.text); }},
    {"upstream[].cert_file", text, "", 0, 0, "",
     "PEM file with our own certificate, where the receiver asks for one (mutual TLS).",
     "/etc/nines/node.pem",
     [](Draft& d, OptionValue&& v) { upstream(d).cert_file = std::move(v.text); }},
    {"upstream[].key_file", text, "", 0, 0, "", "PEM file with the key of cert_file.",
     "/etc/nines/node.key",
     [](Draft& d, OptionValue&& v) { upstream(d).key_file = std::move(v.text); }},
    {"upstream[].tenant", text, "", 0, 0, "",
     "Tenant, sent as X-Scope-OrgID (Mimir, Cortex, Thanos).", "edge",
     [](Draft& d, OptionValue&& v) { upstream(d).tenant = std::move(v.text); }},
    {"upstream[].labels", texts, "", 0, 0, "",
     "Labels of every series or alert, NAME=VALUE, beside those that Nines gives.",
     "[cluster=shop-7]",
     [](Draft& d, OptionValue&& v) { d.upstream_labels = std::move(v.texts); }},
    {"upstream[].every", duration, "1m", 10 * kSecond, 5 * kMinute, "",
     "From sample to sample, a multiple of 10s. What is told more than 110 minutes later is a minute apart, "
     "after 3 days 5 minutes.",
     "", [](Draft& d, OptionValue&& v) { upstream(d).every_s = v.number / kSecond; }},
    {"upstream[].timeout", duration, "10s", 100, 5 * kMinute, "", "Of one request.", "",
     [](Draft& d, OptionValue&& v) { upstream(d).timeout_ms = v.number; }},
    {"upstream[].max_age", duration, "31d", kHour, 92 * kDay, "",
     "What could not be told for this long is given up, and that is said.", "",
     [](Draft& d, OptionValue&& v) { upstream(d).max_age_s = v.number / kSecond; }},
    {"upstream[].resend", duration, "1m", kSecond, 10 * kMinute, "",
     "alertmanager: how often active alerts are sent again; one that is not ends after four times "
     "this.",
     "", [](Draft& d, OptionValue&& v) { upstream(d).resend_ms = v.number; }},
    {"upstream[].node_label", flag, "false", 0, 0, "",
     "alertmanager: whether the node is a label, so that each node makes an alert of its own; "
     "else it is an annotation, and two nodes make one alert.",
     "", [](Draft& d, OptionValue&& v) { upstream(d).node_label = v.number != 0; }},
    {"upstream[].link", text, "", 0, 0, "", "alertmanager: generatorURL of the alerts.",
     "https://nines.example.org/",
     [](Draft& d, OptionValue&& v) { upstream(d).link = std::move(v.text); }},

    {"upstream[].cluster", text, "", 0, 0, "",
     "nats, mqtt: name of the fleet in subjects and topics. Default: that of peers.", "shop",
     [](Draft& d, OptionValue&& v) { upstream(d).cluster = std::move(v.text); }},
    {"upstream[].nkey_file", text, "", 0, 0, "",
     "nats: file with the seed of an NKey (SU...), or with the credentials of a user (.creds).",
     "/etc/nines/hub.creds",
     [](Draft& d, OptionValue&& v) { upstream(d).nkey_file = std::move(v.text); }},
    {"upstream[].domain", text, "", 0, 0, "", "nats: domain of JetStream, behind a leaf node.",
     "hub", [](Draft& d, OptionValue&& v) { upstream(d).domain = std::move(v.text); }},
    {"upstream[].replicas", integer, "1", 1, 5, "",
     "nats: copies of the streams, where Nines makes them.", "",
     [](Draft& d, OptionValue&& v) { upstream(d).replicas = v.number; }},
    {"upstream[].fleet", flag, "false", 0, 0, "",
     "nats: this agent shows the whole fleet as the stream has it (nines fleet, /api/fleet).", "",
     [](Draft& d, OptionValue&& v) { upstream(d).fleet = v.number != 0; }},
    {"upstream[].queries", choice, "none", 0, 0, "none ask answer both",
     "nats: queries over all nodes (AT NODES, nines query --nodes) go over it, too: this node asks "
     "others, answers them, or both. Whom the broker lets publish to nines.CLUSTER.query.NODE, may "
     "read the logs of that node's sources.",
     "both",
     [](Draft& d, OptionValue&& v) {
       upstream(d).asks = v.text == "ask" || v.text == "both";
       upstream(d).answers = v.text == "answer" || v.text == "both";
     }},
    {"upstream[].fleet_nodes", integer, "4096", 1, 100'000, "",
     "nats: nodes of that view at most.", "",
     [](Draft& d, OptionValue&& v) { upstream(d).fleet_nodes = v.number; }},
    {"upstream[].fleet_memory", size, "256MiB", 1 * kMiB, 16 * kGiB, "",
     "nats: memory of that view at most; beyond it the oldest days go.", "",
     [](Draft& d, OptionValue&& v) { upstream(d).fleet_bytes = v.number; }},

    {"queries", maps, "", 0, 0, "",
     "Standing queries: what was logged since a query ran last, told to notifiers when it is not "
     "nothing.",
     "", nullptr},
    {"queries[].name", text, "", 0, 0, "",
     "Name, unique among the queries: nines query @NAME asks it. Required.", "login-failures",
     [](Draft& d, OptionValue&& v) { query(d).name = std::move(v.text); }},
    {"queries[].sql", text, "", 0, 0, "",
     "One SELECT over logs('SOURCE') or files('GLOB'), or @NAME of a saved one (queries/NAME.sql "
     "beside this file, else in /etc/nines/queries). Required.",
     "\"SELECT remote_addr, count(*) AS n FROM logs('nginx') WHERE status = 401 GROUP BY "
     "remote_addr HAVING n >= 20\"",
     [](Draft& d, OptionValue&& v) { query(d).sql = std::move(v.text); }},
    {"queries[].every", duration, "1m", kSecond, kDay, "", "How often it runs.", "",
     [](Draft& d, OptionValue&& v) { query(d).every_s = v.number / kSecond; }},
    {"queries[].notify", texts, "", 0, 0, "", "Webhooks, notifiers and chains that are told its rows. Default: all.",
     "[on-call]", [](Draft& d, OptionValue&& v) { query(d).notify = std::move(v.texts); }},
    {"queries[].severity", choice, "ticket", 0, 0, "page ticket", "What its messages say of it.",
     "", [](Draft& d, OptionValue&& v) { query(d).severity = std::move(v.text); }},
    {"queries[].limit", integer, "100", 1, 1000, "",
     "Rows of one message; how many more there were is told.", "",
     [](Draft& d, OptionValue&& v) { query(d).limit = v.number; }},
    {"queries[].start", choice, "end", 0, 0, "end beginning",
     "Where to start in files that were there before the query was.", "",
     [](Draft& d, OptionValue&& v) { query(d).from_end = v.text == "end"; }},

    {"peers", map, "", 0, 0, "",
     "Other nodes of the fleet: each tells the others its counts and alerts, so that any of them "
     "shows the whole (nines fleet), and one of them pages when a node falls silent.",
     "", nullptr},
    {"peers.cluster", text, "nines", 0, 0, "", "Name of the fleet; nodes of others are refused.",
     "", [](Draft& d, OptionValue&& v) { d.node.peers.cluster = std::move(v.text); }},
    {"peers.listen", text, "", 0, 0, "",
     "Address that other nodes connect to. Default: none, this node connects to them.",
     "0.0.0.0:9991", [](Draft& d, OptionValue&& v) { d.node.peers.listen = std::move(v.text); }},
    {"peers.nodes", texts, "", 0, 0, "",
     "HOST:PORT of other nodes; a name stands for all its addresses and is looked up again and "
     "again (a headless service).",
     "[pi-2:9991, pi-3:9991]",
     [](Draft& d, OptionValue&& v) { d.node.peers.nodes = std::move(v.texts); }},
    {"peers.mdns", flag, "false", 0, 0, "",
     "Other nodes on the same link are found by multicast DNS, and find this one.", "true",
     [](Draft& d, OptionValue&& v) { d.node.peers.mdns = v.number != 0; }},
    {"peers.ca_file", text, "", 0, 0, "",
     "PEM file of the authority whose certificates nodes must have (nines pki init makes one). "
     "Without certificates peers are spoken to on loopback only.",
     "/etc/nines/pki/ca.pem",
     [](Draft& d, OptionValue&& v) { d.node.peers.ca_file = std::move(v.text); }},
    {"peers.cert_file", text, "", 0, 0, "",
     "PEM file of this node's certificate (nines pki issue); a new one is taken without a restart.",
     "/etc/nines/pki/node.pem",
     [](Draft& d, OptionValue&& v) { d.node.peers.cert_file = std::move(v.text); }},
    {"peers.key_file", text, "", 0, 0, "", "PEM file of its key.", "/etc/nines/pki/node.key",
     [](Draft& d, OptionValue&& v) { d.node.peers.key_file = std::move(v.text); }},
    {"peers.deny", texts, "", 0, 0, "",
     "Names of nodes that are shut out although their certificates are good: a stolen key, a lost "
     "laptop. They are not spoken to, nothing of them is taken, and they are not missed.",
     "[laptop-7]", [](Draft& d, OptionValue&& v) { d.node.peers.deny = std::move(v.texts); }},

    {"listen", text, "127.0.0.1:9990", 0, 0, "",
     "Address of the dashboard, API and /metrics. Not encrypted: keep it on loopback.", "",
     [](Draft& d, OptionValue&& v) { d.node.listen = std::move(v.text); }},
    {"evaluate", duration, "10s", kSecond, 5 * kMinute, "",
     "How often budgets, burn rates and alerts are evaluated.", "",
     [](Draft& d, OptionValue&& v) { d.node.evaluate_s = v.number / kSecond; }},
    {"flush", duration, "60s", kSecond, kHour, "",
     "How often counts and file positions are saved; alerts are saved at once. Nothing is lost "
     "in between: lines are read again from the saved position.",
     "", [](Draft& d, OptionValue&& v) { d.node.flush_s = v.number / kSecond; }},

    {"api", map, "", 0, 0, "", "Who may write through the API (annotations, overrides).", "",
     nullptr},
    {"api.token_file", text, "", 0, 0, "",
     "File with the bearer token that writes need, read at start. Default: a random one in the "
     "state directory (api.token, 0600), where the command line finds it.",
     "/etc/nines/api.token",
     [](Draft& d, OptionValue&& v) { d.node.api_token_file = std::move(v.text); }},
    {"api.public_url", text, "", 0, 0, "",
     "http:// or https:// address at which people reach `listen` from outside, such as that of a "
     "reverse proxy. With it pages carry a link that acknowledges the incident, or approves one "
     "action, without the token.",
     "https://nines.example.org",
     [](Draft& d, OptionValue&& v) { d.node.public_url = std::move(v.text); }},
    {"api.link_ttl", duration, "12h", kMinute, 7 * kDay, "",
     "For which such a link works; each works once.", "",
     [](Draft& d, OptionValue&& v) { d.node.link_ttl_ms = v.number; }},

    {"http", map, "", 0, 0, "", "Who may ask the API, and how often.", "", nullptr},
    {"http.cors_origins", texts, "", 0, 0, "",
     "Origins of other sites whose pages may read the API in a browser, such as a Grafana; \"*\": "
     "all. Default: none.",
     "[https://grafana.example.org]",
     [](Draft& d, OptionValue&& v) { d.node.cors_origins = std::move(v.texts); }},
    {"http.rate_limit", integer, "100", 0, 1'000'000, "",
     "Requests a second that one address may send; four times as many at once. Beyond: 429. 0: no "
     "limit.",
     "", [](Draft& d, OptionValue&& v) { d.node.http_rate_limit = v.number; }},

    {"kubernetes", map, "", 0, 0, "",
     "What Kubernetes knows of this node's pods: labels, owner, status, events.", "", nullptr},
    {"kubernetes.api", text, "auto", 0, 0, "",
     "URL of the API; auto: the one of the cluster that Nines runs in, if any; off: none.", "",
     [](Draft& d, OptionValue&& v) { d.node.kubernetes.api = std::move(v.text); }},
    {"kubernetes.events", choice, "auto", 0, 0, "auto off",
     "Events of Kubernetes about this node and its pods, as evidence of incidents; auto: followed "
     "where pods are.",
     "", [](Draft& d, OptionValue&& v) { d.node.kubernetes.events = v.text != "off"; }},
    {"kubernetes.token_file", text, "", 0, 0, "",
     "File with the bearer token, read again before every request; auto: the service account's.",
     "/var/run/secrets/kubernetes.io/serviceaccount/token",
     [](Draft& d, OptionValue&& v) { d.node.kubernetes.token_file = std::move(v.text); }},
    {"kubernetes.ca_file", text, "", 0, 0, "",
     "PEM file with the authority that signed the API's certificate.",
     "/var/run/secrets/kubernetes.io/serviceaccount/ca.crt",
     [](Draft& d, OptionValue&& v) { d.node.kubernetes.ca_file = std::move(v.text); }},
    {"kubernetes.node", text, "", 0, 0, "",
     "What Kubernetes calls this node; by default $NODE_NAME, then the name above.", "worker-1",
     [](Draft& d, OptionValue&& v) { d.node.kubernetes.node = std::move(v.text); }},

    {"limits", map, "", 0, 0, "", "Bounds on what Nines uses.", "", nullptr},
    {"limits.files", integer, "16384", 1, 65536, "", "Files followed at a time.", "",
     [](Draft& d, OptionValue&& v) { d.node.max_files = v.number; }},
    {"limits.slos", integer, "64", 1, 1024, "", "SLOs (about 300 KiB of memory each).", "",
     [](Draft& d, OptionValue&& v) { d.node.max_slos = v.number; }},
    {"limits.cpu", integer, "50", 1, 100, "",
     "Percent of one core that reading logs may use over any stretch of time.", "",
     [](Draft& d, OptionValue&& v) { d.node.cpu_percent = v.number; }},
    {"limits.cpu_pressure", integer, "60", 0, 100, "",
     "Reading slows to a trickle while tasks of this node wait for a CPU for this share of the "
     "time (PSI, percent); 0: never.",
     "", [](Draft& d, OptionValue&& v) { d.node.cpu_pressure_percent = v.number; }},
    {"limits.memory_pressure", integer, "10", 0, 100, "", "The same for memory.", "",
     [](Draft& d, OptionValue&& v) { d.node.memory_pressure_percent = v.number; }},
    {"limits.io_pressure", integer, "30", 0, 100, "", "The same for disks.", "",
     [](Draft& d, OptionValue&& v) { d.node.io_pressure_percent = v.number; }},
    {"limits.line_bytes", size, "256KiB", 1 * kKiB, 16 * kMiB, "",
     "Longer lines are cut and counted.", "",
     [](Draft& d, OptionValue&& v) { d.node.max_line_bytes = v.number; }},
    {"limits.store_bytes", size, "256MiB", 16 * kMiB, 64 * kGiB, "",
     "Size of the state file on disk.", "",
     [](Draft& d, OptionValue&& v) { d.node.store_max_bytes = v.number; }},

    {"index", map, "", 0, 0, "",
     "Notes which block of a log holds what, so that queries for a request id need not read it "
     "all.",
     "", nullptr},
    {"index.enabled", flag, "true", 0, 0, "", "Whether logs are indexed while they are read.", "",
     [](Draft& d, OptionValue&& v) { d.node.index = v.number != 0; }},
    {"index.max_bytes", size, "64MiB", 1 * kMiB, 64 * kGiB, "",
     "Size of the index on disk; about 1 percent of the logs it is of. The oldest goes first.", "",
     [](Draft& d, OptionValue&& v) { d.node.index_max_bytes = v.number; }},
    {"index.daily_bytes", size, "7MiB", 0, 64 * kGiB, "",
     "What the index may write in 24 hours, for the sake of SD cards; 0: no limit. When it is used "
     "up, indexing pauses.",
     "", [](Draft& d, OptionValue&& v) { d.node.index_daily_bytes = v.number; }},

    {"incidents", map, "", 0, 0, "",
     "What broke, and who is suspected: learned from every line that is read.", "", nullptr},
    {"incidents.enabled", flag, "true", 0, 0, "",
     "Whether lines are learned from and incidents are kept. Without it SLOs and alerts stay as "
     "they are.",
     "", [](Draft& d, OptionValue&& v) { d.node.incidents.enabled = v.number != 0; }},
    {"incidents.sources", texts, "", 0, 0, "",
     "Sources (by name) that are read for causes although no SLO counts them.", "[all-pods]",
     [](Draft& d, OptionValue&& v) { d.node.incidents.sources = std::move(v.texts); }},
    {"incidents.trail_bytes", size, "3MiB", 256 * kKiB, 1 * kGiB, "",
     "Memory for which lines the requests of the last hours passed, 24 bytes a line: the past that "
     "an incident is compared with.",
     "", [](Draft& d, OptionValue&& v) { d.node.incidents.trail_bytes = v.number; }},

    {"incidents.notify", choice, "conditions", 0, 0, "conditions all none",
     "Which incidents notifiers are told: conditions: those that no alert of an SLO has told "
     "already (a storm of errors, a service that is silent, a full disk...); all; none. P0 and P1 "
     "are told as a page, P2 and P3 as a ticket.",
     "", [](Draft& d, OptionValue&& v) { d.node.incidents.notify = std::move(v.text); }},
    {"incidents.acknowledge_within", map, "", 0, 0, "",
     "Within which time somebody has to acknowledge an incident; then it is told again, one level "
     "up. 0s: it never is.",
     "", nullptr},
    {"incidents.acknowledge_within.P0", duration, "5m", 0, 30 * kDay, "", "Service down.", "",
     [](Draft& d, OptionValue&& v) { d.node.incidents.acknowledge_ms[0] = v.number; }},
    {"incidents.acknowledge_within.P1", duration, "15m", 0, 30 * kDay, "", "Badly impaired.", "",
     [](Draft& d, OptionValue&& v) { d.node.incidents.acknowledge_ms[1] = v.number; }},
    {"incidents.acknowledge_within.P2", duration, "1h", 0, 30 * kDay, "", "Slightly impaired.", "",
     [](Draft& d, OptionValue&& v) { d.node.incidents.acknowledge_ms[2] = v.number; }},
    {"incidents.acknowledge_within.P3", duration, "0s", 0, 30 * kDay, "", "It may become worse.", "",
     [](Draft& d, OptionValue&& v) { d.node.incidents.acknowledge_ms[3] = v.number; }},
    {"incidents.escalate_to", texts, "", 0, 0, "",
     "Notifiers, webhooks or chains: the first is told when nobody has acknowledged in time, the "
     "next when nobody has after that... Default: the second step of each chain, then the third; "
     "where there are no chains, everybody once more.",
     "[pager]",
     [](Draft& d, OptionValue&& v) { d.node.incidents.escalate_to = std::move(v.texts); }},
    {"incidents.runbook", text, "", 0, 0, "",
     "Link to what is to be done, told with an incident; {service}, {kind} (such as error_storm) "
     "and {severity} are filled in.",
     "https://wiki.example.org/runbooks/{kind}",
     [](Draft& d, OptionValue&& v) { d.node.incidents.runbook = std::move(v.text); }},
    {"incidents.show_lines", flag, "true", 0, 0, "",
     "Whether what notifiers are told quotes logs, redacted. false: no error lines, nothing of what "
     "sentences about suspects quote, no lines of the reviews of past incidents. The incident "
     "itself, its API, timeline and review keep them, on the nodes; what standing queries select is "
     "told as ever.",
     "", [](Draft& d, OptionValue&& v) { d.node.incidents.show_lines = v.number != 0; }},

    {"oncall", map, "", 0, 0, "", "Who is on call, and whom a page goes to: nines oncall.", "",
     nullptr},
    {"oncall.file", text, "", 0, 0, "",
     "Document of people, schedules and policies (packaging/examples/oncall.yaml), beside this "
     "file.",
     "oncall.yaml", [](Draft& d, OptionValue&& v) { d.node.oncall.file = std::move(v.text); }},
    {"oncall.history", text, "", 0, 0, "",
     "Pages of the past, one JSON object a line: what fatigue, fairness and skill are reckoned "
     "from. Default: oncall-pages.ndjson in the state directory.",
     "/var/lib/nines/oncall-pages.ndjson",
     [](Draft& d, OptionValue&& v) { d.node.oncall.history = std::move(v.text); }},

    {"kb", map, "", 0, 0, "",
     "Runbooks and postmortems: what fits best goes with every page, nines kb searches them.", "",
     nullptr},
    {"kb.directory", text, "", 0, 0, "",
     "Folder of Markdown runbooks: new and changed files (*.md, also in sub-folders) are taken in, "
     "what is gone is forgotten. Without a slash at its beginning: beside this file.",
     "/etc/nines/runbooks",
     [](Draft& d, OptionValue&& v) { d.node.knowledge.directory = std::move(v.text); }},
    {"kb.reviews", integer, "512", 0, 2048, "",
     "Postmortems of incidents that are over, which are taken in by themselves; the oldest give way. "
     "0: none.",
     "", [](Draft& d, OptionValue&& v) { d.node.knowledge.reviews = v.number; }},

    {"narrative", map, "", 0, 0, "",
     "A language model that puts the story of the node (GET /api/narrative) into other words. What "
     "it writes is shown only if it has no number, service or incident that the facts do not have; "
     "else, and while it does not answer, the plain sentences are.",
     "", nullptr},
    {"narrative.url", text, "", 0, 0, "",
     "http:// or https:// address of an OpenAI-compatible API, up to its version.",
     "http://127.0.0.1:8080/v1",
     [](Draft& d, OptionValue&& v) { d.node.narrative.url = std::move(v.text); }},
    {"narrative.model", text, "", 0, 0, "", "Which of its models.", "small",
     [](Draft& d, OptionValue&& v) { d.node.narrative.model = std::move(v.text); }},
    {"narrative.token_file", text, "", 0, 0, "",
     "File with the token or API key to send, read for each request.", "/etc/nines/model.token",
     [](Draft& d, OptionValue&& v) { d.node.narrative.token_file = std::move(v.text); }},
    {"narrative.timeout", duration, "10s", 100, 5 * kMinute, "",
     "After this long the plain sentences are shown.", "",
     [](Draft& d, OptionValue&& v) { d.node.narrative.timeout_ms = v.number; }},

    {"log_level", choice, "info", 0, 0, "debug info warn error",
     "What Nines writes about itself to stderr.", "",
     [](Draft& d, OptionValue&& v) { d.node.log_level = std::move(v.text); }},
};

}  // namespace

std::span<const Option> option_table() {
  static const std::vector<Option> kAll = [] {
    std::vector<Option> all(std::begin(kOptions), std::end(kOptions));
    const auto more = remediation_options();
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }();
  return kAll;
}

}  // namespace nines::agent::config
