#include "upstream/broker_settings.hpp"

#include "config/files.hpp"
#include "http/credentials.hpp"

namespace nines::agent {
namespace {

constexpr size_t kMaxCredentials = 64 * 1024;

// What stands between "-----BEGIN <name>-----" and the next line of dashes; empty: nothing.
std::string section(const std::string& text, const std::string& name) {
  const size_t begin = text.find("BEGIN " + name);
  const size_t from = begin == std::string::npos ? begin : text.find('\n', begin);
  const size_t to = from == std::string::npos ? from : text.find("---", from);
  if (to == std::string::npos) return {};
  std::string out;
  for (const char c : text.substr(from, to - from)) {
    if (c > ' ') out += c;
  }
  return out;
}

Result<broker::Login> read_login(const UpstreamConfig& config) {
  if (!config.nkey_file.empty()) return read_nkey(config.nkey_file);
  broker::Login login;
  if (!config.token_file.empty()) {
    NINES_TRY(login.token, http::read_secret(config.token_file));
  }
  if (!config.user.empty()) {
    login.user = config.user;
    NINES_TRY(login.password, http::read_secret(config.password_file));
  }
  return login;
}

}  // namespace

Result<broker::Login> read_nkey(const std::string& path) {
  NINES_TRY(const std::string text, config::read_file(path, kMaxCredentials));
  broker::Login login;
  if (text.find("BEGIN NATS USER JWT") != std::string::npos) {
    login.jwt = section(text, "NATS USER JWT");
    login.seed = section(text, "USER NKEY SEED");
  } else {
    for (const char c : text) {
      if (c > ' ') login.seed += c;
    }
  }
  if (!login.seed.starts_with("SU")) {
    return Error{Errc::invalid_argument, path + " holds no seed of an NKey (SU...)"};
  }
  return login;
}

Result<broker::LinkSettings> link_settings(const UpstreamConfig& config, uint64_t seed) {
  broker::LinkSettings settings;
  NINES_TRY(settings.url, broker::parse_broker_url(config.url));
  settings.ca_file = config.ca_file;
  settings.cert_file = config.cert_file;
  settings.key_file = config.key_file;
  settings.timeout_ms = config.timeout_ms;
  settings.seed = seed;
  settings.login = [config] { return read_login(config); };
  return settings;
}

}  // namespace nines::agent
