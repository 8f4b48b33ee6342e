#include "query/tables.hpp"

#include <algorithm>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include "nines/expr/expression.hpp"
#include "query/block_run.hpp"
#include "query/feed.hpp"
#include "query/nodes.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

// Works out the columns of a table from the rows of a scan.
class Compute final : public nq::RowSink {
 public:
  Compute(const nq::TableScan& table, nq::RowSink& out) : out_(out) {
    const std::vector<std::string> inputs = nq::columns_of(table.scan);
    for (const nq::Column& column : table.columns) {
      std::vector<size_t> slots;
      for (const std::string& field : column.value.fields()) {
        const auto it = std::find(inputs.begin(), inputs.end(), field);
        slots.push_back(static_cast<size_t>(it - inputs.begin()));
      }
      evaluators_.emplace_back(column.value, slots);
    }
    values_.resize(evaluators_.size());
  }

  bool take(const nq::Row& row) override {
    for (size_t i = 0; i < evaluators_.size(); ++i) values_[i] = evaluators_[i].eval(row.values);
    nq::Row out = row;
    out.values = values_;
    return out_.take(out);
  }

 private:
  nq::RowSink& out_;
  std::vector<expr::Evaluator> evaluators_;
  std::vector<Value> values_;
};

class ScanCursor final : public sql::Table::Cursor {
 public:
  static Result<std::unique_ptr<Cursor>> open(const nq::TableScan& table,
                                              const Environment& environment, Answer& answer) {
    NINES_TRY(auto groups, find_sources(table.source, environment));
    return std::unique_ptr<Cursor>(new ScanCursor(table, environment, std::move(groups), answer));
  }

  ~ScanCursor() override {
    if (!ended_) answer_.scan.partly = true;
  }

  Status next(nq::RowBatch& out) override {
    const Instant begin = environment_.clock.mono();
    out.clear();
    Compute compute(table_, out);
    while (out.size() == 0 && !environment_.stopped() && !ended_) ended_ = !feed_->step(compute);
    answer_.rows += out.size();
    answer_.elapsed_ns += environment_.clock.mono().ns - begin.ns;
    return Ok{};
  }

 private:
  ScanCursor(const nq::TableScan& table, const Environment& environment,
             std::vector<FileGroup> groups, Answer& answer)
      : table_(table),
        environment_(environment),
        answer_(answer),
        parts_(table.scan, environment, std::move(groups), answer),
        feed_(make_serial_feed(parts_)) {}

  const nq::TableScan& table_;
  const Environment& environment_;
  Answer& answer_;
  PartQueue parts_;
  std::unique_ptr<Feed> feed_;
  bool ended_ = false;
};

class ScanTable final : public sql::Table {
 public:
  ScanTable(const nq::TableScan& table, const Environment& environment, Answer& answer)
      : table_(table), environment_(environment), answer_(answer) {
    for (const nq::Column& column : table.columns) names_.push_back(column.name);
  }
  const std::vector<std::string>& columns() const override { return names_; }
  Result<std::unique_ptr<Cursor>> open(const Wish&) override {
    return ScanCursor::open(table_, environment_, answer_);
  }

 private:
  const nq::TableScan& table_;
  const Environment& environment_;
  Answer& answer_;
  std::vector<std::string> names_;
};

// The same over other nodes.
class NodesCursor final : public sql::Table::Cursor {
 public:
  static Result<std::unique_ptr<Cursor>> open(const nq::Block& block, std::vector<NodeLink> links,
                                              const Environment& environment, Answer& answer) {
    auto cursor = std::make_unique<NodesCursor>(block.columns.size(), environment, answer);
    NINES_TRY(cursor->run_,
              NodesRun::start(block, std::move(links), environment, cursor->rows_, cursor->did_));
    return std::unique_ptr<Cursor>(std::move(cursor));
  }
  NodesCursor(size_t columns, const Environment& environment, Answer& answer)
      : environment_(environment), answer_(answer), rows_(columns) {}
  ~NodesCursor() override { answer_.add_reading(did_); }

  Status next(nq::RowBatch& out) override {
    const Instant begin = environment_.clock.mono();
    rows_.clear();
    while (rows_.size() == 0) {
      if (run_->step()) continue;
      NINES_CHECK(run_->status());
      break;
    }
    answer_.rows += rows_.size();
    answer_.elapsed_ns += environment_.clock.mono().ns - begin.ns;
    std::swap(out, rows_);
    return Ok{};
  }

 private:
  const Environment& environment_;
  Answer& answer_;
  Answer did_;
  nq::RowBatch rows_;
  std::unique_ptr<NodesRun> run_;
};

class NodesTable final : public sql::Table {
 public:
  NodesTable(nq::Block block, std::vector<NodeLink> links, const Environment& environment,
             Answer& answer)
      : block_(std::move(block)),
        links_(std::move(links)),
        environment_(environment),
        answer_(answer) {}
  const std::vector<std::string>& columns() const override { return block_.columns; }
  Result<std::unique_ptr<Cursor>> open(const Wish&) override {
    return NodesCursor::open(block_, links_, environment_, answer_);
  }

 private:
  nq::Block block_;
  std::vector<NodeLink> links_;
  const Environment& environment_;
  Answer& answer_;
};

// A table is the block that works out its columns.
nq::Block block_of(const nq::Input& input) {
  if (const auto* block = std::get_if<nq::Block>(&input.what)) return *block;
  const auto& table = std::get<nq::TableScan>(input.what);
  nq::Block block;
  block.source = table.source;
  block.scan = table.scan;
  block.stages.emplace_back(nq::ProjectStage{std::nullopt, table.columns});
  for (const nq::Column& column : table.columns) block.columns.push_back(column.name);
  return block;
}

// Hands over what a block pushes, in pieces.
class BlockCursor final : public sql::Table::Cursor {
 public:
  static Result<std::unique_ptr<Cursor>> open(const nq::Block& block,
                                              const Environment& environment, Answer& answer) {
    auto cursor = std::make_unique<BlockCursor>(block.columns.size(), environment, answer);
    NINES_TRY(cursor->run_, BlockRun::start(block, environment, cursor->rows_, answer));
    return std::unique_ptr<Cursor>(std::move(cursor));
  }
  BlockCursor(size_t columns, const Environment& environment, Answer& answer)
      : environment_(environment), answer_(answer), rows_(columns) {}
  ~BlockCursor() override {
    if (!ended_) answer_.scan.partly = true;
  }

  Status next(nq::RowBatch& out) override {
    const Instant begin = environment_.clock.mono();
    rows_.clear();
    while (rows_.size() == 0) {
      if (run_->step()) continue;
      ended_ = true;
      NINES_CHECK(run_->status());
      break;
    }
    answer_.rows += rows_.size();
    answer_.elapsed_ns += environment_.clock.mono().ns - begin.ns;
    std::swap(out, rows_);
    return Ok{};
  }

 private:
  const Environment& environment_;
  Answer& answer_;
  nq::RowBatch rows_;
  std::unique_ptr<BlockRun> run_;
  bool ended_ = false;
};

class BlockTable final : public sql::Table {
 public:
  BlockTable(const nq::Block& block, const Environment& environment, Answer& answer)
      : block_(block), environment_(environment), answer_(answer) {}
  const std::vector<std::string>& columns() const override { return block_.columns; }
  Result<std::unique_ptr<Cursor>> open(const Wish&) override {
    return BlockCursor::open(block_, environment_, answer_);
  }

 private:
  const nq::Block& block_;
  const Environment& environment_;
  Answer& answer_;
};

}  // namespace

Result<std::unique_ptr<sql::Table>> make_table(const nq::Input& input,
                                               const Environment& environment, Answer& answer) {
  const auto& source =
      std::visit([](const auto& what) -> const nq::SourceRef& { return what.source; }, input.what);
  NINES_TRY(auto links, links_of(source, environment));
  if (!links.empty()) {
    return std::unique_ptr<sql::Table>(
        new NodesTable(block_of(input), std::move(links), environment, answer));
  }
  answer.nodes_ok.push_back(environment.node);
  if (const auto* block = std::get_if<nq::Block>(&input.what)) {
    return std::unique_ptr<sql::Table>(new BlockTable(*block, environment, answer));
  }
  return std::unique_ptr<sql::Table>(
      new ScanTable(std::get<nq::TableScan>(input.what), environment, answer));
}

}  // namespace nines::agent::query
