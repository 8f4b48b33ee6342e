#include "nines/base/time_zone.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <random>
#include <sstream>

#include "nines/base/time.hpp"

using namespace nines;

namespace {

constexpr const char* kZones = "/usr/share/zoneinfo/";

std::string bytes_of(const std::string& zone) {
  std::ifstream file(kZones + zone, std::ios::binary);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

bool have_zones() {
  if (std::filesystem::exists(kZones + std::string("Europe/Berlin"))) return true;
  std::cerr << "SKIPPED: no time zone data here (package tzdata)\n";
  return false;
}

TimeZone load(const std::string& name) {
  auto zone = TimeZone::from_tzif(name, bytes_of(name));
  INFO(name << (zone.ok() ? "" : ": " + zone.error().message));
  REQUIRE(zone.ok());
  return *zone;
}

int64_t civil(int64_t y, int m, int d, int hour = 0, int minute = 0) {
  return days_from_civil(y, m, d) * 86400 + hour * 3600 + minute * 60;
}

// The C library reads the same files with code of its own.
void use_libc_zone(const std::string& name) {
  ::setenv("TZ", name.c_str(), 1);
  ::tzset();
}

int64_t libc_offset(int64_t utc_s) {
  const time_t t = utc_s;
  struct tm local {};
  REQUIRE(::localtime_r(&t, &local) != nullptr);
  return local.tm_gmtoff;
}

}  // namespace

TEST_CASE("A zone's offsets are those of the C library, past and future", "[time_zone]") {
  if (!have_zones()) return;
  std::mt19937_64 random(7);
  for (const char* name :
       {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Asia/Kathmandu",
        "Australia/Lord_Howe", "America/St_Johns", "Europe/Dublin", "Pacific/Apia",
        "Africa/Casablanca", "America/Sao_Paulo", "Antarctica/Troll", "Asia/Tehran",
        "Pacific/Chatham", "Etc/UTC", "America/Godthab", "Asia/Gaza"}) {
    if (!std::filesystem::exists(kZones + std::string(name))) continue;
    const TimeZone zone = load(name);
    use_libc_zone(name);
    for (int i = 0; i < 2000; ++i) {
      // 1950 to 2100
      const auto t = static_cast<int64_t>(random() % 4'733'510'400ULL) - 631'152'000;
      CAPTURE(name, t);
      REQUIRE(zone.offset_s(t) == libc_offset(t));
    }
  }
  use_libc_zone("UTC");
}

TEST_CASE("Every second around a change of clocks has the right offset", "[time_zone]") {
  if (!have_zones()) return;
  const TimeZone berlin = load("Europe/Berlin");
  const int64_t spring = civil(2026, 3, 29, 1);  // 02:00 -> 03:00
  CHECK(berlin.offset_s(spring - 1) == 3600);
  CHECK(berlin.offset_s(spring) == 7200);
  const int64_t autumn = civil(2060, 10, 31, 1);  // far behind the table: the rule
  CHECK(berlin.offset_s(autumn - 1) == 7200);
  CHECK(berlin.offset_s(autumn) == 3600);
}

TEST_CASE("A local time that happens twice is the first, one that never happens is later",
          "[time_zone]") {
  if (!have_zones()) return;
  const TimeZone berlin = load("Europe/Berlin");
  CHECK(berlin.to_utc(civil(2026, 10, 25, 2, 30)) == civil(2026, 10, 25, 0, 30));
  CHECK(berlin.to_utc(civil(2026, 3, 29, 2, 30)) == civil(2026, 3, 29, 1, 30));  // 03:30 there
  CHECK(berlin.to_utc(civil(2026, 7, 1)) == civil(2026, 6, 30, 22));
  const TimeZone apia = load("Pacific/Apia");  // 2011-12-30 did not take place
  CHECK(apia.to_utc(civil(2011, 12, 31)) == civil(2011, 12, 30, 10));
}

TEST_CASE("Every local time leads to an instant that has it, unless it was skipped",
          "[time_zone]") {
  if (!have_zones()) return;
  std::mt19937_64 random(11);
  for (const char* name : {"Europe/Berlin", "Australia/Lord_Howe", "America/St_Johns"}) {
    const TimeZone zone = load(name);
    int skipped = 0;
    for (int i = 0; i < 20000; ++i) {
      const int64_t local = civil(2000, 1, 1) + static_cast<int64_t>(random() % 3'155'760'000ULL);
      const int64_t utc = zone.to_utc(local);
      if (utc + zone.offset_s(utc) != local) ++skipped;
    }
    CHECK(skipped < 20);  // an hour of 8766 a year
  }
}

TEST_CASE("UTC is the zone of who names none", "[time_zone]") {
  const TimeZone utc;
  CHECK(utc.name() == "UTC");
  CHECK(utc.offset_s(123456789) == 0);
  CHECK(utc.to_utc(42) == 42);
}

TEST_CASE("A damaged zone file is refused, wherever it is cut or changed", "[time_zone]") {
  if (!have_zones()) return;
  const std::string whole = bytes_of("Europe/Berlin");
  CHECK_FALSE(TimeZone::from_tzif("x", "").ok());
  CHECK_FALSE(
      TimeZone::from_tzif("x", "not a zone at all, but long enough to be one of them").ok());
  const size_t footer = whole.rfind('\n', whole.size() - 2);
  for (size_t n = 0; n < footer; n += 7) {
    CHECK_FALSE(TimeZone::from_tzif("x", std::string_view(whole).substr(0, n)).ok());
  }
  std::mt19937 random(3);
  for (int i = 0; i < 5000; ++i) {  // whatever becomes of it, it must not read beyond its bytes
    std::string bad = whole;
    for (int k = 0; k < 3; ++k) bad[random() % bad.size()] = static_cast<char>(random());
    const auto zone = TimeZone::from_tzif("x", bad);
    if (zone.ok()) CHECK(std::abs(zone->offset_s(1'700'000'000)) <= INT32_MAX);
  }
}

TEST_CASE("All forms of a rule for the years to come are read", "[time_zone]") {
  // A file of no transitions, one type and a rule.
  const auto with_rule = [](const std::string& rule) {
    std::string header("TZif2");
    header.append(15, '\0');
    const auto count = [&](uint32_t n) {
      for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(n >> shift);
    };
    for (const uint32_t n : {0U, 0U, 0U, 0U, 1U, 4U}) count(n);
    header += std::string(4, '\0') + std::string(2, '\0') + std::string("UTC\0", 4);
    const std::string once = header;
    return TimeZone::from_tzif("made", once + once + "\n" + rule + "\n");
  };
  const auto offset = [&](const std::string& rule, int64_t t) {
    const auto zone = with_rule(rule);
    INFO(rule);
    REQUIRE(zone.ok());
    return zone->offset_s(t);
  };
  CHECK(offset("<+0330>-3:30", 0) == 12600);
  CHECK(offset("EST5", 0) == -18000);
  CHECK(offset("EST5EDT,M3.2.0,M11.1.0", civil(2026, 7, 1)) == -14400);
  CHECK(offset("EST5EDT,M3.2.0,M11.1.0", civil(2026, 12, 1)) == -18000);
  // Summer in the south, days of the year, seconds, and hours beyond a day.
  CHECK(offset("AEST-10AEDT,M10.1.0,M4.1.0/3", civil(2026, 1, 1)) == 39600);
  CHECK(offset("AAA3BBB,J60/0,J300/0", civil(2028, 3, 1, 3)) == -7200);
  CHECK(offset("AAA3BBB,J60/0,J300/0", civil(2028, 2, 29, 12)) == -10800);
  CHECK(offset("AAA3BBB2:00:00,59/0,300/0", civil(2028, 2, 29, 3)) == -7200);
  CHECK(offset("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", civil(2026, 3, 29, 1)) == -3600);
  for (const char* bad : {"E5", "EST", "EST5EDT", "EST5EDT,M3.2.0", "EST5EDT,M13.2.0,M11.1.0",
                          "EST5EDT,M3.2.0,M11.1.0x", "<+03", "EST5EDT,M3.2.0/999,M11.1.0",
                          "EST5EDT,J0,J5", "EST500", "EST5EDT,M3.2.0/,M11.1.0", "EST5:99"}) {
    INFO(bad);
    CHECK_FALSE(with_rule(bad).ok());
  }
}
