// People and zones of the on-call tests.
#pragma once

#include <fstream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "nines/base/time.hpp"
#include "nines/oncall/schedule.hpp"

namespace nines::oncall::test {

inline int64_t civil(int64_t y, int m, int d, int hour = 0, int minute = 0) {
  return days_from_civil(y, m, d) * 86400 + hour * 3600 + minute * 60;
}

inline Result<TimeZone> load_zone(const std::string& name) {
  if (name == "UTC") return TimeZone();
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  if (!file) return Error{Errc::not_found, "no zone '" + name + "'", 0};
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return TimeZone::from_tzif(name, bytes.str());
}

inline Zone zone(const std::string& name) {
  auto loaded = load_zone(name);
  if (!loaded.ok()) throw std::runtime_error(loaded.error().message + ": install tzdata");
  return std::make_shared<const TimeZone>(std::move(*loaded));
}

inline std::string shown(int64_t t_s) { return format_rfc3339(WallTime::from_s(t_s)); }

// anna, ben, carla, dora: 0, 1, 2, 3.
inline std::shared_ptr<Roster> four_people() {
  auto roster = std::make_shared<Roster>();
  for (const char* name : {"anna", "ben", "carla", "dora"}) {
    Person person;
    person.id = person.name = name;
    roster->people.push_back(person);
  }
  return roster;
}

inline std::string name_of(const Roster& roster, uint32_t person) {
  return person == kNobody ? "nobody" : roster.people[person].id;
}

// "anna until 2026-01-05T09:00:00Z; ben until ..."
inline std::string listed(const Schedule& schedule, int64_t from_s, int64_t to_s) {
  const auto shifts = schedule.shifts(from_s, to_s);
  if (!shifts.ok()) return shifts.error().message;
  std::string out;
  for (const Shift& shift : *shifts) {
    if (!out.empty()) out += "; ";
    out += name_of(schedule.roster(), shift.duty.person) + " until " + shown(shift.span.to_s);
  }
  return out;
}

}  // namespace nines::oncall::test
