// Ways to nodes: dialled where they listen, called back over their session where they do not; who
// may ask, and what a token is good for.
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "peer/messages.hpp"
#include "query_net.hpp"
#include "raw_socket.hpp"

using namespace nines;
using namespace nines::peer;
using namespace nines::peer::test;
using stream::ByteStream;

namespace {

DriverSettings outwards(TlsSettings tls, const QueryNode& to) {
  auto settings = QueryNet::settings(std::move(tls), {to.address()});
  settings.listen.clear();
  return settings;
}

// What `node` says to `asked` arrives, and the other way round.
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

// A peer made of bytes: says hello and reads frames.
class HandMade {
 public:
  HandMade(uint16_t port, const std::string& name) : socket_(port) {
    Hello hello{"shop", name, 1, 5, 1, 1, kCanBeCalled, WallTime::from_s(1'700'000'000)};
    said_ = encode(hello) + encode(Welcome{});
    socket_.say(said_);
  }
  // Frames until one of that kind.
  template <class Wanted>
  Wanted wait_for() {
    while (true) {
      const std::string header = socket_.hear(4);
      REQUIRE(header.size() == 4);
      const auto at = [&](size_t i) { return static_cast<unsigned char>(header[i]); };
      const size_t rest = (at(0) << 24U) + (at(1) << 16U) + (at(2) << 8U) + at(3);
      FrameDecoder decoder;
      decoder.set_limit(kMaxBody);
      decoder.feed(header + socket_.hear(rest));
      const auto frame = decoder.next();
      REQUIRE(frame.ok());
      const auto message = decode(**frame);
      REQUIRE(message.ok());
      if (const auto* wanted = std::get_if<Wanted>(&*message)) return *wanted;
    }
  }
  void say(const Message& message) {
    said_ += encode(message);
    socket_.say(encode(message));
  }
  const std::string& said() const { return said_; }

 private:
  RawSocket socket_;
  std::string said_;
};

std::string answer_to(uint16_t port, const Opening& opening) {
  RawSocket socket(port);
  socket.say(encode_opening(opening));
  const std::string header = socket.hear(kOpeningHeader);
  if (header.size() < kOpeningHeader) return "hung up";
  const std::string body = socket.hear(*opening_body(header));
  const auto answer = decode_opening(header, body);
  REQUIRE(answer.ok());
  return answer->kind == Opening::Kind::yes ? "yes" : answer->text;
}

}  // namespace

TEST_CASE("A node that dialled this one is dialled where it listens", "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  auto a = net.node("a", QueryNet::settings(authority.issue("a")));
  auto b = net.node("b", QueryNet::settings(authority.issue("b"), {a->address()}));
  REQUIRE(a->knows("b"));
  CHECK(net.on_io([&] { return a->node->way_to("b").address; }) == b->address());
  const auto views = net.on_io([&] {
    return a->node->peers({net.clock.mono(), net.clock.wall()});
  });
  REQUIRE(views.size() == 1);
  CHECK(views[0].address == b->address());
  auto asking = a->driver->open_query("b", net.clock.in_ms(10'000));
  REQUIRE(asking.ok());
  auto answering = b->next_asked();
  REQUIRE(answering != nullptr);
  check_talk(**asking, *answering, net.clock);
  CHECK(b->askers[0].nodes == std::vector<std::string>{"a"});
  CHECK(net.on_io([&] { return a->driver->counters().calls; }) == 0);
  CHECK(a->driver->open_query("x", net.clock.in_ms(10'000)).error().code == Errc::not_found);
}

TEST_CASE("A node that only connects outwards is called over its session", "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  const bool tls = GENERATE(true, false);
  auto a = net.node("a", QueryNet::settings(tls ? authority.issue("a") : TlsSettings{}));
  auto b = net.node("b", outwards(tls ? authority.issue("b") : TlsSettings{}, *a));
  REQUIRE(a->knows("b"));
  CHECK(net.on_io([&] { return a->node->way_to("b").address; }).empty());
  auto asking = a->driver->open_query("b", net.clock.in_ms(10'000));
  if (!asking.ok()) FAIL(asking.error().message);
  auto answering = b->next_asked();
  REQUIRE(answering != nullptr);
  check_talk(**asking, *answering, net.clock);
  CHECK(net.on_io([&] { return a->driver->counters().calls_answered; }) == 1);
  // And at the same time the other way, which needs no call.
  auto back = b->driver->open_query("a", net.clock.in_ms(10'000));
  CHECK(back.ok());
}

TEST_CASE("A node that is busy declines a call in words", "[peer][query]") {
  QueryNet net;
  auto a = net.node("a", QueryNet::settings({}));
  auto settings = outwards({}, *a);
  settings.max_queries = 1;
  auto b = net.node("b", settings);
  REQUIRE(a->knows("b"));
  auto first = a->driver->open_query("b", net.clock.in_ms(10'000));
  REQUIRE(first.ok());
  const auto second = a->driver->open_query("b", net.clock.in_ms(10'000));
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().message ==
        "b answers 1 queries of other nodes already; ask again in a moment");
}

TEST_CASE("A token of a call is good once, in its time, and for its node", "[peer][query]") {
  QueryNet net;
  auto settings = QueryNet::settings({});
  settings.call_ms = 5'000;
  auto a = net.node("a", settings);
  HandMade b(a->port, "b");
  REQUIRE(a->knows("b"));
  const std::string refusal = "no such call, or it is used or too old";
  auto asks = std::async(std::launch::async,
                         [&] { return a->driver->open_query("b", net.clock.in_ms(10'000)); });
  const Opening right{Opening::Kind::called, b.wait_for<Call>().token, "b"};
  CHECK(right.token.size() == kTokenBytes);
  Opening wrong = right;
  wrong.token[3] = static_cast<char>(wrong.token[3] + 1);
  CHECK(answer_to(a->port, wrong) == refusal);
  CHECK(answer_to(a->port, right) == "yes");
  CHECK(answer_to(a->port, right) == refusal);
  CHECK(asks.get().ok());
  // Another node that got hold of a token: nobody has it then.
  asks = std::async(std::launch::async,
                    [&] { return a->driver->open_query("b", net.clock.in_ms(10'000)); });
  const Opening stolen{Opening::Kind::called, b.wait_for<Call>().token, "c"};
  CHECK(stolen.token != right.token);
  CHECK(answer_to(a->port, stolen) == refusal);
  CHECK(asks.get().error().code == Errc::unavailable);
  // Too late.
  asks = std::async(std::launch::async,
                    [&] { return a->driver->open_query("b", net.clock.in_ms(100)); });
  const Opening late{Opening::Kind::called, b.wait_for<Call>().token, "b"};
  CHECK(asks.get().error().code == Errc::timeout);
  CHECK(answer_to(a->port, late) == refusal);
  CHECK(net.on_io([&] { return a->driver->counters().calls_answered; }) == 1);
}

TEST_CASE("A session that was recorded and is played again changes nothing", "[peer][query]") {
  QueryNet net;
  auto a = net.node("a", QueryNet::settings({}));
  std::string recorded;
  {
    fleet::FleetState other("b", 1, {}, 5);
    const auto ids = other.set_series({{{}, "api", "g", "shop", "0.99", 86400}}, net.clock.wall());
    REQUIRE(ids.ok());
    const int64_t minute = net.clock.wall().seconds() / 60;
    HandMade b(a->port, "b");
    REQUIRE(a->knows("b"));
    other.publish(ids->front(), fleet::Tier::minute, minute - 1, {10, 1, 60});
    for (int64_t good = 100; good <= 300; good += 100) {
      other.publish(ids->front(), fleet::Tier::minute, minute, {good, 1, 60});
      for (const auto& piece : other.take_changes()) {
        b.say(Parts{0, true, piece.origin, {{piece.key, piece.body}}});
      }
    }
    REQUIRE(net.until(
        [&] { return a->state.counters().cells_taken >= 3 && a->state.info("b").has_value(); }));
    recorded = b.said();
  }
  REQUIRE(net.until([&] { return !a->node->way_to("b").callable; }));
  const uint64_t before = net.on_io([&] { return a->state.hash(); });
  const uint64_t taken = net.on_io([&] { return a->state.counters().cells_taken; });
  const uint64_t pieces = net.on_io([&] { return a->node->counters().pieces_in; });
  for (int i = 1; i <= 2; ++i) {
    RawSocket again(a->port);
    again.say(recorded);
    REQUIRE(net.until([&] { return a->node->counters().pieces_in == pieces + i * pieces; }));
  }
  CHECK(net.on_io([&] { return a->state.hash(); }) == before);
  CHECK(net.on_io([&] { return a->state.counters().cells_taken; }) == taken);
}

TEST_CASE("Roles: an observer asks and is not missed, a leaf answers and may not ask",
          "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  auto a = net.node("a", QueryNet::settings(authority.issue("a")));
  auto leaf = net.node("leaf", outwards(authority.issue("leaf", Role::leaf), *a));
  REQUIRE(a->knows("leaf"));
  REQUIRE(net.until([&] { return a->state.origins().size() == 2; }));
  auto laptop = net.node("laptop", outwards(authority.issue("laptop", Role::observer), *a));
  REQUIRE(a->knows("laptop"));
  REQUIRE(laptop->knows("a"));
  CHECK(laptop->driver->open_query("a", net.clock.in_ms(10'000)).ok());
  CHECK(a->driver->open_query("leaf", net.clock.in_ms(10'000)).ok());
  const auto refused = leaf->driver->open_query("a", net.clock.in_ms(10'000));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::unsupported);
  CHECK(refused.error().message.find("may not ask queries") != std::string::npos);
  // The laptop sees the fleet, the leaf only itself and whom it talks to; nobody hears of the
  // laptop.
  REQUIRE(net.until([&] { return laptop->state.origins().size() == 3; }));
  CHECK(net.on_io([&] { return leaf->state.origins(); }) == std::vector<std::string>{"leaf"});
  CHECK(net.on_io([&] { return a->state.origins(); }) == std::vector<std::string>{"a", "leaf"});
  const auto views = net.on_io([&] {
    return a->node->peers({net.clock.mono(), net.clock.wall()});
  });
  REQUIRE(views.size() == 2);
  CHECK(views[0].role == Role::observer);
  CHECK(views[1].role == Role::leaf);
  laptop.reset();
  REQUIRE(net.until([&] { return !a->node->way_to("laptop").callable; }));
  CHECK(net.on_io([&] {
    return a->node->peers({net.clock.mono(), net.clock.wall()}).size();
  }) == 1);
}

TEST_CASE("A node that is denied by name is not spoken to, whatever its certificate",
          "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  auto a = net.node("a", QueryNet::settings(authority.issue("a")), {"lost"});
  auto lost = net.node("lost", QueryNet::settings(authority.issue("lost"), {a->address()}));
  REQUIRE(net.until([&] { return !a->decisions.empty(); }));
  CHECK(a->decisions[0].text == "lost is refused: peers denies it");
  auto dialer = QueryDialer::create(net.clock, authority.issue("lost"));
  REQUIRE(dialer.ok());
  CHECK_FALSE((*dialer)->open(a->address(), "a", net.clock.in_ms(10'000)).ok());
  CHECK(net.on_io([&] { return a->state.origins().size(); }) == 1);
  CHECK(a->asked.empty());
}

TEST_CASE("A certificate of a role that is not known is refused", "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  auto a = net.node("a", QueryNet::settings(authority.issue("a")));
  const auto files = authority.issue("odd");
  const auto run = [](const std::string& command) { return std::system(command.c_str()); };
  const std::string in = "cd " + folder.path + " && ";
  REQUIRE(run(in + "openssl req -new -key " + files.key + " -subj /CN=odd -out odd.csr && " +
              "printf 'subjectAltName=DNS:odd,URI:nines:role:king' > odd.ext && " +
              "openssl x509 -req -in odd.csr -CA ca/ca.crt -CAkey ca/ca.key -CAcreateserial " +
              "-extfile odd.ext -days 2 -out " + files.certificate + " 2>/dev/null") == 0);
  CHECK_FALSE(QueryDialer::create(net.clock, files).ok());
}

TEST_CASE("A key that others can read is warned about, and used", "[peer][query]") {
  const Folder folder;
  const Authority authority(folder.path + "/ca");
  QueryNet net;
  const auto files = authority.issue("a");
  REQUIRE(::chmod(files.key.c_str(), 0644) == 0);
  auto a = net.node("a", QueryNet::settings(files));
  REQUIRE(a->notices.size() == 1);
  CHECK(a->notices[0].find("has mode 0644") != std::string::npos);
  CHECK(a->notices[0].find("PRIVATE") == std::string::npos);
  REQUIRE(::chmod(files.key.c_str(), 0640) == 0);
  auto b = net.node("b", QueryNet::settings(files));
  CHECK(b->notices.empty());
}
