// `nines slo forecast [--backtest]`: what the running agent says, or what a state directory holds.
// `nines capacity`.
#include "view/forecast.hpp"

#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <system_error>

#include "app/judge.hpp"
#include "app/setup.hpp"
#include "app/wiring.hpp"
#include "cli/ask.hpp"
#include "cli/terminal.hpp"

namespace nines::agent {
namespace {

namespace fs = std::filesystem;

int complain(const std::string& what, int code) {
  std::fprintf(stderr, "nines slo forecast: %s\n", what.c_str());
  return code;
}

// A private copy of the state: opening it would begin a new life of the node it belongs to.
class StateCopy {
 public:
  StateCopy() = default;
  StateCopy(const StateCopy&) = delete;
  StateCopy& operator=(const StateCopy&) = delete;
  ~StateCopy() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }

  Status take(const std::string& state) {
    NINES_CHECK(make_folder());
    std::error_code error;
    for (const char* file : {"nines.db", "nines.db-wal"}) {
      const fs::path from = fs::path(state) / file;
      const bool there = fs::exists(from, error);
      if (error) return unreadable(from, error);
      if (!there) {
        if (std::string_view(file) == "nines.db") {
          return Error{Errc::not_found, "there is no state in " + state};
        }
        continue;
      }
      if (!fs::copy_file(from, path_ / file, error)) {
        return unreadable(from, error);
      }
    }
    return Ok{};
  }
  std::string path() const { return path_.string(); }

 private:
  static Error unreadable(const fs::path& path, const std::error_code& error) {
    return {Errc::io, "cannot read " + path.string() + ": " + error.message() +
                          "\n  hint: only its owner and root may read the state; without --state "
                          "the running agent is asked"};
  }

  // A system that is mounted read-only has memory in place of a /tmp.
  Status make_folder() {
    std::error_code error;
    std::string tried;
    for (const fs::path& base : {fs::temp_directory_path(error), fs::path("/tmp"),
                                 fs::path("/dev/shm"), fs::path("/run")}) {
      if (base.empty()) continue;
      std::string name = (base / "nines-forecast-XXXXXX").string();
      if (::mkdtemp(name.data()) != nullptr) {
        path_ = name;
        return Ok{};
      }
      tried += (tried.empty() ? "" : ", ") + base.string();
    }
    return Error{Errc::io, "no room for a copy of the state in " + tried + "\n  hint: TMPDIR=DIR"};
  }

  fs::path path_;
};

view::TableOptions table_options() {
  const Terminal terminal = terminal_of_stdout();
  view::TableOptions options;
  options.width = terminal.width;
  options.color = terminal.color;
  return options;
}

// The judge as it was when the state was last written.
Result<std::unique_ptr<Judge>> restore(const SloOptions& options, const std::string& directory,
                                       const Clock& clock) {
  NINES_TRY(const Setup setup, make_setup(options.common, clock));
  NINES_TRY(const auto store, open_store(directory, setup.config));
  if (!store->restored().quarantined.empty()) {
    return Error{Errc::unavailable,
                 "the state is damaged, or an agent was writing it: ask the agent instead"};
  }
  auto judge = std::make_unique<Judge>(setup.config);
  for (const slo::SloSpec& spec : setup.slos) {
    NINES_TRY(const uint32_t index, judge->add(spec));
    NINES_CHECK(store->attach(index, {spec.name, spec.generation()},
                              [&](const slo::Batch& batch) { judge->restore(batch); }));
  }
  const WallTime at = judge->known_until().value_or(store->restored().max_event_time);
  (void)judge->evaluate(at, at);
  return judge;
}

int print_offline(const SloOptions& options, const Judge& judge) {
  const Snapshot snapshot = judge.snapshot();
  const bool table = options.common.output == Output::table;
  std::vector<const slo::SloStatus*> slos;
  view::Backtests reports;
  for (uint32_t i = 0; i < judge.slos(); ++i) {
    const slo::SloStatus& status = snapshot.slos[i];
    if (!options.name.empty() && status.slo != options.name) continue;
    slos.push_back(&status);
    if (options.backtest) reports.emplace_back(status.slo, judge.engine().backtest(i));
  }
  if (slos.empty()) return complain("no SLO is called '" + options.name + "'", kExitUsage);
  std::string out;
  if (options.backtest) {
    out = table ? view::backtest_text(reports, table_options()) : view::backtest_json(reports);
  } else if (table) {
    out = view::forecast_table(slos, table_options());
  } else {
    out = options.name.empty() ? view::forecasts_json(snapshot) : view::forecast_json(*slos[0]);
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
  return kExitOk;
}

int offline(const SloOptions& options, const Clock& clock) {
  StateCopy copy;
  if (const Status done = copy.take(options.common.state); !done.ok()) {
    return complain(done.error().message, kExitUnavailable);
  }
  const auto judge = restore(options, copy.path(), clock);
  if (!judge.ok()) {
    return complain(judge.error().message,
                    judge.error().code == Errc::invalid_argument ? kExitUsage : kExitUnavailable);
  }
  return print_offline(options, **judge);
}

int show_from_agent(const char* command, const SloOptions& options, const std::string& path) {
  AgentCall call;
  call.command = command;
  call.address = agent_address(options.address, options.common.config);
  call.path = path;
  return show_agent(call);
}

}  // namespace

int run_capacity(const SloOptions& options) {
  std::string path = "/api/capacity";
  if (options.common.output == Output::table) {
    path += "?format=table&width=" + std::to_string(terminal_of_stdout().width);
    if (terminal_of_stdout().color) path += "&color=1";
  } else if (options.common.output != Output::json) {
    std::fprintf(stderr, "nines capacity: -o table or -o json\n");
    return kExitUsage;
  }
  return show_from_agent("nines capacity", options, path);
}

int run_slo_forecast(const SloOptions& options, const Clock& clock) {
  if (options.common.output != Output::table && options.common.output != Output::json) {
    return complain("-o table or -o json", kExitUsage);
  }
  if (!options.common.state.empty()) return offline(options, clock);
  const std::string what = options.backtest ? "backtest" : "forecast";
  std::string path =
      options.name.empty() ? "/api/" + what : "/api/slo/" + options.name + "/" + what;
  if (options.common.output == Output::table) {
    const Terminal terminal = terminal_of_stdout();
    path += "?format=table&width=" + std::to_string(terminal.width);
    if (terminal.color) path += "&color=1";
  }
  return show_from_agent("nines slo forecast", options, path);
}

}  // namespace nines::agent
