// A month in which all is well opens nothing; what is planted in it is found in time.
#include <algorithm>
#include <catch2/catch.hpp>

#include "month.hpp"
#include "nines/incident/detector.hpp"

using namespace nines;
using namespace nines::incident;
using nines::incident::test::HealthyNode;
using nines::incident::test::kMonthStart;

namespace {

constexpr int64_t kDay = 86400, kSlot = TemplateWatch::kSlotS;

struct Plant {
  enum class Kind { storm, silence } kind;
  size_t service;
  int64_t from, until;  // seconds of the month
  uint32_t lines = 0;   // a slot
  TemplateId line = 0;
};

struct Told {
  int64_t s;
  Condition condition;
};

// What a month says. Lines of a plant begin 3 s into its first slot.
std::vector<Told> live(uint32_t seed, int64_t days, const std::vector<Plant>& plants,
                       const DetectorSettings& settings = {}) {
  HealthyNode node(seed);
  TemplateWatch watch;
  Detector detector(settings);
  std::vector<Told> told;
  for (int64_t s = 0; s < days * kDay; s += kSlot) {
    int silenced = -1;
    for (const Plant& plant : plants) {
      if (s < plant.from || s >= plant.until) continue;
      if (plant.kind == Plant::Kind::silence) silenced = static_cast<int>(plant.service);
      if (plant.kind != Plant::Kind::storm) continue;
      watch.count(HealthyNode::name(plant.service), plant.line, true,
                  WallTime::from_s(kMonthStart + s + 3), plant.lines);
    }
    node.slot(watch, s, silenced);
    if (node.stopped(s)) continue;
    const WallTime now = WallTime::from_s(kMonthStart + s + kSlot);
    Watched how = node.watched(s);
    how.learn = detector.stats().standing == 0;
    watch.advance(now, how);
    for (Condition& condition : detector.look(now, watch, {"node", how.complete, false})) {
      told.push_back({s + kSlot, std::move(condition)});
    }
  }
  return told;
}

}  // namespace

TEST_CASE("No month in which all is well opens anything") {
  for (const uint32_t seed : {1U, 2U, 3U}) {
    const auto told = live(seed, 30, {});
    for (const Told& one : told) {
      UNSCOPED_INFO("seed " << seed << " day " << one.s / kDay << ": " << one.condition.text);
    }
    CHECK(told.empty());
  }
}

TEST_CASE("The months are not quiet: rules without what makes them careful would fire") {
  DetectorSettings no_peak, no_hold, hasty;
  no_peak.storm.times_peak = 0;
  no_peak.storm.least_score = 0;
  no_hold.storm.least_slots = 1;
  hasty.silence.times_longest = 1;
  hasty.silence.least_s = 20;
  for (const DetectorSettings& careless : {no_peak, no_hold, hasty}) {
    CHECK_FALSE(live(1, 20, {}, careless).empty());
  }
}

TEST_CASE("Storms are found within a minute and silences within their limit, with their onsets") {
  const std::vector<Plant> plants = {
      // 1.5 errors a second, never seen; ten times a usual error; a strong one by night.
      {Plant::Kind::storm, 2, 9 * kDay + 40'000, 9 * kDay + 40'600, 15, 5001},
      {Plant::Kind::storm, 0, 10 * kDay + 50'000, 10 * kDay + 50'600, 60, 11},
      {Plant::Kind::storm, 4, 12 * kDay + 10'000, 12 * kDay + 10'300, 200, 5002},
      {Plant::Kind::silence, 0, 13 * kDay + 30'000, 13 * kDay + 31'200},
      {Plant::Kind::silence, 3, 15 * kDay + 45'000, 15 * kDay + 46'200},
  };
  for (const uint32_t seed : {11U, 12U}) {
    const auto told = live(seed, 17, plants);
    CHECK(told.size() == plants.size() * 2);
    for (const Plant& plant : plants) {
      const bool storm = plant.kind == Plant::Kind::storm;
      const auto begun = std::find_if(told.begin(), told.end(), [&](const Told& one) {
        return one.condition.holds && one.s > plant.from && one.s <= plant.until &&
               one.condition.service == HealthyNode::name(plant.service);
      });
      INFO("seed " << seed << ", planted on day " << plant.from / kDay);
      REQUIRE(begun != told.end());
      CHECK(begun->condition.kind ==
            (storm ? ConditionKind::error_storm : ConditionKind::service_silent));
      CHECK(begun->s - plant.from <= (storm ? 60 : 400));
      const double apart = static_cast<double>(begun->condition.since.ns) / 1e9 - kMonthStart -
                           static_cast<double>(plant.from);
      CHECK(std::abs(apart) <= 20);
      const auto over = std::find_if(begun, told.end(), [&](const Told& one) {
        return !one.condition.holds && one.condition.key == begun->condition.key;
      });
      REQUIRE(over != told.end());
      CHECK(over->s - plant.until <= 200);
    }
  }
}
