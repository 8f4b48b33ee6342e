// GET /api/events: what happens, as server-sent events; everything else goes on to `next`.
#pragma once

#include <functional>
#include <string>

#include "http/event_hub.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

// `hello`: a JSON object that everybody hears first. `hub` outlives the handler.
AsyncHandler make_events_api(EventHub& hub, std::function<std::string()> hello, AsyncHandler next);

}  // namespace nines::agent::http
