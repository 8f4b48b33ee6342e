// VitalWatch: when a vital of the node leaves its usual range, and when it is back. Each has a
// bound above which it is out, and a lower one below which it is back. No clock.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "nines/base/time.hpp"
#include "nines/incident/happenings.hpp"

namespace nines::agent::incident {

class VitalWatch {
 public:
  // Names as NodeCapacity tells them; others are passed over.
  std::optional<nines::incident::Happening> vital(std::string_view name, double value, WallTime at);

 private:
  std::map<std::string, bool, std::less<>> out_;
};

}  // namespace nines::agent::incident
