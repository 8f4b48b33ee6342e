// Calendar: the events of an iCalendar file (RFC 5545), read for who is on call when.
//
// Read: VEVENT with UID, SUMMARY, DTSTART, DTEND or DURATION, RRULE, RDATE, EXDATE, RECURRENCE-ID,
// SEQUENCE and STATUS; dates, local times with TZID, floating times and UTC; VTIMEZONE (which goes
// before the zone of that name that this machine knows); folded lines. RRULE as slo::Recurrence has
// it: FREQ DAILY WEEKLY MONTHLY YEARLY, INTERVAL COUNT UNTIL WKST BYMONTH BYMONTHDAY BYDAY
// BYSETPOS. What would change when somebody is on call and is not read (EXRULE, BYWEEKNO, periods,
// THISAND- FUTURE...) is an error that says so; what would not (alarms, to-dos, X-...) is passed
// over.
//
// An end that is given as a time (DTEND) is by the clock on the wall: a shift from Monday 09:00 to
// Monday 09:00 ends at 09:00 in the week in which clocks change, too. (RFC 5545 says exact seconds,
// which would make hand-overs wander; calendars that people use show the time on the wall.) Of a
// DURATION, weeks and days are of that kind and the rest exact, as RFC 5545 says.
//
// Bounds: 1 MiB, 2,000 events, of them 500 that recur, 5,000 dates in lists, 64 zones, 10,000
// occurrences at a time. Immutable, thread-safe.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/oncall/roster.hpp"
#include "nines/slo/calendar.hpp"

namespace nines::oncall {

// What is wrong, where, and the way out; line and column from 1, in the file as it is.
struct CalendarTrouble {
  int line = 0, column = 0;
  std::string message, hint;
};

struct Occurrence {
  int64_t from_s = 0, to_s = 0;
  uint32_t event = 0;  // index in events()
  friend bool operator==(const Occurrence&, const Occurrence&) = default;
};

struct CalendarEvent {
  std::string uid, summary, attendee;  // attendee: the first one's address; may be empty
  int line = 0;                        // of its BEGIN
  Zone zone;                           // of its start
  int64_t start_s = 0;                 // civil
  int64_t nominal_s = 0;               // its length: of civil time, then of seconds
  int64_t exact_s = 0;
  std::optional<slo::Recurrence> rule;
  std::vector<int64_t> more, left_out;  // starts (instants) by RDATE; by EXDATE and RECURRENCE-ID
  std::optional<int64_t> instance;      // RECURRENCE-ID: which start of its UID this one replaces
  int64_t sequence = 0;
  bool cancelled = false;
};

class Calendar {
 public:
  static constexpr size_t kMaxBytes = 1024 * 1024, kMaxEvents = 2000, kMaxDates = 5000;
  static constexpr size_t kMaxZones = 64, kMaxOccurrences = 10'000, kMaxTroubles = 100;

  using ZoneLookup = std::function<Result<TimeZone>(const std::string& name)>;
  // `floating`: the zone of dates and of times that have none. nullopt: `troubles` say why.
  static std::optional<Calendar> read(std::string_view text, const Zone& floating,
                                      const ZoneLookup& zones,
                                      std::vector<CalendarTrouble>& troubles);

  // Cancelled ones are not among them.
  const std::vector<CalendarEvent>& events() const noexcept { return events_; }
  // Those that touch [from_s, to_s), by start, then by place in the file. exhausted: more than
  // kMaxOccurrences.
  Result<std::vector<Occurrence>> occurrences(int64_t from_s, int64_t to_s) const;

 private:
  std::vector<CalendarEvent> events_;
};

}  // namespace nines::oncall
