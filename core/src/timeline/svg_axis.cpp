#include "timeline/svg_axis.hpp"

#include <algorithm>

#include "timeline/inert.hpp"

namespace nines::timeline {
namespace {

constexpr int64_t kMostTicks = 8, kMinute = 60 * kNsPerSecond, kHour = 60 * kMinute,
                  kDay = 24 * kHour;
constexpr int64_t kFarthest = int64_t{1} << 61;  // sums and differences of two fit 64 bits
constexpr int64_t kSteps[] = {kNsPerMs,
                              2 * kNsPerMs,
                              5 * kNsPerMs,
                              10 * kNsPerMs,
                              20 * kNsPerMs,
                              50 * kNsPerMs,
                              100 * kNsPerMs,
                              200 * kNsPerMs,
                              500 * kNsPerMs,
                              kNsPerSecond,
                              2 * kNsPerSecond,
                              5 * kNsPerSecond,
                              10 * kNsPerSecond,
                              15 * kNsPerSecond,
                              30 * kNsPerSecond,
                              kMinute,
                              2 * kMinute,
                              5 * kMinute,
                              10 * kMinute,
                              15 * kMinute,
                              30 * kMinute,
                              kHour,
                              2 * kHour,
                              3 * kHour,
                              6 * kHour,
                              12 * kHour,
                              kDay,
                              2 * kDay,
                              7 * kDay,
                              30 * kDay};

int64_t step_for(int64_t range) {
  for (const int64_t step : kSteps) {
    if (range / step <= kMostTicks) return step;
  }
  return range / kMostTicks;
}

}  // namespace

SvgAxis::SvgAxis(WallTime first, WallTime last, const TimeZone& zone)
    : first_(std::clamp(first.ns, -kFarthest, kFarthest)),
      last_(std::clamp(last.ns, first_, kFarthest)),
      zone_(zone) {
  const int64_t margin = std::max(last_ / 64 - first_ / 64, 5 * kNsPerMs);
  first_ -= margin;
  last_ += margin;
  per_tenth_ = (last_ - first_) / (10 * (kRight - kLeft)) + 1;
}

int SvgAxis::x(WallTime at) const noexcept {
  const int64_t inside = std::clamp(at.ns, first_, last_);
  return 10 * kLeft + static_cast<int>((inside - first_) / per_tenth_);
}

std::string SvgAxis::tenths(int n) {
  return n % 10 == 0 ? std::to_string(n / 10)
                     : std::to_string(n / 10) + '.' + std::to_string(n % 10);
}

std::string SvgAxis::label(WallTime at, int64_t step) const {
  if (step >= kDay) return date_text(at, zone_);
  const std::string clock = clock_text(at, zone_);
  return clock.substr(0, step >= kMinute ? 5 : step >= kNsPerSecond ? 8 : 12);
}

void SvgAxis::draw(std::string& out, int top, int bottom) const {
  const int64_t step = step_for(last_ - first_);
  const int64_t east = int64_t{zone_.offset_s(WallTime{first_}.seconds())} * kNsPerSecond;
  int64_t tick = (first_ + east) / step * step - east;
  for (; tick <= last_; tick += step) {
    if (tick < first_) continue;
    const std::string x = px({tick});
    out += "<line class=\"nl\" x1=\"" + x + "\" x2=\"" + x + "\" y1=\"" + std::to_string(top) +
           "\" y2=\"" + std::to_string(bottom) + "\"/>";
    out += "<text class=\"nd\" text-anchor=\"middle\" font-size=\"10\" x=\"" + x + "\" y=\"" +
           std::to_string(top - 4) + "\">" + label({tick}, step) + "</text>";
  }
  const std::string day = date_text({first_}, zone_) + ' ' + zone_text({first_}, zone_);
  out += "<text class=\"nd\" font-size=\"10\" x=\"12\" y=\"" + std::to_string(top - 4) + "\">" +
         inert_xml(day, 28) + "</text>";
}

}  // namespace nines::timeline
