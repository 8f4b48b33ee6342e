// `nines suggest`: OpenSLO documents drafted from what the logs show.
#include <cstdio>

#include "app/setup.hpp"
#include "cli/commands.hpp"
#include "config/config.hpp"

namespace nines::agent {

int run_suggest(const CommonOptions& options, const Clock& clock) {
  Loaded loaded = load_config(options.config, options.slo_paths);
  for (const Diagnostic& d : loaded.diagnostics) std::fprintf(stderr, "%s\n", to_string(d).c_str());
  if (!loaded.ok()) return kExitUsage;
  collector::Discovered found;
  const std::vector<slo::SloSpec> drafts = draft(loaded.node, options.log_root, clock, found);
  for (const slo::LogSignals& s : found.services) {
    std::fprintf(stderr,
                 "# %s: %s, %llu lines sampled (status on %llu, level on %llu, %s on %llu)\n",
                 s.selector.paths.empty() ? s.service.c_str() : s.selector.paths.front().c_str(),
                 s.format.c_str(), static_cast<unsigned long long>(s.lines),
                 static_cast<unsigned long long>(s.with_status),
                 static_cast<unsigned long long>(s.with_level),
                 s.duration_field.empty() ? "no duration" : s.duration_field.c_str(),
                 static_cast<unsigned long long>(s.with_duration));
  }
  for (const std::string& path : found.unreadable) {
    std::fprintf(stderr, "# %s: permission denied\n", path.c_str());
  }
  if (drafts.empty()) {
    std::fprintf(stderr,
                 "nines suggest: no log under %s carries a status, a duration or a level\n"
                 "  hint: --log-root DIR looks elsewhere; `nines tail --explain-format FILE` shows "
                 "how a file is read\n",
                 options.log_root.c_str());
    return kExitNo;
  }
  std::fputs(to_openslo_yaml(drafts).c_str(), stdout);
  return kExitOk;
}

}  // namespace nines::agent
