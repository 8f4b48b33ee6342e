// TimeZone: the rules of one IANA zone, read from the bytes of a TZif file (RFC 9636), so that a
// month has the days and a day the hours that it has where people live. Immutable, thread-safe.
// Why not a library: what Nines ships is linked statically, and Debian has no static one for zones.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"

namespace nines {

class TimeZone {
 public:
  TimeZone() = default;  // UTC
  // `bytes`: a whole TZif file, version 1 to 4. corrupt: it is not one, or damaged.
  static Result<TimeZone> from_tzif(std::string name, std::string_view bytes);

  const std::string& name() const noexcept { return name_; }
  // Seconds east of UTC at that instant.
  int32_t offset_s(int64_t utc_s) const noexcept;
  // `local_s`: a civil time counted as if it were UTC. A time that happens twice (clocks go back)
  // is the first of both; one that never happens (clocks go forward) is as much later as is
  // skipped.
  int64_t to_utc(int64_t local_s) const noexcept;

 private:
  // One half of the rule behind the last transition, as in POSIX TZ: "M3.5.0/2".
  struct Change {
    enum class Kind : uint8_t { julian, day_of_year, month } kind = Kind::month;
    int month = 0, week = 0, day = 0;
    int32_t at_s = 2 * 3600;  // local time of that day; may be negative or beyond a day
    int64_t local_s(int64_t year) const noexcept;
    static std::optional<Change> parse(std::string_view& text);
  };
  struct Rule {
    int32_t standard_s = 0, summer_s = 0;
    std::optional<Change> to_summer, to_standard;
    int32_t offset_s(int64_t utc_s) const noexcept;
  };
  static std::optional<Rule> parse_rule(std::string_view text);

  std::string name_ = "UTC";
  std::vector<int64_t> transitions_;  // ascending
  std::vector<int32_t> offsets_;      // one more than transitions_: [0] holds before the first
  std::optional<Rule> rule_;          // behind the last transition
};

}  // namespace nines
