// Nodes that are cut off from each other draft one rule, each for itself, and people go on with
// whichever they see: when all is heard everywhere, all nodes agree, whatever came first, and
// nothing that a person allowed is lost.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <iostream>

#include "../../unit/remedy/guard_fixture.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

namespace {

int pick(int from, int to) {
  return *rc::gen::resize(rc::kNominalSize, rc::gen::inRange<int>(from, to));
}

constexpr const char* kRule = "learned";
const Action kAction{Verb::unit_restart, "worker.service"};

// What may be done to the rule there as it is now.
void step(Guard& guard, int64_t s) {
  const auto life = guard.rule(kRule);
  const RuleState state = life ? life->state : RuleState::none;
  if (state <= RuleState::draft && (!life || pick(0, 3) == 0)) {
    const std::string procedure = "p" + std::to_string(pick(0, 3));
    must(guard.draft(kRule, kAction, "crash_loop api", {}, {}, at_s(s), procedure));
  } else if (state == RuleState::draft) {
    must(guard.shadow(kRule, "ada", at_s(s)));
  } else if (state == RuleState::shadow) {
    must(guard.approve(kRule, "ada", at_s(s)));
  } else if (state == RuleState::approved) {
    must(guard.arm(kRule, 20, 0.7, "ada", at_s(s)));
  }
}

GuardLimits limits() {
  GuardLimits out = open_limits();
  out.shadow_hits = 0;
  return out;
}

}  // namespace

TEST_CASE("What cut-off nodes draft alike is one rule in any order, and keeps its promotions") {
  int promoted = 0;
  CHECK(rc::check([&] {
    std::vector<Guard> nodes;
    const int count = pick(2, 5);
    for (int i = 0; i < count; ++i) {
      nodes.emplace_back(GuardIdentity{"pi-" + std::to_string(i), 1}, limits());
    }
    int64_t s = 0;
    for (int steps = pick(1, 40); steps > 0; --steps) {
      s += pick(0, 20);
      step(nodes[static_cast<size_t>(pick(0, count))], s);
      if (pick(0, 6) != 0) continue;  // else two of them hear each other
      Guard& to = nodes[static_cast<size_t>(pick(0, count))];
      for (const GuardEvent& e : nodes[static_cast<size_t>(pick(0, count))].events()) to.merge(e);
    }
    RuleState best = RuleState::none;
    std::vector<GuardEvent> all;
    for (const Guard& one : nodes) {
      if (const auto life = one.rule(kRule)) best = std::max(best, life->state);
      for (GuardEvent& e : one.events()) all.push_back(std::move(e));
    }
    std::optional<RuleLife> first;
    for (int order = 0; order < 3; ++order) {
      for (size_t i = all.size(); i > 1; --i) {
        std::swap(all[i - 1], all[static_cast<size_t>(pick(0, static_cast<int>(i)))]);
      }
      Guard healed({"new", 1}, limits());
      for (const GuardEvent& e : all) {
        healed.merge(e);
        if (pick(0, 4) == 0) (void)healed.rules();  // folded in between
      }
      const auto life = healed.rule(kRule);
      RC_ASSERT(life.has_value() == (best != RuleState::none));
      if (!life) continue;
      RC_ASSERT(life->state >= best);
      if (!first) first = life;
      RC_ASSERT(life->state == first->state);
      RC_ASSERT(life->since == first->since);
      RC_ASSERT(life->procedure == first->procedure);
      RC_ASSERT(life->demotions == first->demotions);
    }
    promoted += best > RuleState::draft ? 1 : 0;
  }));
  std::cout << promoted << " of 100 rules were promoted\n";
  CHECK(promoted > 30);  // else it has shown nothing
}
