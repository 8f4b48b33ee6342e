#include "query/execute.hpp"

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>
#include <variant>

#include "nines/sql/residual.hpp"
#include "query/block_run.hpp"
#include "query/feed.hpp"
#include "query/missing_fields.hpp"
#include "query/nodes.hpp"
#include "query/tables.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

// Counts what goes out.
class Counted final : public nq::RowSink {
 public:
  Counted(nq::RowSink& out, Answer& answer, Progress* progress)
      : out_(out), answer_(answer), progress_(progress) {}
  bool take(const nq::Row& row) override {
    ++answer_.rows;
    if (progress_ != nullptr) progress_->rows.fetch_add(1, std::memory_order_relaxed);
    return out_.take(row);
  }

 private:
  nq::RowSink& out_;
  Answer& answer_;
  Progress* progress_;
};

// Sets a flag when the query is to end, whichever way: those who wait for bytes or work in SQLite
// look at nothing else.
class Watch {
 public:
  explicit Watch(const Environment& environment)
      : environment_(environment), thread_([this] { run(); }) {}
  ~Watch() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    ended_.notify_one();
    thread_.join();
  }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  const std::atomic<bool>& flag() const noexcept { return flag_; }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!ended_.wait_for(lock, std::chrono::milliseconds(20), [this] { return over_; })) {
      if (!environment_.stopped()) continue;
      flag_ = true;
      return;
    }
  }

  const Environment& environment_;
  std::atomic<bool> flag_{false};
  std::mutex mutex_;
  std::condition_variable ended_;
  bool over_ = false;
  std::thread thread_;
};

// Other nodes do not tell which fields they saw.
void hint_at_missing(const nq::Input& input, const Environment& environment, Answer& did) {
  std::visit(
      [&](const auto& what) {
        const auto links = links_of(what.source, environment);
        if (!links.ok() || !links->empty()) return;
        hint_at_missing_fields(what.scan, what.source, environment, did);
      },
      input.what);
}

Status run_sql(const nq::Statement& statement, const Environment& environment, AnswerSink& out,
               Answer& answer) {
  std::vector<std::unique_ptr<sql::Table>> tables;
  std::vector<sql::NamedTable> named;
  std::vector<Answer> did(statement.inputs.size());
  for (size_t i = 0; i < did.size(); ++i) {
    const nq::Input& input = statement.inputs[i];
    NINES_TRY(auto table, make_table(input, environment, did[i]));
    tables.push_back(std::move(table));
    named.push_back({input.table, tables.back().get()});
  }
  sql::Limits limits;
  limits.max_bytes = environment.max_bytes;
  limits.stop = environment.stop;
  NINES_TRY(const auto residual, sql::Residual::prepare(statement.residual, named, limits));
  out.begin(residual->columns());
  Counted counted(out, answer, environment.progress);
  Status done = residual->run(counted);
  tables.clear();
  for (size_t i = 0; i < did.size(); ++i) {
    if (done.ok()) hint_at_missing(statement.inputs[i], environment, did[i]);
    answer.add_input(std::move(did[i]));
  }
  if (!done.ok() && done.error().code == Errc::cancelled) return Ok{};
  return done;
}

Status run_on_nodes(const nq::Block& block, std::vector<NodeLink> links,
                    const Environment& environment, nq::RowSink& out, Answer& answer) {
  NINES_TRY(const auto run, NodesRun::start(block, std::move(links), environment, out, answer));
  while (run->step()) {
  }
  return run->status();
}

Status run_native(const nq::Block& block, const Environment& environment, AnswerSink& out,
                  Answer& answer) {
  Answer did;
  const Instant begin = environment.clock.mono();
  NINES_TRY(auto links, links_of(block.source, environment));
  out.begin(block.columns);
  Counted counted(out, answer, environment.progress);
  Status done = Ok{};
  if (links.empty()) {
    done = run_block(block, environment, counted, did);
    if (done.ok()) did.nodes_ok.push_back(environment.node);
    if (done.ok()) hint_at_missing_fields(block.scan, block.source, environment, did);
  } else {
    done = run_on_nodes(block, std::move(links), environment, counted, did);
  }
  did.rows = answer.rows;
  did.elapsed_ns = environment.clock.mono().ns - begin.ns;
  answer.add_input(std::move(did));
  return done;
}

// For the share of progress; what cannot be found is told later.
void measure(const nq::Statement& statement, const Environment& environment) {
  if (environment.progress == nullptr) return;
  for (const nq::Input& input : statement.inputs) {
    const auto& source = std::visit(
        [](const auto& what) -> const nq::SourceRef& { return what.source; }, input.what);
    const auto links = links_of(source, environment);
    if (!links.ok() || !links->empty()) continue;  // nodes say it themselves
    if (const auto groups = find_sources(source, environment); groups.ok()) {
      environment.progress->bytes_total.fetch_add(stored_bytes(*groups));
    }
  }
}

}  // namespace

Status run_statement(const nq::Statement& statement, const Environment& environment,
                     AnswerSink& out, Answer& answer) {
  const Instant begin = environment.clock.mono();
  measure(statement, environment);
  Environment watched = environment;
  std::optional<Watch> watch;
  if (environment.deadline.ns != INT64_MAX || environment.left != nullptr) {
    try {
      watch.emplace(environment);
    } catch (const std::system_error& e) {
      return Error{Errc::io,
                   std::string("the system gives this program no thread for a query: ") + e.what() +
                       "; look at its limits (TasksMax=, pids.max, ulimit -u)",
                   e.code().value()};
    }
    watched.stop = &watch->flag();
  }
  Status done = Ok{};
  if (statement.residual.empty()) {
    done = run_native(std::get<nq::Block>(statement.inputs[0].what), watched, out, answer);
  } else {
    done = run_sql(statement, watched, out, answer);
  }
  answer.elapsed_ns = environment.clock.mono().ns - begin.ns;
  if (environment.clock.mono() >= environment.deadline) {
    answer.incomplete("the deadline was reached; what had been read by then is here");
  } else if (environment.stopped()) {
    answer.incomplete("cancelled; what had been read by then is here");
  }
  return done;
}

}  // namespace nines::agent::query
