// /ack/TOKEN and /approve/TOKEN: pages behind links; everything else goes on to `next`. GET shows a
// button and does nothing, POST does it. No script, no cookie, no credential but the link.
#pragma once

#include <functional>

#include "http/message.hpp"
#include "links/link_desk.hpp"

namespace nines::agent::http {

AsyncHandler make_links_api(std::function<links::LinkDesk&()> desk, AsyncHandler next);

}  // namespace nines::agent::http
