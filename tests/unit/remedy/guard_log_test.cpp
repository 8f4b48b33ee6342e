// The log of the guard: what it costs to fold, and what goes when it is long.
#include <algorithm>
#include <catch2/catch.hpp>

#include "guard_fixture.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("Events that come in any order are folded once somebody asks") {
  Guard from({"pi-2", 1}, open_limits());
  for (int i = 0; i < 300; ++i) {
    must(from.draft("r" + std::to_string(i), {Verb::unit_restart, {}}, "x", {}, "ada", at_s(i)));
  }
  std::vector<GuardEvent> events = from.events();
  std::reverse(events.begin(), events.end());
  Guard guard({"pi-1", 1}, open_limits());
  for (const GuardEvent& e : events) CHECK(guard.merge(e) == Guard::Merge::news);
  CHECK(guard.rules().size() == 300);
  CHECK(guard.counters().refolds == 1);
  CHECK(guard.rule("r0")->since == at_s(0));
  // In their order they need none at all.
  Guard ordered({"pi-1", 1}, open_limits());
  for (const GuardEvent& e : from.events()) ordered.merge(e);
  CHECK(ordered.rules().size() == 300);
  CHECK(ordered.counters().refolds == 0);
}

TEST_CASE("Stops that were lifted and promotions before a draft anew make room") {
  Guard guard({"pi-1", 1}, open_limits());
  const int64_t day = 86'400;
  std::vector<GuardEvent> stops;
  for (int i = 0; i < 1200; ++i) {
    stops.push_back(must(guard.stop("person", "ada", "", at_s(i))));
    if (i % 8 == 7) must(guard.resume("ada", "", at_s(i)));
  }
  for (int i = 0; i < 600; ++i) {
    must(guard.draft("r", {Verb::unit_restart, {}}, "x", {}, "ada", at_s(2000 + i)));
    must(guard.shadow("r", "ada", at_s(2000 + i)));
    if (i % 100 == 0) must(guard.demote("r", "ada", "", at_s(2000 + i)));
  }
  while (guard.events().size() < Guard::kMaxEvents * 3 / 4) {
    must(guard.unfreeze("t", "ada", at_s(3000)));
  }
  const auto before = guard.events().size();
  const auto life = *guard.rule("r");
  guard.tick(at_s(8 * day));
  CHECK(guard.events().size() == before - 1200 - 599);
  CHECK(guard.rule("r")->state == RuleState::shadow);
  CHECK(guard.rule("r")->demotions == life.demotions);
  CHECK(guard.stops().empty());
  // What was let go does not come back, and one that stands is not let go.
  CHECK(guard.merge(stops[0]) == Guard::Merge::refused);
  CHECK(guard.counters().old == 1);
  const GuardEvent stands = must(guard.stop("person", "eve", "", at_s(8 * day)));
  while (guard.events().size() < Guard::kMaxEvents * 3 / 4) {
    must(guard.unfreeze("t", "ada", at_s(8 * day)));
  }
  guard.tick(at_s(30 * day));
  REQUIRE(guard.stops().size() == 1);
  CHECK(guard.stops()[0].uid() == stands.uid());
}
