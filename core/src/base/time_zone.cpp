#include "nines/base/time_zone.hpp"

#include <algorithm>
#include <cctype>

#include "nines/base/time.hpp"

namespace nines {
namespace {

constexpr size_t kMaxTransitions = 10'000;  // real zones have some 250
constexpr int64_t kDayS = 86400;

class Bytes {
 public:
  explicit Bytes(std::string_view data) : data_(data) {}
  bool has(size_t n) const { return data_.size() - at_ >= n; }
  void skip(size_t n) { at_ += n; }
  uint8_t byte() { return static_cast<uint8_t>(data_[at_++]); }
  int64_t big_endian(size_t n) {
    uint64_t value = static_cast<int8_t>(data_[at_]) < 0 ? ~uint64_t{0} : 0;
    for (size_t i = 0; i < n; ++i) value = value << 8 | byte();
    return static_cast<int64_t>(value);
  }
  std::string_view rest() const { return data_.substr(at_); }

 private:
  std::string_view data_;
  size_t at_ = 0;
};

struct Header {
  char version = 0;
  size_t is_ut = 0, is_std = 0, leaps = 0, times = 0, types = 0, chars = 0;
  size_t body(size_t time_size) const {
    return times * (time_size + 1) + types * 6 + chars + leaps * (time_size + 4) + is_std + is_ut;
  }
};

std::optional<Header> read_header(Bytes& in) {
  if (!in.has(44) || !in.rest().starts_with("TZif")) return std::nullopt;
  in.skip(4);
  Header h;
  h.version = static_cast<char>(in.byte());
  in.skip(15);
  for (size_t* count : {&h.is_ut, &h.is_std, &h.leaps, &h.times, &h.types, &h.chars}) {
    const int64_t value = in.big_endian(4);
    if (value < 0 || value > static_cast<int64_t>(kMaxTransitions)) return std::nullopt;
    *count = static_cast<size_t>(value);
  }
  if (h.types == 0) return std::nullopt;
  return h;
}

std::optional<int> read_number(std::string_view& text) {
  int value = 0;
  size_t n = 0;
  for (; n < text.size() && n < 4 && text[n] >= '0' && text[n] <= '9'; ++n) {
    value = value * 10 + (text[n] - '0');
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

bool take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

// [+-]hh[:mm[:ss]]
std::optional<int32_t> read_clock(std::string_view& text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const auto hours = read_number(text);
  if (!hours || *hours > 167) return std::nullopt;
  int32_t seconds = *hours * 3600;
  for (const int unit : {60, 1}) {
    if (!take(text, ':')) break;
    const auto part = read_number(text);
    if (!part || *part > 59) return std::nullopt;
    seconds += *part * unit;
  }
  return negative ? -seconds : seconds;
}

// "CET" or "<+0330>".
bool skip_name(std::string_view& text) {
  if (take(text, '<')) {
    const size_t end = text.find('>');
    if (end == std::string_view::npos) return false;
    text.remove_prefix(end + 1);
    return true;
  }
  size_t n = 0;
  while (n < text.size() && std::isalpha(static_cast<unsigned char>(text[n])) != 0) ++n;
  text.remove_prefix(n);
  return n >= 3;
}

int64_t year_of(int64_t s) {
  return civil_from_days(s >= 0 ? s / kDayS : -((-s + kDayS - 1) / kDayS)).year;
}

}  // namespace

std::optional<TimeZone::Change> TimeZone::Change::parse(std::string_view& text) {
  Change out;
  const auto within = [](std::optional<int> n, int low, int high) {
    return n && *n >= low && *n <= high;
  };
  if (take(text, 'M')) {
    const auto month = read_number(text);
    const bool dot = take(text, '.');
    const auto week = read_number(text);
    const bool dot_too = take(text, '.');
    const auto day = read_number(text);
    if (!dot || !dot_too || !within(month, 1, 12) || !within(week, 1, 5) || !within(day, 0, 6)) {
      return std::nullopt;
    }
    out.month = *month;
    out.week = *week;
    out.day = *day;
  } else {
    const bool julian = take(text, 'J');
    out.kind = julian ? Kind::julian : Kind::day_of_year;
    const auto day = read_number(text);
    if (!within(day, julian ? 1 : 0, 365)) return std::nullopt;
    out.day = *day;
  }
  if (!take(text, '/')) return out;
  const auto at = read_clock(text);
  if (!at) return std::nullopt;
  out.at_s = *at;
  return out;
}

int64_t TimeZone::Change::local_s(int64_t year) const noexcept {
  const int64_t new_year = days_from_civil(year, 1, 1);
  int64_t day_number = 0;
  if (kind == Kind::day_of_year) {
    day_number = new_year + day;
  } else if (kind == Kind::julian) {  // 29 February is never counted
    const bool leap = days_from_civil(year + 1, 1, 1) - new_year == 366;
    day_number = new_year + day - 1 + (leap && day >= 60 ? 1 : 0);
  } else {
    const int64_t first = days_from_civil(year, month, 1);
    const int64_t weekday = ((first + 4) % 7 + 7) % 7;  // 1970-01-01 was a Thursday
    day_number = first + (day - weekday + 7) % 7 + (week - 1) * 7;
    const int64_t next =
        month == 12 ? days_from_civil(year + 1, 1, 1) : days_from_civil(year, month + 1, 1);
    while (day_number >= next) day_number -= 7;
  }
  return day_number * kDayS + at_s;
}

int32_t TimeZone::Rule::offset_s(int64_t utc_s) const noexcept {
  if (!to_summer) return standard_s;
  const int64_t year = year_of(utc_s + standard_s);
  const int64_t summer = to_summer->local_s(year) - standard_s;
  const int64_t standard = to_standard->local_s(year) - summer_s;
  const bool in_summer =
      summer < standard ? utc_s >= summer && utc_s < standard : utc_s >= summer || utc_s < standard;
  return in_summer ? summer_s : standard_s;
}

// "CET-1CEST,M3.5.0,M10.5.0/3": POSIX counts west of Greenwich positive.
std::optional<TimeZone::Rule> TimeZone::parse_rule(std::string_view text) {
  Rule rule;
  if (!skip_name(text)) return std::nullopt;
  const auto standard = read_clock(text);
  if (!standard) return std::nullopt;
  rule.standard_s = -*standard;
  if (text.empty()) return rule;
  if (!skip_name(text)) return std::nullopt;
  rule.summer_s = rule.standard_s + 3600;
  if (!text.starts_with(',')) {
    const auto summer = read_clock(text);
    if (!summer) return std::nullopt;
    rule.summer_s = -*summer;
  }
  if (!take(text, ',')) return std::nullopt;
  rule.to_summer = Change::parse(text);
  if (!rule.to_summer || !take(text, ',')) return std::nullopt;
  rule.to_standard = Change::parse(text);
  if (!rule.to_standard || !text.empty()) return std::nullopt;
  return rule;
}

Result<TimeZone> TimeZone::from_tzif(std::string name, std::string_view bytes) {
  const Error damaged{Errc::corrupt, "'" + name + "' is not a readable time zone file (TZif)", 0};
  Bytes in(bytes);
  auto header = read_header(in);
  size_t time_size = 4;
  if (header && header->version >= '2') {  // the same again in 64 bits, and the rule
    if (!in.has(header->body(4))) return damaged;
    in.skip(header->body(4));
    header = read_header(in);
    time_size = 8;
  }
  if (!header || !in.has(header->body(time_size))) return damaged;
  TimeZone zone;
  zone.name_ = std::move(name);
  std::vector<int64_t> times(header->times);
  for (int64_t& time : times) time = in.big_endian(time_size);
  std::vector<uint8_t> types(header->times);
  for (uint8_t& type : types) type = in.byte();
  std::vector<int32_t> offsets(header->types);
  for (int32_t& offset : offsets) {
    offset = static_cast<int32_t>(in.big_endian(4));
    in.skip(2);  // whether it is summer time, and its abbreviation
  }
  in.skip(header->chars + header->leaps * (time_size + 4) + header->is_std + header->is_ut);
  if (!std::is_sorted(times.begin(), times.end())) return damaged;
  zone.offsets_.push_back(offsets.front());
  for (const uint8_t type : types) {
    if (type >= offsets.size()) return damaged;
    zone.offsets_.push_back(offsets[type]);
  }
  zone.transitions_ = std::move(times);
  std::string_view footer = in.rest();
  if (time_size == 8 && take(footer, '\n')) {
    footer = footer.substr(0, footer.find('\n'));
    if (!footer.empty()) {
      zone.rule_ = parse_rule(footer);
      if (!zone.rule_) return damaged;
    }
  }
  return zone;
}

int32_t TimeZone::offset_s(int64_t utc_s) const noexcept {
  if (offsets_.empty()) return 0;
  if (rule_ && (transitions_.empty() || utc_s >= transitions_.back())) {
    return rule_->offset_s(utc_s);
  }
  const auto later = std::upper_bound(transitions_.begin(), transitions_.end(), utc_s);
  return offsets_[static_cast<size_t>(later - transitions_.begin())];
}

int64_t TimeZone::to_utc(int64_t local_s) const noexcept {
  const int32_t before = offset_s(local_s - kDayS);
  const int32_t after = offset_s(local_s + kDayS);
  for (const int32_t offset : {before, after}) {
    if (offset_s(local_s - offset) == offset) return local_s - offset;
  }
  return local_s - before;
}

}  // namespace nines
