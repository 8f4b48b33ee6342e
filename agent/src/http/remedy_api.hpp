// /api/remedies: rules, what they did, what history teaches; everything else goes on to `next`.
//   GET  /api/remedies             rules with their state, acts, why nothing was done
//   [?format=table] GET  /api/remedies/lessons     which action resolves what [?format=table] GET
//   /api/remedies/effect?rule=NAME                                              [?format=text] GET
//   /api/remedies/audit       the audit log and whether it is whole POST /api/remedies {"do":
//   "draft", "rule", "action", "signature", "service", "who"};
//                                  shadow, approve, auto, demote, remove, allow, settle, stop,
//                                  resume, unfreeze
//   POST /api/remedies/history     {"records": [{"id", "incident", "signature", "action", "at",
//                                  "severity", "outcome", "recover_s"}]}
// Writes need the API token.
#pragma once

#include <functional>
#include <string>

#include "app/remediation.hpp"
#include "http/message.hpp"

namespace nines::agent::http {

// On the thread of the server.
struct RemedyAccess {
  std::string token;  // of writes; never empty
  std::function<Remediation&()> remediation;
  std::function<WallTime()> now;
};

AsyncHandler make_remedy_api(RemedyAccess access, AsyncHandler next);

}  // namespace nines::agent::http
