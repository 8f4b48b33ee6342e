// A calendar that anybody may have made: it is read or refused with places, never half; shifts are
// in order, bounded and the same whether they are asked for at once or in two parts.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "nines/oncall/ical.hpp"

namespace {

using namespace nines;
using namespace nines::oncall;

constexpr int64_t kFrom = 1'772'366'400, kHalf = kFrom + 14 * 86'400, kTo = kHalf + 14 * 86'400;

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken: %s\n", what);
  std::abort();
}

Result<TimeZone> zone_of(const std::string& name) {
  static const TimeZone kUtc;
  if (name == "Europe/Berlin" || name == "UTC") return kUtc;
  return Error{Errc::not_found, "no zone " + name};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  std::vector<CalendarTrouble> troubles;
  const auto calendar = Calendar::read(text, utc_zone(), zone_of, troubles);
  require(calendar.has_value() == troubles.empty(), "what is refused says why, and only that");
  require(troubles.size() <= Calendar::kMaxTroubles, "troubles are bounded");
  for (const CalendarTrouble& t : troubles) {
    require(t.line >= 1 && t.column >= 1 && !t.message.empty(), "a trouble has its place");
  }
  if (!calendar) return 0;
  require(calendar->events().size() <= Calendar::kMaxEvents, "events are bounded");
  const auto all = calendar->occurrences(kFrom, kTo);
  if (!all.ok()) return 0;
  for (size_t i = 0; i < all->size(); ++i) {
    const Occurrence& one = (*all)[i];
    require(one.from_s <= one.to_s && one.from_s < kTo && one.to_s >= kFrom,
            "it is in the time asked for");
    require(one.event < calendar->events().size(), "it is of an event");
    require(i == 0 || (*all)[i - 1].from_s <= one.from_s, "they are in order");
  }
  const auto early = calendar->occurrences(kFrom, kHalf), late = calendar->occurrences(kHalf, kTo);
  require(early.ok() && late.ok(), "a part has room where the whole has");
  size_t parted = early->size();
  for (const Occurrence& one : *late) parted += one.from_s >= kHalf ? 1 : 0;
  require(parted == all->size(), "two halves make the whole");
  return 0;
}
