// Boost.Asio as the agent sees it: the one wrapper, and the names in this room.
#pragma once

#include "nines/net/asio.hpp"

namespace nines::agent::net {
namespace asio = boost::asio;
using nines::net::ErrorCode;
using nines::net::tcp;
}  // namespace nines::agent::net
