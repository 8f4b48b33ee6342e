// Redacted: a line of a log as it may leave the fleet, towards services that people are told by.
// What gives access or says who somebody is becomes "***", everything else stays: addresses,
// paths and numbers are what the line is shown for.
//
//   the value after a name such as password, token, secret, api_key, authorization, cookie,
//     session (name=value, name: value, "name": "value"; of authorization and cookie the rest)
//   Bearer and Basic credentials, JSON web tokens, keys that say what they are (AKIA..., ghp_...)
//   user and password within an address (scheme://***@host)
//   the part of a mail address before the @
//   numbers of payment cards (13 to 19 digits that check)
//   everything after the beginning of a private key
//
// It errs towards hiding, and finds nothing that is named otherwise: what must never be told must
// not be logged. Pure; time in proportion to the text.
#pragma once

#include <string>
#include <string_view>

namespace nines::agent::view {

std::string redacted(std::string_view line);

// A sentence without what it quotes of logs: from its first quotation mark to its last one, for a
// quoted line may have some itself; to its end where it was cut and that one may be lost.
std::string without_quotes(std::string_view sentence);

}  // namespace nines::agent::view
