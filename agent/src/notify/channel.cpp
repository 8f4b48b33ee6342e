#include "notify/channel.hpp"

#include <cstdlib>

#include "config/files.hpp"
#include "knowledge/page_context.hpp"
#include "knowledge/page_knowledge.hpp"
#include "nines/base/bytes_text.hpp"
#include "nines/base/fnv1a.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

constexpr size_t kMaxSecretBytes = 4096;
constexpr size_t kMaxKnowledge = 1000, kMaxContext = 600;  // of a text, of each part of it

}  // namespace

std::unique_ptr<Channel> make_channel(const NotifierConfig& config, const Identity& identity) {
  switch (config.kind) {
    case NotifierConfig::Kind::webhook: return make_webhook(config);
    case NotifierConfig::Kind::pagerduty: return make_pagerduty(config, identity);
    case NotifierConfig::Kind::opsgenie: return make_opsgenie(config, identity);
    case NotifierConfig::Kind::slack: return make_slack(config, identity);
    case NotifierConfig::Kind::ntfy: return make_ntfy(config, identity);
    case NotifierConfig::Kind::email: return make_email(config, identity);
    case NotifierConfig::Kind::exec: return make_exec(config, identity);
    case NotifierConfig::Kind::mqtt: return make_mqtt(config, identity);
  }
  return nullptr;
}

Result<std::string> read_secret(const SecretConfig& secret) {
  if (!secret.env.empty()) {
    const char* value = std::getenv(secret.env.c_str());
    if (value != nullptr && *value != '\0') return std::string(value);
    return Error{Errc::not_found, "the environment has no variable " + secret.env};
  }
  if (secret.file.empty()) return secret.text;
  NINES_TRY(std::string text, config::read_file(secret.file, kMaxSecretBytes));
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  if (text.empty()) return Error{Errc::not_found, "'" + secret.file + "' is empty"};
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) {
      return Error{Errc::invalid_argument, "'" + secret.file + "' has more than one line"};
    }
  }
  return text;
}

Verdict delivered(const Answer& answer) {
  return {Outcome::delivered, "answer " + std::to_string(answer.status), answer.status, {}, {}};
}

Verdict dead(const Answer& answer, std::string why) {
  return {Outcome::dead, std::move(why), answer.status, {}, {}};
}

Verdict again(const Answer& answer, std::string why) {
  return {Outcome::retry, std::move(why), answer.status, answer.retry_after_ms, {}};
}

std::optional<Verdict> judge_http(const Answer& answer) {
  const int status = answer.status;
  const std::string why = "answer " + std::to_string(status);
  if (status == 0) return again(answer, answer.failure);
  if (status >= 200 && status < 300) return std::nullopt;
  if (status == 401 || status == 403) {
    return Verdict{Outcome::refused, why + ": the credential is refused", status, {}, {}};
  }
  const bool final = status >= 400 && status < 500 && status != 408 && status != 429;
  return final ? dead(answer, why) : again(answer, why);
}

http::ClientRequest post_json(const NotifierConfig& config, std::string url, std::string body) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = std::move(url);
  request.timeout_ms = config.timeout_ms;
  request.max_response_bytes = 64 * 1024;
  request.ca_file = config.ca_file;
  request.body = std::move(body);
  request.headers = {{"Content-Type", "application/json"}};
  return request;
}

std::string text_for_people(const Message& message, const std::string& node,
                            const std::string& link, size_t limit) {
  if (!message.is_alert()) {
    const bool rows = !message.event.rows.empty();
    return cut(rows ? message.event.summary + "\n\n" + message.event.rows : message.json, limit);
  }
  const slo::AlertEvent& e = message.event;
  const std::string urgency = e.severity + ", " + view::priority_name(e.priority);
  const bool of_incident = e.detail("transition") != nullptr;
  std::string facts =
      "\n\nSLO: " + e.slo + "\nService: " + e.service + "\nRule: " + e.rule + " (" + urgency + ")";
  if (of_incident) facts = "\n\nPriority: " + urgency + "\nService: " + e.service;
  for (const auto& [name, title] :
       {std::pair{"incident", "Incident"}, std::pair{"suspect", "First suspect"},
        std::pair{"runbook", "Runbook"}, std::pair{"person", "On call"},
        std::pair{"why", "Because"}, std::pair{"experts", "Ask"}}) {
    const std::string* const value = e.detail(name);
    if (value != nullptr) facts += std::string("\n") + title + ": " + cut(*value, 500);
  }
  facts += "\nSince: " + format_rfc3339(e.since);
  if (message.resolved()) facts += "\nResolved: " + format_rfc3339(e.at);
  facts += "\nNode: " + node;
  if (!link.empty()) facts += "\n" + link;
  for (const auto& [name, title] :
       {std::pair{"acknowledge", "Acknowledge"}, std::pair{"approve", "Approve this one act"}}) {
    const std::string* const url = e.detail(link_detail(name));
    if (url != nullptr) facts += std::string("\n") + title + ": " + *url;
  }
  for (const auto& [name, title] : {std::pair{knowledge::kBudgetsText, "Error budget"},
                                    std::pair{knowledge::kSuspectsText, "Suspects"},
                                    std::pair{knowledge::kLinesText, "Newest error lines"}}) {
    const std::string* const part = e.detail(name);
    if (part != nullptr) facts += std::string("\n") + title + ":\n" + cut(*part, kMaxContext);
  }
  if (const std::string* const known = e.detail(knowledge::kTextDetail)) {
    facts += "\n\n" + cut(*known, kMaxKnowledge);
  }
  const size_t room = limit > facts.size() ? limit - facts.size() : 0;
  return cut(cut(e.summary, room) + facts, limit);
}

std::string incident_of(const Message& message, const std::string& scope, size_t limit) {
  const slo::AlertEvent& e = message.event;
  std::string name = message.is_alert()
                         ? "nines/" + scope + "/" + e.service + "/" + e.slo + "/" + e.rule
                         : "nines/" + scope + "/" + message.key;
  if (name.size() <= limit) return name;
  const std::string tail = "~" + hex_of(fnv1a64(name));
  size_t end = limit - tail.size();
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;
  return name.substr(0, end) + tail;
}

}  // namespace nines::agent::notify
