// GET /api/queries.
#pragma once

#include <string>
#include <vector>

#include "app/snapshot.hpp"

namespace nines::agent::view {

std::string queries_json(const std::vector<QueryStatus>& queries);

}  // namespace nines::agent::view
