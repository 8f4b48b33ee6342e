#include "cli/ask.hpp"

#include <cstdio>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "app/token.hpp"
#include "config/config.hpp"
#include "http/client.hpp"

namespace nines::agent {
namespace {

constexpr int64_t kTimeoutMs = 20'000;  // a report reads months
constexpr int64_t kHealthMs = 2'000;

// The detail of a problem document (RFC 9457), else the body.
std::string message_of(const std::string& body) {
  const auto tree = nlohmann::json::parse(body, nullptr, false);
  if (tree.is_object() && tree.contains("detail") && tree["detail"].is_string()) {
    return tree["detail"].get<std::string>();
  }
  return body;
}

}  // namespace

std::string user_name() {
  for (const char* name : {"SUDO_USER", "USER", "LOGNAME"}) {
    const char* const value = std::getenv(name);
    if (value != nullptr && *value != '\0') return value;
  }
  return "unknown";
}

std::string agent_address(const std::string& given, const std::string& config_file) {
  return given.empty() ? load_config(config_file, {}).node.listen : given;
}

bool agent_answers(const std::string& address) {
  http::ClientRequest request;
  request.url = "http://" + address + "/healthz";
  request.timeout_ms = kHealthMs;
  return http::fetch(request).ok();
}

int find_token(const TokenPlace& place, std::string& token) {
  std::string path = place.token_file;
  if (path.empty()) {
    const NodeConfig node = load_config(place.common.config, {}).node;
    const std::string& state = place.common.state;
    path =
        token_path(state.empty() ? node.api_token_file : "", state.empty() ? kDefaultState : state);
  }
  auto read = read_token(path);
  if (!read.ok()) {
    std::fprintf(stderr, "%s: %s\n", place.command, read.error().message.c_str());
    return kExitUsage;
  }
  token = std::move(*read);
  return kExitOk;
}

int ask_agent(const AgentCall& call, std::string& body) {
  http::ClientRequest request;
  request.method = call.method;
  request.url = "http://" + call.address + call.path;
  request.timeout_ms = kTimeoutMs;
  request.body = call.body;
  if (!call.body.empty()) request.headers.emplace_back("Content-Type", "application/json");
  if (!call.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + call.token);
  const auto answer = http::fetch(request);
  if (!answer.ok()) {
    std::fprintf(stderr,
                 "%s: no agent answers at %s (%s)\n  hint: start one with `nines agent`, or name "
                 "its address with --agent HOST:PORT\n",
                 call.command.c_str(), call.address.c_str(), answer.error().message.c_str());
    return kExitUnavailable;
  }
  if (answer->status / 100 == 2) {
    body = answer->body;
    return answer->complete ? kExitOk : kExitUnavailable;
  }
  std::fprintf(stderr, "%s: %s\n", call.command.c_str(), message_of(answer->body).c_str());
  if (answer->status == 401 || answer->status == 403) {
    std::fprintf(stderr,
                 "  hint: name the agent's token file with --token-file FILE, or its state "
                 "directory with --state DIR\n");
  }
  return answer->status / 100 == 4 ? kExitUsage : kExitUnavailable;
}

int show_agent(const AgentCall& call) {
  std::string body;
  const int code = ask_agent(call, body);
  std::fwrite(body.data(), 1, body.size(), stdout);
  if (code == kExitUnavailable && !body.empty()) {
    std::fflush(stdout);
    std::fprintf(stderr, "%s: the answer is not complete; -o json says what it lacks\n",
                 call.command.c_str());
  }
  return code;
}

}  // namespace nines::agent
