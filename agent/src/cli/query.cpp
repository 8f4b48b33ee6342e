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
#include "cli/query_parts.hpp"
#include "cli/terminal.hpp"
#include "config/config.hpp"
#include "nines/collector/block_index.hpp"
#include "nines/log/format.hpp"
#include "query/analyze.hpp"
#include "query/execute.hpp"
#include "query/output.hpp"
#include "query/progress.hpp"

namespace nines::agent {
namespace {

namespace nq = nines::query;

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

// On the terminal while it runs, when nothing else is being written there; of other nodes a line
// each.
class ProgressLine {
 public:
  ProgressLine(const query::Progress& progress, const query::NodeBoard& board, const Clock& clock)
      : progress_(progress), board_(board), clock_(clock), begin_(clock.mono()), thread_([this] {
          run();
        }) {}
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
    while (!ended_.wait_for(lock, std::chrono::milliseconds(250), [this] { return over_; })) {
      const std::string text =
          query::progress_text(progress_.bytes_done.load(), progress_.bytes_total.load(),
                               progress_.rows.load(), clock_.mono().ns - begin_.ns);
      clear();
      const std::vector<std::string> nodes = query::board_text(board_.lines(), kMostLines);
      for (const std::string& line : nodes) std::fprintf(stderr, "%s\x1b[K\n", line.c_str());
      std::fprintf(stderr, "%s\x1b[K", text.c_str());
      std::fflush(stderr);
      lines_ = nodes.size() + 1;
    }
    clear();
  }
  // Back to where the first line begins.
  void clear() {
    if (lines_ > 1) std::fprintf(stderr, "\r\x1b[%zuA\x1b[J", lines_ - 1);
    if (lines_ == 1) std::fprintf(stderr, "\r\x1b[K");
    lines_ = 0;
  }

  static constexpr size_t kMostLines = 16;
  size_t lines_ = 0;
  const query::Progress& progress_;
  const query::NodeBoard& board_;
  const Clock& clock_;
  Instant begin_;
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

// ssh itself gives up on a host that does not answer; copying the program may take its time.
constexpr int64_t kSshOpen = 120 * kNsPerSecond;
constexpr int64_t kPeerOpen = query::NodesOptions().open_ns;

class Runner {
 public:
  Runner(const QueryOptions& options, const Clock& clock, std::span<const RemoteConfig> remotes,
         std::vector<query::NodeLink> links, int64_t open_ns)
      : options_(options),
        clock_(clock),
        remotes_(remotes),
        links_(std::move(links)),
        open_ns_(open_ns),
        index_(options.common.state.empty() ? kDefaultState : options.common.state),
        writer_(query::make_writer(query_writer_options(options),
                                   [this](std::string_view bytes) { return write(bytes); })) {}

  int run(nq::Statement& statement) {
    query::Environment environment = query_environment(options_, statement, clock_);
    environment.progress = &progress_;
    environment.index = &index_;
    environment.remotes = remotes_;
    query::Nodes nodes;
    if (!links_.empty()) {
      nodes.board = &board_;
      nodes.options.open_ns = open_ns_;
      nodes.links = [this](const nq::SourceRef& source) { return chosen(source); };
      environment.nodes = &nodes;
    }
    held_back_ = !statement.allow_partial;
    most_held_ = environment.max_bytes;
    if (statement.explain == nq::Statement::Explain::analyze)
      return analyze(statement, environment);
    query::Answer answer;
    Status done = Ok{};
    {
      std::optional<ProgressLine> line;
      if (shows_progress()) line.emplace(progress_, board_, clock_);
      done = query::run_statement(statement, environment, *writer_, answer);
    }
    if (const Status problem = writer_->problem(); done.ok() && !problem.ok()) done = problem;
    if (done.ok() && held_back_) done = partial(answer);
    if (!done.ok()) return refuse_query(done.error());
    writer_->end(answer);
    write_query(held_);
    const bool own_summary =
        options_.output != query::Format::csv && options_.output != query::Format::raw;
    if (!own_summary && !answer.complete) {
      std::fprintf(stderr, "nines query: %s", query::answer_text(answer).c_str());
    } else if (!own_summary) {
      for (const auto& told : {answer.notes, answer.hints}) {
        for (const std::string& note : told) {
          std::fprintf(stderr, "nines query: %s\n", note.c_str());
        }
      }
    }
    return answer.complete ? kExitOk : kExitUnavailable;
  }

 private:
  bool shows_progress() const {
    return options_.progress && ::isatty(STDERR_FILENO) != 0 &&
           (::isatty(STDOUT_FILENO) == 0 || options_.output == query::Format::table);
  }

  // WITH (partial='refuse') keeps the answer until it is known to be complete.
  bool write(std::string_view bytes) {
    if (!held_back_) return write_query(bytes);
    too_large_ = too_large_ || held_.size() + bytes.size() > most_held_;
    if (!too_large_) held_.append(bytes);
    return !too_large_;
  }
  Status partial(const query::Answer& answer) {
    if (too_large_) {
      return Error{
          Errc::exhausted,
          "with partial='refuse' the answer is kept until it is complete, and it is larger "
          "than --max-memory allows (" +
              std::to_string(most_held_) + " bytes)"};
    }
    return query::whole(answer);
  }

  int analyze(const nq::Statement& statement, const query::Environment& environment) {
    query::Answer answer;
    const auto text = query::analyze(statement, environment, options_.output, answer);
    if (!text.ok()) return refuse_query(text.error());
    if (const Status whole = partial(answer); held_back_ && !whole.ok()) {
      return refuse_query(whole.error());
    }
    write_query(*text);
    return answer.complete ? kExitOk : kExitUnavailable;
  }

  // AT NODES of the source, else --nodes, else all.
  Result<std::vector<query::NodeLink>> chosen(const nq::SourceRef& source) const {
    return query::choose_nodes(links_, source.nodes.empty() ? options_.nodes : source.nodes);
  }

  const QueryOptions& options_;
  const Clock& clock_;
  std::span<const RemoteConfig> remotes_;
  std::vector<query::NodeLink> links_;  // other nodes; empty: everything is read here
  int64_t open_ns_;
  const collector::BlockIndex index_;  // of the agent of this node, where it can be read
  query::Progress progress_;
  query::NodeBoard board_;
  std::unique_ptr<query::AnswerWriter> writer_;
  bool held_back_ = false, too_large_ = false;
  size_t most_held_ = 0;
  std::string held_;
};

int query_over_ssh(nq::Statement& statement, const QueryOptions& options, const Clock& clock) {
  if (names_remotes(statement)) {
    return refuse_query({Errc::unsupported, "remote(...) is asked from here, without --ssh"});
  }
  auto links = ssh_links(options, clock);
  if (!links.ok()) return refuse_query(links.error());
  return Runner(options, clock, {}, std::move(*links), kSshOpen).run(statement);
}

// The agents of other nodes: through that of this node, or from here.
int query_over_nodes(nq::Statement& statement, const QueryOptions& options, const Clock& clock) {
  std::vector<std::string> wanted = options.nodes;
  for (nq::Input& input : statement.inputs) {
    const auto& names = source_of(input).nodes;
    wanted.insert(wanted.end(), names.begin(), names.end());
  }
  auto way = direct_way(options, wanted, clock);
  if (!way.ok()) return refuse_query(way.error());
  if (!way->taken) return ask_agent_to_query(options);
  if (names_remotes(statement)) {
    return refuse_query({Errc::unsupported, "remote(...) is asked from here, without --nodes"});
  }
  return Runner(options, clock, {}, std::move(way->links), kPeerOpen).run(statement);
}

int run_statement(nq::Statement& statement, const QueryOptions& options, const Clock& clock) {
  const bool local = place_files(statement, options);
  if (statement.explain == nq::Statement::Explain::plan) {
    write_query(query::plan_text(statement, options.output));
    return kExitOk;
  }
  if (options.follow && !local) {
    return refuse_query({Errc::unsupported,
                         "--follow reads files itself: name them behind the statement, or write "
                         "FROM files('GLOB')"});
  }
  if (options.follow) return follow_query(options, statement, clock);
  if (!options.ssh.empty()) return query_over_ssh(statement, options, clock);
  if (options.direct || !options.nodes.empty()) {
    return query_over_nodes(statement, options, clock);
  }
  if (!local) return ask_agent_to_query(options);
  std::vector<RemoteConfig> remotes;
  if (names_remotes(statement)) {
    Loaded loaded = load_config(options.common.config, {});
    // Without a configuration that may be read here, the agent has one.
    if (loaded.node.file.empty()) return ask_agent_to_query(options);
    remotes = std::move(loaded.node.remotes);
    if (remotes.empty() && !loaded.ok()) return refuse_config(loaded);
  }
  return Runner(options, clock, remotes, {}, 0).run(statement);
}

}  // namespace

int refuse_query(const Error& error) {
  std::fprintf(stderr, "nines query: %s\n", error.message.c_str());
  return error.code == Errc::invalid_argument || error.code == Errc::unsupported ? kExitUsage
                                                                                 : kExitUnavailable;
}

query::WriterOptions query_writer_options(const QueryOptions& options) {
  const Terminal terminal = terminal_of_stdout();
  query::WriterOptions writer;
  writer.format = options.output;
  if (terminal.width > 0 && ::isatty(STDOUT_FILENO) != 0) writer.width = terminal.width;
  writer.color = terminal.color;
  return writer;
}

bool write_query(std::string_view bytes) {
  return std::fwrite(bytes.data(), 1, bytes.size(), stdout) == bytes.size() &&
         std::fflush(stdout) == 0;
}

query::Environment query_environment(const QueryOptions& options, const nq::Statement& statement,
                                     const Clock& clock) {
  query::Environment environment{clock, {}, {}, 1, 0, {}, nullptr, nullptr, nullptr, {}, false};
  environment.resolve = [](const nq::SourceRef&) -> Result<std::vector<nq::SourceRef>> {
    return Error{Errc::unavailable, "only the running agent knows this source"};
  };
  environment.node = host_name();
  environment.threads =
      options.threads > 0 ? static_cast<unsigned>(options.threads) : usable_cores();
  environment.max_bytes = statement.max_memory.value_or(options.max_bytes);
  environment.deadline = Instant{INT64_MAX};
  if (statement.deadline_ns) {
    environment.deadline = Instant{clock.mono().ns + *statement.deadline_ns};
  }
  environment.stop = &stop_flag();
  return environment;
}

int run_query(const QueryOptions& given, const Clock& clock) {
  if (given.list) return list_queries(given);
  if (given.complete) return complete_fields(given, clock);
  if (given.sql.empty()) {
    return refuse_query({Errc::invalid_argument, "a statement is wanted, or @NAME of a saved one"});
  }
  if (!given.save.empty()) return save_query(given, clock);
  auto sql = saved_query(given);
  if (!sql.ok()) return refuse_query(sql.error());
  QueryOptions options = given;
  options.sql = std::move(*sql);
  nq::ParseOptions parse;
  parse.now = clock.wall();
  parse.native = options.native;
  auto statement = nq::parse_statement(options.sql, parse);
  if (!statement.ok()) return refuse_query(statement.error());
  if (options.format != "auto") {
    if (const auto format = log::format_from_name(options.format, options.pattern); !format.ok()) {
      return refuse_query(
          {Errc::invalid_argument, "--format " + options.format + ": " + format.error().message});
    }
  }
  return run_statement(*statement, options, clock);
}

}  // namespace nines::agent
