#include "query/live_answer.hpp"

#include <chrono>
#include <utility>

namespace nines::agent::query {
namespace {

// Clocks of tests stand still: nobody waits longer than this without looking again.
constexpr auto kLookAgain = std::chrono::milliseconds(20);

}  // namespace

LiveAnswer::LiveAnswer(const Clock& clock, size_t most_waiting, std::function<void()> wake)
    : clock_(clock), most_waiting_(most_waiting), wake_(std::move(wake)) {}

void LiveAnswer::begin() {
  const std::lock_guard lock(mutex_);
  state_ = State::running;
  tell();
}

bool LiveAnswer::write(std::string_view bytes, Instant deadline) {
  std::unique_lock lock(mutex_);
  bool in_time = true;
  while (!left_ && waiting_.size() >= most_waiting_ && in_time) {
    in_time = clock_.mono() < deadline;
    if (in_time) changed_.wait_for(lock, kLookAgain);
  }
  if (left_) return false;
  waiting_.append(bytes);
  tell();
  return in_time;
}

void LiveAnswer::end(const Status& status) {
  const std::lock_guard lock(mutex_);
  state_ = State::ended;
  if (!status.ok()) error_ = status.error();
  tell();
}

LiveAnswer::Piece LiveAnswer::take() {
  const std::lock_guard lock(mutex_);
  told_ = false;
  changed_.notify_all();
  return {state_, std::exchange(waiting_, {}), error_};
}

void LiveAnswer::leave() {
  const std::lock_guard lock(mutex_);
  left_ = true;
  wake_ = nullptr;
  waiting_.clear();
  changed_.notify_all();
}

void LiveAnswer::tell() {
  if (told_ || !wake_) return;
  told_ = true;
  wake_();
}

}  // namespace nines::agent::query
