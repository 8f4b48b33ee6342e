#include "log/layout_time.hpp"

#include "log/strptime.hpp"

namespace nines::log {
namespace {

constexpr int64_t kDayNs = kDayS * kNsPerSecond;

// Whether the zone of `time`, "2026-11-21 01:35:51.262 CET", stands in it: its last word begins
// with a letter or a sign, or holds what no clock does.
bool has_zone(std::string_view time) noexcept {
  const std::string_view last = time.substr(time.rfind(' ') + 1);
  return last.find_first_not_of("0123456789:.,") != std::string_view::npos;
}

// PostgreSQL writes the abbreviation of its zone, or " +03" where there is none. Abbreviations that
// are known were read with the time; the source's offset holds for others.
void read_zone_word(std::string_view text, const TimeContext& context, ParsedTime& t) noexcept {
  if (text.size() < t.length + 4 || text[t.length] != ' ' || has_zone(text.substr(0, t.length))) {
    return;
  }
  const std::string_view rest = text.substr(t.length + 1);
  size_t end = 0;
  int32_t offset_s = context.utc_offset_s;
  if (rest[0] == '+' || rest[0] == '-') {
    if (!scan_zone(rest, end, offset_s)) return;
  } else {
    while (end < rest.size() && rest[end] >= 'A' && rest[end] <= 'Z') ++end;
    if (end < 3 || end > 5) return;
  }
  if (end < rest.size() && is_alnum(rest[end])) return;
  t.length += 1 + end;
  const int64_t ns = t.ts.ns + int64_t{context.utc_offset_s - offset_s} * kNsPerSecond;
  if (ns >= 0 && ns < kMaxTimeS * kNsPerSecond) t.ts.ns = ns;
}

// "01:35:51.262" alone: the last such moment that is not more than an hour ahead of the reference.
WallTime place_on_day(WallTime t, WallTime reference) noexcept {
  const int64_t in_day = t.ns % kDayNs;
  const int64_t limit = reference.ns + 3600 * kNsPerSecond;
  const int64_t behind = limit - in_day / kNsPerSecond * kNsPerSecond;  // one day for a second
  if (behind < 0) return {in_day};
  return {behind / kDayNs * kDayNs + in_day};
}

}  // namespace

std::optional<ParsedTime> PrefixTimes::finish(std::optional<ParsedTime> t, std::string_view text,
                                              const TimeShape& shape,
                                              const TimeContext& context) noexcept {
  if (t && shape.zone_word) read_zone_word(text, zone_of(shape, context), *t);
  return t;
}

std::optional<ParsedTime> PrefixTimes::parse_uncached(std::string_view text, const TimeShape& shape,
                                                      const TimeContext& context) noexcept {
  const TimeContext zone = zone_of(shape, context);
  if (shape.kind == TimeShape::Kind::any) {
    return finish(parse_any_time(text, zone), text, shape, context);
  }
  auto t = parse_time_prefix(text, shape.format, zone);
  if (t && shape.kind == TimeShape::Kind::time_of_day) {
    t->ts = place_on_day(t->ts, context.reference);
  }
  return finish(t, text, shape, context);
}

// The kept second with the fraction of `text`; nothing when it is another second.
std::optional<ParsedTime> PrefixTimes::from_second(std::string_view text) const noexcept {
  const std::string_view kept(second_, second_size_);
  if (!text.starts_with(kept)) return std::nullopt;
  size_t pos = kept.size();
  const char next = pos < text.size() ? text[pos] : '\0';
  if (shape_->fraction == '\0') {
    if (is_digit(next)) return std::nullopt;
    return ParsedTime{second_ts_, pos};
  }
  if (next != shape_->fraction) return std::nullopt;
  const int64_t nanos = scan_fraction(text, pos);
  if (pos == kept.size()) return std::nullopt;
  return ParsedTime{{second_ts_.ns + nanos}, pos};
}

std::optional<ParsedTime> PrefixTimes::parse_second(std::string_view text, const TimeShape& shape,
                                                    const TimeContext& context) noexcept {
  if (shape_ == &shape) {
    if (const auto t = from_second(text)) return finish(t, text, shape, context);
  }
  const auto t = parse_uncached(text, shape, context);
  // A zone behind it would be kept with it.
  if (!t || shape.zone_word) return t;
  size_t end = t->length;
  if (shape.fraction != '\0') end = text.substr(0, end).rfind(shape.fraction);
  if (end > kMaxSecond) return t;  // npos too
  size_t pos = end;
  second_ts_.ns = t->ts.ns - (shape.fraction != '\0' ? scan_fraction(text, pos) : 0);
  std::memcpy(second_, text.data(), end);
  second_size_ = end;
  shape_ = &shape;
  return t;
}

std::optional<WallTime> PrefixTimes::parse_whole(std::string_view text, const TimeShape& shape,
                                                 const TimeContext& context) noexcept {
  if (shape.kind == TimeShape::Kind::any) {
    if (const auto epoch = parse_epoch(text)) return epoch;
  }
  const auto t = parse(text, shape, context);
  if (!t || t->length != text.size()) return std::nullopt;
  return t->ts;
}

}  // namespace nines::log
