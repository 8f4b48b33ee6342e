#include "config/remedy_windows.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "config/reader.hpp"
#include "config/zones.hpp"

namespace nines::agent::config {
namespace {

using nines::remedy::Window;
using Zone = std::shared_ptr<const TimeZone>;

constexpr size_t kMostWindows = 32;
constexpr int32_t kDayS = 86'400;
constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

std::optional<size_t> day_of(std::string_view name) {
  const auto found = std::find(kDays.begin(), kDays.end(), name);
  if (found == kDays.end()) return std::nullopt;
  return static_cast<size_t>(found - kDays.begin());
}

// "fri", "mon-fri", "sat-mon" (over the end of the week); 0: it is neither.
uint8_t days_in(std::string_view text) {
  const size_t dash = text.find('-');
  const auto first = day_of(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : day_of(text.substr(dash + 1));
  if (!first || !last) return 0;
  unsigned out = 1U << *first;
  for (size_t day = *first; day != *last;) {
    day = (day + 1) % kDays.size();
    out |= 1U << day;
  }
  return static_cast<uint8_t>(out);
}

std::optional<uint8_t> read_days(const YamlNode& node, Reporter& report) {
  const auto names = read_texts(node, "'days' of a window of remediation", report);
  if (!names) return std::nullopt;
  unsigned out = 0;
  for (const std::string& name : *names) {
    const uint8_t days = days_in(name);
    out |= days;
    if (days != 0) continue;
    const size_t dash = name.find('-');
    const std::string first = name.substr(0, dash);
    const std::string wrong =
        day_of(first) && dash != std::string::npos ? name.substr(dash + 1) : first;
    const auto near = nearest(wrong, {kDays.begin(), kDays.end()});
    report.error(node,
                 "'days' of a window of remediation has '" + name +
                     "', which is no day of the "
                     "week and no range of them",
                 near.empty() ? std::string("mon tue wed thu fri sat sun, mon-fri, sat-mon")
                              : "did you mean '" + std::string(near) + "'?");
    return std::nullopt;
  }
  if (out == 0) {
    report.error(node, "'days' of a window of remediation has no day in it",
                 "leave it out for every day, or give [mon-fri]");
    return std::nullopt;
  }
  return static_cast<uint8_t>(out);
}

std::optional<int32_t> read_edge(const YamlNode& node, bool end, Reporter& report) {
  if (end && node.text == "24:00") return kDayS;
  const std::string key = end ? "'to'" : "'from'";
  return read_time_of_day(node, key + " of a window of remediation", report);
}

std::optional<Window> read_window(const YamlNode& node, std::map<std::string, Zone>& zones,
                                  Reporter& report) {
  const YamlNode *from = node.get("from"), *to = node.get("to"), *days = node.get("days"),
                 *zone = node.get("zone");
  using Kind = YamlNode::Kind;
  const auto is = [](const YamlNode* one, Kind kind) {
    return one != nullptr && one->kind == kind;
  };
  if (!is(from, Kind::scalar) || !is(to, Kind::scalar) || is(days, Kind::map)) {
    return std::nullopt;  // it was said
  }
  Window out;
  const auto begin = read_edge(*from, false, report), end = read_edge(*to, true, report);
  const auto on = days == nullptr || days->is_null() ? std::optional(nines::oncall::kEveryDay)
                                                     : read_days(*days, report);
  bool known = true;
  if (zone != nullptr && !zone->is_null()) {
    Zone& one = zones[zone->text];
    if (!one) {
      auto read = read_time_zone(*zone, "'zone' of a window of remediation", report);
      if (read) one = std::make_shared<const TimeZone>(std::move(*read));
    }
    out.zone = one;
    known = one != nullptr;
  }
  if (begin && end && *begin == *end) {
    report.error(*to, "a window of remediation ends at " + to->text + ", where it begins",
                 "for whole days: from: \"00:00\", to: \"24:00\"");
    return std::nullopt;
  }
  if (!begin || !end || !on || !known) return std::nullopt;
  out.hours = {*on, *begin, *end};
  return out;
}

}  // namespace

void read_remedy_windows(const YamlNode& at, Draft& draft, Reporter& report) {
  const YamlNode* const list = at.get("windows");
  if (list == nullptr || list->is_null()) return;
  const auto items = read_list(*list, "remediation.windows", report);
  if (items.size() > kMostWindows) {
    return report.error(*list,
                        "more than " + std::to_string(kMostWindows) + " remediation.windows");
  }
  if (list->kind == YamlNode::Kind::sequence && items.empty()) {
    report.error(*list, "remediation.windows has no window in it",
                 "leave it out for always; enabled: false for never");
  }
  std::map<std::string, Zone> zones;  // each is read once
  for (const YamlNode* node : items) {
    MapReader reader(*node, "a window of remediation", report);
    reader.require("from", "from: \"22:00\"");
    reader.require("to", "to: \"06:00\"");
    read_options(reader, "remediation.windows[].", draft, report);
    reader.finish();
    if (!reader.is_map()) continue;
    if (auto window = read_window(*node, zones, report)) {
      draft.remedies.windows.push_back(std::move(*window));
    }
  }
}

}  // namespace nines::agent::config
