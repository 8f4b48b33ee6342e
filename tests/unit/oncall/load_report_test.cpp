#include "nines/oncall/load_report.hpp"

#include <catch2/catch.hpp>

#include "oncall_fixture.hpp"

using namespace nines;
using namespace nines::oncall;
using namespace nines::oncall::test;

namespace {

Plan plan_of_two_weeks() {
  Plan plan;
  plan.roster = four_people();
  Layer layer;
  layer.name = "weekly";
  layer.people = {0, 1};
  layer.rotation.first_s = civil(2026, 3, 2);
  auto made = Schedule::make({"primary", plan.roster, {layer}, {}, {}});
  REQUIRE(made.ok());
  plan.schedules.push_back(std::move(*made));
  return plan;
}

Page page(uint32_t person, int64_t at_s, int64_t ack_after_s, const std::string& signature) {
  Page out;
  out.person = person;
  out.at_s = at_s;
  out.signature = signature;
  if (ack_after_s >= 0) out.acknowledged_s = at_s + ack_after_s;
  return out;
}

}  // namespace

TEST_CASE("Gini is 0 for equal shares and (n - 1) / n when one has all", "[report]") {
  CHECK(gini_milli({}) == 0);
  CHECK(gini_milli({0, 0, 0}) == 0);
  CHECK(gini_milli({7, 7, 7, 7}) == 0);
  CHECK(gini_milli({0, 0, 0, 5}) == 750);
  CHECK(gini_milli({3, 1, 2}) == 222);  // by hand: 2 * (1 + 4 + 9) / (3 * 6) - 4 / 3
}

TEST_CASE("A report has everybody's hours, pages, nights and times to acknowledge", "[report]") {
  const Plan plan = plan_of_two_weeks();
  PageLedger ledger(plan.roster);
  const int64_t noon = civil(2026, 3, 3, 12);
  ledger.add(page(0, noon, 60, "a"));
  ledger.add(page(0, noon + 3600, 120, "a"));
  ledger.add(page(0, noon + 11 * 3600, 600, "b"));  // 23:00
  ledger.add(page(1, civil(2026, 3, 10, 12), -1, "b"));
  ledger.add(page(1, civil(2026, 4, 10, 12), 5, "b"));  // outside
  const auto report = load_report(plan, ledger, {civil(2026, 3, 2), civil(2026, 3, 12)});
  REQUIRE(report.ok());
  CHECK(report->pages == 4);
  CHECK(report->night_pages == 1);
  CHECK(report->median_ack_s == 120);
  CHECK(report->gini_pages_milli == gini_milli({3, 1, 0, 0}));
  CHECK(report->gini_hours_milli == gini_milli({7, 3, 0, 0}));
  const PersonLoad& anna = report->people[0];
  CHECK((anna.person == 0 && anna.pages == 3 && anna.night_pages == 1 && anna.acknowledged == 3));
  CHECK(anna.on_call_s == 7 * 86400);
  CHECK((anna.median_ack_s == 120 && anna.slowest_ack_s == 600 && anna.most_in_a_day == 3));
  CHECK(report->people[1].on_call_s == 3 * 86400);
  CHECK_FALSE(report->people[1].median_ack_s);
}

TEST_CASE("A rule that pages for nothing is named with what to change", "[report]") {
  const Plan plan = plan_of_two_weeks();
  PageLedger ledger(plan.roster);
  const int64_t noon = civil(2026, 3, 3, 12);
  for (int i = 0; i < 6; ++i) {
    Page brief = page(0, noon + i * 7200, 60, "flap api");
    brief.by_itself = true;
    brief.over_s = brief.at_s + 200;
    if (i < 4) brief.over_s += 3600;
    ledger.add(brief);
    ledger.add(page(0, noon + i * 86400, i < 2 ? 60 : -1, "quiet db"));
    ledger.add(page(1, civil(2026, 3, 3 + i, 2), 60, "night batch"));
    ledger.add(page(1, noon + i * 86400, 60, "useful web"));
    if (i < 3) ledger.add(page(1, noon + i * 100, -1, "rare x"));
  }
  const auto report = load_report(plan, ledger, {civil(2026, 3, 2), civil(2026, 3, 12)});
  REQUIRE(report.ok());
  REQUIRE(report->rules.size() == 3);
  CHECK(report->rules[0].signature == "flap api");
  CHECK(report->rules[0].hint ==
        "6 of 6 were over without anybody's doing: make it a ticket, or raise its threshold");
  CHECK(report->rules[1].signature == "quiet db");
  CHECK(report->rules[1].hint == "4 of 6 were acknowledged by nobody: does it need a person?");
  CHECK(report->rules[2].signature == "night batch");
  CHECK(report->rules[2].hint == "6 of 6 came at night: can it wait for the morning (P2)?");
  std::string json;
  JsonWriter out(json);
  write_json(out, plan, *report);
  CHECK(json.find(R"("gini_on_call":0.6)") != std::string::npos);
}
