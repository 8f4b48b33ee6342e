// The desk: alerts become incidents, with the moment at which it began, suspects, and what is kept.
#include <algorithm>
#include <catch2/catch.hpp>
#include <map>

#include "incident/desk.hpp"
#include "nines/incident/current_evidence.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;

slo::SloSpec spec_of(const std::string& name) {
  slo::SloSpec spec;
  spec.name = name;
  spec.service = name + "-service";
  spec.target = {99, -2};
  spec.window_s = 30 * 86400;
  spec.alerts = slo::default_policy(spec.window_s, spec.target);
  return spec;
}

// Ten requests in each slot; from `broken_s` on, `bad` of them fail.
class Plant {
 public:
  Plant() { REQUIRE(engine.add(spec_of("shop")).ok()); }

  void run(int64_t from_s, int64_t to_s, int64_t bad) {
    for (int64_t s = from_s; s < to_s; s += slo::kSlotS) {
      slo::Batch batch;
      batch.slots.push_back({0, (kStart + s) / slo::kSlotS, 10 - bad, bad});
      batch.max_event_time = WallTime::from_s(kStart + s);
      batch.normalize();
      engine.apply(batch);
      const WallTime now = WallTime::from_s(kStart + s + slo::kSlotS);
      std::vector<slo::AlertEvent> events;
      engine.evaluate(now, now, events);
      desk.alerts(events, now);
      desk.tick(now);
      for (const std::string& one : desk.take_news()) news.push_back(one);
    }
  }
  static WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }
  std::vector<core::Incident> all(int64_t s) { return desk.book().list({}, at(s)); }

  slo::SloEngine engine;
  std::vector<core::TrailQuestion> asked;
  NodeFacts node;
  Answer answer;
  Desk desk{{"c", "n1", 1},
            {engine,
             [this](const core::TrailQuestion& question, auto done) {
               asked.push_back(question);
               done(answer);
             },
             {},
             {},
             {[this](const FactsQuestion& question, auto done) {
                facts_asked.push_back(question);
                done(facts);
              },
              [this] { return changes; }, &node}}};
  std::vector<FactsQuestion> facts_asked;
  Facts facts;
  std::vector<slo::Change> changes;
  std::vector<std::string> news;
};

}  // namespace

TEST_CASE("An incident began where the share of bad events changed, not where the alert fired",
          "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 3'900, 5);
  const auto all = plant.all(3'900);
  REQUIRE(all.size() == 1);
  CHECK(all[0].service == "shop-service");
  CHECK(all[0].opened > Plant::at(3'600));
  CHECK(all[0].began == Plant::at(3'600));
  CHECK(onset_of(plant.engine, 0, Plant::at(3'900)) == Plant::at(3'600));
}

TEST_CASE("Several rules of one SLO are one condition, which is over with the last of them",
          "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 3'900, 10);
  REQUIRE(plant.all(3'900).size() == 1);
  CHECK(plant.all(3'900)[0].conditions.size() == 1);
  CHECK(plant.all(3'900)[0].severity == 1);  // the worst rule says how bad
  plant.run(3'900, 4'000, 0);
  CHECK(plant.all(4'000)[0].holding());
}

TEST_CASE("It is asked at once who is suspected, and last when two minutes were seen",
          "[incident]") {
  Plant plant;
  Suspicion pay;
  pay.told = {"pay", 50, {"logs the error \"refused\""}, "the card service failed first", 7};
  pay.example.text = "refused 12";
  Suspicion mail;
  mail.told = {"mail", 20, {"is silent"}, "nobody called it", 8};
  plant.answer.suspects = {pay, mail};
  plant.run(0, 3'600, 0);
  plant.run(3'600, 4'000, 5);
  REQUIRE(plant.asked.size() >= 2);
  for (const core::TrailQuestion& question : plant.asked) {
    CHECK(question.onset == Plant::at(3'600));
  }
  CHECK(plant.asked.back().now >= Plant::at(3'730));
  CHECK(plant.asked.back().now <= Plant::at(3'740));
  const auto incident = plant.all(4'000).at(0);
  const core::Evidence* newest = incident.newest(core::EventKind::suspects);
  REQUIRE(newest != nullptr);
  CHECK(*newest->entry.detail("service") == "pay");  // the first suspect is what is newest
  CHECK(*newest->entry.detail("example") == "refused 12");
  CHECK(*newest->entry.detail("wrong_if") == "the card service failed first");
  CHECK(plant.news.back().find("suspects: pay; logs the error \"refused\" | mail; is silent") !=
        std::string::npos);
}

TEST_CASE("While nobody is suspected yet it is asked every ten seconds", "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 3'900, 5);  // the answers are empty
  REQUIRE(plant.asked.size() >= 3);
  for (size_t i = 1; i < plant.asked.size(); ++i) {
    CHECK(plant.asked[i].now.ns - plant.asked[i - 1].now.ns <= 10 * kNsPerSecond);
  }
  CHECK(plant.asked.back().now <= Plant::at(3'740));
  const size_t before = plant.asked.size();
  plant.run(3'900, 4'200, 5);
  CHECK(plant.asked.size() == before);
}

TEST_CASE("Trouble of before is no healthy past, for as long as it really lasted", "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 3'800, 8);
  plant.run(3'800, 6'800, 0);
  CHECK_FALSE(plant.desk.acute());
  const size_t before = plant.asked.size();
  plant.run(6'800, 7'000, 9);  // again, within the same alert
  CHECK(plant.desk.acute());
  CHECK(plant.all(7'000).size() == 1);
  REQUIRE(plant.asked.size() > before);
  CHECK(plant.asked.back().onset == Plant::at(6'800));
  const auto& unhealthy = plant.asked.back().unhealthy;
  REQUIRE(unhealthy.size() == 2);
  CHECK(unhealthy.front().from == Plant::at(3'600));
  CHECK(unhealthy.front().to >= Plant::at(3'800));  // not when the alert ends
  CHECK(unhealthy.front().to <= Plant::at(3'820));
}

TEST_CASE("Trouble that has gone on for a day is what is usual, and learned from", "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 3'600 + 80'000, 5);
  CHECK(plant.desk.acute());
  plant.run(3'600 + 80'000, 3'600 + 87'000, 5);
  CHECK_FALSE(plant.desk.acute());
  CHECK(plant.all(3'600 + 87'000).at(0).holding());
}

TEST_CASE("A slow alert keeps no incident open when what it tells of has long ended",
          "[incident]") {
  Plant plant;
  plant.run(0, 7'200, 0);
  plant.run(7'200, 9'000, 9);
  REQUIRE(plant.all(9'000).size() == 1);
  plant.run(9'000, 16'200, 0);
  const auto& alerts = plant.engine.save_alerts();
  CHECK(std::any_of(alerts.begin(), alerts.end(), [](const auto& one) { return one.firing; }));
  const auto over = plant.all(16'200);
  REQUIRE(over.size() == 1);
  CHECK(over[0].over());
  CHECK(over[0].recovered < Plant::at(9'000 + 2'400));
  // As bad again, while the alert still fires: the same trouble.
  plant.run(16'200, 16'260, 9);
  const auto back = plant.all(16'260);
  REQUIRE_FALSE(back.empty());
  CHECK(back[0].holding());
  CHECK(back[0].began >= Plant::at(7'190));
}

TEST_CASE("What burns slowly on and on stays an incident, and so does what nobody can see",
          "[incident]") {
  Plant plant;
  plant.run(0, 7'200, 0);
  plant.run(7'200, 9'000, 9);
  for (int64_t s = 9'000; s < 23'400; s += 30) {  // one in thirty: no page, and far too much
    plant.run(s, s + 10, 1);
    plant.run(s + 10, s + 30, 0);
  }
  for (const auto& one : plant.engine.save_alerts()) {
    CHECK((!one.firing || one.severity == "ticket"));
  }
  REQUIRE(plant.all(23'400).size() == 1);
  CHECK(plant.all(23'400)[0].holding());
  Plant blind;
  blind.run(0, 7'200, 0);
  blind.run(7'200, 9'000, 9);
  for (int64_t s = 9'000; s < 12'600; s += slo::kSlotS) {
    const WallTime now = Plant::at(s + slo::kSlotS);
    std::vector<slo::AlertEvent> events;
    blind.engine.evaluate(now, now, events);
    blind.desk.alerts(events, now);
    blind.desk.tick(now);
  }
  CHECK(blind.all(12'600).at(0).holding());  // no requests: no sign of health
}

TEST_CASE("What was over and burns on less badly while its alert fires is trouble again",
          "[incident]") {
  Plant plant;
  plant.run(0, 7'200, 0);
  plant.run(7'200, 9'000, 9);
  plant.run(9'000, 12'600, 0);
  REQUIRE(plant.all(12'600)[0].over());
  for (int64_t s = 12'600; s < 18'000; s += 20) {
    plant.run(s, s + 10, 1);
    plant.run(s + 10, s + 20, 0);
  }
  CHECK(plant.all(18'000)[0].holding());
}

TEST_CASE("One failure in a thin minute is no trouble that is back", "[incident]") {
  Plant plant;
  plant.run(0, 7'200, 0);
  plant.run(7'200, 9'000, 9);
  plant.run(9'000, 10'800, 0);
  const size_t before = plant.asked.size();
  for (int64_t s = 10'800; s < 14'400; s += 600) {
    plant.run(s, s + 10, 1);
    plant.run(s + 10, s + 600, 0);
  }
  CHECK(plant.asked.size() == before);
  CHECK(plant.all(14'400)[0].over());
}

TEST_CASE("A node that starts again does not take an alert that is only slow for new trouble",
          "[incident]") {
  Plant plant;
  plant.run(0, 7'200, 0);
  plant.run(7'200, 9'000, 9);
  plant.run(9'000, 16'200, 0);
  REQUIRE(plant.all(16'200)[0].over());
  Desk again({"c", "n1", 2}, {plant.engine, nullptr});
  again.restore(plant.desk.take_documents(), Plant::at(16'210));
  again.still_firing(plant.engine.save_alerts(), Plant::at(16'210));
  again.tick(Plant::at(16'210));
  CHECK(again.take_news().empty());
  REQUIRE(again.book().list({}, Plant::at(16'210)).size() == 1);
  CHECK(again.book().list({}, Plant::at(16'210))[0].over());
}

TEST_CASE("A node that starts again goes on with its incidents, as they were worded",
          "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 4'200, 5);
  const auto before = plant.all(4'200).at(0);
  const auto documents = plant.desk.take_documents();
  REQUIRE_FALSE(documents.empty());
  Desk again({"c", "n1", 2}, {plant.engine, nullptr});
  again.restore(documents, Plant::at(4'210));
  again.still_firing(plant.engine.save_alerts(), Plant::at(4'210));
  again.tick(Plant::at(4'210));
  const auto after = again.book().list({}, Plant::at(4'210));
  REQUIRE(after.size() == 1);
  CHECK(after[0].id == before.id);
  CHECK(after[0].title == before.title);
  CHECK(after[0].holding());
  CHECK(again.take_news().empty());  // nothing new is told
}

TEST_CASE("A bad deploy is named first, with the service that it broke behind it", "[incident]") {
  Plant plant;
  Suspicion pay;
  pay.told = {"pay", 50, {"logs the error \"refused\""}, "the card service failed first", 7};
  plant.answer.suspects = {pay};
  slo::Change deploy;
  deploy.id = 12;
  deploy.kind = slo::ChangeKind::deploy;
  deploy.at = Plant::at(3'540);
  deploy.service = "pay";
  deploy.text = "1.4.2";
  plant.changes = {deploy};
  plant.facts.shares = {{"pay", 0, 600, 200, 400}, {"mail", 0, 600, 0, 400}};
  plant.run(0, 3'600, 0);
  plant.run(3'600, 4'000, 5);
  const auto incident = plant.all(4'000).at(0);
  const auto current = core::current_evidence(incident);
  REQUIRE(current.suspects.size() == 2);
  CHECK(*current.suspects[0]->entry.detail("change") == "12");
  CHECK(current.suspects[0]->entry.text.find("deploy of pay (1.4.2) 60 s before") == 0);
  CHECK(*current.suspects[1]->entry.detail("service") == "pay");
  REQUIRE(current.failure_class != nullptr);
  CHECK(*current.failure_class->entry.detail("class") == "bad_deploy");
  REQUIRE_FALSE(plant.facts_asked.empty());
  CHECK(plant.facts_asked[0].changed ==
        std::vector<std::pair<std::string, WallTime>>{{"pay", Plant::at(3'540)}});
  CHECK(plant.facts_asked[0].slos == std::vector<uint32_t>{0});
}

TEST_CASE("What it costs is told at once, renewed while it lasts, and told when it is over",
          "[incident]") {
  Plant plant;
  plant.facts.users_told = true;
  plant.facts.users.users = 7;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 3'700, 10);
  const std::string id = plant.all(3'700).at(0).id;
  const auto impacts = [&](int64_t s) {
    std::vector<core::Entry> out;
    const core::Incident incident = *plant.desk.book().find(id, Plant::at(s));
    for (const auto& one : incident.evidence) {
      if (one.kind == core::EventKind::impact) out.push_back(one.entry);
    }
    return out;
  };
  const size_t at_first = impacts(3'700).size();
  CHECK(at_first == 1);
  plant.run(3'700, 4'300, 10);
  CHECK(impacts(4'300).size() > at_first);
  plant.facts.users.users = 9;
  plant.run(4'300, 4'400, 0);
  REQUIRE(
      plant.desk.did(plant.desk.book().resolve(id, "kim", "rolled back", true, Plant::at(4'400)))
          .ok());
  plant.run(4'400, 4'420, 0);
  REQUIRE(plant.desk.book().find(id, Plant::at(4'420))->over());
  const auto all = impacts(4'420);
  CHECK(all.size() <= Assessor::kMostImpacts + 1);
  CHECK(*all.back().detail("bad") == "700");
  CHECK(*all.back().detail("all") == "800");
  CHECK(*all.back().detail("users") == "9");
  CHECK(*all.back().detail("until") == std::to_string(Plant::at(4'400).seconds()));
  plant.run(4'420, 9'000, 0);
  CHECK(impacts(9'000).size() == all.size());
}

TEST_CASE("Diagnostics are taken when it opens, and say what is not known", "[incident]") {
  Plant plant;
  plant.run(0, 3'600, 0);
  Newcomer old, fresh;
  old.seen = {"pay", 3, true, Plant::at(3'000)};
  old.text = "an old error";
  fresh.seen = {"pay", 4, true, Plant::at(3'605)};
  fresh.text = "card refused";
  plant.desk.newcomers({old, fresh});
  plant.node.vital("cpu", 0.125, Plant::at(3'590));
  core::Happening restart;
  restart.at = Plant::at(3'000);
  restart.kind = core::HappeningKind::restart;
  restart.text = "pay was restarted, for the 2. time";
  restart.key = "restart/u/pay/2";
  plant.node.happened(restart);
  plant.run(3'600, 3'700, 10);
  const auto incident = plant.all(3'700).at(0);
  const auto current = core::current_evidence(incident);
  std::map<std::string, std::string> parts;
  for (const core::Evidence* page : current.diagnostics) {
    parts[*page->entry.detail("part")] = page->entry.text;
  }
  for (const char* part : {"examples", "log", "templates", "node", "pods", "changes"}) {
    CHECK(parts.contains(part));
  }
  std::map<std::string, std::vector<std::string>> lines;
  for (const core::Evidence* page : current.diagnostics) {
    lines[*page->entry.detail("part")] = core::lines_of(*page);
  }
  CHECK(lines["templates"] ==
        std::vector<std::string>{"never seen before: pay logs the error \"card refused\" since " +
                                 format_rfc3339(Plant::at(3'605))});
  CHECK(lines["node"] == std::vector<std::string>{"CPU busy: 12.5 %"});
  CHECK(lines["pods"] == std::vector<std::string>{format_rfc3339(Plant::at(3'000)) +
                                                  " pay was restarted, for the 2. time"});
  CHECK(parts["changes"] == "no change is known of the day before");
  const size_t before = incident.evidence.size();
  plant.run(3'700, 3'900, 10);  // nothing changes but the counts
  size_t more = 0;
  const core::Incident later = plant.all(3'900).at(0);
  for (const auto& one : later.evidence) {
    more += one.kind == core::EventKind::diagnostics ? 1U : 0U;
  }
  CHECK(more <= before);
}

TEST_CASE("What the desk lets go for want of room is counted", "[incident]") {
  Plant plant;
  const auto dropped = [&](std::string_view what) {
    const Dropped all = plant.desk.dropped();
    const auto found =
        std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.first == what; });
    REQUIRE(found != all.end());
    return found->second;
  };
  CHECK(dropped("newcomer") == 0);
  plant.desk.newcomers(std::vector<Newcomer>(70));
  CHECK(dropped("newcomer") == 70 - 64);
  // More incidents at once than are asked about.
  for (int i = 0; i < 100; ++i) {
    core::Condition one;
    one.key = "disk/n1/" + std::to_string(i);
    one.kind = core::ConditionKind::disk_full;
    one.priority = 1;
    one.holds = true;
    one.since = one.at = Plant::at(0);
    one.node = "node-" + std::to_string(i);
    one.text = "the disk is full";
    plant.desk.conditions({one}, Plant::at(0));
  }
  plant.desk.tick(Plant::at(0));
  plant.desk.tick(Plant::at(30));
  CHECK(plant.desk.book().list({}, Plant::at(30)).size() == 100);
  CHECK(dropped("question") == 100 - 64);
}

TEST_CASE("After a restart users that were counted before it are the least that there were",
          "[incident]") {
  Plant plant;
  plant.facts.users_told = true;
  plant.facts.users.users = 40;
  plant.run(0, 3'600, 0);
  plant.run(3'600, 4'200, 5);
  const auto documents = plant.desk.take_documents();
  Desk again({"c", "n1", 2}, {plant.engine, nullptr, {}, {}, {[](const FactsQuestion&, auto done) {
                                Facts facts;
                                facts.users_told = true;
                                facts.users.users = 3;
                                done(facts);
                              }}});
  again.restore(documents, Plant::at(4'210));
  again.still_firing(plant.engine.save_alerts(), Plant::at(4'210));
  for (int64_t s = 4'210; s < 4'300; s += 10) again.tick(Plant::at(s));
  const auto after = again.book().list({}, Plant::at(4'300)).at(0);
  REQUIRE(after.newest(core::EventKind::impact) != nullptr);
  CHECK(*after.newest(core::EventKind::impact)->entry.detail("users") == ">=40");
  CHECK(after.newest(core::EventKind::impact)->entry.at > Plant::at(4'210));
}

TEST_CASE("Documents of incidents that are damaged are forgotten in the store, too", "[incident]") {
  Plant plant;
  Desk desk({"c", "n1", 1}, {plant.engine, nullptr});
  desk.restore({{Desk::kDocuments, "n1/1/1", "no event"}}, Plant::at(0));
  const auto documents = desk.take_documents();
  REQUIRE(documents.size() == 1);
  CHECK(documents[0].key == "n1/1/1");
  CHECK(documents[0].body.empty());
}

}  // namespace nines::agent::incident
