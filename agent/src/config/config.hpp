// Node configuration (nines.yaml) and SLO documents (OpenSLO v1, nines/v1alpha1 SLOPolicy): read,
// checked as a whole, every problem told with file:line:column and a way out.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "config/notifier_config.hpp"
#include "k8s/settings.hpp"
#include "nines/base/result.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent {

struct Diagnostic {
  enum class Severity : uint8_t { warning, error };
  Severity severity = Severity::error;
  std::string file;
  int line = 0, column = 0;  // 1-based; 0: whole file
  std::string message, hint;
};
// "slos/api.yaml:12:17: error: target 1.5 is impossible ...\n  hint: ..."
std::string to_string(const Diagnostic&);

struct SourceConfig {
  std::string name, service;
  slo::SourceSelector selector;
  int64_t gauge_limit = 0;          // 0: none; above it for a minute is a condition
  std::string gauge{}, gauge_of{};  // fields: a number that is watched, and whose it is
  std::string user{};               // field: who a record's user is; empty: nobody says
};
struct WebhookConfig {
  std::string name, url;     // http:// or https://
  std::string bearer_token;  // or from token_file
  int64_t timeout_ms = 5000;
};
// Another system that keeps logs and can be asked for them: FROM remote('NAME').
struct RemoteConfig {
  enum class Kind : uint8_t { elasticsearch, loki, graylog, splunk };
  std::string name, url;  // http:// or https://, a path before the API's own if there is one
  Kind kind = Kind::elasticsearch;
  std::string token_file, user, password_file;  // read for each query
  std::string ca_file;                          // PEM; empty: the system's authorities
  std::string index;                            // index pattern; Loki: tenant; Graylog: stream
  std::string query;            // in the words of the system, for remote('NAME') without a query
  int64_t timeout_ms = 30'000;  // of one request
  int64_t max_rows = 1'000'000;
  int64_t range_s = int64_t{30} * 86'400;  // how far back without SINCE
};

// An engine that is told about the SLOs of this node.
struct UpstreamConfig {
  enum class Kind : uint8_t { remote_write, otlp, alertmanager, nats, mqtt };
  std::string name, url;          // http:// or https://, with the path that takes what is told;
                                  // nats://, tls://; mqtt://, mqtts://
  std::vector<std::string> urls;  // alertmanager: of every replica, without a path of theirs
  Kind kind = Kind::remote_write;
  std::string token_file, user, password_file;  // read for each request
  std::string ca_file, cert_file, key_file;     // PEM; empty: the system's authorities, no own
  std::string tenant;                           // X-Scope-OrgID of Mimir, Cortex and Thanos
  std::vector<std::pair<std::string, std::string>> labels;  // of every series, beside `node`
  int64_t every_s = 60;  // from sample to sample; a multiple of 10
  int64_t timeout_ms = 10'000;
  int64_t max_age_s = int64_t{31} * 86'400;  // what is older is not told any more
  int64_t resend_ms = 60'000;                // alertmanager
  bool node_label = false;                   // alertmanager: an alert of each node, not one for all
  std::string link;                          // alertmanager: generatorURL
  std::string cluster;                       // nats, mqtt: in subjects, topics; empty: of peers
  std::string nkey_file, domain;             // nats: seed or credentials; of JetStream
  int64_t replicas = 1;                      // nats: of streams that it makes
  bool fleet = false;                        // nats: the fleet is shown as the stream has it
  bool asks = false, answers = false;        // nats: queries, of other nodes and by them
  int64_t fleet_nodes = 4096, fleet_bytes = 256 * 1024 * 1024;  // at most
  bool is_broker() const { return kind == Kind::nats || kind == Kind::mqtt; }
};

// A query that looks, again and again, at what was logged since it looked last.
struct StandingQueryConfig {
  std::string name, sql;  // sql: the statement, also where a saved one is named
  int64_t every_s = 60;
  std::vector<std::string> notify;  // webhooks; empty: all
  std::string severity = "ticket";
  int64_t limit = 100;   // rows of one message
  bool from_end = true;  // of files that were there before it: only what is appended
};

// The other nodes that this one shares its counts and alerts with.
struct PeersConfig {
  std::string cluster = "nines";             // peers of another one are refused
  std::string listen;                        // HOST:PORT; empty: only connects
  std::vector<std::string> nodes;            // HOST:PORT; a name stands for all its addresses
  bool mdns = false;                         // others on the same link are found by multicast DNS
  std::string ca_file, cert_file, key_file;  // PEM; all or, on loopback, none
  std::vector<std::string> deny;             // nodes that are shut out by name
  bool used() const { return !listen.empty() || !nodes.empty() || mdns; }
};

// What finds incidents and their causes.
struct IncidentsConfig {
  bool enabled = true;
  bool show_lines = true;                 // what notifiers are told quotes logs
  std::vector<std::string> sources;       // watched beside those that SLOs count
  int64_t trail_bytes = 3 * 1024 * 1024;  // of the requests of the last hours
  // Which of them notifiers are told: those that no alert told, all, or none.
  std::string notify = "conditions";
  int64_t acknowledge_ms[4] = {300'000, 900'000, 3'600'000, 0};  // by severity; 0: no timer
  std::vector<std::string> escalate_to;  // names; empty: the next steps of the chains
  std::string runbook;                   // URL with {service}, {kind}, {severity}
};

// A language model that may put the narrative into other words.
struct NarrativeConfig {
  std::string url;  // of an OpenAI-compatible API, up to /v1; empty: none
  std::string model, token_file;
  int64_t timeout_ms = 10'000;
};

// Runbooks and postmortems: `nines kb`.
struct KnowledgeConfig {
  std::string directory;  // of Markdown runbooks, kept in step with; empty: none
  int64_t reviews = 512;  // of incidents, at most; 0: none is kept
};

// Who is on call: read by config/oncall.hpp.
struct OncallConfig {
  std::string file;     // of people, schedules and policies; empty: there is no on-call
  std::string history;  // past pages; empty: oncall-pages.ndjson in the state directory
};

// What may be done about incidents, and how often at most.
struct RemediationConfig {
  bool enabled = false;
  std::vector<std::string> verbs;  // as `nines remedy` names them
  std::vector<std::string> units;  // systemd units that may be started, stopped, restarted
  std::string systemctl = "/usr/bin/systemctl";
  std::string lease_namespace = "default";    // of the Lease for what nodes share
  std::string stop_file = "/etc/nines/STOP";  // while it is there nothing is done
  int64_t post_check_ms = 600'000, cool_down_ms = 900'000, approval_ms = 900'000;
  int64_t node_per_hour = 2, rule_per_hour = 2, namespace_per_hour = 3;
  int64_t shadow_hits = 5;
  int64_t open_drafts = 8;
};

struct NodeConfig {
  std::string file;  // where it came from; empty: defaults
  std::string node;  // default: host name
  std::vector<SourceConfig> sources;
  std::vector<std::string> slo_paths;  // files, folders; default: slos/ beside nines.yaml
  std::vector<WebhookConfig> webhooks;
  std::vector<NotifierConfig> notifiers;
  std::vector<ChainConfig> chains;
  std::vector<RemoteConfig> remotes;
  std::vector<UpstreamConfig> upstream;
  PeersConfig peers;
  std::vector<StandingQueryConfig> queries;
  IncidentsConfig incidents;
  NarrativeConfig narrative;
  OncallConfig oncall;
  KnowledgeConfig knowledge;
  RemediationConfig remediation;
  std::string listen = "127.0.0.1:9990";
  int64_t evaluate_s = 10;
  int64_t flush_s = 60;
  int64_t max_files = 16384;
  int64_t max_slos = 64;
  int64_t cpu_percent = 50;  // of one core, for reading
  int64_t cpu_pressure_percent = 60, memory_pressure_percent = 10, io_pressure_percent = 30;
  int64_t max_line_bytes = 256 * 1024;
  int64_t store_max_bytes = 256 * 1024 * 1024;
  bool index = true;  // of blocks of logs, for queries
  int64_t index_max_bytes = 64 * 1024 * 1024, index_daily_bytes = 7 * 1024 * 1024;
  std::string log_level = "info";
  k8s::Settings kubernetes;
  std::string api_token_file;  // empty: api.token in the state directory
  // Where people reach the API, for links in pages, without a slash at its end; empty: no links.
  std::string public_url;
  int64_t link_ttl_ms = 12 * 3'600'000;  // for which a link works
  std::vector<std::string> cors_origins;
  int64_t http_rate_limit = 100;  // requests of one address in a second; 0: no limit
  bool has_sources() const { return !sources.empty(); }
};

struct Loaded {
  NodeConfig node;
  std::vector<slo::SloSpec> slos;
  std::vector<Diagnostic> diagnostics;
  bool ok() const;  // no error among them
};

// config_file empty: /etc/nines/nines.yaml, then ./nines.yaml, then defaults.
// slo_paths: files or folders of documents (--slo) beside the configured ones.
Loaded load_config(const std::string& config_file, std::span<const std::string> slo_paths);

// Places in the engine that all of them may need, rows of groups included.
int64_t places_of(std::span<const slo::SloSpec> slos);

// OpenSLO v1 documents that load back to the same specs (nines suggest, export).
std::string to_openslo_yaml(std::span<const slo::SloSpec> slos);

}  // namespace nines::agent
