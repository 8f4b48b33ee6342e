// `nines query 'SQL' [FILE...]`.
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "app/setup.hpp"
#include "cli/commands.hpp"
#include "cli/terminal.hpp"
#include "config/config.hpp"
#include "nines/collector/block_index.hpp"
#include "nines/log/format.hpp"
#include "query/execute.hpp"
#include "query/output.hpp"
#include "query/progress.hpp"

namespace nines::agent {
namespace {

namespace nq = nines::query;

int refuse(const Error& error) {
  std::fprintf(stderr, "nines query: %s\n", error.message.c_str());
  return error.code == Errc::invalid_argument || error.code == Errc::unsupported ? kExitUsage
                                                                                 : kExitUnavailable;
}

int refuse_config(const Loaded& loaded) {
  for (const Diagnostic& d : loaded.diagnostics) {
    if (d.severity == Diagnostic::Severity::error) {
      std::fprintf(stderr, "%s\n", to_string(d).c_str());
    }
  }
  return kExitUsage;
}

nq::SourceRef& source_of(nq::Input& input) {
  return std::visit([](auto& what) -> nq::SourceRef& { return what.source; }, input.what);
}

// Files of the command line stand for every logs(...), and for a missing FROM. False: some source
// is known to the running agent only.
bool place_files(nq::Statement& statement, const QueryOptions& options) {
  bool all_files = true;
  for (nq::Input& input : statement.inputs) {
    nq::SourceRef& source = source_of(input);
    if (source.kind == nq::SourceRef::Kind::logs && !options.files.empty()) {
      source.kind = nq::SourceRef::Kind::files;
      source.names = options.files;
    }
    if (source.kind == nq::SourceRef::Kind::remote) continue;
    if (source.kind != nq::SourceRef::Kind::files) {
      all_files = false;
      continue;
    }
    if (source.format == "auto" && options.format != "auto") {
      source.format = options.format;
      source.pattern = options.pattern;
    }
  }
  return all_files;
}

bool names_remotes(nq::Statement& statement) {
  return std::any_of(statement.inputs.begin(), statement.inputs.end(), [](nq::Input& input) {
    return source_of(input).kind == nq::SourceRef::Kind::remote;
  });
}

unsigned usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return 1;
  return static_cast<unsigned>(std::max(1, CPU_COUNT(&set)));
}

// On the terminal while it runs, when nothing else is being written there.
class ProgressLine {
 public:
  explicit ProgressLine(const query::Progress& progress, const Clock& clock)
      : progress_(progress), clock_(clock), begin_(clock.mono()), thread_([this] { run(); }) {}
  ~ProgressLine() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

 private:
  void run() {
    std::unique_lock lock(mutex_);
    bool shown = false;
    while (!ended_.wait_for(lock, std::chrono::milliseconds(250), [this] { return over_; })) {
      const std::string text =
          query::progress_text(progress_.bytes_done.load(), progress_.bytes_total.load(),
                               progress_.rows.load(), clock_.mono().ns - begin_.ns);
      std::fprintf(stderr, "\r%s\x1b[K", text.c_str());
      std::fflush(stderr);
      shown = true;
    }
    if (shown) std::fprintf(stderr, "\r\x1b[K");
  }

  const query::Progress& progress_;
  const Clock& clock_;
  Instant begin_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

query::WriterOptions writer_options(const QueryOptions& options) {
  const Terminal terminal = terminal_of_stdout();
  query::WriterOptions writer;
  writer.format = options.output;
  if (terminal.width > 0 && ::isatty(STDOUT_FILENO) != 0) writer.width = terminal.width;
  writer.color = terminal.color;
  return writer;
}

bool write_out(std::string_view bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
         std::fflush(stdout) == 0;
}

class Runner {
 public:
  Runner(const QueryOptions& options, const Clock& clock, std::span<const RemoteConfig> remotes)
      : options_(options),
        clock_(clock),
        remotes_(remotes),
        index_(options.common.state.empty() ? kDefaultState : options.common.state),
        writer_(query::make_writer(writer_options(options), write_out)) {}

  int run(nq::Statement& statement) {
    query::Environment environment = make_environment(statement);
    query::Answer answer;
    Status done = Ok{};
    {
      std::optional<ProgressLine> line;
      if (shows_progress()) line.emplace(progress_, clock_);
      done = query::run_statement(statement, environment, *writer_, answer);
    }
    if (const Status problem = writer_->problem(); done.ok() && !problem.ok()) done = problem;
    if (!done.ok()) return refuse(done.error());
    writer_->end(answer);
    const bool own_summary =
        options_.output != query::Format::csv && options_.output != query::Format::raw;
    if (!own_summary && !answer.complete) {
      std::fprintf(stderr, "nines query: %s", query::answer_text(answer).c_str());
    }
    return answer.complete ? kExitOk : kExitUnavailable;
  }

 private:
  bool shows_progress() const {
    return options_.progress && ::isatty(STDERR_FILENO) != 0 &&
           (::isatty(STDOUT_FILENO) == 0 || options_.output == query::Format::table);
  }

  query::Environment make_environment(const nq::Statement& statement) {
    query::Environment environment{clock_, {}, {}, 1, 0, {}, nullptr, nullptr, nullptr, {}, false};
    environment.resolve = [](const nq::SourceRef&) -> Result<std::vector<nq::SourceRef>> {
      return Error{Errc::unavailable, "only the running agent knows this source"};
    };
    environment.node = host_name();
    environment.threads =
        options_.threads > 0 ? static_cast<unsigned>(options_.threads) : usable_cores();
    environment.max_bytes = statement.max_memory.value_or(options_.max_bytes);
    environment.deadline = Instant{INT64_MAX};
    if (statement.deadline_ns) {
      environment.deadline = Instant{clock_.mono().ns + *statement.deadline_ns};
    }
    environment.stop = &stop_flag();
    environment.progress = &progress_;
    environment.remotes = remotes_;
    environment.index = &index_;
    return environment;
  }

  const QueryOptions& options_;
  const Clock& clock_;
  std::span<const RemoteConfig> remotes_;
  const collector::BlockIndex index_;  // of the agent of this node, where it can be read
  query::Progress progress_;
  std::unique_ptr<query::AnswerWriter> writer_;
};

}  // namespace

int run_query(const QueryOptions& options, const Clock& clock) {
  nq::ParseOptions parse;
  parse.now = clock.wall();
  parse.native = options.native;
  auto statement = nq::parse_statement(options.sql, parse);
  if (!statement.ok()) return refuse(statement.error());
  if (options.format != "auto") {
    if (const auto format = log::format_from_name(options.format, options.pattern); !format.ok()) {
      return refuse(
          {Errc::invalid_argument, "--format " + options.format + ": " + format.error().message});
    }
  }
  const bool local = place_files(*statement, options);
  if (statement->explain == nq::Statement::Explain::plan) {
    std::fputs(nq::explain(*statement).c_str(), stdout);
    return kExitOk;
  }
  if (!local) return ask_agent_to_query(options);
  std::vector<RemoteConfig> remotes;
  if (names_remotes(*statement)) {
    Loaded loaded = load_config(options.common.config, {});
    // Without a configuration that may be read here, the agent has one.
    if (loaded.node.file.empty()) return ask_agent_to_query(options);
    remotes = std::move(loaded.node.remotes);
    if (remotes.empty() && !loaded.ok()) return refuse_config(loaded);
  }
  return Runner(options, clock, remotes).run(*statement);
}

}  // namespace nines::agent
