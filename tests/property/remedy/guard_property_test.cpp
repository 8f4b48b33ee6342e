// Three nodes act on one cluster through one lease and on themselves, hear each other late or not
// at all, and die at any step: no limit is ever exceeded by what was really done, nothing is done
// twice, and nothing begins once a node knows of a stop.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>
#include <map>
#include <numeric>
#include <set>

#include "../../unit/remedy/guard_fixture.hpp"
#include "nines/remedy/lease.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

namespace {

// The whole range from the first case on: inRange() by itself begins with its lower end.
template <class T = int>
T pick(T from, T to) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(from, to));
}

constexpr int kNodes = 3;
const std::vector<std::string> kNames{"pi-0", "pi-1", "pi-2"};

struct Executed {
  std::string id, target, node, space;
  Verb verb = Verb::nothing;
  bool local = false, rollback = false;
  int64_t at = 0;
};

struct Cluster {
  Lease lease;
  uint64_t version = 0;
  std::vector<Executed> done;
  std::map<std::string, int64_t> over;  // act -> when some node wrote so
};

GuardLimits limits() {
  GuardLimits l = open_limits();
  l.trip_failures = 5;
  return l;
}

struct Member {
  explicit Member(size_t i) : name(kNames[i]), guard({name, 1}, limits()), hand(name) {}
  std::string name;
  uint64_t boot = 1;
  Guard guard;
  LeaseHand hand;
  std::map<std::string, GuardEvent> durable;
  std::set<std::string> heard_stops;

  void keep(const GuardEvent& e) { durable.emplace(e.uid(), e); }
  void keep_all() {
    for (const GuardEvent& e : guard.events()) keep(e);
  }
  void die() {
    guard = Guard({name, ++boot}, limits());
    for (const auto& [uid, e] : durable) guard.merge(e);
    hand = LeaseHand(name);
  }
};

Instant mono(int64_t s) { return {s * kNsPerSecond}; }

struct World {
  Cluster cluster;
  std::vector<Member> members;
  int64_t s = 0;

  World() {
    for (size_t i = 0; i < kNodes; ++i) members.emplace_back(i);
    Guard& first = members[0].guard;
    for (const auto& [rule, verb] : {std::pair{"up", Verb::scale_up},
                                     {"down", Verb::scale_down},
                                     {"restart", Verb::unit_restart},
                                     {"roll", Verb::rollout_restart}}) {
      arm(first, rule, {verb, {}}, -100'000);
    }
    for (Member& m : members) {
      for (const GuardEvent& e : first.events()) m.guard.merge(e);
      m.keep_all();
    }
  }

  Proposal any_proposal(const Member& m) {
    static const std::vector<std::pair<std::string, Verb>> kRules{{"up", Verb::scale_up},
                                                                  {"down", Verb::scale_down},
                                                                  {"restart", Verb::unit_restart},
                                                                  {"roll", Verb::rollout_restart}};
    const auto& [rule, verb] = kRules[pick<size_t>(0, kRules.size())];
    Proposal p;
    if (verb == Verb::unit_restart) {
      const std::string unit = *rc::gen::element<std::string>("a", "b", "c");
      p = proposal(rule, verb, "unit/" + m.name + "/" + unit, m.name);
      p.target.namespace_.clear();
      p.target.local = true;
    } else {
      const int d = pick(0, 5);
      p = proposal(rule, verb, "deploy/" + std::to_string(d), kNames[static_cast<size_t>(d) % 3]);
      p.target.namespace_ = d < 3 ? "shop" : "bank";
    }
    if (pick(0, 4) == 0) p.who = "ada", p.rule.clear();
    return p;
  }

  void execute(Member& m, const GuardEvent& intent, std::optional<uint64_t> token) {
    RC_ASSERT(m.heard_stops.empty() || !m.guard.may_start(intent.uid(), token, at_s(s)));
    if (!m.guard.may_start(intent.uid(), token, at_s(s))) return;
    const Act act = *m.guard.find(intent.uid());
    cluster.done.push_back({act.id, act.target, act.node, act.namespace_, act.action.verb,
                            act.local, !act.undoes.empty(), s});
  }

  // True: it died here.
  bool dies(Member& m) {
    if (pick(0, 30) != 0) return false;
    m.die();
    return true;
  }

  void finish(Member& m, const std::string& id) {
    if (dies(m)) return;
    const auto outcome = *rc::gen::weightedElement<Guard::Outcome>(
        {{5, Guard::Outcome::ok}, {1, Guard::Outcome::failed}});
    note_over(m, m.guard.result(id, outcome, "", at_s(s)));
  }
  void note_over(Member& m, const Guard::Done& done) {
    if (!done) RC_FAIL(done.error().message);
    m.keep(*done);
    const std::string& act = done->detail("act");
    if (m.guard.find(act)->over()) cluster.over.emplace(act, s);
  }

  // Reads the lease, proposes, writes the intent into it, acts.
  void act(Member& m, Proposal p) {
    const Lease seen = cluster.lease;
    const uint64_t version = cluster.version;
    std::optional<uint64_t> token;
    std::optional<Lease> bid;
    if (!p.target.local) {
      m.hand.see(seen, mono(s));
      bid = m.hand.bid(seen, mono(s));
      if (!bid) return;
      for (const std::string& bytes : seen.ledger) {
        RC_ASSERT(m.guard.merge(*decode_guard(bytes)) != Guard::Merge::refused);
      }
      m.keep_all();
      token = bid->token;
    }
    const Verdict v = m.guard.propose({p}, token, at_s(s))[0];
    if (v.event) m.keep(*v.event);
    if (!v.go()) return;
    if (dies(m)) return;
    if (bid) {
      if (pick(0, 8) == 0) ++cluster.version;  // someone else was faster
      if (cluster.version != version) {
        m.hand.lost();
        return note_over(m, m.guard.result(v.event->uid(), Guard::Outcome::not_done, "", at_s(s)));
      }
      bid->ledger.clear();
      for (const GuardEvent& e : m.guard.ledger(at_s(s))) bid->ledger.push_back(encode_guard(e));
      RC_ASSERT(encode_lease(*bid).size() <= kMaxLeaseBytes);
      cluster.lease = *bid;
      ++cluster.version;
      m.hand.won(*bid, mono(s));
    }
    if (dies(m)) return;
    execute(m, *v.event, token);
    finish(m, v.event->uid());
    if (bid && pick(0, 3) != 0) give_back(m);
  }

  void give_back(Member& m) {
    if (!m.hand.holds(mono(s))) return;
    cluster.lease = m.hand.given_back(cluster.lease);
    cluster.lease.ledger.clear();
    for (const GuardEvent& e : m.guard.ledger(at_s(s))) {
      cluster.lease.ledger.push_back(encode_guard(e));
    }
    ++cluster.version;
    m.hand.see(cluster.lease, mono(s));
  }

  void gossip(Member& from, Member& to) {
    for (const GuardEvent& e : from.guard.events()) to.guard.merge(e);
    to.keep_all();
  }

  // Who looks at the target knows whether it was done, or that nobody can tell.
  void recheck(Member& m) {
    const auto token = m.hand.holds(mono(s));
    for (const Act& a : m.guard.to_recheck(token, at_s(s))) {
      const bool done = std::any_of(cluster.done.begin(), cluster.done.end(),
                                    [&](const Executed& e) { return e.id == a.id; });
      if (pick(0, 3) == 0) {
        note_over(m, m.guard.doubt(a.id, "", at_s(s)));
      } else {
        note_over(m, m.guard.result(a.id, done ? Guard::Outcome::ok : Guard::Outcome::not_done, "",
                                    at_s(s)));
      }
    }
    for (const Act& a : m.guard.to_verify(token, at_s(s))) {
      const bool good = pick(0, 4) != 0;
      note_over(m, m.guard.verified(a.id, good, "", at_s(s)));
      if (auto back = m.guard.rollback_of(a.id, at_s(s))) {
        back->facts = good_facts();
        act(m, *back);
        return;  // it may have died
      }
    }
    for (const GuardEvent& e : m.guard.tick(at_s(s))) m.keep(e);
  }

  void step() {
    s += *rc::gen::weightedElement<int64_t>({{4, 1}, {4, 60}, {4, 400}, {3, 1000}, {1, 4000}});
    Member& m = members[pick<size_t>(0, kNodes)];
    switch (pick(0, 16)) {
      case 0: return m.die();
      case 1: {
        if (pick(0, 12) != 0) return;
        const auto stop = m.guard.stop("person", "ada", "", at_s(s));
        m.keep(*stop);
        m.heard_stops.insert(stop->uid());
        return;
      }
      case 2: {
        m.keep(*m.guard.resume("bob", "", at_s(s)));
        // It lifts what it knows: of others it may be more or less.
        for (Member& any : members) any.heard_stops.clear();
        return;
      }
      case 3:
        for (const Act& a : m.guard.acts()) {
          if (a.phase == Phase::in_doubt)
            return note_over(m, m.guard.settle(a.id, "bob", "", at_s(s)));
        }
        return;
      case 4:
      case 5:
      case 6: return gossip(m, members[pick<size_t>(0, kNodes)]);
      case 7:
      case 8:
      case 9: return recheck(m);
      default: return act(m, any_proposal(m));
    }
  }
};

// The most that began in any hour, of those that count.
template <class Counts>
int most_in_an_hour(const std::vector<Executed>& done, Counts counts) {
  int most = 0;
  for (const Executed& end : done) {
    int n = 0;
    for (const Executed& e : done) n += counts(e) && e.at <= end.at && end.at - e.at < 3600 ? 1 : 0;
    most = std::max(most, n);
  }
  return most;
}

void check_limits(const World& w) {
  const GuardLimits l = limits();
  const auto& done = w.cluster.done;
  std::set<std::string> ids;
  for (const Executed& e : done) RC_ASSERT(ids.insert(e.id).second);  // nothing twice
  for (const std::string& node : kNames) {
    for (const bool local : {false, true}) {
      RC_ASSERT(most_in_an_hour(done, [&](const Executed& e) {
                  return e.node == node && e.local == local;
                }) <= l.node_per_hour);
    }
  }
  for (const char* space : {"shop", "bank"}) {
    RC_ASSERT(most_in_an_hour(done, [&](const Executed& e) { return e.space == space; }) <=
              l.namespace_per_hour);
  }
  RC_ASSERT(most_in_an_hour(done, [](const Executed& e) { return !e.local; }) <=
            l.cluster_per_hour);
  for (size_t i = 0; i < done.size(); ++i) {
    std::set<std::string> nodes;
    for (size_t k = 0; k <= i; ++k) {
      const auto over = w.cluster.over.find(done[k].id);
      const bool open = over == w.cluster.over.end() || over->second > done[i].at;
      if (!done[k].local && !done[i].local && (open || k == i)) nodes.insert(done[k].node);
      // One at a time on a target.
      RC_ASSERT(k == i || done[k].target != done[i].target || !open);
    }
    RC_ASSERT(static_cast<int>(nodes.size()) <= l.nodes_at_once);
  }
}

}  // namespace

TEST_CASE("No history of three nodes exceeds a limit, and nothing is done twice") {
  size_t executed = 0;
  CHECK(rc::check([&] {
    World w;
    const int steps = pick(1, 300);
    for (int i = 0; i < steps; ++i) w.step();
    check_limits(w);
    executed += w.cluster.done.size();
  }));
  std::cout << executed << " acts done\n";
  CHECK(executed > 500);  // else it has shown nothing
}

TEST_CASE("A rule leaves its target alone for the cool-down, whatever happens in between") {
  CHECK(rc::check([] {
    Guard guard({"pi-1", 1}, limits());
    arm(guard, "restart-worker", {Verb::unit_restart, {}}, -100'000);
    std::vector<int64_t> acts;
    int64_t s = 0;
    for (int i = pick(1, 60); i > 0; --i) {
      s += pick(1, 1200);
      guard.tick(at_s(s));  // as every few seconds, until the clock is set back
      const int64_t told =
          s - *rc::gen::weightedElement<int64_t>({{5, 0}, {1, 3000}});  // clock back
      const Verdict v = guard.propose({local_restart("restart-worker", i)}, 1, at_s(told))[0];
      if (!v.go()) continue;
      acts.push_back(s);
      const auto done = guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(told));
      RC_ASSERT(done.ok());
      RC_ASSERT(guard.verified(v.event->uid(), true, "", at_s(told)).ok());
    }
    for (size_t i = 1; i < acts.size(); ++i) RC_ASSERT(acts[i] - acts[i - 1] >= 900);
  }));
}

TEST_CASE("Whatever the order in which events arrive, all nodes end in the same state") {
  CHECK(rc::check([] {
    World w;
    const int steps = pick(1, 80);
    for (int i = 0; i < steps; ++i) w.step();
    std::vector<GuardEvent> all;
    for (const Member& m : w.members) {
      for (const GuardEvent& e : m.guard.events()) all.push_back(e);
    }
    Guard forth({"x", 1}, limits()), any({"y", 1}, limits());
    for (const GuardEvent& e : all) forth.merge(e);
    std::vector<size_t> order(all.size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (size_t i = order.size(); i > 1; --i) {
      std::swap(order[i - 1], order[pick<size_t>(0, i)]);
    }
    for (const size_t i : order) any.merge(all[i]);
    RC_ASSERT(forth.events() == any.events());
    RC_ASSERT(forth.stopped(at_s(w.s)) == any.stopped(at_s(w.s)));
    const auto a = forth.acts(), b = any.acts();
    RC_ASSERT(a.size() == b.size());
    for (size_t i = 0; i < a.size(); ++i) {
      RC_ASSERT(a[i].id == b[i].id);
      RC_ASSERT(a[i].phase == b[i].phase);
    }
    for (size_t i = 0; i < forth.rules().size(); ++i) {
      RC_ASSERT(forth.rules()[i].state == any.rules()[i].state);
    }
  }));
}

TEST_CASE("The kill switch at any step of an act keeps whatever has not begun from beginning") {
  for (int step = 0; step < 5; ++step) {
    Guard guard({"pi-1", 1}, limits());
    arm(guard, "up", {Verb::scale_up, {}}, -100'000);
    const auto stop_at = [&](int now) {
      if (now == step) must(guard.stop("file", "", "/etc/nines/STOP", at_s(now)));
    };
    stop_at(0);
    const Verdict v = guard.propose({proposal("up", Verb::scale_up, "d")}, 1, at_s(1))[0];
    CHECK(v.event.has_value() == (step > 0));
    if (!v.event) continue;
    stop_at(1);
    CHECK(guard.may_start(v.event->uid(), 1, at_s(2)) == (step > 1));
    stop_at(2);
    // What was begun may still say how it went: knowing more is never forbidden.
    must(guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(3)));
    stop_at(3);
    must(guard.verified(v.event->uid(), false, "", at_s(700)));
    auto back = guard.rollback_of(v.event->uid(), at_s(701));
    REQUIRE(back);
    back->facts = good_facts();
    const Verdict undo = guard.propose({*back}, 1, at_s(702))[0];
    CHECK(undo.event.has_value() == (step > 3));
    if (!undo.event) continue;
    must(guard.stop("file", "", "", at_s(703)));
    CHECK_FALSE(guard.may_start(undo.event->uid(), 1, at_s(704)));
  }
}
