// What `nines doctor` finds. A check says what it saw and, unless all is well, the way out.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/config.hpp"
#include "nines/base/time.hpp"

namespace nines::agent {

enum class Verdict : uint8_t { ok, warning, problem };
struct Check {
  const char* name;
  Verdict verdict;
  std::string found, remedy;
};

// Inputs that are not files, as the configuration and its SLOs name them, and pressure (PSI).
void check_inputs(const Loaded& loaded, std::vector<Check>& out);

// Whether somebody is on call for the next seven days, and can be told.
void check_oncall(const Loaded& loaded, WallTime now, std::vector<Check>& out);

}  // namespace nines::agent
