#include "nines/base/time.hpp"

#include <cstdio>

namespace nines {

CivilDate civil_from_days(int64_t days) noexcept {
  days += 719468;
  const int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const int64_t doe = days - era * 146097;
  const int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const int64_t mp = (5 * doy + 2) / 153;
  const int day = static_cast<int>(doy - (153 * mp + 2) / 5 + 1);
  const int month = static_cast<int>(mp < 10 ? mp + 3 : mp - 9);
  return {yoe + era * 400 + (month <= 2), month, day};
}

std::string format_rfc3339(WallTime t) {
  const int64_t s = t.seconds();
  const int64_t days = s >= 0 ? s / 86400 : -((-s + 86399) / 86400);
  const CivilDate d = civil_from_days(days);
  const int64_t tod = s - days * 86400;
  const int64_t fraction = (t.ns % kNsPerSecond + kNsPerSecond) % kNsPerSecond;
  char buffer[64];
  const int n =
      std::snprintf(buffer, sizeof buffer, "%04lld-%02d-%02dT%02d:%02d:%02d",
                    static_cast<long long>(d.year), d.month, d.day, static_cast<int>(tod / 3600),
                    static_cast<int>(tod / 60 % 60), static_cast<int>(tod % 60));
  std::string out(buffer, static_cast<size_t>(n));
  if (fraction != 0) {
    const int digits = fraction % kNsPerMs == 0 ? 3 : fraction % kNsPerUs == 0 ? 6 : 9;
    std::snprintf(buffer, sizeof buffer, ".%09d", static_cast<int>(fraction));
    out.append(buffer, static_cast<size_t>(digits) + 1);
  }
  return out + "Z";
}

std::string format_duration_s(int64_t s) {
  if (s != 0 && s % 86400 == 0) return std::to_string(s / 86400) + "d";
  if (s != 0 && s % 3600 == 0) return std::to_string(s / 3600) + "h";
  if (s != 0 && s % 60 == 0) return std::to_string(s / 60) + "m";
  return std::to_string(s) + "s";
}

}  // namespace nines
