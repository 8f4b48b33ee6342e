// GET /api/fleet; everything else goes on to `next`.
#pragma once

#include <functional>
#include <string>

#include "http/message.hpp"

namespace nines::agent::http {

// `fleet` gives the document; called on the thread of the server.
AsyncHandler make_fleet_api(std::function<std::string()> fleet, AsyncHandler next);

}  // namespace nines::agent::http
