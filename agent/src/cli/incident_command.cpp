#include "cli/incident_command.hpp"

#include <CLI/CLI.hpp>
#include <string_view>

#include "cli/command_options.hpp"

namespace nines::agent {
namespace {

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

}  // namespace

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

}  // namespace nines::agent
