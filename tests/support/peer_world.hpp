// Nodes on a fake network with a fake clock: PeerNode and FleetState as the agent runs them, TCP as
// it behaves when cables are pulled, and every chance from one seed.
//
//   Connections are streams: nothing is lost or reordered in one, but what is sent across a cut
//   waits, and one side may hold a connection for open long after the other is gone. `lossy`
//   worlds break even that: frames vanish, come twice and overtake each other.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <queue>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "nines/fleet/fleet_view.hpp"
#include "nines/peer/peer_node.hpp"

namespace nines::peer::test {

class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ULL + 1) {}
  uint64_t next() {
    state_ += 0x9e3779b97f4a7c15ULL;
    uint64_t x = state_;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
  }
  int64_t below(int64_t bound) {
    return bound <= 0 ? 0 : static_cast<int64_t>(next() % static_cast<uint64_t>(bound));
  }
  int64_t between(int64_t low, int64_t high) { return low + below(high - low + 1); }
  bool percent(int64_t p) { return below(100) < p; }

 private:
  uint64_t state_;
};

struct WorldOptions {
  uint64_t seed = 1;
  size_t nodes = 3;
  size_t slos = 2;
  int64_t latency_ms = 5, jitter_ms = 5;
  int64_t loss_percent = 0, duplicate_percent = 0, reorder_percent = 0;  // of frames
  int64_t max_clock_offset_s = 0;
  int64_t history_hours = 0;  // told by each node before it meets anybody
  bool tell_hours = false;    // and hours, when they are closed: the sums of their minutes
  fleet::FleetLimits limits{};
};

class World {
 public:
  static constexpr int64_t kStartS = int64_t{500'000} * 3600;

  struct Page {
    size_t by;
    Decision decision;
    int64_t at_ms;
    bool told_before;  // another node's page under that key had reached this one
  };
  using CellKey = std::tuple<size_t, fleet::Tier, uint64_t, int64_t>;  // node, tier, series, slot

  explicit World(const WorldOptions& options) : options_(options), dice_(options.seed) {
    nodes_.resize(options.nodes);
    blocked_.assign(options.nodes, std::vector<bool>(options.nodes, false));
    for (size_t i = 0; i < nodes_.size(); ++i) {
      nodes_[i].name = "node-" + std::string(1, static_cast<char>('a' + i % 26)) +
                       (i < 26 ? "" : std::to_string(i / 26));
      nodes_[i].clock_offset_ns =
          dice_.between(-options.max_clock_offset_s, options.max_clock_offset_s) * kNsPerSecond;
      nodes_[i].since_minute = minute_of(i) - 1;
      start(i);
    }
  }

  // --- what happens
  void run_ms(int64_t ms) {
    const int64_t end = now_ms_ + ms;
    while (!events_.empty() && events_.top().at_ms <= end) {
      const Event event = events_.top();
      events_.pop();
      now_ms_ = std::max(now_ms_, event.at_ms);
      event.run();
    }
    now_ms_ = end;
  }
  void cut(size_t from, size_t to) {
    blocked_[from][to] = true;
    faulted_.insert(from);
    faulted_.insert(to);
  }
  void mend(size_t from, size_t to) {
    blocked_[from][to] = false;
    for (auto& [id, conn] : conns_) {
      for (int side = 0; side < 2; ++side) {
        if (conn.node[side] != from || conn.node[1 - side] != to) continue;
        for (auto& bytes : std::exchange(conn.held[side], {})) {
          deliver(id, side, std::move(bytes));
        }
      }
    }
  }
  void mend_all() {
    for (size_t a = 0; a < nodes_.size(); ++a) {
      for (size_t b = 0; b < nodes_.size(); ++b) mend(a, b);
    }
  }
  // `told`: the kernel still says goodbye to its connections; otherwise the power went.
  void crash(size_t i, bool told) {
    Node& node = nodes_[i];
    if (!node.machine) return;
    faulted_.insert(i);
    std::vector<uint64_t> gone;
    for (auto& [id, conn] : conns_) {
      for (int side = 0; side < 2; ++side) {
        if (conn.node[side] == i && conn.link[side] != 0) gone.push_back(id);
      }
    }
    for (const uint64_t id : gone) {
      const auto found = conns_.find(id);
      if (found == conns_.end()) continue;
      const Conn& conn = found->second;
      hang_up(id, conn.node[0] == i && conn.link[0] != 0 ? 0 : 1, told);
    }
    node.told = node.state->events(node.name);  // the store has them
    node.machine.reset();
    node.state.reset();
    ++node.life;
  }
  // `lost`: with nothing left of its counts, and its boot number begun anew.
  void restart(size_t i, bool lost) {
    Node& node = nodes_[i];
    if (node.machine) return;
    if (lost) {
      node.boot = 0;
      node.counted.clear();
      node.told.clear();
      node.since_minute = minute_of(i);
      node.lost = true;
    }
    start(i);
  }
  void stop_publishing() { publishing_ = false; }

  // --- what there is
  int64_t now_ms() const { return now_ms_; }
  bool up(size_t i) const { return nodes_[i].machine != nullptr; }
  size_t size() const { return nodes_.size(); }
  const std::string& name(size_t i) const { return nodes_[i].name; }
  fleet::FleetState& state(size_t i) { return *nodes_[i].state; }
  PeerNode& machine(size_t i) { return *nodes_[i].machine; }
  bool ever_lost(size_t i) const { return nodes_[i].lost; }
  bool ever_faulted(size_t i) const { return faulted_.contains(i); }
  const std::vector<Page>& pages() const { return pages_; }
  uint64_t bytes_sent() const { return bytes_sent_; }
  Dice& dice() { return dice_; }
  Now now_of(size_t i) const {
    return {{(now_ms_ + 1'000'000) * kNsPerMs},
            {kStartS * kNsPerSecond + now_ms_ * kNsPerMs + nodes_[i].clock_offset_ns}};
  }
  bool converged() const {
    for (const Node& node : nodes_) {
      if (!node.machine || node.state->hash() != nodes_[0].state->hash()) return false;
    }
    return true;
  }
  // The counts that a node has told, whoever still has them.
  const std::map<std::tuple<fleet::Tier, uint64_t, int64_t>, fleet::Counts>& counted(
      size_t i) const {
    return nodes_[i].counted;
  }

 private:
  struct Node {
    std::string name;
    std::unique_ptr<fleet::FleetState> state;
    std::unique_ptr<PeerNode> machine;
    int64_t clock_offset_ns = 0;
    uint64_t boot = 0;
    uint64_t life = 1;
    int64_t since_minute = 0;  // told up to here, durable
    bool lost = false;
    std::vector<fleet::FleetEvent> told;
    std::vector<uint64_t> series;
    // What its store keeps.
    std::map<std::tuple<fleet::Tier, uint64_t, int64_t>, fleet::Counts> counted;
  };
  struct Conn {
    size_t node[2];
    LinkId link[2];               // 0: that side is gone
    int64_t arrives[2] = {0, 0};  // the last bytes sent by a side
    std::vector<std::string> held[2];
  };
  struct Event {
    int64_t at_ms;
    uint64_t order;
    std::function<void()> run;
    bool operator<(const Event& other) const {
      return std::tie(at_ms, order) > std::tie(other.at_ms, other.order);
    }
  };

  void at(int64_t ms, std::function<void()> run) {
    events_.push({std::max(ms, now_ms_), next_order_++, std::move(run)});
  }
  int64_t delay() { return options_.latency_ms + dice_.below(options_.jitter_ms + 1); }
  int64_t minute_of(size_t i) const { return now_of(i).wall.seconds() / 60; }

  void start(size_t i) {
    Node& node = nodes_[i];
    ++node.boot;
    const uint64_t incarnation = dice_.next() | 1;
    node.state =
        std::make_unique<fleet::FleetState>(node.name, node.boot, options_.limits, incarnation);
    PeerSettings settings;
    settings.cluster = "sim";
    settings.incarnation = incarnation;
    settings.seed = dice_.next();
    std::vector<fleet::SeriesMeta> metas;
    for (size_t s = 0; s < options_.slos; ++s) {
      metas.push_back({{}, "slo-" + std::to_string(s), "g", "shop", "0.99", 30 * 86400});
    }
    auto ids = node.state->set_series(metas, now_of(i).wall);
    node.series = ids.ok() ? *ids : std::vector<uint64_t>();
    recount(i);
    node.machine = std::make_unique<PeerNode>(settings, *node.state, now_of(i));
    std::vector<std::string> addresses;  // a list that is the same everywhere
    for (size_t n = 0; n < nodes_.size(); ++n) addresses.push_back(std::to_string(n));
    node.machine->set_addresses(addresses, now_of(i));
    tick(i, node.life);
  }

  // From its store, and for a new node its past.
  void recount(size_t i) {
    Node& node = nodes_[i];
    if (node.boot == 1 && !node.lost) {
      const int64_t hour = minute_of(i) / 60;
      for (const uint64_t id : node.series) {
        for (int64_t h = hour - options_.history_hours; h < hour; ++h) {
          node.counted[{fleet::Tier::hour, id, h}] = {dice_.between(0, 90'000), dice_.below(100),
                                                      3600};
        }
      }
    }
    for (const auto& event : node.told) node.state->publish(event);
    for (const auto& [key, counts] : node.counted) {
      node.state->publish(std::get<1>(key), std::get<0>(key), std::get<2>(key), counts);
    }
  }

  // Closed minutes; the logs of the time that it was down are read then.
  void publish(size_t i) {
    Node& node = nodes_[i];
    const int64_t closed = minute_of(i) - 1;
    for (int64_t m = node.since_minute + 1; m <= closed; ++m) {
      for (const uint64_t id : node.series) {
        const fleet::Counts counts{dice_.between(0, 1500), dice_.below(9), 60};
        node.counted[{fleet::Tier::minute, id, m}] = counts;
        node.state->publish(id, fleet::Tier::minute, m, counts);
        if (options_.tell_hours && m % 60 == 59) tell_hour(node, id, m / 60);
      }
    }
    if (closed > node.since_minute) tell_bodies(node, closed);
    node.since_minute = std::max(node.since_minute, closed);
  }

  bool knows_page(size_t i, const Decision& decision) const {
    if (decision.kind != Decision::Kind::node_silent) return false;
    const fleet::FleetState& state = *nodes_[i].state;
    for (const auto& origin : state.origins()) {
      if (origin == state.self()) continue;
      for (const auto& event : state.events(origin, fleet::FleetEvent::Stream::membership)) {
        if (event.kind == fleet::FleetEvent::Kind::node_silent && event.rule == decision.key) {
          return true;
        }
      }
    }
    return false;
  }

  // As the owners of incidents and timeline do: under the number of a life.
  void tell_bodies(Node& node, int64_t minute) {
    for (const auto stream :
         {fleet::FleetEvent::Stream::incidents, fleet::FleetEvent::Stream::timeline}) {
      fleet::FleetEvent event;
      event.stream = stream;
      event.boot = node.life;
      event.sequence = static_cast<uint64_t>(minute);
      event.body = node.name + std::to_string(minute);
      node.state->publish(std::move(event));
    }
  }

  void tell_hour(Node& node, uint64_t id, int64_t hour) {
    fleet::Counts sum;
    for (int64_t m = hour * 60; m < hour * 60 + 60; ++m) {
      const auto found = node.counted.find({fleet::Tier::minute, id, m});
      if (found == node.counted.end()) continue;
      sum.good += found->second.good;
      sum.bad += found->second.bad;
      sum.covered_s += found->second.covered_s;
    }
    node.counted[{fleet::Tier::hour, id, hour}] = sum;
    node.state->publish(id, fleet::Tier::hour, hour, sum);
  }

  void tick(size_t i, uint64_t life) {
    Node& node = nodes_[i];
    if (!node.machine || node.life != life) return;
    if (publishing_) publish(i);
    node.machine->tick(now_of(i));
    act(i);
    at(now_ms_ + 1000, [this, i, life] { tick(i, life); });
  }

  void act(size_t i) {
    Output out = nodes_[i].machine->take();
    for (auto& decision : out.decisions) {
      const bool told_before = knows_page(i, decision);
      pages_.push_back({i, std::move(decision), now_ms_, told_before});
    }
    for (const auto& dial : out.dials) connect(i, dial.link, std::stoul(dial.address));
    for (auto& send : out.sends) transmit(i, send.link, std::move(send.bytes));
    for (const auto& close : out.closes) {
      const uint64_t id = conn_of(i, close.link);
      if (id != 0) hang_up(id, side_of(id, i, close.link), true);
    }
  }

  uint64_t conn_of(size_t i, LinkId link) const {
    const auto found = by_link_.find({i, link});
    return found == by_link_.end() ? 0 : found->second;
  }
  int side_of(uint64_t id, size_t i, LinkId link) const {
    const Conn& conn = conns_.at(id);
    return conn.node[0] == i && conn.link[0] == link ? 0 : 1;
  }

  void connect(size_t from, LinkId link, size_t to) {
    const uint64_t life = nodes_[from].life;
    const auto fail = [this, from, link, life] {
      if (nodes_[from].life != life || !nodes_[from].machine) return;
      nodes_[from].machine->closed(link, now_of(from));
      act(from);
    };
    if (blocked_[from][to] || blocked_[to][from]) return at(now_ms_ + 3000, fail);
    at(now_ms_ + delay(), [this, from, link, to, life, fail] {
      if (nodes_[from].life != life || !nodes_[from].machine) return;
      if (!nodes_[to].machine) return fail();
      const LinkId other = nodes_[to].machine->accepted(now_of(to));
      if (other == 0) {
        act(to);
        return fail();
      }
      const uint64_t id = ++next_conn_;
      conns_[id] = Conn{{from, to}, {link, other}, {0, 0}, {}};
      by_link_[{from, link}] = id;
      by_link_[{to, other}] = id;
      nodes_[from].machine->connected(link, now_of(from));
      act(to);
      act(from);
    });
  }

  void transmit(size_t i, LinkId link, std::string bytes) {
    const uint64_t id = conn_of(i, link);
    if (id == 0) return;
    const int side = side_of(id, i, link);
    bytes_sent_ += bytes.size();
    const bool handshake = bytes[5] <= 2;
    if (!handshake && dice_.percent(options_.loss_percent)) return acknowledge(id, side, bytes);
    if (!handshake && dice_.percent(options_.duplicate_percent)) deliver(id, side, bytes);
    deliver(id, side, std::move(bytes));
  }
  void acknowledge(uint64_t id, int side, const std::string& bytes) {
    const Conn& conn = conns_.at(id);
    if (nodes_[conn.node[side]].machine) {
      nodes_[conn.node[side]].machine->written(conn.link[side], bytes.size());
    }
  }

  void deliver(uint64_t id, int side, std::string bytes) {
    Conn& conn = conns_.at(id);
    if (blocked_[conn.node[side]][conn.node[1 - side]]) {
      conn.held[side].push_back(std::move(bytes));
      return;
    }
    int64_t when = now_ms_ + delay();
    const bool overtakes = bytes[5] > 2 && dice_.percent(options_.reorder_percent);
    if (overtakes) {
      when += dice_.below(2000);
    } else {
      when = std::max(when, conn.arrives[side]);
      conn.arrives[side] = when;
    }
    at(when, [this, id, side, data = std::move(bytes)]() mutable { arrive(id, side, data); });
  }

  void arrive(uint64_t id, int side, std::string& bytes) {
    const auto found = conns_.find(id);
    if (found == conns_.end()) return;
    Conn& conn = found->second;
    const size_t from = conn.node[side], to = conn.node[1 - side];
    if (blocked_[from][to]) {
      conn.held[side].push_back(std::move(bytes));
      return;
    }
    if (conn.link[side] != 0) acknowledge(id, side, bytes);
    const LinkId link = conn.link[1 - side];
    if (link == 0 || !nodes_[to].machine) return;
    nodes_[to].machine->received(link, bytes, now_of(to));
    act(to);
  }

  // One side is done with it; the other hears of that, behind all that is still under way.
  void hang_up(uint64_t id, int side, bool told) {
    Conn& conn = conns_.at(id);
    by_link_.erase({conn.node[side], conn.link[side]});
    conn.link[side] = 0;
    if (conn.link[1 - side] == 0) {
      conns_.erase(id);
      return;
    }
    if (!told || blocked_[conn.node[side]][conn.node[1 - side]]) return;
    at(std::max(now_ms_ + delay(), conn.arrives[side]), [this, id, side] {
      const auto found = conns_.find(id);
      if (found == conns_.end()) return;
      const size_t other = found->second.node[1 - side];
      const LinkId link = found->second.link[1 - side];
      by_link_.erase({other, link});
      conns_.erase(found);
      if (!nodes_[other].machine) return;
      nodes_[other].machine->closed(link, now_of(other));
      act(other);
    });
  }

  WorldOptions options_;
  Dice dice_;
  std::vector<Node> nodes_;
  std::vector<std::vector<bool>> blocked_;  // from, to
  std::map<uint64_t, Conn> conns_;
  std::map<std::pair<size_t, LinkId>, uint64_t> by_link_;
  std::priority_queue<Event> events_;
  uint64_t next_order_ = 0, next_conn_ = 0;
  int64_t now_ms_ = 0;
  bool publishing_ = true;
  std::vector<Page> pages_;
  std::set<size_t> faulted_;
  uint64_t bytes_sent_ = 0;
};

}  // namespace nines::peer::test
