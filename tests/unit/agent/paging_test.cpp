// Which node pages by on-call, where an alert burns in an incident that another node opened.
#include "app/paging.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::agent;
namespace core = nines::agent::incident::core;

namespace {

core::Incident burning_on(const std::string& node) {
  core::IncidentCondition one;
  one.condition.kind = core::ConditionKind::burn_rate;
  one.condition.holds = true;
  one.observers.push_back({node, WallTime::from_s(10), {}});
  core::Incident out;
  out.opened_on = "n2";
  out.opened = WallTime::from_s(10);
  out.conditions.push_back(one);
  return out;
}

void choose(core::Incident& incident, const std::string& node, int64_t at_s) {
  incident.pages.push_back(
      {WallTime::from_s(at_s), node, {}, "", {{agent::incident::kPagedPerson, "anna"}}});
}

}  // namespace

TEST_CASE("A node whose alert burns tells of it itself until another has chosen a person",
          "[oncall]") {
  core::Incident incident = burning_on("n1");
  CHECK(burns_untold("n1", incident));
  CHECK_FALSE(burns_untold("n3", incident));
  choose(incident, "n1", 20);
  CHECK(burns_untold("n1", incident));  // its own choice: it goes on with that
  choose(incident, "n2", 30);
  CHECK_FALSE(burns_untold("n1", incident));
  incident.reopened = WallTime::from_s(40);  // what was chosen before is of before
  CHECK(burns_untold("n1", incident));
  incident.conditions[0].condition.holds = false;
  CHECK_FALSE(burns_untold("n1", incident));
}
