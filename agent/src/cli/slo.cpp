// `nines slo status|explain`: what the running agent says. `lint`: what the configuration says.
#include <cstdio>
#include <string>

#include "cli/ask.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "config/config.hpp"
#include "nines/base/time.hpp"

namespace nines::agent {
namespace {

AgentCall call(const SloOptions& options, std::string path) {
  AgentCall out;
  out.command = "nines slo";
  out.address = agent_address(options.address, options.common.config);
  out.path = std::move(path);
  return out;
}

}  // namespace

int run_slo_status(const SloOptions& options) {
  static constexpr const char* kNames[] = {"table", "json", "ndjson", "csv"};
  std::string path =
      std::string("/api/slo?format=") + kNames[static_cast<int>(options.common.output)];
  if (options.common.output == Output::table) {
    const Terminal terminal = terminal_of_stdout();
    path += "&width=" + std::to_string(terminal.width);
    if (terminal.color) path += "&color=1";
  }
  return show_agent(call(options, path));
}

int run_slo_explain(const SloOptions& options) {
  return show_agent(call(options, "/api/slo/" + options.name + "/explain"));
}

int run_gate(const SloOptions& options) {
  const bool json = options.common.output == Output::json;
  std::string body;
  const std::string path = "/api/gate" + (options.name.empty() ? "" : "/" + options.name);
  const int code = ask_agent(call(options, path + (json ? "" : "?format=text")), body);
  if (code != kExitOk) return code;
  std::fwrite(body.data(), 1, body.size(), stdout);
  if (json) return body.find("\"allowed\": true") < body.find("\"slos\"") ? kExitOk : kExitNo;
  return body.starts_with("GO") || body.starts_with("CAUTION") ? kExitOk : kExitNo;
}

int run_slo_lint(const SloOptions& options) {
  const Loaded loaded = load_config(options.common.config, options.paths);
  size_t errors = 0, warnings = 0;
  for (const Diagnostic& d : loaded.diagnostics) {
    std::printf("%s\n", to_string(d).c_str());
    ++(d.severity == Diagnostic::Severity::error ? errors : warnings);
  }
  for (const slo::SloSpec& spec : loaded.slos) {
    if (spec.composite.used()) {
      std::printf("%s: SLO %s: composite of %zu over %s\n", spec.origin.c_str(), spec.name.c_str(),
                  spec.composite.parts.size(), format_duration_s(spec.window_s).c_str());
      continue;
    }
    std::printf("%s: SLO %s: target %s over %s, %zu alert rule(s)\n", spec.origin.c_str(),
                spec.name.c_str(), spec.target.to_string().c_str(),
                format_duration_s(spec.window_s).c_str(), spec.alerts.rules.size());
  }
  std::printf("%zu SLO(s), %zu error(s), %zu warning(s)\n", loaded.slos.size(), errors, warnings);
  return errors == 0 ? kExitOk : kExitUsage;
}

}  // namespace nines::agent
