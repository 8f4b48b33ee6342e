#include "nines/oncall/router.hpp"

#include <catch2/catch.hpp>

#include "oncall_fixture.hpp"

using namespace nines;
using namespace nines::oncall;
using namespace nines::oncall::test;

namespace {

const int64_t kNow = civil(2026, 3, 3, 12);  // a Tuesday

// A plan whose schedule has one person all the time.
struct World {
  explicit World(std::shared_ptr<Roster> people = four_people()) : roster(std::move(people)) {
    Layer layer;
    layer.name = "all";
    layer.people = {0};
    layer.rotation.first_s = civil(2026, 1, 5);
    auto made = Schedule::make({"primary", roster, {layer}, {}, {}});
    REQUIRE(made.ok());
    plan.roster = roster;
    plan.schedules.push_back(std::move(*made));
    Policy policy;
    policy.name = "default";
    policy.levels = {{0, {}}, {std::nullopt, {1}}, {std::nullopt, {2}}};
    plan.policies = {policy};
  }

  Route ask(int severity = 1, std::vector<uint32_t> told = {}, int64_t at_s = kNow) {
    request = {at_s, severity, "checkout", "error_storm checkout", std::move(told)};
    return route(plan, ledger, request);
  }
  std::string chain(const Route& route) const {
    std::string out;
    for (const Step& step : route.chain) {
      out += (out.empty() ? "" : " ") + name_of(*roster, step.person) + "+" +
             std::to_string((step.at_s - request.at_s) / 60);
    }
    return out;
  }
  const Candidate& of(const Route& route, uint32_t person) const {
    for (const Candidate& one : route.candidates) {
      if (one.person == person) return one;
    }
    throw std::runtime_error("no such candidate");
  }
  void page(uint32_t person, int64_t ago_s, bool resolved = false) {
    Page one;
    one.at_s = kNow - ago_s;
    one.person = person;
    one.service = "checkout";
    one.signature = "error_storm checkout";
    one.resolved = resolved;
    ledger.add(one);
  }

  std::shared_ptr<Roster> roster;
  Plan plan;
  PageLedger ledger{roster};
  Request request;
};

}  // namespace

TEST_CASE("Who is on call is paged first, then level by level after each timer", "[route]") {
  World world;
  CHECK(world.chain(world.ask(0)) == "anna+0 ben+5 carla+10");
  CHECK(world.chain(world.ask(1)) == "anna+0 ben+15 carla+30");
  CHECK(world.chain(world.ask(2)) == "anna+0 ben+60 carla+120");
}

TEST_CASE("Every term of a cost is told, and they add up", "[route]") {
  World world;
  world.page(0, 86400);
  world.page(0, 20 * 86400, true);
  world.page(1, 60 * 86400, true);
  const Route route = world.ask();
  const Candidate& anna = world.of(route, 0);
  REQUIRE(anna.terms.size() == 4);
  CHECK(anna.terms[0].milli == 0);
  CHECK(anna.terms[1].milli == 750);   // a quarter of a page, 3 each; the other is forgotten
  CHECK(anna.terms[2].milli == 1000);  // (1 + 1) / (2 + 2) = 0.5 of skill
  CHECK(anna.terms[3].milli == 3000);  // all pages of 28 days, of three candidates
  CHECK(anna.cost_milli == 4750);
  const Candidate& ben = world.of(route, 1);
  CHECK(ben.cost_milli == 4000 + 0 + 2 * (1000 - 666) + 0);
  const Candidate& carla = world.of(route, 2);
  CHECK(carla.cost_milli == 5000 + 0 + 1000 + 0);
  CHECK(world.chain(route) == "ben+0 anna+15 carla+30");
  CHECK(explain(world.plan, world.request, route) ==
        "P1 of checkout at 2026-03-03T12:00:00Z, policy default\n"
        "page      2026-03-03T12:00:00Z ben\n"
        "then      2026-03-03T12:15:00Z anna\n"
        "then      2026-03-03T12:30:00Z carla\n"
        "candidate ben          cost 4.668\n"
        "          level             4.000    on level 2\n"
        "          fatigue           0.000    fatigue 0.000, 0 pages in 24h\n"
        "          skill             0.668    resolved 1 of 1 like it\n"
        "          share             0.000    0 of 2 pages in 28d, 0.000 of a fair share\n"
        "candidate anna         cost 4.750\n"
        "          level             0.000    on the first level\n"
        "          fatigue           0.750    fatigue 0.250, 0 pages in 24h\n"
        "          skill             1.000    resolved 1 of 2 like it\n"
        "          share             3.000    2 of 2 pages in 28d, 3.000 of a fair share\n"
        "candidate carla        cost 6.000\n"
        "          level             5.000    on level 3\n"
        "          fatigue           0.000    fatigue 0.000, 0 pages in 24h\n"
        "          skill             1.000    resolved 0 of 0 like it\n"
        "          share             0.000    0 of 2 pages in 28d, 0.000 of a fair share\n"
        "expert    ben          resolved 1 of 1 like it and 0 of 0 others of the service\n"
        "expert    anna         resolved 1 of 2 like it and 0 of 0 others of the service\n");
}

TEST_CASE("A page at night tires twice as much, and half as much 12 hours later", "[route]") {
  auto roster = four_people();
  roster->people[0].zone = zone("Asia/Tokyo");
  World world(roster);
  world.page(0, 0);  // 21:00 in Tokyo
  CHECK(world.ledger.fatigue_milli(0, kNow) == 1000);
  world.page(0, -3600);                                // 22:00
  CHECK(world.ledger.fatigue_milli(0, kNow) == 1000);  // not yet
  CHECK(world.ledger.fatigue_milli(0, kNow + 3600) == 943 + 2000);
  CHECK(world.ledger.fatigue_milli(0, kNow + 12 * 3600) == 500 + 1059);
  CHECK(world.ledger.fatigue_milli(0, kNow + 11 * 86400) == 0);
}

TEST_CASE("Whose cap is reached is not paged, whatever the severity", "[route]") {
  World world;
  for (int i = 0; i < 3; ++i) world.page(0, 60 * i);
  const Route route = world.ask(0);
  CHECK(world.of(route, 0).blocked == "has had 3 pages within 15m");
  CHECK(world.chain(route) == "ben+0 carla+5");
  CHECK_FALSE(world.ledger.cap_reached(0, kNow + 15 * 60 + 1));
  for (int i = 0; i < 4; ++i) world.page(0, 1500 - 60 * i);
  CHECK(world.ledger.cap_reached(0, kNow + 16 * 60) == Cap{7, 3600});
}

TEST_CASE("Nobody is told twice of the same incident", "[route]") {
  World world;
  CHECK(world.chain(world.ask(1, {0, 1})) == "carla+0");
  const Route none = world.ask(1, {0, 1, 2});
  CHECK(none.chain.empty());
  CHECK(world.of(none, 1).blocked == "was told already");
}

TEST_CASE("P2 waits for the end of quiet hours, P1 does not", "[route]") {
  auto roster = four_people();
  for (Person& person : roster->people) person.quiet = {{kEveryDay, 11 * 3600, 14 * 3600}};
  roster->people[2].quiet = {{kEveryDay, 11 * 3600, 13 * 3600 + 1800}};
  World world(roster);
  const Route held = world.ask(2);
  CHECK(held.chain.empty());
  CHECK(held.hold_s == civil(2026, 3, 3, 13, 30));
  CHECK(world.of(held, 0).blocked == "has quiet hours");
  CHECK(world.chain(world.ask(1)) == "anna+0 ben+15 carla+30");
}

TEST_CASE("P3 pages nobody: it is in the digest of the next business day", "[route]") {
  World world;
  Policy& policy = world.plan.policies[0];
  policy.zone = zone("Europe/Berlin");
  policy.holidays.days = {days_from_civil(2026, 3, 9)};
  const Route route = world.ask(3, {}, civil(2026, 3, 6, 12));  // Friday afternoon
  CHECK(route.chain.empty());
  CHECK(route.digest_s == civil(2026, 3, 10, 8));  // Monday is a holiday
  CHECK(next_digest(policy, civil(2026, 3, 10, 8) - 1) == civil(2026, 3, 10, 8));
  CHECK(next_digest(policy, civil(2026, 3, 27, 20)) == civil(2026, 3, 30, 7));  // summer time
}

TEST_CASE("Who is away is not paged, and comes last among the experts", "[route]") {
  auto roster = four_people();
  roster->people[1].away = {{kNow - 60, kNow + 60}};
  roster->people[1].skills = {"checkout"};
  roster->people[3].skills = {"error_storm"};
  World world(roster);
  world.page(2, 40 * 86400, true);
  const Route route = world.ask();
  CHECK(world.of(route, 1).blocked == "is away");
  REQUIRE(route.experts.size() == 3);
  CHECK(route.experts[0].person == 2);  // as good as dora on paper, and has resolved one
  CHECK(route.experts[1].person == 3);
  CHECK(route.experts[2].person == 1);
}

TEST_CASE("Experts are three at most, the best first, and never paged for it", "[route]") {
  World world;
  for (int i = 0; i < 4; ++i) world.page(3, (30 + i) * 86400, true);
  world.page(2, 40 * 86400, true);
  world.page(1, 40 * 86400, true);
  world.page(1, 41 * 86400, false);
  world.page(0, 42 * 86400, true);
  world.page(0, 43 * 86400, false);
  world.page(0, 44 * 86400, false);
  const Route route = world.ask();
  REQUIRE(route.experts.size() == 3);
  CHECK(route.experts[0].person == 3);
  CHECK(route.experts[1].person == 2);
  CHECK(route.experts[2].person == 1);
  for (const Candidate& one : route.candidates) CHECK(one.person != 3);
}

TEST_CASE("A service has the policy that names it, else the one for all", "[route]") {
  World world;
  Policy special = world.plan.policies[0];
  special.name = "payments";
  special.services = {"payments"};
  world.plan.policies.push_back(special);
  CHECK(world.plan.policy_for("payments")->name == "payments");
  CHECK(world.plan.policy_for("search")->name == "default");
  world.plan.policies.erase(world.plan.policies.begin());
  const Route route = world.ask();
  CHECK(route.policy == nullptr);
  CHECK(explain(world.plan, world.request, route) ==
        "P1 of checkout at 2026-03-03T12:00:00Z: no policy is for it\n");
}

TEST_CASE("Declared skill counts like two resolved of two", "[route]") {
  auto roster = four_people();
  roster->people[1].skills = {"checkout"};
  World world(roster);
  const Route route = world.ask();
  CHECK(world.of(route, 1).terms[2].milli == 500);
  CHECK(world.of(route, 0).terms[2].milli == 1000);
}

TEST_CASE("A route as JSON has all that its explanation has", "[route]") {
  World world;
  world.roster->people[0].notify = {"phone-anna"};
  world.page(0, 3600, true);
  const Route route = world.ask();
  std::string json;
  JsonWriter out(json);
  write_json(out, world.plan, world.request, route);
  CHECK(json.starts_with(R"({"at":"2026-03-03T12:00:00Z","severity":"P1","service":"checkout",)"
                         R"("signature":"error_storm checkout","policy":"default","digest":null,)"
                         R"("held_until":null,"chain":[{"person":"ben")"));
  CHECK(json.find(R"("notify":["phone-anna"])") != std::string::npos);
  CHECK(json.find(R"("why":"resolved 1 of 1 like it")") != std::string::npos);
}

TEST_CASE("The ledger is bounded: the oldest pages make room, strangers are counted", "[route]") {
  const auto roster = four_people();
  PageLedger ledger(roster, {5, 2});
  for (int i = 0; i < 7; ++i) {
    Page page;
    page.at_s = kNow + i;
    page.person = static_cast<uint32_t>(i % 2);
    page.signature = "s" + std::to_string(i);
    ledger.add(page);
  }
  CHECK(ledger.size() == 5);
  CHECK(ledger.counters().forgotten == 2);
  CHECK(ledger.counters().unnamed == 5);
  CHECK(ledger.pages_of(0).front().at_s == kNow + 2);
  CHECK(ledger.pages_of(1).front().at_s == kNow + 3);
  Page old;
  old.at_s = kNow - 1;
  old.person = 2;
  ledger.add(old);  // older than all there are
  CHECK(ledger.size() == 5);
  Page stranger;
  stranger.person = 99;
  ledger.add(stranger);
  CHECK(ledger.counters().strangers == 1);
}
