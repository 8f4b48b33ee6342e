#include "hourly_sketches.hpp"

#include <algorithm>

namespace nines::slo {

namespace {

size_t place(int64_t hour) {
  constexpr int64_t kHours = HourlySketches::kHours;
  return static_cast<size_t>(((hour % kHours) + kHours) % kHours);
}

}  // namespace

Sketch& HourlySketches::at(int64_t hour) { return hours_[place(hour)]; }

void HourlySketches::advance(int64_t hour) {
  if (!any_ || hour <= newest_) return;
  bool dropped = false;
  for (int64_t h = std::max(newest_, hour - kHours) + 1; h <= hour; ++h) {
    dropped |= at(h).count() != 0;
    at(h).clear();
  }
  newest_ = hour;
  if (!dropped) return;
  sum_.clear();
  for (const Sketch& s : hours_) sum_.merge(s);
  stale_ = true;
}

void HourlySketches::apply(const SketchDelta& delta) {
  if (!any_) {
    any_ = true;
    newest_ = delta.hour;
  }
  advance(delta.hour);
  if (delta.hour <= newest_ - kHours) return;
  for (const auto& [bin, count] : delta.bins) {
    at(delta.hour).add(bin, count);
    sum_.add(bin, count);
  }
  stale_ = true;
}

const HourlySketches::Quantiles& HourlySketches::quantiles() {
  if (stale_) {
    quantiles_ = {sum_.quantile(500), sum_.quantile(950), sum_.quantile(990)};
    stale_ = false;
  }
  return quantiles_;
}

std::vector<HourlySketches::Hour> HourlySketches::by_hour() const {
  std::vector<Hour> out;
  for (int64_t hour = newest_ - kHours + 1; any_ && hour <= newest_; ++hour) {
    const Sketch& one = hours_[place(hour)];
    if (one.count() == 0) continue;
    out.push_back({hour, one.count(), {one.quantile(500), one.quantile(950), one.quantile(990)}});
  }
  return out;
}

size_t HourlySketches::memory_bytes() const noexcept {
  size_t bytes = sum_.memory_bytes();
  for (const Sketch& s : hours_) bytes += s.memory_bytes();
  return bytes;
}

}  // namespace nines::slo
