// A fleet over a real nats-server: that many nodes tell their state over a few connections, one
// reader makes the view of all of it, and the view must be what the nodes counted. Then an answer
// of 64 MiB to a query over NATS.
//   bench_broker nats://127.0.0.1:4222 [nodes 1000] [slos 5] [days 7] [connections 8]
// Prints one JSON object; exit code 1: the view is not right.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "nines/base/backoff.hpp"
#include "nines/broker/fleet_stream.hpp"
#include "nines/broker/link.hpp"
#include "nines/broker/nats_client.hpp"
#include "nines/broker/query_port.hpp"
#include "nines/fleet/fleet_view.hpp"
#include "nines/net/asio.hpp"

using namespace nines;
using namespace nines::broker;

namespace {

class SystemClock final : public Clock {
 public:
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch() / std::chrono::nanoseconds(1)};
  }
  WallTime wall() const noexcept override {
    return {std::chrono::system_clock::now().time_since_epoch() / std::chrono::nanoseconds(1)};
  }
};
const SystemClock kClock;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }
double seconds() { return static_cast<double>(kClock.mono().ns) / 1e9; }

using Sums = std::map<std::string, fleet::Counts>;  // by SLO

struct Wanted {
  int nodes = 1000, slos = 5, days = 7, connections = 8;
};

struct Node {
  Node(int number, const Wanted& wanted, int64_t end_hour, Sums& oracle)
      : state("node-" + std::to_string(number), 1, {}, static_cast<uint64_t>(number) + 1),
        teller({}, state) {
    std::vector<fleet::SeriesMeta> metas;
    for (int i = 0; i < wanted.slos; ++i) {
      metas.push_back({{}, "slo-" + std::to_string(i), "3f2a91c0", "shop", "0.999", 30 * 86400});
    }
    const auto ids = state.set_series(metas, kClock.wall());
    SplitMix64 chance(static_cast<uint64_t>(number));
    for (int i = 0; i < wanted.slos; ++i) {
      fleet::Counts& sum = oracle[metas[static_cast<size_t>(i)].slo];
      for (int64_t h = end_hour - int64_t{24} * wanted.days; h < end_hour; ++h) {
        const fleet::Counts hour = count(ids.value()[static_cast<size_t>(i)], h, end_hour, chance);
        sum.good += hour.good;
        sum.bad += hour.bad;
      }
    }
  }
  fleet::Counts count(uint64_t id, int64_t h, int64_t end_hour, SplitMix64& chance) {
    fleet::Counts hour{0, 0, 3600};
    if (end_hour - h > 3) {
      hour.good = static_cast<int64_t>(chance.next() % 90'000);
      hour.bad = static_cast<int64_t>(chance.next() % 90);
    }
    for (int64_t m = 0; m < 60 && end_hour - h <= 3; ++m) {
      const fleet::Counts minute{static_cast<int64_t>(chance.next() % 1'500),
                                 static_cast<int64_t>(chance.next() % 3), 60};
      state.publish(id, fleet::Tier::minute, h * 60 + m, minute);
      hour.good += minute.good;
      hour.bad += minute.bad;
    }
    state.publish(id, fleet::Tier::hour, h, hour);
    return hour;
  }
  fleet::FleetState state;
  FleetTeller teller;
};

// A connection and those who share it.
struct Line {
  Line(boost::asio::io_context& io, const BrokerUrl& url, uint64_t seed) : client(options(seed)) {
    LinkSettings settings;
    settings.url = url;
    settings.tick_ms = 50;
    link = std::make_unique<BrokerLink>(io, kClock, settings, client,
                                        [](bool good, const std::string& text) {
                                          if (!good) std::fprintf(stderr, "%s\n", text.c_str());
                                        });
  }
  static NatsOptions options(uint64_t seed) {
    NatsOptions options;
    options.seed = seed;
    return options;
  }
  NatsClient client;
  std::unique_ptr<BrokerLink> link;
};

template <class Done>
bool run_until(boost::asio::io_context& io, const Done& done) {
  for (const double limit = seconds() + 600; !done(); io.run_for(std::chrono::milliseconds(20))) {
    if (seconds() > limit) return false;
  }
  return true;
}

constexpr size_t kAnswerBytes = size_t{64} * 1024 * 1024;

Instant in_s(int64_t s) { return {kClock.mono().ns + s * kNsPerSecond}; }

// An answer to a query, from one connection to another; MB a second, 0: it did not arrive whole.
double query(boost::asio::io_context& io, const BrokerUrl& url) {
  std::unique_ptr<QueryPort> server, client;
  Line asked(io, url, 1001), asking(io, url, 1002);
  std::vector<std::thread> threads;
  const auto waker = [&io](Line& line, std::unique_ptr<QueryPort>& port) {
    return [&io, &line, &port] {
      boost::asio::post(io, [&line, &port] {
        if (port) line.client.wake(*port, line.link->now());
        line.link->flush();
      });
    };
  };
  const auto serve = [&](std::unique_ptr<stream::ByteStream> stream) {
    threads.emplace_back([s = std::shared_ptr<stream::ByteStream>(std::move(stream))] {
      const std::string bytes(kAnswerBytes, 'x');
      if (!s->write(bytes, in_s(60)).ok()) std::fprintf(stderr, "the answer was not taken\n");
    });
  };
  QueryPortOptions options;
  options.node = "pi";
  server = std::make_unique<QueryPort>(options, kClock, serve, waker(asked, server));
  options.node.clear();
  client = std::make_unique<QueryPort>(options, kClock, nullptr, waker(asking, client));
  asked.client.join(*server, asked.link->now());
  asking.client.join(*client, asking.link->now());
  if (!run_until(io, [&] { return asked.client.ready() && asking.client.ready(); })) return 0;
  std::atomic<size_t> got{0};
  std::atomic<bool> done{false};
  const double start = seconds();
  threads.emplace_back([&] {
    auto stream = client->open("pi", in_s(10));
    std::vector<char> buffer(256 * 1024);
    while (stream.ok()) {
      const auto bytes = (*stream)->read(buffer, in_s(60));
      if (!bytes.ok() || *bytes == 0) break;
      got += *bytes;
    }
    done = true;
  });
  run_until(io, [&] { return done.load(); });
  const double took = seconds() - start;
  for (auto& thread : threads) thread.join();
  io.run_for(std::chrono::milliseconds(50));  // posts that name the ports
  return got == kAnswerBytes ? static_cast<double>(kAnswerBytes) / 1e6 / took : 0;
}

struct Tally {
  uint64_t units = 0, bytes = 0, wire = 0;
};

Tally tally(const std::vector<std::unique_ptr<Node>>& nodes,
            const std::vector<std::unique_ptr<Line>>& lines) {
  Tally sum;
  for (const auto& node : nodes) {
    sum.units += node->teller.stats().units;
    sum.bytes += node->teller.stats().bytes;
  }
  for (const auto& line : lines) {
    sum.wire += line->client.counters().bytes_in + line->client.counters().bytes_out;
  }
  return sum;
}

bool right(const fleet::FleetState& state, const Sums& oracle, int nodes) {
  const auto budgets = fleet::fleet_budgets(state, kClock.wall());
  bool equal = budgets.size() == oracle.size();
  for (const auto& budget : budgets) {
    const auto found = oracle.find(budget.slo);
    equal = equal && found != oracle.end() && budget.counts.good == found->second.good &&
            budget.counts.bad == found->second.bad &&
            budget.parts.size() == static_cast<size_t>(nodes);
  }
  return equal;
}

int bench(const BrokerUrl& url, const Wanted& wanted) {
  boost::asio::io_context io(1);
  Sums oracle;
  const int64_t end_hour = kClock.wall().seconds() / 3600;
  std::vector<std::unique_ptr<Node>> nodes;
  for (int i = 0; i < wanted.nodes; ++i) {
    nodes.push_back(std::make_unique<Node>(i, wanted, end_hour, oracle));
  }
  double cpu = cpu_seconds(), start = seconds();
  std::vector<std::unique_ptr<Line>> lines;
  for (int i = 0; i < wanted.connections; ++i) {
    lines.push_back(std::make_unique<Line>(io, url, static_cast<uint64_t>(i) + 1));
  }
  for (size_t i = 0; i < nodes.size(); ++i) {
    lines[i % lines.size()]->client.join(nodes[i]->teller, {kClock.mono(), kClock.wall()});
  }
  const bool told = run_until(io, [&] {
    for (const auto& node : nodes) {
      if (!node->teller.settled()) return false;
    }
    return true;
  });
  const Tally sum = tally(nodes, lines);
  const double tell_cpu = cpu_seconds() - cpu, tell_s = seconds() - start;
  cpu = cpu_seconds();
  start = seconds();
  fleet::FleetLimits limits;
  limits.max_origins = nodes.size() + 1;
  limits.max_bytes = size_t{1024} * 1024 * 1024;
  fleet::FleetState view("reader", 1, limits);
  FleetReader reader({}, view);
  Line line(io, url, 99);
  line.client.join(reader, {kClock.mono(), kClock.wall()});
  const bool read = run_until(io, [&] { return reader.caught_up(); });
  const double read_s = seconds() - start, read_cpu = cpu_seconds() - cpu;
  const bool equal = told && read && right(view, oracle, wanted.nodes);
  const double query_mb_s = query(io, url);
  std::printf(
      "{\"nodes\": %d, \"slos\": %d, \"days\": %d, \"told\": %s, \"units\": %llu, "
      "\"unit_bytes\": %llu, \"wire_bytes\": %llu, \"tell_s\": %.2f, \"tell_cpu_s\": %.2f, "
      "\"read_messages\": %llu, \"read_bytes\": %llu, \"read_s\": %.2f, "
      "\"read_cpu_s\": %.2f, \"view_bytes\": %zu, \"query_mb_s\": %.1f, \"equal\": %s}\n",
      wanted.nodes, wanted.slos, wanted.days, told ? "true" : "false",
      static_cast<unsigned long long>(sum.units), static_cast<unsigned long long>(sum.bytes),
      static_cast<unsigned long long>(sum.wire), tell_s, tell_cpu,
      static_cast<unsigned long long>(reader.stats().messages),
      static_cast<unsigned long long>(reader.stats().bytes), read_s, read_cpu,
      view.bytes(), query_mb_s, equal ? "true" : "false");
  return equal && query_mb_s > 0 ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  const auto url = parse_broker_url(argc > 1 ? argv[1] : "nats://127.0.0.1:4222");
  if (!url.ok()) {
    std::fprintf(stderr, "%s\n", url.error().message.c_str());
    return 2;
  }
  Wanted wanted;
  int* const numbers[] = {&wanted.nodes, &wanted.slos, &wanted.days, &wanted.connections};
  for (int i = 2; i < argc && i < 6; ++i) *numbers[i - 2] = std::max(1, std::atoi(argv[i]));
  return bench(*url, wanted);
}
