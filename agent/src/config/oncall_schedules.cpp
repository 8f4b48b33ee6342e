// Schedules of the on-call document, and the calendars that they name.
#include <algorithm>
#include <charconv>

#include "config/files.hpp"
#include "config/oncall.hpp"
#include "config/oncall_reader.hpp"
#include "config/zones.hpp"

namespace nines::agent::config {

namespace oncall = nines::oncall;

namespace {

// "daily", "weekly", or a number of hours, days or weeks: "12h", "2d", "3w".
std::optional<oncall::Rotation> parse_rotation(std::string_view text) {
  oncall::Rotation out;
  using Unit = oncall::Rotation::Unit;
  if (text == "daily") out.unit = Unit::day;
  if (text == "daily" || text == "weekly") return out;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.count);
  const std::string_view unit = text.substr(static_cast<size_t>(end - text.data()));
  if (error != std::errc() || out.count < 1 || out.count > 10'000) return std::nullopt;
  if (unit == "h") out.unit = Unit::hour;
  if (unit == "d") out.unit = Unit::day;
  return unit == "h" || unit == "d" || unit == "w" ? std::optional(out) : std::nullopt;
}

}  // namespace

std::optional<oncall::Calendar> load_calendar(const std::string& path, const oncall::Zone& floating,
                                              Reporter& report) {
  const auto text = read_file(path, oncall::Calendar::kMaxBytes);
  if (!text.ok()) {
    report.add(Diagnostic::Severity::error, path, {}, text.error().message,
               "an iCalendar file (.ics) of at most 1 MiB");
    return std::nullopt;
  }
  std::vector<oncall::CalendarTrouble> troubles;
  auto calendar = oncall::Calendar::read(*text, floating, load_time_zone, troubles);
  for (const oncall::CalendarTrouble& one : troubles) {
    report.add(
        Diagnostic::Severity::error, path, {one.line, one.column}, one.message,
        one.hint.empty() ? "RFC 5545; nines oncall import --help tells what is read" : one.hint);
  }
  return calendar;
}

void OncallReader::read_schedule(const YamlNode& node) {
  MapReader reader(node, "a schedule", report_);
  const YamlNode* name = reader.require("name", "name: primary");
  const YamlNode* zone_node = reader.find("time_zone");
  const YamlNode* layers = reader.require("layers", "layers: [{rotation: weekly, ...}]");
  const YamlNode* overrides = reader.find("overrides");
  const YamlNode* holidays = reader.find("holidays");
  reader.finish();
  if (name == nullptr || layers == nullptr) return;
  const size_t errors = report_.errors();
  oncall::Schedule::Parts parts;
  parts.roster = roster_;
  parts.holidays = holidays_;
  parts.name = read_text(*name, "'name' of a schedule", report_).value_or("");
  const std::string who = "schedule '" + parts.name + "'";
  if (plan_.schedule_named(parts.name) != nullptr) {
    report_.error(*name, "there are two schedules called '" + parts.name + "'");
    return;
  }
  const Zone zone = zone_of(zone_node, "'time_zone' of " + who, oncall::utc_zone());
  if (holidays != nullptr) parts.holidays = holidays_of(*holidays, "'holidays' of " + who);
  for (const YamlNode* item : read_list(*layers, "'layers' of " + who, report_)) {
    read_layer(*item, zone, parts);
  }
  if (overrides != nullptr) {
    for (const YamlNode* item : read_list(*overrides, "'overrides' of " + who, report_)) {
      read_override(*item, zone, parts);
    }
  }
  if (report_.errors() != errors) return;
  auto made = oncall::Schedule::make(std::move(parts));
  if (!made.ok()) {
    report_.error(node, made.error().message);
    return;
  }
  plan_.schedules.push_back(std::move(*made));
}

void OncallReader::read_layer(const YamlNode& node, const Zone& zone,
                              oncall::Schedule::Parts& parts) {
  oncall::Layer layer;
  layer.name = std::to_string(parts.layers.size() + 1);
  if (const YamlNode* given = node.get("name")) layer.name = given->text;
  MapReader reader(node, "layer '" + layer.name + "' of schedule '" + parts.name + "'", report_);
  reader.find("name");
  layer.zone = zone_of(reader.find("time_zone"), "'time_zone' of " + reader.what(), zone);
  if (const YamlNode* only = reader.find("only")) {
    layer.windows = windows_of(*only, "'only' of " + reader.what());
  }
  if (const YamlNode* holidays = reader.find("holidays")) {
    const auto rule = read_choice(*holidays, "'holidays' of " + reader.what(),
                                  {"as_usual", "never", "only"}, report_);
    if (rule == "never") layer.on_holidays = oncall::OnHolidays::never;
    if (rule == "only") layer.on_holidays = oncall::OnHolidays::only;
  }
  if (const YamlNode* to = reader.find("end")) {
    layer.to_s = instant_of(*to, "'end' of " + reader.what(), layer.zone);
  }
  if (const YamlNode* calendar = reader.find("calendar")) {
    read_calendar(reader, *calendar, layer);
  } else {
    read_rotation(reader, layer);
  }
  reader.finish();
  parts.layers.push_back(std::move(layer));
}

void OncallReader::read_rotation(MapReader& reader, oncall::Layer& layer) {
  const YamlNode* rotation = reader.require("rotation", "rotation: weekly");
  const YamlNode* start = reader.require("start", "start: \"2026-01-05 09:00\"");
  const YamlNode* people = reader.require("people", "people: [anna, ben]");
  if (rotation != nullptr) {
    const auto read = parse_rotation(rotation->text);
    if (read) layer.rotation = *read;
    if (!read) {
      report_.error(*rotation,
                    "'rotation' of " + reader.what() + " must be how long a turn is, found " +
                        describe(*rotation),
                    "daily, weekly, or like 12h, 2d, 3w");
    }
  }
  if (start != nullptr) {
    const auto first = read_civil_time(*start, "'start' of " + reader.what(), report_);
    layer.rotation.first_s = first.value_or(0);
  }
  if (people != nullptr) layer.people = people_of(*people, "'people' of " + reader.what());
}

std::optional<uint32_t> OncallReader::of_event(const oncall::CalendarEvent& event,
                                               const std::map<std::string, uint32_t>& names) const {
  for (const std::string& text : {event.summary, event.attendee}) {
    const auto given = names.find(text);
    if (given != names.end()) return given->second;
  }
  if (const auto found = roster_->find(event.summary)) return found;
  for (size_t i = 0; i < roster_->people.size(); ++i) {
    if (roster_->people[i].name == event.summary) return static_cast<uint32_t>(i);
  }
  return std::nullopt;
}

void OncallReader::read_calendar(MapReader& reader, const YamlNode& path, oncall::Layer& layer) {
  std::map<std::string, uint32_t> names;
  if (const YamlNode* given = reader.find("names")) {
    if (given->kind != YamlNode::Kind::map) {
      report_.error(*given, "'names' of " + reader.what() + " must be a map",
                    "names: {\"Anna (on call)\": anna}");
    }
    for (const YamlEntry& entry : given->entries) {
      const auto person = person_of(entry.value, "'names' of " + reader.what());
      if (person) names[entry.key] = *person;
    }
  }
  const auto file = read_text(path, "'calendar' of " + reader.what(), report_);
  if (!file) return;
  auto calendar = load_calendar(beside(path.file->path, *file), layer.zone, report_);
  if (!calendar) return;
  for (const oncall::CalendarEvent& event : calendar->events()) {
    const auto person = of_event(event, names);
    layer.people.push_back(person.value_or(oncall::kNobody));
    if (person) continue;
    report_.error(path,
                  "'calendar' of " + reader.what() + ": line " + std::to_string(event.line) +
                      ": nobody is called '" + event.summary.substr(0, 80) + "'",
                  "say who it is: names: {\"" + event.summary.substr(0, 80) + "\": PERSON}");
  }
  if (layer.people.empty()) {
    report_.error(path, "'calendar' of " + reader.what() + " has no events");
  }
  layer.calendar = std::make_shared<const oncall::Calendar>(std::move(*calendar));
}

void OncallReader::read_override(const YamlNode& node, const Zone& zone,
                                 oncall::Schedule::Parts& parts) {
  MapReader reader(node, "an override of schedule '" + parts.name + "'", report_);
  const YamlNode* from = reader.require("from", "from: \"2026-07-01 09:00\"");
  const YamlNode* to = reader.require("to", "to: \"2026-07-02 09:00\"");
  const YamlNode* person = reader.require("person", "person: anna");
  const YamlNode* instead_of = reader.find("instead_of");
  reader.finish();
  const auto span = span_of(from, to, reader.what(), zone);
  oncall::Override out;
  if (instead_of != nullptr) {
    const auto whom = person_of(*instead_of, "'instead_of' of " + reader.what());
    out.instead_of = whom.value_or(oncall::kNobody);
  }
  if (person == nullptr) return;
  const auto who = person_of(*person, "'person' of " + reader.what());
  if (!span || !who) return;
  out.span = *span;
  out.person = *who;
  parts.overrides.push_back(out);
}

}  // namespace nines::agent::config
