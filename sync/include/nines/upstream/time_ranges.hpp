// TimeRanges: a set of times as sorted, disjoint, half-open ranges of seconds: what a destination
// has not been told yet. Bounded: beyond kMost ranges the two nearest ones become one, which tells
// something twice rather than not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nines::upstream {

struct TimeRange {
  int64_t from_s = 0, to_s = 0;
  int64_t length_s() const { return to_s - from_s; }
  friend bool operator==(const TimeRange&, const TimeRange&) = default;
};

class TimeRanges {
 public:
  static constexpr size_t kMost = 64;

  void add(TimeRange range);
  void remove(TimeRange range);
  bool empty() const { return ranges_.empty(); }
  int64_t length_s() const;
  const std::vector<TimeRange>& ranges() const { return ranges_; }
  std::optional<TimeRange> oldest() const;
  std::optional<TimeRange> newest() const;

  // "100-160 220-280"
  std::string text() const;
  // nullopt: not such a text.
  static std::optional<TimeRanges> parse(std::string_view text);

 private:
  void keep_bounded();

  std::vector<TimeRange> ranges_;
};

}  // namespace nines::upstream
