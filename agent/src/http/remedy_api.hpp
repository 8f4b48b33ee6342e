// /api/remedies: rules, what they did, what history teaches; everything else goes on to `next`.
// clang-format off
//   GET  /api/remedies                   rules, their states, acts, why not [?format=table]
//   GET  /api/remedies/rule?rule=NAME    the whole of a rule [&format=table]
//   GET  /api/remedies/report            what every rule was good for [?format=table]
//   GET  /api/remedies/lessons           which action resolves what [?format=table]
//   GET  /api/remedies/effect?rule=NAME  what a rule was good for [&format=text]
//   GET  /api/remedies/audit             the audit log and whether it is whole
//   POST /api/remedies                   {"do": "draft", "rule", "action", "signature", "service",
//                                        "who"}; shadow, approve, auto, demote, remove, allow, settle,
//                                        stop, resume, unfreeze; {"do": "run", "rule", "incident", "who",
//                                        "dry_run": true}
//   POST /api/remedies/history           {"records": [...]}, see remedy/history_file.hpp
// clang-format on
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
