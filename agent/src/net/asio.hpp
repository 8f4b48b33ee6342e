// Boost.Asio by its one wrapper, and the agent's names for it.
#pragma once

#include "nines/net/asio.hpp"

namespace nines::agent::net {
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using ErrorCode = boost::system::error_code;
}  // namespace nines::agent::net
