#include "app/state_move.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include "app/log.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kFirstWaitS = 5, kMostWaitS = 300;

}  // namespace

StateMove::StateMove(net::asio::io_context& io, const Clock& clock, Worker& store_work,
                     store::StateStore& store, OnOutcome on_outcome)
    : io_(io),
      clock_(clock),
      store_work_(store_work),
      store_(store),
      on_outcome_(std::move(on_outcome)),
      why_(store.restored().in_memory),
      next_{clock.mono().ns + kFirstWaitS * kNsPerSecond},
      wait_s_(kFirstWaitS) {
  if (why_.empty()) return;
  log::error("store", "THE STATE IS ONLY IN MEMORY and lost when this process ends: " + why_ +
                          "; counting and alerting go on, and it moves to the disk by itself when "
                          "that can be written");
}

void StateMove::look() {
  if (why_.empty() || trying_ || clock_.mono() < next_) return;
  trying_ = true;
  store_work_.post([this] {
    auto done = std::make_shared<Result<bool>>(store_.move_to_disk());
    net::asio::post(io_, [this, done] { took(*done); });
  });
}

void StateMove::took(const Result<bool>& done) {
  trying_ = false;
  if (!done.ok()) {
    why_ = done.error().message;
    wait_s_ = std::min(2 * wait_s_, kMostWaitS);
    next_ = Instant{clock_.mono().ns + wait_s_ * kNsPerSecond};
    log::error("store", "the state is still only in memory, tried again in " +
                            std::to_string(wait_s_) + " s: " + why_);
    return;
  }
  if (*done) {
    why_.clear();
    log::info("store", "the state has moved from memory to the disk");
  } else {
    log::warn("store",
              "the disk came back with the state of an earlier life: going on with that one; what "
              "was read meanwhile is read again where the logs still have it");
  }
  on_outcome_(*done ? Outcome::moved : Outcome::other_state);
}

void StateMove::try_last() {
  if (why_.empty()) return;
  const auto done = store_.move_to_disk();
  if (done.ok() && *done) return;
  log::error("store",
             "what was only in memory is lost: " + (done.ok() ? why_ : done.error().message));
}

}  // namespace nines::agent
