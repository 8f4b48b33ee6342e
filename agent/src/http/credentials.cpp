#include "http/credentials.hpp"

#include <algorithm>

#include "config/files.hpp"
#include "nines/base/bytes_text.hpp"

namespace nines::agent::http {
namespace {
constexpr size_t kMaxSecretBytes = 16 * 1024;
}

Result<std::string> read_secret(const std::string& path) {
  NINES_TRY(std::string text, config::read_file(path, kMaxSecretBytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  const bool sendable =
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; });
  if (text.empty() || !sendable) {
    return Error{Errc::invalid_argument, path + " holds no token or password of one line"};
  }
  return text;
}

bool is_loopback(std::string_view host) {
  // Digits only: a name may begin with "127." too.
  const bool v4 =
      host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return v4 || host == "localhost" || host == "::1" || host == "[::1]";
}

Result<std::string> authorization(const Credentials& credentials) {
  if (!credentials.user.empty()) {
    NINES_TRY(const std::string password, read_secret(credentials.password_file));
    return "Basic " + base64_of(credentials.user + ":" + password);
  }
  if (credentials.token_file.empty()) return std::string();
  NINES_TRY(const std::string token, read_secret(credentials.token_file));
  return "Bearer " + token;
}

std::string without_credential(std::string text, std::string_view authorization) {
  constexpr std::string_view kHidden = "***";
  const std::string_view secret = authorization.substr(authorization.rfind(' ') + 1);
  if (secret.empty()) return text;
  for (size_t at = 0; (at = text.find(secret, at)) != std::string::npos; at += kHidden.size()) {
    text.replace(at, secret.size(), kHidden);
  }
  return text;
}

}  // namespace nines::agent::http
