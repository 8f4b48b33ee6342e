// What an incident has cost: exact where counts are, honest where nothing is known.
#include <catch2/catch.hpp>

#include "incident/impact.hpp"
#include "nines/slo/spec.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

class Cost {
 public:
  Cost() {
    slo::SloSpec spec;
    spec.name = "shop";
    spec.service = "shop-service";
    spec.target = {99, -2};
    spec.window_s = 86'400;
    REQUIRE(engine.add(std::move(spec)).ok());
  }
  // Ten events a slot.
  void run(int64_t from_s, int64_t to_s, int64_t bad) {
    for (int64_t s = from_s; s < to_s; s += slo::kSlotS) {
      slo::Batch batch;
      batch.slots.push_back({0, (kStart + s) / slo::kSlotS, 10 - bad, bad});
      batch.max_event_time = at(s);
      batch.normalize();
      engine.apply(batch);
    }
    std::vector<slo::AlertEvent> events;
    engine.evaluate(at(to_s), at(to_s), events);
  }
  Told tell(const Facts& facts, int64_t since_s, int64_t until_s, bool restarted = false,
            uint64_t users_before = 0) const {
    return tell_impact(engine, {at(since_s), at(until_s), {0}, restarted, users_before}, facts);
  }
  static std::string detail(const Told& told, std::string_view name) {
    for (const auto& [key, value] : told.details) {
      if (key == name) return value;
    }
    return "none";
  }

  slo::SloEngine engine;
};

bool says(const Told& told, const char* what) { return told.text.find(what) != std::string::npos; }

}  // namespace

TEST_CASE("Bad events and budget since the onset are exact, and what is consumed is the status'",
          "[incident]") {
  Cost cost;
  cost.run(0, 3'600, 0);
  cost.run(3'600, 3'900, 4);
  const Told told = cost.tell({}, 3'600, 3'900);
  CHECK(Cost::detail(told, "bad") == "120");
  CHECK(Cost::detail(told, "all") == "300");
  // All that is bad is the incident's: 120 of 3900 events, of which 1 % may be bad.
  const auto& status = cost.engine.status(0);
  REQUIRE(status.error_budget_consumed.has_value());
  CHECK(std::stod(Cost::detail(told, "spent")) == *status.error_budget_consumed);
  CHECK(std::stod(Cost::detail(told, "consumed")) == *status.error_budget_consumed);
  CHECK(*status.error_budget_consumed == Approx(120 / 39.0));
  CHECK(says(told, "shop: 120 of 300 events were bad (40.0 %), 3.1 times the error budget of 1d"));
  CHECK(says(told, "of which nothing is left"));
}

TEST_CASE("What was bad before the onset is not this incident's", "[incident]") {
  Cost cost;
  cost.run(0, 600, 5);
  cost.run(600, 7'200, 0);
  cost.run(7'200, 7'260, 10);
  const Told told = cost.tell({}, 7'200, 7'260);
  CHECK(Cost::detail(told, "bad") == "60");
  CHECK(std::stod(Cost::detail(told, "spent")) == Approx(60 / 72.6));
  CHECK(std::stod(Cost::detail(told, "consumed")) == Approx(360 / 72.6));
}

TEST_CASE("What nobody knows is said to be unknown", "[incident]") {
  Cost cost;
  cost.run(0, 600, 5);
  Facts facts;
  const Told told = cost.tell(facts, 0, 600);
  CHECK(says(told, "users unknown: no field says who"));
  CHECK(says(told, "requests unknown: no line says which request it belongs to"));
  CHECK(Cost::detail(told, "users").empty());
  CHECK(Cost::detail(told, "requests") == "none");
  facts.users_missing = true;
  CHECK(says(cost.tell(facts, 0, 600), "users unknown: the bad events do not say who"));
  CHECK(says(tell_impact(cost.engine, {at(0), at(600)}, {}), "no SLO says how many"));
}

TEST_CASE("Users are told as counted, estimated with the error, or at least so many",
          "[incident]") {
  Cost cost;
  cost.run(0, 600, 5);
  Facts facts;
  facts.users_told = true;
  facts.users = {97, true, 0};
  CHECK(Cost::detail(cost.tell(facts, 0, 600), "users") == "97");
  CHECK(says(cost.tell(facts, 0, 600), "; 97 users met a bad event"));
  facts.users = {120'000, false, 0.028};
  CHECK(Cost::detail(cost.tell(facts, 0, 600), "users") == "~120000");
  CHECK(says(cost.tell(facts, 0, 600), "about 120000 users met a bad event (within 2.8 %"));
  facts.users = {12, true, 0};
  const Told restarted = cost.tell(facts, 0, 600, true, 97);
  CHECK(Cost::detail(restarted, "users") == ">=97");
  CHECK(says(restarted, "at least 97 users met a bad event (this node was restarted since)"));
}

TEST_CASE("Requests and who else they pass are told as followed, thinned ones as an estimate",
          "[incident]") {
  Cost cost;
  cost.run(0, 600, 5);
  Facts facts;
  facts.passed.requests = 500;
  facts.passed.failed = 20;
  facts.passed.services = {{"web", 20, {}, true}, {"pay", 19, {}, true}};
  const Told told = cost.tell(facts, 0, 600);
  CHECK(
      says(told, "20 of 500 requests that were followed have an error line; those pass web, pay"));
  CHECK(Cost::detail(told, "siblings") == "web, pay");
  facts.thinning = 2;
  facts.passed.reaches_back = at(300);
  const Told thinned = cost.tell(facts, 0, 600);
  CHECK(says(thinned, "about 80 of 2000 requests"));
  CHECK(says(thinned, "no further back"));
}

TEST_CASE("The SLOs of an incident are those that burn, else those of its services", "[incident]") {
  Cost cost;
  slo::SloSpec other;
  other.name = "mail";
  other.service = "mail-service";
  other.target = {99, -2};
  REQUIRE(cost.engine.add(std::move(other)).ok());
  core::Incident incident;
  incident.services = {"mail-service"};
  CHECK(slos_of(incident, cost.engine) == std::vector<uint32_t>{1});
  core::IncidentCondition burning;
  burning.condition.key = "burn/shop";
  incident.conditions.push_back(burning);
  CHECK(slos_of(incident, cost.engine) == std::vector<uint32_t>{0});
}

}  // namespace nines::agent::incident
