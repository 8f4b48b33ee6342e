// Who is told of alerts: what `notifiers:`, `chains:` and `webhooks:` of nines.yaml become.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nines::agent {

// A credential. A file is read again for every use, so that it can be changed while Nines runs.
struct SecretConfig {
  std::string text, file, env;  // at most one; env: name of a variable of the environment
  bool empty() const { return text.empty() && file.empty() && env.empty(); }
};

struct NotifierConfig {
  enum class Kind : uint8_t { webhook, pagerduty, opsgenie, slack, ntfy, email, exec, mqtt };
  enum class Tls : uint8_t { starttls, implicit, none };
  std::string name;
  Kind kind = Kind::webhook;
  std::string url;                      // http(s)://, smtp(s)://HOST:PORT, mqtt(s)://HOST:PORT
  SecretConfig secret;                  // key, token or password; slack: the whole URL
  std::vector<std::string> severities;  // that it is told; empty: all
  std::string link;                     // where people find more
  std::string scope;                    // of incidents; empty: the node's name
  std::string ca_file;                  // PEM; empty: the system's authorities
  std::string cert_file, key_file;      // mqtt: our own certificate, PEM
  std::string topic;                    // mqtt
  std::string user;                     // email, mqtt
  std::string from;                     // email
  std::vector<std::string> to;          // email
  std::string program;                  // exec: an absolute path
  std::vector<std::string> arguments;   // exec
  int64_t timeout_ms = 10'000;          // of one attempt
};

// Notifiers in order: the next one is used when the one before has not delivered in time.
struct ChainConfig {
  struct Step {
    std::string notify;
    int64_t within_ms = 0;  // 0: the last step
  };
  std::string name;
  std::vector<Step> steps;
};

}  // namespace nines::agent
