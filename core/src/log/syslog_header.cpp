#include "log/syslog_header.hpp"

#include "log/scan.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

constexpr std::string_view kBom = "\xEF\xBB\xBF";
constexpr std::string_view kForwarded = "Message forwarded from ";

// A year between 1990 and 2099, else 0: other numbers of four digits may be anything.
unsigned year_of(const char* p) noexcept {
  const unsigned year = four_digits(p);
  return year >= 1990 && year < 2100 ? year : 0;
}

// The token up to the next blank, which is skipped; "-" is empty.
std::string_view take_token(std::string_view& rest) noexcept {
  const size_t space = rest.find(' ');
  std::string_view token = rest.substr(0, space);
  rest = space == std::string_view::npos ? std::string_view() : rest.substr(space + 1);
  return token == "-" ? std::string_view() : token;
}

bool take_priority(std::string_view& rest, int& priority) noexcept {
  if (rest.empty() || rest.front() != '<') return true;
  int value = 0;
  size_t i = 1;
  while (i < rest.size() && i < 4 && is_digit(rest[i])) value = value * 10 + (rest[i++] - '0');
  if (i == 1 || i >= rest.size() || rest[i] != '>' || value > 191) return false;
  priority = value;
  rest.remove_prefix(i + 1);
  return true;
}

// The end of the structured data at the start of `text`; 0 when its quotes or brackets are open.
size_t structured_length(std::string_view text) noexcept {
  size_t i = 0;
  while (i < text.size() && text[i] == '[') {
    bool quoted = false;
    for (++i;; ++i) {
      if (i >= text.size()) return 0;
      if (text[i] == '\\' && quoted) {
        ++i;
      } else if (text[i] == '"') {
        quoted = !quoted;
      } else if (text[i] == ']' && !quoted) {
        break;
      }
    }
    ++i;
  }
  return i;
}

bool split_5424(std::string_view rest, const TimeContext& context, SyslogLine& out) noexcept {
  out.rfc5424 = true;
  const std::string_view time = take_token(rest);
  const auto parsed = parse_iso_time(time, context);
  if (parsed && parsed->length == time.size()) out.ts = parsed->ts;
  out.iso_time = true;
  out.host = take_token(rest);
  out.app = take_token(rest);
  out.pid = take_token(rest);
  out.msgid = take_token(rest);
  if (!rest.empty() && rest.front() == '[') {
    const size_t length = structured_length(rest);
    out.structured = rest.substr(0, length);
    rest.remove_prefix(length);
    if (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  } else if (rest == "-" || rest.substr(0, 2) == "- ") {
    take_token(rest);
  }
  if (rest.starts_with(kBom)) rest.remove_prefix(kBom.size());
  out.message = rest;
  return true;
}

// "2001:db8::" ends with a colon, but is a host.
bool is_ipv6(std::string_view token) noexcept {
  if (token.size() < 2 || token.size() > 45) return false;
  int colons = 0;
  for (const char c : token) {
    colons += c == ':';
    const char lower = static_cast<char>(c | 0x20);
    if (!is_digit(c) && (lower < 'a' || lower > 'f') && c != ':' && c != '.') return false;
  }
  return colons >= 2;
}

// "sshd[123]:" or "kernel:"; false when the token is not a tag but already message.
bool split_tag(std::string_view token, SyslogLine& out) noexcept {
  const bool colon = !token.empty() && token.back() == ':';
  if (colon) token.remove_suffix(1);
  const size_t open = token.rfind('[');
  const bool has_pid = open != std::string_view::npos && open > 0 && token.back() == ']';
  if (token.empty() || (!colon && !has_pid)) return false;
  out.app = token.substr(0, has_pid ? open : token.size());
  if (has_pid) out.pid = token.substr(open + 1, token.size() - open - 2);
  return true;
}

void split_3164_rest(std::string_view rest, SyslogLine& out) noexcept {
  rest = trim_left(rest);
  const std::string_view all = rest;
  if (out.ts && rest.starts_with(kForwarded)) rest.remove_prefix(kForwarded.size());  // AIX
  const bool forwarded = rest.size() < all.size();
  std::string_view first = take_token(rest);
  if (forwarded && first.ends_with(':')) first.remove_suffix(1);
  if (!forwarded && !is_ipv6(first) &&
      split_tag(first, out)) {  // no host: local logs of some systems
    out.message = trim_left(rest);
    return;
  }
  if (!out.ts) {  // "<15>openvpn ..." or a damaged time stamp: nothing says that this is a host
    out.message = all;
    return;
  }
  out.host = first;
  out.message = rest;
  rest = trim_left(rest);
  const std::string_view second = take_token(rest);
  if (split_tag(second, out)) out.message = trim_left(rest);
}

// What some devices write between the priority and the time stamp: Cisco's sequence number and
// host ("29: router: *Apr 29 13:58:40.411"), its marks of an unsynchronised clock.
std::string_view skip_preamble(std::string_view rest, SyslogLine& out) noexcept {
  size_t digits = 0;
  while (digits < rest.size() && digits < 10 && is_digit(rest[digits])) ++digits;
  if (digits > 0 && rest.substr(digits, 2) == ": ") {
    rest = trim_left(rest.substr(digits + 1));
    const size_t colon = rest.find(": ");
    const bool host = colon != std::string_view::npos && colon > 0 && colon < 64 &&
                      rest.substr(0, colon).find(' ') == std::string_view::npos;
    if (host) {
      out.host = rest.substr(0, colon);
      rest = trim_left(rest.substr(colon + 1));
    }
  }
  if (rest.size() > 1 && (rest[0] == '*' || rest[0] == '.') && is_alpha(rest[1])) {
    rest.remove_prefix(1);
  }
  return rest;
}

// "Nov 21 01:35:51" and what belongs to it: a year behind it (LinkSys) or a zone (Cisco).
std::optional<ParsedTime> parse_header_time(std::string_view rest,
                                            const TimeContext& context) noexcept {
  auto time = parse_bsd_time(rest, context);
  if (!time || time->length >= rest.size() || rest[time->length] != ' ') return time;
  const std::string_view behind = rest.substr(time->length + 1);
  const unsigned year = behind.size() < 5 || behind[4] != ' ' ? 0 : year_of(behind.data());
  if (year != 0) {
    const CivilDate inferred = civil_from_days((time->ts.seconds() + context.utc_offset_s) / kDayS);
    int64_t seconds = 0;
    if (!civil_to_seconds(year, static_cast<unsigned>(inferred.month),
                          static_cast<unsigned>(inferred.day), 0, 0, seconds)) {
      return time;
    }
    seconds += (time->ts.seconds() + context.utc_offset_s) % kDayS - context.utc_offset_s;
    const auto moved = checked_time(seconds, time->ts.ns % kNsPerSecond);
    if (moved) time = ParsedTime{*moved, time->length + 5};
    return time;
  }
  size_t pos = time->length;
  int32_t offset_s = context.utc_offset_s;
  if (behind[0] < 'A' || behind[0] > 'Z' || !scan_zone(rest, pos, offset_s)) return time;
  if (pos >= rest.size() || rest[pos] != ':') return time;  // "EST" may be a host as well
  const int64_t moved_s = time->ts.seconds() + context.utc_offset_s - offset_s;
  const auto moved = checked_time(moved_s, time->ts.ns % kNsPerSecond);
  return moved ? ParsedTime{*moved, pos} : time;
}

}  // namespace

bool split_syslog(std::string_view line, const TimeContext& context, SyslogLine& out) noexcept {
  out = SyslogLine{};
  std::string_view rest = line;
  if (!take_priority(rest, out.priority)) return false;
  // "1 2026-..": version and time stamp; a version alone does without the priority, too.
  if (rest.size() > 2 && rest[0] >= '1' && rest[0] <= '9' && rest[1] == ' ' &&
      (out.priority >= 0 || (rest.size() > 12 && rest[6] == '-' && rest[12] == 'T'))) {
    return split_5424(rest.substr(2), context, out);
  }
  rest = trim_left(rest);
  const std::string_view behind_priority = rest;
  if (out.priority >= 0) rest = skip_preamble(rest, out);
  std::optional<ParsedTime> time;
  if (!rest.empty() && is_digit(rest.front())) {
    time = parse_iso_time(rest, context);
    out.iso_time = time.has_value();
  } else {
    time = parse_header_time(rest, context);
  }
  if (!time && out.priority < 0) return false;
  if (!time) {
    rest = behind_priority;
    out.host = {};
  }
  if (time) {
    out.ts = time->ts;
    rest.remove_prefix(time->length);
    // Cisco ends its time stamps with a colon.
    if (!rest.empty() && rest.front() == ':') rest.remove_prefix(1);
  }
  split_3164_rest(rest, out);
  if (out.message.starts_with(kBom)) out.message.remove_prefix(kBom.size());
  return true;
}

bool next_sd_param(std::string_view& rest, SdParam& out) noexcept {
  for (;;) {
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ']')) rest.remove_prefix(1);
    if (rest.empty()) return false;
    if (rest.front() != '[') break;
    rest = trim_left(rest.substr(1));
    const size_t stop = rest.find_first_of(" ]");
    out.id = rest.substr(0, stop);
    rest.remove_prefix(stop == std::string_view::npos ? rest.size() : stop);
  }
  const size_t equals = rest.find_first_of("= ]");
  if (equals == std::string_view::npos || rest[equals] != '=' || equals + 1 >= rest.size() ||
      rest[equals + 1] != '"') {
    return false;
  }
  out.name = rest.substr(0, equals);
  rest.remove_prefix(equals + 2);
  out.escaped = false;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] == '\\') {
      out.escaped = true;
      ++i;
    } else if (rest[i] == '"') {
      out.value = rest.substr(0, i);
      rest.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}

}  // namespace nines::log
