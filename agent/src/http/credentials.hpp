// How the agent proves to another system who it is. Secrets are read from their files when they are
// used, so that a new one needs no restart; errors name the file and never what is in it.
#pragma once

#include <string>
#include <string_view>

#include "nines/base/result.hpp"

namespace nines::agent::http {

// One line of printable characters without blanks.
Result<std::string> read_secret(const std::string& path);

// Whether what is sent to `host` (an IPv6 address with or without brackets) stays on this machine,
// so that a secret may go without encryption.
bool is_loopback(std::string_view host);

struct Credentials {
  std::string token_file;           // "Bearer ..."
  std::string user, password_file;  // "Basic ..." (RFC 7617)
};
// Value of the Authorization header; empty: none is needed.
Result<std::string> authorization(const Credentials& credentials);
// `text` with the credential of that value as "***": who is asked may repeat what it was sent, and
// what it says is told in logs.
std::string without_credential(std::string text, std::string_view authorization);

}  // namespace nines::agent::http
