// Streams of bytes over NATS: two ports, and between them a broker that delivers, loses or stops.
#include "nines/broker/query_port.hpp"

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

using namespace nines;
using namespace nines::broker;
using stream::ByteStream;

namespace {

class SteadyClock final : public Clock {
 public:
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1)};
  }
  WallTime wall() const noexcept override { return {}; }
};
const SteadyClock kClock;

Instant in_ms(int64_t ms) { return {kClock.mono().ns + ms * kNsPerMs}; }

// Delivers what participants publish to each other, on a thread of its own.
class Router {
 public:
  ~Router() { stop(); }
  void join(Participant& who) {
    buses_.push_back(std::make_unique<RouterBus>(*this, who));
    who.connected(*buses_.back(), now());
  }
  void start() {
    ending_ = false;
    thread_ = std::thread([this] {
      while (!ending_) {
        for (auto& bus : buses_) bus->who.tick(*bus, now());
        while (!queue_.empty()) deliver();
        for (; !denials_.empty(); denials_.pop_front()) {  // later, as NATS says it
          const Denial denial = denials_.front();
          denial.bus->who.denied({denial.publish, denial.subject}, *denial.bus, now());
        }
        std::this_thread::yield();
      }
    });
  }
  void stop() {
    ending_ = true;
    if (thread_.joinable()) thread_.join();
  }
  std::atomic<bool> lose_next_data{false}, disconnect{false}, deaf{false};
  // Before start(): nobody may publish there (a prefix), or the participant of that number may not
  // subscribe to it.
  std::string no_publish, no_subscribe;
  std::atomic<size_t> most_underway{0};

 private:
  struct Letter {
    std::string subject, reply, body;
    size_t from = 0;
  };
  struct RouterBus final : Bus {
    RouterBus(Router& owner, Participant& participant) : router(owner), who(participant) {}
    uint64_t subscribe(std::string_view subject, Participant&) override {
      if (!router.no_subscribe.empty() && subject.starts_with(router.no_subscribe)) {
        router.denials_.push_back({this, false, std::string(subject)});
        return ++router.sid_;
      }
      subscriptions[++router.sid_] = subject;
      return router.sid_;
    }
    void unsubscribe(uint64_t sid) override { subscriptions.erase(sid); }
    void publish(std::string_view subject, std::string_view reply, std::span<const Header>,
                 std::string_view body) override {
      if (!router.no_publish.empty() && subject.starts_with(router.no_publish)) {
        router.denials_.push_back({this, true, std::string(subject)});
        return;
      }
      if (body.starts_with('D') && router.lose_next_data.exchange(false)) return;
      router.queue_.push_back({std::string(subject), std::string(reply), std::string(body), 0});
    }
    std::string inbox() override { return "_INBOX." + std::to_string(++router.sid_); }
    size_t max_payload() const override { return 1024 * 1024; }
    size_t unsent() const override { return 0; }
    Router& router;
    Participant& who;
    std::map<uint64_t, std::string> subscriptions;
  };
  struct Denial {
    RouterBus* bus;
    bool publish;
    std::string subject;
  };
  static Now now() { return {kClock.mono(), {}}; }
  void deliver() {
    most_underway = std::max(most_underway.load(), queue_.size());
    const Letter letter = std::move(queue_.front());
    queue_.pop_front();
    if (disconnect.exchange(false)) {
      for (auto& bus : buses_) {
        bus->subscriptions.clear();
        bus->who.lost(now());
        bus->who.connected(*bus, now());
      }
      return;
    }
    if (deaf) return;
    bool heard = false;
    for (auto& bus : buses_) {
      for (const auto& [sid, subject] : std::map(bus->subscriptions)) {
        if (subject != letter.subject) continue;
        heard = true;
        bus->who.received(sid, {letter.subject, letter.reply, "", letter.body, 0}, *bus, now());
      }
    }
    if (heard || letter.reply.empty()) return;
    for (auto& bus : buses_) {
      for (const auto& [sid, subject] : std::map(bus->subscriptions)) {
        if (subject == letter.reply)
          bus->who.received(sid, {subject, "", "", "", 503}, *bus, now());
      }
    }
  }

  std::vector<std::unique_ptr<RouterBus>> buses_;
  std::deque<Letter> queue_;
  std::deque<Denial> denials_;
  uint64_t sid_ = 0;
  std::thread thread_;
  std::atomic<bool> ending_{false};
};

QueryPortOptions options(const std::string& node) {
  QueryPortOptions options;
  options.node = node;
  options.window = 4;
  options.life_ms = 20;
  options.dead_ms = 400;
  return options;
}

// A node that answers with `serve` on a thread for each query, and one that asks it.
struct Pair {
  explicit Pair(std::function<void(ByteStream&)> serve)
      : server(
            options("pi.1"), kClock,
            [this, serve](std::unique_ptr<ByteStream> stream) {
              const std::lock_guard lock(mutex);
              threads.emplace_back(
                  [serve, s = std::shared_ptr<ByteStream>(std::move(stream))] { serve(*s); });
            },
            [] {}),
        client(options(""), kClock, nullptr, [] {}) {
    router.join(server);
    router.join(client);
    router.start();
  }
  ~Pair() {
    const std::lock_guard lock(mutex);
    for (auto& thread : threads) thread.join();
  }
  std::unique_ptr<ByteStream> ask() {
    auto stream = client.open("pi.1", in_ms(5000));
    REQUIRE(stream.ok());
    return std::move(*stream);
  }
  std::mutex mutex;
  std::vector<std::thread> threads;
  QueryPort server, client;
  Router router;  // ends first
};

Result<std::string> read_all(ByteStream& stream) {
  std::string text;
  std::vector<char> buffer(100'000);
  for (;;) {
    auto bytes = stream.read(buffer, in_ms(5000));
    if (!bytes.ok()) return bytes.error();
    if (*bytes == 0) return text;
    text.append(buffer.data(), *bytes);
  }
}

std::string pattern(size_t bytes) {
  std::string text(bytes, '\0');
  for (size_t i = 0; i < bytes; ++i) text[i] = static_cast<char>(i * 7 + i / 251);
  return text;
}

}  // namespace

TEST_CASE("a query over NATS carries bytes both ways and ends in good order") {
  const std::string answer = pattern(3'000'000);
  Pair pair([&](ByteStream& stream) {
    std::vector<char> buffer(64);
    const auto asked = stream.read(buffer, in_ms(5000));
    if (asked.ok() && std::string(buffer.data(), *asked) == "which?") {
      static_cast<void>(stream.write(answer, in_ms(5000)));
    }
  });
  const auto stream = pair.ask();
  REQUIRE(stream->write("which?", in_ms(5000)).ok());
  const auto got = read_all(*stream);
  REQUIRE(got.ok());
  CHECK(*got == answer);
  CHECK(stream->traffic().bytes_in > answer.size());
  CHECK(stream->where() == "pi.1 (NATS)");
}

TEST_CASE("who does not read a query over NATS makes the other wait") {
  std::atomic<bool> waited{false};
  Pair pair([&](ByteStream& stream) {
    const auto full = stream.write(pattern(2'000'000), in_ms(200));
    waited = !full.ok() && full.error().code == Errc::timeout;
  });
  const auto stream = pair.ask();
  for (int i = 0; i < 5000 && !waited; ++i) std::this_thread::yield();
  while (!waited) std::this_thread::yield();
  CHECK(stream->traffic().bytes_in < 5 * 64 * 1024);
}

TEST_CASE("a message of a query that NATS lost makes it unavailable") {
  Pair pair(
      [](ByteStream& stream) { static_cast<void>(stream.write(pattern(500'000), in_ms(2000))); });
  pair.router.lose_next_data = true;
  const auto stream = pair.ask();
  const auto got = read_all(*stream);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Errc::unavailable);
}

TEST_CASE("the last message of a query that NATS lost is noticed, too") {
  Pair pair([](ByteStream& stream) {
    static_cast<void>(stream.write("all", in_ms(2000)));
    std::vector<char> buffer(8);
    static_cast<void>(stream.read(buffer, in_ms(2000)));
  });
  pair.router.lose_next_data = true;
  const auto stream = pair.ask();
  const auto got = read_all(*stream);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Errc::unavailable);
}

TEST_CASE("a query over NATS that is closed ends on the other side") {
  std::atomic<int> code{-1};
  Pair pair([&](ByteStream& stream) {
    std::vector<char> buffer(8);
    const auto got = stream.read(buffer, in_ms(5000));
    code = got.ok() ? -2 : static_cast<int>(got.error().code);
  });
  const auto stream = pair.ask();
  stream->close();
  while (code == -1) std::this_thread::yield();
  CHECK(code == static_cast<int>(Errc::cancelled));
  std::vector<char> buffer(8);
  CHECK(stream->read(buffer, in_ms(1000)).error().code == Errc::cancelled);
  CHECK(stream->write("x", in_ms(1000)).error().code == Errc::cancelled);
}

TEST_CASE(
    "a query to a node that does not listen, or while the connection breaks, is unavailable") {
  Pair pair([](ByteStream& stream) {
    std::vector<char> buffer(8);
    static_cast<void>(stream.read(buffer, in_ms(2000)));
  });
  const auto nobody = pair.client.open("nobody", in_ms(5000));
  REQUIRE_FALSE(nobody.ok());
  CHECK(nobody.error().code == Errc::unavailable);

  const auto stream = pair.ask();
  pair.router.disconnect = true;
  const auto got = read_all(*stream);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Errc::unavailable);
  CHECK(pair.ask()->where() == "pi.1 (NATS)");
}

TEST_CASE("a query over NATS whose other side falls silent is unavailable") {
  Pair pair([](ByteStream& stream) {
    std::vector<char> buffer(8);
    static_cast<void>(stream.read(buffer, in_ms(5000)));
  });
  const auto stream = pair.ask();
  pair.router.deaf = true;
  const auto got = read_all(*stream);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Errc::unavailable);
}

TEST_CASE("a query that NATS forbids ends at once, and says what is missing") {
  Pair pair([](ByteStream&) {});
  pair.router.stop();
  SECTION("to ask") { pair.router.no_publish = "nines.nines.query."; }
  SECTION("to hear an answer") { pair.router.no_subscribe = "_INBOX."; }
  pair.router.start();
  const Instant begun = kClock.mono();
  const auto refused = pair.client.open("pi.1", in_ms(20'000));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::unsupported);
  const bool asks = !pair.router.no_publish.empty();
  const std::string wanted = asks ? "publish to nines.nines.query.pi=2E1; what it lacks: "
                                    "permissions { publish: \"nines.nines.query.>\" }"
                                  : "permissions { subscribe: \"_INBOX.>\" }";
  INFO(refused.error().message);
  CHECK(refused.error().message.find(wanted) != std::string::npos);
  CHECK(kClock.mono().ns - begun.ns < 10 * kNsPerSecond);
}

TEST_CASE("queries over NATS beyond the limit are refused") {
  Pair pair([](ByteStream& stream) {
    std::vector<char> buffer(8);
    static_cast<void>(stream.read(buffer, in_ms(5000)));
  });
  std::vector<std::unique_ptr<ByteStream>> open;
  for (size_t i = 0; i < QueryPortOptions{}.max_streams; ++i) open.push_back(pair.ask());
  const auto more = pair.client.open("pi.1", in_ms(1000));
  REQUIRE_FALSE(more.ok());
  CHECK(more.error().code == Errc::exhausted);
  CHECK(pair.client.stats().asked == open.size());
  CHECK(pair.server.stats().answered == open.size());
  for (auto& stream : open) stream->close();
}

TEST_CASE("a node refuses queries over NATS beyond its limit in words, and counts them") {
  Pair pair([](ByteStream& stream) {
    std::vector<char> buffer(8);
    static_cast<void>(stream.read(buffer, in_ms(5000)));
  });
  QueryPort other(options(""), kClock, nullptr, [] {});
  pair.router.stop();
  pair.router.join(other);
  pair.router.start();
  std::vector<std::unique_ptr<ByteStream>> open;
  for (size_t i = 0; i < QueryPortOptions{}.max_streams; ++i) open.push_back(pair.ask());
  const auto more = other.open("pi.1", in_ms(5000));
  REQUIRE_FALSE(more.ok());
  CHECK(more.error().message.find("too many queries at once") != std::string::npos);
  CHECK(pair.server.stats().refused == 1);
  for (auto& stream : open) stream->close();
  pair.router.stop();  // before `other` goes
}

TEST_CASE("a node that stops tells those whose queries over NATS it answers, and takes no more") {
  Pair pair([](ByteStream& stream) {
    std::vector<char> buffer(8);
    static_cast<void>(stream.read(buffer, in_ms(5000)));
  });
  const auto stream = pair.ask();
  pair.server.stop();
  const auto got = read_all(*stream);
  REQUIRE_FALSE(got.ok());
  CHECK(got.error().code == Errc::cancelled);
  CHECK(got.error().message.find("stopping") != std::string::npos);
  CHECK_FALSE(pair.client.open("pi.1", in_ms(100)).ok());
  CHECK(pair.server.stats().answered == 1);
  pair.client.stop();
  CHECK(pair.client.open("pi.1", in_ms(100)).error().code == Errc::cancelled);
}
