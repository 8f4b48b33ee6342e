#include "ical_lines.hpp"

#include <algorithm>
#include <charconv>

#include "civil.hpp"
#include "nines/base/time.hpp"

namespace nines::oncall {
namespace {

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

std::optional<int64_t> digits(std::string_view text, int64_t low, int64_t high) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || error != std::errc()) return std::nullopt;
  if (end != text.data() + text.size() || value < low || value > high) return std::nullopt;
  return value;
}

// Where the next of `ends` stands outside of quotes.
size_t find_unquoted(std::string_view text, size_t from, std::string_view ends) {
  bool quoted = false;
  for (size_t i = from; i < text.size(); ++i) {
    if (text[i] == '"') quoted = !quoted;
    if (!quoted && ends.find(text[i]) != std::string_view::npos) return i;
  }
  return std::string_view::npos;
}

bool cut(std::string_view whole, ContentLine& out, size_t& value_at) {
  size_t at = find_unquoted(whole, 0, ":;");
  if (at == std::string_view::npos) return false;
  out.name = upper(whole.substr(0, at));
  while (whole[at] == ';') {
    const size_t end = find_unquoted(whole, at + 1, ":;");
    if (end == std::string_view::npos) return false;
    const std::string_view piece = whole.substr(at + 1, end - at - 1);
    const size_t equals = piece.find('=');
    if (equals == std::string_view::npos) return false;
    std::string value(piece.substr(equals + 1));
    std::erase(value, '"');
    out.parameters.emplace_back(upper(piece.substr(0, equals)), std::move(value));
    at = end;
  }
  value_at = at + 1;
  out.value = std::string(whole.substr(value_at));
  return is_name(out.name);
}

void put(std::string& out, uint64_t value, int bytes) {
  for (int i = bytes - 1; i >= 0; --i) out.push_back(static_cast<char>(value >> (8 * i) & 0xFF));
}

}  // namespace

std::string_view ContentLine::parameter(std::string_view wanted) const noexcept {
  for (const auto& [key, text] : parameters) {
    if (key == wanted) return text;
  }
  return {};
}

std::vector<ContentLine> content_lines(std::string_view text,
                                       std::vector<CalendarTrouble>& troubles) {
  std::vector<ContentLine> out;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  int number = 0;
  while (!text.empty()) {
    const int first = number + 1;
    size_t first_length = 0;
    std::string whole;
    do {  // a line that begins with a blank goes on with the one before
      const size_t end = text.find('\n');
      std::string_view line = text.substr(0, end);
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      if (line.ends_with('\r')) line.remove_suffix(1);
      if (++number != first) line.remove_prefix(1);
      whole += line;
      if (number == first) first_length = whole.size();
    } while (!text.empty() && (text.front() == ' ' || text.front() == '\t'));
    if (whole.empty()) continue;
    ContentLine line;
    line.line = first;
    size_t value_at = 0;
    if (cut(whole, line, value_at)) {
      line.column = value_at <= first_length ? static_cast<int>(value_at) + 1 : 1;
      out.push_back(std::move(line));
    } else if (troubles.size() < Calendar::kMaxTroubles) {
      troubles.push_back({first, 1, "this is no line of a calendar: '" + whole.substr(0, 60) + "'",
                          "NAME;PARAMETER=VALUE:VALUE (RFC 5545); lines that go on begin with a "
                          "blank"});
    }
  }
  return out;
}

std::optional<DateTime> parse_date_time(std::string_view text) {
  DateTime out;
  out.utc = text.ends_with('Z');
  if (out.utc) text.remove_suffix(1);
  if (text.size() != 8 && (text.size() != 15 || text[8] != 'T')) return std::nullopt;
  out.date = text.size() == 8;
  if (out.date && out.utc) return std::nullopt;
  const auto year = digits(text.substr(0, 4), 1601, 2200);
  const auto month = digits(text.substr(4, 2), 1, 12);
  const auto day = digits(text.substr(6, 2), 1, 31);
  if (!year || !month || !day) return std::nullopt;
  const int64_t days = days_from_civil(*year, static_cast<int>(*month), static_cast<int>(*day));
  if (civil_from_days(days).day != *day) return std::nullopt;  // 31 February
  out.civil_s = days * kDayS;
  if (out.date) return out;
  const auto hour = digits(text.substr(9, 2), 0, 23);
  const auto minute = digits(text.substr(11, 2), 0, 59);
  const auto second = digits(text.substr(13, 2), 0, 60);
  if (!hour || !minute || !second) return std::nullopt;
  out.civil_s += *hour * 3600 + *minute * 60 + *second;
  return out;
}

std::optional<Length> parse_length(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!text.starts_with('P')) return std::nullopt;
  text.remove_prefix(1);
  Length out;
  bool time = false, any = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !time) {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    const auto value = digits(text.substr(0, n), 0, 100'000'000);
    if (!value || n == text.size()) return std::nullopt;
    const char unit = text[n];
    text.remove_prefix(n + 1);
    any = true;
    if (!time && unit == 'W') {
      out.days += *value * 7;
    } else if (!time && unit == 'D') {
      out.days += *value;
    } else if (time && (unit == 'H' || unit == 'M' || unit == 'S')) {
      out.seconds += *value * (unit == 'H' ? 3600 : unit == 'M' ? 60 : 1);
    } else {
      return std::nullopt;
    }
  }
  if (!any || out.days > 1000 || out.seconds > 1000 * kDayS) return std::nullopt;
  return out;
}

std::optional<int32_t> parse_offset(std::string_view text) {
  if ((text.size() != 5 && text.size() != 7) || (text[0] != '+' && text[0] != '-')) {
    return std::nullopt;
  }
  const auto hours = digits(text.substr(1, 2), 0, 23), minutes = digits(text.substr(3, 2), 0, 59);
  const auto seconds =
      text.size() == 7 ? digits(text.substr(5, 2), 0, 59) : std::optional<int64_t>(0);
  if (!hours || !minutes || !seconds) return std::nullopt;
  const int64_t offset = *hours * 3600 + *minutes * 60 + *seconds;
  return static_cast<int32_t>(text[0] == '-' ? -offset : offset);
}

std::string unescaped(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\' || i + 1 == text.size()) {
      out.push_back(text[i]);
      continue;
    }
    ++i;
    out.push_back(text[i] == 'n' || text[i] == 'N' ? '\n' : text[i]);
  }
  return out;
}

// As the bytes of a zone file (RFC 9636), so that there is one implementation of zones.
TimeZone zone_of(const std::string& name, int32_t first,
                 const std::vector<std::pair<int64_t, int32_t>>& changes) {
  const auto header = [](std::string& out, size_t times, size_t types) {
    out += "TZif2";
    out.append(15, '\0');
    for (const size_t count : {size_t{0}, size_t{0}, size_t{0}, times, types, size_t{1}}) {
      put(out, count, 4);
    }
  };
  std::vector<int32_t> offsets{first};
  std::vector<uint8_t> types;
  for (const auto& [at_s, offset] : changes) {
    auto found = std::find(offsets.begin(), offsets.end(), offset);
    if (found == offsets.end()) found = offsets.insert(found, offset);
    types.push_back(static_cast<uint8_t>(found - offsets.begin()));
  }
  std::string bytes;
  header(bytes, 0, 1);
  bytes.append(6 + 1, '\0');
  header(bytes, changes.size(), offsets.size());
  for (const auto& change : changes) put(bytes, static_cast<uint64_t>(change.first), 8);
  for (const uint8_t type : types) put(bytes, type, 1);
  for (const int32_t offset : offsets) {
    put(bytes, static_cast<uint32_t>(offset), 4);
    bytes.append(2, '\0');
  }
  bytes.push_back('\0');
  bytes += "\n\n";
  auto zone = TimeZone::from_tzif(name, bytes);
  NINES_ASSERT(zone.ok());
  return std::move(*zone);
}

}  // namespace nines::oncall
