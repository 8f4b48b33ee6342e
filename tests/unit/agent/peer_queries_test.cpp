// Queries of other nodes: how the agent takes them, over real peers.
#include "query/peer_queries.hpp"

#include <catch2/catch.hpp>
#include <chrono>
#include <condition_variable>
#include <future>
#include <mutex>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/fleet_link.hpp"
#include "net/asio.hpp"

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
  Instant soon() const { return {mono().ns + 10 * kNsPerSecond}; }
};

// Says back what it hears, until the other side ends it.
query::ServeQuery echo(const Clock& clock) {
  return [&clock](std::unique_ptr<stream::ByteStream> stream) {
    char buffer[256];
    const Instant deadline{clock.mono().ns + 10 * kNsPerSecond};
    while (true) {
      const auto got = stream->read(buffer, deadline);
      if (!got.ok() || *got == 0) return;
      if (!stream->write({buffer, *got}, deadline).ok()) return;
    }
  };
}

// The control thread of an agent.
struct Control {
  Control() : thread([this] { io.run(); }) {}
  ~Control() {
    io.stop();
    thread.join();
  }
  template <class Run>
  auto on_io(Run run) {
    std::packaged_task<decltype(run())()> task(std::move(run));
    auto done = task.get_future();
    net::asio::post(io, [&task] { task(); });
    return done.get();
  }
  net::asio::io_context io;
  net::asio::executor_work_guard<net::asio::io_context::executor_type> work{
      net::asio::make_work_guard(io)};
  std::thread thread;
};

std::unique_ptr<FleetLink> start(Control& control, const Clock& clock, const std::string& name,
                                 const slo::SloEngine& engine, std::vector<std::string> peers) {
  return control.on_io([&] {
    FleetLinkOptions options;
    options.node = name;
    options.seed = static_cast<uint64_t>(name.front());
    options.driver.listen = peers.empty() ? "127.0.0.1:0" : "";
    options.driver.peers = std::move(peers);
    options.driver.tick_ms = 20;
    options.peer.dial_every_ms = 10;
    options.peer.backoff_min_ms = options.peer.backoff_max_ms = 50;
    auto started =
        FleetLink::start(control.io, clock, std::move(options), engine, {}, clock.wall(), nullptr);
    NINES_ASSERT(started.ok());
    return std::move(*started);
  });
}

struct Held : stream::ByteStream {
  explicit Held(std::promise<void>& promise) : gone(promise) {}
  ~Held() override { gone.set_value(); }
  Result<size_t> read(std::span<char>, Instant) override { return size_t{0}; }
  Status write(std::string_view, Instant) override { return Ok{}; }
  void close() override {}
  Traffic traffic() const override { return {}; }
  std::string where() const override { return "nowhere"; }
  std::promise<void>& gone;
};

}  // namespace

TEST_CASE("A node asks another over the link that the other has opened", "[query][fleet]") {
  Control control;
  RealClock clock;
  slo::SloEngine engine(1);
  auto a = start(control, clock, "a", engine, {});
  auto b = start(control, clock, "b", engine, {"127.0.0.1:" + std::to_string(a->port())});
  const Instant end = clock.soon();
  const auto open = [&](FleetLink& from, const std::string& to) {
    while (true) {  // until they know each other
      auto opened = from.open_query(to, clock.soon());
      const bool unknown = !opened.ok() && (opened.error().code == Errc::not_found ||
                                            opened.error().code == Errc::unavailable);
      if (!unknown || clock.mono() > end) return opened;
    }
  };
  const auto refused = open(*a, "b");
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message == "b answers no queries of other nodes");

  auto queries = std::make_unique<query::PeerQueries>(echo(clock));
  control.on_io([&] {
    b->serve_queries([&](std::unique_ptr<stream::ByteStream> stream, const peer::Credentials&) {
      queries->take(std::move(stream));
    });
    return 0;
  });
  auto asked = open(*a, "b");
  if (!asked.ok()) FAIL(asked.error().message);
  char buffer[16];
  REQUIRE((*asked)->write("hello", clock.soon()).ok());
  const auto got = (*asked)->read(buffer, clock.soon());
  REQUIRE(got.ok());
  CHECK(std::string(buffer, *got) == "hello");
  CHECK(queries->stats().served == 1);
  CHECK(control.on_io([&] { return a->askable(); }) == std::vector<std::string>{"b"});
  const auto fleet = nlohmann::json::parse(control.on_io([&] { return b->json(); }));
  CHECK(fleet["nodes"][0]["address"] == "127.0.0.1:" + std::to_string(a->port()));
  CHECK(fleet["nodes"][0]["role"] == "node");
  CHECK(control.on_io([&] { return a->metrics(); }).find("nines_peer_calls_answered_total 1\n") !=
        std::string::npos);

  b->stop_queries();  // wakes the echo
  queries.reset();
  asked->reset();
  control.on_io([&] {
    a.reset();
    b.reset();
    return 0;
  });
}

TEST_CASE("Queries of other nodes beyond the queue are closed and counted", "[query][fleet]") {
  std::promise<void> go, first_gone, second_gone, third_gone;
  auto may_go = go.get_future().share();
  query::PeerQueries queries([may_go](std::unique_ptr<stream::ByteStream>) { may_go.wait(); }, 2);
  queries.take(std::make_unique<Held>(first_gone));
  queries.take(std::make_unique<Held>(second_gone));
  queries.take(std::make_unique<Held>(third_gone));
  third_gone.get_future().wait();  // at once
  CHECK(queries.stats().refused == 1);
  go.set_value();
  first_gone.get_future().wait();
  second_gone.get_future().wait();
  CHECK(queries.stats().served == 2);
}
