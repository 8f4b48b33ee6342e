// `nines slo backfill`: what the logs still hold is counted for SLOs that are new here.
#include "app/backfill.hpp"

#include <cstdio>

#include "app/wiring.hpp"
#include "cli/commands.hpp"

namespace nines::agent {
namespace {

// There is no sense in counting what nobody can keep.
int refuse_read_only(const Error& error, const std::string& state) {
  std::fprintf(
      stderr,
      "nines slo backfill: %s\n  backfill writes what it counts into the state, so nothing "
      "was read\n  hint: give it the user that the agent runs as (sudo -u nines nines slo "
      "backfill), or make %s writable; nines agent --once shows counts without keeping "
      "them\n",
      error.message.c_str(), state.c_str());
  return kExitUnavailable;
}

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

struct Attempt {
  int code = kExitOk;
  bool read_only = false;
};

Attempt attempt(const SloOptions& options, const Clock& clock) {
  auto setup = make_setup(options.common, clock);
  if (!setup.ok()) return {complain(setup.error())};
  const std::string state = options.common.state.empty() ? kDefaultState : options.common.state;
  auto store = open_store(state, setup->config);
  const bool disk =
      !store.ok() && (store.error().code == Errc::io || store.error().code == Errc::exhausted);
  if (disk) return {refuse_read_only(store.error(), state), true};
  if (!store.ok()) return {complain(store.error())};
  const auto done = backfill(*setup, options.paths, **store, clock);
  if (!done.ok()) return {complain(done.error())};
  tell(*done);
  return {};
}

}  // namespace

int run_slo_backfill(const SloOptions& options, const Clock& clock) {
  return attempt(options, clock).code;
}

int backfill_first(const SloOptions& options, const Clock& clock) {
  const Attempt done = attempt(options, clock);
  if (!done.read_only) return done.code;
  std::fprintf(stderr, "nines agent: goes on without what the logs still hold\n");
  return kExitOk;
}

}  // namespace nines::agent
