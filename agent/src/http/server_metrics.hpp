// What the server has done, as /metrics shows it.
#pragma once

#include <string>

#include "http/event_hub.hpp"
#include "http/front.hpp"
#include "http/server.hpp"

namespace nines::agent::http {

std::string server_metrics(const ServerStats& server, const FrontStats& front,
                           const EventStats& events);

}  // namespace nines::agent::http
