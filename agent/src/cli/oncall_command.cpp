#include "cli/oncall_command.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace nines::agent {
namespace {

const std::map<std::string, Output> kOutputs = {{"table", Output::table}, {"json", Output::json}};

void add_output(CLI::App* app, Output& output) {
  app->add_option("-o,--output", output, "table or json")
      ->transform(CLI::CheckedTransformer(kOutputs, CLI::ignore_case).description(""))
      ->option_text("FORMAT");
}

template <class Options>
CLI::App* add_verb(CLI::App* parent, Options& o, const char* name, const char* help) {
  auto* app = parent->add_subcommand(name, help);
  app->callback([&o, name] { o.verb = name; });
  return app;
}

void add_files(CLI::App* app, OncallOptions& o) {
  app->add_option("--config", o.common.config,
                  "Configuration that names the files (default as for nines agent)")
      ->option_text("FILE");
  app->add_option("--file", o.file, "On-call document (default: oncall.file of the configuration)")
      ->option_text("FILE");
  app->add_option("--history", o.history,
                  "Pages of the past (default: oncall.history of the configuration, else "
                  "oncall-pages.ndjson in the state directory)")
      ->option_text("FILE");
  app->add_option("--state", o.common.state, "State directory (default /var/lib/nines)")
      ->option_text("DIR");
  add_output(app, o.common.output);
}

void add_time(CLI::App* app, std::string& to, const char* name, const char* help) {
  app->add_option(name, to, help)->option_text("RFC3339");
}

void add_route(CLI::App* oncall, OncallOptions& o) {
  auto* route =
      add_verb(oncall, o, "route", "Whom a page goes to, step by step; exit code 1: nobody");
  add_files(route, o);
  route->add_option("--service", o.service, "Of which service")->option_text("NAME");
  route
      ->add_option("--signature", o.signature,
                   "What is like it: kind and service, as in \"error_storm checkout\"")
      ->option_text("TEXT");
  route->add_option("--severity", o.severity, "P0 to P3")
      ->check(CLI::IsMember({"P0", "P1", "P2", "P3"}))
      ->capture_default_str()
      ->option_text("P0..P3");
  route->add_option("--told", o.told, "Who was told of it already; repeatable")
      ->option_text("PERSON");
  add_time(route, o.at, "--at", "When (default: now)");
  route->add_flag("--explain", o.explain,
                  "Every candidate with every term of the cost, and three experts");
}

}  // namespace

void add_oncall(CLI::App& root, OncallOptions& o) {
  auto* oncall = root.add_subcommand("oncall", "Who is on call, and whom a page goes to");
  oncall->require_subcommand(1);
  auto* who = add_verb(oncall, o, "who", "Who is on call; exit code 1: somewhere nobody is");
  add_time(who, o.at, "--at", "When (default: now)");
  auto* shifts = add_verb(oncall, o, "shifts", "Shifts and gaps, with overlaps on stderr");
  add_time(shifts, o.from, "--from", "From then on (default: now)");
  add_time(shifts, o.to, "--to", "Up to then (default: 14 days later)");
  for (CLI::App* app : {who, shifts}) {
    add_files(app, o);
    app->add_option("--schedule", o.schedule, "Only this one")->option_text("NAME");
  }
  add_route(oncall, o);
  auto* report =
      add_verb(oncall, o, "report", "How the load was shared, and which rules are noisy");
  report->alias("load");
  add_files(report, o);
  add_time(report, o.from, "--from", "From then on (default: 28 days before)");
  add_time(report, o.to, "--to", "Up to then (default: now)");
  auto* import =
      add_verb(oncall, o, "import", "Check an iCalendar file and print the schedule that reads it");
  import->add_option("calendar", o.path, "The file (.ics)")->required()->option_text("FILE");
  import->add_option("--zone", o.zone, "Zone of times that name none")
      ->capture_default_str()
      ->option_text("Europe/Berlin");
  import->add_option("--person", o.people, "Who a name in the calendar is; repeatable")
      ->option_text("NAME=PERSON");
}

void add_kb(CLI::App& root, KbOptions& o) {
  auto* kb =
      root.add_subcommand("kb", "Runbooks and postmortems, found by what an incident is like");
  kb->require_subcommand(1);
  auto* add = add_verb(kb, o, "add", "Add Markdown files, or take the place of what they were");
  auto* search = add_verb(kb, o, "search", "What helps: by template ids, service and words");
  auto* show = add_verb(kb, o, "show", "One article as it was written");
  auto* list = add_verb(kb, o, "list", "All there is");
  auto* remove = add_verb(kb, o, "remove", "Forget articles");
  for (CLI::App* app : {add, search, show, list, remove}) {
    app->add_option("--state", o.common.state, "Directory of knowledge.db (default /var/lib/nines)")
        ->option_text("DIR");
  }
  add->add_option("path", o.paths, "Files, or folders whose *.md are added")->required();
  add->add_option("--service", o.service, "Of which service, where the file does not say")
      ->option_text("NAME");
  add->add_option("--kind", o.kind, "What it is, where the file does not say (runbook)")
      ->check(CLI::IsMember({"runbook", "postmortem"}))
      ->option_text("KIND");
  search->add_option("text", o.text, "Words");
  search->add_option("--service", o.service, "Of this service first")->option_text("NAME");
  search->add_option("--template", o.templates, "Id of a message template; repeatable")
      ->option_text("ID");
  search->add_option("--kind", o.kind, "Only of this kind")
      ->check(CLI::IsMember({"runbook", "postmortem"}))
      ->option_text("KIND");
  search->add_option("--limit", o.limit, "At most so many (50)")->capture_default_str();
  show->add_option("id", o.paths, "As search and pages show it")->required()->expected(1);
  remove->add_option("id", o.paths, "As list shows them")->required();
  for (CLI::App* app : {search, show, list}) add_output(app, o.common.output);
}

}  // namespace nines::agent
