// What keeps a configured source from being read: nothing matches its globs, or permissions.
#pragma once

#include <string>
#include <vector>

#include "app/ingest.hpp"

namespace nines::agent {

// One message a problem, each with where the source is configured and a way out. At most a few a
// source. Reads directories; call it at start-up.
std::vector<std::string> source_problems(const std::vector<SloPlan>& plans);

}  // namespace nines::agent
