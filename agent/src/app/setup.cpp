#include "app/setup.hpp"

#include <unistd.h>

#include <cstdio>
#include <set>

#include "nines/slo/draft.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMaxUnreadableShown = 3;

void tell_unreadable(const collector::Discovered& found) {
  for (size_t i = 0; i < found.unreadable.size() && i < kMaxUnreadableShown; ++i) {
    std::fprintf(stderr, "warning: %s: permission denied\n", found.unreadable[i].c_str());
  }
  if (!found.unreadable.empty()) {
    std::fprintf(stderr,
                 "  hint: %zu log file(s) cannot be read by this user; add it to the group adm (or "
                 "run as root)\n",
                 found.unreadable.size());
  }
}

// Two services of one name (the same container in two namespaces) must not share an SLO name.
void make_names_unique(std::vector<slo::SloSpec>& slos) {
  std::set<std::string> taken;
  for (slo::SloSpec& spec : slos) {
    const std::string base = spec.name;
    for (int n = 2; !taken.insert(spec.name).second; ++n)
      spec.name = base + "-" + std::to_string(n);
    spec.indicator.name = spec.name;
  }
}

}  // namespace

std::string host_name() {
  char buffer[256] = {};
  if (::gethostname(buffer, sizeof buffer - 1) != 0 || buffer[0] == '\0') return "node";
  return buffer;
}

std::vector<slo::SloSpec> draft(const NodeConfig& config, const std::string& log_root,
                                const Clock& clock, collector::Discovered& discovered) {
  collector::DiscoverOptions options;
  options.root = log_root;
  if (config.has_sources()) {
    discovered = {};
    for (const SourceConfig& source : config.sources) {
      auto signals = collector::sample_logs(source.service.empty() ? source.name : source.service,
                                            source.selector, options, clock.wall());
      if (signals.lines > 0) discovered.services.push_back(std::move(signals));
    }
  } else {
    discovered = collector::discover_logs(options, clock.wall());
  }
  std::vector<slo::SloSpec> out;
  for (const slo::LogSignals& signals : discovered.services) {
    for (slo::SloSpec& spec : slo::draft_slos(signals)) {
      if (out.size() < static_cast<size_t>(config.max_slos)) {
        out.push_back(std::move(spec));
      } else {
        ++discovered.drafts_left_out;
      }
    }
  }
  make_names_unique(out);
  return out;
}

Result<Setup> make_setup(const CommonOptions& options, const Clock& clock) {
  Loaded loaded = load_config(options.config, options.slo_paths);
  for (const Diagnostic& d : loaded.diagnostics) std::fprintf(stderr, "%s\n", to_string(d).c_str());
  if (!loaded.ok())
    return Error{Errc::invalid_argument, "the configuration has errors; nothing was started"};
  Setup setup;
  setup.config = std::move(loaded.node);
  if (setup.config.node.empty()) setup.config.node = host_name();
  setup.slos = std::move(loaded.slos);
  if (const int64_t places = places_of(setup.slos); places > setup.config.max_slos) {
    return Error{Errc::exhausted,
                 std::to_string(places) + " SLOs are more than limits.slos allows (" +
                     std::to_string(setup.config.max_slos) + "); raise it in nines.yaml"};
  }
  if (setup.slos.empty()) {
    setup.drafted = true;
    setup.slos = draft(setup.config, options.log_root, clock, setup.discovered);
    tell_unreadable(setup.discovered);
    if (setup.discovered.drafts_left_out > 0) {
      std::fprintf(stderr, "warning: %zu more SLO(s) could be drafted than limits.slos allows\n",
                   setup.discovered.drafts_left_out);
    }
  }
  return setup;
}

}  // namespace nines::agent
