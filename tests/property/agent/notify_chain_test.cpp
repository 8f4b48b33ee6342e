// Chains under random outages and restarts: every event is told, in order, by one step where one is
// reachable, and never twice by the same.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <memory>
#include <set>

#include "notify/chain.hpp"

using namespace nines;
using namespace nines::agent::notify;

namespace {

struct World {
  std::vector<StepRule> rules;
  std::vector<bool> up;
  std::vector<std::vector<uint64_t>> got;  // by step: sequences in order of delivery
  std::vector<std::map<std::string, bool>> open;
  std::vector<slo::AlertEvent> events;
  // What a step will never take, and the ends that it refused: its incident stays open.
  std::vector<std::set<uint64_t>> refuses;
  std::set<std::string> left_open;
  std::unique_ptr<Chain> chain;
  std::string memory;
  uint64_t cursor = 0;
  Instant now{1};

  void start(uint64_t seed) {
    chain = std::make_unique<Chain>(rules, RetryPolicy{}, cursor, seed);
    RC_ASSERT(chain->restore(memory, {"n", "v", 1}, now, {now.ns}).ok());
  }
  void keep() {
    if (chain->take_changed()) memory = chain->memory(now, {now.ns});
    cursor = chain->cursor();
  }
  void run(int64_t seconds) {
    for (int64_t s = 0; s < seconds; ++s, now.ns += kNsPerSecond) {
      std::vector<Message> more;
      for (const auto& e : events) {
        if (e.sequence > chain->last_known() && more.size() < chain->room()) {
          more.push_back(event_message({"n", "v", 1}, e));
        }
      }
      chain->add(std::move(more), now);
      for (size_t step = 0; step < rules.size(); ++step) {
        while (const Message* m = chain->begin(step, now)) {
          Verdict v;
          const bool refused = refuses[step].contains(m->sequence());
          v.outcome = !up[step] ? Outcome::retry : refused ? Outcome::dead : Outcome::delivered;
          if (up[step] && !refused) deliver(step, *m);
          if (up[step] && refused) left_open.insert(alert_of(m->event));
          const bool dead = chain->answered(step, v, now).has_value();
          RC_ASSERT(dead == (v.outcome == Outcome::dead));
          keep();
        }
      }
      keep();
    }
  }
  void deliver(size_t step, const Message& m) {
    const bool in_order = got[step].empty() || got[step].back() < m.sequence();
    RC_ASSERT(in_order);
    got[step].push_back(m.sequence());
    open[step][alert_of(m.event)] = m.fired();
  }

  // Each was told by somebody who takes it, a fire by one of them only, and no incident is left
  // open that is over.
  void check(std::map<std::string, bool>& burning) const {
    for (const auto& e : events) {
      size_t told = 0, refusing = 0;
      for (size_t step = 0; step < got.size(); ++step) {
        told += static_cast<size_t>(std::count(got[step].begin(), got[step].end(), e.sequence));
        refusing += refuses[step].count(e.sequence);
      }
      if (refusing == 0) RC_ASSERT(told >= 1U);
      if (e.kind == slo::AlertEvent::Kind::fired) RC_ASSERT(told <= 1U);
      if (got.size() == 1) RC_ASSERT(told + refusing == 1U);
    }
    for (const auto& at : open) {
      for (const auto& [alert, is_open] : at) {
        if (!is_open || left_open.contains(alert)) continue;
        RC_ASSERT(burning[alert.substr(0, alert.find('/'))]);
      }
    }
  }
};

void one_world() {
  World w;
  const size_t steps = *rc::gen::inRange<size_t>(1, 4);
  for (size_t i = 0; i < steps; ++i) {
    const bool last = i + 1 == steps;
    w.rules.push_back({std::string(1, static_cast<char>('a' + i)), last ? 0 : 60'000, 0, {}});
  }
  w.up.assign(steps, true);
  w.got.resize(steps);
  w.open.resize(steps);
  w.refuses.resize(steps);
  std::map<std::string, bool> burning;
  w.start(*rc::gen::arbitrary<uint64_t>());
  const int moves = *rc::gen::inRange(1, 30);
  for (int i = 0; i < moves; ++i) {
    const int what = *rc::gen::inRange(0, 10);
    if (what < 5) {
      slo::AlertEvent e;
      e.slo = "s" + std::to_string(*rc::gen::inRange(0, 3));
      e.rule = "r";
      bool& burns = burning[e.slo];
      e.kind = burns ? slo::AlertEvent::Kind::resolved : slo::AlertEvent::Kind::fired;
      burns = !burns;
      e.sequence = w.events.size() + 1;
      for (auto& refused : w.refuses) {
        if (*rc::gen::inRange(0, 10) == 0) refused.insert(e.sequence);
      }
      w.events.push_back(e);
    } else if (what < 8) {
      const size_t s = *rc::gen::inRange<size_t>(0, steps);
      w.up[s] = !w.up[s];
    } else {
      w.start(*rc::gen::arbitrary<uint64_t>());
    }
    w.run(*rc::gen::inRange(0, 150));
  }
  w.up.assign(steps, true);
  w.run(2000);
  RC_ASSERT(w.cursor == w.events.size());
  w.check(burning);
}

}  // namespace

TEST_CASE(
    "Every event is told in order, once a channel, whatever is down or refuses and however "
    "often it restarts",
    "[notify]") {
  const bool good = rc::check([] {
    for (int world = 0; world < 20; ++world) one_world();
  });
  CHECK(good);
}
