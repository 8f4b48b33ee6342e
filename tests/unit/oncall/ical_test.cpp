#include "nines/oncall/ical.hpp"

#include <catch2/catch.hpp>
#include <cstdio>

#include "oncall_fixture.hpp"

using namespace nines;
using namespace nines::oncall;
using namespace nines::oncall::test;

namespace {

std::string calendar_of(const std::string& events) {
  return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n" + events + "END:VCALENDAR\r\n";
}

std::string event_of(const std::string& lines) {
  return "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:anna\r\n" + lines + "END:VEVENT\r\n";
}

std::optional<Calendar> read(const std::string& text, std::vector<CalendarTrouble>& troubles) {
  return Calendar::read(text, utc_zone(), load_zone, troubles);
}

Calendar right(const std::string& text) {
  std::vector<CalendarTrouble> troubles;
  auto calendar = read(text, troubles);
  for (const auto& one : troubles) UNSCOPED_INFO(one.line << ": " << one.message);
  REQUIRE(calendar);
  return std::move(*calendar);
}

// "line:column message" of the first trouble.
std::string wrong(const std::string& text) {
  std::vector<CalendarTrouble> troubles;
  if (read(text, troubles)) return "fine";
  REQUIRE(!troubles.empty());
  return std::to_string(troubles[0].line) + ":" + std::to_string(troubles[0].column) + " " +
         troubles[0].message;
}

std::string occurrences(const Calendar& calendar, int64_t from_s, int64_t to_s) {
  const auto found = calendar.occurrences(from_s, to_s);
  if (!found.ok()) return found.error().message;
  std::string out;
  for (const Occurrence& one : *found) {
    out += (out.empty() ? "" : "; ") + calendar.events()[one.event].summary + " " +
           shown(one.from_s) + "/" + shown(one.to_s);
  }
  return out;
}

struct Example {
  const char *start, *rule, *dates;  // dates: as the RFC lists them; "..." at the end: and so on
};

// RFC 5545, 3.8.5.3: all examples of it but those with hours, minutes, week and year day numbers,
// which are refused below. Years are written once, months as numbers.
const Example kExamples[] = {
    {"19970902T090000", "FREQ=DAILY;COUNT=10", "1997-09-02,03,04,05,06,07,08,09,10,11"},
    {"19970902T090000", "FREQ=DAILY;INTERVAL=2", "1997-09-02,04,06,08,10,12,14,16,18,20,22,24,..."},
    {"19970902T090000", "FREQ=DAILY;INTERVAL=10;COUNT=5",
     "1997-09-02,1997-09-12,1997-09-22,1997-10-02,1997-10-12"},
    {"19970902T090000", "FREQ=WEEKLY;COUNT=10",
     "1997-09-02,09,16,23,30,1997-10-07,14,21,28,1997-11-04"},
    {"19970902T090000", "FREQ=WEEKLY;UNTIL=19971224T000000Z",
     "1997-09-02,09,16,23,30,1997-10-07,14,21,28,1997-11-04,11,18,25,1997-12-02,09,16,23"},
    {"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
     "1997-09-02,16,30,1997-10-14,28,1997-11-11,25,1997-12-09,23,..."},
    {"19970902T090000", "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
     "1997-09-02,04,09,11,16,18,23,25,30,1997-10-02"},
    {"19970902T090000", "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
     "1997-09-02,04,09,11,16,18,23,25,30,1997-10-02"},
    {"19970901T090000", "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
     "1997-09-01,03,05,15,17,19,29,1997-10-01,03,13,15,17,27,29,31,1997-11-10,12,14,24,26,28,"
     "1997-12-08,10,12,22"},
    {"19970902T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
     "1997-09-02,04,16,18,30,1997-10-02,14,16"},
    {"19970905T090000", "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
     "1997-09-05,1997-10-03,1997-11-07,1997-12-05,1998-01-02,1998-02-06,1998-03-06,1998-04-03,"
     "1998-05-01,1998-06-05"},
    {"19970905T090000", "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
     "1997-09-05,1997-10-03,1997-11-07,1997-12-05"},
    {"19970907T090000", "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
     "1997-09-07,28,1997-11-02,30,1998-01-04,25,1998-03-01,29,1998-05-03,31"},
    {"19970922T090000", "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
     "1997-09-22,1997-10-20,1997-11-17,1997-12-22,1998-01-19,1998-02-16"},
    {"19970928T090000", "FREQ=MONTHLY;BYMONTHDAY=-3",
     "1997-09-28,1997-10-29,1997-11-28,1997-12-29,1998-01-29,1998-02-26,..."},
    {"19970902T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
     "1997-09-02,15,1997-10-02,15,1997-11-02,15,1997-12-02,15,1998-01-02,15"},
    {"19970930T090000", "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
     "1997-09-30,1997-10-01,31,1997-11-01,30,1997-12-01,31,1998-01-01,31,1998-02-01"},
    {"19970910T090000", "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
     "1997-09-10,11,12,13,14,15,1999-03-10,11,12,13"},
    {"19970902T090000", "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
     "1997-09-02,09,16,23,30,1997-11-04,11,18,25,1998-01-06,13,20,27,1998-03-03,10,17,24,31,..."},
    {"19970610T090000", "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
     "1997-06-10,1997-07-10,1998-06-10,1998-07-10,1999-06-10,1999-07-10,2000-06-10,2000-07-10,"
     "2001-06-10,2001-07-10"},
    {"19970310T090000", "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
     "1997-03-10,1999-01-10,1999-02-10,1999-03-10,2001-01-10,2001-02-10,2001-03-10,2003-01-10,"
     "2003-02-10,2003-03-10"},
    {"19970519T090000", "FREQ=YEARLY;BYDAY=20MO", "1997-05-19,1998-05-18,1999-05-17,..."},
    {"19970313T090000", "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
     "1997-03-13,20,27,1998-03-05,12,19,26,1999-03-04,11,18,25,..."},
    {"19970605T090000", "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
     "1997-06-05,12,19,26,1997-07-03,10,17,24,31,1997-08-07,14,21,28,1998-06-04,11,18,25,"
     "1998-07-02,09,16,23,30,1998-08-06,13,20,27,..."},
    {"19970913T090000", "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
     "1997-09-13,1997-10-11,1997-11-08,1997-12-13,1998-01-10,1998-02-07,1998-03-07,1998-04-11,"
     "1998-05-09,1998-06-13,..."},
    {"19961105T090000", "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
     "1996-11-05,2000-11-07,2004-11-02,..."},
    {"19970904T090000", "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
     "1997-09-04,1997-10-07,1997-11-06"},
    {"19970929T090000", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
     "1997-09-29,1997-10-30,1997-11-27,1997-12-30,1998-01-29,1998-02-26,1998-03-30,..."},
    {"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
     "1997-08-05,10,19,24"},
    {"19970805T090000", "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
     "1997-08-05,17,19,31"},
    {"20070115T090000", "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
     "2007-01-15,30,2007-02-15,2007-03-15,30"},
};

// The list of an example with every date written out.
std::vector<std::string> dates_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = text.find(',');
    const std::string piece(text.substr(0, comma));
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    out.push_back(piece.size() == 2 ? out.back().substr(0, 8) + piece : piece);
  }
  return out;
}

}  // namespace

TEST_CASE("Events recur as the examples of RFC 5545 say", "[ical]") {
  const Zone new_york = zone("America/New_York");
  for (const Example& one : kExamples) {
    INFO(one.rule);
    const Calendar calendar =
        right(calendar_of(event_of("DTSTART;TZID=America/New_York:" + std::string(one.start) +
                                   "\r\nDURATION:PT1H\r\nRRULE:" + one.rule + "\r\n")));
    std::vector<std::string> expected = dates_of(one.dates);
    const bool goes_on = expected.back() == "...";
    if (goes_on) expected.pop_back();
    const auto found = calendar.occurrences(civil(1990, 1, 1), civil(2008, 1, 1));
    REQUIRE(found.ok());
    std::vector<std::string> got;
    for (const Occurrence& each : *found) {
      const std::string local = shown(each.from_s + new_york->offset_s(each.from_s));
      CHECK(local.substr(11) == "09:00:00Z");
      CHECK(each.to_s - each.from_s == 3600);
      if (got.size() < expected.size() || !goes_on) got.push_back(local.substr(0, 10));
    }
    CHECK(got == expected);
  }
}

TEST_CASE("What of RFC 5545 is not read is refused by name and place", "[ical]") {
  const auto with = [](const std::string& lines) {
    return wrong(calendar_of(
        event_of("DTSTART;TZID=America/New_York:19970902T090000\r\nDURATION:PT1H\r\n" + lines)));
  };
  CHECK(with("RRULE:FREQ=HOURLY;INTERVAL=3\r\n") ==
        "9:7 RRULE 'FREQ=HOURLY;INTERVAL=3': FREQ must be DAILY, WEEKLY, MONTHLY or YEARLY, found "
        "'HOURLY'");
  CHECK(with("RRULE:FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO\r\n").find("'BYWEEKNO' is not supported") !=
        std::string::npos);
  CHECK(with("RRULE:FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200\r\n")
            .find("'BYYEARDAY' is not supported") != std::string::npos);
  CHECK(with("EXRULE:FREQ=DAILY\r\n") ==
        "9:8 EXRULE is not supported (RFC 5545 has done away with it)");
  CHECK(with("RDATE;VALUE=PERIOD:19970101T180000Z/PT5H\r\n") ==
        "9:20 RDATE with periods is not supported");
  CHECK(with("RECURRENCE-ID;RANGE=THISANDFUTURE:19970902T090000Z\r\n") ==
        "9:35 RECURRENCE-ID with RANGE is not supported");
  CHECK(with("RRULE:FREQ=WEEKLY;BYDAY=MO\r\n") ==
        "9:7 RRULE 'FREQ=WEEKLY;BYDAY=MO' does not begin with DTSTART, and RFC 5545 leaves open "
        "what that means");
}

TEST_CASE("What is wrong in a calendar is told with its line", "[ical]") {
  CHECK(wrong("") == "1:1 this is no calendar");
  CHECK(wrong("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n") == "2:1 VEVENT has no END");
  CHECK(wrong("BEGIN:VCALENDAR\r\nEND:VEVENT\r\n") ==
        "2:5 END ends 'VEVENT', which was not the last to begin");
  CHECK(wrong(calendar_of("nonsense\r\n")) == "4:1 this is no line of a calendar: 'nonsense'");
  CHECK(wrong(calendar_of(event_of(""))) == "4:1 VEVENT has no DTSTART");
  CHECK(wrong(calendar_of(event_of("DTSTART:20260230T090000Z\r\n"))) ==
        "7:9 DTSTART must be a date or a time, found '20260230T090000Z'");
  CHECK(wrong(calendar_of(event_of("DTSTART:20260227T090000Z\r\n"))) ==
        "4:1 VEVENT must last longer than no time and at most 1000 days");
  CHECK(wrong(calendar_of(event_of("DTSTART;TZID=Mars/Olympus:20260227T090000\r\n"))) ==
        "7:27 DTSTART has TZID 'Mars/Olympus', which is neither a VTIMEZONE of the file nor known "
        "here: no zone 'Mars/Olympus'");
  CHECK(wrong(calendar_of(event_of("DTSTART:20260227T090000Z\r\nDURATION:1 day\r\n"))) ==
        "8:10 DURATION must be like P7D or PT12H, found '1 day'");
}

TEST_CASE("Excluded, moved and cancelled instances of an event are so", "[ical]") {
  const std::string weekly =
      "DTSTART;TZID=Europe/Berlin:20260105T090000\r\nDTEND;TZID=Europe/Berlin:20260105T170000\r\n"
      "RRULE:FREQ=WEEKLY;COUNT=5\r\nEXDATE;TZID=Europe/Berlin:20260112T090000\r\n";
  const std::string moved =
      "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:ben\r\nSEQUENCE:1\r\n"
      "RECURRENCE-ID;TZID=Europe/Berlin:20260119T090000\r\n"
      "DTSTART:20260120T090000Z\r\nDURATION:PT2H\r\nEND:VEVENT\r\n";
  const std::string older =
      "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:carla\r\nSEQUENCE:0\r\n"
      "RECURRENCE-ID:20260119T080000Z\r\n"
      "DTSTART:20260121T090000Z\r\nDURATION:PT2H\r\nEND:VEVENT\r\n";
  const std::string cancelled =
      "BEGIN:VEVENT\r\nUID:1\r\nSTATUS:CANCELLED\r\nRECURRENCE-ID:20260126T080000Z\r\n"
      "DTSTART:20260126T080000Z\r\nDURATION:PT8H\r\nEND:VEVENT\r\n";
  CHECK(occurrences(right(calendar_of(event_of(weekly) + moved + older + cancelled)), 0,
                    civil(2027, 1, 1)) ==
        "anna 2026-01-05T08:00:00Z/2026-01-05T16:00:00Z; "
        "ben 2026-01-20T09:00:00Z/2026-01-20T11:00:00Z; "
        "anna 2026-02-02T08:00:00Z/2026-02-02T16:00:00Z");
}

TEST_CASE("Further dates are added, once each", "[ical]") {
  CHECK(occurrences(right(calendar_of(event_of("DTSTART:20260105T090000Z\r\nDURATION:PT1H\r\n"
                                               "RDATE:20260105T090000Z,20260107T100000Z\r\n"))),
                    0, civil(2027, 1, 1)) ==
        "anna 2026-01-05T09:00:00Z/2026-01-05T10:00:00Z; "
        "anna 2026-01-07T10:00:00Z/2026-01-07T11:00:00Z");
}

TEST_CASE("A shift that ends at 09:00 does so in the week in which clocks change", "[ical]") {
  const std::string start = "DTSTART;TZID=Europe/Berlin:20260323T090000\r\n";
  const char* const until_nine = "anna 2026-03-23T08:00:00Z/2026-03-30T07:00:00Z";
  CHECK(occurrences(
            right(calendar_of(event_of(start + "DTEND;TZID=Europe/Berlin:20260330T090000\r\n"))), 0,
            civil(2027, 1, 1)) == until_nine);
  CHECK(occurrences(right(calendar_of(event_of(start + "DURATION:P1W\r\n"))), 0,
                    civil(2027, 1, 1)) == until_nine);
  CHECK(occurrences(right(calendar_of(event_of(start + "DURATION:PT168H\r\n"))), 0,
                    civil(2027, 1, 1)) == "anna 2026-03-23T08:00:00Z/2026-03-30T08:00:00Z");
}

TEST_CASE("Dates are whole days of the zone that the calendar names", "[ical]") {
  const std::string event = event_of("DTSTART;VALUE=DATE:20260329\r\n");
  CHECK(occurrences(right(calendar_of("X-WR-TIMEZONE:Europe/Berlin\r\n" + event)), 0,
                    civil(2027, 1, 1)) == "anna 2026-03-28T23:00:00Z/2026-03-29T22:00:00Z");
  CHECK(occurrences(right(calendar_of(event)), 0, civil(2027, 1, 1)) ==
        "anna 2026-03-29T00:00:00Z/2026-03-30T00:00:00Z");
}

TEST_CASE("A zone of the file goes before the one that this machine knows", "[ical]") {
  // As Outlook writes Berlin's.
  const std::string zone_lines =
      "BEGIN:VTIMEZONE\r\nTZID:W. Europe Standard Time\r\nBEGIN:STANDARD\r\n"
      "DTSTART:16010101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
      "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10\r\nEND:STANDARD\r\nBEGIN:DAYLIGHT\r\n"
      "DTSTART:16010101T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n"
      "RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3\r\nEND:DAYLIGHT\r\nEND:VTIMEZONE\r\n";
  const Calendar calendar = right(calendar_of(
      zone_lines + event_of("DTSTART;TZID=\"W. Europe Standard Time\":20200101T090000\r\n"
                            "DURATION:PT8H\r\nRRULE:FREQ=DAILY\r\n")));
  const Zone berlin = zone("Europe/Berlin");
  const auto found = calendar.occurrences(civil(2020, 1, 1), civil(2045, 1, 1));
  REQUIRE(found.ok());
  CHECK(found->size() > 9000);
  int64_t day = civil(2020, 1, 1, 9);
  for (const Occurrence& one : *found) {
    REQUIRE(one.from_s == berlin->to_utc(day));
    day += 86400;
  }
}

TEST_CASE("Folded lines and escapes are put together again", "[ical]") {
  const std::string text = calendar_of(
      "BEGIN:VEVENT\r\nUID:1\r\nSUMMARY:anna\\, of t\r\n he \\\"night\\\" tea\r\n\tm\r\n"
      "ATTENDEE;CN=\"Anna: A;B\":mailto:anna@example.org\r\n"
      "DTSTART:20260105T0900\r\n 00Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n");
  const Calendar calendar = right(text);
  REQUIRE(calendar.events().size() == 1);
  CHECK(calendar.events()[0].summary == "anna, of the \"night\" team");
  CHECK(calendar.events()[0].attendee == "anna@example.org");
  // Bare line feeds, as files have them that passed through an editor.
  std::string unix_text = text;
  std::erase(unix_text, '\r');
  CHECK(right(unix_text).events()[0].start_s == civil(2026, 1, 5, 9));
}

TEST_CASE("Nested alarms and other components are passed over", "[ical]") {
  CHECK(occurrences(right(calendar_of(
                        "BEGIN:VTODO\r\nUID:9\r\nEND:VTODO\r\n" +
                        event_of("DTSTART:20260105T090000Z\r\nDURATION:PT1H\r\nBEGIN:VALARM\r\n"
                                 "TRIGGER:-PT15M\r\nDURATION:PT5M\r\nEND:VALARM\r\n"))),
                    0, civil(2027, 1, 1)) == "anna 2026-01-05T09:00:00Z/2026-01-05T10:00:00Z");
}

TEST_CASE("A calendar is bounded, whatever is in it", "[ical]") {
  CHECK(wrong(std::string(Calendar::kMaxBytes + 1, 'x')).find("more than 1048576 bytes") !=
        std::string::npos);
  std::string many;
  for (size_t i = 0; i <= Calendar::kMaxEvents; ++i) {
    many += "BEGIN:VEVENT\r\nUID:" + std::to_string(i) +
            "\r\nDTSTART:20260105T090000Z\r\nDURATION:PT1H\r\nEND:VEVENT\r\n";
  }
  CHECK(wrong(calendar_of(many)).find("more than 2000 events") != std::string::npos);
  std::string rules;
  for (int i = 0; i <= 500; ++i) {
    rules += "BEGIN:VEVENT\r\nUID:" + std::to_string(i) +
             "\r\nDTSTART:20260105T090000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\n";
  }
  CHECK(wrong(calendar_of(rules)).find("beyond 500 events that recur") != std::string::npos);
  rules.resize(rules.rfind("BEGIN:VEVENT"));
  const auto found = right(calendar_of(rules)).occurrences(civil(2026, 2, 1), civil(2026, 3, 1));
  REQUIRE(!found.ok());
  CHECK(found.error().code == Errc::exhausted);
  // A zone that changes its clocks each day.
  CHECK(wrong(calendar_of("BEGIN:VTIMEZONE\r\nTZID:x\r\nBEGIN:STANDARD\r\n"
                          "DTSTART:19700101T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n"
                          "RRULE:FREQ=DAILY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"))
            .find("more often than any zone") != std::string::npos);
}

TEST_CASE("A calendar that is cut anywhere is read or refused, never half", "[ical]") {
  const std::string whole = calendar_of(event_of(
      "DTSTART;TZID=Europe/Berlin:20260105T090000\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\n"));
  for (size_t length = 0; length + 2 < whole.size(); ++length) {
    std::vector<CalendarTrouble> troubles;
    const bool read_it = read(whole.substr(0, length), troubles).has_value();
    INFO(length);
    CHECK_FALSE(read_it);
    CHECK_FALSE(troubles.empty());
  }
}
