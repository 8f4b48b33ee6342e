// Connections of queries that stay open for the next query: what is judged anew, what ends them.
#include <catch2/catch.hpp>

#include "peer/query_opening.hpp"
#include "query_net.hpp"
#include "raw_socket.hpp"

using namespace nines;
using namespace nines::peer;
using namespace nines::peer::test;
using stream::ByteStream;

namespace {

using StreamPtr = std::unique_ptr<ByteStream>;

void check_talk(ByteStream& asking, ByteStream& answering, const Clock& clock) {
  const Instant deadline{clock.mono().ns + 10 * kNsPerSecond};
  char buffer[16];
  REQUIRE(asking.write("who?", deadline).ok());
  auto got = answering.read(buffer, deadline);
  REQUIRE(got.ok());
  CHECK(std::string(buffer, *got) == "who?");
  REQUIRE(answering.write("me", deadline).ok());
  got = asking.read(buffer, deadline);
  REQUIRE(got.ok());
  CHECK(std::string(buffer, *got) == "me");
}

// a asks b; both have certificates, unless they do not.
struct Fleet {
  explicit Fleet(const std::function<void(DriverSettings&)>& change = {}, bool tls = true,
                 bool outwards = false)
      : authority(folder.path + "/ca") {
    auto of_a = QueryNet::settings(tls ? authority.issue("a") : TlsSettings{});
    if (change) change(of_a);
    a = net.node("a", of_a);
    auto of_b = QueryNet::settings(tls ? authority.issue("b") : TlsSettings{}, {a->address()});
    if (outwards) of_b.listen.clear();
    if (change) change(of_b);
    b = net.node("b", of_b);
    REQUIRE(a->knows("b"));
  }
  Result<StreamPtr> open() { return a->driver->open_query("b", net.clock.in_ms(10'000)); }
  // One whole query, ended by both sides as those of nodes are.
  void ask_and_end() {
    auto asking = open();
    if (!asking.ok()) FAIL(asking.error().message);
    const StreamPtr answering = b->next_asked();
    REQUIRE(answering != nullptr);
    check_talk(**asking, *answering, net.clock);
    traffic = (*asking)->traffic();
    REQUIRE((*asking)->can_be_kept());
    (*asking)->done();
    answering->done();
  }
  uint64_t count(uint64_t PeerDriver::Counters::*what, bool of_b = false) {
    return net.on_io([&] { return (of_b ? b : a)->driver->counters().*what; });
  }
  uint64_t kept() { return count(&PeerDriver::Counters::queries_kept); }
  // Asks until one query goes over a kept connection: how soon it may is a matter of threads.
  bool ask_until_kept() {
    const uint64_t before = kept();
    for (const Instant end = net.clock.in_ms(10'000); net.clock.mono() < end;) {
      ask_and_end();
      if (kept() > before) return true;
      std::this_thread::yield();
    }
    return false;
  }

  Folder folder;
  Authority authority;
  QueryNet net;
  std::unique_ptr<QueryNode> a, b;
  ByteStream::Traffic traffic;
};

}  // namespace

TEST_CASE("A connection that both sides ended with done() carries the next query",
          "[peer][query][kept]") {
  const bool tls = GENERATE(true, false), outwards = GENERATE(true, false);
  Fleet fleet({}, tls, outwards);
  fleet.ask_and_end();
  const auto first = fleet.traffic;
  REQUIRE(fleet.ask_until_kept());
  const uint64_t accepted = fleet.count(&PeerDriver::Counters::accepted, !outwards);
  REQUIRE(fleet.ask_until_kept());
  CHECK(fleet.count(&PeerDriver::Counters::accepted, !outwards) == accepted);
  // Its own bytes only: no handshake is among them.
  CHECK(fleet.traffic.bytes_in > 0);
  CHECK(fleet.traffic.bytes_in < 200);
  if (tls) CHECK(first.bytes_in > 1000);
  CHECK(fleet.b->askers.back().nodes ==
        (tls ? std::vector<std::string>{"a"} : std::vector<std::string>{}));
}

TEST_CASE("A stream that one side closes is not kept", "[peer][query][kept]") {
  Fleet fleet;
  for (int i = 0; i < 3; ++i) {
    auto asking = fleet.open();
    REQUIRE(asking.ok());
    StreamPtr answering = fleet.b->next_asked();
    REQUIRE(answering != nullptr);
    check_talk(**asking, *answering, fleet.net.clock);
    if (i == 0) (*asking)->done();
    if (i == 1) answering->done();
    asking->reset();
    answering.reset();
  }
  CHECK(fleet.kept() == 0);
  CHECK(fleet.count(&PeerDriver::Counters::queries_opened) == 3);
}

TEST_CASE("What is kept takes no place of those that ask, and is refused like a new one",
          "[peer][query][kept]") {
  Fleet fleet([](DriverSettings& settings) { settings.max_queries = 1; });
  REQUIRE(fleet.ask_until_kept());
  auto dialer = QueryDialer::create(fleet.net.clock, fleet.authority.issue("c"));
  REQUIRE(dialer.ok());
  Result<StreamPtr> other = Error{Errc::exhausted, {}};
  for (const Instant end = fleet.net.clock.in_ms(10'000);
       !other.ok() && fleet.net.clock.mono() < end;) {
    other = (*dialer)->open(fleet.b->address(), "b", fleet.net.clock.in_ms(10'000));
  }
  REQUIRE(other.ok());
  const auto refused = fleet.open();
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::exhausted);
  CHECK(refused.error().message ==
        "b answers 1 queries of other nodes already; ask again in a moment");
  CHECK(fleet.count(&PeerDriver::Counters::queries_refused, true) >= 1);
}

TEST_CASE("Nothing is kept beyond its time, its age and its number", "[peer][query][kept]") {
  const auto change = GENERATE(
      +[](DriverSettings& s) { s.kept_ms = 0; }, +[](DriverSettings& s) { s.kept_age_ms = 0; },
      +[](DriverSettings& s) { s.max_kept = 0; });
  Fleet fleet(change);
  for (int i = 0; i < 3; ++i) fleet.ask_and_end();
  CHECK(fleet.kept() == 0);
  CHECK(fleet.count(&PeerDriver::Counters::queries_opened) == 3);
}

TEST_CASE("Of each node two connections are kept", "[peer][query][kept]") {
  Fleet fleet;
  std::vector<StreamPtr> asking, answering;
  for (int i = 0; i < 4; ++i) {
    auto opened = fleet.open();
    REQUIRE(opened.ok());
    asking.push_back(std::move(*opened));
    answering.push_back(fleet.b->next_asked());
    REQUIRE(answering.back() != nullptr);
  }
  const uint64_t before = fleet.kept();
  for (auto& one : asking) one->done();
  for (auto& one : answering) one->done();
  std::vector<StreamPtr> again;
  for (int i = 0; i < 4; ++i) {
    auto opened = fleet.open();
    REQUIRE(opened.ok());
    again.push_back(std::move(*opened));
  }
  CHECK(fleet.kept() - before <= 2);
}

TEST_CASE("Connections made with certificates that were replaced carry no further query",
          "[peer][query][kept]") {
  Fleet fleet([](DriverSettings& settings) { settings.reload_every_ms = 20; });
  REQUIRE(fleet.ask_until_kept());
  const uint64_t kept = fleet.kept();
  (void)fleet.authority.issue("b");
  REQUIRE(fleet.net.until([&] { return fleet.b->driver->counters().reloads > 0; }));
  const uint64_t opened = fleet.count(&PeerDriver::Counters::queries_opened);
  fleet.ask_and_end();
  CHECK(fleet.kept() == kept);
  CHECK(fleet.count(&PeerDriver::Counters::queries_opened) == opened + 1);
}

TEST_CASE("Who says anything but a question on a kept connection is hung up on",
          "[peer][query][kept]") {
  const std::string said =
      GENERATE(std::string("GET / HTTP/1.1\r\n"), std::string(100'000, '\0'),
               encode_opening({Opening::Kind::called, std::string(kTokenBytes, 't'), "a"}),
               encode_opening({Opening::Kind::ask, {}, "c"}),
               std::string("NINQ\x01\x01\xff\xff", 8), std::string("NINQ\x01\x01", 6));
  QueryNet net;
  auto settings = QueryNet::settings({});
  settings.kept_ms = 500;  // who begins and does not go on
  const auto b = net.node("b", settings);
  RawSocket hostile(b->port);
  hostile.say(encode_opening({Opening::Kind::ask, {}, "b"}));
  CHECK(hostile.hear(9) == encode_opening({Opening::Kind::yes, {}, "b"}));
  b->next_asked()->done();
  CHECK(hostile.hear(8) == encode_opening({Opening::Kind::again, {}, {}}));
  hostile.say(said);
  CHECK(hostile.is_hung_up());
  CHECK(b->asked.empty());
}

TEST_CASE("A kept connection whose other side went away is replaced by a new one",
          "[peer][query][kept]") {
  Fleet fleet({}, false);
  REQUIRE(fleet.ask_until_kept());
  const uint64_t kept = fleet.kept();
  const uint16_t port = fleet.b->port;
  fleet.b.reset();
  auto settings = QueryNet::settings({}, {fleet.a->address()});
  settings.listen = "127.0.0.1:" + std::to_string(port);
  fleet.b = fleet.net.node("b", settings);
  REQUIRE(fleet.a->knows("b"));
  fleet.ask_and_end();
  CHECK(fleet.kept() == kept);
}

TEST_CASE("A node that stops closes what it keeps", "[peer][query][kept]") {
  QueryNet net;
  const auto b = net.node("b", QueryNet::settings({}));
  RawSocket client(b->port);
  client.say(encode_opening({Opening::Kind::ask, {}, "b"}));
  CHECK(client.hear(9) == encode_opening({Opening::Kind::yes, {}, "b"}));
  b->next_asked()->done();
  CHECK(client.hear(8) == encode_opening({Opening::Kind::again, {}, {}}));
  b->driver->stop_queries();
  CHECK(client.is_hung_up());
}
