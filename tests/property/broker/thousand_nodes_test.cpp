// A thousand nodes, twenty sites of fifty, whose state goes through a broker: sites are cut off,
// nodes restart, the broker loses what it had acknowledged and once its streams, consumers come and
// go. Afterwards every consumer's view is the sum of what the nodes counted. NINES_SIM_SEED: the
// seed; NINES_SIM_NODES: how many nodes (100); NINES_SIM_TRACE=1 tells figures.
#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "fake_jetstream.hpp"
#include "nines/base/backoff.hpp"
#include "nines/broker/fleet_stream.hpp"
#include "nines/fleet/fleet_view.hpp"

using namespace nines;
using namespace nines::broker;
using test::FakeJetStream;

namespace {

constexpr int64_t kStartS = 1'700'000'000 / 3600 * 3600;
constexpr size_t kSiteNodes = 50;

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

struct Node {
  std::string name;
  uint64_t boot = 1;
  std::unique_ptr<fleet::FleetState> state;
  std::unique_ptr<FleetTeller> teller;
  std::vector<uint64_t> ids;
  FakeJetStream::Connection* connection = nullptr;
  std::map<int64_t, fleet::Counts> counted;  // its store: minute -> counts, of each SLO
  int64_t reconnect_ms = 0;                  // jitter, as its back-off would have it
};

struct Consumer {
  explicit Consumer(size_t nodes)
      : state("reader", 1, limits(nodes)), reader({"big", "", 7200}, state) {}
  static fleet::FleetLimits limits(size_t nodes) {
    fleet::FleetLimits limits;
    limits.max_origins = nodes + 1;
    limits.max_bytes = size_t{64} << 20;
    return limits;
  }
  fleet::FleetState state;
  FleetReader reader;
  FakeJetStream::Connection* connection = nullptr;
};

class World {
 public:
  World(uint64_t seed, size_t nodes) : chance_(seed), nodes_(nodes) {
    for (size_t i = 0; i < nodes; ++i) {
      nodes_[i].name =
          "site" + std::to_string(i / kSiteNodes) + "-n" + std::to_string(i % kSiteNodes);
      begin(nodes_[i]);
    }
    for (int i = 0; i < 2; ++i) consumers_.push_back(std::make_unique<Consumer>(nodes));
  }

  size_t sites() const { return (nodes_.size() + kSiteNodes - 1) / kSiteNodes; }
  uint64_t below(uint64_t n) { return chance_.next() % n; }

  void run_s(int64_t seconds) {
    for (int64_t s = 0; s < seconds; ++s) {
      ms_ += 1000;
      if (ms_ % 60'000 == 0 && counting_) count();
      connect();
      for (Node& node : nodes_) {
        if (node.connection != nullptr) node.teller->tick(*node.connection, now());
      }
      for (auto& consumer : consumers_) {
        if (consumer->connection != nullptr) consumer->reader.tick(*consumer->connection, now());
      }
      broker.turn(now(), 50);  // of a connection in a second
    }
  }
  void cut_site(size_t site) {
    cut_.insert(site);
    for (size_t i = site * kSiteNodes; i < std::min(nodes_.size(), (site + 1) * kSiteNodes); ++i) {
      lose(nodes_[i]);
    }
  }
  void restart(size_t i) {
    lose(nodes_[i]);
    ++nodes_[i].boot;
    begin(nodes_[i]);
  }
  void drop_consumer(size_t i) {
    Consumer& consumer = *consumers_[i];
    if (consumer.connection != nullptr) broker.break_connection(*consumer.connection, 0, 0, now());
    consumer.connection = nullptr;
  }
  // Seconds' worth of acknowledged messages, or all of it; everybody loses the connection.
  void power_cut(bool everything) {
    if (everything) {
      broker.streams.clear();
    } else {
      broker.lose_newest(nodes_.size() / 4);
    }
    for (Node& node : nodes_) lose(node);
    for (size_t i = 0; i < consumers_.size(); ++i) drop_consumer(i);
  }
  void heal() { cut_.clear(); }
  void stop_counting() { counting_ = false; }

  fleet::Counts oracle() const {
    fleet::Counts sum;
    for (const Node& node : nodes_) {
      for (const auto& [minute, counts] : node.counted) {
        sum.good += 2 * counts.good;  // two SLOs
        sum.bad += 2 * counts.bad;
      }
    }
    return sum;
  }
  bool right(const Consumer& consumer, const fleet::Counts& wanted) const {
    fleet::Counts told;
    size_t parts = 0;
    for (const auto& budget : fleet::fleet_budgets(consumer.state, now().wall)) {
      told.good += budget.counts.good;
      told.bad += budget.counts.bad;
      parts += budget.parts.size();
    }
    return told.good == wanted.good && told.bad == wanted.bad && parts == 2 * nodes_.size();
  }
  bool right() const {
    const fleet::Counts wanted = oracle();
    return std::all_of(consumers_.begin(), consumers_.end(),
                       [&](const auto& consumer) { return right(*consumer, wanted); });
  }
  const Consumer& consumer(size_t i) const { return *consumers_[i]; }
  uint64_t bytes_told() const {
    uint64_t bytes = 0;
    for (const Node& node : nodes_) bytes += node.teller->stats().bytes;
    return bytes;
  }
  Now now() const { return {{ms_ * kNsPerMs}, {kStartS * kNsPerSecond + ms_ * kNsPerMs}}; }

  FakeJetStream broker;

 private:
  void begin(Node& node) {
    node.state = std::make_unique<fleet::FleetState>(node.name, node.boot, fleet::FleetLimits{},
                                                     chance_.next() | 1);
    TellerOptions options;
    options.cluster = "big";
    options.seed = chance_.next();
    node.teller = std::make_unique<FleetTeller>(options, *node.state);
    auto ids = node.state->set_series(
        {{{}, "api", "g", "shop", "0.99", 86400}, {{}, "web", "g", "shop", "0.99", 86400}},
        now().wall);
    REQUIRE(ids.ok());
    node.ids = *ids;
    for (const auto& [minute, counts] : node.counted) publish(node, minute, counts);
  }
  static void publish(Node& node, int64_t minute, const fleet::Counts& counts) {
    for (const uint64_t id : node.ids) node.state->publish(id, fleet::Tier::minute, minute, counts);
    node.teller->look();
  }
  void count() {
    const int64_t minute = now().wall.seconds() / 60 - 1;
    for (Node& node : nodes_) {
      const fleet::Counts counts{static_cast<int64_t>(below(1000)), static_cast<int64_t>(below(5)),
                                 60};
      node.counted[minute] = counts;
      publish(node, minute, counts);
    }
  }
  void lose(Node& node) {
    if (node.connection != nullptr)
      broker.break_connection(*node.connection, below(3), below(3), now());
    node.connection = nullptr;
    node.reconnect_ms = ms_ + static_cast<int64_t>(below(30'000));
  }
  void connect() {
    for (size_t i = 0; i < nodes_.size(); ++i) {
      Node& node = nodes_[i];
      if (node.connection != nullptr || ms_ < node.reconnect_ms || cut_.contains(i / kSiteNodes))
        continue;
      node.connection = &broker.connect(*node.teller, now());
    }
    for (auto& consumer : consumers_) {
      if (consumer->connection == nullptr && below(10) == 0) {
        consumer->connection = &broker.connect(consumer->reader, now());
      }
    }
  }

  SplitMix64 chance_;
  std::vector<Node> nodes_;
  std::vector<std::unique_ptr<Consumer>> consumers_;
  std::set<size_t> cut_;
  int64_t ms_ = 0;
  bool counting_ = true;
};

}  // namespace

TEST_CASE("A thousand nodes through a broker that breaks are one view in the end",
          "[sim][thousand]") {
  const uint64_t seed = from_environment("NINES_SIM_SEED", 1);
  INFO("replay: NINES_SIM_SEED=" << seed);
  World world(seed, from_environment("NINES_SIM_NODES", 100));
  world.run_s(180);
  for (int round = 0; round < 8; ++round) {
    world.cut_site(world.below(world.sites()));
    for (int i = 0; i < 20; ++i) world.restart(world.below(world.sites() * kSiteNodes));
    if (round == 3) world.power_cut(false);
    if (round == 5) world.power_cut(true);
    if (round % 3 == 1) world.drop_consumer(world.below(2));
    world.run_s(45);
    if (round == 3) world.heal();
  }
  world.run_s(60);
  world.stop_counting();
  world.heal();
  const uint64_t stored = world.broker.stored, bytes = world.bytes_told();
  int64_t waited = 0;
  for (; !world.right() && waited < 600; ++waited) world.run_s(1);
  if (std::getenv("NINES_SIM_TRACE") != nullptr) {
    const Consumer& consumer = world.consumer(0);
    std::printf(
        "seed %llu: right %lld s after healing; then %llu messages and %llu bytes told; a "
        "consumer's state %.1f MiB, %llu messages of %.1f MB read in all\n",
        static_cast<unsigned long long>(seed), static_cast<long long>(waited),
        static_cast<unsigned long long>(world.broker.stored - stored),
        static_cast<unsigned long long>(world.bytes_told() - bytes),
        static_cast<double>(consumer.state.bytes()) / 1048576,
        static_cast<unsigned long long>(consumer.reader.stats().messages),
        static_cast<double>(consumer.reader.stats().bytes) / 1e6);
  }
  CHECK(waited <= 60);
  REQUIRE(world.right());
  CHECK(world.consumer(0).state.counters().origins_refused == 0);
  CHECK(world.consumer(0).state.counters().days_dropped == 0);
}
