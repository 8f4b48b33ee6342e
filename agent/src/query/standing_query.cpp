#include "query/standing_query.hpp"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "nines/query/pipeline.hpp"
#include "query/followed.hpp"
#include "query/service.hpp"
#include "query/value_json.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr size_t kReadBytes = 4 * 1024 * 1024;
constexpr size_t kMaxFiles = 1024;
constexpr size_t kMaxOpen = 16;
// A record that may go on over more lines is taken after this long without more.
constexpr int64_t kHoldMs = 500;
constexpr int kHoldStepMs = 100;
constexpr int64_t kHoldRoundsMs = kHoldMs + 2 * kHoldStepMs;

Error refused(const std::string& what, const std::string& instead) {
  return {Errc::unsupported, "a standing query cannot have " + what + "; " + instead};
}

bool is_event_stage(const nq::Stage& stage) {
  return std::holds_alternative<nq::SessionStage>(stage) ||
         std::holds_alternative<nq::MatchStage>(stage) ||
         std::holds_alternative<nq::ContextByStage>(stage);
}

bool has_events(const nq::Block& block) {
  return std::any_of(block.stages.begin(), block.stages.end(), is_event_stage);
}

bool has_limit(const nq::Block& block) {
  return std::any_of(block.stages.begin(), block.stages.end(), [](const nq::Stage& stage) {
    const auto* sort = std::get_if<nq::SortStage>(&stage);
    return sort != nullptr && (sort->limit || sort->offset != 0);
  });
}

bool has_anomaly(const nq::Block& block) {
  return std::any_of(block.stages.begin(), block.stages.end(), [](const nq::Stage& stage) {
    return std::holds_alternative<nq::AnomalyStage>(stage);
  });
}

Status check_source(const nq::SourceRef& source) {
  if (source.kind == nq::SourceRef::Kind::remote) {
    return refused("a remote for its source", "let it look at the logs themselves: logs('NAME')");
  }
  if (std::find(source.names.begin(), source.names.end(), "-") != source.names.end()) {
    return refused("standard input for its source", "name files or sources of nines.yaml");
  }
  return Ok{};
}

const nq::Block& block_of(const nq::Statement& statement) {
  return std::get<nq::Block>(statement.inputs[0].what);
}

collector::TailerOptions tailer_options(const NodeConfig& node) {
  collector::TailerOptions options;
  options.buffer_bytes = static_cast<size_t>(node.max_line_bytes);
  options.max_files = kMaxFiles;
  options.max_open = kMaxOpen;
  options.hold_ms = kHoldMs;
  options.use_inotify = false;  // it looks when it runs
  return options;
}

}  // namespace

// Rows as JSON, as far as one message holds them.
class StandingQuery::Collector final : public nq::RowSink {
 public:
  Collector(const std::vector<std::string>& columns, uint64_t limit)
      : columns_(columns), limit_(limit) {}

  bool take(const nq::Row& row) override {
    ++count_;
    if (told_ >= limit_ || json_.size() > kMaxRowsBytes) return true;
    const size_t before = json_.size();
    if (told_ > 0) json_ += ',';
    append_row_json(json_, columns_, row);
    if (json_.size() > kMaxRowsBytes) {
      json_.resize(before);
    } else {
      ++told_;
    }
    return true;
  }

  void hand_over(StandingRun& run) {
    run.rows = "[" + std::exchange(json_, {}) + "]";
    run.count = std::exchange(count_, 0);
    run.omitted = run.count - std::exchange(told_, 0);
  }

 private:
  const std::vector<std::string>& columns_;
  uint64_t limit_;
  std::string json_;
  uint64_t count_ = 0, told_ = 0;
};

// What takes the rows of the files changes from run to run, and files are read to their end even
// when it wants no more of them.
class StandingQuery::Input final : public nq::RowSink {
 public:
  void set(nq::RowSink* to) {
    to_ = to;
    open_ = to != nullptr;
  }
  bool take(const nq::Row& row) override {
    if (open_) open_ = to_->take(row);
    return true;
  }

 private:
  nq::RowSink* to_ = nullptr;
  bool open_ = false;
};

Status StandingQuery::check(const nq::Statement& statement) {
  if (statement.explain != nq::Statement::Explain::no) {
    return refused("EXPLAIN", "nines query 'EXPLAIN ...' shows its plan");
  }
  if (!statement.residual.empty()) {
    return refused("joins, subqueries or window functions around its log source",
                   "write one SELECT ... FROM logs(...)");
  }
  const auto* block = std::get_if<nq::Block>(&statement.inputs[0].what);
  if (block == nullptr) {
    return refused(statement.inputs[0].why_not_native, "ask for it with nines query");
  }
  NINES_CHECK(check_source(block->source));
  if (has_anomaly(*block)) {
    return refused("anomaly(), whose baseline would be the records of one run",
                   "compare with a number in HAVING, or ask with nines query SINCE '-1d'");
  }
  if (!has_events(*block)) return Ok{};
  if (has_limit(*block)) {
    return refused("LIMIT of sessions or matches, behind which it would tell nothing ever again",
                   "leave it out: `limit` of the query bounds the rows of one message");
  }
  return standing_block(statement).ok() ? Status(Ok{}) : standing_block(statement).error();
}

StandingQuery::StandingQuery(const StandingQueryConfig& config, const NodeConfig& node,
                             const Clock& clock, Bookmark bookmark, RunControl control)
    : config_(config),
      node_(node),
      clock_(clock),
      bookmark_(std::move(bookmark)),
      control_(std::move(control)),
      environment_{clock,   {},      node.node, 1,   kMaxStateBytes, {}, nullptr,
                   nullptr, nullptr, {},        true} {
  environment_.stop = control_.stop;
  environment_.resolve = [this](const nq::SourceRef& source) {
    return resolve_source(node_, source);
  };
}

StandingQuery::~StandingQuery() = default;

// Again at the next run where it fails: a source may be there by then.
Status StandingQuery::prepare() {
  if (files_) return Ok{};
  NINES_TRY(statement_, nq::parse_statement(config_.sql, {clock_.wall(), true}));
  NINES_CHECK(check(statement_));
  auto& block = std::get<nq::Block>(statement_.inputs[0].what);
  block.scan.first_rows.reset();  // that is of a run, not of all
  rows_ = std::make_unique<Collector>(block.columns, config_.limit);
  input_ = std::make_unique<Input>();
  environment_.max_bytes = static_cast<size_t>(
      std::min<uint64_t>(kMaxStateBytes, statement_.max_memory.value_or(UINT64_MAX)));
  FollowedOptions options;
  options.by_time = nq::split_of(block.stages).by_time;
  if (has_events(block)) {
    nq::Limits limits;
    limits.max_bytes = std::min(environment_.max_bytes, kMaxEventStateBytes);
    NINES_TRY(events_, StandingBlock::make(statement_, limits, *rows_));
    options.by_time = events_->by_time();
    input_->set(&events_->input());
  }
  options.from_end = config_.from_end;
  options.restrict_links = true;
  options.tailer = tailer_options(node_);
  options.saved = bookmark_.positions();
  options.did_read = control_.did_read;
  NINES_TRY(files_, Followed::open(block, environment_, std::move(options), *input_));
  return Ok{};
}

StandingRun StandingQuery::run() {
  StandingRun run;
  const Instant begin = clock_.mono();
  run.since = bookmark_.run_at();
  run.at = to_ms(clock_.wall());
  environment_.deadline = {begin.ns + kMaxRunNs};
  Status done = prepare();
  if (done.ok()) {
    read(run);
    done = files_->problem();
  }
  run.stopped = control_.stop != nullptr && control_.stop->load();
  if (!done.ok()) run.problems.push_back(done.error().message);
  run.duration_ns = clock_.mono().ns - begin.ns;
  return run;
}

void StandingQuery::read(StandingRun& run) {
  const nq::Block& block = block_of(statement_);
  if (statement_.deadline_ns) {
    environment_.deadline.ns =
        std::min(environment_.deadline.ns, clock_.mono().ns + *statement_.deadline_ns);
  }
  std::unique_ptr<nq::QueryPipeline> pipeline;
  if (!events_) {
    nq::Limits limits;
    limits.max_bytes = environment_.max_bytes;
    pipeline = nq::QueryPipeline::make(block.stages, nq::columns_of(block.scan), limits, *rows_);
    input_->set(&pipeline->input());
  }
  const Followed::Tick tick = [this](WallTime newest) { note_time(newest); };
  files_->rescan();
  files_->catch_up(tick);
  files_->read_to_end();
  files_->wait_and_read(0, kReadBytes, tick);
  const Instant until{clock_.mono().ns + kHoldRoundsMs * kNsPerMs};
  while (files_->going() && files_->holds_back() && clock_.mono() < until) {
    files_->wait_and_read(kHoldStepMs, kReadBytes, tick);
  }
  run.lag_bytes = files_->lag_bytes();
  if (events_ && newest_ && run.lag_bytes == 0) {
    events_->tick({newest_->ns + (clock_.mono().ns - newest_seen_.ns)});
  }
  Answer did;
  files_->tell(did);
  if (pipeline) {
    pipeline->finish();
    input_->set(nullptr);
    const Status status = pipeline->status();
    if (!status.ok()) run.problems.push_back(status.error().message);
    run.evicted = pipeline->stats().evicted;
  } else {
    const uint64_t evicted = events_->stats().evicted;
    run.evicted = evicted - std::exchange(evicted_, evicted);
  }
  run.records = did.scan.records - std::exchange(records_, did.scan.records);
  rows_->hand_over(run);
  keep_place(run);
}

// While no record comes, the time of the logs goes on as ours does, from the newest that was seen:
// a session that is over is told although nobody logs anything more.
void StandingQuery::note_time(WallTime newest) {
  if (!events_) return;
  events_->tick(newest);
  if (newest_ && *newest_ >= newest) return;
  newest_ = newest;
  newest_seen_ = clock_.mono();
}

void StandingQuery::keep_place(StandingRun& run) {
  const std::vector<SourcePositions> changes = files_->take_positions();
  std::vector<std::string> sources;
  for (const SourcePositions& source : changes) sources.push_back(source.source);
  const bool first = bookmark_.fresh();
  bookmark_.retain(sources);
  const bool changed = bookmark_.apply(changes);
  bookmark_.set_run_at(run.at);
  // A run that found nothing is not worth a write.
  if (first || changed) run.documents = bookmark_.documents(config_.name);
}

}  // namespace nines::agent::query
