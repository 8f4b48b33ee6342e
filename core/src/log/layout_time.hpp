// Time stamps at the place a layout says they are.
#pragma once

#include <cstring>
#include <optional>
#include <string_view>

#include "log/layout_program.hpp"
#include "log/time_scan.hpp"
#include "nines/log/format.hpp"

namespace nines::log {

// Keeps the last minute of ISO times and the last second of others: lines of one file mostly share
// it.
class PrefixTimes {
 public:
  // The time stamp that `text` begins with.
  std::optional<ParsedTime> parse(std::string_view text, const TimeShape& shape,
                                  const TimeContext& context) noexcept {
    if (shape.kind == TimeShape::Kind::any && text.size() >= 19 && same_minute(text)) {
      return finish(finish_iso(text, minute_s_, zone_of(shape, context)), text, shape, context);
    }
    return shape.ends_with_second ? parse_second(text, shape, context)
                                  : parse_uncached(text, shape, context);
  }
  // Years and days that are left out depend on the reference.
  void forget() noexcept { shape_ = nullptr; }
  static std::optional<ParsedTime> parse_uncached(std::string_view text, const TimeShape& shape,
                                                  const TimeContext& context) noexcept;
  // The whole of `text`, digits of an epoch among others.
  std::optional<WallTime> parse_whole(std::string_view text, const TimeShape& shape,
                                      const TimeContext& context) noexcept;

 private:
  static TimeContext zone_of(const TimeShape& shape, TimeContext context) noexcept {
    if (shape.utc) context.utc_offset_s = 0;
    return context;
  }
  static std::optional<ParsedTime> finish(std::optional<ParsedTime> t, std::string_view text,
                                          const TimeShape& shape,
                                          const TimeContext& context) noexcept;
  bool same_minute(std::string_view text) noexcept {
    if (std::memcmp(text.data(), minute_, sizeof minute_) == 0) return true;
    if (!iso_minute(text.data(), minute_s_)) return false;
    std::memcpy(minute_, text.data(), sizeof minute_);
    return true;
  }

  std::optional<ParsedTime> parse_second(std::string_view text, const TimeShape& shape,
                                         const TimeContext& context) noexcept;
  std::optional<ParsedTime> from_second(std::string_view text) const noexcept;

  static constexpr size_t kMaxSecond = 32;
  const TimeShape* shape_ = nullptr;  // of the second that is kept; null: none is
  char second_[kMaxSecond] = {};      // "1121 01:35:51"
  size_t second_size_ = 0;
  WallTime second_ts_{};
  char minute_[16] = {};  // "2026-11-21T01:35"; never NULs once a time was seen
  int64_t minute_s_ = 0;
};

}  // namespace nines::log
