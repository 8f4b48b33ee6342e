#include "broker/query_channel.hpp"

#include <algorithm>
#include <array>
#include <chrono>

namespace nines::broker {
namespace {

constexpr size_t kHead = 17, kMaxWhy = 512;
constexpr size_t kMaxUnsent = 1024 * 1024;

void append_u64(std::string& out, uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(value >> shift & 0xFF);
}

uint64_t read_u64(std::string_view bytes) {
  uint64_t value = 0;
  for (const char c : bytes.substr(0, 8)) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

}  // namespace

template <class Ready>
Status QueryChannel::wait(std::unique_lock<std::mutex>& lock, Instant deadline,
                          const Ready& ready) {
  while (!ready()) {
    if (broken_) return *broken_;
    const int64_t left_ns = deadline.ns - clock_.mono().ns;
    if (left_ns <= 0) {
      return Error{Errc::timeout, where_ + " does not go on within the time given"};
    }
    changed_.wait_for(lock, std::chrono::nanoseconds(std::min(left_ns, 10 * kNsPerSecond)));
  }
  return Ok{};
}

Status QueryChannel::await_open(Instant deadline) {
  std::unique_lock lock(mutex_);
  Status opened = wait(lock, deadline, [this] { return !peer_.empty(); });
  if (opened.ok() || opened.error().code != Errc::timeout) return opened;
  return Error{Errc::timeout,
               where_ +
                   " does not answer in time; where NATS does not let it publish to _INBOX.>, "
                   "its own nines doctor says so"};
}

Result<size_t> QueryChannel::read(std::span<char> into, Instant deadline, bool& consumed) {
  std::unique_lock lock(mutex_);
  // What came before it broke is of no use: an answer that is cut short is none.
  if (broken_) return *broken_;
  NINES_CHECK(wait(lock, deadline, [this] { return !in_.empty() || peer_ended_; }));
  if (in_.empty()) return size_t{0};
  const std::string& front = in_.front();
  const size_t bytes = std::min(into.size(), front.size() - read_at_);
  std::copy_n(front.data() + read_at_, bytes, into.data());
  read_at_ += bytes;
  if (read_at_ == front.size()) {
    in_.pop_front();
    read_at_ = 0;
    ++consumed_;
    consumed = (consumed_ - told_consumed_) * 2 >= options_.window;
  }
  return bytes;
}

Status QueryChannel::write(std::string_view bytes, Instant deadline,
                           const std::function<void()>& wake) {
  while (!bytes.empty()) {
    {
      std::unique_lock lock(mutex_);
      if (broken_) return *broken_;
      NINES_CHECK(
          wait(lock, deadline, [this] { return written_ - peer_consumed_ < options_.window; }));
      if (broken_) return *broken_;
      out_.emplace_back(bytes.substr(0, kMostChunk));
      ++written_;
    }
    bytes.remove_prefix(std::min(bytes.size(), kMostChunk));
    wake();
  }
  return Ok{};
}

void QueryChannel::cancel(Error why) {
  const std::lock_guard lock(mutex_);
  if (broken_ || finished_) return;
  broken_ = std::move(why);
  tell_broken_ = true;
  changed_.notify_all();
}

void QueryChannel::fail(Error why) {
  const std::lock_guard lock(mutex_);
  said_all_ = true;
  if (!broken_) broken_ = std::move(why);
  tell_broken_ = false;
  changed_.notify_all();
}

bool QueryChannel::uses(const Denied& what) const {
  const std::lock_guard lock(mutex_);
  if (!what.publish) return what.subject == inbox;
  return what.subject == (peer_.empty() ? std::string_view(asks) : std::string_view(peer_));
}

void QueryChannel::finish() {
  const std::lock_guard lock(mutex_);
  finished_ = true;
}

stream::ByteStream::Traffic QueryChannel::traffic() const {
  const std::lock_guard lock(mutex_);
  return traffic_;
}

void QueryChannel::opened(std::string peer, Now now) {
  const std::lock_guard lock(mutex_);
  heard_ = spoke_ = now.mono;
  peer_ = std::move(peer);
  changed_.notify_all();
}

void QueryChannel::take(const BusMessage& message, Now now) {
  const auto broke = [this](Errc code, std::string why) {
    if (!broken_) broken_ = Error{code, where_ + ": " + std::move(why)};
    tell_broken_ = code == Errc::unavailable && !peer_.empty();
  };
  const std::lock_guard lock(mutex_);
  heard_ = now.mono;
  traffic_.bytes_in += message.body.size();
  const std::string_view bytes = message.body;
  if (message.status == 503) {
    broke(Errc::unavailable, "no node of that name is connected and answers queries");
  } else if (bytes.size() < kHead) {
    broke(Errc::unavailable, "a message that is none");
  } else {
    const char kind = bytes[0];
    const uint64_t sequence = read_u64(bytes.substr(1)), consumed = read_u64(bytes.substr(9));
    if (consumed > sent_ || consumed < peer_consumed_) {
      broke(Errc::unavailable, "a message that cannot be");
    } else if (kind == 'O' && peer_.empty() && !message.reply.empty()) {
      peer_ = message.reply;
    } else if (kind == 'D' && sequence == received_ + 1 && in_.size() < options_.window) {
      ++received_;
      in_.emplace_back(bytes.substr(kHead));
      if (in_.back().empty()) broke(Errc::unavailable, "a message without data");
    } else if (kind == 'A' && sequence == received_) {
    } else if (kind == 'E' && sequence == received_) {
      peer_ended_ = true;
    } else if (kind == 'C') {
      broke(Errc::cancelled, "ended: " + std::string(bytes.substr(kHead, kMaxWhy)));
    } else {
      broke(Errc::unavailable, "messages of it were lost on the way");
    }
    if (!broken_) peer_consumed_ = consumed;
  }
  changed_.notify_all();
}

void QueryChannel::send(Bus& bus, char kind, uint64_t sequence, std::string_view bytes,
                        bool with_inbox) {
  std::string body(1, kind);
  append_u64(body, sequence);
  append_u64(body, consumed_);
  body += bytes;
  told_consumed_ = consumed_;
  traffic_.bytes_out += body.size();
  bus.publish(peer_, with_inbox ? inbox : "", {}, body);
}

bool QueryChannel::publish(Bus& bus, Now now) {
  const std::lock_guard lock(mutex_);
  if (said_all_) return false;
  if (sid != 0 && heard_.ns == 0) heard_ = now.mono;
  if (!broken_ && sid != 0 && now.mono.ns - heard_.ns > options_.dead_ms * kNsPerMs) {
    broken_ = Error{Errc::unavailable, where_ + " is silent"};
    tell_broken_ = true;
    changed_.notify_all();
  }
  if (broken_) {
    if (tell_broken_ && !peer_.empty()) {
      send(bus, 'C', sent_, broken_->message.substr(0, kMaxWhy), false);
    }
    said_all_ = true;
    return false;
  }
  if (peer_.empty()) return !finished_;
  const Instant before = spoke_;
  if (std::exchange(announce, false)) {
    send(bus, 'O', 0, "", true);
    spoke_ = now.mono;
  }
  for (; !out_.empty() && bus.unsent() < kMaxUnsent; out_.pop_front()) {
    send(bus, 'D', ++sent_, out_.front(), false);
    spoke_ = now.mono;
  }
  if (finished_ && out_.empty()) {
    send(bus, 'E', sent_, "", false);
    said_all_ = true;
    return false;
  }
  const bool due = (consumed_ - told_consumed_) * 2 >= options_.window ||
                   now.mono.ns - before.ns >= options_.life_ms * kNsPerMs;
  if (due) {
    send(bus, 'A', sent_, "", false);
    spoke_ = now.mono;
  }
  return true;
}

}  // namespace nines::broker
