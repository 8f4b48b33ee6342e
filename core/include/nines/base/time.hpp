// Time: monotonic and wall time are different types; only the composition root reads a system clock
// (law 7). Everything else takes `now` or a Clock&.
#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace nines {

inline constexpr int64_t kNsPerUs = 1'000;
inline constexpr int64_t kNsPerMs = 1'000'000;
inline constexpr int64_t kNsPerSecond = 1'000'000'000;

// Monotonic, meaningful in this process only.
struct Instant {
  int64_t ns = 0;
  friend auto operator<=>(const Instant&, const Instant&) = default;
};

// UTC nanoseconds since 1970 (1677..2262); may jump; for everything stored, sent or shown.
struct WallTime {
  int64_t ns = 0;
  friend auto operator<=>(const WallTime&, const WallTime&) = default;
  static constexpr WallTime from_s(int64_t s) { return {s * kNsPerSecond}; }
  // Whole seconds, rounded towards the past.
  constexpr int64_t seconds() const {
    return ns / kNsPerSecond - (ns % kNsPerSecond < 0 ? 1 : 0);
  }
};

// For people and logs: whole milliseconds.
constexpr WallTime to_ms(WallTime t) { return {t.ns - (t.ns % kNsPerMs + kNsPerMs) % kNsPerMs}; }

// Thread-safe; owned by main.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Instant mono() const noexcept = 0;
  virtual WallTime wall() const noexcept = 0;
  // False: nothing has set the wall clock since boot (no NTP yet).
  virtual bool synchronised() const noexcept { return true; }
  // CPU time that the calling thread has used.
  virtual int64_t thread_cpu_ns() const noexcept { return 0; }
};

struct CivilDate {
  int64_t year;
  int month;  // 1..12
  int day;    // 1..31
};
// Days since 1970-01-01 of a proleptic Gregorian date, and back.
// Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms".
constexpr int64_t days_from_civil(int64_t y, int m, int d) noexcept {
  y -= m <= 2;
  const int64_t era = (y >= 0 ? y : y - 399) / 400;
  const int64_t yoe = y - era * 400;
  const int64_t doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + doe - 719468;
}
CivilDate civil_from_days(int64_t days) noexcept;

// "2026-03-01T22:00:00Z"; a fraction is shown with 3, 6 or 9 digits as it needs ("...00.250Z").
std::string format_rfc3339(WallTime t);
// "30d", "1h", "5m", "90s": the largest unit that divides the whole.
std::string format_duration_s(int64_t seconds);

}  // namespace nines
