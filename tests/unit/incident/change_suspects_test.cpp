#include "nines/incident/change_suspects.hpp"

#include <algorithm>
#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::incident;

namespace {

constexpr int64_t kOnset = 1'767'600'000;

slo::Change change(std::string service, int64_t seconds_before,
                   slo::ChangeKind kind = slo::ChangeKind::deploy) {
  slo::Change out;
  out.at = WallTime::from_s(kOnset - seconds_before);
  out.kind = kind;
  out.service = std::move(service);
  out.text = "v2";
  return out;
}

const std::vector<ShareChange> kShares = {
    {"api", 20, 10'000, 300, 3'000},  // 0.2 % -> 10 %
    {"web", 20, 10'000, 25, 3'000},   // 0.2 % -> 0.83 %
    {"db", 0, 5'000, 0, 1'500},      {"cache", 5, 5'000, 2, 1'500}, {"mail", 5, 5'000, 2, 1'500},
};

const WallTime onset = WallTime::from_s(kOnset);

}  // namespace

TEST_CASE("The changed service whose errors rose against the unchanged ones is the first suspect") {
  const std::vector<slo::Change> changes = {change("cache", 60), change("api", 240),
                                            change("web", 3'600)};
  const auto ranked = rank_changes(onset, changes, kShares);
  REQUIRE(ranked.size() == 2);
  const ChangeSuspect& first = ranked[0];
  CHECK(first.service == "api");
  CHECK(first.change == 1);
  CHECK(first.seconds_before == 240);
  CHECK(*first.before == Approx(0.002));
  CHECK(*first.after == Approx(0.1));
  // web, db, mail: 25 of 20,000 -> 27 of 6,000.
  CHECK(*first.others_change == Approx(27.0 / 6000 - 25.0 / 20000));
  CHECK(*first.effect == Approx(0.098 - *first.others_change));
  CHECK(*first.effect_low > 0.05);
  CHECK(first.score > 100);
  CHECK(first.text.find("deploy of api (v2)") == 0);
  CHECK(first.text.find("errors 0.20 % before, 10.00 % after") != std::string::npos);
  CHECK(first.wrong_if.size() == 3);
  CHECK(ranked[1].service == "cache");
  CHECK(ranked[1].score < 3);
}

TEST_CASE("When all get worse alike, the change is told to be chance") {
  const std::vector<ShareChange> alike = {{"api", 20, 10'000, 150, 3'000},
                                          {"web", 20, 10'000, 150, 3'000},
                                          {"db", 20, 10'000, 150, 3'000},
                                          {"mail", 20, 10'000, 150, 3'000}};
  const std::vector<slo::Change> changes = {change("api", 240)};
  const auto ranked = rank_changes(onset, changes, alike);
  REQUIRE(ranked.size() == 1);
  CHECK(ranked[0].score < 1);
  CHECK(*ranked[0].effect_low <= 0);
  CHECK(std::any_of(ranked[0].wrong_if.begin(), ranked[0].wrong_if.end(),
                    [](const std::string& one) { return one.find("chance") != one.npos; }));
}

TEST_CASE("Without counts a change keeps its prior, and the nearest comes first") {
  const std::vector<slo::Change> changes = {change("a", 900), change("", 30), change("b", -20)};
  const auto ranked = rank_changes(onset, changes, {});
  REQUIRE(ranked.size() == 3);
  CHECK(ranked[0].service == "b");
  CHECK(ranked[0].text == "deploy of b (v2) at about the onset; its errors are not counted");
  CHECK(ranked[1].service.empty());
  CHECK(ranked[2].score == kChangePrior);
}

TEST_CASE("Only what was done within half an hour before the onset, and may break things, counts") {
  const std::vector<slo::Change> changes = {change("a", 1801), change("b", -31),
                                            change("c", 10, slo::ChangeKind::note),
                                            change("d", 10, slo::ChangeKind::budget_step)};
  CHECK(rank_changes(onset, changes, kShares).empty());
  CHECK(change_prior(onset, changes, "a") == 1);
  const std::vector<slo::Change> one = {change("a", 1800)};
  CHECK(change_prior(onset, one, "a") == 3);
  CHECK(change_prior(onset, one, "b") == 1);
}

TEST_CASE("The deploy of the service that broke is named before the service and before others") {
  const std::vector<slo::Change> changes = {change("pay", 120), change("web", 60)};
  const std::vector<ShareChange> shares = {
      {"pay", 1, 1'000, 10, 900}, {"web", 5, 1'000, 4, 900}, {"db", 0, 1'000, 0, 900}};
  const auto suspects = rank_changes(onset, changes, shares);
  const std::vector<ServiceEvidence> services = {{"shop", 90}, {"pay", 80}, {"web", 20}};
  const auto ranked = rank_causes(onset, changes, suspects, services);
  REQUIRE(ranked.size() == 5);
  CHECK(ranked[0].is_change);
  CHECK(suspects[ranked[0].at].service == "pay");
  CHECK(ranked[0].score == Approx(240));  // no less than what speaks against the service
  CHECK_FALSE(ranked[1].is_change);
  CHECK(services[ranked[1].at].service == "pay");
  CHECK(ranked[1].score == Approx(240));
  CHECK(services[ranked[2].at].service == "shop");
  CHECK(ranked[2].score == Approx(90));  // was not changed
  CHECK(ranked[3].is_change);            // web's errors fell: its deploy is as weak as what is
  CHECK(suspects[ranked[3].at].service == "web");  // found of web
  CHECK(ranked[3].score == Approx(60));
}

TEST_CASE("A change whose errors nobody counts is suspected as much as its service") {
  const std::vector<slo::Change> changes = {change("pay", 20)};
  const auto suspects = rank_changes(onset, changes, {});
  const std::vector<ServiceEvidence> services = {{"pay", 50}};
  const auto ranked = rank_causes(onset, changes, suspects, services);
  REQUIRE(ranked.size() == 2);
  CHECK(ranked[0].is_change);
  CHECK(ranked[0].score == Approx(150));
}

TEST_CASE(
    "Services stay in the order given, whatever their scores, but for those that were changed") {
  const std::vector<ServiceEvidence> services = {{"db", 5}, {"api", 100}, {"edge", 50}};
  const auto order = [&](const std::vector<slo::Change>& changes) {
    std::string out;
    for (const auto& one : rank_causes(onset, changes, {}, services)) {
      out += services[one.at].service + " ";
    }
    return out;
  };
  CHECK(order({}) == "db api edge ");
  CHECK(order({change("edge", 120)}) == "edge db api ");
}

TEST_CASE("Without changes services keep their order and their scores") {
  const std::vector<ServiceEvidence> services = {{"a", 9}, {"b", 9}, {"c", 3}};
  const auto ranked = rank_causes(onset, {}, {}, services);
  REQUIRE(ranked.size() == 3);
  for (size_t i = 0; i < 3; ++i) {
    CHECK(ranked[i].at == i);
    CHECK(ranked[i].score == services[i].score);
  }
}
