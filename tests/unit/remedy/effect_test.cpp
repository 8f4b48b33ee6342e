#include "nines/remedy/effect.hpp"

#include <catch2/catch.hpp>
#include <cmath>

using namespace nines;
using namespace nines::remedy;

namespace {

struct Told {
  History history;
  int count = 0;
  void tell(bool by_rule, bool good, int64_t recover_s, const std::string& incident = {}) {
    Record r;
    r.id = std::to_string(++count);
    r.incident = incident.empty() ? "INC-" + r.id : incident;
    r.signature = "crash_loop api";
    r.action = {Verb::rollout_undo, {}};
    r.at = WallTime::from_s(1'700'000'000 + count * 86'400);
    r.judged = WallTime::from_s(1'700'003'600 + count * 86'400);
    r.outcome = good ? Outcome::resolved : Outcome::failed;
    r.censored = !good;
    r.recover_s = recover_s;
    if (by_rule) {
      r.actor = Actor::rule;
      r.rule = "undo-api";
    }
    REQUIRE(history.merge(r) == History::Merge::news);
  }
  Effect effect() const {
    return effect_of(history, "undo-api", "crash_loop api",
                     WallTime::from_s(1'700'000'000 + 100 * 86'400));
  }
};

}  // namespace

TEST_CASE("A rule that works is told with its intervals, the time it saves and the toil") {
  Told told;
  for (int i = 0; i < 10; ++i) told.tell(false, i < 6, 1000 + 10 * i);
  for (int i = 0; i < 10; ++i) told.tell(true, i < 9, 100 + 10 * i);
  const Effect e = told.effect();
  CHECK(e.good == 9);
  CHECK(e.n == 10);
  CHECK(e.success.low == wilson(9, 10).low);
  CHECK(e.base_good == 6);
  CHECK(e.base_n == 10);
  CHECK(e.censored == 1);
  CHECK(e.base_censored == 4);
  CHECK(e.median_s == 145);
  // Those that had not recovered count as the longest.
  CHECK(e.base_median_s == (1040 + 1050) / 2.0);
  CHECK(e.change.median < -800);
  CHECK(e.change.interval.high < 0);
  CHECK(e.p_change < 0.01);
  CHECK(e.toil_saved_s == 9 * 900);
  CHECK(e.toil_saved_s_month == Approx(9 * 900 * 30 / 89.0));
  CHECK(e.demote.empty());
  CHECK(to_text(e).find("9 of 10") != std::string::npos);
}

TEST_CASE("A rule that does worse than nothing at all goes back to shadow") {
  Told told;
  for (int i = 0; i < 40; ++i) told.tell(false, i % 10 != 0, 600);
  for (int i = 0; i < 12; ++i) told.tell(true, i % 2 == 0, 600);
  CHECK(told.effect().demote.find("did without") != std::string::npos);
}

TEST_CASE("A rule that makes recovery slower goes back to shadow") {
  Told told;
  for (int i = 0; i < 12; ++i) told.tell(false, true, 100 + i);
  for (int i = 0; i < 12; ++i) told.tell(true, true, 900 + i);
  CHECK(told.effect().demote.find("longer than without") != std::string::npos);
}

TEST_CASE("Three failures in a row are enough, two are not") {
  Told told;
  told.tell(true, true, 100);
  told.tell(true, false, 100);
  told.tell(true, false, 100);
  CHECK(told.effect().demote.empty());
  told.tell(true, false, 100);
  CHECK(told.effect().failures == 3);
  CHECK(told.effect().demote.find("3 times in a row") != std::string::npos);
  told.tell(true, true, 100);
  CHECK(told.effect().failures == 0);
}

TEST_CASE("What people mended after the rule had failed is no success of the rule") {
  Told told;
  told.tell(true, false, 900, "INC-X");
  told.tell(false, true, 900, "INC-X");
  const Effect e = told.effect();
  CHECK(e.n == 1);
  CHECK(e.good == 0);
  CHECK(e.base_n == 0);
}

TEST_CASE("Without anything to compare with nothing is made up") {
  Told told;
  told.tell(true, true, 100);
  const Effect e = told.effect();
  CHECK(std::isnan(e.base_median_s));
  CHECK(std::isnan(e.change.median));
  CHECK(e.p_change == 1);
  CHECK(e.demote.empty());
  std::string json;
  JsonWriter out(json);
  write_json(out, e);
  CHECK(json.find(R"("change_s":null)") != std::string::npos);
  CHECK(effect_of(History(), "none", "x", WallTime::from_s(1)).n == 0);
}

TEST_CASE(
    "Toil saved is what people were busy with in the middle, once enough of it was measured") {
  Told told;
  for (int i = 0; i < 6; ++i) told.tell(true, true, 100);
  const auto busy = [&](int64_t s) {
    told.tell(false, true, 600);
    Record r = *told.history.find(std::to_string(told.count));
    r.hands_on_s = s;
    r.judged.ns += 1;
    REQUIRE(told.history.merge(r) == History::Merge::better);
  };
  for (const int64_t s : {200, 300, 9000, 400}) busy(s);
  CHECK(told.effect().hands_on_n == 0);
  CHECK(told.effect().toil_saved_s == 6 * 900);
  busy(100);
  CHECK(told.effect().hands_on_n == 5);
  CHECK(told.effect().hands_on_s == 300);
  CHECK(told.effect().toil_saved_s == 6 * 300);
  CHECK(to_text(told.effect()).find("the median of 5 by people") != std::string::npos);
}
