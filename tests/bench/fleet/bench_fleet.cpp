// What peers cost: catching up after a day's outage and from nothing, bytes on the wire of a day,
// the state of 50 nodes, and comparing a fleet of 1,000. CPU seconds, since the machines share a
// thread.
//   bench_fleet          all but the next
//   bench_fleet --mesh   what a full mesh costs each node, by its size
#include <cstdio>
#include <ctime>
#include <string>

#include "nines/peer/peer_node.hpp"
#include "peer_world.hpp"

using namespace nines;
using namespace nines::peer;

namespace {

constexpr int64_t kHour0 = 500'000;

double cpu_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

std::vector<fleet::SeriesMeta> metas(int slos) {
  std::vector<fleet::SeriesMeta> all;
  for (int i = 0; i < slos; ++i) {
    all.push_back({{},
                   "slo-of-some-service-" + std::to_string(i),
                   "3f2a91c0d4e5b677",
                   "shop",
                   "0.999",
                   30 * 86400});
  }
  return all;
}

std::vector<uint64_t> ids_of(fleet::FleetState& state, int slos) {
  auto ids = state.set_series(metas(slos), WallTime::from_s(kHour0 * 3600));
  return ids.ok() ? *ids : std::vector<uint64_t>();
}

void fill(fleet::FleetState& state, const std::vector<uint64_t>& ids, int64_t from, int64_t to) {
  peer::test::Dice dice(static_cast<uint64_t>(from));
  for (int64_t h = from; h < to; ++h) {
    for (const uint64_t id : ids) {
      state.publish(id, fleet::Tier::hour, h, {dice.between(0, 90'000), dice.below(90), 3600});
      if (to - h > 3) continue;
      for (int64_t m = 0; m < 60; ++m) {
        state.publish(id, fleet::Tier::minute, h * 60 + m,
                      {dice.between(0, 1'500), dice.below(3), 60});
      }
    }
  }
}

struct Meter {
  double cpu_s = 0;
  size_t bytes = 0, rounds = 0;
};

PeerSettings settings(uint64_t incarnation) {
  PeerSettings settings;
  settings.cluster = "bench";
  settings.incarnation = settings.seed = incarnation;
  return settings;
}

// Two nodes on one wire until neither has anything more to say. A round is a way there or back.
Meter converse(fleet::FleetState& a, fleet::FleetState& b) {
  const Now now{{kNsPerSecond}, WallTime::from_s((kHour0 + 24 * 365) * 3600)};
  PeerNode left(settings(1), a, now), right(settings(2), b, now);
  left.set_addresses({"right"}, now);
  const Now later{{5 * kNsPerSecond}, now.wall};
  const double start = cpu_seconds();
  left.tick(later);
  Output out = left.take();
  const LinkId here = out.dials.at(0).link, there = right.accepted(later);
  left.connected(here, later);
  Meter meter;
  for (bool busy = true; busy; ++meter.rounds) {
    busy = false;
    const auto carry = [&](PeerNode& from, PeerNode& to, LinkId from_link, LinkId link) {
      for (auto& send : from.take().sends) {
        busy = true;
        meter.bytes += send.bytes.size();
        from.written(from_link, send.bytes.size());
        to.received(link, send.bytes, later);
      }
    };
    carry(left, right, here, there);
    carry(right, left, there, here);
  }
  meter.cpu_s = cpu_seconds() - start;
  if (a.hash() != b.hash()) std::printf("  NOT EQUAL\n");
  return meter;
}

void print(const char* what, const Meter& meter) {
  std::printf("%-46s %.3f CPU s (both sides), %.3f MB, %zu round trips = %.2f s at 50 ms each\n",
              what, meter.cpu_s, static_cast<double>(meter.bytes) / 1e6, meter.rounds,
              meter.cpu_s + 0.05 * static_cast<double>(meter.rounds));
}

void catch_up() {
  fleet::FleetState a("a", 1), b("b", 1), fresh("c", 1);
  const auto ids = ids_of(a, 20);
  ids_of(b, 20);
  fill(a, ids, kHour0, kHour0 + 30 * 24);
  converse(a, b);
  a.take_changes();
  fill(a, ids, kHour0 + 30 * 24, kHour0 + 31 * 24);
  a.take_changes();
  print("a day's outage, 20 SLOs, 30 d of history:", converse(a, b));
  print("a new peer, 2 x 20 SLOs, 31 d:", converse(a, fresh));
}

void fifty_nodes() {
  fleet::FleetLimits limits;
  fleet::FleetState all("z", 1, limits), other("y", 1, limits);
  for (int n = 0; n < 50; ++n) {
    fleet::FleetState node("node-" + std::to_string(n), 1);
    const auto ids = ids_of(node, 20);
    fill(node, ids, kHour0, kHour0 + 31 * 24);
    for (const auto& piece : node.take_changes()) {
      all.merge(piece, WallTime::from_s((kHour0 + 24 * 365) * 3600));
    }
  }
  std::printf("50 nodes x 20 SLOs x 31 d: %.1f MiB, %llu days dropped\n",
              static_cast<double>(all.bytes()) / 1048576,
              static_cast<unsigned long long>(all.counters().days_dropped));
  print("all of that to a new peer:", converse(all, other));
}

void wire_of_a_day() {
  peer::test::WorldOptions options;
  options.nodes = 2;
  options.slos = 20;
  peer::test::World world(options);
  world.run_ms(600'000);
  const uint64_t before = world.bytes_sent();
  world.run_ms(3'600'000);
  const double day = static_cast<double>(world.bytes_sent() - before) * 24 / 2;
  std::printf("on the wire, a node to a peer, 20 SLOs: %.2f MB a day (without TLS and TCP)\n",
              day / 1e6);
}

// Where the full mesh ends: everybody talks to everybody and knows all.
void mesh(size_t nodes) {
  peer::test::WorldOptions options;
  options.nodes = nodes;
  options.slos = 20;
  options.history_hours = 24;
  options.limits.max_origins = 128;
  peer::test::World world(options);
  const double start = cpu_seconds();
  int64_t met_ms = 0;
  for (; !world.converged() && met_ms < 600'000; met_ms += 1000) world.run_ms(1000);
  const double met = cpu_seconds() - start;
  const uint64_t meeting = world.bytes_sent();
  world.run_ms(120'000);
  const double before = cpu_seconds();
  const uint64_t bytes = world.bytes_sent();
  constexpr double kSeconds = 300;
  world.run_ms(static_cast<int64_t>(kSeconds) * 1000);
  const auto n = static_cast<double>(nodes);
  std::printf(
      "full mesh of %3zu: met after %lld s for %.0f CPU ms and %.2f MB a node; then a node %.2f ms "
      "CPU and %.2f kB sent a second (%.0f MB a day), %.1f MiB of state\n",
      nodes, static_cast<long long>(met_ms / 1000), met * 1000 / n,
      static_cast<double>(meeting) / 1e6 / n, (cpu_seconds() - before) * 1000 / kSeconds / n,
      static_cast<double>(world.bytes_sent() - bytes) / 1e3 / kSeconds / n,
      static_cast<double>(world.bytes_sent() - bytes) / 1e6 / kSeconds / n * 86400,
      static_cast<double>(world.state(0).bytes()) / 1048576);
}

void thousand_nodes() {
  fleet::FleetLimits limits;
  limits.max_origins = 1024;
  fleet::FleetState a("z", 1, limits), b("y", 1, limits);
  const WallTime ceiling = WallTime::from_s((kHour0 + 24 * 365) * 3600);
  std::vector<fleet::Piece> last;
  for (int n = 0; n < 1000; ++n) {
    fleet::FleetState node("node-" + std::to_string(n), 1);
    const auto ids = ids_of(node, 2);
    fill(node, ids, kHour0, kHour0 + 24);
    for (const auto& piece : node.take_changes()) {
      a.merge(piece, ceiling);
      b.merge(piece, ceiling);
    }
    node.publish(ids[0], fleet::Tier::minute, (kHour0 + 24) * 60, {1, 0, 60});
    if (n % 100 == 0) {
      for (const auto& piece : node.take_changes()) last.push_back(piece);
    }
  }
  double start = cpu_seconds();
  for (int i = 0; i < 100; ++i) (void)a.missing(b.digest());
  std::printf("1,000 nodes: %.1f MiB; comparing all of them %.2f ms\n",
              static_cast<double>(a.bytes()) / 1048576, (cpu_seconds() - start) * 10);
  for (const auto& piece : last) b.merge(piece, ceiling);
  print("1,000 nodes, 10 of them differ:", converse(a, b));
}

}  // namespace

int main(int argc, char**) {
  if (argc > 1) {  // takes minutes
    for (const size_t nodes : {10, 30, 50, 64, 100}) mesh(nodes);
    return 0;
  }
  catch_up();
  fifty_nodes();
  wire_of_a_day();
  thousand_nodes();
  return 0;
}
