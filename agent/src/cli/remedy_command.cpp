#include "cli/remedy_command.hpp"

#include <CLI/CLI.hpp>

#include "cli/command_options.hpp"

namespace nines::agent {
namespace {

CLI::App* add_remedy_command(CLI::App* remedy, RemedyOptions& o, const char* verb,
                             const char* help) {
  auto* app = remedy->add_subcommand(verb, help);
  add_write(app, o);
  add_output(app, o.common.output);
  app->callback([&o, verb] { o.verb = verb; });
  return app;
}

}  // namespace

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

}  // namespace nines::agent
