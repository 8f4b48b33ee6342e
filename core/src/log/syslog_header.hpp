// The parts of a syslog line, RFC 3164 and 5424 alike; shared with format detection.
#pragma once

#include <optional>
#include <string_view>

#include "nines/log/format.hpp"

namespace nines::log {

struct SyslogLine {
  int priority = -1;  // facility * 8 + severity; -1: the line does not say
  bool rfc5424 = false;
  bool iso_time = false;
  std::optional<WallTime> ts;
  // Empty where missing or "-".
  std::string_view host, app, pid, msgid;
  std::string_view structured;  // "[id a=\"b\"][...]" or empty
  std::string_view message;
};
// False: not a syslog line (neither priority nor time stamp).
bool split_syslog(std::string_view line, const TimeContext& context, SyslogLine& out) noexcept;

struct SdParam {
  std::string_view id, name, value;
  bool escaped = false;
};
// The next parameter of structured data; `rest` shrinks, `id` is kept between calls.
bool next_sd_param(std::string_view& rest, SdParam& out) noexcept;

}  // namespace nines::log
