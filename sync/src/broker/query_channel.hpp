// One stream of a QueryPort: what both its threads share, and what is published of it.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "nines/broker/query_port.hpp"

namespace nines::broker {

inline constexpr size_t kMostChunk = 60 * 1024;

class QueryChannel {
 public:
  QueryChannel(const QueryPortOptions& options, const Clock& clock, std::string where)
      : options_(options), clock_(clock), where_(std::move(where)) {}

  // --- the stream's threads
  Status await_open(Instant deadline);
  Result<size_t> read(std::span<char> into, Instant deadline, bool& consumed);
  Status write(std::string_view bytes, Instant deadline, const std::function<void()>& wake);
  void cancel(Error why);  // the other side learns it with the next publish()
  void finish();           // the stream's owner is gone: ends in good order if it can
  stream::ByteStream::Traffic traffic() const;
  const std::string& where() const { return where_; }

  // --- the connection's thread
  void opened(std::string peer, Now now);
  void take(const BusMessage& message, Now now);
  // Publishes what there is to say. False: all is said and done.
  bool publish(Bus& bus, Now now);
  void fail(Error why);  // the other side cannot be told
  // Whether it cannot go on without that.
  bool uses(const Denied& what) const;

  std::string inbox;      // own subject
  uint64_t sid = 0;       // its subscription; 0: not yet
  std::string asks;       // subject to ask at, until that is done
  bool announce = false;  // its opening is to be told

 private:
  template <class Ready>
  Status wait(std::unique_lock<std::mutex>& lock, Instant deadline, const Ready& ready);
  void send(Bus& bus, char kind, uint64_t sequence, std::string_view bytes, bool with_inbox);

  const QueryPortOptions options_;
  const Clock& clock_;
  const std::string where_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string peer_;
  std::deque<std::string> in_, out_;
  size_t read_at_ = 0;  // of in_.front()
  uint64_t received_ = 0, consumed_ = 0, told_consumed_ = 0;
  uint64_t written_ = 0, sent_ = 0, peer_consumed_ = 0;
  bool peer_ended_ = false, finished_ = false, said_all_ = false;
  std::optional<Error> broken_;
  bool tell_broken_ = false;
  Instant heard_{}, spoke_{};
  stream::ByteStream::Traffic traffic_;
};

}  // namespace nines::broker
