// Chains under random outages and restarts: every event is told, in order, by one step where one is
// reachable, and never twice by the same.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <map>
#include <memory>

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
  std::unique_ptr<Chain> chain;
  std::string memory;
  uint64_t cursor = 0, dead = 0;
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
          v.outcome = up[step] ? Outcome::delivered : Outcome::retry;
          if (up[step]) deliver(step, *m);
          chain->answered(step, v, now);
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
};

}  // namespace

TEST_CASE(
    "Every event is told in order, once a channel, whatever is down and however often it restarts",
    "[notify]") {
  const bool good = rc::check([] {
    World w;
    const size_t steps = *rc::gen::inRange<size_t>(1, 4);
    for (size_t i = 0; i < steps; ++i) {
      const bool last = i + 1 == steps;
      w.rules.push_back({std::string(1, static_cast<char>('a' + i)), last ? 0 : 60'000, 0, {}});
    }
    w.up.assign(steps, true);
    w.got.resize(steps);
    w.open.resize(steps);
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
    // Each was told by somebody, and no incident is left open that is over.
    for (const auto& e : w.events) {
      bool told = false;
      for (const auto& got : w.got)
        told |= std::find(got.begin(), got.end(), e.sequence) != got.end();
      RC_ASSERT(told);
    }
    for (const auto& open : w.open) {
      for (const auto& [alert, is_open] : open) {
        if (is_open) RC_ASSERT(burning[alert.substr(0, alert.find('/'))]);
      }
    }
    if (steps == 1) RC_ASSERT(w.got[0].size() == w.events.size());
    // With nothing in flight over a restart, a fire is told by exactly one step.
    for (const auto& e : w.events) {
      if (e.kind != slo::AlertEvent::Kind::fired) continue;
      int times = 0;
      for (const auto& got : w.got)
        times += static_cast<int>(std::count(got.begin(), got.end(), e.sequence));
      RC_ASSERT(times == 1);
    }
  });
  CHECK(good);
}
