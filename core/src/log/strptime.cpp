#include "log/strptime.hpp"

#include "log/scan.hpp"
#include "log/time_scan.hpp"

namespace nines::log {
namespace {

constexpr std::string_view kConversions = "YymdebBhaAHIpMSfLzZsjTDFRnt%";

struct Parts {
  int64_t year = -1;
  unsigned month = 1;
  unsigned day = 1;
  unsigned day_of_year = 0;
  unsigned hour = 0;
  unsigned minute = 0;
  unsigned second = 0;
  int64_t nanos = 0;
  int half = -1;  // 0 am, 1 pm
  std::optional<int32_t> offset_s;
  std::optional<WallTime> epoch;
};

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}
  Parts parts;

  bool read(std::string_view format) noexcept {
    for (size_t i = 0; i < format.size(); ++i) {
      if (is_blank(format[i])) {
        skip_blank();
      } else if (format[i] != '%' || i + 1 == format.size()) {
        if (!literal(format[i])) return false;
      } else if (!conversion(format[++i])) {
        return false;
      }
    }
    return true;
  }
  bool at_end() const noexcept { return pos_ == text_.size(); }
  size_t used() const noexcept { return pos_; }

 private:
  void skip_blank() noexcept {
    while (pos_ < text_.size() && is_blank(text_[pos_])) ++pos_;
  }
  bool literal(char c) noexcept {
    if (pos_ >= text_.size() || text_[pos_] != c) return false;
    ++pos_;
    return true;
  }
  bool number(size_t max_digits, unsigned low, unsigned high, unsigned& out) noexcept {
    unsigned value = 0;
    size_t n = 0;
    for (; n < max_digits && pos_ < text_.size() && is_digit(text_[pos_]); ++n) {
      value = value * 10 + static_cast<unsigned>(text_[pos_++] - '0');
    }
    out = value;
    return n > 0 && value >= low && value <= high;
  }
  bool month_name() noexcept {
    if (text_.size() < pos_ + 3) return false;
    parts.month = month_of(text_.data() + pos_);
    word();
    return parts.month != 0;
  }
  bool word() noexcept {
    const size_t begin = pos_;
    while (pos_ < text_.size() && is_alpha(text_[pos_])) ++pos_;
    return pos_ > begin;
  }
  bool year(size_t digits) noexcept {
    unsigned value = 0;
    if (!number(digits, 0, 9999, value)) return false;
    parts.year = digits == 4 ? value : value < 69 ? 2000 + value : 1900 + value;
    return true;
  }
  bool half_day() noexcept {
    if (text_.size() < pos_ + 2 || (text_[pos_ + 1] | 0x20) != 'm') return false;
    const char c = static_cast<char>(text_[pos_] | 0x20);
    pos_ += 2;
    parts.half = c == 'p';
    return c == 'a' || c == 'p';
  }
  bool fraction() noexcept {
    int64_t unit = kNsPerSecond;
    const size_t begin = pos_;
    for (; pos_ < text_.size() && is_digit(text_[pos_]); ++pos_) {
      unit /= 10;
      parts.nanos += (text_[pos_] - '0') * unit;
    }
    return pos_ > begin;
  }
  bool zone() noexcept {
    int32_t offset = kNoZone;  // stays with an ambiguous abbreviation: the source's holds
    if (!scan_zone(text_, pos_, offset)) return false;
    if (offset != kNoZone) parts.offset_s = offset;
    return true;
  }
  bool zone_name() noexcept {
    const size_t begin = pos_;
    if (!word()) return false;
    const int32_t offset = zone_offset(text_.substr(begin, pos_ - begin));
    if (offset == kNoZone) return false;
    if (offset != kAmbiguousZone) parts.offset_s = offset;
    return true;
  }
  bool epoch() noexcept {
    const size_t begin = pos_;
    while (pos_ < text_.size() && is_digit(text_[pos_])) ++pos_;
    parts.epoch = parse_epoch(text_.substr(begin, pos_ - begin));
    return parts.epoch.has_value();
  }
  bool conversion(char c) noexcept {
    switch (c) {
      case 'Y': return year(4);
      case 'y': return year(2);
      case 'm': return number(2, 1, 12, parts.month);
      case 'e':
      case 'd': skip_blank(); return number(2, 1, 31, parts.day);
      case 'j': return number(3, 1, 366, parts.day_of_year);
      case 'b':
      case 'B':
      case 'h': return month_name();
      case 'a':
      case 'A': return word();
      case 'H': return number(2, 0, 23, parts.hour);
      case 'I': return number(2, 1, 12, parts.hour);
      case 'p': return half_day();
      case 'M': return number(2, 0, 59, parts.minute);
      case 'S': return number(2, 0, 60, parts.second);
      case 'f':
      case 'L': return fraction();
      case 'z': return zone();
      case 'Z': return zone_name();
      case 's': return epoch();
      case 'T': return read("%H:%M:%S");
      case 'R': return read("%H:%M");
      case 'D': return read("%m/%d/%y");
      case 'F': return read("%Y-%m-%d");
      case 'n':
      case 't': skip_blank(); return true;
      default: return c == '%' && literal('%');
    }
  }

  std::string_view text_;
  size_t pos_ = 0;
};

}  // namespace

Status check_time_format(std::string_view format) {
  for (size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') continue;
    if (i + 1 == format.size() || kConversions.find(format[i + 1]) == std::string_view::npos) {
      return Error{Errc::invalid_argument,
                   "time format \"" + std::string(format) + "\": unknown conversion \"" +
                       std::string(format.substr(i, 2)) +
                       "\"; known are %Y %y %m %d %e %j %b %B %a %A %H %I %p %M %S %f %L %z %Z %s "
                       "%T %D %F %R %%"};
    }
    ++i;
  }
  return Ok{};
}

namespace {

std::optional<WallTime> resolve(Parts parts, const TimeContext& context) noexcept {
  if (parts.epoch)
    return checked_time(parts.epoch->seconds(), parts.epoch->ns % kNsPerSecond + parts.nanos);
  if (parts.half >= 0) parts.hour = parts.hour % 12 + (parts.half == 1 ? 12 : 0);
  const int64_t second_of_day = parts.hour * 3600 + parts.minute * 60 + parts.second;
  TimeContext zone = context;
  zone.utc_offset_s = parts.offset_s.value_or(context.utc_offset_s);
  if (parts.year < 0) {  // the fraction has no say in the year, so that a second is in one
    auto ts = infer_year(parts.month, parts.day, second_of_day, 0, zone);
    if (ts) ts->ns += parts.nanos;
    return ts;
  }
  int64_t midnight = 0;
  if (!civil_to_seconds(parts.year, parts.month, parts.day, 0, 0, midnight)) return std::nullopt;
  if (parts.day_of_year > 0) midnight += (parts.day_of_year - 1) * kDayS;
  return checked_time(midnight + second_of_day - zone.utc_offset_s, parts.nanos);
}

}  // namespace

std::optional<WallTime> parse_time_format(std::string_view text, std::string_view format,
                                          const TimeContext& context) noexcept {
  TimeReader reader(text);
  if (!reader.read(format) || !reader.at_end()) return std::nullopt;
  return resolve(reader.parts, context);
}

std::optional<ParsedTime> parse_time_prefix(std::string_view text, std::string_view format,
                                            const TimeContext& context) noexcept {
  TimeReader reader(text);
  if (!reader.read(format)) return std::nullopt;
  const auto ts = resolve(reader.parts, context);
  if (!ts) return std::nullopt;
  return ParsedTime{*ts, reader.used()};
}

}  // namespace nines::log
