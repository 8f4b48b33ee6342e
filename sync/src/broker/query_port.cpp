#include "nines/broker/query_port.hpp"

#include <atomic>
#include <vector>

#include "broker/query_channel.hpp"

namespace nines::broker {
namespace {

using ChannelPtr = std::shared_ptr<QueryChannel>;

constexpr int64_t kListenAgainNs = 60 * kNsPerSecond;

}  // namespace

// Outlives the port in the streams.
struct QueryPort::Core {
  Core(QueryPortOptions o, const Clock& c, ServeQuery s, std::function<void()> w)
      : options(std::move(o)), clock(c), serve(std::move(s)), wake_loop(std::move(w)) {}

  void wake() {
    const std::lock_guard lock(mutex);
    if (!closed && wake_loop) wake_loop();
  }
  std::vector<ChannelPtr> all() {
    const std::lock_guard lock(mutex);
    return channels;
  }
  void remove(const ChannelPtr& gone) {
    const std::lock_guard lock(mutex);
    std::erase(channels, gone);
  }
  bool add(const ChannelPtr& channel) {
    const std::lock_guard lock(mutex);
    if (channels.size() >= options.max_streams) return false;
    channels.push_back(channel);
    return true;
  }

  std::string own_subject() const { return subject + token_of(options.node); }

  const QueryPortOptions options;
  const Clock& clock;
  const ServeQuery serve;
  std::mutex mutex;
  std::function<void()> wake_loop;
  std::vector<ChannelPtr> channels;
  std::atomic<bool> closed{false};
  bool connected = false;
  std::atomic<uint64_t> asked{0}, answered{0}, refused{0};
  uint64_t sid = 0;        // where it listens
  Instant listen_again{};  // that was forbidden
  std::string subject;
};

namespace {

template <class Core>
class NatsStream final : public stream::ByteStream {
 public:
  NatsStream(std::shared_ptr<Core> core, ChannelPtr channel)
      : core_(std::move(core)), channel_(std::move(channel)) {}
  ~NatsStream() override {
    channel_->finish();
    core_->wake();
  }
  Result<size_t> read(std::span<char> into, Instant deadline) override {
    bool consumed = false;
    auto bytes = channel_->read(into, deadline, consumed);
    if (consumed) core_->wake();
    return bytes;
  }
  Status write(std::string_view bytes, Instant deadline) override {
    return channel_->write(bytes, deadline, [this] { core_->wake(); });
  }
  void close() override {
    channel_->cancel({Errc::cancelled, channel_->where() + " was closed"});
    core_->wake();
  }
  Traffic traffic() const override { return channel_->traffic(); }
  std::string where() const override { return channel_->where(); }

 private:
  std::shared_ptr<Core> core_;
  ChannelPtr channel_;
};

}  // namespace

QueryPort::QueryPort(QueryPortOptions options, const Clock& clock, ServeQuery serve,
                     std::function<void()> wake)
    : core_(std::make_shared<Core>(std::move(options), clock, std::move(serve), std::move(wake))) {
  core_->subject = "nines." + token_of(core_->options.cluster) + ".query.";
}

QueryPort::~QueryPort() {
  for (const ChannelPtr& channel : core_->all()) {
    channel->fail({Errc::cancelled, channel->where() + ": the connection to NATS is closed"});
  }
  const std::lock_guard lock(core_->mutex);
  core_->closed = true;
  core_->channels.clear();
}

void QueryPort::stop() {
  {
    const std::lock_guard lock(core_->mutex);
    core_->closed = true;
  }
  for (const ChannelPtr& channel : core_->all()) {
    channel->cancel({Errc::cancelled, "the other node is stopping"});
  }
}

QueryPort::Stats QueryPort::stats() const {
  return {core_->asked, core_->answered, core_->refused};
}

Result<std::unique_ptr<stream::ByteStream>> QueryPort::open(const std::string& node,
                                                            Instant deadline) {
  auto channel = std::make_shared<QueryChannel>(core_->options, core_->clock, node + " (NATS)");
  channel->asks = core_->subject + token_of(node);
  {
    const std::lock_guard lock(core_->mutex);
    if (core_->closed) return Error{Errc::cancelled, "this node is stopping"};
    if (!core_->connected) return Error{Errc::unavailable, "not connected to NATS"};
  }
  if (!core_->add(channel)) {
    return Error{Errc::exhausted, "more than " + std::to_string(core_->options.max_streams) +
                                      " queries over NATS at once"};
  }
  ++core_->asked;
  core_->wake();
  auto stream = std::make_unique<NatsStream<Core>>(core_, channel);
  const Status opened = channel->await_open(deadline);
  if (!opened.ok()) {
    channel->cancel({Errc::cancelled, "given up"});
    return opened.error();
  }
  return std::unique_ptr<stream::ByteStream>(std::move(stream));
}

void QueryPort::connected(Bus& bus, Now) {
  const std::lock_guard lock(core_->mutex);
  core_->connected = true;
  core_->listen_again = {};
  if (!core_->options.node.empty() && core_->serve) {
    core_->sid = bus.subscribe(core_->own_subject(), *this);
  }
}

void QueryPort::denied(const Denied& what, Bus& bus, Now now) {
  if (!what.publish && core_->sid != 0 && what.subject == core_->own_subject()) {
    bus.unsubscribe(std::exchange(core_->sid, 0));
    core_->listen_again = {now.mono.ns + kListenAgainNs};
    return;
  }
  bool any = false;
  for (const ChannelPtr& channel : core_->all()) {
    if (!channel->uses(what)) continue;
    channel->fail({Errc::unsupported, channel->where() + ": " + denial_text(what)});
    any = true;
  }
  if (any) tick(bus, now);
}

void QueryPort::lost(Now) {
  for (const ChannelPtr& channel : core_->all()) {
    channel->fail({Errc::unavailable, channel->where() + ": the connection to NATS broke"});
    core_->remove(channel);
  }
  const std::lock_guard lock(core_->mutex);
  core_->connected = false;
  core_->sid = 0;
  core_->listen_again = {};
}

void QueryPort::received(uint64_t sid, const BusMessage& message, Bus& bus, Now now) {
  if (sid == core_->sid) {
    if (message.reply.empty() || core_->closed) return;
    auto channel =
        std::make_shared<QueryChannel>(core_->options, core_->clock, "a query over NATS");
    channel->inbox = bus.inbox();
    channel->opened(std::string(message.reply), now);
    channel->announce = true;
    if (!core_->add(channel)) {
      ++core_->refused;
      channel->cancel({Errc::exhausted, "too many queries at once"});
      channel->publish(bus, now);
      return;
    }
    ++core_->answered;
    channel->sid = bus.subscribe(channel->inbox, *this);
    channel->publish(bus, now);
    core_->serve(std::make_unique<NatsStream<Core>>(core_, channel));
    return;
  }
  for (const ChannelPtr& channel : core_->all()) {
    if (channel->sid != sid) continue;
    channel->take(message, now);
    break;
  }
  tick(bus, now);
}

void QueryPort::tick(Bus& bus, Now now) {
  if (core_->listen_again.ns != 0 && now.mono >= core_->listen_again) {
    core_->listen_again = {};
    core_->sid = bus.subscribe(core_->own_subject(), *this);
  }
  for (const ChannelPtr& channel : core_->all()) {
    if (channel->sid == 0) {
      channel->inbox = bus.inbox();
      channel->sid = bus.subscribe(channel->inbox, *this);
      bus.publish(channel->asks, channel->inbox, {}, "");
    }
    if (channel->publish(bus, now)) continue;
    bus.unsubscribe(channel->sid);
    core_->remove(channel);
  }
}

}  // namespace nines::broker
