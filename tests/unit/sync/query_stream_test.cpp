// Connections of distributed queries, on real sockets.
#include <atomic>
#include <catch2/catch.hpp>

#include "query_net.hpp"
#include "raw_socket.hpp"

using namespace nines;
using namespace nines::peer;
using namespace nines::peer::test;
using stream::ByteStream;

namespace {

namespace asio = boost::asio;

std::string bytes_of(uint64_t seed, size_t size) {
  std::string text(size, '\0');
  uint64_t x = seed * 0x9e3779b97f4a7c15ULL + 1;
  for (size_t i = 0; i < size; ++i) {
    if (i % 8 == 0) x = x * 6364136223846793005ULL + 1442695040888963407ULL;
    text[i] = static_cast<char>(x >> (i % 8 * 8));
  }
  return text;
}

// Everything up to `size` bytes or the end, `step` bytes at a time.
std::string read_all(ByteStream& stream, size_t size, size_t step, Instant deadline) {
  std::string all;
  std::vector<char> buffer(step);
  while (all.size() < size) {
    const auto got = stream.read({buffer.data(), buffer.size()}, deadline);
    if (!got.ok() || *got == 0) break;
    all.append(buffer.data(), *got);
  }
  return all;
}

Result<size_t> read_some(ByteStream& stream, Instant deadline) {
  char buffer[256];
  return stream.read(buffer, deadline);
}

struct Pair {
  explicit Pair(bool tls, size_t max_queries = 8) {
    const Authority authority(folder.path + "/ca");
    auto settings = QueryNet::settings(tls ? authority.issue("b") : TlsSettings{});
    settings.max_queries = max_queries;
    b = net.node("b", settings);
    auto made = QueryDialer::create(net.clock, tls ? authority.issue("a") : TlsSettings{});
    REQUIRE(made.ok());
    dialer = std::move(*made);
  }
  Result<std::unique_ptr<ByteStream>> open(int64_t ms = 10'000) {
    return dialer->open(b->address(), "b", net.clock.in_ms(ms));
  }
  void connect() {
    auto opened = open();
    if (!opened.ok()) FAIL(opened.error().message);
    client = std::move(*opened);
    server = b->next_asked();
    REQUIRE(server != nullptr);
  }
  Instant soon() const { return net.clock.in_ms(20'000); }

  Folder folder;
  QueryNet net;
  std::unique_ptr<QueryNode> b;
  std::unique_ptr<QueryDialer> dialer;
  std::unique_ptr<ByteStream> client, server;
};

}  // namespace

TEST_CASE("Many megabytes both ways at once arrive whole, however slowly they are read",
          "[peer][query]") {
  const bool tls = GENERATE(true, false);
  Pair pair(tls);
  pair.connect();
  const std::string there = bytes_of(1, 24'000'001), back = bytes_of(2, 12'000'001);
  const Instant deadline = pair.net.clock.in_ms(60'000);
  auto asks = std::async(std::launch::async, [&] { return pair.client->write(there, deadline); });
  auto answers = std::async(std::launch::async, [&] { return pair.server->write(back, deadline); });
  auto heard = std::async(std::launch::async,
                          [&] { return read_all(*pair.server, there.size(), 700, deadline); });
  const bool whole = read_all(*pair.client, back.size(), 100'000, deadline) == back;
  CHECK(whole);
  const bool heard_whole = heard.get() == there;
  CHECK(heard_whole);
  CHECK(asks.get().ok());
  CHECK(answers.get().ok());
  const auto traffic = pair.client->traffic();
  CHECK(traffic.bytes_out >= there.size());
  CHECK(traffic.bytes_in >= back.size());
  CHECK(traffic.bytes_out < there.size() + there.size() / 20);
}

TEST_CASE("Who does not read makes the other wait: no more than buffers is kept", "[peer][query]") {
  Pair pair(GENERATE(true, false));
  pair.connect();
  const std::string piece = bytes_of(3, 64 * 1024);
  size_t written = 0;
  Status done = Ok{};
  while (done.ok() && written < 256 * piece.size()) {
    done = pair.server->write(piece, pair.net.clock.in_ms(500));
    written += piece.size();
  }
  REQUIRE_FALSE(done.ok());
  CHECK(done.error().code == Errc::timeout);
  // 256 KiB here and there; the rest is the kernel's (up to 4 MiB to send, 6 MiB received).
  CHECK(written < 12 * 1024 * 1024);
  const auto got = read_all(*pair.client, piece.size(), 5000, pair.soon());
  const bool begins_right = got.starts_with(piece);
  CHECK(begins_right);
}

TEST_CASE("What was written before a stream is closed arrives, and then its end", "[peer][query]") {
  Pair pair(GENERATE(true, false));
  pair.connect();
  const std::string answer = bytes_of(4, 3'000'000);
  auto writes = std::async(std::launch::async, [&] {
    const Status done = pair.server->write(answer, pair.soon());
    pair.server.reset();
    return done;
  });
  const bool whole = read_all(*pair.client, answer.size() + 1, 60'000, pair.soon()) == answer;
  CHECK(whole);
  CHECK(writes.get().ok());
  const auto end = read_some(*pair.client, pair.soon());
  REQUIRE(end.ok());
  CHECK(*end == 0);
  const Status late = pair.client->write("x", pair.soon());
  REQUIRE_FALSE(late.ok());
  CHECK(late.error().code == Errc::unavailable);
}

TEST_CASE("close() wakes who waits here with cancelled, and tells the other side",
          "[peer][query]") {
  Pair pair(GENERATE(true, false));
  pair.connect();
  auto here = std::async(std::launch::async, [&] { return read_some(*pair.client, pair.soon()); });
  auto there = std::async(std::launch::async, [&] { return read_some(*pair.server, pair.soon()); });
  const std::string much = bytes_of(5, 1 << 20);
  auto writes = std::async(std::launch::async, [&] {
    Status done = Ok{};
    while (done.ok()) done = pair.server->write(much, pair.soon());
    return done;
  });
  REQUIRE(here.get().ok());  // something comes; nobody reads the rest
  pair.client->close();
  pair.client->close();
  const auto after = read_some(*pair.client, pair.soon());
  REQUIRE_FALSE(after.ok());
  CHECK(after.error().code == Errc::cancelled);
  const Status stopped = writes.get();
  REQUIRE_FALSE(stopped.ok());
  CHECK(stopped.error().code == Errc::unavailable);
  const auto end = there.get();
  CHECK((!end.ok() || *end == 0));
}

TEST_CASE("A read that is not served in time can be made again", "[peer][query]") {
  Pair pair(true);
  pair.connect();
  const auto nothing = read_some(*pair.client, pair.net.clock.mono());
  REQUIRE_FALSE(nothing.ok());
  CHECK(nothing.error().code == Errc::timeout);
  CHECK(pair.server->write("late", pair.soon()).ok());
  const auto late = read_some(*pair.client, pair.soon());
  REQUIRE(late.ok());
  CHECK(*late > 0);
  CHECK(pair.client->where() == "b (" + pair.b->address() + ")");
}

TEST_CASE("Only the node that is meant is asked, by a certificate of the same authority",
          "[peer][query]") {
  Pair pair(true);
  const auto other = pair.dialer->open(pair.b->address(), "c", pair.soon());
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().code == Errc::unavailable);
  CHECK(other.error().message.find("the certificate there is of b") != std::string::npos);
  const Authority strangers(pair.folder.path + "/other");
  auto stranger = QueryDialer::create(pair.net.clock, strangers.issue("a"));
  REQUIRE(stranger.ok());
  const auto refused = (*stranger)->open(pair.b->address(), "b", pair.soon());
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::unavailable);
  auto plain = QueryDialer::create(pair.net.clock, {});
  REQUIRE(plain.ok());
  CHECK_FALSE((*plain)->open(pair.b->address(), "b", pair.soon()).ok());
  CHECK(pair.b->asked.empty());
}

TEST_CASE("Who waits for a node that does not answer can be called off", "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  std::atomic<bool> stop{false};
  auto dialer = QueryDialer::create(net.clock, authority.issue("a"), [&] { return stop.load(); });
  REQUIRE(dialer.ok());
  // Takes connections and never says a word.
  asio::io_context io;
  asio::ip::tcp::acceptor silent(io, {asio::ip::address_v4::loopback(), 0});
  const std::string address = "127.0.0.1:" + std::to_string(silent.local_endpoint().port());
  auto waiting = std::async(
      std::launch::async, [&] { return (*dialer)->open(address, "b", net.clock.in_ms(600'000)); });
  CHECK(waiting.wait_for(std::chrono::milliseconds(300)) == std::future_status::timeout);
  stop = true;
  REQUIRE(waiting.wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  const auto called_off = waiting.get();
  REQUIRE_FALSE(called_off.ok());
  CHECK(called_off.error().code == Errc::cancelled);
}

TEST_CASE("Without TLS a node says who it is, and only loopback is asked", "[peer][query]") {
  Pair pair(false);
  const auto other = pair.dialer->open(pair.b->address(), "c", pair.soon());
  REQUIRE_FALSE(other.ok());
  CHECK(other.error().message == "this is node b, not c");
  const auto far = pair.dialer->open("192.0.2.1:9991", "c", pair.soon());
  REQUIRE_FALSE(far.ok());
  CHECK(far.error().code == Errc::unsupported);
  CHECK(pair.dialer->open(pair.b->address(), "", pair.soon()).ok());
}

TEST_CASE("An address that accepts and says nothing is given up at the deadline", "[peer][query]") {
  Pair pair(GENERATE(true, false));
  boost::asio::io_context io;
  using tcp = boost::asio::ip::tcp;
  tcp::acceptor deaf(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
  const auto refused = pair.dialer->open(
      "127.0.0.1:" + std::to_string(deaf.local_endpoint().port()), "b", pair.net.clock.in_ms(200));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::timeout);
}

TEST_CASE("More connections than the limit are refused in words until one ends", "[peer][query]") {
  Pair pair(true, 2);
  auto first = pair.open(), second = pair.open();
  REQUIRE(first.ok());
  REQUIRE(second.ok());
  const auto third = pair.open();
  REQUIRE_FALSE(third.ok());
  CHECK(third.error().code == Errc::exhausted);
  CHECK(third.error().message ==
        "b answers 2 queries of other nodes already; ask again in a moment");
  CHECK(pair.net.on_io([&] { return pair.b->driver->counters().queries_refused; }) == 1);
  pair.b->next_asked().reset();
  first->reset();
  bool again = false;
  for (const Instant end = pair.soon(); !again && pair.net.clock.mono() < end;) {
    again = pair.open().ok();
  }
  CHECK(again);
}

TEST_CASE("Bytes that are no query and no peer are hung up on, and nobody else notices",
          "[peer][query]") {
  Pair pair(false);
  for (const std::string& garbage :
       {std::string("GET / HTTP/1.1\r\n\r\n"), std::string("NINQ\x01\x09\x00\x00", 8),
        std::string("NINQ\x07\x01\x00\x00", 8), std::string("NINQ\x01\x01\xff\xff", 8),
        std::string("NINQ\x01\x02\x00\x01x", 9), std::string(4096, '\xff')}) {
    RawSocket hostile(pair.b->port);
    hostile.say(garbage);
    CHECK(hostile.is_hung_up());
  }
  CHECK(pair.open().ok());
}

TEST_CASE("Who begins and does not go on is hung up on", "[peer][query]") {
  QueryNet net;
  auto settings = QueryNet::settings({});
  settings.handshake_ms = 100;
  auto b = net.node("b", settings);
  RawSocket nothing(b->port), half(b->port), most(b->port);
  half.say("NI");
  most.say(std::string_view("NINQ\x01\x01\x00\x09x", 9));
  CHECK(nothing.is_hung_up());
  CHECK(half.is_hung_up());
  CHECK(most.is_hung_up());
  CHECK(net.on_io([&] { return b->driver->counters().handshakes_failed; }) == 3);
}

TEST_CASE("Nobody is told of a handshake that ends after its node", "[peer][query]") {
  QueryNet net;
  const Folder folder;
  auto settings = QueryNet::settings(Authority(folder.path).issue("b"));
  settings.handshake_ms = 500;
  auto b = net.node("b", settings);
  RawSocket silent(b->port), garbage(b->port);
  garbage.say("GET / HTTP/1.1\r\n\r\n");
  CHECK(garbage.is_hung_up());  // it came second: the handshake of the first has begun
  const size_t told = net.on_io([&] {
    b->driver.reset();
    return b->notices.size();
  });
  CHECK(silent.is_hung_up());
  CHECK(net.on_io([&] { return b->notices.size(); }) == told);
}

TEST_CASE("Streams that are open end when the node stops", "[peer][query]") {
  Pair pair(true);
  pair.connect();
  auto waits = std::async(std::launch::async, [&] { return read_some(*pair.server, pair.soon()); });
  pair.b->driver->stop_queries();
  const auto woken = waits.get();
  REQUIRE_FALSE(woken.ok());
  CHECK(woken.error().code == Errc::cancelled);
  CHECK(pair.b->driver->open_query("a", pair.soon()).error().code == Errc::cancelled);
}
