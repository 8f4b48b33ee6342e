#include "config/time_window.hpp"

#include <charconv>

#include "config/zones.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kSlot = 10;  // seconds; windows are counted in slots
constexpr int64_t kDay = 86400;
constexpr int64_t kMaxWindow = 92 * kDay;  // the coarsest ring reaches back so far
constexpr int64_t kEdge = 300;             // slots in which a month is kept

struct Period {
  slo::Calendar::Unit unit;
  int count;
  int64_t usual_s;
};

// "1d", "2w", "1M", "1Q": how long a period is by the calendar.
std::optional<Period> read_period(const YamlNode& node, const std::string& title,
                                  Reporter& report) {
  const std::string what = "the calendar window of " + title;
  const auto text = read_text(node, what, report);
  if (!text || text->empty()) return std::nullopt;
  int count = 0;
  const char* const last = text->data() + text->size() - 1;
  const auto [end, error] = std::from_chars(text->data(), last, count);
  const bool number = error == std::errc() && end == last && count > 0;
  const char unit = text->back();
  std::optional<Period> period;
  using Unit = slo::Calendar::Unit;
  if (number && count <= 92) {
    if (unit == 'd') period = {Unit::day, count, count * kDay};
    if (unit == 'w') period = {Unit::week, count, count * 7 * kDay};
    if (unit == 'M') period = {Unit::month, count, count * 30 * kDay};
    if (unit == 'Q') period = {Unit::month, 3 * count, 3 * count * 30 * kDay};
  }
  if (period && period->usual_s <= kMaxWindow) return period;
  if (number && (unit == 'Y' || period)) {
    report.error(node, what + " is " + *text + ", and a node keeps its counts for 92 days",
                 "use 1Q, 1M, 1w or 1d; `nines slo report` tells of longer times");
  } else {
    report.error(
        node,
        what + " must be a number of days, weeks, months or quarters, found " + describe(node),
        "1d, 1w, 1M or 1Q (m would be minutes)");
  }
  return std::nullopt;
}

bool read_calendar(const YamlNode& node, const Period& period, const std::string& title,
                   slo::SloSpec& spec, Reporter& report) {
  MapReader reader(node, "calendar of " + title, report);
  const YamlNode* start = reader.require("startTime", "startTime: \"2026-01-01 00:00:00\"");
  const YamlNode* zone_node = reader.require("timeZone", "timeZone: Europe/Berlin");
  reader.finish();
  if (start == nullptr || zone_node == nullptr) return false;
  const auto anchor = read_civil_time(*start, "startTime of " + title, report);
  const auto zone = read_time_zone(*zone_node, "timeZone of " + title, report);
  if (!anchor || !zone) return false;
  // Hourly slots are what is left of a quarter.
  const int64_t edge = period.usual_s > 31 * kDay ? 3600 : kEdge;
  if (*anchor % edge != 0) {
    report.error(*start,
                 "startTime of " + title + " must be a multiple of " + format_duration_s(edge) +
                     ", found " + describe(*start),
                 "a window of this length is counted in slots of " + format_duration_s(edge));
    return false;
  }
  if (zone->offset_s(*anchor) % edge != 0) {
    report.warning(*zone_node,
                   "a window of " + title + " begins in " + zone->name() + " within a slot of " +
                       format_duration_s(edge) + ": its start is rounded down",
                   "use months, weeks or days");
  }
  spec.window_s = period.usual_s;
  spec.calendar = std::make_shared<slo::Calendar>(*zone, period.unit, period.count, *anchor);
  return true;
}

}  // namespace

bool read_time_window(const YamlNode* node, const std::string& title, slo::SloSpec& spec,
                      Reporter& report) {
  if (node == nullptr) return true;
  const auto items = read_list(*node, "timeWindow of " + title, report);
  if (items.size() != 1) {
    if (node->kind == YamlNode::Kind::sequence) {
      report.error(*node, "timeWindow of " + title + " needs exactly one item",
                   "- {duration: 30d, isRolling: true}");
    }
    return false;
  }
  MapReader reader(*items.front(), "timeWindow of " + title, report);
  const YamlNode* duration = reader.require("duration", "duration: 30d");
  const YamlNode* rolling = reader.find("isRolling");
  const YamlNode* calendar = reader.find("calendar");
  reader.finish();
  if (duration == nullptr) return false;
  const bool rolls = rolling == nullptr ? calendar == nullptr
                                        : read_bool(*rolling, "isRolling", report).value_or(true);
  if (rolls && calendar != nullptr) {
    report.error(*calendar, "timeWindow of " + title + " is rolling and has a calendar",
                 "set isRolling: false, or leave the calendar out");
    return false;
  }
  if (!rolls && calendar == nullptr) {
    report.error(*items.front(), "timeWindow of " + title + " is not rolling and has no calendar",
                 "calendar: {startTime: \"2026-01-01 00:00:00\", timeZone: Europe/Berlin}");
    return false;
  }
  if (!rolls) {
    const auto period = read_period(*duration, title, report);
    return period && read_calendar(*calendar, *period, title, spec, report);
  }
  const auto seconds =
      read_duration_s(*duration, "the window of " + title, 6 * kSlot, kMaxWindow, report);
  if (!seconds) return false;
  if (*seconds % kSlot != 0) {
    report.error(*duration, "the window of " + title + " must be a multiple of 10s, found " +
                                describe(*duration));
    return false;
  }
  spec.window_s = *seconds;
  return true;
}

void read_budgeting(const YamlNode* node, const std::string& title, slo::SloSpec& spec,
                    Reporter& report) {
  if (node == nullptr) return;
  const auto method = read_choice(*node, "budgetingMethod of " + title,
                                  {"Occurrences", "Timeslices", "RatioTimeslices"}, report);
  if (method == "Timeslices") spec.budgeting = slo::Budgeting::timeslices;
  if (method == "RatioTimeslices") spec.budgeting = slo::Budgeting::ratio_timeslices;
}

void read_slices(MapReader& objective, const std::string& title, slo::SloSpec& spec,
                 Reporter& report) {
  const YamlNode* target = objective.find("timeSliceTarget");
  const YamlNode* window = objective.find("timeSliceWindow");
  const bool sliced = spec.budgeting != slo::Budgeting::occurrences;
  for (const YamlNode* node : {target, window}) {
    if (node == nullptr || sliced) continue;
    report.warning(*node,
                   std::string(node == target ? "timeSliceTarget" : "timeSliceWindow") + " of " +
                       title + " is not used: its budget is counted in events",
                   "set budgetingMethod: Timeslices");
  }
  if (!sliced) return;
  if (target != nullptr && spec.budgeting == slo::Budgeting::ratio_timeslices) {
    report.warning(*target, "timeSliceTarget of " + title +
                                " is not used: RatioTimeslices take the mean of the slices");
  } else if (target != nullptr) {
    const auto share = read_decimal(*target, "timeSliceTarget of " + title, report);
    const bool fine = share && *share > Decimal{0, 0} && *share <= Decimal{1, 0};
    if (share && (!fine || share->to_string().size() > 11)) {
      report.error(*target,
                   "timeSliceTarget of " + title +
                       " must be above 0, at most 1 and have at most 9 places, found " +
                       describe(*target),
                   "0.95: a slice is good when 95 % of its events are");
    } else if (share) {
      spec.slices.target = *share;
    }
  } else if (spec.budgeting == slo::Budgeting::timeslices) {
    report.error(objective.node(), "an objective of " + title + " has no timeSliceTarget",
                 "timeSliceTarget: 0.95 (a slice is good when 95 % of its events are)");
  }
  if (window == nullptr) return;
  const auto slice_s =
      read_duration_s(*window, "timeSliceWindow of " + title, 60, 12 * 3600, report);
  if (!slice_s) return;
  if (*slice_s % 60 != 0 || *slice_s > spec.window_s) {
    report.error(*window, "timeSliceWindow of " + title +
                              " must be whole minutes and at most the window (" +
                              format_duration_s(spec.window_s) + "), found " + describe(*window));
    return;
  }
  spec.slices.slice_s = *slice_s;
}

}  // namespace nines::agent::config
