// A strptime of our own: the C library's knows the locale, no fractions and no zones.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "nines/log/format.hpp"
#include "nines/log/timestamp.hpp"

namespace nines::log {

// %Y %y %m %d %e %b %B %a %A %H %I %p %M %S %f (fraction, any number of digits; %L too) %z %Z
// (abbreviations: UTC, CET, EST...) %s (epoch) %j %T %D %F %R %n %t %%. Blanks match any number of
// blanks.
Status check_time_format(std::string_view format);
// The whole text must match. Without a year it is inferred; without a zone context's holds.
std::optional<WallTime> parse_time_format(std::string_view text, std::string_view format,
                                          const TimeContext& context) noexcept;

// The same for a prefix of `text`.
std::optional<ParsedTime> parse_time_prefix(std::string_view text, std::string_view format,
                                            const TimeContext& context) noexcept;

}  // namespace nines::log
