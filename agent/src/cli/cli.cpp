#include "cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <atomic>
#include <map>
#include <string>
#include <string_view>

#include "cli/commands.hpp"
#include "cli/oncall_command.hpp"
#include "cli/service_plan.hpp"

namespace nines::agent {
namespace {

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler sets it

const std::map<std::string, Output> kOutputs = {{"table", Output::table},
                                                {"json", Output::json},
                                                {"ndjson", Output::ndjson},
                                                {"csv", Output::csv}};

const std::map<std::string, query::Format> kQueryOutputs = {{"table", query::Format::table},
                                                            {"json", query::Format::json},
                                                            {"ndjson", query::Format::ndjson},
                                                            {"csv", query::Format::csv},
                                                            {"raw", query::Format::raw}};

void add_output(CLI::App* app, Output& output) {
  app->add_option("-o,--output", output, "table, json, ndjson or csv")
      ->transform(CLI::CheckedTransformer(kOutputs, CLI::ignore_case).description(""))
      ->option_text("FORMAT");
}

void add_config(CLI::App* app, CommonOptions& common) {
  app->add_option("--config", common.config,
                  "Configuration (default /etc/nines/nines.yaml, then ./nines.yaml, then none)")
      ->option_text("FILE");
  app->add_option("--slo", common.slo_paths,
                  "SLO documents to load beside the configured ones; repeatable")
      ->option_text("PATH");
}

void add_log_root(CLI::App* app, CommonOptions& common) {
  app->add_option("--log-root", common.log_root, "Where zero configuration looks for logs")
      ->capture_default_str()
      ->option_text("DIR");
}

// One struct for the options of all commands; only the chosen command's are used.
struct Parsed {
  AgentOptions agent;
  TailOptions tail;
  SloOptions slo;
  CommonOptions common;
  ChangeOptions change;
  QueryOptions query;
  PkiOptions pki;
  ServiceOptions service;
  FleetOptions fleet;
  IncidentOptions incident;
  OncallOptions oncall;
  KbOptions kb;
  TimelineOptions timeline;
  RemedyOptions remedy;
  std::string clock = "system";
  std::string report_format = "md";
};

void add_agent(CLI::App& root, Parsed& p) {
  auto* app = root.add_subcommand("agent", "Run the node agent in the foreground");
  add_config(app, p.agent.common);
  add_output(app, p.agent.common.output);
  add_log_root(app, p.agent.common);
  app->add_option(
         "--state", p.agent.common.state,
         "Where counts and positions are kept (default /var/lib/nines; with --once: nowhere)")
      ->option_text("DIR");
  app->add_flag("--once", p.agent.once,
                "Read every source to its present end, print the SLO status, exit");
  app->add_option("--clock", p.clock,
                  "log: time is that of the logs (replay of history; needs --once)")
      ->check(CLI::IsMember({"system", "log"}));
  app->add_flag("--backfill", p.agent.backfill,
                "SLOs that are new here first count what the logs still hold");
  app->add_option("--listen", p.agent.listen, "Address of the HTTP API (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  app->add_flag("--allow-remote", p.agent.allow_remote,
                "Listen on other than loopback addresses, without TLS");
}

void add_tail(CLI::App& root, Parsed& p) {
  auto* app =
      root.add_subcommand("tail", "Print assembled records of logs, one JSON object a line");
  app->add_option("source", p.tail.sources,
                  "Files (globs), or - (standard input), journal:[UNIT], kmsg:, vitals:, "
                  "udp://HOST:PORT, tcp://HOST:PORT, unix:///PATH, http://HOST/metrics")
      ->required();
  app->add_option("--exclude", p.tail.exclude, "Files to leave out")->option_text("GLOB");
  app->add_option("--state", p.tail.state, "Resume where the last call stopped")
      ->option_text("DIR");
  app->add_option("--format", p.tail.format,
                  "auto, or what nines.yaml knows: json, nginx, csv, ...")
      ->capture_default_str();
  app->add_option("--pattern", p.tail.pattern,
                  "Of the format: a log_format, an RE2 with named groups, ...");
  app->add_option("--multiline", p.tail.multiline,
                  "auto, none, or an RE2 that the first line of a record matches")
      ->capture_default_str();
  app->add_option("--start", p.tail.start,
                  "Where to start in files not seen before: beginning, end, or a time")
      ->capture_default_str();
  app->add_flag("--once", p.tail.once, "Stop at the present end of the files");
  app->add_flag("--raw", p.tail.raw, "Print the records as they were written");
  app->add_flag("--explain-format", p.tail.explain_format,
                "Say on stderr how each file's format was found");
  add_output(app, p.tail.output);
}

void add_query(CLI::App& root, QueryOptions& o) {
  auto* app = root.add_subcommand("query", "Ask logs where they lie, in SQL");
  app->add_option("sql", o.sql,
                  "SELECT ... FROM files('GLOB') | logs('NAME') ...; EXPLAIN [ANALYZE] shows what "
                  "runs where; @NAME runs a saved or standing one");
  app->add_option("file", o.files,
                  "Files, globs, folders or - (standard input), in place of logs(...)");
  app->add_option("--format", o.format, "Of the files: auto, json, nginx, csv, ...")
      ->capture_default_str();
  app->add_option("--pattern", o.pattern,
                  "Of the format: a log_format, an RE2 with named groups, ...");
  app->add_option("-o,--output", o.output,
                  "table, json, ndjson, csv, or raw (the lines as the log has them)")
      ->transform(CLI::CheckedTransformer(kQueryOutputs, CLI::ignore_case).description(""))
      ->option_text("FORMAT");
  app->add_option("--threads", o.threads, "Threads that read (default: one a core)")
      ->check(CLI::Range(0, 256))
      ->option_text("N");
  app->add_option("--max-memory", o.max_bytes,
                  "For groups, sessions, sorting; beyond it they are evicted, and counted")
      ->transform(CLI::AsSizeValue(false))
      ->option_text("BYTES");
  app->add_flag(
      "--follow", o.follow,
      "Show what is there, and then rows as they come (buckets of time once they are over)");
  app->add_option("--from", o.from, "With --follow, where to start in files: beginning or end")
      ->check(CLI::IsMember({"beginning", "end"}).description(""))
      ->option_text("PLACE");
  app->add_option("--notify", o.notify, "With --follow, post rows to this webhook as JSON")
      ->option_text("URL");
  app->add_option("--save", o.save, "Keep the statement, to be run as @NAME")->option_text("NAME");
  app->add_flag("--list", o.list, "List the saved statements and the standing ones");
  app->add_flag("--complete-fields", o.complete,
                "Print the fields of the given files, for shells that complete them");
  app->add_flag("!--no-progress", o.progress, "Do not show progress on the terminal");
  app->add_option("--nodes", o.nodes,
                  "Ask these nodes of the fleet as well as this one would be: all, or names and "
                  "globs")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("NAME,...");
  app->add_flag("--direct", o.direct,
                "Ask the nodes under peers: of nines.yaml from here, with its certificate and "
                "without an agent; so it is, too, when none answers");
  app->add_option("--ssh", o.ssh,
                  "Ask these hosts with your own ssh, no agent needed: the files named are theirs")
      ->delimiter(',')
      ->allow_extra_args(false)
      ->option_text("HOST,...");
  app->add_option("--ssh-command", o.ssh_command, "How ssh is called, such as 'ssh -F FILE'")
      ->option_text("COMMAND");
  app->add_option("--ssh-binary", o.ssh_binary,
                  "With --ssh, the nines that is copied to hosts that have none (default: this)")
      ->option_text("FILE");
  app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  app->add_option("--token-file", o.token_file, "The agent's API token")->option_text("FILE");
  app->add_option("--state", o.common.state, "The agent's state directory, for its API token")
      ->option_text("DIR");
  app->add_option("--config", o.common.config, "Configuration of the agent")->option_text("FILE");
  app->add_flag("--by-sqlite{false}", o.native,
                "Let SQLite do whatever it can (slower; to compare both ways)")
      ->group("");
}

// What --ssh starts on every host: it need not know the other commands, which take half a
// millisecond to declare.
int run_node_command(int argc, char** argv, const Clock& clock) {
  CLI::App root("Nines", "nines");
  QueryOptions o;
  auto* app = root.add_subcommand("query-node", "Answer a query of --ssh; started by it");
  app->add_flag("--hello", o.hello);
  app->add_option("--greet", o.greet);
  app->add_option("--config", o.common.config);
  app->add_option("--threads", o.threads)->check(CLI::Range(0, 256));
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return root.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  return run_query_node(o, clock);
}

void add_forecast(CLI::App& slo, Parsed& p) {
  auto* app = slo.add_subcommand(
      "forecast", "When error budgets will be exhausted, and how good such forecasts were");
  app->add_option("name", p.slo.name, "SLO (default: all)");
  app->add_flag("--backtest", p.slo.backtest,
                "Forecast from many points of the recorded past and compare with what happened");
  app->add_option("--agent", p.slo.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  app->add_option("--state", p.slo.common.state,
                  "Read what is kept in this state directory instead of asking an agent")
      ->option_text("DIR");
  add_config(app, p.slo.common);
  add_output(app, p.slo.common.output);
}

void add_slo_files(CLI::App* slo, Parsed& p) {
  for (const auto& [name, help] :
       {std::pair{"lint", "Check SLO documents and configuration"},
        std::pair{"export", "Print everything configured as OpenSLO v1 (and SLOPolicy) documents"},
        std::pair{"export-rules",
                  "Print Prometheus recording and alert rules under Sloth's series names"}}) {
    auto* app = slo->add_subcommand(name, help);
    app->add_option("paths", p.slo.paths, "Files or folders (default: the configured ones)");
    app->add_option("--config", p.slo.common.config, "Configuration")->option_text("FILE");
  }
  auto* import = slo->add_subcommand(
      "import", "Print OpenSLO documents made of Sloth (prometheus/v1) and Pyrra specs");
  import->add_option("files", p.slo.paths, "Their files")->required()->option_text("FILE...");
  import->add_option("--scrape", p.slo.scrape_url, "Where the metrics are exposed")
      ->option_text("URL");
  import->add_option("--source", p.slo.source, "The same, as a source of nines.yaml")
      ->option_text("NAME");
  import
      ->add_option("--target-label", p.slo.target_labels,
                   "A label that Prometheus adds to what it scrapes, beside job and instance; "
                   "repeatable")
      ->option_text("NAME");
  import->add_option("--window", p.slo.window, "Window of Sloth's SLOs (default 30d)")
      ->capture_default_str()
      ->option_text("DURATION");
}

template <class Options>
void add_agent_address(CLI::App* app, Options& o) {
  app->add_option("--config", o.common.config, "Configuration that names the agent's address")
      ->option_text("FILE");
  app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
}

template <class Options>
void add_write(CLI::App* app, Options& o) {
  add_agent_address(app, o);
  app->add_option("--token-file", o.token_file,
                  "File with the agent's API token (default: api.token of its state directory)")
      ->option_text("FILE");
  app->add_option("--state", o.common.state, "The agent's state directory (default /var/lib/nines)")
      ->option_text("DIR");
  app->add_option("--by", o.by, "Who does it (default: the user)")->option_text("NAME");
}

void add_annotate(CLI::App& root, ChangeOptions& o) {
  auto* app = root.add_subcommand("annotate", "Write a deploy, migration or note to the log");
  add_write(app, o);
  app->add_option("--kind", o.kind, "deploy, migration, manual_action or note")->required();
  app->add_option("--service", o.service, "Service it was done to");
  app->add_option("--slo", o.slo, "Only this SLO of the service");
  app->add_option("--at", o.at, "When it took effect (default now)")->option_text("RFC3339");
  app->add_option("--from", o.from, "When it begins, if it lasts")->option_text("RFC3339");
  app->add_option("--to", o.to, "When it ends")->option_text("RFC3339");
  app->add_option("--text", o.text, "What was done");
  app->add_option("--detail", o.details, "KEY=VALUE; repeatable (minutes=10 counts as toil)");
}

void add_changes(CLI::App& root, ChangeOptions& o) {
  auto* app = root.add_subcommand("changes", "The log of changes, newest first");
  add_agent_address(app, o);
  add_output(app, o.common.output);
  app->add_option("--service", o.service, "Only of this service or SLO");
  app->add_option("--kind", o.kind, "Only of this kind");
  app->add_option("--limit", o.limit, "At most so many")->capture_default_str();
  auto* show = app->add_subcommand("show", "One entry with what its release watch says");
  auto* impact = app->add_subcommand("impact", "Before and after, against untouched services");
  for (CLI::App* sub : {show, impact}) {
    add_agent_address(sub, o);
    add_output(sub, o.common.output);
    sub->add_option("id", o.id, "Number of the entry")->required();
  }
  impact->add_option("--window", o.window, "How long on each side (default 2h)");
}

void add_override(CLI::App* gate, ChangeOptions& o) {
  auto* app = gate->add_subcommand("override", "Open a gate for a time; who and why is kept");
  add_write(app, o);
  app->add_option("service", o.service, "Service or SLO")->required();
  app->add_option("--reason", o.text, "Why");
  app->add_option("--ttl", o.ttl, "For how long (default: the most that the policy allows)")
      ->option_text("DURATION");
  app->add_flag("--revoke", o.revoke, "Take the override back");
}

void add_report(CLI::App* slo, Parsed& p) {
  auto* app = slo->add_subcommand("report", "What a month was like, for people");
  add_agent_address(app, p.change);
  app->add_option("--month", p.change.month, "YYYY-MM");
  app->add_option("--days", p.change.days, "The last so many days (default 30)");
  app->add_option("-o,--output", p.report_format, "md or json")
      ->check(CLI::IsMember({"md", "json"}));
}

void add_slo(CLI::App& root, Parsed& p) {
  auto* slo = root.add_subcommand("slo", "SLO status, explanations, checks and exchange");
  slo->require_subcommand(1);
  for (const auto& [name, help] :
       {std::pair{"status", "Budgets and burn rates of the running agent"},
        std::pair{"explain", "Every number of one SLO down to the counts it came from"}}) {
    auto* app = slo->add_subcommand(name, help);
    app->add_option("--config", p.slo.common.config, "Configuration that names the agent's address")
        ->option_text("FILE");
    app->add_option("--agent", p.slo.address, "Address of the agent (default 127.0.0.1:9990)")
        ->option_text("HOST:PORT");
    if (std::string(name) == "status") add_output(app, p.slo.common.output);
    if (std::string(name) == "explain")
      app->add_option("slo", p.slo.name, "Name of the SLO")->required();
  }
  auto* fill = slo->add_subcommand(
      "backfill", "Count for new SLOs what the logs still hold (the agent must not run)");
  fill->add_option("slo", p.slo.paths, "Names (default: all that were never counted here)");
  fill->add_option("--slo", p.slo.common.slo_paths, "Documents beside the configured ones")
      ->option_text("PATH");
  fill->add_option("--config", p.slo.common.config, "Configuration")->option_text("FILE");
  fill->add_option("--state", p.slo.common.state, "State directory (default /var/lib/nines)")
      ->option_text("DIR");
  add_forecast(*slo, p);
  add_slo_files(slo, p);
  auto* ready = slo->add_subcommand("template", "Print ready SLO documents for common services");
  ready->add_option("name", p.slo.name, "Template (default: list them)");
  ready->add_option("--set", p.slo.settings, "Fill in KEY=VALUE; repeatable")
      ->option_text("KEY=VALUE");
  add_report(slo, p);
}

CLI::App* add_deed(CLI::App* incident, IncidentOptions& o, const char* name, const char* verb,
                   const char* help) {
  auto* app = incident->add_subcommand(name, help);
  add_write(app, o);
  add_output(app, o.common.output);
  app->callback([&o, verb] { o.verb = verb; });
  if (std::string_view(verb) != "declare") {
    app->add_option("id", o.id, "Incident, INC-YYYY-MMDD-NNN")->required();
  }
  return app;
}

void add_incident_deeds(CLI::App* incident, IncidentOptions& o) {
  const auto text = [&](CLI::App* app, const char* help) { app->add_option("text", o.text, help); };
  text(add_deed(incident, o, "ack", "acknowledge", "Somebody looks at it"), "A word on it");
  text(add_deed(incident, o, "mitigate", "mitigate", "Users are well again"), "What was done");
  auto* resolve = add_deed(incident, o, "resolve", "resolve", "It is over");
  text(resolve, "What it was");
  resolve->add_flag("--force", o.force, "Although a condition still holds");
  text(add_deed(incident, o, "reopen", "reopen", "It is not over"), "Why");
  text(add_deed(incident, o, "cause", "cause", "State the root cause"), "The cause");
  auto* note = add_deed(incident, o, "note", "note", "Write something down");
  text(note, "What");
  note->add_flag("--action", o.action, "It is something that was done");
  note->callback([&o] { o.verb = o.action ? "action" : "note"; });
  note->add_option("--outcome", o.outcome, "Of an action: worked, failed, no effect");
  auto* severity = add_deed(incident, o, "severity", "severity", "Say how bad it is");
  severity->add_option("severity", o.severity, "P0 to P3")->required();
  text(severity, "Why");
  auto* assign = add_deed(incident, o, "assign", "assign", "Give somebody a role");
  assign->add_option("role", o.role, "commander, resolver, communications or expert")->required();
  assign->add_option("person", o.person, "Who")->required();
  auto* item = add_deed(incident, o, "item", "item", "Add an action item");
  text(item, "What is to be done");
  item->add_option("--owner", o.owner, "Who does it");
  item->add_option("--due", o.due, "Until when")->option_text("RFC3339");
  item->add_option("--priority", o.priority, "How urgent");
  add_deed(incident, o, "done", "done", "An action item is done")
      ->add_option("item", o.item, "Its name, such as A1")
      ->required();
  auto* declare = add_deed(incident, o, "declare", "declare", "There is one that nobody found");
  text(declare, "What is wrong");
  declare->add_option("--service", o.service, "Of which service");
  declare->add_option("--severity", o.severity, "P0 to P3 (default P2)");
}

void add_timeline_options(CLI::App* app, TimelineOptions& o) {
  add_agent_address(app, o);
  app->add_option("-o,--output", o.output, "table, json, mermaid or svg")
      ->check(CLI::IsMember({"table", "text", "json", "mermaid", "svg"}).description(""))
      ->option_text("FORMAT");
  app->add_option("--since", o.since, "From then on: a time ago (24h, 30m) or a moment (RFC 3339)")
      ->option_text("TIME");
  app->add_option("--until", o.until, "Up to then, in the same way")->option_text("TIME");
  app->add_option("--node", o.node, "Only what this node recorded");
  app->add_option("--service", o.service, "Only of this service");
  app->add_option("--kind", o.kind, "Only of these kinds: alert,page,ack...")
      ->option_text("KIND,...");
  app->add_option("--zone", o.zone, "Time zone of the times (default UTC)")
      ->option_text("Europe/Berlin");
  app->add_option("--limit", o.limit, "At most so many, the first of them");
}

void add_timeline(CLI::App& root, TimelineOptions& o) {
  auto* app = root.add_subcommand(
      "timeline", "What happened on all nodes, in what order as far as their clocks tell");
  add_timeline_options(app, o);
  app->add_option("--incident", o.incident, "Only what concerns this incident")->option_text("ID");
}

void add_incident(CLI::App& root, IncidentOptions& o, TimelineOptions& timeline) {
  auto* incident = root.add_subcommand("incident", "What broke, who is suspected, what is done");
  incident->require_subcommand(1);
  auto* list = incident->add_subcommand("list", "Those that are open");
  auto* show = incident->add_subcommand("show", "One in full: suspects, impact, history");
  auto* review = incident->add_subcommand("postmortem", "Its review in seven sections");
  auto* story = incident->add_subcommand("narrative", "What is happening, in plain sentences");
  auto* message = incident->add_subcommand("message", "What to tell people about it");
  auto* kpi = incident->add_subcommand("kpi", "How soon trouble was noticed, answered and over");
  auto* items = incident->add_subcommand("items", "Action items of all incidents");
  for (CLI::App* app : {list, show, review, story, message, kpi, items}) {
    add_agent_address(app, o);
    add_output(app, o.common.output);
  }
  list->callback([&o] { o.verb = "list"; });
  list->add_flag("--all", o.all, "Those that are over, too");
  list->add_option("--service", o.service, "Only what concerns this service");
  list->add_option("--severity", o.severity, "Only this severity or more urgent, P0 to P3");
  list->add_option("--since", o.since, "Also those that are over, if they lasted into this time")
      ->option_text("DURATION");
  kpi->callback([&o] { o.verb = "kpi"; });
  kpi->add_option("--since", o.since, "Opened in the last so long (default 30d)")
      ->option_text("DURATION");
  kpi->add_option("--from", o.from, "Opened from then on")->option_text("RFC3339");
  kpi->add_option("--to", o.to, "Opened before then (default now)")->option_text("RFC3339");
  items->callback([&o] { o.verb = "items"; });
  items->add_flag("--overdue", o.overdue, "Only those that are overdue");
  items->add_flag("--all", o.all, "Those that are done, too");
  list->add_option("--limit", o.limit, "At most so many")->capture_default_str();
  show->callback([&o] { o.verb = "show"; });
  review->callback([&o] { o.verb = "postmortem"; });
  story->callback([&o] { o.verb = "narrative"; });
  message->callback([&o] { o.verb = "message"; });
  for (CLI::App* app : {show, review, message}) {
    app->add_option("id", o.id, "Incident, INC-YYYY-MMDD-NNN")->required();
  }
  story->add_option("id", o.id, "Incident, INC-YYYY-MMDD-NNN (default: the whole node)");
  message->add_option("kind", o.text, "initial, update or resolution")->required();
  auto* order = incident->add_subcommand("timeline", "What happened, and in what order");
  add_timeline_options(order, timeline);
  order->add_option("id", timeline.id, "Incident, INC-YYYY-MMDD-NNN")->required();
  add_incident_deeds(incident, o);
}

CLI::App* add_remedy_command(CLI::App* remedy, RemedyOptions& o, const char* verb,
                             const char* help) {
  auto* app = remedy->add_subcommand(verb, help);
  add_write(app, o);
  add_output(app, o.common.output);
  app->callback([&o, verb] { o.verb = verb; });
  return app;
}

void add_remedy(CLI::App& root, RemedyOptions& o) {
  auto* remedy = root.add_subcommand("remedy", "What may be done about incidents, and what was");
  remedy->require_subcommand(1);
  const auto add = [&](const char* verb, const char* help) {
    return add_remedy_command(remedy, o, verb, help);
  };
  const auto rule = [&](CLI::App* app) { app->add_option("rule", o.rule, "Its name")->required(); };
  const auto text = [&](CLI::App* app, const char* help) { app->add_option("text", o.text, help); };
  add("list", "Rules, what they did, and why they did not");
  add("learn", "Which action resolves what, from the incidents there were");
  add("import", "Take in what was done elsewhere")
      ->add_option("file", o.file, "JSON ({\"records\": [...]}), or CSV with a header line (.csv)")
      ->required();
  auto* draft = add("draft", "Write a rule down; it does nothing yet");
  rule(draft);
  draft->add_option("--action", o.action, "What it does: 'unit-restart worker.service'")
      ->required();
  draft->add_option("--signature", o.signature, "Incidents it is for: 'crash_loop worker'");
  draft->add_option("--service", o.service, "Incidents of this service");
  rule(add("shadow", "Let it say what it would do"));
  rule(add("approve", "Let it act when a person allows it (remedy allow)"));
  rule(add("auto", "Let it act by itself: history must prove it"));
  auto* revoke = add("revoke", "Back to shadow");
  rule(revoke);
  text(revoke, "Why");
  rule(add("remove", "Forget the rule"));
  rule(add("show", "The whole of a rule: steps and checks, what it is known from, its acts"));
  rule(add("effect", "What it was good for"));
  add("report", "What every rule was good for, and the toil that it saved");
  auto* run = add("run", "Carry a rule out now, as your own decision");
  rule(run);
  run->add_option("--incident", o.incident, "Against this incident")->required();
  run->add_flag("--dry-run", o.dry_run, "Only try it out, and say what the guard would say");
  auto* allow = add("allow", "Allow an approved rule one act");
  rule(allow);
  allow->add_option("--incident", o.incident, "For this incident")->required();
  allow->add_option("--target", o.target, "On this target, as `remedy list` names it")->required();
  auto* settle = add("settle", "Of an act of which nobody knows the end: you have looked");
  settle->add_option("act", o.act, "Its name, as `remedy list` has it")->required();
  text(settle, "What you found");
  text(add("stop", "Nothing is begun any more, on no node"), "Why");
  text(add("resume", "Go on"), "Why");
  add("unfreeze", "Let a target be acted on again after a to and fro")
      ->add_option("target", o.target, "As `remedy list` names it")
      ->required();
  add("audit", "The log of all decisions, and whether it is whole")
      ->add_flag("--verify", o.verify,
                 "Only whether it is whole, also by what other nodes have heard of it, and theirs");
}

void add_fleet(CLI::App& root, Parsed& p) {
  auto* app = root.add_subcommand("fleet", "The whole fleet, from any node");
  app->require_subcommand(1);
  const std::pair<const char*, const char*> kinds[] = {
      {"status", "Budgets of SLOs over all nodes"},
      {"nodes", "Nodes: who is heard, how old what they told is, how far their clocks are off"}};
  for (const auto& [name, text] : kinds) {
    auto* command = app->add_subcommand(name, text);
    add_config(command, p.fleet.common);
    add_output(command, p.fleet.common.output);
    command->add_option("--agent", p.fleet.address, "Address of the agent's API")
        ->option_text("HOST:PORT");
    command
        ->add_option("--nats", p.fleet.nats,
                     "No agent: the fleet as a stream of NATS has it. An upstream of the "
                     "configuration, with its login, or nats://HOST, tls://HOST")
        ->option_text("NAME|URL");
    command->add_option("--cluster", p.fleet.cluster, "With --nats: the fleet's name there")
        ->option_text("NAME");
  }
}

void add_service(CLI::App& root, ServiceOptions& service) {
  auto* app = root.add_subcommand("service", "Install this program as a service of systemd");
  app->require_subcommand(1);
  auto* install = app->add_subcommand("install", "Copy it, make its user and unit, start it");
  auto* uninstall = app->add_subcommand("uninstall", "Stop it and take it away again");
  for (auto* command : {install, uninstall}) {
    command->add_option("--prefix", service.prefix, "The program is PREFIX/bin/nines")
        ->capture_default_str()
        ->option_text("PREFIX");
    command
        ->add_option("--root", service.root,
                     "Only files, below DIR, and nothing is run: for images")
        ->option_text("DIR");
    command->add_flag("--dry-run", service.dry_run, "Say what would be done");
  }
  uninstall->add_flag("--purge", service.purge, "Configuration and state as well");
  uninstall->callback([&service] { service.uninstall = true; });
}

void add_pki(CLI::App& root, Parsed& p) {
  auto* app =
      root.add_subcommand("pki", "Certificates for peers, without an authority of your own");
  app->require_subcommand(1);
  auto* init = app->add_subcommand("init", "Make the authority of a cluster");
  auto* issue = app->add_subcommand("issue", "Make or renew the certificate of a node");
  for (auto* command : {init, issue}) {
    command->add_option("--dir", p.pki.directory, "Where the authority lies")
        ->capture_default_str()
        ->option_text("DIR");
    command->add_option("--days", p.pki.days, "How long it holds (3650; of nodes 397)")
        ->check(CLI::Range(1, 36500))
        ->option_text("N");
  }
  init->add_option("--cluster", p.pki.cluster, "Name of the cluster")
      ->capture_default_str()
      ->option_text("NAME");
  init->add_flag("--replace", p.pki.replace, "Even if there is one: all nodes need new ones then");
  issue->add_option("node", p.pki.node, "The node's id, as in its configuration")
      ->required()
      ->option_text("NODE");
  issue
      ->add_option("--role", p.pki.role,
                   "node: everything; observer: reads and asks (a laptop); leaf: tells of itself "
                   "and answers")
      ->check(CLI::IsMember({"node", "observer", "leaf"}))
      ->capture_default_str()
      ->option_text("ROLE");
  issue->add_option("--out", p.pki.out, "Where the certificate goes (DIR/NODE)")
      ->option_text("DIR");
}

void add_gate(CLI::App& root, Parsed& p) {
  auto* app = root.add_subcommand(
      "gate", "Whether a release may go out: exit code 0 yes, 1 no, 3 nobody knows");
  app->add_option("name", p.slo.name, "SLO or service (default: all there is)");
  app->add_option("--config", p.slo.common.config, "Configuration that names the agent's address")
      ->option_text("FILE");
  app->add_option("--agent", p.slo.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  add_output(app, p.slo.common.output);
  add_override(app, p.change);
}

void add_capacity(CLI::App& root, Parsed& p) {
  auto* app = root.add_subcommand("capacity", "How long CPU, memory and disks of the node last");
  app->add_option("--config", p.slo.common.config, "Configuration that names the agent's address")
      ->option_text("FILE");
  app->add_option("--agent", p.slo.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  add_output(app, p.slo.common.output);
}

int dispatch(CLI::App& root, Parsed& p, const Clock& clock) {
  if (root.got_subcommand("agent")) {
    p.agent.log_clock = p.clock == "log";
    return run_agent(p.agent, clock);
  }
  if (root.got_subcommand("tail")) return run_tail(p.tail, clock);
  if (root.got_subcommand("capacity")) return run_capacity(p.slo);
  if (root.got_subcommand("timeline")) return run_timeline(p.timeline);
  if (root.got_subcommand("remedy")) return run_remedy(p.remedy);
  if (const CLI::App* incident = root.get_subcommand("incident"); incident->parsed()) {
    return incident->got_subcommand("timeline") ? run_timeline(p.timeline)
                                                : run_incident(p.incident);
  }
  if (root.got_subcommand("oncall")) return run_oncall(p.oncall, clock);
  if (root.got_subcommand("kb")) return run_kb(p.kb, clock);
  if (root.got_subcommand("annotate")) return run_annotate(p.change);
  if (const CLI::App* changes = root.get_subcommand("changes"); changes->parsed()) {
    p.change.impact = changes->got_subcommand("impact");
    return run_changes(p.change);
  }
  if (const CLI::App* gate = root.get_subcommand("gate"); gate->parsed()) {
    return gate->got_subcommand("override") ? run_gate_override(p.change) : run_gate(p.slo);
  }
  if (root.got_subcommand("query")) return run_query(p.query, clock);
  if (CLI::App* fleet = root.get_subcommand("fleet"); fleet->parsed()) {
    p.fleet.nodes = fleet->got_subcommand("nodes");
    return run_fleet(p.fleet, clock, p.agent.seed);
  }
  if (const CLI::App* pki = root.get_subcommand("pki"); pki->parsed()) {
    return pki->got_subcommand("init") ? run_pki_init(p.pki, clock) : run_pki_issue(p.pki, clock);
  }
  if (root.got_subcommand("service")) return run_service(p.service);
  if (root.got_subcommand("suggest")) return run_suggest(p.common, clock);
  if (root.got_subcommand("doctor")) return run_doctor(p.common, clock);
  const CLI::App* slo = root.get_subcommand("slo");
  if (slo->got_subcommand("status")) return run_slo_status(p.slo);
  if (slo->got_subcommand("explain")) return run_slo_explain(p.slo);
  if (slo->got_subcommand("backfill")) return run_slo_backfill(p.slo, clock);
  if (slo->got_subcommand("forecast")) return run_slo_forecast(p.slo, clock);
  if (slo->got_subcommand("import")) return run_slo_import(p.slo);
  if (slo->got_subcommand("export")) return run_slo_export(p.slo);
  if (slo->got_subcommand("export-rules")) return run_slo_export_rules(p.slo);
  if (slo->got_subcommand("template")) return run_slo_template(p.slo);
  if (slo->got_subcommand("report")) {
    p.change.markdown = p.report_format == "md";
    return run_slo_report(p.change);
  }
  return run_slo_lint(p.slo);
}

}  // namespace

void request_stop() noexcept { g_stop.store(true); }
bool stop_requested() noexcept { return g_stop.load(); }
const std::atomic<bool>& stop_flag() noexcept { return g_stop; }

int run_cli(int argc, char** argv, const Clock& clock, uint64_t seed) {
  if (argc > 1 && std::string_view(argv[1]) == "query-node") {
    return run_node_command(argc, argv, clock);
  }
  CLI::App root("Nines keeps service level objectives where the logs are: on the node.", "nines");
  root.set_version_flag("--version", std::string("nines ") + kVersion);
  root.require_subcommand(1);
  Parsed p;
  p.agent.seed = seed;
  add_agent(root, p);
  add_tail(root, p);
  add_query(root, p.query);
  add_slo(root, p);
  add_gate(root, p);
  add_pki(root, p);
  add_service(root, p.service);
  add_fleet(root, p);
  add_capacity(root, p);
  add_annotate(root, p.change);
  add_incident(root, p.incident, p.timeline);
  add_remedy(root, p.remedy);
  add_timeline(root, p.timeline);
  add_oncall(root, p.oncall);
  add_kb(root, p.kb);
  add_changes(root, p.change);
  auto* suggest =
      root.add_subcommand("suggest", "Print OpenSLO documents drafted from what the logs show");
  add_config(suggest, p.common);
  add_log_root(suggest, p.common);
  auto* doctor =
      root.add_subcommand("doctor", "Check this node and say how to mend what is not right");
  add_config(doctor, p.common);
  add_log_root(doctor, p.common);
  add_output(doctor, p.common.output);
  doctor->add_option("--state", p.common.state, "State directory to check (default /var/lib/nines)")
      ->option_text("DIR");
  try {
    root.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    return root.exit(e) == 0 ? kExitOk : kExitUsage;
  }
  if (p.clock == "log" && !p.agent.once) {
    std::fprintf(stderr, "nines agent: --clock log replays history and needs --once\n");
    return kExitUsage;
  }
  return dispatch(root, p, clock);
}

}  // namespace nines::agent
