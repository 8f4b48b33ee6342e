#include "query/follow.hpp"

#include <utility>

#include "query/followed.hpp"
#include "query/standing.hpp"

namespace nines::agent::query {
namespace {

namespace nq = nines::query;

constexpr int kWaitMs = 200;  // how soon a stop is seen
constexpr size_t kReadBytes = 4 * 1024 * 1024;

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
  FollowedOptions options;
  options.from_end = wish.from_end;
  options.by_time = standing->by_time();
  options.step = wish.looked;
  NINES_TRY(const auto files,
            Followed::open(*block, environment, std::move(options), standing->input()));
  const auto tick = [&](WallTime newest) { standing->tick(newest); };
  if (!wish.from_end) files->catch_up(tick);
  while (files->going()) {
    files->wait_and_read(kWaitMs, kReadBytes, tick);
    NINES_CHECK(files->problem());
    if (wish.looked && !wish.looked()) break;
  }
  NINES_CHECK(files->problem());
  files->tell(answer);
  answer.add(standing->stats());
  answer.elapsed_ns = environment.clock.mono().ns - begin.ns;
  answer.nodes_ok.push_back(environment.node);
  return Ok{};
}

}  // namespace nines::agent::query
