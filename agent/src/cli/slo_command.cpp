#include "cli/slo_command.hpp"

#include <CLI/CLI.hpp>

#include "cli/command_options.hpp"

namespace nines::agent {
namespace {

void add_forecast(CLI::App& slo, SloOptions& o) {
  auto* app = slo.add_subcommand(
      "forecast", "When error budgets will be exhausted, and how good such forecasts were");
  app->add_option("name", o.name, "SLO (default: all)");
  app->add_flag("--backtest", o.backtest,
                "Forecast from many points of the recorded past and compare with what happened");
  app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  app->add_option("--state", o.common.state,
                  "Read what is kept in this state directory instead of asking an agent")
      ->option_text("DIR");
  add_config(app, o.common);
  add_output(app, o.common.output);
}

void add_slo_files(CLI::App* slo, SloOptions& o) {
  for (const auto& [name, help] :
       {std::pair{"lint", "Check SLO documents and configuration"},
        std::pair{"export", "Print everything configured as OpenSLO v1 (and SLOPolicy) documents"},
        std::pair{"export-rules",
                  "Print Prometheus recording and alert rules under Sloth's series names"}}) {
    auto* app = slo->add_subcommand(name, help);
    app->add_option("paths", o.paths, "Files or folders (default: the configured ones)");
    app->add_option("--config", o.common.config, "Configuration")->option_text("FILE");
  }
  auto* import = slo->add_subcommand(
      "import", "Print OpenSLO documents made of Sloth (prometheus/v1) and Pyrra specs");
  import->add_option("files", o.paths, "Their files")->required()->option_text("FILE...");
  import->add_option("--scrape", o.scrape_url, "Where the metrics are exposed")->option_text("URL");
  import->add_option("--source", o.source, "The same, as a source of nines.yaml")
      ->option_text("NAME");
  import
      ->add_option("--target-label", o.target_labels,
                   "A label that Prometheus adds to what it scrapes, beside job and instance; "
                   "repeatable")
      ->option_text("NAME");
  import->add_option("--window", o.window, "Window of Sloth's SLOs (default 30d)")
      ->capture_default_str()
      ->option_text("DURATION");
}

void add_report(CLI::App* slo, ChangeOptions& o, std::string& format) {
  auto* app = slo->add_subcommand("report", "What a month was like, for people");
  add_agent_address(app, o);
  app->add_option("--month", o.month, "YYYY-MM");
  app->add_option("--days", o.days, "The last so many days (default 30)");
  app->add_option("-o,--output", format, "md or json")->check(CLI::IsMember({"md", "json"}));
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

}  // namespace

void add_slo(CLI::App& root, SloOptions& o, ChangeOptions& report, std::string& format) {
  auto* slo = root.add_subcommand("slo", "SLO status, explanations, checks and exchange");
  slo->require_subcommand(1);
  for (const auto& [name, help] :
       {std::pair{"status", "Budgets and burn rates of the running agent"},
        std::pair{"explain", "Every number of one SLO down to the counts it came from"}}) {
    auto* app = slo->add_subcommand(name, help);
    app->add_option("--config", o.common.config, "Configuration that names the agent's address")
        ->option_text("FILE");
    app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
        ->option_text("HOST:PORT");
    if (std::string(name) == "status") add_output(app, o.common.output);
    if (std::string(name) == "explain")
      app->add_option("slo", o.name, "Name of the SLO")->required();
  }
  auto* fill = slo->add_subcommand(
      "backfill", "Count for new SLOs what the logs still hold (the agent must not run)");
  fill->add_option("slo", o.paths, "Names (default: all that were never counted here)");
  fill->add_option("--slo", o.common.slo_paths, "Documents beside the configured ones")
      ->option_text("PATH");
  fill->add_option("--config", o.common.config, "Configuration")->option_text("FILE");
  fill->add_option("--state", o.common.state, "State directory (default /var/lib/nines)")
      ->option_text("DIR");
  add_forecast(*slo, o);
  add_slo_files(slo, o);
  auto* ready = slo->add_subcommand("template", "Print ready SLO documents for common services");
  ready->add_option("name", o.name, "Template (default: list them)");
  ready->add_option("--set", o.settings, "Fill in KEY=VALUE; repeatable")->option_text("KEY=VALUE");
  add_report(slo, report, format);
}

void add_gate(CLI::App& root, SloOptions& o, ChangeOptions& override_options) {
  auto* app = root.add_subcommand(
      "gate", "Whether a release may go out: exit code 0 yes, 1 no, 3 nobody knows");
  app->add_option("name", o.name, "SLO or service (default: all there is)");
  app->add_option("--config", o.common.config, "Configuration that names the agent's address")
      ->option_text("FILE");
  app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  add_output(app, o.common.output);
  add_override(app, override_options);
}

void add_capacity(CLI::App& root, SloOptions& o) {
  auto* app = root.add_subcommand("capacity", "How long CPU, memory and disks of the node last");
  app->add_option("--config", o.common.config, "Configuration that names the agent's address")
      ->option_text("FILE");
  app->add_option("--agent", o.address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
  add_output(app, o.common.output);
}

}  // namespace nines::agent
