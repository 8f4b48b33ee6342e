// Nodes that act on themselves, each alone or in groups that change: what a partition makes it
// impossible to know is all that may be exceeded, and it is bounded; a stop holds whoever has
// heard.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <iostream>
#include <map>
#include <set>

#include "../../unit/remedy/guard_fixture.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

namespace {

template <class T = int>
T pick(T from, T to) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<T>(from, to));
}

constexpr size_t kNodes = 4;
constexpr const char* kRule = "restart-worker";
constexpr int64_t kHour = 3600;

GuardLimits limits() {
  GuardLimits l = open_limits();
  l.cool_down_s = 0;
  l.trip_failures = 1'000'000;
  l.node_per_hour = 3;
  return l;
}

struct Begun {
  size_t node = 0;
  int64_t at = 0;
};

struct Fleet {
  std::vector<Guard> guards;
  std::vector<uint64_t> boots = std::vector<uint64_t>(kNodes, 1);
  std::vector<size_t> group = std::vector<size_t>(kNodes, 0);
  int64_t changed = -1'000'000;  // the groups, at last
  // What each has heard of stops, kept apart from the Guard.
  std::vector<std::set<std::string>> stops{kNodes}, lifted{kNodes};
  std::vector<Begun> begun;
  int64_t s = 0;
  size_t together = 0, apart = 0;  // acts, by whether all heard all

  static std::string name(size_t i) { return "pi-" + std::to_string(i); }

  Fleet() {
    for (size_t i = 0; i < kNodes; ++i) guards.emplace_back(GuardIdentity{name(i), 1}, limits());
    arm(guards[1], kRule, {Verb::unit_restart, {}}, -100'000);
    gossip();
  }

  // Whoever is in one group hears all that the others know.
  void gossip() {
    for (size_t from = 0; from < kNodes; ++from) {
      for (size_t to = 0; to < kNodes; ++to) {
        if (from == to || group[from] != group[to]) continue;
        for (const GuardEvent& e : guards[from].events()) guards[to].merge(e);
        stops[to].insert(stops[from].begin(), stops[from].end());
        lifted[to].insert(lifted[from].begin(), lifted[from].end());
      }
    }
  }
  void part() {
    const size_t groups = pick<size_t>(1, kNodes + 1);
    for (size_t& one : group) one = pick<size_t>(0, groups);
    changed = s;
    gossip();
    gossip();
  }
  bool stands(size_t i) const {
    return std::any_of(stops[i].begin(), stops[i].end(),
                       [&](const std::string& uid) { return !lifted[i].contains(uid); });
  }
  bool all_together() const {
    return std::all_of(group.begin(), group.end(), [&](size_t one) { return one == group[0]; });
  }

  void act(size_t i) {
    Guard& guard = guards[i];
    Proposal p =
        proposal(kRule, Verb::unit_restart, "unit/" + name(i) + "/" + std::to_string(pick(0, 3)),
                 name(i), "INC-" + std::to_string(s));
    p.target.namespace_.clear();
    p.target.local = true;
    const Verdict v = guard.propose({p}, std::nullopt, at_s(s))[0];
    if (!v.go()) return;
    if (pick(0, 10) == 0) return die(i);  // between intent and deed
    if (!guard.may_start(v.event->uid(), std::nullopt, at_s(s))) return;
    RC_ASSERT(!stands(i));
    begun.push_back({i, s});
    ++(all_together() ? together : apart);
    finish(guard, v.event->uid());
  }
  void finish(Guard& guard, const std::string& id) {
    RC_ASSERT(guard.result(id, Guard::Outcome::ok, "", at_s(s)).ok());
    RC_ASSERT(guard.verified(id, pick(0, 4) != 0, "", at_s(s)).ok());
    guard.tick(at_s(s));
  }
  void die(size_t i) {
    Guard next({name(i), ++boots[i]}, limits());
    for (const GuardEvent& e : guards[i].events()) next.merge(e);
    guards[i] = std::move(next);
    for (const Act& one : guards[i].to_recheck(std::nullopt, at_s(s))) {
      RC_ASSERT(guards[i].result(one.id, Guard::Outcome::not_done, "", at_s(s)).ok());
    }
  }

  // Where it stands in shadow, and could act.
  void arm_anew(size_t i) {
    const auto life = guards[i].rule(kRule);
    if (life->state > RuleState::shadow || guards[i].stopped(at_s(s))) return;
    try {
      arm(guards[i], kRule, {Verb::unit_restart, {}}, s);
    } catch (const std::runtime_error&) {
      // It was not seen in shadow often enough: it stays there.
    }
  }

  void step() {
    s += *rc::gen::weightedElement<int64_t>({{6, 5}, {4, 60}, {2, 400}, {1, 3700}});
    const size_t i = pick<size_t>(0, kNodes);
    switch (pick(0, 20)) {
      case 0: part(); break;
      case 1: die(i); break;
      case 2:
        if (pick(0, 3) == 0)
          stops[i].insert(must(guards[i].stop("person", "ada", "", at_s(s))).uid());
        break;
      case 3:
        must(guards[i].resume("bob", "", at_s(s)));
        lifted[i].insert(stops[i].begin(), stops[i].end());
        break;
      case 4:  // a person arms it anew where it was demoted
        arm_anew(i);
        break;
      default: act(i);
    }
    gossip();
    if (s - changed >= kHour) check_groups();
  }

  int in_the_hour(const std::function<bool(size_t)>& counts) const {
    return static_cast<int>(std::count_if(begun.begin(), begun.end(), [&](const Begun& one) {
      return s - one.at < kHour && counts(one.node);
    }));
  }
  // Groups that have been what they are for an hour.
  void check_groups() const {
    for (const size_t g : group) {
      RC_ASSERT(in_the_hour([&](size_t node) { return group[node] == g; }) <=
                limits().rule_per_hour);
    }
  }
  void check_always() const {
    const int most = limits().rule_per_hour;
    RC_ASSERT(in_the_hour([](size_t) { return true; }) <= most * static_cast<int>(kNodes));
    for (size_t i = 0; i < kNodes; ++i) {
      RC_ASSERT(in_the_hour([&](size_t node) { return node == i; }) <=
                std::min(most, limits().node_per_hour));
    }
  }
};

}  // namespace

TEST_CASE("Together nodes keep to the limits of one; apart each group does, and no more") {
  size_t together = 0, apart = 0;
  CHECK(rc::check([&] {
    Fleet fleet;
    for (int steps = pick(1, 250); steps > 0; --steps) {
      fleet.step();
      fleet.check_always();
    }
    fleet.group.assign(kNodes, 0);
    fleet.gossip();
    for (const Guard& one : fleet.guards) RC_ASSERT(one.events() == fleet.guards[0].events());
    for (size_t i = 0; i < kNodes; ++i) {
      RC_ASSERT(fleet.guards[i].stopped(at_s(fleet.s)) == fleet.stands(i));
    }
    together += fleet.together;
    apart += fleet.apart;
  }));
  std::cout << together << " acts of nodes that all heard each other, " << apart << " of others\n";
  CHECK(together > 100);  // else it has shown nothing
  CHECK(apart > 300);
}

TEST_CASE("One approval is one act, however clocks differ, and whoever dies") {
  size_t executed = 0;
  CHECK(rc::check([&] {
    GuardLimits wide = open_limits();
    wide.cool_down_s = 0;
    wide.rule_per_hour = wide.node_per_hour = 100;
    const Action purge{Verb::program, "purge"};
    const std::vector<std::string> names{"pi-1", "pi-2"};
    std::vector<Guard> guards;
    std::vector<int64_t> skew;
    std::vector<uint64_t> boot(names.size(), 1);
    for (const std::string& name : names) {
      guards.emplace_back(GuardIdentity{name, 1}, wide);
      skew.push_back(pick(-55, 56) / 2);
    }
    arm(guards[0], "purge", purge, -100'000);
    size_t approvals = 0, begun = 0;
    int64_t s = 0;
    const auto gossip = [&](size_t from, size_t to) {
      for (const GuardEvent& e : guards[from].events()) guards[to].merge(e);
    };
    gossip(0, 1);
    for (int step = pick(1, 60); step > 0; --step) {
      s += pick(0, 6) == 0 ? pick(0, 400) : pick(0, 4);  // mostly within what clocks differ by
      const size_t i = static_cast<size_t>(pick(0, 2));
      const WallTime now = at_s(s + skew[i]);
      switch (pick(0, 6)) {
        case 0:
          must(guards[i].allow_once("purge", "program/pi-1/api", "INC-1", "bob", now));
          ++approvals;
          break;
        case 1:
        case 2: gossip(i, 1 - i); break;
        case 3: {  // its next life
          Guard next({names[i], ++boot[i]}, wide);
          for (const GuardEvent& e : guards[i].events()) next.merge(e);
          guards[i] = std::move(next);
          break;
        }
        default: {
          const WallTime here = at_s(s + skew[0]);
          Proposal p = proposal("purge", Verb::program, "program/pi-1/api");
          p.action = purge;
          p.target.namespace_.clear();
          p.target.local = true;
          const Verdict v = guards[0].propose({p}, std::nullopt, here)[0];
          if (v.go() && guards[0].may_start(v.event->uid(), std::nullopt, here)) {
            ++begun;
            must(guards[0].result(v.event->uid(), Guard::Outcome::ok, "", here));
          }
          for (const Act& a : guards[0].acts()) {
            if (!a.over()) must(guards[0].verified(a.id, true, "", here));
          }
        }
      }
    }
    RC_ASSERT(begun <= approvals);
    std::set<std::string> used;
    for (const Act& a : guards[0].acts()) RC_ASSERT(used.insert(a.approval).second);
    executed += begun;
  }));
  CHECK(executed > 100);  // else it has shown nothing
}
