// `nines agent`: once, replay, or live.
#include <sys/stat.h>

#include <cstdio>

#include "app/fetcher.hpp"
#include "app/live.hpp"
#include "app/node_capacity.hpp"
#include "app/once.hpp"
#include "app/once_cluster.hpp"
#include "app/wiring.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "view/text.hpp"

namespace nines::agent {
namespace {

int complain(const Error& error) {
  std::fprintf(stderr, "nines agent: %s\n", error.message.c_str());
  return error.code == Errc::invalid_argument || error.code == Errc::exhausted ? kExitUsage
                                                                               : kExitUnavailable;
}

void tell_drafts(const Setup& setup) {
  if (!setup.drafted) return;
  std::fprintf(stderr,
               "No SLO is configured: watching %zu draft(s) made from what the logs show.\n"
               "`nines suggest` prints them as OpenSLO documents to keep.\n",
               setup.slos.size());
}

// How the node is, as an incident of now shows it.
void tell_vitals(incident::NodeFacts& facts, const std::string& state, const Clock& clock) {
  collector::VitalsOptions options;
  options.state_dir = state;
  auto capacity = NodeCapacity::create(std::move(options), clock);
  if (!capacity.ok()) return;  // no /proc here
  (*capacity)->tell([&](std::string_view name, double value, WallTime at) {
    facts.vital(name, value, to_ms(at));
  });
  (*capacity)->sample();
}

// Null: no state was asked for. Where it cannot be written this run goes on from what can be read
// of it, in memory.
Result<std::unique_ptr<store::StateStore>> open_for_once(const AgentOptions& options,
                                                         const Setup& setup, const Clock& clock) {
  const std::string& state = options.common.state;
  if (state.empty()) return std::unique_ptr<store::StateStore>();
  NINES_TRY(auto store, open_store(state, setup.config, store::make_memory_files(), clock.wall()));
  if (!store->restored().in_memory.empty()) {
    std::fprintf(stderr, "nines agent: the state is only in memory: %s\n",
                 store->restored().in_memory.c_str());
  }
  return store;
}

// The disk may be there again.
void keep_or_say(store::StateStore* store) {
  if (store == nullptr || store->restored().in_memory.empty()) return;
  const auto moved = store->move_to_disk();
  if (moved.ok() && *moved) return;
  std::fprintf(
      stderr,
      "nines agent: what this run counted is shown and kept nowhere; the next one reads it "
      "again\n  hint: let this user write the state directory, or name another with "
      "--state DIR\n");
}

int once(const AgentOptions& options, const Setup& setup, const Clock& clock) {
  if (setup.slos.empty()) {
    std::fprintf(
        stderr,
        "nines agent: nothing to watch: no SLO is configured and no log under %s shows a signal\n"
        "  hint: give --slo FILE, or look at `nines suggest` and `nines doctor`\n",
        options.common.log_root.c_str());
    return kExitUnavailable;
  }
  auto opened = open_for_once(options, setup, clock);
  if (!opened.ok()) return complain(opened.error());
  const std::unique_ptr<store::StateStore> store = std::move(*opened);
  auto halves = wire(setup, store.get(), clock, {blocking_fetch(), options.common.state, true});
  if (!halves.ok()) return complain(halves.error());
  OnceOptions run;
  run.log_clock = options.log_clock;
  run.stop = stop_requested;
  run.on_alert = [](const slo::AlertEvent& event) {
    const bool fired = event.kind == slo::AlertEvent::Kind::fired;
    const std::string what = fired ? "FIRED " + view::priority_name(event.priority) : "resolved";
    std::fprintf(stderr, "%s %s %s %s: %s\n", format_rfc3339(event.at).c_str(), what.c_str(),
                 event.severity.c_str(), event.slo.c_str(), event.summary.c_str());
  };
  run.on_incident = [](WallTime at, const std::string& news) {
    std::fprintf(stderr, "%s %s\n", format_rfc3339(at).c_str(), news.c_str());
  };
  auto incidents = OnceIncidents::create(setup.config, *halves->ingest, halves->judge->engine(),
                                         store.get(), clock.wall());
  if (!incidents.ok()) return complain(incidents.error());
  if (*incidents && !run.log_clock) {
    tell_vitals((*incidents)->facts(), options.common.state, clock);
    ask_cluster(setup.config.kubernetes, setup.config.node, clock, store.get(),
                (*incidents)->facts());
  }
  const Status done =
      run_once(*halves->ingest, *halves->judge, incidents->get(), store.get(), clock, run);
  if (!done.ok()) return complain(done.error());
  keep_or_say(store.get());
  Snapshot snapshot = halves->judge->snapshot();
  snapshot.node = setup.config.node;
  snapshot.version = kVersion;
  snapshot.now = clock.wall();
  snapshot.replay = options.log_clock;
  print_status(snapshot, options.common.output);
  return kExitOk;
}

}  // namespace

int run_agent(const AgentOptions& options, const Clock& clock) {
  // The state has lines of logs in it: its user's only, in a directory of whatever mode, as where
  // the unit says so.
  ::umask(::umask(0077) | 0077);
  auto setup = make_setup(options.common, clock);
  if (!setup.ok()) return complain(setup.error());
  if (!options.listen.empty()) setup->config.listen = options.listen;
  tell_drafts(*setup);
  if (options.once) return once(options, *setup, clock);
  AgentOptions live = options;
  if (live.common.state.empty()) live.common.state = kDefaultState;
  if (options.backfill) {
    SloOptions fill;
    fill.common = live.common;
    const int code = backfill_first(fill, clock);
    if (code != kExitOk) return code;
  }
  const Status done = run_live(live, std::move(*setup), clock);
  return done.ok() ? kExitOk : complain(done.error());
}

}  // namespace nines::agent
