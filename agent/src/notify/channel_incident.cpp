// Channels that keep incidents open until they are resolved: PagerDuty Events v2 and Opsgenie.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "http/message.hpp"
#include "knowledge/page_context.hpp"
#include "knowledge/page_knowledge.hpp"
#include "nines/base/json_writer.hpp"
#include "notify/channel.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

// What makes the keys of incidents different. What is said of another node may be said by several,
// and is one incident; so is an incident that another node goes on telling of.
struct Scope {
  Scope(const NotifierConfig& config, const Identity& identity)
      : own(config.scope.empty() ? identity.node : config.scope),
        fleet(config.scope.empty() ? identity.cluster : config.scope),
        configured(!config.scope.empty()) {}
  std::string of(const Message& message) const {
    const auto origin = origin_of(message.event);  // its incident there is the origin's
    const bool of_alert = message.event.detail("transition") == nullptr;
    if (origin && of_alert && !configured) return origin->node;
    const std::string* const opened_on = message.event.detail("opened_on");
    if (opened_on != nullptr && !configured) return *opened_on;
    return message.event.rule == "node-silent" ? fleet : own;
  }
  std::string own, fleet;
  bool configured;
};

// A text of an answer that anybody may have written; empty: it is not there, or no text.
std::string text_at(const nlohmann::json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What the service says of itself, for people.
std::string explained(const Answer& answer) {
  const auto body = nlohmann::json::parse(answer.text, nullptr, false);
  std::string text = text_at(body, "message");
  if (body.is_object() && body.contains("errors")) {
    text += " " + body["errors"].dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
  }
  return "answer " + std::to_string(answer.status) +
         (text.empty() ? "" : ": " + cut(view::printable(text), 300));
}

void add_details(JsonWriter& json, const Message& message, const std::string& node) {
  const slo::AlertEvent& e = message.event;
  // Opsgenie takes 8,000 of details together, names included.
  constexpr size_t kMaxName = 200, kMaxSummary = 1000, kMaxFact = 400;
  constexpr size_t kMaxKnowledge = 1000, kMaxContext = 500;
  json.begin_object().member("node", cut(node, kMaxName)).member("key", cut(message.key, kMaxName));
  if (message.is_alert()) {
    json.member("slo", cut(e.slo, kMaxName)).member("service", cut(e.service, kMaxName));
    json.member("rule", cut(e.rule, kMaxName));
    json.member("since", format_rfc3339(e.since)).member("summary", cut(e.summary, kMaxSummary));
    for (const char* name :
         {"incident", "transition", "level", "suspect", "runbook", "person", "why", "experts"}) {
      if (const std::string* value = e.detail(name)) json.member(name, cut(*value, kMaxFact));
    }
    for (const char* name : {"acknowledge", "approve"}) {
      const std::string* const url = e.detail(link_detail(name));
      if (url != nullptr) json.member(link_detail(name), *url);
    }
    for (const auto& [detail, name] : {std::pair{knowledge::kBudgetsText, "budgets"},
                                       std::pair{knowledge::kSuspectsText, "suspects"},
                                       std::pair{knowledge::kLinesText, "lines"}}) {
      if (const std::string* part = e.detail(detail)) json.member(name, cut(*part, kMaxContext));
    }
    if (const std::string* known = e.detail(knowledge::kTextDetail)) {
      json.member("knowledge", cut(*known, kMaxKnowledge));
    }
  } else {
    constexpr size_t kMaxDocument = 6500;  // Opsgenie takes 8,000 of details together
    json.member("document", cut(message.json, kMaxDocument));
  }
  json.end_object();
}

class PagerDutyChannel final : public Channel {
 public:
  PagerDutyChannel(const NotifierConfig& config, const Identity& identity)
      : config_(config), node_(identity.node), scope_(config, identity) {
    if (config_.url.empty()) config_.url = "https://events.pagerduty.com/v2/enqueue";
  }

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    constexpr size_t kMaxKey = 255;
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("routing_key", telling.secret);
    json.member("event_action", message.resolved() ? "resolve" : "trigger");
    json.member("dedup_key", incident_of(message, scope_.of(message), kMaxKey));
    if (!message.resolved()) add_payload(json, message);
    json.end_object();
    return Exchange(post_json(config_, config_.url, std::move(body)));
  }

  // 202 and "success". What else says 2xx is not PagerDuty.
  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    if (auto verdict = judge_http(answer)) {
      if (verdict->outcome == Outcome::dead) verdict->why = explained(answer);
      return *verdict;
    }
    const auto body = nlohmann::json::parse(answer.text, nullptr, false);
    const bool success = answer.status == 202 && text_at(body, "status") == "success";
    return success ? delivered(answer) : again(answer, "the answer is not PagerDuty's");
  }

 private:
  static const char* severity(const Message& message) {
    static constexpr const char* kNames[] = {"critical", "error", "warning", "info"};
    if (!message.is_alert()) return message.urgent() ? "error" : "info";
    return kNames[std::clamp(message.event.priority, 0, 3)];
  }

  void add_payload(JsonWriter& json, const Message& message) const {
    constexpr size_t kMaxSummary = 1024;
    const slo::AlertEvent& e = message.event;
    json.member("client", "Nines");
    if (!config_.link.empty()) {
      json.member("client_url", config_.link);
      json.key("links").begin_array().begin_object();
      json.member("href", config_.link).member("text", "Nines on " + node_);
      json.end_object().end_array();
    }
    const std::string summary =
        message.is_alert() ? message.title + ": " + e.summary : message.title;
    json.key("payload").begin_object().member("summary", cut(summary, kMaxSummary));
    json.member("source", node_).member("severity", severity(message));
    if (message.is_alert()) {
      json.member("timestamp", format_rfc3339(e.at)).member("component", e.service);
      json.member("group", e.slo).member("class", e.rule);
    }
    json.key("custom_details");
    add_details(json, message, node_);
    json.end_object();
  }

  NotifierConfig config_;
  std::string node_;
  Scope scope_;
};

class OpsgenieChannel final : public Channel {
 public:
  OpsgenieChannel(const NotifierConfig& config, const Identity& identity)
      : config_(config), node_(identity.node), scope_(config, identity) {
    if (config_.url.empty()) config_.url = "https://api.opsgenie.com";
    while (config_.url.ends_with('/')) config_.url.pop_back();
  }

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    http::ClientRequest request;
    if (!telling.receipt.empty()) {
      request = post_json(
          config_, config_.url + "/v2/alerts/requests/" + http::percent_encode(telling.receipt),
          {});
      request.method = "GET";
      request.headers.clear();
    } else if (message.resolved()) {
      request = post_json(config_,
                          config_.url + "/v2/alerts/" + http::percent_encode(alias(message)) +
                              "/close?identifierType=alias",
                          closing(message));
    } else {
      request = post_json(config_, config_.url + "/v2/alerts", creation(message));
    }
    request.headers.emplace_back("Authorization", "GenieKey " + telling.secret);
    return Exchange(std::move(request));
  }

  // Both ways are asynchronous: 202 and a request id says only that somebody will look at it.
  Verdict judge(const Message& message, std::string_view receipt,
                const Answer& answer) const override {
    const auto body = nlohmann::json::parse(answer.text, nullptr, false);
    if (!receipt.empty()) return judge_request(message, receipt, answer, body);
    if (auto verdict = judge_http(answer)) {
      if (verdict->outcome == Outcome::dead) verdict->why = explained(answer);
      return *verdict;
    }
    std::string request = text_at(body, "requestId");
    if (answer.status != 202 || request.empty() || request.size() > 200) {
      return again(answer, "the answer is not Opsgenie's");
    }
    return {Outcome::pending, "accepted", answer.status, {}, std::move(request)};
  }

 private:
  static constexpr size_t kMaxAlias = 512;

  std::string alias(const Message& message) const {
    return incident_of(message, scope_.of(message), kMaxAlias);
  }

  Verdict judge_request(const Message& message, std::string_view receipt, const Answer& answer,
                        const nlohmann::json& body) const {
    Verdict not_yet{Outcome::pending, "not processed yet", answer.status, {}, std::string(receipt)};
    if (answer.status == 404) return not_yet;
    if (const auto verdict = judge_http(answer)) return *verdict;
    const auto data = body.is_object() ? body.find("data") : body.end();
    if (data == body.end() || !data->is_object() || !data->contains("isSuccess")) {
      return again(answer, "the answer is not Opsgenie's");
    }
    if ((*data)["isSuccess"] == true) return delivered(answer);
    const std::string status = text_at(*data, "status");
    // Somebody closed it by hand before us: what we want is so.
    if (message.resolved() && status.find("does not exist") != std::string::npos) {
      return delivered(answer);
    }
    return dead(answer, "not done: " + cut(view::printable(status), 300));
  }

  std::string creation(const Message& message) const {
    const slo::AlertEvent& e = message.event;
    static constexpr const char* kPriorities[] = {"P1", "P2", "P3", "P5"};
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("message", cut(message.title, 130));
    json.member("alias", alias(message));
    json.member("description", text_for_people(message, node_, config_.link, 15'000));
    const char* of_document = message.urgent() ? "P2" : "P5";
    json.member("priority",
                message.is_alert() ? kPriorities[std::clamp(e.priority, 0, 3)] : of_document);
    json.key("tags").begin_array().value("nines");
    if (message.is_alert()) json.value(cut(e.severity, 50)).value(cut(e.service, 50));
    json.end_array().key("details");
    add_details(json, message, node_);
    json.member("entity", cut(message.is_alert() ? e.slo : message.title, 512));
    json.member("source", cut(node_, 100)).end_object();
    return body;
  }

  std::string closing(const Message& message) const {
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("user", "nines").member("source", cut(node_, 100));
    json.member("note", text_for_people(message, node_, {}, 25'000)).end_object();
    return body;
  }

  NotifierConfig config_;
  std::string node_;
  Scope scope_;
};

}  // namespace

std::unique_ptr<Channel> make_pagerduty(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<PagerDutyChannel>(config, identity);
}
std::unique_ptr<Channel> make_opsgenie(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<OpsgenieChannel>(config, identity);
}

}  // namespace nines::agent::notify
