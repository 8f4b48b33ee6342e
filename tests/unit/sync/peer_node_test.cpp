#include "nines/peer/peer_node.hpp"

#include <catch2/catch.hpp>

#include "peer/clock_filter.hpp"
#include "peer/messages.hpp"
#include "peer_world.hpp"

using namespace nines;
using namespace nines::peer;
using peer::test::World;
using peer::test::WorldOptions;
using Kind = Decision::Kind;

namespace {

WorldOptions nodes(size_t count) {
  WorldOptions options;
  options.nodes = count;
  return options;
}

std::vector<World::Page> decisions(const World& world, Kind kind) {
  std::vector<World::Page> found;
  for (const auto& page : world.pages()) {
    if (page.decision.kind == kind) found.push_back(page);
  }
  return found;
}

const PeerView* view_of(const std::vector<PeerView>& views, const std::string& node) {
  for (const auto& view : views) {
    if (view.node == node) return &view;
  }
  return nullptr;
}

}  // namespace

TEST_CASE("Nodes that know each other's addresses have one session a pair", "[peer]") {
  World world(nodes(4));
  world.run_ms(30'000);
  for (size_t i = 0; i < world.size(); ++i) {
    const auto views = world.machine(i).peers(world.now_of(i));
    REQUIRE(views.size() == 3);
    for (const auto& view : views) CHECK(view.connected);
  }
  CHECK(world.converged());
  CHECK(decisions(world, Kind::cloned).empty());
}

TEST_CASE("At most two connects are begun a second, however many addresses there are", "[peer]") {
  fleet::FleetState state("a", 1);
  PeerNode node({}, state, {});
  std::vector<std::string> addresses;
  for (int i = 0; i < 100; ++i) addresses.push_back("10.0.0." + std::to_string(i) + ":9991");
  node.set_addresses(addresses, {});
  size_t dials = 0;
  for (int64_t ms = 0; ms < 30'000; ms += 100) {
    const Now now{{ms * kNsPerMs}, WallTime{ms * kNsPerMs}};
    node.tick(now);
    for (const auto& dial : node.take().dials) {
      ++dials;
      node.closed(dial.link, now);
    }
  }
  CHECK(dials <= 61);
  CHECK(dials >= 50);
}

TEST_CASE("A node that dies is paged once, by the lowest that lives, and its return ends that",
          "[peer]") {
  World world(nodes(5));
  world.run_ms(40'000);
  world.crash(3, false);
  world.run_ms(90'000);
  auto pages = decisions(world, Kind::node_silent);
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].by == 0);
  CHECK(pages[0].decision.node == world.name(3));
  CHECK(pages[0].at_ms - 40'000 <= 30'000);
  world.restart(3, false);
  world.run_ms(90'000);
  const auto back = decisions(world, Kind::node_back);
  REQUIRE(back.size() == 1);
  CHECK(back[0].by == 0);
  CHECK(back[0].decision.key == pages[0].decision.key);
  // The next time is another page.
  world.crash(3, true);
  world.run_ms(90'000);
  pages = decisions(world, Kind::node_silent);
  REQUIRE(pages.size() == 2);
  CHECK(pages[1].decision.key != pages[0].decision.key);
}

TEST_CASE("When the lowest dies the next one pages", "[peer]") {
  World world(nodes(3));
  world.run_ms(40'000);
  world.crash(0, false);
  world.run_ms(90'000);
  const auto pages = decisions(world, Kind::node_silent);
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].by == 1);
}

TEST_CASE("A node that others still hear is not paged when one link is cut", "[peer]") {
  World world(nodes(3));
  world.run_ms(40'000);
  world.cut(0, 2);
  world.cut(2, 0);
  world.run_ms(300'000);
  CHECK(decisions(world, Kind::node_silent).empty());
  CHECK(decisions(world, Kind::isolated).empty());
  const auto views = world.machine(0).peers(world.now_of(0));
  CHECK(view_of(views, world.name(2))->state != PeerView::State::silent);
  CHECK_FALSE(view_of(views, world.name(2))->connected);
}

TEST_CASE("A node that only a third one hears is not missed because that one falls silent",
          "[peer]") {
  for (int64_t later_ms = 0; later_ms < 20'000; later_ms += 1'000) {
    World world(nodes(3));
    world.run_ms(30'000);
    world.cut(0, 1);
    world.run_ms(40'000 + later_ms);
    for (const size_t other : {size_t{0}, size_t{1}}) {  // now nobody hears anybody
      world.cut(2, other);
      world.cut(other, 2);
    }
    world.run_ms(90'000);
    INFO(later_ms);
    CHECK(decisions(world, Kind::node_silent).empty());
    CHECK(decisions(world, Kind::isolated).size() == 3);
  }
}

TEST_CASE("Counts reach a node without a path to their origin through any that has them",
          "[peer]") {
  World world(nodes(3));
  world.run_ms(40'000);
  world.cut(0, 2);
  world.cut(2, 0);
  world.run_ms(200'000);
  world.stop_publishing();
  world.run_ms(100'000);
  CHECK(world.converged());
}

TEST_CASE("A cut-off node says that it is isolated and pages nobody", "[peer]") {
  World world(nodes(4));
  world.run_ms(40'000);
  for (size_t i = 0; i < 3; ++i) {
    world.cut(i, 3);
    world.cut(3, i);
  }
  world.run_ms(120'000);
  const auto isolated = decisions(world, Kind::isolated);
  REQUIRE(isolated.size() == 1);
  CHECK(isolated[0].by == 3);
  CHECK(world.machine(3).isolated());
  const auto pages = decisions(world, Kind::node_silent);
  REQUIRE(pages.size() == 1);
  CHECK(pages[0].by == 0);
  CHECK(pages[0].decision.node == world.name(3));
  world.mend_all();
  world.run_ms(150'000);
  CHECK(decisions(world, Kind::rejoined).size() == 1);
  CHECK(decisions(world, Kind::node_back).size() == 1);
  const auto events = world.state(0).events(world.name(3), fleet::FleetEvent::Stream::membership);
  REQUIRE(events.size() == 2);
  CHECK(events[0].kind == fleet::FleetEvent::Kind::isolated);
  CHECK(events[0].sent_isolated);
}

TEST_CASE("A half-open link is given up within 15 seconds and made anew", "[peer]") {
  World world(nodes(2));
  world.run_ms(40'000);
  REQUIRE(world.machine(0).peers(world.now_of(0))[0].connected);
  world.cut(0, 1);
  world.cut(1, 0);
  world.run_ms(17'000);
  CHECK(world.machine(0).counters().half_open == 1);
  CHECK(world.machine(1).counters().half_open == 1);
  world.mend_all();
  world.run_ms(90'000);
  CHECK(world.machine(0).peers(world.now_of(0))[0].connected);
}

TEST_CASE("A node that lost everything gets its boot and its counts back", "[peer]") {
  auto options = nodes(3);
  options.history_hours = 48;
  World world(options);
  world.run_ms(58'000);
  REQUIRE(world.converged());
  const auto before = fleet::fleet_budgets(world.state(0), world.now_of(0).wall);
  world.stop_publishing();
  world.run_ms(40'000);
  world.crash(1, true);
  world.run_ms(5'000);
  world.restart(1, true);
  world.run_ms(60'000);
  CHECK(world.converged());
  CHECK(world.state(1).boot() > 1);
  CHECK(decisions(world, Kind::boot_raised).size() == 1);
  CHECK(world.state(1).counters().adopted > 48);
  const auto after = fleet::fleet_budgets(world.state(1), world.now_of(0).wall);
  REQUIRE(after.size() == before.size());
  CHECK(after[0].counts.good >= before[0].counts.good);
  CHECK(after[0].parts[1].counts.covered_s >= 48 * 3600);
}

TEST_CASE("Clocks are compared: offset and uncertainty of each peer", "[peer]") {
  auto options = nodes(3);
  options.max_clock_offset_s = 200;
  options.latency_ms = 20;
  World world(options);
  world.run_ms(60'000);
  for (size_t i = 0; i < 3; ++i) {
    for (size_t other = 0; other < 3; ++other) {
      if (i == other) continue;
      const auto views = world.machine(i).peers(world.now_of(i));
      const auto* view = view_of(views, world.name(other));
      REQUIRE(view->offset_ns);
      const int64_t truth = world.now_of(other).wall.ns - world.now_of(i).wall.ns;
      CHECK(std::abs(*view->offset_ns - truth) <= view->uncertainty_ns);
      CHECK(view->uncertainty_ns <= 40 * kNsPerMs);
    }
  }
}

TEST_CASE("Two live nodes of one name are refused by all, and say so", "[peer]") {
  fleet::FleetState state("judge", 1), one("twin", 4, {}, 100), two("twin", 4, {}, 200);
  PeerSettings settings;
  const Now now{{kNsPerSecond}, WallTime::from_s(1'800'000'000)};
  PeerNode judge(settings, state, now);
  settings.incarnation = 100;
  PeerNode first(settings, one, now);
  settings.incarnation = 200;
  PeerNode second(settings, two, now);
  const auto join = [&](PeerNode& twin) {
    twin.set_addresses({"judge"}, now);
    const Now later{{now.mono.ns + 2 * kNsPerSecond}, now.wall};
    twin.tick(later);
    Output out = twin.take();
    REQUIRE(out.dials.size() == 1);
    const LinkId there = judge.accepted(now);
    twin.connected(out.dials[0].link, later);
    return std::pair{out.dials[0].link, there};
  };
  std::map<LinkId, std::pair<PeerNode*, LinkId>> wires;
  const auto settle = [&] {
    bool busy = true;
    std::vector<Decision> all;
    while (busy) {
      busy = false;
      Output out = judge.take();
      for (auto& d : out.decisions) all.push_back(d);
      for (auto& send : out.sends) {
        busy = true;
        if (wires.contains(send.link)) {
          wires[send.link].first->received(wires[send.link].second, send.bytes, now);
        }
      }
      for (auto& [there, wire] : wires) {
        Output said = wire.first->take();
        for (auto& d : said.decisions) all.push_back(d);
        for (auto& send : said.sends) {
          busy = true;
          if (send.link == wire.second) judge.received(there, send.bytes, now);
        }
      }
    }
    return all;
  };
  auto [link_1, there_1] = join(first);
  wires[there_1] = {&first, link_1};
  CHECK(settle().empty());
  REQUIRE(judge.peers(now).size() == 1);
  CHECK(judge.peers(now)[0].connected);
  auto [link_2, there_2] = join(second);
  wires[there_2] = {&second, link_2};
  std::map<std::string, int> told;
  for (const auto& decision : settle()) {
    if (decision.kind == Kind::cloned) ++told[decision.node];
  }
  CHECK(told["twin"] == 3);  // by the judge and by both
  CHECK_FALSE(judge.peers(now)[0].connected);
  CHECK(judge.accepted(now) != 0);  // others are welcome
  CHECK(first.accepted(now) == 0);
}

TEST_CASE("A peer of another cluster, of a false name or without sense is refused", "[peer]") {
  fleet::FleetState state("a", 1);
  PeerSettings settings;
  settings.cluster = "shop";
  const Now now{{kNsPerSecond}, WallTime::from_s(1'800'000'000)};
  PeerNode node(settings, state, now);
  const auto answer = [&](const std::string& bytes, const std::vector<std::string>& names = {}) {
    const LinkId link = node.accepted(now, {names, Role::node, {}});
    node.received(link, bytes, now);
    return node.take();
  };
  Hello hello{"other", "b", 1, 2, 1, 1, 0, {}};
  auto out = answer(encode(Message(hello)));
  REQUIRE(out.closes.size() == 1);
  CHECK(out.closes[0].reason == "this is cluster 'shop'");
  hello.cluster = "shop";
  out = answer(encode(Message(hello)), {"c"});
  REQUIRE(out.closes.size() == 1);
  CHECK(out.decisions[0].text.find("its certificate is of c") != std::string::npos);
  CHECK(answer(encode(Message(hello)), {"c", "b"}).closes.empty());
  hello.protocol_min = hello.protocol_max = 9;
  CHECK(answer(encode(Message(hello))).closes.size() == 1);
  CHECK(answer("GET / HTTP/1.1\r\n\r\n").closes.size() == 1);
  CHECK(answer(encode(Message(Ping{}))).closes.size() == 1);
}

TEST_CASE("A process that was stopped for minutes does not take its peers for dead", "[peer]") {
  World world(nodes(2));
  world.run_ms(40'000);
  fleet::FleetState& state = world.state(0);
  Now later = world.now_of(0);
  later.mono.ns += 300 * kNsPerSecond;
  later.wall.ns += 300 * kNsPerSecond;
  world.machine(0).tick(later);
  CHECK(world.machine(0).counters().pauses == 1);
  CHECK(world.machine(0).take().decisions.empty());
  CHECK(world.machine(0).peers(later)[0].state == PeerView::State::alive);
  CHECK(state.events(state.self()).empty());
}

TEST_CASE("The clock filter believes the exchange with the shortest way", "[peer]") {
  ClockFilter filter;
  CHECK_FALSE(filter.best({}));
  // Offset 1000; 40 there, 10 back, then 5 and 5.
  filter.add(0, 1040, 1040, 50, {0});
  CHECK(filter.best({0})->ns == 1015);
  CHECK(filter.best({0})->uncertainty_ns == 25);
  filter.add(100, 1105, 1105, 110, {0});
  CHECK(filter.best({0})->ns == 1000);
  CHECK(filter.best({0})->uncertainty_ns == 5);
  filter.add(200, 1300, 1200, 210, {0});  // back in time
  filter.add(200, INT64_MAX, INT64_MAX, 210, {0});
  CHECK(filter.best({0})->ns == 1000);
  CHECK(filter.best({kNsPerSecond})->uncertainty_ns == 5 + 100'000);  // 100 ppm of a second
}
