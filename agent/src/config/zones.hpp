// IANA time zones of this machine ($TZDIR, /usr/share/zoneinfo).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/reader.hpp"
#include "nines/base/result.hpp"
#include "nines/base/time_zone.hpp"

namespace nines::agent::config {

// "Europe/Berlin"; UTC needs no file. invalid_argument: the message has the way out.
Result<TimeZone> load_time_zone(const std::string& name);
// The same of a document. Reports what is wrong with the name or the machine.
std::optional<TimeZone> read_time_zone(const YamlNode& node, std::string_view what,
                                       Reporter& report);

// "2026-03-01", "2026-03-01 22:00[:00]", with or without T: civil seconds as if they were UTC.
std::optional<int64_t> read_civil_time(const YamlNode& node, std::string_view what,
                                       Reporter& report);
// "03:00": seconds of the day.
std::optional<int32_t> read_time_of_day(const YamlNode& node, std::string_view what,
                                        Reporter& report);
// RFC 3339 with its zone; whole seconds.
std::optional<int64_t> read_instant(const YamlNode& node, std::string_view what, Reporter& report);

}  // namespace nines::agent::config
