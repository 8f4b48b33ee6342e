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

TEST_CASE("What another node told is its own, but for a rollout, which is the cluster's",
          "[incident]") {
  Rig rig;
  for (const char* key : {"vital/memory/950", "rollout/rs-1/bbb"}) {
    nines::incident::Evidence evidence;
    evidence.kind = nines::incident::EventKind::diagnostics;
    evidence.entry.details = nines::agent::incident::details_of(one(950, "", key), "n2");
    rig.incident.evidence.push_back(evidence);
    rig.all.happened(one(950, "", key));
  }
  CHECK(rig.told(1'040) == "vital/memory/950");
}

TEST_CASE("An open incident of the desk is told it by look(), each thing once", "[incident]") {
  nines::agent::incident::NodeFacts facts;
  const nines::slo::SloEngine engine;
  nines::agent::incident::Desk desk({"c", "n1", 1}, {engine, nullptr, {}, {}, {}, {}});
  ContextTeller teller(facts, engine, "n1");
  nines::incident::Condition full;
  full.key = "disk/n1/root";
  full.kind = nines::incident::ConditionKind::disk_full;
  full.priority = 1;
  full.since = full.at = at(1'000);
  full.node = "n1";
  full.text = "the disk is full";
  desk.conditions({full}, at(1'000));
  desk.tick(at(1'060));
  REQUIRE(desk.book().list({}, at(1'060)).size() == 1);
  teller.look(desk, at(1'060));
  facts.happened(one(990, "", "memory"));
  for (const int64_t now : {1'070, 1'074, 1'080, 1'090}) teller.look(desk, at(now));
  const auto incident = desk.book().list({}, at(1'090))[0];
  REQUIRE(incident.evidence.size() == 1);
  CHECK(incident.evidence[0].entry.text == "memory");
  CHECK(*incident.evidence[0].entry.detail("source") == "kubernetes");
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
