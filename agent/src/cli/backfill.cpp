// `nines slo backfill`: what the logs still hold is counted for SLOs that are new here.
#include "app/backfill.hpp"

#include <cstdio>

#include "app/wiring.hpp"
#include "cli/commands.hpp"

namespace nines::agent {
namespace {

int complain(const Error& error) {
  std::fprintf(stderr, "nines slo backfill: %s\n", error.message.c_str());
  const bool usage = error.code == Errc::invalid_argument || error.code == Errc::not_found;
  return usage ? kExitUsage : kExitUnavailable;
}

void tell(const Backfilled& done) {
  for (const Backfilled::Slo& slo : done.slos) {
    if (slo.known) {
      std::printf("%s: counted here already, left as it is\n", slo.name.c_str());
    } else if (slo.not_files) {
      std::printf("%s: its source is not files, which can't be read again\n", slo.name.c_str());
    } else if (slo.first.ns == 0) {
      std::printf("%s: nothing to count in what was read before\n", slo.name.c_str());
    } else {
      std::printf("%s: good %lld, bad %lld since %s\n", slo.name.c_str(),
                  static_cast<long long>(slo.good), static_cast<long long>(slo.bad),
                  format_rfc3339(slo.first).c_str());
    }
  }
  std::printf("%lld file(s), %.1f MB read again\n", static_cast<long long>(done.files),
              static_cast<double>(done.bytes) / 1e6);
}

}  // namespace

int run_slo_backfill(const SloOptions& options, const Clock& clock) {
  auto setup = make_setup(options.common, clock);
  if (!setup.ok()) return complain(setup.error());
  const std::string state = options.common.state.empty() ? "/var/lib/nines" : options.common.state;
  auto store = open_store(state, setup->config);
  if (!store.ok()) return complain(store.error());
  const auto done = backfill(*setup, options.paths, **store, clock);
  if (!done.ok()) return complain(done.error());
  tell(*done);
  return kExitOk;
}

}  // namespace nines::agent
