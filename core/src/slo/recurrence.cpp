#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "nines/slo/calendar.hpp"
#include "ring.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;
constexpr int64_t kMaxDays = 366 * 400;  // that COUNT is followed from DTSTART on

Error invalid(const std::string& what) { return {Errc::invalid_argument, what, 0}; }

std::string_view next_piece(std::string_view& text, char separator) {
  const size_t end = text.find(separator);
  const std::string_view piece = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return piece;
}

std::optional<int64_t> number(std::string_view text, int64_t low, int64_t high) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (value < low || value > high) return std::nullopt;
  return value;
}

constexpr std::array<std::string_view, 7> kWeekDays{"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

std::optional<int> week_day(std::string_view name) {
  const auto found = std::find(kWeekDays.begin(), kWeekDays.end(), name);
  if (found == kWeekDays.end()) return std::nullopt;
  return static_cast<int>(found - kWeekDays.begin());
}

// 0 Monday; 1970-01-01 was a Thursday.
int weekday_of(int64_t day) { return static_cast<int>(((day + 3) % 7 + 7) % 7); }

int64_t month_start(const CivilDate& date) { return days_from_civil(date.year, date.month, 1); }
int64_t month_end(const CivilDate& date) {
  return date.month == 12 ? days_from_civil(date.year + 1, 1, 1)
                          : days_from_civil(date.year, date.month + 1, 1);
}

// Which one of its weekday within [first, end) the day is, from the front and from the back.
bool has_ordinal(int64_t day, int64_t first, int64_t end, int ordinal) {
  if (ordinal > 0) return (day - first) / 7 + 1 == ordinal;
  return (end - 1 - day) / 7 + 1 == -ordinal;
}

bool contains(const std::vector<int64_t>& values, int64_t value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

Status read_numbers(std::string_view key, std::string_view text, int64_t low, int64_t high,
                    std::vector<int64_t>& out) {
  while (!text.empty()) {
    const std::string_view piece = next_piece(text, ',');
    const auto value = number(piece, low, high);
    if (!value || *value == 0) {
      return invalid(std::string(key) + " takes numbers within " + std::to_string(low) + ".." +
                     std::to_string(high) + ", found '" + std::string(piece) + "'");
    }
    out.push_back(*value);
  }
  return Ok{};
}

// "20260301" or "20260301T220000" or "20260301T220000Z": civil seconds.
std::optional<int64_t> date_time(std::string_view text, bool& utc) {
  utc = text.ends_with('Z');
  if (utc) text.remove_suffix(1);
  if (text.size() != 8 && (text.size() != 15 || text[8] != 'T')) return std::nullopt;
  const auto year = number(text.substr(0, 4), 1970, 9999);
  const auto month = number(text.substr(4, 2), 1, 12);
  const auto day = number(text.substr(6, 2), 1, 31);
  if (!year || !month || !day) return std::nullopt;
  int64_t s = days_from_civil(*year, static_cast<int>(*month), static_cast<int>(*day)) * kDayS;
  if (text.size() == 8) return s + kDayS - 1;  // a date: the whole day
  const auto hour = number(text.substr(9, 2), 0, 23);
  const auto minute = number(text.substr(11, 2), 0, 59);
  const auto second = number(text.substr(13, 2), 0, 60);
  if (!hour || !minute || !second) return std::nullopt;
  return s + *hour * 3600 + *minute * 60 + *second;
}

}  // namespace

Status Recurrence::read_part(std::string_view key, std::string_view value) {
  const auto wrong = [&](const std::string& what) {
    return invalid(std::string(key) + " " + what + ", found '" + std::string(value) + "'");
  };
  if (key == "FREQ") {
    static constexpr std::array<std::string_view, 4> kNames{"DAILY", "WEEKLY", "MONTHLY", "YEARLY"};
    const auto found = std::find(kNames.begin(), kNames.end(), value);
    if (found == kNames.end()) return wrong("must be DAILY, WEEKLY, MONTHLY or YEARLY");
    freq_ = static_cast<Freq>(found - kNames.begin());
    return Ok{};
  }
  if (key == "INTERVAL" || key == "COUNT") {
    const auto n = number(value, 1, 10'000);
    if (!n) return wrong("must be within 1..10000");
    if (key == "COUNT") {
      count_ = *n;
    } else {
      interval_ = *n;
    }
    return Ok{};
  }
  if (key == "UNTIL") {
    bool utc = false;
    until_s_ = date_time(value, utc);
    until_is_local_ = !utc;
    if (!until_s_) return wrong("must be like 20261231 or 20261231T220000Z");
    return Ok{};
  }
  if (key == "WKST") {
    const auto day = week_day(value);
    if (!day) return wrong("must be one of MO TU WE TH FR SA SU");
    week_start_ = *day;
    return Ok{};
  }
  if (key == "BYMONTH") return read_numbers(key, value, 1, 12, months_);
  if (key == "BYMONTHDAY") return read_numbers(key, value, -31, 31, month_days_);
  if (key == "BYSETPOS") return read_numbers(key, value, -31, 31, positions_);
  if (key == "BYDAY") {
    std::string_view rest = value;
    while (!rest.empty()) {
      std::string_view piece = next_piece(rest, ',');
      WeekDay one;
      const auto day = piece.size() < 2 ? std::nullopt : week_day(piece.substr(piece.size() - 2));
      if (!day) return wrong("takes days like MO, 1SU or -1FR");
      one.day = *day;
      if (piece.size() > 2) {
        const auto ordinal = number(piece.substr(0, piece.size() - 2), -53, 53);
        if (!ordinal || *ordinal == 0) return wrong("takes days like MO, 1SU or -1FR");
        one.ordinal = static_cast<int>(*ordinal);
      }
      week_days_.push_back(one);
    }
    return Ok{};
  }
  return invalid("'" + std::string(key) +
                 "' is not supported; there are FREQ INTERVAL COUNT UNTIL WKST BYMONTH BYMONTHDAY "
                 "BYDAY BYSETPOS");
}

Status Recurrence::check() const {
  const bool ordinals = std::any_of(week_days_.begin(), week_days_.end(),
                                    [](const WeekDay& d) { return d.ordinal != 0; });
  if (ordinals && freq_ != Freq::monthly && freq_ != Freq::yearly) {
    return invalid("BYDAY with a number (1SU) needs FREQ=MONTHLY or YEARLY");
  }
  if (!month_days_.empty() && freq_ == Freq::weekly) {
    return invalid("BYMONTHDAY has no meaning with FREQ=WEEKLY (RFC 5545)");
  }
  if (!positions_.empty() && (freq_ != Freq::monthly || week_days_.empty())) {
    return invalid("BYSETPOS needs FREQ=MONTHLY and BYDAY");
  }
  if (count_ && until_s_) return invalid("COUNT and UNTIL exclude each other");
  if (start_.first) return Ok{};
  const bool bare = freq_ != Freq::daily && week_days_.empty() && month_days_.empty();
  if (interval_ > 1 || count_ || bare) {
    return invalid("this rule counts from its first day: give it with 'from'");
  }
  return Ok{};
}

Result<Recurrence> Recurrence::parse(std::string_view rule, Start start) {
  NINES_ASSERT(start.duration_s > 0);
  Recurrence out(std::move(start));
  if (rule.starts_with("RRULE:")) rule.remove_prefix(6);
  bool freq = false;
  while (!rule.empty()) {
    std::string_view value = next_piece(rule, ';');
    const std::string_view key = next_piece(value, '=');
    if (value.empty()) return invalid("'" + std::string(key) + "' has no value");
    NINES_CHECK(out.read_part(key, value));
    freq = freq || key == "FREQ";
  }
  if (!freq) return invalid("there is no FREQ");
  NINES_CHECK(out.check());
  return out;
}

// Whether INTERVAL takes the day's week, month or year, counted from the first day.
bool Recurrence::in_period(int64_t day, const CivilDate& date) const {
  if (interval_ == 1) return true;
  const CivilDate& first = *start_.first;
  const int64_t first_day = days_from_civil(first.year, first.month, first.day);
  int64_t distance = 0;
  switch (freq_) {
    case Freq::daily: distance = day - first_day; break;
    case Freq::weekly: {
      const auto week = [&](int64_t d) { return d - (weekday_of(d) - week_start_ + 7) % 7; };
      distance = (week(day) - week(first_day)) / 7;
      break;
    }
    case Freq::monthly: distance = (date.year - first.year) * 12 + date.month - first.month; break;
    case Freq::yearly: distance = date.year - first.year; break;
  }
  return distance % interval_ == 0;
}

bool Recurrence::month_day_fits(const CivilDate& date) const {
  const auto length = static_cast<int>(month_end(date) - month_start(date));
  return contains(month_days_, date.day) || contains(month_days_, date.day - length - 1);
}

bool Recurrence::week_day_fits(int64_t day, const CivilDate& date) const {
  const bool of_year = freq_ == Freq::yearly && months_.empty();
  const int64_t first = of_year ? days_from_civil(date.year, 1, 1) : month_start(date);
  const int64_t end = of_year ? days_from_civil(date.year + 1, 1, 1) : month_end(date);
  return std::any_of(week_days_.begin(), week_days_.end(), [&](const WeekDay& w) {
    return w.day == weekday_of(day) && (w.ordinal == 0 || has_ordinal(day, first, end, w.ordinal));
  });
}

bool Recurrence::matches(int64_t day) const {
  const CivilDate date = civil_from_days(day);
  if (!in_period(day, date)) return false;
  if (!months_.empty() && !contains(months_, date.month)) return false;
  if (!month_days_.empty() && !month_day_fits(date)) return false;
  if (!week_days_.empty() && !week_day_fits(day, date)) return false;
  if (!month_days_.empty() || !week_days_.empty() || freq_ == Freq::daily) return true;
  // Nothing says which day: that of the first one.
  const CivilDate& first = *start_.first;
  if (freq_ == Freq::weekly) {
    return weekday_of(day) == weekday_of(days_from_civil(first.year, first.month, first.day));
  }
  if (date.day != first.day) return false;
  return freq_ == Freq::monthly || !months_.empty() || date.month == first.month;
}

bool Recurrence::chosen(int64_t day) const {
  if (positions_.empty()) return true;
  const CivilDate date = civil_from_days(day);
  int64_t before = 0, all = 0;
  for (int64_t d = month_start(date); d < month_end(date); ++d) {
    if (!matches(d)) continue;
    ++all;
    if (d < day) ++before;
  }
  return contains(positions_, before + 1) || contains(positions_, before - all);
}

bool Recurrence::is_occurrence(int64_t day) const {
  if (start_.first) {
    const CivilDate& first = *start_.first;
    if (day < days_from_civil(first.year, first.month, first.day)) return false;
  }
  if (!matches(day) || !chosen(day)) return false;
  if (!until_s_) return true;
  const int64_t local_s = day * kDayS + start_.second_of_day;
  return (until_is_local_ ? local_s : start_.zone.to_utc(local_s)) <= *until_s_;
}

void Recurrence::append(int64_t day, int64_t from_s, int64_t to_s,
                        std::vector<Interval>& out) const {
  const int64_t begin = start_.zone.to_utc(day * kDayS + start_.second_of_day);
  const Interval one{begin, begin + start_.duration_s};
  if (one.from_s < to_s && one.to_s > from_s) out.push_back(one);
}

void Recurrence::expand(int64_t from_s, int64_t to_s, std::vector<Interval>& out) const {
  constexpr int64_t kOffsetS = 26 * 3600;  // no zone is further from UTC
  int64_t day = floor_div(from_s - start_.duration_s - kOffsetS, kDayS);
  const int64_t last = floor_div(to_s + kOffsetS, kDayS);
  if (!count_) {
    for (; day <= last; ++day) {
      if (is_occurrence(day)) append(day, from_s, to_s, out);
    }
    return;
  }
  const CivilDate& first = *start_.first;
  const int64_t begin = days_from_civil(first.year, first.month, first.day);
  int64_t left = *count_;
  for (int64_t d = begin; left > 0 && d <= std::min(last, begin + kMaxDays); ++d) {
    if (!is_occurrence(d)) continue;
    --left;
    if (d >= day) append(d, from_s, to_s, out);
  }
}

}  // namespace nines::slo
