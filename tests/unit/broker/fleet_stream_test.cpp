// The fleet's state through a stream: nodes that tell, one that reads, and a broker that breaks,
// forgets and repeats.
#include "nines/broker/fleet_stream.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "fake_jetstream.hpp"
#include "nines/fleet/fleet_view.hpp"

using namespace nines;
using namespace nines::broker;
using test::FakeJetStream;

namespace {

constexpr int64_t kStartS = 1'700'000'000 / 3600 * 3600;

Now at(int64_t ms) { return {{ms * kNsPerMs}, {kStartS * kNsPerSecond + ms * kNsPerMs}}; }

fleet::SeriesMeta meta(const std::string& slo) { return {{}, slo, "g1", "shop", "0.99", 86400}; }

// A node's life: what it counted, and what it told of it.
struct Node {
  Node(std::string name, uint64_t boot, int64_t ms)
      : state(std::make_unique<fleet::FleetState>(name, boot, fleet::FleetLimits{}, boot * 7 + 1)),
        teller(std::make_unique<FleetTeller>(options(), *state)) {
    ids = *state->set_series({meta("api"), meta("web")}, at(ms).wall);
  }
  static TellerOptions options() {
    TellerOptions options;
    options.cluster = "shop.eu";
    options.window = 4;
    options.look_every_ms = 1'000'000;
    return options;
  }
  void count(size_t series, int64_t minute, int64_t good, int64_t bad) {
    const int64_t slot = kStartS / 60 + minute;
    state->publish(ids[series], fleet::Tier::minute, slot, {good, bad, 60});
    teller->look();
  }
  void fire(uint64_t sequence, uint64_t boot) {
    fleet::FleetEvent event;
    event.boot = boot;
    event.sequence = sequence;
    event.slo = "api";
    event.severity = "page";
    event.at = event.since = WallTime::from_s(kStartS);
    state->publish(event);
    teller->look();
  }
  std::unique_ptr<fleet::FleetState> state;
  std::unique_ptr<FleetTeller> teller;
  std::vector<uint64_t> ids;
  FakeJetStream::Connection* connection = nullptr;
};

struct View {
  View() : state("reader", 1), reader({"shop.eu", "", 2 * 3600}, state) {}
  fleet::FleetState state;
  FleetReader reader;
  FakeJetStream::Connection* connection = nullptr;
};

void settle(FakeJetStream& broker, std::vector<Node*> nodes, int64_t& ms, View* view = nullptr) {
  for (int i = 0; i < 2000; ++i) {
    ms += 100;
    bool settled = true;
    for (Node* node : nodes) {
      if (node->connection != nullptr) node->teller->tick(*node->connection, at(ms));
      settled = settled && node->teller->settled();
    }
    if (view != nullptr && view->connection != nullptr)
      view->reader.tick(*view->connection, at(ms));
    const bool moved = broker.turn(at(ms));
    if (settled && !moved) return;
  }
  FAIL("it does not come to rest: " << nodes.front()->teller->stats().trouble);
}

std::string shown(const fleet::FleetState& state, int64_t ms) {
  std::string text;
  for (const auto& budget : fleet::fleet_budgets(state, at(ms).wall)) {
    text += budget.slo + " " + std::to_string(budget.counts.good) + "/" +
            std::to_string(budget.counts.bad) + " of " + std::to_string(budget.parts.size()) + "; ";
  }
  return text;
}

std::map<std::string, int> event_ids(const FakeJetStream& broker) {
  std::map<std::string, int> ids;
  const auto stream = broker.streams.find("NINES-EVENTS-shop=2Eeu");
  if (stream == broker.streams.end()) return ids;
  for (const auto& m : stream->second.messages) ++ids[m.id];
  return ids;
}

// A node, its store, a reader and the broker between them, and what can go wrong.
struct World {
  explicit World(uint64_t seed) : chance(seed), node(std::make_unique<Node>("a", boot, ms)) {}

  uint64_t below(uint64_t n) { return chance.next() % n; }
  void connect() {
    if (node->connection == nullptr) node->connection = &broker.connect(*node->teller, at(ms));
    if (view.connection == nullptr) view.connection = &broker.connect(view.reader, at(ms));
  }
  void cut_node(size_t arrive, size_t late) {
    if (node->connection != nullptr) {
      broker.break_connection(*node->connection, arrive, late, at(ms));
    }
    node->connection = nullptr;
  }
  void cut_view() {
    if (view.connection != nullptr) broker.break_connection(*view.connection, 0, 0, at(ms));
    view.connection = nullptr;
  }
  void work() {
    ms += 500;
    if (below(3) == 0) connect();
    const int slo = static_cast<int>(below(2)), minute = static_cast<int>(below(90));
    counted[{slo, minute}] += 1 + static_cast<int64_t>(below(5));
    node->count(static_cast<size_t>(slo), minute, counted[{slo, minute}], 0);
    if (below(3) == 0) {
      fired.emplace_back(boot, ++sequence);
      node->fire(sequence, boot);
    }
    if (node->connection != nullptr) node->teller->tick(*node->connection, at(ms));
    broker.turn(at(ms), below(6));
  }
  void restart() {
    cut_node(below(4), below(4));
    node = std::make_unique<Node>("a", ++boot, ms);
    for (const auto& [key, good] : counted) {
      node->count(static_cast<size_t>(key.first), key.second, good, 0);
    }
    for (const auto& [of, number] : fired) node->fire(number, of);
  }
  void power_cut() {
    if (below(2) == 0) {
      broker.lose_newest(below(6));
    } else {
      broker.streams.clear();
    }
    cut_node(0, 0);
    cut_view();
  }
  void trouble() {
    switch (below(12)) {
      case 0:
      case 1: return cut_node(below(4), below(4));
      case 2: return cut_view();
      case 3: return broker.late_arrivals(at(ms));
      case 4: return power_cut();
      case 5: return restart();
      default: return;
    }
  }
  void heal() {
    connect();
    settle(broker, {node.get()}, ms, &view);
    ms += 400'000;  // heartbeats are missed, so that the reader looks again
    settle(broker, {node.get()}, ms, &view);
  }
  std::string oracle() const {
    std::map<int, int64_t> sums;
    for (const auto& [key, good] : counted) sums[key.first] += good;
    std::string text;
    for (const auto& [slo, good] : sums) {
      text += std::string(slo == 0 ? "api" : "web") + " " + std::to_string(good) + "/0 of 1; ";
    }
    return text;
  }
  std::map<std::string, int> each_once() const {
    std::map<std::string, int> once;
    for (const auto& [of, number] : fired) {
      once["a/" + std::to_string(of) + "/alert/" + std::to_string(number)] = 1;
    }
    return once;
  }

  SplitMix64 chance;
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  uint64_t boot = 1, sequence = 0;
  std::map<std::pair<int, int>, int64_t> counted;  // the store of the node: SLO, minute
  std::vector<std::pair<uint64_t, uint64_t>> fired;
  std::unique_ptr<Node> node;
  View view;
};

}  // namespace

TEST_CASE("a stream has the newest of everything that nodes tell, and a reader the same view") {
  FakeJetStream broker;
  int64_t ms = 200 * 60'000;
  Node a("pi.1", 1, 0), b("pi 2", 1, 0);
  a.connection = &broker.connect(*a.teller, at(ms));
  b.connection = &broker.connect(*b.teller, at(ms));
  for (int minute = 0; minute < 180; ++minute) {
    a.count(0, minute, 100, 1);
    b.count(0, minute, 50, 2);
    b.count(1, minute, 7, 0);
  }
  a.fire(1, 1);
  settle(broker, {&a, &b}, ms);
  CHECK(a.teller->stats().streams_made + b.teller->stats().streams_made >= 2);
  CHECK(a.teller->stats().trouble.empty());

  View view;
  view.connection = &broker.connect(view.reader, at(ms));
  settle(broker, {&a, &b}, ms, &view);
  CHECK(view.reader.caught_up());
  CHECK(shown(view.state, ms) == "api 27000/540 of 2; web 1260/0 of 2; ");
  CHECK(view.state.events("pi.1").size() == 1);
  CHECK(view.reader.heard("pi.1").has_value());
  CHECK(view.reader.stats().refused == 0);

  // Live, and only what changed.
  const uint64_t before = a.teller->stats().units;
  a.count(0, 180, 100, 0);
  settle(broker, {&a, &b}, ms, &view);
  CHECK(a.teller->stats().units == before + 1);
  CHECK(shown(view.state, ms).starts_with("api 27100/540"));
  CHECK(event_ids(broker) == std::map<std::string, int>{{"pi=2E1/1/alert/1", 1}});
}

TEST_CASE("incidents and the timeline travel in the stream of states, and back to who lost them") {
  using Stream = fleet::FleetEvent::Stream;
  FakeJetStream broker;
  int64_t ms = 200 * 60'000;
  Node a("a", 1, 0);
  const auto tell = [&](Node& node, Stream stream, uint64_t life, uint64_t sequence) {
    fleet::FleetEvent event;
    event.stream = stream;
    event.boot = life;
    event.sequence = sequence;
    event.body = std::to_string(life) + "/" + std::to_string(sequence);
    node.state->publish(event);
    node.teller->look();
  };
  for (uint64_t life = 100; life < 120; ++life) {
    for (uint64_t n = 1; n <= 20; ++n) tell(a, Stream::incidents, life, n);
  }
  tell(a, Stream::timeline, 100, 1);
  a.connection = &broker.connect(*a.teller, at(ms));
  settle(broker, {&a}, ms);
  View view;
  std::vector<std::string> heard;
  view.state.on_event([&](const std::string& origin, const fleet::FleetEvent& event) {
    heard.push_back(origin + " " + event.body);
  });
  view.connection = &broker.connect(view.reader, at(ms));
  settle(broker, {&a}, ms, &view);
  CHECK(view.state.events("a", Stream::incidents).size() == 400);
  CHECK(view.state.events("a", Stream::timeline).size() == 1);
  REQUIRE(heard.size() == 401);
  CHECK(event_ids(broker).empty());  // no alerts
  CHECK(a.teller->stats().oversized == 0);

  tell(a, Stream::incidents, 119, 21);
  settle(broker, {&a}, ms, &view);
  CHECK(heard.back() == "a 119/21");

  Node again("a", 1, ms);  // with an empty disk
  broker.break_connection(*a.connection, 0, 0, at(ms));
  again.connection = &broker.connect(*again.teller, at(ms));
  settle(broker, {&again}, ms, &view);
  CHECK(again.state->events("a", Stream::incidents).size() == 401);
  CHECK(heard.size() == 402);
}

TEST_CASE("a broker that lost what it had acknowledged is told that again at the next connection") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  Node a("a", 1, 0);
  a.connection = &broker.connect(*a.teller, at(ms));
  for (int minute = 0; minute < 60; ++minute) a.count(0, minute, 10, 0);
  for (uint64_t n = 1; n <= 5; ++n) a.fire(n, 1);
  settle(broker, {&a}, ms);
  const size_t held = broker.streams["NINES-STATE-shop=2Eeu"].messages.size();

  SECTION("its newest messages") {
    broker.lose_newest(2);
    broker.break_connection(*a.connection, 0, 0, at(ms));
    a.connection = &broker.connect(*a.teller, at(ms));
    settle(broker, {&a}, ms);
    CHECK(a.teller->stats().missing == 2);
  }
  SECTION("its streams") {
    broker.streams.clear();
    broker.break_connection(*a.connection, 0, 0, at(ms));
    a.connection = &broker.connect(*a.teller, at(ms));
    settle(broker, {&a}, ms);
    CHECK(a.teller->stats().missing == held);
  }
  SECTION("its streams, while the connection stands") {
    broker.streams.clear();
    a.count(0, 59, 20, 0);
    settle(broker, {&a}, ms);
    CHECK(a.teller->stats().resyncs >= 2);
  }
  CHECK(broker.streams["NINES-STATE-shop=2Eeu"].messages.size() == held);
  CHECK(event_ids(broker).size() == 5);
}

TEST_CASE("a message that was delayed never takes the place of a newer one") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  Node a("a", 1, 0);
  a.connection = &broker.connect(*a.teller, at(ms));
  a.count(0, 1, 10, 0);
  settle(broker, {&a}, ms);
  a.count(0, 2, 10, 0);
  a.teller->tick(*a.connection, at(ms));
  broker.break_connection(*a.connection, 0, 10, at(ms));
  a.connection = &broker.connect(*a.teller, at(ms));
  a.count(0, 3, 10, 0);
  settle(broker, {&a}, ms);
  broker.late_arrivals(at(ms));
  CHECK(broker.refused == 1);
  View view;
  view.connection = &broker.connect(view.reader, at(ms));
  settle(broker, {&a}, ms, &view);
  CHECK(shown(view.state, ms).starts_with("api 30/0"));
}

TEST_CASE("a node that lost its disk takes its counts back from the stream and tells on") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  {
    Node a("a", 9, 0);
    a.connection = &broker.connect(*a.teller, at(ms));
    for (int minute = 0; minute < 30; ++minute) a.count(0, minute, 10, 1);
    settle(broker, {&a}, ms);
    broker.break_connection(*a.connection, 0, 0, at(ms));
  }
  Node a("a", 1, ms);
  a.count(0, 40, 5, 0);
  a.connection = &broker.connect(*a.teller, at(ms));
  settle(broker, {&a}, ms);
  CHECK(a.state->boot() == 10);
  View view;
  view.connection = &broker.connect(view.reader, at(ms));
  settle(broker, {&a}, ms, &view);
  CHECK(shown(view.state, ms).starts_with("api 305/30"));
}

TEST_CASE("an SLO that goes and comes back is shown with all its counts by who read all along") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  Node a("a", 1, 0);
  View view;
  a.connection = &broker.connect(*a.teller, at(ms));
  settle(broker, {&a}, ms);
  view.connection = &broker.connect(view.reader, at(ms));
  for (int minute = 0; minute < 30; ++minute) a.count(1, minute, 10, 1);
  settle(broker, {&a}, ms, &view);
  REQUIRE(a.state->set_series({meta("api")}, at(ms).wall).ok());
  a.teller->look();
  settle(broker, {&a}, ms, &view);
  CHECK(shown(view.state, ms).find("web") == std::string::npos);
  REQUIRE(a.state->set_series({meta("api"), meta("web")}, at(ms).wall).ok());
  for (int minute = 0; minute < 30; ++minute) a.count(1, minute, 10, 1);
  settle(broker, {&a}, ms, &view);
  CHECK(shown(view.state, ms).find("web 300/30") != std::string::npos);
}

TEST_CASE("a reader takes no more nodes than its limit") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  Node a("a", 1, 0), b("b", 1, 0), c("c", 1, 0);
  for (Node* node : {&a, &b, &c}) {
    node->connection = &broker.connect(*node->teller, at(ms));
    node->count(0, 1, 10, 0);
  }
  settle(broker, {&a, &b, &c}, ms);
  fleet::FleetLimits limits;
  limits.max_origins = 3;  // itself and two more
  fleet::FleetState state("reader", 1, limits);
  FleetReader reader({"shop.eu", "", 2 * 3600}, state);
  broker.connect(reader, at(ms));
  broker.turn(at(ms));
  CHECK(reader.caught_up());
  CHECK(state.origins().size() == 3);
  CHECK(state.counters().origins_refused > 0);
  CHECK(shown(state, ms).starts_with("api 20/0 of 2"));
}

TEST_CASE("a reader of nodes alone knows each of them and reads nothing that they counted") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  Node a("a", 1, 0), b("b.1", 1, 0);
  for (Node* node : {&a, &b}) {
    node->connection = &broker.connect(*node->teller, at(ms));
    node->count(0, 1, 10, 0);
  }
  settle(broker, {&a, &b}, ms);
  ReaderOptions options{"shop.eu", ""};
  options.nodes_only = true;
  fleet::FleetState state("reader", 1);
  FleetReader reader(options, state);
  broker.connect(reader, at(ms));
  broker.turn(at(ms));
  CHECK(reader.caught_up());
  CHECK(state.origins() == std::vector<std::string>{"a", "b.1", "reader"});
  CHECK(reader.stats().messages == 2);
  CHECK(shown(state, ms).find("10") == std::string::npos);
}

TEST_CASE("what is no message of the node that its subject names is refused") {
  FakeJetStream broker;
  int64_t ms = 100 * 60'000;
  Node a("a", 1, 0);
  a.connection = &broker.connect(*a.teller, at(ms));
  a.count(0, 1, 10, 0);
  settle(broker, {&a}, ms);
  auto& stream = broker.streams["NINES-STATE-shop=2Eeu"];
  const std::string body = stream.messages.front().body;
  for (const std::string subject : {"b.m.1", "x=2.who", "a", "a.who"}) {
    broker.store({"nines.shop=2Eeu.state." + subject, "", subject == "b.m.1" ? body : "junk", {}},
                 at(ms));
  }
  View view;
  view.connection = &broker.connect(view.reader, at(ms));
  broker.turn(at(ms));
  CHECK(view.reader.stats().refused == 4);
  CHECK_FALSE(view.state.info("b"));
}

// Broken connections with messages underway both ways, late arrivals, lost tails, vanished streams
// and restarts of the node, in any order: afterwards the reader's view is the node's own, and each
// event is in the stream once.
TEST_CASE("whatever breaks in between, the view is right and each event is there once") {
  const char* wanted = std::getenv("NINES_SIM_SEED");
  const char* times = std::getenv("NINES_SIM_COUNT");
  const uint64_t first = wanted != nullptr ? std::stoull(wanted) : 1;
  const uint64_t count = times != nullptr ? std::stoull(times) : 200;
  for (uint64_t seed = first; seed < first + count; ++seed) {
    INFO("NINES_SIM_SEED=" << seed << " NINES_SIM_COUNT=1");
    World world(seed);
    for (int step = 0; step < 60; ++step) {
      world.work();
      world.trouble();
    }
    world.heal();
    CHECK(shown(world.view.state, world.ms) == world.oracle());
    CHECK(event_ids(world.broker) == world.each_once());
    CHECK(world.view.state.events("a").size() == world.fired.size());
  }
}
