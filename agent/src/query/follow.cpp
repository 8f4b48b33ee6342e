#include "query/follow.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "app/inputs.hpp"
#include "nines/collector/input_set.hpp"
#include "nines/collector/row_reader.hpp"
#include "nines/collector/tailer.hpp"
#include "query/feed.hpp"
#include "query/standing.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr int kWaitMs = 200;  // how soon a stop is seen
constexpr size_t kReadBytes = 4 * 1024 * 1024;
constexpr int64_t kStepNs = kNsPerSecond;          // of catching up in the order of time
constexpr int64_t kMaxSkewNs = 60 * kNsPerSecond;  // a time stamp further ahead is not believed

class Gate final : public AnswerSink {
 public:
  Gate(AnswerSink& out, Answer& answer) : out_(out), answer_(answer) {}
  void begin(const std::vector<std::string>& columns) override { out_.begin(columns); }
  bool take(const nq::Row& row) override {
    if (!open_) return false;
    ++answer_.rows;
    open_ = out_.take(row);
    return open_;
  }

 private:
  AnswerSink& out_;
  Answer& answer_;
  bool open_ = true;
};

std::vector<std::string> globs_of_names(const std::vector<std::string>& names) {
  std::vector<std::string> globs;
  for (const std::string& name : names) {
    struct stat info {};
    const bool folder = ::stat(name.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    globs.push_back(folder ? name + "/*" : name);
  }
  return globs;
}

class Follower {
 public:
  Follower(const nq::Block& block, const Environment& environment, const FollowWish& wish,
           StandingBlock& standing)
      : block_(block), environment_(environment), wish_(wish), standing_(standing) {}

  Status open() {
    NINES_TRY(inputs_, collector::InputSet::create(environment_.clock));
    if (block_.source.kind == nq::SourceRef::Kind::remote) {
      return Error{Errc::unsupported,
                   "a remote is asked and cannot be followed; ask it again with "
                   "SINCE, or follow the logs themselves"};
    }
    std::vector<nq::SourceRef> sources{block_.source};
    if (block_.source.kind != nq::SourceRef::Kind::files) {
      NINES_TRY(sources, environment_.resolve(block_.source));
    }
    for (const nq::SourceRef& source : sources) NINES_CHECK(add(source));
    inputs_->rescan();
    return Ok{};
  }

  Status run() {
    if (!wish_.from_end) catch_up();
    while (going()) {
      inputs_->poll(kWaitMs, kReadBytes);
      tick();
      if (const Status done = problem(); !done.ok()) return done;
      if (wish_.looked && !wish_.looked()) break;
    }
    return problem();
  }

  void tell(Answer& answer) const {
    for (const auto& reader : readers_) {
      answer.scan.add(reader->stats());
      answer.files += reader->streams();
    }
    answer.add(standing_.stats());
  }

 private:
  Status add(const nq::SourceRef& source) {
    nq::ScanPlan plan = block_.scan;
    plan.needs_time = plan.needs_time || standing_.by_time();
    readers_.push_back(
        std::make_unique<collector::RowReader>(source, std::move(plan), scan_options(environment_),
                                               environment_.clock, standing_.input()));
    collector::RowReader& reader = *readers_.back();
    std::vector<std::string> names = source.names;
    if (std::erase(names, "-") > 0) {
      NINES_TRY(auto input,
                make_input(1, selector_of_argument("-"), {}, {}, reader, environment_.clock));
      inputs_->add(std::move(input));
    }
    if (names.empty()) return Ok{};
    NINES_TRY(auto tailer, collector::Tailer::create({}, reader, {}, environment_.clock));
    collector::FileSource files;
    files.globs = {globs_of_names(names), source.exclude};
    files.from_end = wish_.from_end;
    tailer->add_source(0, files);
    inputs_->add(std::move(tailer));
    return Ok{};
  }

  bool refused() const {
    return std::any_of(readers_.begin(), readers_.end(),
                       [](const auto& reader) { return reader->refused(); });
  }
  bool going() const { return !environment_.stopped() && !refused(); }

  Status problem() const {
    for (const auto& reader : readers_) {
      if (reader->error() != nullptr) return *reader->error();
    }
    return Ok{};
  }

  void tick() {
    std::optional<WallTime> newest;
    for (const auto& reader : readers_) {
      if (const auto time = reader->newest()) newest = std::max(newest.value_or(*time), *time);
    }
    if (!newest) return;
    const int64_t most = environment_.clock.wall().ns + kMaxSkewNs;
    standing_.tick({std::min(newest->ns, most)});
  }

  // Several files, whose rows are wanted in the order of time: a second of all of them, and then
  // the next.
  void catch_up() {
    const auto streams = inputs_->list();
    if (!standing_.by_time() || streams.size() < 2) return;
    read_all(streams, {INT64_MIN});
    while (going()) {
      std::optional<WallTime> next;
      for (const collector::StreamRef& at : streams) {
        const auto time = collector::RowReader::next_time(*at.stream);
        if (time) next = next ? std::min(*next, *time) : *time;
      }
      if (!next || next->ns > INT64_MAX - kStepNs) break;
      read_all(streams, {next->ns + kStepNs});
      tick();
      if (wish_.looked && !wish_.looked()) break;
    }
    for (const auto& reader : readers_) reader->set_limit({INT64_MAX});
  }

  void read_all(const std::vector<collector::StreamRef>& streams, WallTime limit) {
    for (const auto& reader : readers_) reader->set_limit(limit);
    for (const collector::StreamRef& at : streams) {
      const auto waits = collector::RowReader::next_time(*at.stream);
      if (waits && *waits > limit) continue;
      while (going() && at.input->read_some(*at.stream, false)) {
        if (collector::RowReader::next_time(*at.stream)) break;
      }
    }
  }

  const nq::Block& block_;
  const Environment& environment_;
  const FollowWish& wish_;
  StandingBlock& standing_;
  std::vector<std::unique_ptr<collector::RowReader>> readers_;
  std::unique_ptr<collector::InputSet> inputs_;  // after the readers: uses them
};

}  // namespace

Status follow(const nq::Statement& statement, const Environment& environment,
              const FollowWish& wish, AnswerSink& out, Answer& answer) {
  NINES_TRY(const nq::Block* block, standing_block(statement));
  const Instant begin = environment.clock.mono();
  nq::Limits limits;
  limits.max_bytes = environment.max_bytes;
  Gate gate(out, answer);
  NINES_TRY(const auto standing, StandingBlock::make(statement, limits, gate));
  out.begin(block->columns);
  Follower follower(*block, environment, wish, *standing);
  NINES_CHECK(follower.open());
  NINES_CHECK(follower.run());
  follower.tell(answer);
  answer.elapsed_ns = environment.clock.mono().ns - begin.ns;
  answer.nodes_ok.push_back(environment.node);
  return Ok{};
}

}  // namespace nines::agent::query
