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

void choose(core::Incident& incident, const std::string& node, int64_t at_s,
            const char* whom = agent::incident::kPagedPerson) {
  incident.pages.push_back({WallTime::from_s(at_s), node, {}, "", {{whom, "anna"}}});
}

std::vector<peer::PeerView> peers(const std::string& silent = "") {
  std::vector<peer::PeerView> out;
  for (const char* name : {"n1", "n2", "n3"}) {
    peer::PeerView one;
    one.node = name;
    if (name == silent) one.state = peer::PeerView::State::silent;
    out.push_back(one);
  }
  return out;
}

}  // namespace

TEST_CASE("A node whose alert burns tells of it itself until another has chosen whom to tell",
          "[oncall]") {
  const auto whom = GENERATE(agent::incident::kPagedPerson, agent::incident::kPagedNobody);
  core::Incident incident = burning_on("n1");
  CHECK(pages_for("n1", incident, peers()));
  CHECK(pages_for("n2", incident, peers()));  // which opened it
  CHECK_FALSE(pages_for("n3", incident, peers()));
  choose(incident, "n2", 20, whom);
  CHECK(pages_for("n2", incident, peers()));  // its own choice: it goes on with that
  CHECK_FALSE(pages_for("n1", incident, peers()));
  incident.reopened = WallTime::from_s(40);  // what was chosen before is of before
  CHECK(pages_for("n1", incident, peers()));
  incident.conditions[0].observers[0].ended = WallTime::from_s(45);
  CHECK_FALSE(pages_for("n1", incident, peers()));
}

TEST_CASE("Of nodes that chose at once one goes on, and another when that is gone", "[oncall]") {
  core::Incident incident = burning_on("n1");
  choose(incident, "n3", 20);
  choose(incident, "n2", 20, agent::incident::kPagedNobody);
  CHECK(pages_for("n2", incident, peers()));
  CHECK_FALSE(pages_for("n3", incident, peers()));
  CHECK_FALSE(pages_for("n1", incident, peers()));
  CHECK(pages_for("n3", incident, peers("n2")));
}
