// The command line: parses, dispatches, gives the exit code.
#pragma once

#include <cstdint>

#include "nines/base/time.hpp"

namespace nines::agent {

int run_cli(int argc, char** argv, const Clock& clock, uint64_t seed);

}  // namespace nines::agent
