#include "config/zones.hpp"

#include <algorithm>
#include <cstdlib>
#include <variant>

#include "config/files.hpp"
#include "nines/base/time.hpp"
#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kDayS = 86400;
constexpr size_t kMaxZoneBytes = 256 * 1024;

bool is_zone_name(std::string_view name) {
  const auto fine = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' ||
           c == '_' || c == '-' || c == '+';
  };
  return !name.empty() && name.size() <= 64 && name.front() != '/' && name.front() != '-' &&
         std::all_of(name.begin(), name.end(), fine);
}

std::optional<int> digits(std::string_view text, size_t at, size_t n, int low, int high) {
  if (at + n > text.size()) return std::nullopt;
  int value = 0;
  for (size_t i = at; i < at + n; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  if (value < low || value > high) return std::nullopt;
  return value;
}

// "22:00" or "22:00:00".
std::optional<int32_t> time_of_day(std::string_view text) {
  const auto hour = digits(text, 0, 2, 0, 23), minute = digits(text, 3, 2, 0, 59);
  if (!hour || !minute || text[2] != ':') return std::nullopt;
  if (text.size() == 5) return *hour * 3600 + *minute * 60;
  const auto second = digits(text, 6, 2, 0, 59);
  if (!second || text.size() != 8 || text[5] != ':') return std::nullopt;
  return *hour * 3600 + *minute * 60 + *second;
}

std::optional<int64_t> civil_time(std::string_view text) {
  const auto year = digits(text, 0, 4, 1970, 9999);
  const auto month = digits(text, 5, 2, 1, 12), day = digits(text, 8, 2, 1, 31);
  if (!year || !month || !day || text[4] != '-' || text[7] != '-') return std::nullopt;
  const int64_t days = days_from_civil(*year, *month, *day);
  if (civil_from_days(days).day != *day) return std::nullopt;  // 31 February
  if (text.size() == 10) return days * kDayS;
  if (text[10] != ' ' && text[10] != 'T') return std::nullopt;
  const auto time = time_of_day(text.substr(11));
  if (!time) return std::nullopt;
  return days * kDayS + *time;
}

}  // namespace

namespace {

// What is wrong with a zone, and the way out.
struct ZoneTrouble {
  std::string what, hint;
};

std::variant<TimeZone, ZoneTrouble> find_time_zone(const std::string& name) {
  if (name == "UTC" || name == "Z" || name == "Etc/UTC") return TimeZone();
  const std::string like = "like Europe/Berlin, America/New_York or UTC";
  if (!is_zone_name(name)) return ZoneTrouble{"must be an IANA time zone", like};
  const char* folder = std::getenv("TZDIR");
  const std::string root = folder != nullptr && *folder != '\0' ? folder : "/usr/share/zoneinfo";
  auto bytes = read_file(root + "/" + name, kMaxZoneBytes);
  if (!bytes.ok()) {
    const bool data = read_file(root + "/Etc/UTC", kMaxZoneBytes).ok();
    return ZoneTrouble{"'" + name + "' is not known here: " + bytes.error().message,
                       data ? like
                            : "this machine has no time zones: install the package tzdata, or use "
                              "UTC"};
  }
  auto zone = TimeZone::from_tzif(name, *bytes);
  if (zone.ok()) return std::move(*zone);
  return ZoneTrouble{"'" + name + "': " + zone.error().message, "reinstall tzdata"};
}

}  // namespace

Result<TimeZone> load_time_zone(const std::string& name) {
  auto found = find_time_zone(name);
  if (auto* zone = std::get_if<TimeZone>(&found)) return std::move(*zone);
  const auto& trouble = std::get<ZoneTrouble>(found);
  return Error{Errc::invalid_argument, "zone " + trouble.what + "; " + trouble.hint};
}

std::optional<TimeZone> read_time_zone(const YamlNode& node, std::string_view what,
                                       Reporter& report) {
  const auto name = read_text(node, what, report);
  if (!name) return std::nullopt;
  auto found = find_time_zone(*name);
  if (auto* zone = std::get_if<TimeZone>(&found)) return std::move(*zone);
  const auto& trouble = std::get<ZoneTrouble>(found);
  const bool shape = trouble.what.starts_with("must");
  report.error(node,
               std::string(what) + " " + trouble.what + (shape ? ", found " + describe(node) : ""),
               trouble.hint);
  return std::nullopt;
}

std::optional<int64_t> read_civil_time(const YamlNode& node, std::string_view what,
                                       Reporter& report) {
  const auto text = read_text(node, what, report);
  if (!text) return std::nullopt;
  if (const auto time = civil_time(*text)) return time;
  report.error(node, std::string(what) + " must be a local date and time, found " + describe(node),
               "like 2026-01-01 00:00:00; the zone stands beside it");
  return std::nullopt;
}

std::optional<int32_t> read_time_of_day(const YamlNode& node, std::string_view what,
                                        Reporter& report) {
  const auto text = read_text(node, what, report);
  if (!text) return std::nullopt;
  if (const auto time = time_of_day(*text)) return time;
  report.error(node, std::string(what) + " must be a time of day, found " + describe(node),
               "like \"03:00\"");
  return std::nullopt;
}

std::optional<int64_t> read_instant(const YamlNode& node, std::string_view what, Reporter& report) {
  const auto text = read_text(node, what, report);
  if (!text) return std::nullopt;
  const auto parsed = log::parse_iso_time(*text, {});
  const bool zoned = text->ends_with('Z') || text->rfind('+') != std::string::npos ||
                     text->rfind('-') > text->find('T');
  if (parsed && parsed->length == text->size() && zoned) return parsed->ts.seconds();
  report.error(node, std::string(what) + " must be a time with its zone, found " + describe(node),
               "like 2026-03-01T22:00:00Z or 2026-03-01T23:00:00+01:00");
  return std::nullopt;
}

}  // namespace nines::agent::config
