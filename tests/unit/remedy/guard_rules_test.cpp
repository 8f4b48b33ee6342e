// The lives of rules: what was drafted twice, and what shadow has shown.
#include <catch2/catch.hpp>

#include "guard_fixture.hpp"

using namespace nines;
using namespace nines::remedy;
using namespace nines::remedy::testing;

TEST_CASE("A draft that Nines wrote elsewhere takes no promotion back") {
  const Action action{Verb::unit_restart, {}};
  Guard a({"pi-1", 1}, open_limits()), b({"pi-2", 1}, open_limits());
  const auto healed = [&](const Guard& first, const Guard& second) {
    Guard out({"pi-3", 1}, open_limits());
    for (const GuardEvent& e : first.events()) out.merge(e);
    for (const GuardEvent& e : second.events()) out.merge(e);
    return *out.rule("r");
  };
  // Cut off from each other both learn the same; on one a person goes on.
  must(b.draft("r", action, "crash_loop api", {}, {}, at_s(0), "p1"));
  must(a.draft("r", action, "crash_loop api", {}, {}, at_s(5), "p1"));
  must(a.shadow("r", "ada", at_s(10)));
  CHECK(healed(a, b).state == RuleState::shadow);  // of a draft that is not the first
  CHECK(healed(b, a).state == RuleState::shadow);
  must(b.draft("r", action, "crash_loop api", {}, {}, at_s(20), "p2"));
  CHECK(healed(a, b).state == RuleState::shadow);  // and what comes behind it takes nothing back
  CHECK(healed(b, a).since == at_s(10));
  CHECK(healed(b, a).procedure == "p1");
  // Not promoted it is what was learned last.
  CHECK(b.rule("r")->procedure == "p2");
  CHECK(b.rule("r")->since == at_s(20));
  // A person's draft begins anew, and so does one that does something else.
  Guard person = std::move(b);
  must(person.draft("r", action, "crash_loop api", {}, "eve", at_s(30)));
  CHECK(healed(a, person).state == RuleState::draft);
  Guard changed({"pi-4", 1}, open_limits());
  must(changed.draft("r", {Verb::unit_start, {}}, "crash_loop api", {}, {}, at_s(30)));
  CHECK(healed(a, changed).state == RuleState::draft);
  // One that was removed is not alive.
  must(a.remove("r", "ada", at_s(40)));
  must(a.draft("r", action, "crash_loop api", {}, {}, at_s(50)));
  CHECK(a.rule("r")->state == RuleState::draft);
  CHECK(a.rule("r")->since == at_s(50));
}

TEST_CASE("It is known of which incidents a rule in shadow was counted") {
  Guard guard({"pi-1", 1}, open_limits());
  const Proposal p = local_restart("r", 7);
  must(guard.draft("r", p.action, "crash_loop api", "api", "ada", at_s(0)));
  must(guard.shadow("r", "ada", at_s(0)));
  CHECK_FALSE(guard.counted("r", "INC-7"));
  REQUIRE(guard.propose({p}, 1, at_s(1))[0].event);
  CHECK(guard.counted("r", "INC-7"));
  CHECK_FALSE(guard.counted("r", "INC-8"));
  CHECK_FALSE(guard.counted("other", "INC-7"));
}
