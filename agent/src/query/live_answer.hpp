// LiveAnswer: an answer on its way from the thread that makes it to the one that sends it, with how
// far the query is. What waits to be read is bounded: beyond it the query waits for its reader, and
// no longer than its deadline. A reader who leaves ends the query.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "query/environment.hpp"
#include "query/nodes.hpp"

namespace nines::agent::query {

class LiveAnswer {
 public:
  // Waiting for those that were asked before; being made; made, or failed.
  enum class State : uint8_t { waiting, running, ended };

  // `wake` is called by the query's thread when there may be something to take that was not there
  // at the last take(); not after leave().
  LiveAnswer(const Clock& clock, size_t most_waiting, std::function<void()> wake);

  // ---- The query's thread.
  void begin();
  // Waits while too much waits to be read. False: nobody wants more, or it took too long; what was
  // given is kept all the same, unless the reader has left.
  bool write(std::string_view bytes, Instant deadline);
  void end(const Status& status);
  Progress& progress() noexcept { return progress_; }
  NodeBoard& board() noexcept { return board_; }
  // Set when the reader has left.
  const std::atomic<bool>& left() const noexcept { return left_; }

  // ---- The reader's thread.
  struct Piece {
    State state = State::waiting;
    std::string bytes;
    std::optional<Error> error;  // once it has ended
  };
  Piece take();
  // Nobody reads any more.
  void leave();

  // Any thread.
  int64_t bytes_done() const noexcept { return progress_.bytes_done; }
  int64_t bytes_total() const noexcept { return progress_.bytes_total; }
  uint64_t rows() const noexcept { return progress_.rows; }
  std::vector<NodeBoard::Line> nodes() const { return board_.lines(); }

 private:
  void tell();  // with the lock held: after leave() nobody is woken

  const Clock& clock_;
  const size_t most_waiting_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> wake_;
  bool told_ = false;  // the reader was woken and has not come yet
  std::string waiting_;
  State state_ = State::waiting;
  std::optional<Error> error_;
  std::atomic<bool> left_{false};
  Progress progress_;
  NodeBoard board_;
};

}  // namespace nines::agent::query
