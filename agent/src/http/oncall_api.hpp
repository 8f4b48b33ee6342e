// /api/oncall: who is on call now, how the load was shared, and whom a page would go to, as the
// running agent knows it.
//
//   GET /api/oncall                 who, until when; everybody's load
//   GET /api/oncall/report          ?from= &to= (RFC 3339; default: the last 28 days)
//   GET /api/oncall/route           ?service= &severity=P1 &signature= &told= &format=text
//   GET /api/oncall/pages           past pages, a JSON object a line
#pragma once

#include <functional>

#include "http/server.hpp"
#include "incident/on_call.hpp"

namespace nines::agent::http {

struct OncallAccess {
  // Null: there is no on-call document.
  std::function<const incident::OnCall*()> on_call;
  std::function<const incident::core::IncidentBook&()> book;
  std::function<WallTime()> now;
};

// What is none of its paths goes to `next`.
AsyncHandler make_oncall_api(OncallAccess access, AsyncHandler next);

}  // namespace nines::agent::http
