#include "peer/socket_stream.hpp"

#include <linux/sockios.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <mutex>

namespace nines::peer {
namespace {

constexpr size_t kChunk = 16 * 1024;                // as a TLS record
constexpr int64_t kLongWaitNs = 3'600'000'000'000;  // of one wait; deadlines may be "never"
constexpr int64_t kLookMs = 10;                     // whether the other side has got all

// What the io thread and the users of the stream share. Kept alive by what is under way.
class Core : public Closeable, public RestingWire, public std::enable_shared_from_this<Core> {
 public:
  Core(asio::io_context& io, const Clock& clock, StreamParts parts)
      : io_(io), clock_(clock), parts_(std::move(parts)), timer_(io) {
    count_wire();
  }

  const std::string& where() const { return parts_.where; }
  void begin_read();
  Result<size_t> read(std::span<char> into, Instant deadline);
  Status write(std::string_view bytes, Instant deadline);
  void close() override;
  stream::ByteStream::Traffic traffic() const;
  bool can_be_kept() const { return parts_.on_rest != nullptr; }
  void done();

  // --- between conversations, on the io thread
  bool is_usable() const override;
  std::string_view heard() const override;
  void forget(size_t bytes) override;
  void say(std::string_view bytes) override;
  void on_change(std::function<void()> changed) override { rest_changed_ = std::move(changed); }
  const Wire& wire() const override { return *parts_.wire; }
  std::unique_ptr<stream::ByteStream> resume(std::shared_ptr<void> slot) override;
  void hang_up() override { close(); }

 private:
  template <class Done>
  void on_stream(Done&& use) {
    if (parts_.wire->tls) {
      use(*parts_.wire->tls);
    } else {
      use(parts_.wire->socket);
    }
  }
  // Waits until `holds`, at most until `deadline`. False: it is past.
  template <class Holds>
  bool wait(std::unique_lock<std::mutex>& lock, Instant deadline, const Holds& holds);
  std::optional<Error> useless() const;  // REQUIRES mutex_

  void on_read(ErrorCode error, size_t bytes);
  void begin_write();
  void on_written(ErrorCode error);
  void broken(const ErrorCode& error);
  void end();          // closed by this side: after what was written is out
  void say_goodbye();  // all of it is out
  void linger(int64_t tries);
  void close_socket();
  void begin_rest();
  void tell_rest();
  void count_wire();

  asio::io_context& io_;
  const Clock& clock_;
  StreamParts parts_;  // its slot is of the io thread, the rest does not change
  // --- of the io thread
  std::function<void()> rest_changed_;
  asio::steady_timer timer_;
  std::array<char, kChunk> chunk_;
  std::string sending_;
  bool goodbye_ = false;
  // --- of all
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::string in_;
  size_t in_at_ = 0;
  bool reading_ = true;  // otherwise in_ is full
  std::string out_;
  size_t sending_size_ = 0;
  bool writing_ = false;
  bool ended_ = false, closed_ = false;
  std::optional<Error> error_;
  stream::ByteStream::Traffic traffic_, before_;  // of all, and of earlier conversations
};

// --- users' threads

template <class Holds>
bool Core::wait(std::unique_lock<std::mutex>& lock, Instant deadline, const Holds& holds) {
  while (!holds()) {
    const int64_t now = clock_.mono().ns;
    if (now >= deadline.ns) return false;
    const int64_t rest = deadline.ns > kLongWaitNs && deadline.ns - kLongWaitNs > now
                             ? kLongWaitNs
                             : deadline.ns - now;
    changed_.wait_for(lock, std::chrono::nanoseconds(rest));
  }
  return true;
}

std::optional<Error> Core::useless() const {
  if (closed_) return Error{Errc::cancelled, "the connection to " + parts_.where + " was closed"};
  return error_;
}

Result<size_t> Core::read(std::span<char> into, Instant deadline) {
  std::unique_lock lock(mutex_);
  const bool any =
      wait(lock, deadline, [this] { return closed_ || error_ || ended_ || in_at_ < in_.size(); });
  if (!any) return Error{Errc::timeout, "nothing comes from " + parts_.where};
  if (closed_) return *useless();
  const size_t bytes = std::min(into.size(), in_.size() - in_at_);
  if (bytes == 0) {
    if (error_) return *error_;
    return size_t{0};
  }
  std::memcpy(into.data(), in_.data() + in_at_, bytes);
  in_at_ += bytes;
  if (in_at_ == in_.size()) {
    in_.clear();
    in_at_ = 0;
  }
  if (!reading_ && in_.size() - in_at_ <= parts_.buffer_bytes / 2) {
    reading_ = true;
    asio::post(io_, [self = shared_from_this()] { self->begin_read(); });
  }
  return bytes;
}

Status Core::write(std::string_view bytes, Instant deadline) {
  while (!bytes.empty()) {
    std::unique_lock lock(mutex_);
    const bool free = wait(lock, deadline, [this] {
      return closed_ || error_ || ended_ || out_.size() + sending_size_ < parts_.buffer_bytes;
    });
    if (!free) return Error{Errc::timeout, parts_.where + " does not read what it asked for"};
    if (auto error = useless()) return *std::move(error);
    if (ended_) return Error{Errc::unavailable, parts_.where + " has ended the connection"};
    const size_t room = parts_.buffer_bytes - out_.size() - sending_size_;
    const size_t taken = std::min(room, bytes.size());
    out_.append(bytes.substr(0, taken));
    bytes.remove_prefix(taken);
    if (writing_) continue;
    writing_ = true;
    asio::post(io_, [self = shared_from_this()] { self->begin_write(); });
  }
  return Ok{};
}

void Core::close() {
  {
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    closed_ = true;
    changed_.notify_all();
  }
  asio::post(io_, [self = shared_from_this()] { self->end(); });
}

stream::ByteStream::Traffic Core::traffic() const {
  const std::lock_guard lock(mutex_);
  return {traffic_.bytes_in - before_.bytes_in, traffic_.bytes_out - before_.bytes_out};
}

void Core::done() {
  asio::post(io_, [self = shared_from_this()] { self->begin_rest(); });
}

// --- the io thread

void Core::begin_read() {
  on_stream([this](auto& stream) {
    stream.async_read_some(asio::buffer(chunk_),
                           [self = shared_from_this()](ErrorCode error, size_t bytes) {
                             self->on_read(error, bytes);
                           });
  });
}

void Core::on_read(ErrorCode error, size_t bytes) {
  bool full = false, closed = false;
  {
    const std::lock_guard lock(mutex_);
    count_wire();
    if (!parts_.wire->tls) traffic_.bytes_in += bytes;
    closed = closed_;
    if (!closed && bytes > 0) {
      if (in_at_ > 0) {
        in_.erase(0, in_at_);
        in_at_ = 0;
      }
      in_.append(chunk_.data(), bytes);
      full = !error && in_.size() >= parts_.buffer_bytes;
      if (full) reading_ = false;
    }
    // Without TLS, the end of the stream; with it, only when the other side has said so.
    if (error == asio::error::eof) ended_ = true;
    changed_.notify_all();
  }
  if (error == asio::error::eof) {
    if (closed) close_socket();
  } else if (error) {
    broken(error);
  } else if (!full) {
    // What still comes after close() nobody reads: whoever sends it is to know.
    if (closed && bytes > 0 && goodbye_) {
      linger(parts_.linger_ms / kLookMs);
    } else {
      begin_read();
    }
  }
  tell_rest();
}

void Core::begin_write() {
  bool closed = false;
  {
    const std::lock_guard lock(mutex_);
    sending_.clear();
    std::swap(sending_, out_);
    sending_size_ = sending_.size();
    writing_ = !sending_.empty();
    closed = closed_;
    changed_.notify_all();
  }
  if (sending_.empty()) {
    if (closed) say_goodbye();
    return;
  }
  on_stream([this](auto& stream) {
    asio::async_write(
        stream, asio::buffer(sending_),
        [self = shared_from_this()](ErrorCode error, size_t) { self->on_written(error); });
  });
}

void Core::on_written(ErrorCode error) {
  {
    const std::lock_guard lock(mutex_);
    count_wire();
    if (!parts_.wire->tls) traffic_.bytes_out += sending_.size();
  }
  if (error) return broken(error);
  begin_write();
}

void Core::broken(const ErrorCode& error) {
  {
    const std::lock_guard lock(mutex_);
    if (!error_) {
      error_ =
          Error{Errc::unavailable,
                "the connection to " + parts_.where + " broke: " + error.message(), error.value()};
    }
    changed_.notify_all();
  }
  close_socket();
  tell_rest();
}

void Core::end() {
  tell_rest();
  if (!parts_.wire->socket.is_open()) return;
  timer_.expires_after(std::chrono::milliseconds(parts_.flush_ms));
  timer_.async_wait([self = shared_from_this()](ErrorCode cancelled) {
    if (!cancelled) self->close_socket();
  });
  bool idle = false, ended = false, resume = false;
  {
    const std::lock_guard lock(mutex_);
    idle = !writing_;
    ended = ended_;
    resume = !reading_ && !ended_;
    reading_ = true;
    in_ = {};
    in_at_ = 0;
  }
  if (ended) return close_socket();
  if (idle) say_goodbye();
  if (resume && parts_.wire->socket.is_open()) begin_read();
}

void Core::say_goodbye() {
  if (goodbye_ || !parts_.wire->socket.is_open()) return;
  goodbye_ = true;
  timer_.expires_after(std::chrono::milliseconds(parts_.linger_ms));
  timer_.async_wait([self = shared_from_this()](ErrorCode cancelled) {
    if (!cancelled) self->close_socket();
  });
  if (parts_.wire->tls) {
    // It ends when the other side has answered, or with an error when more data comes.
    parts_.wire->tls->async_shutdown(
        [self = shared_from_this()](ErrorCode) { self->linger(self->parts_.linger_ms / kLookMs); });
  } else {
    ErrorCode ignored;
    parts_.wire->socket.shutdown(tcp::socket::shutdown_send, ignored);
  }
}

// A close with bytes unread resets the connection, and what the other side has not got is lost.
void Core::linger(int64_t tries) {
  if (!parts_.wire->socket.is_open()) return;
  int unsent = 0;
  const int asked = ::ioctl(parts_.wire->socket.native_handle(), SIOCOUTQ, &unsent);
  if (asked != 0 || unsent == 0 || tries <= 0) return close_socket();
  timer_.expires_after(std::chrono::milliseconds(kLookMs));
  timer_.async_wait([self = shared_from_this(), tries](ErrorCode cancelled) {
    if (!cancelled) self->linger(tries - 1);
  });
}

void Core::close_socket() {
  ErrorCode ignored;
  timer_.cancel();
  parts_.wire->socket.close(ignored);
}

// --- between conversations

void Core::begin_rest() {
  parts_.slot.reset();
  bool full = false;
  {
    const std::lock_guard lock(mutex_);
    count_wire();
    before_ = traffic_;
    full = !reading_;  // nobody has read what the last conversation was sent
    if (in_at_ == in_.size()) in_at_ = 0, in_ = {};
    if (!writing_) sending_ = {}, out_ = {};
  }
  if (is_usable() && !full) {
    parts_.on_rest(shared_from_this());
  } else {
    close();
  }
}

void Core::tell_rest() {
  if (const auto changed = rest_changed_) changed();  // which may replace it
}

bool Core::is_usable() const {
  const std::lock_guard lock(mutex_);
  return !closed_ && !ended_ && !error_;
}

std::string_view Core::heard() const {
  const std::lock_guard lock(mutex_);
  return std::string_view(in_).substr(in_at_);
}

void Core::forget(size_t bytes) {
  const std::lock_guard lock(mutex_);
  in_at_ += std::min(bytes, in_.size() - in_at_);
}

void Core::say(std::string_view bytes) {
  {
    const std::lock_guard lock(mutex_);
    out_.append(bytes);
    if (writing_) return;
    writing_ = true;
  }
  begin_write();
}

// Under TLS: what OpenSSL took and gave, handshake and records included. REQUIRES mutex_ or that
// nobody else knows this yet.
void Core::count_wire() {
  if (!parts_.wire->tls) return;
  BIO* const bio = SSL_get_rbio(parts_.wire->tls->native_handle());
  traffic_.bytes_in = BIO_number_read(bio);
  traffic_.bytes_out = BIO_number_written(bio);
}

class SocketStream : public stream::ByteStream {
 public:
  explicit SocketStream(std::shared_ptr<Core> core) : core_(std::move(core)) {}
  ~SocketStream() override {
    if (!done_) core_->close();
  }
  SocketStream(const SocketStream&) = delete;
  SocketStream& operator=(const SocketStream&) = delete;

  Result<size_t> read(std::span<char> into, Instant deadline) override {
    return core_->read(into, deadline);
  }
  Status write(std::string_view bytes, Instant deadline) override {
    return core_->write(bytes, deadline);
  }
  void close() override { core_->close(); }
  bool can_be_kept() const override { return core_->can_be_kept(); }
  void done() override {
    if (!can_be_kept()) return close();
    done_ = true;
    core_->done();
  }
  Traffic traffic() const override { return core_->traffic(); }
  std::string where() const override { return core_->where(); }

 private:
  std::shared_ptr<Core> core_;
  bool done_ = false;
};

std::unique_ptr<stream::ByteStream> Core::resume(std::shared_ptr<void> slot) {
  rest_changed_ = nullptr;
  parts_.slot = std::move(slot);
  return std::make_unique<SocketStream>(shared_from_this());
}

}  // namespace

void OpenStreams::add(const std::weak_ptr<Closeable>& stream) {
  bool late = false;
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(all_, [](const auto& one) { return one.expired(); });
    late = closed_;
    all_.push_back(stream);
  }
  if (const auto one = late ? stream.lock() : nullptr) one->close();
}

void OpenStreams::close_all() {
  std::vector<std::weak_ptr<Closeable>> all;
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    all.swap(all_);
  }
  for (const auto& stream : all) {
    if (const auto one = stream.lock()) one->close();
  }
}

std::unique_ptr<stream::ByteStream> make_socket_stream(asio::io_context& io, const Clock& clock,
                                                       StreamParts parts) {
  set_stream_options(parts.wire->socket);
  const auto open = parts.open;
  auto core = std::make_shared<Core>(io, clock, std::move(parts));
  core->begin_read();
  if (open) open->add(core);
  return std::make_unique<SocketStream>(std::move(core));
}

}  // namespace nines::peer
