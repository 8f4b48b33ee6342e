// Shifts against the plain question "who is on call at that second", and turns against counting.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <sstream>

#include "nines/base/time.hpp"
#include "nines/oncall/schedule.hpp"

using namespace nines;
using namespace nines::oncall;

namespace {

constexpr int64_t kDay = 86400;

Zone zone(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  auto loaded = TimeZone::from_tzif(name, bytes.str());
  RC_ASSERT(loaded.ok());
  return std::make_shared<const TimeZone>(std::move(*loaded));
}

// With clocks that change by an hour, half an hour, not at all, and a day that was skipped.
Zone any_zone() {
  return zone(*rc::gen::element<std::string>("Europe/Berlin", "Australia/Lord_Howe", "Asia/Kolkata",
                                             "America/New_York", "Pacific/Apia"));
}

int64_t any_time() {  // around the years 2011 (Samoa's skipped day) and 2026
  const int64_t year = *rc::gen::element<int64_t>(2011, 2026);
  return days_from_civil(year, 1, 1) * kDay + *rc::gen::inRange<int64_t>(0, 400 * kDay);
}

Layer any_layer(size_t people) {
  Layer layer;
  layer.zone = any_zone();
  layer.people = *rc::gen::nonEmpty(rc::gen::container<std::vector<uint32_t>>(
      rc::gen::inRange<uint32_t>(0, static_cast<uint32_t>(people))));
  layer.rotation.unit =
      *rc::gen::element(Rotation::Unit::hour, Rotation::Unit::day, Rotation::Unit::week);
  layer.rotation.count = *rc::gen::inRange<int64_t>(1, 30);
  layer.rotation.first_s = any_time() - 200 * kDay;
  const int windows = *rc::gen::inRange(0, 3);
  for (int i = 0; i < windows; ++i) {
    layer.windows.push_back({*rc::gen::inRange<uint8_t>(1, 128),
                             *rc::gen::inRange<int32_t>(0, 86399),
                             *rc::gen::inRange<int32_t>(0, 86400)});
  }
  layer.on_holidays = *rc::gen::element(OnHolidays::as_usual, OnHolidays::never, OnHolidays::only);
  if (*rc::gen::inRange(0, 4) == 0) layer.to_s = any_time();
  return layer;
}

Schedule any_schedule(int64_t around_s) {
  auto roster = std::make_shared<Roster>();
  for (int i = 0; i < 5; ++i) {
    Person person;
    person.id = std::to_string(i);
    const int64_t from = around_s + *rc::gen::inRange<int64_t>(-20 * kDay, 20 * kDay);
    person.away.push_back({from, from + *rc::gen::inRange<int64_t>(1, 9 * kDay)});
    roster->people.push_back(person);
  }
  Schedule::Parts parts;
  parts.roster = roster;
  const int layers = *rc::gen::inRange(1, 4);
  for (int i = 0; i < layers; ++i) parts.layers.push_back(any_layer(5));
  const int overrides = *rc::gen::inRange(0, 4);
  for (int i = 0; i < overrides; ++i) {
    const int64_t from = around_s + *rc::gen::inRange<int64_t>(-20 * kDay, 20 * kDay);
    parts.overrides.push_back({{from, from + *rc::gen::inRange<int64_t>(1, 5 * kDay)},
                               *rc::gen::inRange<uint32_t>(0, 5),
                               *rc::gen::element<uint32_t>(UINT32_MAX, 0, 1)});
  }
  for (int64_t day = -30; day < 30; day += 3) {
    parts.holidays.days.push_back(around_s / kDay + day);
  }
  auto made = Schedule::make(std::move(parts));
  RC_ASSERT(made.ok());
  return std::move(*made);
}

}  // namespace

TEST_CASE("Every second belongs to exactly one shift, which names who is on call then") {
  CHECK(rc::check([] {
    const int64_t from = any_time(), to = from + *rc::gen::inRange<int64_t>(1, 30 * kDay);
    const Schedule schedule = any_schedule(from);
    const auto shifts = schedule.shifts(from, to);
    RC_ASSERT(shifts.ok());
    int64_t expected = from;
    for (const Shift& shift : *shifts) {
      RC_ASSERT(shift.span.from_s == expected);
      RC_ASSERT(shift.span.to_s > shift.span.from_s);
      expected = shift.span.to_s;
      for (int i = 0; i < 5; ++i) {
        const int64_t t = *rc::gen::inRange(shift.span.from_s, shift.span.to_s);
        RC_ASSERT(schedule.at(t) == shift.duty);
      }
      RC_ASSERT(schedule.at(shift.span.to_s - 1) == shift.duty);
      if (shift.span.to_s < to) RC_ASSERT(!(schedule.at(shift.span.to_s) == shift.duty));
    }
    RC_ASSERT(expected == to);
  }));
}

TEST_CASE("Turns of whole days hand over at the same time of day, wherever clocks change") {
  CHECK(rc::check([] {
    Schedule::Parts parts;
    auto roster = std::make_shared<Roster>();
    roster->people.resize(2);
    parts.roster = roster;
    Layer layer;
    layer.zone = zone(*rc::gen::element<std::string>("Europe/Berlin", "America/New_York"));
    layer.people = {0, 1};
    layer.rotation = {
        Rotation::Unit::day, *rc::gen::inRange<int64_t>(1, 15),
        days_from_civil(2026, 1, 1) * kDay + *rc::gen::inRange<int64_t>(4, 24) * 3600};
    parts.layers.push_back(layer);
    const auto schedule = Schedule::make(parts);
    RC_ASSERT(schedule.ok());
    const int64_t from = days_from_civil(2026, 2, 1) * kDay;
    const auto shifts = schedule->shifts(from, from + 300 * kDay);
    RC_ASSERT(shifts.ok());
    for (size_t i = 1; i < shifts->size(); ++i) {
      const int64_t start = (*shifts)[i].span.from_s;
      const int64_t civil = start + layer.zone->offset_s(start);
      RC_ASSERT((civil - layer.rotation.first_s) % (layer.rotation.count * kDay) == 0);
      RC_ASSERT((*shifts)[i].duty.person != (*shifts)[i - 1].duty.person);
    }
  }));
}

TEST_CASE("Without absences everybody has the same number of turns") {
  CHECK(rc::check([] {
    auto roster = std::make_shared<Roster>();
    const auto count = *rc::gen::inRange<uint32_t>(2, 8);
    roster->people.resize(count);
    Layer layer;
    layer.zone = zone("Europe/Berlin");
    for (uint32_t i = 0; i < count; ++i) layer.people.push_back(i);
    layer.rotation = {Rotation::Unit::week, 1, days_from_civil(2026, 1, 5) * kDay + 9 * 3600};
    Schedule::Parts parts;
    parts.roster = roster;
    parts.layers = {layer};
    const auto schedule = Schedule::make(parts);
    const int64_t first = days_from_civil(2026, 1, 5) * kDay + 8 * 3600;
    const auto rounds = *rc::gen::inRange<int64_t>(1, 350 / (7 * count) + 1);
    const int64_t last = layer.zone->to_utc(layer.rotation.first_s + rounds * count * 7 * kDay);
    const auto shifts = schedule->shifts(first, last);
    RC_ASSERT(shifts.ok());
    std::vector<int64_t> turns(count);
    for (const Shift& shift : *shifts) ++turns[shift.duty.person];
    for (const int64_t one : turns) RC_ASSERT(one == rounds);
  }));
}
