// `nines slo import|export|export-rules`: SLOs as files of other tools and back. No agent is asked.
#include <cstdio>
#include <string>

#include "app/setup.hpp"
#include "cli/commands.hpp"
#include "config/export_rules.hpp"
#include "config/import.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kMaxWindowS = 92 * 86400;

void tell(const std::vector<Diagnostic>& diagnostics) {
  for (const Diagnostic& d : diagnostics) std::fprintf(stderr, "%s\n", to_string(d).c_str());
}

int usage(const char* what, const char* hint) {
  std::fprintf(stderr, "nines slo import: %s\n  hint: %s\n", what, hint);
  return kExitUsage;
}

}  // namespace

int run_slo_import(const SloOptions& options) {
  ImportOptions import;
  import.target_labels = options.target_labels;
  if (options.scrape_url.empty() == options.source.empty()) {
    return usage("nothing says where the metrics are exposed (or two things do)",
                 "--scrape http://HOST:PORT/metrics, or --source NAME of a source in nines.yaml");
  }
  import.source.name = options.source;
  if (!options.scrape_url.empty()) {
    import.source.input = slo::InputKind::scrape;
    import.source.url = options.scrape_url;
  }
  const auto window_ms = config::parse_duration_ms(options.window);
  if (!window_ms || *window_ms % 60'000 != 0 || *window_ms < 3'600'000 ||
      *window_ms / 1000 > kMaxWindowS) {
    return usage("--window takes 1h to 92d", "Sloth's default is --window 30d");
  }
  import.sloth_window_s = *window_ms / 1000;
  const Imported imported = import_slos(options.paths, import);
  tell(imported.diagnostics);
  std::fputs(to_openslo_yaml(imported.slos).c_str(), stdout);
  return imported.ok() ? kExitOk : kExitUsage;
}

int run_slo_export(const SloOptions& options) {
  const Loaded loaded = load_config(options.common.config, options.paths);
  tell(loaded.diagnostics);
  if (!loaded.ok()) return kExitUsage;
  if (loaded.slos.empty()) {
    std::fprintf(stderr,
                 "nines slo export: no SLO is configured\n  hint: `nines suggest` drafts some from "
                 "the logs\n");
    return kExitNo;
  }
  std::fputs(to_openslo_yaml(loaded.slos).c_str(), stdout);
  return kExitOk;
}

int run_slo_export_rules(const SloOptions& options) {
  const Loaded loaded = load_config(options.common.config, options.paths);
  tell(loaded.diagnostics);
  if (!loaded.ok()) return kExitUsage;
  if (loaded.slos.empty()) {
    std::fprintf(stderr, "nines slo export-rules: no SLO is configured\n");
    return kExitNo;
  }
  std::fputs(to_prometheus_rules(loaded.slos, kVersion).c_str(), stdout);
  return kExitOk;
}

}  // namespace nines::agent
