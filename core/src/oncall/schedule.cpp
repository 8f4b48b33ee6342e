#include "nines/oncall/schedule.hpp"

#include <algorithm>

#include "civil.hpp"

namespace nines::oncall {
namespace {

Error invalid(const std::string& what) { return {Errc::invalid_argument, what, 0}; }

int64_t length_s(const Rotation& rotation) noexcept {
  switch (rotation.unit) {
    case Rotation::Unit::hour: return rotation.count * 3600;
    case Rotation::Unit::day: return rotation.count * kDayS;
    case Rotation::Unit::week: break;
  }
  return rotation.count * 7 * kDayS;
}

Status check_layer(const Layer& layer, const Roster& roster) {
  const std::string who = "layer '" + layer.name + "'";
  if (layer.people.empty()) return invalid(who + " has nobody in it");
  for (const uint32_t person : layer.people) {
    const bool known = person < roster.people.size();
    if (!known && !(person == kNobody && layer.calendar)) {
      return invalid(who + " has a person who is not in the roster");
    }
  }
  if (layer.calendar) {
    if (layer.calendar->events().size() == layer.people.size()) return Ok{};
    return invalid(who + " needs a person for each event of its calendar");
  }
  constexpr int64_t kMostHours = 8784;
  if (layer.rotation.count < 1 || length_s(layer.rotation) > kMostHours * 3600) {
    return invalid(who + " needs turns of an hour to 366 days");
  }
  return Ok{};
}

int64_t length_of(const DailyWindow& window) {
  return window.to_s - window.from_s + (window.to_s <= window.from_s ? kDayS : 0);
}

Status check_windows(const Layer& layer) {
  for (const DailyWindow& window : layer.windows) {
    if (window.from_s < 0 || window.from_s >= kDayS || window.to_s < 0 || window.to_s > kDayS ||
        length_of(window) > kDayS) {
      return invalid("a window of layer '" + layer.name + "' is not within a day");
    }
  }
  return Ok{};
}

}  // namespace

Result<Schedule> Schedule::make(Parts parts) {
  const std::string who = "schedule '" + parts.name + "'";
  if (parts.roster == nullptr || parts.roster->people.size() > kMaxPeople) {
    return invalid(who + ": a roster has at most " + std::to_string(kMaxPeople) + " people");
  }
  if (parts.layers.size() > kMaxLayers || parts.overrides.size() > kMaxOverrides) {
    return invalid(who + " has more than " + std::to_string(kMaxLayers) + " layers or " +
                   std::to_string(kMaxOverrides) + " overrides");
  }
  for (const Layer& layer : parts.layers) {
    NINES_CHECK(check_layer(layer, *parts.roster));
    NINES_CHECK(check_windows(layer));
  }
  for (const Override& one : parts.overrides) {
    if (one.person >= parts.roster->people.size()) {
      return invalid("an override of " + who + " has a person who is not in the roster");
    }
    if (one.span.to_s <= one.span.from_s) {
      return invalid("an override of " + who + " ends before it begins");
    }
  }
  std::sort(parts.holidays.days.begin(), parts.holidays.days.end());
  return Schedule(std::move(parts));
}

int64_t Schedule::turn_start(const Layer& layer, int64_t turn) const noexcept {
  return instant_of(*layer.zone, layer.rotation.first_s + turn * length_s(layer.rotation));
}

int64_t Schedule::turn_at(const Layer& layer, int64_t t_s) const noexcept {
  const int64_t since = civil_at(*layer.zone, t_s) - layer.rotation.first_s;
  int64_t turn = floor_of(since, length_s(layer.rotation));
  while (turn_start(layer, turn) > t_s) --turn;
  while (turn_start(layer, turn + 1) <= t_s) ++turn;
  return turn;
}

Duty Schedule::of_calendar(uint32_t index, int64_t t_s) const {
  const Layer& layer = parts_.layers[index];
  const auto found = layer.calendar->occurrences(t_s, t_s + 1);
  if (!found.ok()) return {};
  Duty duty;
  for (const Occurrence& one : *found) {  // by start, then by place in the file
    const uint32_t person = layer.people[one.event];
    if (person == kNobody || parts_.roster->people[person].is_away(t_s)) continue;
    duty = {Duty::Why::layer, person, index, kNobody};
  }
  return duty;
}

Duty Schedule::of_layer(uint32_t index, int64_t t_s) const {
  const Layer& layer = parts_.layers[index];
  if (layer.to_s && t_s >= *layer.to_s) return {};
  if (!layer.windows.empty() || layer.on_holidays != OnHolidays::as_usual) {
    static const std::vector<DailyWindow> kAlways{DailyWindow{}};
    const auto& windows = layer.windows.empty() ? kAlways : layer.windows;
    if (!in_windows(windows, *layer.zone, t_s, &parts_.holidays, layer.on_holidays)) return {};
  }
  if (layer.calendar) return of_calendar(index, t_s);
  if (t_s < turn_start(layer, 0)) return {};
  const size_t count = layer.people.size();
  const auto turn = static_cast<uint64_t>(turn_at(layer, t_s));
  const auto first = static_cast<size_t>(turn % count);
  const uint32_t due = layer.people[first];
  for (size_t i = 0; i < count; ++i) {
    const uint32_t person = layer.people[(first + i) % count];
    if (parts_.roster->people[person].is_away(t_s)) continue;
    return {Duty::Why::layer, person, index, person == due ? kNobody : due};
  }
  return {};
}

Duty Schedule::of_layers(int64_t t_s) const {
  for (size_t i = parts_.layers.size(); i > 0; --i) {
    const Duty duty = of_layer(static_cast<uint32_t>(i - 1), t_s);
    if (duty.person != kNobody) return duty;
  }
  return {};
}

Duty Schedule::at(int64_t t_s) const {
  Duty duty = of_layers(t_s);
  for (size_t i = 0; i < parts_.overrides.size(); ++i) {
    const Override& one = parts_.overrides[i];
    if (!one.span.holds(t_s) || (one.instead_of != kNobody && one.instead_of != duty.person)) {
      continue;
    }
    duty = {Duty::Why::replacement, one.person, static_cast<uint32_t>(i), one.instead_of};
  }
  return duty;
}

void Schedule::add_window_edges(const Layer& layer, const Span& span,
                                std::vector<int64_t>& edges) const {
  const int64_t last = day_at(*layer.zone, span.to_s) + 1;
  for (int64_t day = day_at(*layer.zone, span.from_s) - 1; day <= last; ++day) {
    if (layer.on_holidays != OnHolidays::as_usual) {
      edges.push_back(instant_of(*layer.zone, day * kDayS));
    }
    for (const DailyWindow& window : layer.windows) {
      if ((window.weekdays >> weekday_of(day) & 1) == 0) continue;
      const int64_t from = day * kDayS + window.from_s;
      edges.push_back(instant_of(*layer.zone, from));
      edges.push_back(instant_of(*layer.zone, from + length_of(window)));
    }
  }
}

// Whenever the answer of a layer may change.
Status Schedule::add_edges(const Layer& layer, const Span& span,
                           std::vector<int64_t>& edges) const {
  if (layer.to_s) edges.push_back(*layer.to_s);
  add_window_edges(layer, span, edges);
  if (layer.calendar) {
    NINES_TRY(const auto found, layer.calendar->occurrences(span.from_s, span.to_s));
    for (const Occurrence& one : found) {
      edges.push_back(one.from_s);
      edges.push_back(one.to_s);
    }
    return Ok{};
  }
  for (int64_t turn = std::max<int64_t>(0, turn_at(layer, span.from_s));; ++turn) {
    const int64_t start = turn_start(layer, turn);
    if (start >= span.to_s) return Ok{};
    edges.push_back(start);
  }
}

Result<std::vector<Shift>> Schedule::shifts(int64_t from_s, int64_t to_s) const {
  if (to_s <= from_s || to_s - from_s > kMaxSpanS) {
    return invalid("shifts are listed for 400 days at most, and from an earlier to a later time");
  }
  const Span span{from_s, to_s};
  std::vector<int64_t> edges{from_s};
  for (const Layer& layer : parts_.layers) NINES_CHECK(add_edges(layer, span, edges));
  for (const Override& one : parts_.overrides) {
    edges.push_back(one.span.from_s);
    edges.push_back(one.span.to_s);
  }
  for (const Person& person : parts_.roster->people) {
    for (const Span& away : person.away) {
      edges.push_back(away.from_s);
      edges.push_back(away.to_s);
    }
  }
  std::sort(edges.begin(), edges.end());
  edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  std::vector<Shift> out;
  for (const int64_t edge : edges) {
    if (edge < from_s || edge >= to_s) continue;
    const Duty duty = at(edge);
    if (!out.empty() && out.back().duty == duty) continue;
    if (!out.empty()) out.back().span.to_s = edge;
    if (out.size() >= kMaxShifts) {
      return Error{Errc::exhausted,
                   "there are more than " + std::to_string(kMaxShifts) +
                       " shifts in that time: ask for a shorter one",
                   0};
    }
    out.push_back({{edge, to_s}, duty});
  }
  return out;
}

Status Schedule::add_overlaps(const Span& span, std::vector<ScheduleFinding>& out) const {
  const auto add = [&](const Span& a, uint32_t first, const Span& b, uint32_t second) {
    const Span both{std::max({a.from_s, b.from_s, span.from_s}),
                    std::min({a.to_s, b.to_s, span.to_s})};
    if (first == second || both.to_s <= both.from_s || out.size() >= kMaxShifts) return;
    out.push_back({ScheduleFinding::Kind::overlap, both, first, second});
  };
  const auto& overrides = parts_.overrides;
  for (size_t i = 0; i < overrides.size(); ++i) {
    for (size_t j = i + 1; j < overrides.size(); ++j) {
      if (overrides[i].instead_of != overrides[j].instead_of) continue;  // chained on purpose
      add(overrides[i].span, overrides[i].person, overrides[j].span, overrides[j].person);
    }
  }
  for (const Layer& layer : parts_.layers) {
    if (!layer.calendar) continue;
    NINES_TRY(const auto found, layer.calendar->occurrences(span.from_s, span.to_s));
    for (size_t i = 0; i < found.size(); ++i) {
      for (size_t j = i + 1; j < found.size() && found[j].from_s < found[i].to_s; ++j) {
        add({found[i].from_s, found[i].to_s}, layer.people[found[i].event],
            {found[j].from_s, found[j].to_s}, layer.people[found[j].event]);
      }
    }
  }
  return Ok{};
}

Result<std::vector<ScheduleFinding>> Schedule::check(int64_t from_s, int64_t to_s) const {
  NINES_TRY(const auto all, shifts(from_s, to_s));
  std::vector<ScheduleFinding> out;
  for (const Shift& shift : all) {
    if (shift.duty.person == kNobody) {
      out.push_back({ScheduleFinding::Kind::gap, shift.span, kNobody, kNobody});
    }
  }
  NINES_CHECK(add_overlaps({from_s, to_s}, out));
  std::stable_sort(out.begin(), out.end(), [](const ScheduleFinding& a, const ScheduleFinding& b) {
    return a.span.from_s < b.span.from_s;
  });
  return out;
}

}  // namespace nines::oncall
