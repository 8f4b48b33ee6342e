#include "nines/remedy/signature.hpp"

#include <catch2/catch.hpp>

#include "nines/incident/incident.hpp"

using namespace nines;
using namespace nines::remedy;

namespace {

incident::Incident burning(int priority) {
  incident::Incident i;
  incident::IncidentCondition c;
  c.condition.kind = incident::ConditionKind::burn_rate;
  c.condition.service = "api";
  c.condition.priority = priority;
  i.conditions.push_back(c);
  return i;
}

incident::Evidence suspect(const std::string& line) {
  incident::Evidence out;
  out.entry.details = {{"service", "api"}, {"line", line}};
  return out;
}

}  // namespace

TEST_CASE("A signature is as fine as what is known of the incident") {
  incident::Incident i = burning(1);
  CHECK(signature_of(i) == "burn_rate api | fast");
  CHECK(signature_of(burning(2)) == "burn_rate api | slow");
  i.evidence = {suspect("00c1"), suspect("00c2")};
  CHECK(signature_of(i) == "burn_rate api | fast | line 00c1");
  i.conditions.front().condition.kind = incident::ConditionKind::crash_loop;
  CHECK(signature_of(i) == "crash_loop api | line 00c1");
  i.conditions.front().condition.kind = incident::ConditionKind::error_storm;
  i.conditions.front().condition.key = "storm/api/00c9";
  CHECK(signature_of(i) == "error_storm api | line 00c9");
  CHECK(signature_of(incident::Incident()) == incident::Incident().signature());
}

TEST_CASE("A coarser signature covers finer ones, and no other service that begins alike") {
  const std::string_view fine = "burn_rate api | fast | line 00c1";
  CHECK(coarser(fine) == "burn_rate api | fast");
  CHECK(coarser(coarser(fine)) == "burn_rate api");
  CHECK(coarser("burn_rate api").empty());
  CHECK(covers("burn_rate api", fine));
  CHECK(covers(fine, fine));
  CHECK_FALSE(covers(fine, "burn_rate api | fast"));
  CHECK_FALSE(covers("burn_rate api", "burn_rate api-gateway | fast"));
  CHECK_FALSE(covers("burn_rate api | slow", fine));
}
