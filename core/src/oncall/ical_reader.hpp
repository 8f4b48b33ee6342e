// From content lines to events: components, zones, and which instances of which event are replaced.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "ical_lines.hpp"

namespace nines::oncall {

class CalendarReader {
 public:
  CalendarReader(Zone floating, const Calendar::ZoneLookup& zones,
                 std::vector<CalendarTrouble>& troubles)
      : floating_(std::move(floating)), lookup_(zones), troubles_(troubles) {}
  std::vector<CalendarEvent> read(const std::vector<ContentLine>& lines);

 private:
  using Lines = std::vector<const ContentLine*>;
  struct Component {
    std::string name;
    int line = 0;
    Lines lines;
    std::vector<Component> parts;
  };
  struct Instant {
    int64_t civil_s = 0, at_s = 0;
    bool date = false;
    Zone zone;
  };
  struct Observance {
    int64_t at_s = 0;
    int32_t before = 0, after = 0;
  };

  void trouble(int line, int column, std::string message, std::string hint = {});
  void trouble(const ContentLine& line, std::string message, std::string hint = {});
  Component tree(const std::vector<ContentLine>& lines);
  void read_zone(const Component& component);
  void read_observance(const Component& component, std::vector<Observance>& out);
  void read_event(const Component& component, std::vector<CalendarEvent>& out);
  void read_line(const ContentLine& line, CalendarEvent& event);
  void read_length(const Component& component, const Instant& start, CalendarEvent& event);
  void read_rule(const ContentLine& line, const Instant& start, CalendarEvent& event);
  void read_dates(const ContentLine& line, std::vector<int64_t>& out);
  std::optional<Instant> instant(const ContentLine& line, std::string_view text);
  Zone zone_named(const ContentLine& line, const std::string& name);
  void replace_instances(std::vector<CalendarEvent>& events);

  Zone floating_;
  const Calendar::ZoneLookup& lookup_;
  std::vector<CalendarTrouble>& troubles_;
  std::map<std::string, Zone> zones_;
  size_t dates_ = 0, rules_ = 0, zone_rules_ = 0;
};

}  // namespace nines::oncall
