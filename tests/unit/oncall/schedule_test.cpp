#include "nines/oncall/schedule.hpp"

#include <catch2/catch.hpp>

#include "oncall_fixture.hpp"

using namespace nines;
using namespace nines::oncall;
using namespace nines::oncall::test;

namespace {

// Weekly turns from Monday 2026-01-05 09:00 in Berlin.
Layer weekly(std::vector<uint32_t> people = {0, 1, 2}) {
  Layer layer;
  layer.name = "weekly";
  layer.zone = zone("Europe/Berlin");
  layer.people = std::move(people);
  layer.rotation = {Rotation::Unit::week, 1, civil(2026, 1, 5, 9)};
  return layer;
}

Schedule make(std::vector<Layer> layers, std::shared_ptr<const Roster> roster = four_people()) {
  auto made = Schedule::make({"primary", std::move(roster), std::move(layers), {}, {}});
  REQUIRE(made.ok());
  return std::move(*made);
}

std::string who(const Schedule& schedule, int64_t t_s) {
  return name_of(schedule.roster(), schedule.at(t_s).person);
}

std::string refusal(Schedule::Parts parts) {
  const auto made = Schedule::make(std::move(parts));
  return made.ok() ? "fine" : made.error().message;
}

}  // namespace

TEST_CASE("A hand-over at 09:00 stays at 09:00 when clocks change") {
  const Schedule schedule = make({weekly()});
  // Clocks go forward on 2026-03-29: 09:00 is 08:00 UTC before, 07:00 UTC afterwards.
  CHECK(listed(schedule, civil(2026, 3, 20), civil(2026, 4, 7)) ==
        "ben until 2026-03-23T08:00:00Z; carla until 2026-03-30T07:00:00Z; "
        "anna until 2026-04-06T07:00:00Z; ben until 2026-04-07T00:00:00Z");
  // And back on 2026-10-25.
  CHECK(listed(schedule, civil(2026, 10, 20), civil(2026, 10, 27)) ==
        "carla until 2026-10-26T08:00:00Z; anna until 2026-10-27T00:00:00Z");
}

TEST_CASE("A hand-over that is skipped happens when clocks are put forward, none is lost") {
  Layer layer = weekly({0, 1});
  layer.rotation = {Rotation::Unit::day, 1, civil(2026, 3, 27, 2, 30)};
  const Schedule schedule = make({layer});
  CHECK(listed(schedule, civil(2026, 3, 28), civil(2026, 3, 31)) ==
        "anna until 2026-03-28T01:30:00Z; ben until 2026-03-29T01:00:00Z; "
        "anna until 2026-03-30T00:30:00Z; ben until 2026-03-31T00:00:00Z");
}

TEST_CASE("A hand-over that happens twice is the first of both") {
  Layer layer = weekly({0, 1});
  layer.rotation = {Rotation::Unit::day, 1, civil(2026, 10, 24, 2, 30)};
  const Schedule schedule = make({layer});
  CHECK(listed(schedule, civil(2026, 10, 24, 12), civil(2026, 10, 26)) ==
        "anna until 2026-10-25T00:30:00Z; ben until 2026-10-26T00:00:00Z");
}

TEST_CASE("Turns of hours go on through the hours that are skipped and repeated") {
  Layer layer = weekly({0, 1, 2});
  layer.rotation = {Rotation::Unit::hour, 12, civil(2026, 3, 28, 8)};
  const Schedule schedule = make({layer});
  CHECK(listed(schedule, civil(2026, 3, 28, 7), civil(2026, 3, 29, 12)) ==
        "anna until 2026-03-28T19:00:00Z; ben until 2026-03-29T06:00:00Z; "
        "carla until 2026-03-29T12:00:00Z");
}

TEST_CASE("Nobody is on call before the first hand-over, nor behind the end of a layer") {
  Layer layer = weekly();
  layer.to_s = civil(2026, 1, 20);
  const Schedule schedule = make({layer});
  CHECK(who(schedule, civil(2026, 1, 5, 7, 59)) == "nobody");
  CHECK(who(schedule, civil(2026, 1, 5, 8)) == "anna");
  CHECK(who(schedule, civil(2026, 1, 20) - 1) == "carla");
  CHECK(who(schedule, civil(2026, 1, 20)) == "nobody");
}

TEST_CASE("A layer with windows goes before the one below it, within them only") {
  Layer nights = weekly({3});
  nights.windows = {{kWorkingDays, 22 * 3600, 6 * 3600}};
  const Schedule schedule = make({weekly({0}), nights});
  // Friday's night reaches into Saturday; Saturday and Sunday have none.
  CHECK(listed(schedule, civil(2026, 1, 9, 12), civil(2026, 1, 12, 22)) ==
        "anna until 2026-01-09T21:00:00Z; dora until 2026-01-10T05:00:00Z; "
        "anna until 2026-01-12T21:00:00Z; dora until 2026-01-12T22:00:00Z");
}

TEST_CASE("A window is as long as the clock on the wall says") {
  Layer nights = weekly({3});
  nights.windows = {{kEveryDay, 22 * 3600, 6 * 3600}};
  const Schedule schedule = make({nights});
  CHECK(listed(schedule, civil(2026, 3, 28, 21), civil(2026, 3, 29, 12)) ==
        "dora until 2026-03-29T04:00:00Z; nobody until 2026-03-29T12:00:00Z");
  // A window within the hour that happens twice is there once.
  nights.windows = {{kEveryDay, 2 * 3600 + 900, 2 * 3600 + 2700}};
  CHECK(listed(make({nights}), civil(2026, 10, 25), civil(2026, 10, 25, 4)) ==
        "nobody until 2026-10-25T00:15:00Z; dora until 2026-10-25T00:45:00Z; "
        "nobody until 2026-10-25T04:00:00Z");
}

TEST_CASE("Holidays belong to the layer that is for them only") {
  Layer holidays = weekly({3});
  holidays.on_holidays = OnHolidays::only;
  Layer days = weekly({0});
  days.windows = {{kWorkingDays, 9 * 3600, 17 * 3600}};
  days.on_holidays = OnHolidays::never;
  auto made = Schedule::make(
      {"primary", four_people(), {days, holidays}, {}, {{days_from_civil(2026, 5, 1)}}});
  REQUIRE(made.ok());
  CHECK(listed(*made, civil(2026, 4, 30, 8), civil(2026, 5, 2)) ==
        "anna until 2026-04-30T15:00:00Z; nobody until 2026-04-30T22:00:00Z; "
        "dora until 2026-05-01T22:00:00Z; nobody until 2026-05-02T00:00:00Z");
}

TEST_CASE("Who is away is replaced by the next of the layer, for as long as it lasts") {
  auto roster = four_people();
  roster->people[1].away = {{civil(2026, 1, 14), civil(2026, 1, 16)}};
  const Schedule schedule = make({weekly()}, roster);
  CHECK(listed(schedule, civil(2026, 1, 13), civil(2026, 1, 19)) ==
        "ben until 2026-01-14T00:00:00Z; carla until 2026-01-16T00:00:00Z; "
        "ben until 2026-01-19T00:00:00Z");
  const Duty duty = schedule.at(civil(2026, 1, 15));
  CHECK(duty.instead_of == 1);
  for (Person& person : roster->people) person.away = {{0, civil(2030, 1, 1)}};
  CHECK(who(schedule, civil(2026, 1, 15)) == "nobody");
}

TEST_CASE("An override goes before all layers, one of a person only before that person's") {
  Schedule::Parts parts{"primary", four_people(), {weekly()}, {}, {}};
  parts.overrides = {{{civil(2026, 1, 10), civil(2026, 1, 20)}, 3, 1},  // dora for ben
                     {{civil(2026, 1, 18), civil(2026, 1, 21)}, 0, kNobody}};
  auto made = Schedule::make(parts);
  REQUIRE(made.ok());
  CHECK(listed(*made, civil(2026, 1, 9), civil(2026, 1, 22)) ==
        "anna until 2026-01-12T08:00:00Z; dora until 2026-01-18T00:00:00Z; "
        "anna until 2026-01-21T00:00:00Z; carla until 2026-01-22T00:00:00Z");
  const Duty duty = made->at(civil(2026, 1, 15));
  CHECK((duty.why == Duty::Why::replacement && duty.instead_of == 1));
}

TEST_CASE("Gaps and overlaps are found with their time and their people") {
  Layer days = weekly({0, 1});
  days.windows = {{kEveryDay, 8 * 3600, 20 * 3600}};
  Schedule::Parts parts{"primary", four_people(), {days}, {}, {}};
  parts.overrides = {{{civil(2026, 1, 6, 8), civil(2026, 1, 6, 12)}, 2, kNobody},
                     {{civil(2026, 1, 6, 10), civil(2026, 1, 6, 14)}, 3, kNobody}};
  auto made = Schedule::make(parts);
  REQUIRE(made.ok());
  const auto found = made->check(civil(2026, 1, 6, 7), civil(2026, 1, 7, 7));
  REQUIRE(found.ok());
  REQUIRE(found->size() == 2);
  CHECK((*found)[0].kind == ScheduleFinding::Kind::overlap);
  CHECK((*found)[0].span == Span{civil(2026, 1, 6, 10), civil(2026, 1, 6, 12)});
  CHECK(((*found)[0].first == 2 && (*found)[0].second == 3));
  CHECK((*found)[1].kind == ScheduleFinding::Kind::gap);
  CHECK((*found)[1].span == Span{civil(2026, 1, 6, 19), civil(2026, 1, 7, 7)});
}

TEST_CASE("Shifts of more than 400 days, and more than there is room for, are refused") {
  Layer hourly = weekly({0, 1});
  hourly.rotation = {Rotation::Unit::hour, 1, civil(2026, 1, 5, 9)};
  hourly.windows.push_back({kEveryDay, 0, 1800});
  for (int32_t hour = 0; hour < 24; ++hour) {
    for (int32_t minute = 0; minute < 60; minute += 10) {
      hourly.windows.push_back(
          {kEveryDay, hour * 3600 + minute * 60, hour * 3600 + minute * 60 + 300});
    }
  }
  const Schedule schedule = make({hourly});
  CHECK(schedule.shifts(0, Schedule::kMaxSpanS + 1).error().code == Errc::invalid_argument);
  CHECK(schedule.shifts(5, 5).error().code == Errc::invalid_argument);
  const auto many = schedule.shifts(civil(2026, 2, 1), civil(2026, 12, 1));
  REQUIRE(!many.ok());
  CHECK(many.error().code == Errc::exhausted);
}

TEST_CASE("A schedule that can't be followed is refused by what is wrong") {
  const auto roster = four_people();
  CHECK(refusal({"s", roster, {weekly({})}, {}, {}}) == "layer 'weekly' has nobody in it");
  CHECK(refusal({"s", roster, {weekly({9})}, {}, {}}) ==
        "layer 'weekly' has a person who is not in the roster");
  Layer none = weekly();
  none.rotation.count = 0;
  CHECK(refusal({"s", roster, {none}, {}, {}}) ==
        "layer 'weekly' needs turns of an hour to 366 days");
  CHECK(refusal({"s", roster, {weekly()}, {{{5, 5}, 0, kNobody}}, {}}) ==
        "an override of schedule 's' ends before it begins");
  CHECK(refusal({"s", roster, {weekly()}, {{{5, 9}, 9, kNobody}}, {}}) ==
        "an override of schedule 's' has a person who is not in the roster");
}
