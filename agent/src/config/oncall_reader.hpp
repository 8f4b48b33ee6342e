// The parts of the on-call document. Everything is read, whatever is wrong elsewhere, so that one
// run shows every problem.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/reader.hpp"
#include "nines/oncall/router.hpp"

namespace nines::agent::config {

class OncallReader {
 public:
  OncallReader(const std::vector<std::string>* notifiers, Reporter& report)
      : notifiers_(notifiers), report_(report) {}
  std::optional<nines::oncall::Plan> read(const YamlNode& root);

 private:
  using Zone = nines::oncall::Zone;
  using Windows = std::vector<nines::oncall::DailyWindow>;

  // oncall_people.cpp
  void read_people(const YamlNode& node);
  void read_person(const YamlNode& node);
  void check_notify(const YamlNode& node, const std::vector<std::string>& names,
                    const std::string& what);
  void read_caps(const YamlNode& node, const std::string& what,
                 std::vector<nines::oncall::Cap>& to);
  void read_away(const YamlNode& node, const std::string& what, nines::oncall::Person& person);
  std::vector<uint32_t> people_of(const YamlNode& node, const std::string& what);
  std::optional<uint32_t> person_of(const YamlNode& node, const std::string& what);

  // oncall_time.cpp
  Zone zone_of(const YamlNode* node, const std::string& what, const Zone& fallback);
  std::optional<uint8_t> days_of(const YamlNode& node, const std::string& what);
  Windows windows_of(const YamlNode& node, const std::string& what);
  std::optional<int64_t> instant_of(const YamlNode& node, const std::string& what,
                                    const Zone& zone);
  std::optional<nines::oncall::Span> span_of(const YamlNode* from, const YamlNode* to,
                                             const std::string& what, const Zone& zone);
  nines::oncall::Holidays holidays_of(const YamlNode& node, const std::string& what);

  // oncall_schedules.cpp
  void read_schedule(const YamlNode& node);
  void read_layer(const YamlNode& node, const Zone& zone, nines::oncall::Schedule::Parts& parts);
  void read_rotation(MapReader& reader, nines::oncall::Layer& layer);
  void read_calendar(MapReader& reader, const YamlNode& path, nines::oncall::Layer& layer);
  std::optional<uint32_t> of_event(const nines::oncall::CalendarEvent& event,
                                   const std::map<std::string, uint32_t>& names) const;
  void read_override(const YamlNode& node, const Zone& zone, nines::oncall::Schedule::Parts& parts);

  // oncall.cpp
  void read_policy(const YamlNode& node);
  void read_level(const YamlNode& node, const std::string& what, nines::oncall::Policy& policy);
  void read_ack(const YamlNode& node, const std::string& what, nines::oncall::Policy& policy);
  void read_digest(const YamlNode& node, const std::string& what, nines::oncall::Policy& policy);
  void read_weights(const YamlNode& node);

  const std::vector<std::string>* notifiers_;
  Reporter& report_;
  std::shared_ptr<nines::oncall::Roster> roster_ = std::make_shared<nines::oncall::Roster>();
  nines::oncall::Plan plan_;
  nines::oncall::Holidays holidays_;
  std::map<std::string, Zone> zones_;  // each is read once
};

}  // namespace nines::agent::config
