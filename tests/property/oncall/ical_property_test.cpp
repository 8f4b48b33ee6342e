// Whatever the bytes of a calendar: it is read, or refused with a place; and what is read answers.
#include <rapidcheck.h>

#include <catch2/catch.hpp>
#include <string>

#include "nines/oncall/ical.hpp"

using namespace nines;
using namespace nines::oncall;

namespace {

const std::string kCalendar =
    "BEGIN:VCALENDAR\r\nX-WR-TIMEZONE:UTC\r\nBEGIN:VTIMEZONE\r\nTZID:Here\r\nBEGIN:STANDARD\r\n"
    "DTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
    "DTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
    "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n"
    "BEGIN:VEVENT\r\nUID:1\r\nSEQUENCE:3\r\nSUMMARY:an\r\n na\\, b\r\n"
    "DTSTART;TZID=Here:20260105T090000\r\nDTEND;TZID=Here:20260112T090000\r\n"
    "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=30;BYDAY=MO;WKST=SU\r\n"
    "EXDATE;TZID=Here:20260202T090000,20260216T090000\r\nRDATE:20260301T000000Z\r\n"
    "END:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;TZID=Here:20260119T090000\r\n"
    "DTSTART;VALUE=DATE:20260120\r\nDURATION:P1D\r\nSTATUS:CONFIRMED\r\nEND:VEVENT\r\n"
    "END:VCALENDAR\r\n";

Result<TimeZone> no_zone(const std::string& name) {
  if (name == "UTC") return TimeZone();
  return Error{Errc::not_found, "no zone '" + name + "'", 0};
}

// Some bytes changed, lines left out or doubled, pieces moved elsewhere; one in four is left alone,
// as hardly any damage leaves a calendar that can be read.
std::string damaged() {
  std::string out = kCalendar;
  const int times = *rc::gen::element(0, 1, 2, 5);
  for (int i = 0; i < times && !out.empty(); ++i) {
    const size_t at = *rc::gen::inRange<size_t>(0, out.size());
    const size_t size = *rc::gen::inRange<size_t>(1, 40);
    switch (*rc::gen::inRange(0, 5)) {
      case 0: out[at] = *rc::gen::arbitrary<char>(); break;
      case 1: out[at] = *rc::gen::element('9', '0', '-', ':', ';', ',', '=', '\n', 'Z', 'T'); break;
      case 2: out.erase(at, size); break;
      case 3: out.insert(at, out.substr(*rc::gen::inRange<size_t>(0, out.size()), size)); break;
      default: out.resize(at); break;
    }
  }
  return out;
}

}  // namespace

TEST_CASE("A damaged calendar is refused with a place, or answers in order and in bounds") {
  size_t read = 0, refused = 0;
  CHECK(rc::check([&] {
    const std::string text = damaged();
    std::vector<CalendarTrouble> troubles;
    const auto calendar = Calendar::read(text, utc_zone(), no_zone, troubles);
    if (!calendar) {
      ++refused;
      RC_ASSERT(!troubles.empty());
      RC_ASSERT(troubles.size() <= Calendar::kMaxTroubles);
      for (const CalendarTrouble& one : troubles) {
        RC_ASSERT(one.line >= 1 && one.column >= 1 && !one.message.empty());
      }
      return;
    }
    ++read;
    RC_ASSERT(troubles.empty());
    const int64_t from = days_from_civil(2026, 1, 1) * 86400, to = from + 366 * 86400;
    const auto all = calendar->occurrences(from, to);
    RC_ASSERT(all.ok());
    for (size_t i = 0; i < all->size(); ++i) {
      const Occurrence& one = (*all)[i];
      RC_ASSERT(one.to_s > one.from_s && one.from_s < to && one.to_s > from);
      RC_ASSERT(one.event < calendar->events().size());
      if (i > 0) RC_ASSERT((*all)[i - 1].from_s <= one.from_s);
      // The part of a time is the same as the whole of it there.
      const auto part = calendar->occurrences(one.from_s, one.from_s + 1);
      RC_ASSERT(part.ok());
      RC_ASSERT(std::find(part->begin(), part->end(), one) != part->end());
    }
  }));
  CHECK(read > 0);
  CHECK(refused > 0);
}
