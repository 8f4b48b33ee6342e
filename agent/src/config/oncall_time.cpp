// Zones, days of the week, windows, stretches of time and holidays of the on-call document.
#include <algorithm>
#include <array>

#include "config/oncall_reader.hpp"
#include "config/zones.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr size_t kMaxWindows = 32, kMaxHolidays = 1000;
constexpr int64_t kDayS = 86400;
constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

}  // namespace

OncallReader::Zone OncallReader::zone_of(const YamlNode* node, const std::string& what,
                                         const Zone& fallback) {
  if (node == nullptr) return fallback;
  const auto known = zones_.find(node->text);
  if (known != zones_.end()) return known->second;
  auto zone = read_time_zone(*node, what, report_);
  if (!zone) return fallback;
  return zones_[node->text] = std::make_shared<const TimeZone>(std::move(*zone));
}

std::optional<uint8_t> OncallReader::days_of(const YamlNode& node, const std::string& what) {
  const auto names = read_texts(node, what, report_);
  if (!names) return std::nullopt;
  unsigned days = 0;
  for (const std::string& name : *names) {
    const auto found = std::find(kDays.begin(), kDays.end(), name);
    if (found == kDays.end()) {
      const auto near = nearest(name, {kDays.begin(), kDays.end()});
      report_.error(node, what + " has '" + name + "', which is no day of the week",
                    near.empty() ? "mon tue wed thu fri sat sun"
                                 : "did you mean '" + std::string(near) + "'?");
      return std::nullopt;
    }
    days |= 1U << (found - kDays.begin());
  }
  return static_cast<uint8_t>(days);
}

OncallReader::Windows OncallReader::windows_of(const YamlNode& node, const std::string& what) {
  Windows out;
  const auto items = read_list(node, what, report_);
  if (items.size() > kMaxWindows) report_.error(node, what + " has more than 32 windows");
  for (const YamlNode* item : items) {
    MapReader reader(*item, "a window of " + what, report_);
    const YamlNode* from = reader.require("from", "from: \"22:00\"");
    const YamlNode* to = reader.require("to", "to: \"07:00\"");
    const YamlNode* days = reader.find("days");
    reader.finish();
    if (from == nullptr || to == nullptr) continue;
    nines::oncall::DailyWindow window;
    const auto begin = read_time_of_day(*from, "'from' of " + reader.what(), report_);
    const auto end = to->text == "24:00"
                         ? std::optional<int32_t>(kDayS)
                         : read_time_of_day(*to, "'to' of " + reader.what(), report_);
    if (days != nullptr) {
      window.weekdays = days_of(*days, "'days' of " + reader.what()).value_or(0);
    }
    if (!begin || !end || out.size() >= kMaxWindows) continue;
    window.from_s = *begin;
    window.to_s = *end;
    out.push_back(window);
  }
  return out;
}

std::optional<int64_t> OncallReader::instant_of(const YamlNode& node, const std::string& what,
                                                const Zone& zone) {
  if (node.text.ends_with('Z') || node.text.find('+') != std::string::npos) {
    return read_instant(node, what, report_);
  }
  const auto civil = read_civil_time(node, what, report_);
  if (!civil) return std::nullopt;
  return zone->to_utc(*civil);
}

std::optional<nines::oncall::Span> OncallReader::span_of(const YamlNode* from, const YamlNode* to,
                                                         const std::string& what,
                                                         const Zone& zone) {
  if (from == nullptr || to == nullptr) return std::nullopt;
  const auto begin = instant_of(*from, "'from' of " + what, zone);
  const auto end = instant_of(*to, "'to' of " + what, zone);
  if (!begin || !end) return std::nullopt;
  if (*end > *begin) return nines::oncall::Span{*begin, *end};
  report_.error(*to, "'to' of " + what + " must lie behind 'from', found " + describe(*to),
                "from: \"2026-07-01 09:00\", to: \"2026-07-15 09:00\"");
  return std::nullopt;
}

nines::oncall::Holidays OncallReader::holidays_of(const YamlNode& node, const std::string& what) {
  nines::oncall::Holidays out;
  const auto items = read_list(node, what, report_);
  if (items.size() > kMaxHolidays) report_.error(node, what + " has more than 1000 days");
  for (const YamlNode* item : items) {
    const auto civil = read_civil_time(*item, "a day of " + what, report_);
    if (!civil) continue;
    if (*civil % kDayS != 0) {
      report_.error(*item, "a day of " + what + " must be a date, found " + describe(*item),
                    "2026-12-25");
      continue;
    }
    out.days.push_back(*civil / kDayS);
  }
  std::sort(out.days.begin(), out.days.end());
  return out;
}

}  // namespace nines::agent::config
