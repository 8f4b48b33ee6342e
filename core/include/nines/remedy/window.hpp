// When rules may act without being asked. Windows open, they do not close: with none given it is
// always, with any of them only within one. People and rollbacks are bound by none, and a P0 that a
// person approved goes before them (guard.hpp).
#pragma once

#include <memory>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/base/time_zone.hpp"
#include "nines/oncall/roster.hpp"

namespace nines::remedy {

// Civil time on days of the week, over midnight and on days that clocks change as on-call has it.
struct Window {
  nines::oncall::DailyWindow hours;
  std::shared_ptr<const TimeZone> zone{};  // null: UTC
};

bool in_windows(const std::vector<Window>& windows, WallTime now);

}  // namespace nines::remedy
