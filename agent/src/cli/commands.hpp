// The commands of `nines` (DESIGN 4.1). Each takes its parsed options and gives the exit code:
// 0 yes/ok, 1 the answer is no, 2 bad usage or configuration, 3 unavailable or partial.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "nines/base/time.hpp"
#include "query/format.hpp"

namespace nines::agent {

inline constexpr int kExitOk = 0, kExitNo = 1, kExitUsage = 2, kExitUnavailable = 3;
inline constexpr const char* kVersion = "0.1.0";
inline constexpr const char* kDefaultState = "/var/lib/nines";

enum class Output : uint8_t { table, json, ndjson, csv };

// What every command has.
struct CommonOptions {
  std::string config;
  std::string state;  // empty: default or none, as the command says
  Output output = Output::table;
  std::vector<std::string> slo_paths;
  std::string log_root = "/var/log";  // where zero configuration looks
};

struct AgentOptions {
  CommonOptions common;
  bool once = false, log_clock = false;
  std::string listen;         // overrides the configuration
  bool allow_remote = false;  // listen on more than loopback without TLS
  uint64_t seed = 0;          // of retry jitter; given by main
  bool backfill = false;      // new SLOs first count what the logs still hold
};
int run_agent(const AgentOptions& options, const Clock& clock);

struct TailOptions {
  std::vector<std::string> sources, exclude;
  std::string state;
  std::string format = "auto", pattern, multiline = "auto", start = "beginning";
  Output output = Output::json;
  bool raw = false, once = false, explain_format = false;
};
int run_tail(const TailOptions& options, const Clock& clock);

struct SloOptions {
  CommonOptions common;
  std::string address;             // of the agent; default from the configuration
  std::string name;                // explain, gate
  bool backtest = false;           // forecast
  std::vector<std::string> paths;  // lint, import, export, export-rules
  // import
  std::string scrape_url, source, window = "30d";
  std::vector<std::string> target_labels;
  std::vector<std::string> settings;  // template: KEY=VALUE
};
int run_slo_status(const SloOptions& options);
int run_slo_explain(const SloOptions& options);
int run_slo_lint(const SloOptions& options);
// Works on the state directory of an agent that does not run.
int run_slo_backfill(const SloOptions& options, const Clock& clock);
// Before an agent begins: a state that cannot be written is told, and keeps nobody from watching.
int backfill_first(const SloOptions& options, const Clock& clock);
// Of the running agent; with a state directory of what is kept there.
int run_slo_forecast(const SloOptions& options, const Clock& clock);
int run_capacity(const SloOptions& options);
// Print documents or rules; nothing but the files is read.
int run_slo_import(const SloOptions& options);
int run_slo_export(const SloOptions& options);
int run_slo_export_rules(const SloOptions& options);
int run_slo_template(const SloOptions& options);
// 0: releases of that SLO or service (name empty: of all) may go out; 1: they may not.
int run_gate(const SloOptions& options);

// The log of changes, overrides of gates, the report.
struct ChangeOptions {
  CommonOptions common;  // state: whose api.token is taken
  std::string address, token_file;
  std::string kind, service, slo, at, from, to, by, text;
  std::vector<std::string> details;  // KEY=VALUE
  std::string id, window;            // show, impact
  bool impact = false;
  size_t limit = 50;
  std::string ttl;  // override
  bool revoke = false;
  std::string month, days;  // report
  bool markdown = true;
};
int run_annotate(const ChangeOptions& options);
int run_changes(const ChangeOptions& options);
int run_gate_override(const ChangeOptions& options);
int run_slo_report(const ChangeOptions& options);

struct IncidentOptions {
  CommonOptions common;  // state: whose api.token is taken
  std::string address, token_file;
  std::string verb, id;  // "acknowledge"; id empty: list or declare
  std::string by, text, service, severity, role, person, item, owner, due, priority, outcome;
  std::string since, from, to;  // list, kpi
  bool all = false, force = false, action = false, overdue = false;
  size_t limit = 50;
};
int run_incident(const IncidentOptions& options);

struct RemedyOptions {
  CommonOptions common;  // state: whose api.token is taken
  std::string address, token_file;
  std::string verb;  // "list", "draft"
  std::string rule, action, signature, service, target, incident, act, by, text, file;
  bool verify = false;  // audit
  bool dry_run = false;
};
int run_remedy(const RemedyOptions& options);

struct TimelineOptions {
  CommonOptions common;  // config: names the agent's address
  std::string address;
  std::string id;  // of an incident: its own timeline
  std::string since, until, node, service, incident, kind, zone;
  std::string output = "table";  // or json, mermaid, svg
  size_t limit = 0;              // 0: as the agent has it
};
int run_timeline(const TimelineOptions& options);

// All of them read files; no agent has to run.
struct OncallOptions {
  CommonOptions common;       // state: where the history lies
  std::string verb;           // who, shifts, route, report, import
  std::string file, history;  // in place of what the configuration names
  std::string schedule, at, from, to;
  std::string service, signature, severity = "P1";  // route
  std::vector<std::string> told;                    // route: who was told already
  bool explain = false;                             // route
  std::string path, zone = "UTC";                   // import
  std::vector<std::string> people;  // import: who a name in the calendar is, NAME=PERSON
};
int run_oncall(const OncallOptions& options, const Clock& clock);

struct KbOptions {
  CommonOptions common;  // state: where knowledge.db lies
  std::string verb;      // add, search, show, remove, list
  std::vector<std::string> paths, templates;
  std::string text, service, kind;
  size_t limit = 5;
};
int run_kb(const KbOptions& options, const Clock& clock);

struct QueryOptions {
  CommonOptions common;  // state: whose api.token is taken
  std::string sql;
  std::vector<std::string> files;  // in place of logs(...)
  std::string format = "auto", pattern;
  query::Format output = query::Format::table;
  int64_t threads = 0;  // 0: one a core
  uint64_t max_bytes = 64 * 1024 * 1024;
  bool progress = true;
  bool follow = false;             // a standing query
  std::string from = "beginning";  // follow: or "end"
  std::string notify;              // follow: URL that rows are posted to
  std::string save;                // name to save the statement under
  bool list = false;               // the saved ones
  bool complete = false;           // print the fields of the files (sql is the first of them)
  bool native = true;              // false: everything that can be done by SQLite is (for tests)
  std::string address, token_file;
  std::vector<std::string> nodes;       // names or globs of nodes to ask; "all"
  bool direct = false;                  // they are asked from here, as the peers of nines.yaml
  std::vector<std::string> ssh;         // hosts to ask over ssh, without agents
  std::string ssh_command, ssh_binary;  // "ssh -F FILE"; a program to be copied there
  bool hello = false;                   // query-node: only say which version it is
  std::string greet;                    // query-node: answer only as this version, and say whether
};
// Reads files itself; asks the running agent for the logs that it knows.
int run_query(const QueryOptions& options, const Clock& clock);
int ask_agent_to_query(const QueryOptions& options);
// What `--ssh` runs on the other machine: answers one query on standard input and output.
int run_query_node(const QueryOptions& options, const Clock& clock);

struct PkiOptions {
  std::string directory = "pki";  // of the authority
  std::string cluster = "nines";  // init
  bool replace = false;           // init: an authority that is there
  std::string node, out;          // issue
  std::string role = "node";      // issue
  int64_t days = 0;               // 0: ten years, of nodes 397 days
};
int run_pki_init(const PkiOptions& options, const Clock& clock);
int run_pki_issue(const PkiOptions& options, const Clock& clock);

struct FleetOptions {
  CommonOptions common;
  std::string address;  // of the agent; default from the configuration
  bool nodes = false;   // the nodes instead of the SLOs
  std::string nats;     // URL, or name of an upstream: the fleet as a stream of NATS has it
  std::string cluster;  // there; default from the configuration
};
int run_fleet(const FleetOptions& options, const Clock& clock, uint64_t seed);

int run_suggest(const CommonOptions& options, const Clock& clock);
int run_doctor(const CommonOptions& options, const Clock& clock);

// Asks for a clean end (SIGINT, SIGTERM); async-signal-safe.
void request_stop() noexcept;
bool stop_requested() noexcept;
const std::atomic<bool>& stop_flag() noexcept;

}  // namespace nines::agent
