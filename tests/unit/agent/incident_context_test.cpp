// What is put with an incident of what happened around it; vitals that leave their range.
#include <catch2/catch.hpp>

#include "incident/context_teller.hpp"
#include "incident/vital_watch.hpp"

using namespace nines;
using nines::agent::incident::ContextTeller;
using nines::agent::incident::VitalWatch;
using nines::incident::Happening;

namespace {

WallTime at(int64_t seconds) { return WallTime::from_s(1'790'000'000 + seconds); }

Happening one(int64_t seconds, const std::string& service, const std::string& key) {
  Happening out;
  out.at = at(seconds);
  out.service = service;
  out.pod = service.empty() ? "" : service + "-1";
  out.text = key;
  out.key = key;
  return out;
}

struct Rig {
  nines::agent::incident::NodeFacts all;
  nines::slo::SloEngine engine;
  nines::incident::Incident incident;
  ContextTeller teller{all, engine, "n1"};

  Rig() {
    incident.began = at(1'000);
    incident.opened = at(1'030);
    incident.services = {"orders"};
  }
  std::string told(int64_t now) {
    std::string out;
    for (const Happening& happening : teller.news_of(incident, at(now))) {
      out += (out.empty() ? "" : " ") + happening.key;
      nines::incident::Evidence evidence;
      evidence.kind = nines::incident::EventKind::diagnostics;
      evidence.entry.details = nines::agent::incident::details_of(happening, "n1");
      incident.evidence.push_back(evidence);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("An incident is told what happened to its services and the node, once", "[incident]") {
  Rig rig;
  rig.all.happened(one(900, "orders", "rollout"));
  rig.all.happened(one(950, "", "memory"));
  rig.all.happened(one(960, "mail", "of another"));
  rig.all.happened(one(10, "orders", "long before"));
  CHECK(rig.told(1'040) == "rollout memory");
  CHECK(rig.told(1'050).empty());
  rig.all.happened(one(1'055, "orders", "restart"));
  CHECK(rig.told(1'060) == "restart");
  CHECK(*rig.incident.evidence[0].entry.detail("pod") == "orders-1");
  CHECK(*rig.incident.evidence[0].entry.detail("at") == format_rfc3339(at(900)));
}

TEST_CASE("Who is suspected is its concern, too", "[incident]") {
  Rig rig;
  rig.all.happened(one(960, "mail", "of a suspect"));
  CHECK(rig.told(1'040).empty());
  nines::incident::Evidence suspect;
  suspect.kind = nines::incident::EventKind::suspects;
  suspect.entry.details = {{"service", "mail"}};
  rig.incident.evidence.push_back(suspect);
  CHECK(rig.told(1'050) == "of a suspect");
}

TEST_CASE("An incident is told so much, and nothing when it is old or over", "[incident]") {
  Rig rig;
  for (int64_t i = 0; i < 40; ++i)
    rig.all.happened(one(1'000 + i, "orders", "e" + std::to_string(i)));
  (void)rig.told(1'040);
  CHECK(rig.incident.evidence.size() == ContextTeller::kMost);
  CHECK(rig.told(1'050).empty());
  Rig late;
  late.all.happened(one(1'000, "orders", "e"));
  CHECK(late.told(5'000).empty());
  late.incident.state = nines::incident::State::resolved;
  CHECK(late.told(1'040).empty());
}

TEST_CASE("A vital that leaves its range is told, and when it is back", "[incident]") {
  VitalWatch vitals;
  CHECK_FALSE(vitals.vital("memory", 0.5, at(0)));
  const auto out = vitals.vital("memory", 0.93, at(60));
  REQUIRE(out);
  CHECK(out->wrong);
  CHECK(out->text == "memory 93 % used (above 90)");
  CHECK_FALSE(vitals.vital("memory", 0.88, at(120)));  // neither
  CHECK_FALSE(vitals.vital("memory", 0.95, at(180)));
  const auto back = vitals.vital("memory", 0.70, at(240));
  REQUIRE(back);
  CHECK_FALSE(back->wrong);
  CHECK(back->text == "memory 70 % used (below 85 again)");
  CHECK(vitals.vital("undervoltage", 1, at(0))->text == "the supply voltage is too low");
  CHECK_FALSE(vitals.vital("undervoltage", 0, at(60))->wrong);
  CHECK_FALSE(vitals.vital("something else", 1e9, at(0)));
}
