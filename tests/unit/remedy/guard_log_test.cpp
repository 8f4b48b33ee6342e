// The log of the guard: how its events read, what it costs to fold them and what goes when it
// is long.
#include <algorithm>
#include <catch2/catch.hpp>

#include "guard_node.hpp"

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

TEST_CASE("An event reads back, and nothing that is cut does") {
  Armed n;
  n.ran(local_restart(), 0, true);
  for (const GuardEvent& e : n.guard.events()) {
    const std::string bytes = encode_guard(e);
    CHECK(decode_guard(bytes) == e);
    CHECK_FALSE(decode_guard(bytes + "x"));
    for (size_t i = 0; i < bytes.size(); ++i) CHECK_FALSE(decode_guard(bytes.substr(0, i)));
  }
}

TEST_CASE("Of two events of one name all nodes keep the same, a stop before anything else") {
  Node n;
  const GuardEvent drafted = must(
      n.guard.draft("restart-worker", kRestart, "crash_loop worker", "worker", "ada", at_s(0)));
  GuardEvent other = drafted, stop = drafted;
  other.rule = "another";
  stop.kind = GuardKind::stop;
  stop.details = {{"source", "person"}};
  std::vector<GuardEvent> events{drafted, other, stop};
  const auto by_name = [](const GuardEvent& a, const GuardEvent& b) {
    return encode_guard(a) < encode_guard(b);
  };
  std::sort(events.begin(), events.end(), by_name);
  do {
    Guard guard({"pi-2", 1}, open_limits());
    for (const GuardEvent& e : events) (void)guard.merge(e);
    CHECK(guard.events() == std::vector{stop});
    CHECK(guard.stopped(at_s(1)));
    CHECK(guard.counters().conflicts == 2);
    Guard without({"pi-3", 1}, open_limits());
    for (const GuardEvent& e : events) {
      if (e != stop) (void)without.merge(e);
    }
    CHECK(without.events() == std::vector{std::min(drafted, other, by_name)});
  } while (std::next_permutation(events.begin(), events.end(), by_name));
}

TEST_CASE("A full log refuses acts and takes stops") {
  Armed n;
  for (int i = 0; i < 5000; ++i) {
    GuardEvent e = *n.guard.stop("person", "ada", "", at_s(0));
    if (n.guard.events().size() >= Guard::kMaxEvents) break;
  }
  must(n.guard.stop("file", "", "", at_s(1)));
  CHECK(refused_for(n.one(local_restart(), 2), Refusal::log_full));
  CHECK_FALSE(n.guard.draft("x", kRestart, "", "", "ada", at_s(3)).ok());
}

TEST_CASE("A fleet that does much keeps as much as limits look back, if not a week") {
  GuardLimits limits = open_limits();
  limits.freeze_s = limits.breaker_s = 3600;
  limits.cool_down_most_s = 1800;
  Guard b({"b", 1}, limits);
  int64_t s = 0;
  for (uint64_t i = 1; i <= 3000; ++i, s += 60) {  // an act of others every two minutes
    GuardEvent intent;
    intent.node = "pi-1";
    intent.boot = 1;
    intent.sequence = 2 * i;
    intent.at = at_s(s);
    intent.kind = GuardKind::intent;
    intent.details = {
        {"action", kRestart.key()}, {"target", "unit/pi-1/w"}, {"node", "pi-1"}, {"local", "1"}};
    REQUIRE(b.merge(intent) == Guard::Merge::news);
    GuardEvent end = intent;
    end.sequence = 2 * i + 1;
    end.kind = GuardKind::result;
    end.details = {{"act", intent.uid()}, {"outcome", "failed"}};
    REQUIRE(b.merge(end) == Guard::Merge::news);
    b.tick(at_s(s));
  }
  CHECK(b.events().size() < Guard::kMaxEvents * 3 / 4 + 2);
  const auto acts = b.acts();
  CHECK(acts.front().at <= at_s(s - 3660));
  CHECK(b.counters().refused == 0);
}
