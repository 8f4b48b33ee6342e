// The agent's part of peers: what is fed in, and what is shown.
#include "app/fleet_link.hpp"

#include <algorithm>
#include <catch2/catch.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>

#include "http/fleet_api.hpp"
#include "net/asio.hpp"
#include "view/fleet_table.hpp"

using namespace nines;
using namespace nines::agent;

namespace {

struct RealClock : Clock {
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  WallTime wall() const noexcept override {
    return {std::chrono::duration_cast<std::chrono::nanoseconds>(
                std::chrono::system_clock::now().time_since_epoch())
                .count()};
  }
};

struct Agent {
  Agent(net::asio::io_context& io, const Clock& clock, const std::string& name,
        std::vector<std::string> peers, int64_t good, int64_t bad)
      : engine(4) {
    slo::SloSpec spec;
    spec.name = "api";
    spec.service = "shop";
    spec.target = *Decimal::parse("0.9");
    spec.window_s = 3600;
    REQUIRE(engine.add(spec).ok());
    const int64_t minute = clock.wall().seconds() / 60 - 2;
    slo::Batch batch;
    batch.slots.push_back({0, minute * 6, good, bad, 10});
    batch.max_event_time = WallTime::from_s(minute * 60);
    batch.normalize();
    engine.apply(batch);
    FleetLinkOptions options;
    options.node = name;
    options.seed = static_cast<uint64_t>(name.front());
    options.driver.listen = "127.0.0.1:0";
    options.driver.peers = std::move(peers);
    options.driver.tick_ms = 20;
    options.peer.dial_every_ms = 10;
    options.peer.backoff_min_ms = options.peer.backoff_max_ms = 50;
    auto started =
        FleetLink::start(io, clock, std::move(options), engine, {}, clock.wall(), nullptr);
    if (!started.ok()) FAIL(started.error().message);
    link = std::move(*started);
  }
  slo::SloEngine engine;
  std::unique_ptr<FleetLink> link;
};

}  // namespace

TEST_CASE("Agents with peers show one fleet, with sums over its nodes", "[fleet]") {
  net::asio::io_context io;
  RealClock clock;
  Agent a(io, clock, "edge-a", {}, 90, 1);
  Agent b(io, clock, "edge-b", {"127.0.0.1:" + std::to_string(a.link->port())}, 50, 9);
  a.link->told({[] {
    slo::AlertEvent event;
    event.slo = "api";
    event.boot = 1;
    event.sequence = 3;
    event.summary = "burns";
    return event;
  }()});
  const int64_t end = clock.mono().ns + 10 * kNsPerSecond;
  const auto met = [&] {
    return a.link->state().origins().size() == 2 &&
           a.link->state().hash() == b.link->state().hash();
  };
  while (!met() && clock.mono().ns < end) io.run_one_for(std::chrono::milliseconds(50));
  REQUIRE(met());

  const auto fleet = nlohmann::json::parse(b.link->json());
  CHECK(fleet["node"] == "edge-b");
  CHECK(fleet["isolated"] == false);
  REQUIRE(fleet["nodes"].size() == 2);
  CHECK(fleet["nodes"][0]["node"] == "edge-a");
  CHECK(fleet["nodes"][0]["connected"] == true);
  CHECK(fleet["nodes"][1]["self"] == true);
  REQUIRE(fleet["slos"].size() == 1);
  CHECK(fleet["slos"][0]["good"] == 140);
  CHECK(fleet["slos"][0]["bad"] == 10);
  CHECK(fleet["slos"][0]["nodes"].size() == 2);
  CHECK(fleet["silent"].empty());
  REQUIRE(b.link->state().events("edge-a").size() == 1);
  CHECK(b.link->state().events("edge-a")[0].summary == "burns");

  CHECK(b.link->metrics().find("nines_peers_connected 1\n") != std::string::npos);
  const auto status = view::fleet_status_table(b.link->json(), 120, false);
  REQUIRE(status.ok());
  CHECK(status->find("api") != std::string::npos);
  CHECK(status->find("93.333 %") != std::string::npos);
  const auto nodes = view::fleet_nodes_table(b.link->json(), 120, false);
  REQUIRE(nodes.ok());
  CHECK(nodes->find("this node") != std::string::npos);
  CHECK_FALSE(view::fleet_nodes_table("[]", 120, false).ok());
}

TEST_CASE("What a node publishes with a body all others hear once, also those that come later",
          "[fleet]") {
  using Stream = FleetLink::Stream;
  net::asio::io_context io;
  RealClock clock;
  const auto wait_for = [&](const std::function<bool()>& done) {
    const int64_t end = clock.mono().ns + 20 * kNsPerSecond;
    while (!done() && clock.mono().ns < end) io.run_one_for(std::chrono::milliseconds(50));
    return done();
  };
  Agent a(io, clock, "edge-a", {}, 90, 1);
  std::map<std::string, std::vector<std::string>> heard;  // by who hears
  const auto listen = [&](Agent& agent, const std::string& who, Stream stream) {
    agent.link->listen(stream, [&heard, who](const std::string& origin, const auto& event) {
      heard[who].push_back(origin + " " + event.body);
    });
  };
  listen(a, "a", Stream::incidents);
  const WallTime opened = clock.wall();
  CHECK(a.link->publish(Stream::incidents, 70, 1, opened, "opened"));
  CHECK(a.link->publish(Stream::timeline, 70, 1, clock.wall(), "line"));
  CHECK_FALSE(a.link->publish(Stream::incidents, 70, 1, opened, "opened"));
  CHECK_FALSE(a.link->publish(Stream::incidents, 70, 2, clock.wall(), std::string(1001, 'x')));

  Agent b(io, clock, "edge-b", {"127.0.0.1:" + std::to_string(a.link->port())}, 50, 9);
  listen(b, "b", Stream::incidents);
  listen(b, "b timeline", Stream::timeline);
  REQUIRE(wait_for([&] { return heard["b"].size() == 1 && heard["b timeline"].size() == 1; }));
  CHECK(heard["b"].front() == "edge-a opened");
  CHECK(heard["b timeline"].front() == "edge-a line");

  // Live, both ways.
  CHECK(b.link->publish(Stream::incidents, 80, 1, clock.wall(), "acknowledged"));
  CHECK(a.link->publish(Stream::incidents, 70, 2, clock.wall(), "resolved"));
  const auto all_heard = [&] {
    return std::find(heard["a"].begin(), heard["a"].end(), "edge-b acknowledged") !=
               heard["a"].end() &&
           heard["b"].size() == 2;
  };
  REQUIRE(wait_for(all_heard));
  CHECK(heard["b"].back() == "edge-a resolved");

  // A view of the same fleet (NATS) tells only what peers did not.
  fleet::FleetState view("view", 1), other("edge-a", 1), third("edge-c", 1);
  other.publish({.boot = 70, .sequence = 2, .stream = Stream::incidents, .body = "resolved"});
  third.publish({.boot = 5, .sequence = 1, .stream = Stream::incidents, .body = "by NATS alone"});
  for (auto* from : {&other, &third}) {
    for (const auto& piece : from->take_changes()) view.merge(piece, clock.wall());
  }
  b.link->hear_from(view);
  REQUIRE(wait_for([&] { return heard["b"].back() == "edge-c by NATS alone"; }));
  third.publish({.boot = 5, .sequence = 2, .stream = Stream::incidents, .body = "and live"});
  for (const auto& piece : third.take_changes()) view.merge(piece, clock.wall());
  REQUIRE(wait_for([&] { return heard["b"].back() == "edge-c and live"; }));
  CHECK(std::count(heard["b"].begin(), heard["b"].end(), "edge-c and live") == 1);
  CHECK(std::count(heard["b"].begin(), heard["b"].end(), "edge-c by NATS alone") == 1);
  b.link->leave(view);
}

TEST_CASE("By NATS anybody may forbid a rule to act, and only peers allow it", "[fleet]") {
  using Stream = FleetLink::Stream;
  net::asio::io_context io;
  RealClock clock;
  Agent a(io, clock, "edge-a", {}, 90, 1);
  Agent b(io, clock, "edge-b", {"127.0.0.1:" + std::to_string(a.link->port())}, 50, 9);
  std::map<Stream, std::vector<std::string>> heard;
  for (const Stream stream : {Stream::switches, Stream::rules, Stream::acts}) {
    b.link->listen(stream, [&heard, stream](const std::string& origin, const auto& event) {
      heard[stream].push_back(origin + " " + event.body);
    });
  }
  fleet::FleetState view("view", 1), c("edge-c", 1), like_a("edge-a", 1);
  c.publish({.boot = 5, .sequence = 3, .stream = Stream::rules, .body = "approved"});
  c.publish({.boot = 5, .sequence = 4, .stream = Stream::acts, .body = "done"});
  c.publish({.boot = 5, .sequence = 5, .stream = Stream::switches, .body = "stop"});
  like_a.publish({.boot = 70, .sequence = 5, .stream = Stream::rules, .body = "approved on a"});
  for (auto* from : {&c, &like_a}) {
    for (const auto& piece : from->take_changes()) view.merge(piece, clock.wall());
  }
  b.link->hear_from(view);
  // What peers tell as well is heard from them.
  CHECK(a.link->publish(Stream::rules, 70, 5, clock.wall(), "approved on a"));
  const int64_t end = clock.mono().ns + 20 * kNsPerSecond;
  while ((heard[Stream::rules].empty() || heard[Stream::switches].empty()) &&
         clock.mono().ns < end) {
    io.run_one_for(std::chrono::milliseconds(50));
  }
  CHECK(heard[Stream::switches] == std::vector<std::string>{"edge-c stop"});
  CHECK(heard[Stream::rules] == std::vector<std::string>{"edge-a approved on a"});
  CHECK(heard[Stream::acts].empty());
  b.link->leave(view);
}

TEST_CASE("GET /api/fleet gives the fleet, and other paths go on", "[fleet]") {
  int passed_on = 0;
  const auto api = http::make_fleet_api([] { return std::string("{}"); },
                                        [&](const http::HttpRequest&, http::Reply reply) {
                                          ++passed_on;
                                          reply({});
                                        });
  const auto status_of = [&](const std::string& method, const std::string& path) {
    http::HttpRequest request;
    request.method = method;
    request.path = path;
    int status = 0;
    api(request, [&](http::HttpResponse response) { status = response.status; });
    return status;
  };
  CHECK(status_of("GET", "/api/fleet") == 200);
  CHECK(status_of("POST", "/api/fleet") == 405);
  CHECK(status_of("GET", "/api/slo") == 200);
  CHECK(passed_on == 1);
}
