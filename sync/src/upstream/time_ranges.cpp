#include "nines/upstream/time_ranges.hpp"

#include <algorithm>
#include <charconv>

namespace nines::upstream {

void TimeRanges::add(TimeRange range) {
  if (range.length_s() <= 0) return;
  std::vector<TimeRange> out;
  out.reserve(ranges_.size() + 1);
  for (const TimeRange& r : ranges_) {
    if (r.to_s < range.from_s || r.from_s > range.to_s) {
      out.push_back(r);
    } else {  // they touch
      range = {std::min(r.from_s, range.from_s), std::max(r.to_s, range.to_s)};
    }
  }
  const auto before = [](const TimeRange& a, const TimeRange& b) { return a.from_s < b.from_s; };
  out.insert(std::upper_bound(out.begin(), out.end(), range, before), range);
  ranges_ = std::move(out);
  keep_bounded();
}

void TimeRanges::remove(TimeRange range) {
  if (range.length_s() <= 0) return;
  std::vector<TimeRange> out;
  for (const TimeRange& r : ranges_) {
    const TimeRange left{r.from_s, std::min(r.to_s, range.from_s)};
    const TimeRange right{std::max(r.from_s, range.to_s), r.to_s};
    if (left.length_s() > 0) out.push_back(left);
    if (right.length_s() > 0) out.push_back(right);
  }
  ranges_ = std::move(out);
  keep_bounded();
}

void TimeRanges::keep_bounded() {
  while (ranges_.size() > kMost) {
    const auto gap_s = [&](size_t i) { return ranges_[i + 1].from_s - ranges_[i].to_s; };
    size_t nearest = 0;
    for (size_t i = 1; i + 1 < ranges_.size(); ++i) {
      if (gap_s(i) < gap_s(nearest)) nearest = i;
    }
    ranges_[nearest].to_s = ranges_[nearest + 1].to_s;
    ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(nearest) + 1);
  }
}

int64_t TimeRanges::length_s() const {
  int64_t sum = 0;
  for (const TimeRange& r : ranges_) sum += r.length_s();
  return sum;
}

std::optional<TimeRange> TimeRanges::oldest() const {
  if (ranges_.empty()) return std::nullopt;
  return ranges_.front();
}

std::optional<TimeRange> TimeRanges::newest() const {
  if (ranges_.empty()) return std::nullopt;
  return ranges_.back();
}

std::string TimeRanges::text() const {
  std::string out;
  for (const TimeRange& r : ranges_) {
    if (!out.empty()) out += ' ';
    out += std::to_string(r.from_s) + "-" + std::to_string(r.to_s);
  }
  return out;
}

std::optional<TimeRanges> TimeRanges::parse(std::string_view text) {
  TimeRanges out;
  const char* at = text.data();
  const char* const end = at + text.size();
  while (at != end) {
    TimeRange r;
    const auto from = std::from_chars(at, end, r.from_s);
    if (from.ec != std::errc{} || from.ptr == end || *from.ptr != '-') return std::nullopt;
    const auto to = std::from_chars(from.ptr + 1, end, r.to_s);
    if (to.ec != std::errc{} || r.length_s() <= 0) return std::nullopt;
    out.add(r);
    at = to.ptr;
    if (at != end && *at++ != ' ') return std::nullopt;
  }
  return out;
}

}  // namespace nines::upstream
