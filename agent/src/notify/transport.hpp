// Carries out an Exchange.
#pragma once

#include <functional>

#include "notify/channel.hpp"

namespace boost::asio {
class io_context;
}

namespace nines::agent::notify {

// Calls `done` once on the thread of `io`, at the latest after timeout_ms. `io` and `clock` outlive
// the exchange.
void transmit(boost::asio::io_context& io, const Clock& clock, Exchange exchange,
              int64_t timeout_ms, std::function<void(Answer)> done);

}  // namespace nines::agent::notify
