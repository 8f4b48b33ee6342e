#include "nines/slo/calendar.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

using namespace nines;
using namespace nines::slo;

namespace {

constexpr int64_t kDayS = 86400;

int64_t civil(int64_t y, int m, int d, int hour = 0, int minute = 0) {
  return days_from_civil(y, m, d) * kDayS + hour * 3600 + minute * 60;
}

std::optional<TimeZone> zone(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  if (!file) {
    std::cerr << "SKIPPED: no time zone data here (package tzdata)\n";
    return std::nullopt;
  }
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return *TimeZone::from_tzif(name, bytes.str());
}

// Dates (in UTC) of all occurrences in [from, to).
std::string dates(const Recurrence& rule, int64_t from_s, int64_t to_s, size_t most = 40) {
  std::vector<Interval> found;
  rule.expand(from_s, to_s, found);
  std::string out;
  for (size_t i = 0; i < found.size() && i < most; ++i) {
    if (i > 0) out += ",";
    out += format_rfc3339(WallTime::from_s(found[i].from_s)).substr(0, 10);
  }
  if (found.size() > most) out += "+";
  return out;
}

CivilDate date_of(const std::string& text) {
  return {std::stoi(text.substr(0, 4)), std::stoi(text.substr(5, 2)), std::stoi(text.substr(8, 2))};
}

std::string why(std::string_view rule, Recurrence::Start start = {{}, 0, 3600, {}}) {
  const auto parsed = Recurrence::parse(rule, start);
  return parsed.ok() ? "fine" : parsed.error().message;
}

}  // namespace

TEST_CASE("A month of the calendar has its own number of days", "[calendar]") {
  const Calendar months({}, Calendar::Unit::month, 1, civil(2020, 1, 1));
  CHECK(months.start_of(civil(2026, 2, 28, 23)) == civil(2026, 2, 1));
  CHECK(months.end_of(civil(2026, 2, 28, 23)) == civil(2026, 3, 1));
  CHECK(months.end_of(civil(2028, 2, 1)) - months.start_of(civil(2028, 2, 1)) == 29 * kDayS);
  CHECK(months.start_of(civil(2026, 3, 1)) == civil(2026, 3, 1));
  CHECK(months.start_of(civil(2026, 3, 1) - 1) == civil(2026, 2, 1));
  CHECK(months.start_of(civil(2019, 12, 31)) == civil(2019, 12, 1));  // before the anchor too
  CHECK(months.longest_s() == 31 * kDayS + 3600);
}

TEST_CASE("A month that begins on the 31st begins on the last day where there is none",
          "[calendar]") {
  const Calendar months({}, Calendar::Unit::month, 1, civil(2024, 1, 31, 12));
  CHECK(months.start_of(civil(2026, 3, 1)) == civil(2026, 2, 28, 12));
  CHECK(months.start_of(civil(2026, 2, 28, 11)) == civil(2026, 1, 31, 12));
  CHECK(months.start_of(civil(2026, 4, 30, 12)) == civil(2026, 4, 30, 12));
}

TEST_CASE("Quarters and weeks are counted from their anchor", "[calendar]") {
  const Calendar quarters({}, Calendar::Unit::month, 3, civil(2025, 1, 1));
  CHECK(quarters.start_of(civil(2026, 3, 31, 23)) == civil(2026, 1, 1));
  CHECK(quarters.end_of(civil(2026, 3, 31, 23)) == civil(2026, 4, 1));
  CHECK(quarters.longest_s() == 92 * kDayS + 3600);
  const Calendar weeks({}, Calendar::Unit::week, 2, civil(2026, 1, 5));
  CHECK(weeks.start_of(civil(2026, 1, 18, 23)) == civil(2026, 1, 5));
  CHECK(weeks.start_of(civil(2026, 1, 19)) == civil(2026, 1, 19));
  CHECK(weeks.start_of(civil(2026, 1, 4)) == civil(2025, 12, 22));
}

TEST_CASE("Days and months where the clocks change have 23 and 25 hours", "[calendar]") {
  const auto berlin = zone("Europe/Berlin");
  if (!berlin) return;
  const Calendar days(*berlin, Calendar::Unit::day, 1, civil(2020, 1, 1));
  const int64_t spring = civil(2026, 3, 29, 12), autumn = civil(2026, 10, 25, 12);
  CHECK(days.end_of(spring) - days.start_of(spring) == 23 * 3600);
  CHECK(days.end_of(autumn) - days.start_of(autumn) == 25 * 3600);
  CHECK(days.start_of(civil(2026, 7, 1, 21, 59)) == civil(2026, 6, 30, 22));
  const Calendar months(*berlin, Calendar::Unit::month, 1, civil(2020, 1, 1));
  CHECK(months.end_of(autumn) - months.start_of(autumn) == 31 * kDayS + 3600);
  CHECK(months.start_of(civil(2026, 6, 30, 22)) == civil(2026, 6, 30, 22));  // July, there
}

TEST_CASE("Every instant lies in exactly one period, and periods follow each other", "[calendar]") {
  for (const char* name : {"Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe"}) {
    const auto there = zone(name);
    if (!there) return;
    for (const auto unit : {Calendar::Unit::day, Calendar::Unit::week, Calendar::Unit::month}) {
      const Calendar calendar(*there, unit, 1, civil(2024, 1, 31, 1, 30));
      int64_t t = calendar.start_of(civil(2025, 1, 1));
      for (int i = 0; i < 800 && t < civil(2028, 1, 1); ++i) {
        const int64_t end = calendar.end_of(t);
        REQUIRE(end > t);
        REQUIRE(calendar.start_of(end - 1) == t);
        REQUIRE(calendar.start_of(end) == end);
        REQUIRE(end - t <= calendar.longest_s());
        t = end;
      }
    }
  }
}

TEST_CASE("Recurring days are those of an independent implementation", "[recurrence]") {
  std::ifstream file(std::string(NINES_SOURCE_DIR) + "/tests/unit/slo/data/rrule_dateutil.txt");
  std::string line;
  int rules = 0;
  while (std::getline(file, line)) {
    if (line.starts_with('#')) continue;
    const size_t a = line.find('|'), b = line.rfind('|');
    const std::string rule = line.substr(0, a);
    INFO(line);
    const auto parsed =
        Recurrence::parse(rule, {date_of(line.substr(a + 1, b - a - 1)), 0, 3600, {}});
    if (!parsed.ok()) FAIL(parsed.error().message);
    CHECK(dates(*parsed, civil(2024, 1, 1), civil(2026, 12, 31) + 1) == line.substr(b + 1));
    ++rules;
  }
  CHECK(rules == 400);
}

TEST_CASE("A weekly maintenance begins at its local time, summer and winter", "[recurrence]") {
  const auto berlin = zone("Europe/Berlin");
  if (!berlin) return;
  const auto rule = Recurrence::parse("FREQ=WEEKLY;BYDAY=SU", {{}, 3 * 3600, 1800, *berlin});
  REQUIRE(rule.ok());
  std::vector<Interval> found;
  rule->expand(civil(2026, 3, 16), civil(2026, 4, 1), found);
  REQUIRE(found.size() == 2);
  CHECK(found[0] == Interval{civil(2026, 3, 22, 2), civil(2026, 3, 22, 2, 30)});
  CHECK(found[1] == Interval{civil(2026, 3, 29, 1), civil(2026, 3, 29, 1, 30)});
  found.clear();
  rule->expand(civil(2026, 3, 22, 2, 29), civil(2026, 3, 22, 2, 30), found);
  CHECK(found.size() == 1);  // what began before and is not over
  found.clear();
  rule->expand(civil(2026, 3, 22, 2, 30), civil(2026, 3, 28), found);
  CHECK(found.empty());
}

TEST_CASE("An end date is the last day, an end instant the last instant", "[recurrence]") {
  const auto all = [](const char* rule) {
    const auto parsed = Recurrence::parse(rule, {CivilDate{2026, 1, 1}, 3600, 60, {}});
    REQUIRE(parsed.ok());
    return dates(*parsed, civil(2026, 1, 1), civil(2027, 1, 1));
  };
  CHECK(all("FREQ=DAILY;UNTIL=20260103") == "2026-01-01,2026-01-02,2026-01-03");
  CHECK(all("RRULE:FREQ=DAILY;UNTIL=20260103T010000Z") == "2026-01-01,2026-01-02,2026-01-03");
  CHECK(all("FREQ=DAILY;UNTIL=20260103T005959Z") == "2026-01-01,2026-01-02");
}

TEST_CASE("A rule that can't be followed is refused by the part that is wrong", "[recurrence]") {
  CHECK(why("FREQ=DAILY") == "fine");
  CHECK(why("") == "there is no FREQ");
  CHECK(why("FREQ=HOURLY") == "FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY, found 'HOURLY'");
  CHECK_THAT(why("FREQ=DAILY;BYHOUR=3"), Catch::Contains("'BYHOUR' is not supported"));
  CHECK_THAT(why("FREQ=WEEKLY"), Catch::Contains("give it with 'from'"));
  CHECK_THAT(why("FREQ=DAILY;INTERVAL=2"), Catch::Contains("give it with 'from'"));
  CHECK_THAT(why("FREQ=DAILY;INTERVAL=0"), Catch::Contains("within 1..10000, found '0'"));
  CHECK_THAT(why("FREQ=DAILY;COUNT=x"), Catch::Contains("found 'x'"));
  CHECK_THAT(why("FREQ=WEEKLY;BYDAY=1SU"), Catch::Contains("needs FREQ=MONTHLY or YEARLY"));
  CHECK_THAT(why("FREQ=WEEKLY;BYDAY=SUN"), Catch::Contains("days like MO"));
  CHECK_THAT(why("FREQ=WEEKLY;BYDAY=S"), Catch::Contains("days like MO"));
  CHECK_THAT(why("FREQ=MONTHLY;BYDAY=0SU"), Catch::Contains("days like MO"));
  CHECK_THAT(why("FREQ=WEEKLY;BYDAY=SU;BYMONTHDAY=3"), Catch::Contains("no meaning"));
  CHECK_THAT(why("FREQ=MONTHLY;BYMONTHDAY=0"), Catch::Contains("found '0'"));
  CHECK_THAT(why("FREQ=MONTHLY;BYMONTHDAY=32"), Catch::Contains("-31..31"));
  CHECK_THAT(why("FREQ=DAILY;BYSETPOS=1"), Catch::Contains("BYSETPOS needs"));
  CHECK_THAT(why("FREQ=DAILY;UNTIL=soon"), Catch::Contains("found 'soon'"));
  CHECK_THAT(why("FREQ=DAILY;UNTIL=20261301"), Catch::Contains("found '20261301'"));
  CHECK_THAT(why("FREQ=DAILY;UNTIL=20260101T250000Z"), Catch::Contains("UNTIL must be like"));
  CHECK_THAT(why("FREQ=DAILY;WKST=X"), Catch::Contains("one of MO"));
  CHECK_THAT(why("FREQ="), Catch::Contains("has no value"));
  CHECK_THAT(why("FREQ=DAILY;COUNT=2;UNTIL=20260101", {CivilDate{2026, 1, 1}, 0, 60, {}}),
             Catch::Contains("exclude each other"));
}
