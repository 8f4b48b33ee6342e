#include "cli/cli.hpp"

#include <CLI/CLI.hpp>
#include <atomic>
#include <string>
#include <string_view>

#include "cli/command_options.hpp"
#include "cli/commands.hpp"
#include "cli/incident_command.hpp"
#include "cli/oncall_command.hpp"
#include "cli/query_command.hpp"
#include "cli/remedy_command.hpp"
#include "cli/service_plan.hpp"
#include "cli/slo_command.hpp"

namespace nines::agent {
namespace {

std::atomic<bool> g_stop{false};
static_assert(std::atomic<bool>::is_always_lock_free);  // a signal handler sets it

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
  add_tail(root, p.tail);
  add_query(root, p.query);
  add_slo(root, p.slo, p.change, p.report_format);
  add_gate(root, p.slo, p.change);
  add_pki(root, p);
  add_service(root, p.service);
  add_fleet(root, p);
  add_capacity(root, p.slo);
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
