// What a certificate's role does not allow is not taken, however it is said.
#include <catch2/catch.hpp>

#include "nines/fleet/fleet_view.hpp"
#include "nines/peer/peer_node.hpp"
#include "peer/messages.hpp"

using namespace nines;
using namespace nines::peer;
using fleet::PartKey;
using fleet::PartKind;
using fleet::Tier;

namespace {

constexpr int64_t kStart = 1'800'000'000;

// A node of role node, and what others say to it.
struct Victim {
  Victim() : state("victim", 3, {}, 77), node(settings(), state, now()) {
    set_series(state);
    (void)node.take();
  }
  static PeerSettings settings() {
    PeerSettings settings;
    settings.cluster = "c";
    settings.incarnation = 77;
    settings.deny = {"lost"};
    return settings;
  }
  static void set_series(fleet::FleetState& state) {
    REQUIRE(
        state.set_series({{{}, "api", "g", "shop", "0.99", 86400}}, WallTime::from_s(kStart)).ok());
  }
  Now now() const { return {{after_ms * kNsPerMs + kNsPerSecond}, {wall_ns()}}; }
  int64_t wall_ns() const { return kStart * kNsPerSecond + after_ms * kNsPerMs; }

  LinkId meet(const std::string& name, Role role, const Welcome& welcome = {}) {
    const LinkId link = node.accepted(now(), {{name}, role, "10.0.0.9"});
    REQUIRE(link != 0);
    Hello hello{"c", name, 1, 5, 1, 1, kCanBeCalled, now().wall};
    hello.port = 9991;
    hear(link, hello);
    hear(link, welcome);
    return link;
  }
  Output hear(LinkId link, const Message& message) {
    node.received(link, encode(message), now());
    return node.take();
  }
  void run_ms(int64_t ms) {
    for (const int64_t end = after_ms + ms; after_ms < end; after_ms += 500) {
      node.tick(now());
      for (auto& decision : node.take().decisions) decisions.push_back(decision);
    }
  }
  // Everything that a node knows, told by whoever `link` is.
  void tell_all(LinkId link, const fleet::FleetState& from) {
    for (const auto& origin : from.origins()) {
      std::vector<PartKey> keys;
      for (const auto& part : from.parts(origin)) {
        if (part.key.kind != PartKind::series) {
          keys.push_back(part.key);
          continue;
        }
        for (const auto& inner : from.parts(origin, part.key.id)) keys.push_back(inner.key);
      }
      for (const auto& key : keys) {
        const auto piece = from.piece(origin, key);
        if (piece) hear(link, Parts{0, true, origin, {{piece->key, piece->body}}});
      }
    }
  }

  int64_t after_ms = 0;
  fleet::FleetState state;
  PeerNode node;
  std::vector<Decision> decisions;
};

fleet::FleetState state_of(const std::string& name, int64_t good) {
  fleet::FleetState state(name, 1, {}, 5);
  Victim::set_series(state);
  state.publish(state.series(name).front().first, Tier::minute, kStart / 60, {good, 1, 60});
  fleet::FleetEvent event;
  event.stream = fleet::FleetEvent::Stream::membership;
  event.kind = fleet::FleetEvent::Kind::node_back;
  event.subject = event.rule = "x";
  state.publish(event);
  return state;
}

int64_t good_of(const fleet::FleetState& state, const std::string& origin) {
  int64_t good = 0;
  for (const auto& [id, meta] : state.series(origin)) {
    good += fleet::counts_between(state, origin, id, kStart - 3600, kStart + 3600).good;
  }
  return good;
}

template <class Wanted>
std::optional<Wanted> said(const Output& out) {
  for (const auto& send : out.sends) {
    FrameDecoder decoder;
    decoder.set_limit(kMaxBody);
    decoder.feed(send.bytes);
    for (auto frame = decoder.next(); frame.ok() && *frame; frame = decoder.next()) {
      const auto message = decode(**frame);
      if (!message.ok()) continue;
      if (const auto* wanted = std::get_if<Wanted>(&*message)) return *wanted;
    }
  }
  return std::nullopt;
}

}  // namespace

TEST_CASE("Nothing that an observer tells is taken, of itself or of others", "[peer][role]") {
  Victim victim;
  const LinkId link = victim.meet("laptop", Role::observer);
  const uint64_t before = victim.state.hash();
  victim.tell_all(link, state_of("laptop", 5));
  victim.tell_all(link, state_of("other", 5));
  CHECK(victim.state.hash() == before);
  CHECK(victim.node.counters().beyond_role > 0);
  // It reads.
  const auto origins = said<OriginDigests>(victim.hear(link, Ask{1, {}, {}}));
  REQUIRE(origins);
  CHECK(origins->origins.size() == 1);
  CHECK(said<PartDigests>(victim.hear(link, Ask{2, "victim", {}}))->parts.size() >= 2);
}

TEST_CASE("An observer and a leaf cannot make a node doubt itself", "[peer][role]") {
  for (const Role role : {Role::observer, Role::leaf}) {
    Victim victim;
    const LinkId link = victim.meet("other", role, Welcome{1'000'000, 4});
    CHECK(victim.state.boot() == 3);
    const auto out = victim.hear(link, Bye{Bye::Reason::cloned, "you are two"});
    CHECK(out.decisions.empty());
    CHECK(victim.node.accepted(victim.now()) != 0);  // it does not stand aside
  }
  Victim victim;  // as a node it can
  victim.meet("node", Role::node, Welcome{7, 4});
  CHECK(victim.state.boot() == 8);
}

TEST_CASE("An observer that falls silent is not missed, a leaf is", "[peer][role]") {
  Victim victim;
  victim.meet("laptop", Role::observer);
  const LinkId friendly = victim.meet("node", Role::node);
  victim.run_ms(10'000);
  for (int i = 0; i < 120; ++i) {  // the node stays, the laptop says nothing any more
    victim.hear(friendly, Ping{victim.wall_ns(), 0, -1, 0});
    victim.run_ms(1000);
  }
  CHECK(victim.decisions.empty());
  CHECK(victim.node.peers(victim.now()).size() == 1);

  Victim other;
  other.meet("leaf", Role::leaf);
  const LinkId stays = other.meet("node", Role::node);
  for (int i = 0; i < 180; ++i) {
    other.hear(stays, Ping{other.wall_ns(), 0, -1, 0});
    other.run_ms(1000);
  }
  REQUIRE(other.decisions.size() == 1);
  CHECK(other.decisions[0].kind == Decision::Kind::node_silent);
  CHECK(other.decisions[0].node == "leaf");
}

TEST_CASE("A node that is an observer itself pages nobody", "[peer][role]") {
  Victim victim;
  victim.node.set_role(Role::observer);
  victim.meet("a-silent", Role::node);
  const LinkId stays = victim.meet("node", Role::node);
  for (int i = 0; i < 180; ++i) {
    victim.hear(stays, Ping{victim.wall_ns(), 0, -1, 0});
    victim.run_ms(1000);
  }
  CHECK(victim.decisions.empty());
}

TEST_CASE("A leaf tells of itself only, is told of itself only, and may not ask", "[peer][role]") {
  Victim victim;
  const LinkId link = victim.meet("leaf", Role::leaf);
  victim.tell_all(link, state_of("leaf", 5));
  victim.tell_all(link, state_of("other", 5));
  CHECK(victim.state.origins() == std::vector<std::string>{"leaf", "victim"});
  CHECK(good_of(victim.state, "leaf") == 5);
  CHECK(victim.state.events("leaf").empty());  // a page of others cannot be ended by it
  const auto origins = said<OriginDigests>(victim.hear(link, Ask{1, {}, {}}));
  REQUIRE(origins);
  REQUIRE(origins->origins.size() == 1);
  CHECK(origins->origins[0].origin == "leaf");
  CHECK(said<PartDigests>(victim.hear(link, Ask{2, "victim", {}}))->parts.empty());
  CHECK(said<Parts>(victim.hear(link, Want{3, "victim", {{PartKind::info}}}))->parts.empty());
  CHECK(said<Parts>(victim.hear(link, Want{4, "leaf", {{PartKind::info}}}))->parts.size() == 1);
  CHECK_FALSE(said<Seen>(victim.hear(link, Probe{"other"})));
  const auto out = victim.hear(link, Call{std::string(kTokenBytes, 't')});
  CHECK(out.calls.empty());
  REQUIRE(said<NoCall>(out));
  CHECK(said<NoCall>(out)->text == "a leaf may not ask queries");
}

TEST_CASE("A leaf may forbid and tell what it did, and lets no rule act", "[peer][role]") {
  using Stream = fleet::FleetEvent::Stream;
  const auto tells = [](const std::string& name) {
    fleet::FleetState state = state_of(name, 5);
    for (const auto stream : {Stream::switches, Stream::rules, Stream::acts, Stream::anchors}) {
      fleet::FleetEvent event;
      event.stream = stream;
      event.boot = 7;
      event.sequence = static_cast<uint64_t>(stream);
      event.body = "said by " + name;
      state.publish(event);
    }
    return state;
  };
  for (const Role role : {Role::leaf, Role::node}) {
    Victim victim;
    const LinkId link = victim.meet("one", role);
    victim.tell_all(link, tells("one"));
    CHECK(victim.state.events("one", Stream::switches).size() == 1);
    CHECK(victim.state.events("one", Stream::acts).size() == 1);
    CHECK(victim.state.events("one", Stream::anchors).size() == 1);
    CHECK(victim.state.events("one", Stream::rules).size() == (role == Role::node ? 1 : 0));
  }
}

TEST_CASE("What others pass on of a node that is denied is not taken", "[peer][role]") {
  Victim victim;
  const LinkId link = victim.meet("node", Role::node);
  victim.tell_all(link, state_of("lost", 5));
  CHECK(victim.state.origins() == std::vector<std::string>{"victim"});
  CHECK_FALSE(victim.node.way_to("lost").known);
}

TEST_CASE("Old peers say hello without a port and are understood", "[peer][role]") {
  Hello hello{"c", "old", 1, 5, 1, 1, 0, WallTime::from_s(kStart)};
  Victim victim;
  const LinkId link = victim.node.accepted(victim.now(), {{"old"}, Role::node, "10.0.0.9"});
  victim.hear(link, hello);
  victim.hear(link, Welcome{});
  CHECK(victim.node.way_to("old").known);
  CHECK(victim.node.way_to("old").address.empty());
  CHECK_FALSE(victim.node.way_to("old").callable);
  CHECK_FALSE(victim.node.call("old", std::string(kTokenBytes, 't')));
  victim.meet("new", Role::node);
  CHECK(victim.node.way_to("new").address == "10.0.0.9:9991");
  CHECK(victim.node.way_to("new").callable);
}
