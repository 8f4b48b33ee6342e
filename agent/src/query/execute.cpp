#include "query/execute.hpp"

#include <memory>
#include <utility>
#include <variant>

#include "nines/sql/residual.hpp"
#include "query/block_run.hpp"
#include "query/feed.hpp"
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

Status run_sql(const nq::Statement& statement, const Environment& environment, AnswerSink& out,
               Answer& answer) {
  std::vector<std::unique_ptr<sql::Table>> tables;
  std::vector<sql::NamedTable> named;
  for (const nq::Input& input : statement.inputs) {
    tables.push_back(make_table(input, environment, answer));
    named.push_back({input.table, tables.back().get()});
  }
  sql::Limits limits;
  limits.max_bytes = environment.max_bytes;
  limits.stop = environment.stop;
  NINES_TRY(const auto residual, sql::Residual::prepare(statement.residual, named, limits));
  out.begin(residual->columns());
  Counted counted(out, answer, environment.progress);
  const Status done = residual->run(counted);
  if (!done.ok() && done.error().code == Errc::cancelled) return Ok{};
  return done;
}

Status run_native(const nq::Block& block, const Environment& environment, AnswerSink& out,
                  Answer& answer) {
  out.begin(block.columns);
  Counted counted(out, answer, environment.progress);
  return run_block(block, environment, counted, answer);
}

// For the share of progress; what cannot be found is told later.
void measure(const nq::Statement& statement, const Environment& environment) {
  if (environment.progress == nullptr) return;
  for (const nq::Input& input : statement.inputs) {
    const auto& source = std::visit(
        [](const auto& what) -> const nq::SourceRef& { return what.source; }, input.what);
    environment.progress->bytes_total.fetch_add(stored_bytes(source, environment));
  }
}

}  // namespace

Status run_statement(const nq::Statement& statement, const Environment& environment,
                     AnswerSink& out, Answer& answer) {
  const Instant begin = environment.clock.mono();
  measure(statement, environment);
  Status done = Ok{};
  if (statement.residual.empty()) {
    done = run_native(std::get<nq::Block>(statement.inputs[0].what), environment, out, answer);
  } else {
    done = run_sql(statement, environment, out, answer);
  }
  answer.elapsed_ns = environment.clock.mono().ns - begin.ns;
  if (environment.clock.mono() >= environment.deadline) {
    answer.incomplete("the deadline was reached; what had been read by then is here");
  } else if (environment.stopped()) {
    answer.incomplete("cancelled; what had been read by then is here");
  }
  if (done.ok()) answer.nodes_ok.push_back(environment.node);
  return done;
}

}  // namespace nines::agent::query
