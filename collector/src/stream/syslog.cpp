// Syslog listeners: datagram sockets and connections, all of one source.
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "nines/collector/inputs.hpp"
#include "stream/syslog_address.hpp"
#include "stream/syslog_datagrams.hpp"
#include "stream/syslog_peer.hpp"

namespace nines::collector {
namespace {

constexpr int64_t kAcceptRetryMs = 1000;  // out of descriptors: look again after this

class SyslogInput final : public Input {
 public:
  SyslogInput(SyslogOptions options, RecordConsumer& consumer, const Clock& clock)
      : options_(std::move(options)), consumer_(consumer), clock_(clock) {}
  ~SyslogInput() override {
    peers_.clear();
    for (const auto& acceptor : acceptors_) remove_socket_file(acceptor->listener);
  }

  Status listen() {
    for (const std::string& uri : options_.listen) {
      Result<SyslogListener> made = listen_for_syslog(uri, options_.rcvbuf_bytes);
      if (!made.ok()) return made.error();
      if (made->datagrams) {
        datagrams_.push_back(std::make_unique<DatagramSource>(
            std::move(*made), options_.sources, options_.max_message_bytes, consumer_, clock_));
        continue;
      }
      auto acceptor = std::make_unique<Acceptor>();
      acceptor->stats.kind = "syslog";
      acceptor->stats.name = made->uri;
      acceptor->stats.resumable = false;
      acceptor->listener = std::move(*made);
      acceptors_.push_back(std::move(acceptor));
    }
    return Ok{};
  }

  void descriptors(std::vector<pollfd>& out) const override {
    for (const auto& source : datagrams_) {
      if (!source->waits()) out.push_back({source->fd(), POLLIN, 0});
    }
    const Instant now = clock_.mono();
    for (const auto& acceptor : acceptors_) {
      if (now >= acceptor->retry) out.push_back({acceptor->listener.fd.get(), POLLIN, 0});
    }
    for (const auto& peer : peers_) {
      if (peer->wants_bytes()) out.push_back({peer->fd(), POLLIN, 0});
    }
  }

  Instant due() const noexcept override {
    Instant out{INT64_MAX};
    for (const auto& source : datagrams_) out = std::min(out, source->due());
    for (const auto& peer : peers_) out = std::min(out, peer->due(options_.idle_ms));
    const Instant now = clock_.mono();
    for (const auto& acceptor : acceptors_) {
      if (now < acceptor->retry) out = std::min(out, acceptor->retry);
    }
    return out;
  }

  bool read(size_t max_bytes) override {
    on_time();
    const size_t ready = look();
    if (ready > 0) {
      const size_t share = std::max<size_t>(max_bytes / ready, 1);
      for (const auto& source : datagrams_) {
        if (is_ready(source->fd())) (void)source->read(share);
      }
      for (const auto& peer : peers_) {
        if (is_ready(peer->fd())) (void)peer->read(share);
      }
      for (const auto& acceptor : acceptors_) {
        if (is_ready(acceptor->listener.fd.get())) accept_all(*acceptor);
      }
    }
    drop_done();
    const bool more = look() > 0;
    for (const auto& source : datagrams_) source->note_drops();
    return more;
  }

  bool read_some(LogStream& stream, bool) override {
    for (const auto& source : datagrams_) {
      if (&source->stream() != &stream) continue;
      if (source->waits()) return source->hand_over() > 0;
      return source->read(1) > 0;
    }
    // One that ended stays until read(): its stream is the caller's.
    for (const auto& peer : peers_) {
      if (&peer->buffer().stream() != &stream) continue;
      if (peer->hand_over()) return true;
      const uint64_t before = static_cast<uint64_t>(stream.offset);
      while (peer->read(1024) > 0) {
        if (static_cast<uint64_t>(stream.offset) != before) return true;
      }
    }
    return false;
  }

  void rescan() override {
    for (const auto& acceptor : acceptors_) accept_all(*acceptor);
  }

  void list(std::vector<LogStream*>& out) override {
    for (const auto& source : datagrams_) out.push_back(&source->stream());
    for (const auto& peer : peers_) {
      if (!peer->done()) out.push_back(&peer->buffer().stream());
    }
  }

  bool caught_up() const noexcept override { return idle_; }
  void take_positions(std::vector<slo::Position>&) override {}

  void describe(std::vector<InputStats>& out) const override {
    for (const auto& source : datagrams_) out.push_back(source->stats());
    for (const auto& acceptor : acceptors_) {
      InputStats shown = acceptor->stats;
      for (const auto& peer : peers_) {
        if (&peer->stats() != &acceptor->stats) continue;
        shown.lag_bytes += static_cast<int64_t>(peer->buffer().unread());
      }
      out.push_back(std::move(shown));
    }
  }

 private:
  struct Acceptor {
    SyslogListener listener;
    InputStats stats;
    Instant retry{INT64_MIN};
  };

  void on_time() {
    for (const auto& source : datagrams_) {
      source->quiet_if_due();
      if (source->waits()) (void)source->hand_over();
    }
    for (const auto& peer : peers_) peer->on_time(options_.idle_ms);
  }

  // How many descriptors are ready now; those that nobody may read from do not count.
  size_t look() {
    polled_.clear();
    descriptors(polled_);
    const int n = ::poll(polled_.data(), polled_.size(), 0);
    const auto stalls = [](const auto& peer) { return !peer->wants_bytes() && !peer->done(); };
    const auto waits = [](const auto& source) { return source->waits(); };
    idle_ = n <= 0 && std::none_of(peers_.begin(), peers_.end(), stalls) &&
            std::none_of(datagrams_.begin(), datagrams_.end(), waits);
    return n > 0 ? static_cast<size_t>(n) : 0;
  }

  bool is_ready(int fd) const noexcept {
    return fd >= 0 && std::any_of(polled_.begin(), polled_.end(),
                                  [&](const pollfd& p) { return p.fd == fd && p.revents != 0; });
  }

  void accept_all(Acceptor& acceptor) {
    while (clock_.mono() >= acceptor.retry) {
      sockaddr_storage address{};
      socklen_t size = sizeof address;
      UniqueFd fd(::accept4(acceptor.listener.fd.get(),
                            static_cast<sockaddr*>(static_cast<void*>(&address)), &size,
                            SOCK_NONBLOCK | SOCK_CLOEXEC));
      if (!fd.valid() && (errno == EINTR || errno == ECONNABORTED)) continue;
      if (!fd.valid()) return not_accepted(acceptor, errno);
      if (acceptor.stats.trouble.starts_with("cannot accept")) acceptor.stats.trouble.clear();
      acceptor.stats.healthy = true;
      drop_done();
      if (peers_.size() >= options_.max_connections) {
        ++acceptor.stats.refused;
        continue;
      }
      std::string path = peer_path(acceptor.listener, address);
      std::string key = path + '#' + std::to_string(++accepted_);
      peers_.push_back(std::make_unique<SyslogPeer>(std::move(fd), std::move(path), std::move(key),
                                                    options_.sources, options_.max_message_bytes,
                                                    acceptor.stats, consumer_, clock_));
    }
  }

  void not_accepted(Acceptor& acceptor, int error) {
    if (error == EAGAIN) return;
    acceptor.retry = {clock_.mono().ns + kAcceptRetryMs * kNsPerMs};
    acceptor.stats.healthy = false;
    acceptor.stats.trouble = std::string("cannot accept: ") + ::strerror(error);
    if (error == EMFILE || error == ENFILE) {
      acceptor.stats.trouble += "; raise ulimit -n (LimitNOFILE); senders wait meanwhile";
    }
  }

  void drop_done() {
    std::erase_if(peers_, [](const auto& peer) { return peer->done(); });
  }

  SyslogOptions options_;
  RecordConsumer& consumer_;
  const Clock& clock_;
  std::vector<std::unique_ptr<DatagramSource>> datagrams_;
  std::vector<std::unique_ptr<Acceptor>> acceptors_;
  std::vector<std::unique_ptr<SyslogPeer>> peers_;
  std::vector<pollfd> polled_;
  uint64_t accepted_ = 0;
  bool idle_ = false;
};

}  // namespace

Result<std::unique_ptr<Input>> make_syslog_input(SyslogOptions options, RecordConsumer& consumer,
                                                 const Clock& clock) {
  if (options.listen.empty()) {
    return Error{Errc::invalid_argument, "syslog: nothing to listen on", 0};
  }
  auto input = std::make_unique<SyslogInput>(std::move(options), consumer, clock);
  const Status listening = input->listen();
  if (!listening.ok()) return listening.error();
  return std::unique_ptr<Input>(std::move(input));
}

}  // namespace nines::collector
