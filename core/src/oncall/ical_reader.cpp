#include "ical_reader.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include "civil.hpp"
#include "nines/base/time.hpp"

namespace nines::oncall {
namespace {

constexpr size_t kMaxDepth = 4;
constexpr size_t kMaxZoneRules = 128;  // each is followed day by day to the year 2100
constexpr size_t kMaxRules = 500;      // each has a zone of 3 KiB
constexpr const char* kTimeHint = "like 20260301T090000Z, or TZID=Europe/Berlin:20260301T090000";

std::string shown(const std::string& value) { return "'" + value.substr(0, 80) + "'"; }

template <class Parts>
auto find_line(const Parts& lines, std::string_view name) -> const ContentLine* {
  for (const ContentLine* line : lines) {
    if (line->name == name) return line;
  }
  return nullptr;
}

}  // namespace

void CalendarReader::trouble(int line, int column, std::string message, std::string hint) {
  if (troubles_.size() < Calendar::kMaxTroubles) {
    troubles_.push_back({line, column, std::move(message), std::move(hint)});
  }
}

void CalendarReader::trouble(const ContentLine& line, std::string message, std::string hint) {
  trouble(line.line, line.column, line.name + " " + message, std::move(hint));
}

CalendarReader::Component CalendarReader::tree(const std::vector<ContentLine>& lines) {
  std::vector<Component> open(1);
  for (const ContentLine& line : lines) {
    if (line.name == "BEGIN") {
      if (open.size() > kMaxDepth) {
        trouble(line, "nests deeper than calendars do: " + shown(line.value));
        break;
      }
      open.push_back({line.value, line.line, {}, {}});
    } else if (line.name == "END") {
      if (open.size() < 2 || open.back().name != line.value) {
        trouble(line, "ends " + shown(line.value) + ", which was not the last to begin");
        break;
      }
      Component done = std::move(open.back());
      open.pop_back();
      open.back().parts.push_back(std::move(done));
    } else {
      open.back().lines.push_back(&line);
    }
  }
  if (open.size() > 1 && troubles_.empty()) {
    trouble(open.back().line, 1, open.back().name + " has no END", "the file was cut off");
  }
  return std::move(open.front());
}

std::vector<CalendarEvent> CalendarReader::read(const std::vector<ContentLine>& lines) {
  const Component root = tree(lines);
  std::vector<CalendarEvent> events;
  if (!troubles_.empty()) return events;
  if (root.parts.empty() || root.parts.front().name != "VCALENDAR") {
    trouble(1, 1, "this is no calendar", "an iCalendar file begins with BEGIN:VCALENDAR");
    return events;
  }
  for (const Component& calendar : root.parts) {
    if (const ContentLine* zone = find_line(calendar.lines, "X-WR-TIMEZONE")) {
      if (const Zone known = zone_named(*zone, zone->value)) floating_ = known;
    }
    for (const Component& one : calendar.parts) {
      if (one.name == "VTIMEZONE") read_zone(one);
    }
    for (const Component& one : calendar.parts) {
      if (one.name != "VEVENT") continue;
      if (events.size() >= Calendar::kMaxEvents) {
        trouble(one.line, 1,
                "there are more than " + std::to_string(Calendar::kMaxEvents) + " events",
                "export a shorter time");
        return events;
      }
      read_event(one, events);
    }
  }
  if (troubles_.empty()) replace_instances(events);
  return events;
}

void CalendarReader::read_zone(const Component& component) {
  const ContentLine* id = find_line(component.lines, "TZID");
  if (id == nullptr) return trouble(component.line, 1, "VTIMEZONE has no TZID");
  if (zones_.size() >= Calendar::kMaxZones) return trouble(*id, "is one zone too many");
  std::vector<Observance> all;
  for (const Component& part : component.parts) read_observance(part, all);
  std::sort(all.begin(), all.end(),
            [](const Observance& a, const Observance& b) { return a.at_s < b.at_s; });
  if (all.empty()) return trouble(*id, "has neither STANDARD nor DAYLIGHT");
  std::vector<std::pair<int64_t, int32_t>> changes;
  std::set<int32_t> offsets;
  for (const Observance& one : all) {
    changes.emplace_back(one.at_s, one.after);
    offsets.insert(one.after);
  }
  constexpr size_t kMaxChanges = 5000, kMaxOffsets = 100;
  if (changes.size() > kMaxChanges || offsets.size() > kMaxOffsets) {
    return trouble(*id, "changes its clocks more often than any zone does");
  }
  zones_[id->value] =
      std::make_shared<const TimeZone>(zone_of(id->value, all.front().before, changes));
}

// The changes that one STANDARD or DAYLIGHT describes, to the year 2100.
void CalendarReader::read_observance(const Component& component, std::vector<Observance>& out) {
  const ContentLine* start = find_line(component.lines, "DTSTART");
  const ContentLine* from = find_line(component.lines, "TZOFFSETFROM");
  const ContentLine* to = find_line(component.lines, "TZOFFSETTO");
  if (start == nullptr || from == nullptr || to == nullptr) {
    return trouble(component.line, 1,
                   component.name + " of a zone needs DTSTART, TZOFFSETFROM and TZOFFSETTO");
  }
  const auto first = parse_date_time(start->value);
  const auto before = parse_offset(from->value), after = parse_offset(to->value);
  if (!first || first->date || first->utc) {
    return trouble(*start, "of a zone must be a local time, found " + shown(start->value));
  }
  if (!before || !after) {
    return trouble(before ? *to : *from, "must be an offset like -0500");
  }
  const int64_t first_s = first->civil_s - *before;
  out.push_back({first_s, *before, *after});
  for (const ContentLine* line : component.lines) {
    if (line->name == "RDATE") trouble(*line, "in a zone is not supported", "RRULE is");
  }
  const ContentLine* rule = find_line(component.lines, "RRULE");
  if (rule == nullptr) return;
  if (++zone_rules_ > kMaxZoneRules) return trouble(*rule, "is one rule of zones too many");
  slo::Recurrence::Start begin;
  begin.first = civil_from_days(floor_of(first->civil_s, kDayS));
  begin.second_of_day =
      static_cast<int32_t>(first->civil_s - floor_of(first->civil_s, kDayS) * kDayS);
  begin.duration_s = 1;
  begin.zone = zone_of("fixed", *before, {});
  const auto parsed = slo::Recurrence::parse(rule->value, begin);
  if (!parsed.ok()) return trouble(*rule, "of a zone: " + parsed.error().message);
  std::vector<slo::Interval> all;
  parsed->expand(std::max<int64_t>(0, first_s + 1), days_from_civil(2101, 1, 1) * kDayS, all);
  for (const slo::Interval& one : all) out.push_back({one.from_s, *before, *after});
}

Zone CalendarReader::zone_named(const ContentLine& line, const std::string& name) {
  const auto found = zones_.find(name);
  if (found != zones_.end()) return found->second;
  if (zones_.size() >= 2 * Calendar::kMaxZones) {
    trouble(line, "names one zone too many");
    return nullptr;
  }
  auto zone = lookup_(name);
  if (!zone.ok()) {
    trouble(line,
            "has TZID " + shown(name) + ", which is neither a VTIMEZONE of the file nor " +
                "known here: " + zone.error().message,
            "export the calendar with its zones, or write an IANA name");
    return nullptr;
  }
  return zones_[name] = std::make_shared<const TimeZone>(std::move(*zone));
}

std::optional<CalendarReader::Instant> CalendarReader::instant(const ContentLine& line,
                                                               std::string_view text) {
  const auto time = parse_date_time(text);
  if (!time) {
    trouble(line, "must be a date or a time, found " + shown(std::string(text)), kTimeHint);
    return std::nullopt;
  }
  Instant out{time->civil_s, 0, time->date, floating_};
  const std::string id(line.parameter("TZID"));
  if (time->utc) {
    out.zone = utc_zone();
  } else if (!id.empty() && !time->date) {
    out.zone = zone_named(line, id);
    if (out.zone == nullptr) return std::nullopt;
  }
  out.at_s = out.zone->to_utc(out.civil_s);
  return out;
}

void CalendarReader::read_dates(const ContentLine& line, std::vector<int64_t>& out) {
  if (line.parameter("VALUE") == "PERIOD") {
    return trouble(line, "with periods is not supported", "write dates or times");
  }
  std::string_view rest = line.value;
  while (!rest.empty()) {
    const size_t comma = rest.find(',');
    const auto one = instant(line, rest.substr(0, comma));
    if (!one) return;
    if (++dates_ > Calendar::kMaxDates) {
      return trouble(line, "is beyond " + std::to_string(Calendar::kMaxDates) + " dates in lists");
    }
    out.push_back(one->at_s);
    rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
  }
}

// Lines that stand for themselves.
void CalendarReader::read_line(const ContentLine& line, CalendarEvent& event) {
  if (line.name == "UID") event.uid = line.value;
  if (line.name == "SUMMARY") event.summary = unescaped(line.value);
  if (line.name == "STATUS") event.cancelled = line.value == "CANCELLED";
  if (line.name == "RDATE") read_dates(line, event.more);
  if (line.name == "EXDATE") read_dates(line, event.left_out);
  if (line.name == "ATTENDEE" && event.attendee.empty()) {
    const size_t scheme = line.value.find(':');
    event.attendee = line.value.substr(scheme == std::string::npos ? 0 : scheme + 1);
  }
  if (line.name == "SEQUENCE") {
    const char* const end = line.value.data() + line.value.size();
    const auto read = std::from_chars(line.value.data(), end, event.sequence);
    if (read.ptr != end) trouble(line, "must be a number, found " + shown(line.value));
  }
  if (line.name == "EXRULE") {
    trouble(line, "is not supported (RFC 5545 has done away with it)", "write EXDATE");
  }
  if (line.name == "RECURRENCE-ID") {
    if (!line.parameter("RANGE").empty()) {
      trouble(line, "with RANGE is not supported", "end the old series with UNTIL, begin another");
    } else if (const auto which = instant(line, line.value)) {
      event.instance = which->at_s;
    }
  }
}

void CalendarReader::read_length(const Component& component, const Instant& start,
                                 CalendarEvent& event) {
  const ContentLine* end = find_line(component.lines, "DTEND");
  const ContentLine* duration = find_line(component.lines, "DURATION");
  if (end != nullptr && duration != nullptr) {
    return trouble(*duration, "and DTEND exclude each other");
  }
  if (duration != nullptr) {
    const auto length = parse_length(duration->value);
    if (!length) {
      return trouble(*duration, "must be like P7D or PT12H, found " + shown(duration->value));
    }
    event.nominal_s = length->days * kDayS;
    event.exact_s = length->seconds;
  } else if (end != nullptr) {
    const auto until = instant(*end, end->value);
    if (!until) return;
    if (until->date != start.date) {
      return trouble(*end, "and DTSTART must both be dates or both times");
    }
    const bool same = until->zone->name() == start.zone->name();
    (same ? event.nominal_s : event.exact_s) =
        same ? until->civil_s - start.civil_s : until->at_s - start.at_s;
  } else if (start.date) {
    event.nominal_s = kDayS;
  }
  const int64_t whole = event.nominal_s + event.exact_s;
  constexpr int64_t kLongest = 1000 * kDayS;
  if (whole > 0 && whole <= kLongest) return;
  trouble(end != nullptr ? end->line : component.line, 1,
          "VEVENT must last longer than no time and at most 1000 days",
          "it needs DTEND behind DTSTART, or DURATION");
}

void CalendarReader::read_rule(const ContentLine& line, const Instant& start,
                               CalendarEvent& event) {
  if (++rules_ > kMaxRules) return trouble(line, "is beyond 500 events that recur");
  slo::Recurrence::Start begin;
  begin.first = civil_from_days(floor_of(start.civil_s, kDayS));
  begin.second_of_day =
      static_cast<int32_t>(start.civil_s - floor_of(start.civil_s, kDayS) * kDayS);
  begin.duration_s = 1;
  begin.zone = *start.zone;
  auto parsed = slo::Recurrence::parse(line.value, std::move(begin));
  if (!parsed.ok()) {
    return trouble(line, shown(line.value) + ": " + parsed.error().message,
                   "like FREQ=WEEKLY;BYDAY=MO");
  }
  std::vector<slo::Interval> first;
  parsed->expand(start.at_s, start.at_s + 1, first);
  const auto& out = event.left_out;
  const bool excluded = std::find(out.begin(), out.end(), start.at_s) != out.end();
  if (!excluded && (first.empty() || first.front().from_s != start.at_s)) {
    return trouble(line,
                   shown(line.value) + " does not begin with DTSTART, and RFC 5545 leaves " +
                       "open what that means",
                   "let DTSTART be the first day of the rule");
  }
  event.rule = std::move(*parsed);
}

void CalendarReader::read_event(const Component& component, std::vector<CalendarEvent>& out) {
  CalendarEvent event;
  event.line = component.line;
  std::set<std::string_view> once;
  for (const ContentLine* line : component.lines) {
    const bool counts = line->name == "DTSTART" || line->name == "DTEND" ||
                        line->name == "DURATION" || line->name == "RRULE" || line->name == "UID" ||
                        line->name == "RECURRENCE-ID";
    if (counts && !once.insert(line->name).second) {
      return trouble(*line, "stands twice in one event");
    }
    read_line(*line, event);
  }
  const ContentLine* begin = find_line(component.lines, "DTSTART");
  if (begin == nullptr) return trouble(component.line, 1, "VEVENT has no DTSTART");
  const auto start = instant(*begin, begin->value);
  if (!start) return;
  event.zone = start->zone;
  event.start_s = start->civil_s;
  read_length(component, *start, event);
  if (const ContentLine* rule = find_line(component.lines, "RRULE")) {
    read_rule(*rule, *start, event);
  }
  out.push_back(std::move(event));
}

// An event with RECURRENCE-ID takes the place of that instance of its UID; of two for one instance
// the higher SEQUENCE counts, then the later. What is cancelled takes a place and has none itself.
void CalendarReader::replace_instances(std::vector<CalendarEvent>& events) {
  std::map<std::pair<std::string, int64_t>, size_t> newest;
  std::map<std::string, size_t> series;
  std::vector<bool> gone(events.size());
  for (size_t i = 0; i < events.size(); ++i) {
    CalendarEvent& event = events[i];
    if (event.uid.empty()) continue;
    if (!event.instance) {
      const auto [known, is_new] = series.emplace(event.uid, i);
      if (is_new) continue;
      const bool replaces = event.sequence >= events[known->second].sequence;
      gone[replaces ? known->second : i] = true;
      if (replaces) known->second = i;
      continue;
    }
    const auto [known, is_new] = newest.emplace(std::pair(event.uid, *event.instance), i);
    if (is_new) continue;
    const bool replaces = event.sequence >= events[known->second].sequence;
    gone[replaces ? known->second : i] = true;
    if (replaces) known->second = i;
  }
  for (const auto& [key, index] : newest) {
    const auto of = series.find(key.first);
    if (of != series.end()) events[of->second].left_out.push_back(key.second);
  }
  std::vector<CalendarEvent> kept;
  for (size_t i = 0; i < events.size(); ++i) {
    if (!gone[i] && !events[i].cancelled) kept.push_back(std::move(events[i]));
  }
  events = std::move(kept);
}

}  // namespace nines::oncall
