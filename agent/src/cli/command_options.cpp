#include "cli/command_options.hpp"

#include <CLI/CLI.hpp>
#include <map>

namespace nines::agent {
namespace {

const std::map<std::string, Output> kOutputs = {{"table", Output::table},
                                                {"json", Output::json},
                                                {"ndjson", Output::ndjson},
                                                {"csv", Output::csv}};

}  // namespace

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

void add_agent_address(CLI::App* app, CommonOptions& common, std::string& address) {
  app->add_option("--config", common.config, "Configuration that names the agent's address")
      ->option_text("FILE");
  app->add_option("--agent", address, "Address of the agent (default 127.0.0.1:9990)")
      ->option_text("HOST:PORT");
}

void add_authority(CLI::App* app, CommonOptions& common, std::string& token_file, std::string& by) {
  app->add_option("--token-file", token_file,
                  "File with the agent's API token (default: api.token of its state directory)")
      ->option_text("FILE");
  app->add_option("--state", common.state, "The agent's state directory (default /var/lib/nines)")
      ->option_text("DIR");
  app->add_option("--by", by, "Who does it (default: the user)")->option_text("NAME");
}

}  // namespace nines::agent
