#include "nines/oncall/ical.hpp"

#include <algorithm>

#include "civil.hpp"
#include "ical_reader.hpp"

namespace nines::oncall {
namespace {

int64_t start_of(const CalendarEvent& event) { return event.zone->to_utc(event.start_s); }

int64_t longest_of(const CalendarEvent& event) { return event.nominal_s + event.exact_s + kDayS; }

// The civil time of a start that came from the rule: to_utc() may have moved it, but not its day.
int64_t civil_start(const CalendarEvent& event, int64_t start_s) {
  const int64_t day = day_at(*event.zone, start_s);
  return day * kDayS + (event.start_s - floor_of(event.start_s, kDayS) * kDayS);
}

int64_t end_of(const CalendarEvent& event, int64_t start_s, bool by_rule) {
  if (event.nominal_s == 0) return start_s + event.exact_s;
  const int64_t civil = by_rule ? civil_start(event, start_s) : civil_at(*event.zone, start_s);
  return event.zone->to_utc(civil + event.nominal_s) + event.exact_s;
}

struct Window {
  int64_t from_s, to_s;
};

void add(const CalendarEvent& event, uint32_t index, int64_t start_s, bool by_rule,
         const Window& window, std::vector<Occurrence>& out) {
  const auto& without = event.left_out;
  if (std::find(without.begin(), without.end(), start_s) != without.end()) return;
  const int64_t end_s = end_of(event, start_s, by_rule);
  if (end_s <= start_s || start_s >= window.to_s || end_s <= window.from_s) return;
  out.push_back({start_s, end_s, index});
}

}  // namespace

std::optional<Calendar> Calendar::read(std::string_view text, const Zone& floating,
                                       const ZoneLookup& zones,
                                       std::vector<CalendarTrouble>& troubles) {
  if (text.size() > kMaxBytes) {
    troubles.push_back({0, 0, "the calendar has more than " + std::to_string(kMaxBytes) + " bytes",
                        "export a shorter time, or fewer people"});
    return std::nullopt;
  }
  std::vector<CalendarTrouble> own;
  CalendarReader reader(floating, zones, own);
  Calendar out;
  out.events_ = reader.read(content_lines(text, own));
  if (own.empty()) return out;
  troubles.insert(troubles.end(), own.begin(), own.end());
  return std::nullopt;
}

Result<std::vector<Occurrence>> Calendar::occurrences(int64_t from_s, int64_t to_s) const {
  std::vector<Occurrence> out;
  const Window window{from_s, to_s};
  std::vector<slo::Interval> starts;
  for (size_t i = 0; i < events_.size(); ++i) {
    const CalendarEvent& event = events_[i];
    const auto index = static_cast<uint32_t>(i);
    starts.clear();
    if (event.rule) {
      event.rule->expand(from_s - longest_of(event), to_s, starts);
    } else {
      starts.push_back({start_of(event), 0});
    }
    for (const slo::Interval& one : starts) add(event, index, one.from_s, true, window, out);
    for (const int64_t one : event.more) {
      const bool twice = std::any_of(starts.begin(), starts.end(),
                                     [&](const slo::Interval& s) { return s.from_s == one; });
      if (!twice) add(event, index, one, false, window, out);
    }
    if (out.size() > kMaxOccurrences) {
      return Error{Errc::exhausted,
                   "the calendar has more than " + std::to_string(kMaxOccurrences) +
                       " events in that time: ask for a shorter one",
                   0};
    }
  }
  std::sort(out.begin(), out.end(), [](const Occurrence& a, const Occurrence& b) {
    return a.from_s != b.from_s ? a.from_s < b.from_s : a.event < b.event;
  });
  return out;
}

}  // namespace nines::oncall
