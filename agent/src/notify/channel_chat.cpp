// Channels that show a message: webhook, Slack, ntfy.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "nines/base/json_writer.hpp"
#include "notify/channel.hpp"

namespace nines::agent::notify {
namespace {

class WebhookChannel final : public Channel {
 public:
  explicit WebhookChannel(const NotifierConfig& config) : config_(config) {}

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    auto request = post_json(config_, config_.url, message.json);
    request.headers.emplace_back("Idempotency-Key", message.key);
    if (!telling.secret.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + telling.secret);
    }
    return Exchange(std::move(request));
  }

  // A receiver of our own kind that refuses a token does not want this event: as any other 4xx.
  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    const auto verdict = judge_http(answer);
    if (!verdict) return delivered(answer);
    if (verdict->outcome == Outcome::refused) return dead(answer, verdict->why);
    return *verdict;
  }

 private:
  NotifierConfig config_;
};

// Slack's markup: these three, and nothing else, have a meaning.
std::string slack_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      default: out += c;
    }
  }
  return out;
}

// As cut(), of what is escaped: half an escape would be refused.
std::string slack_cut(std::string text, size_t bytes) {
  text = cut(std::move(text), bytes);
  const size_t begin = text.rfind('&');
  const bool whole = begin == std::string::npos || text.find(';', begin) != std::string::npos;
  return whole ? text : text.substr(0, begin) + "...";
}

class SlackChannel final : public Channel {
 public:
  SlackChannel(const NotifierConfig& config, const Identity& identity)
      : config_(config), node_(identity.node) {}

  int64_t gap_ms() const override { return 1000; }  // more than one a second is refused

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    constexpr size_t kMaxTitle = 150, kMaxSection = 2900;  // 3,000 characters of a section
    const std::string title = cut(message.title, kMaxTitle);
    std::string text = text_for_people(message, node_, config_.link, 2600);
    const char* icon = message.fired() ? ":rotating_light: " : ":white_check_mark: ";
    std::string section = std::string(message.is_alert() ? icon : "") + "*" + slack_escaped(title) +
                          "*\n" + slack_escaped(text);
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("text", slack_escaped(title));
    json.key("blocks").begin_array().begin_object().member("type", "section");
    json.key("text").begin_object().member("type", "mrkdwn");
    json.member("text", slack_cut(std::move(section), kMaxSection)).end_object();
    json.end_object().end_array().end_object();
    return Exchange(
        post_json(config_, telling.secret.empty() ? config_.url : telling.secret, std::move(body)));
  }

  // 200 "ok". What else says 200 is not Slack.
  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    if (const auto verdict = judge_http(answer)) {
      const bool final = verdict->outcome == Outcome::dead;
      return final ? dead(answer, verdict->why + ": " + cut(answer.text, 100)) : *verdict;
    }
    if (answer.text == "ok") return delivered(answer);
    return again(answer, "answer 200, but not Slack's \"ok\"");
  }

 private:
  NotifierConfig config_;
  std::string node_;
};

class NtfyChannel final : public Channel {
 public:
  NtfyChannel(const NotifierConfig& config, const Identity& identity)
      : config_(config), node_(identity.node) {
    const size_t slash = config_.url.rfind('/');
    server_ = config_.url.substr(0, slash + 1);
    topic_ = config_.url.substr(slash + 1);
  }

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    constexpr size_t kMaxMessage = 4000;  // beyond 4,096 it becomes an attachment
    std::string body;
    JsonWriter json(body);
    json.begin_object().member("topic", topic_).member("title", cut(message.title, 200));
    json.member("message", text_for_people(message, node_, {}, kMaxMessage));
    json.member("priority", priority(message));
    json.key("tags").begin_array().value(message.fired() ? "rotating_light" : "white_check_mark");
    if (message.is_alert()) json.value(message.event.severity);
    json.end_array();
    if (!config_.link.empty()) json.member("click", config_.link);
    json.end_object();
    auto request = post_json(config_, server_, std::move(body));
    if (!telling.secret.empty()) {
      request.headers.emplace_back("Authorization", "Bearer " + telling.secret);
    }
    return Exchange(std::move(request));
  }

  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    if (const auto verdict = judge_http(answer)) return *verdict;
    const auto body = nlohmann::json::parse(answer.text, nullptr, false);
    if (body.is_object() && body.contains("id")) return delivered(answer);
    return again(answer, "the answer is not that of an ntfy server");
  }

 private:
  // 5 makes a phone ring through; P0, P1 -> 5, 4. What is over need not wake anybody.
  static int priority(const Message& message) {
    if (message.resolved() || !message.urgent()) return 3;
    return message.is_alert() ? std::clamp(5 - message.event.priority, 4, 5) : 4;
  }

  NotifierConfig config_;
  std::string node_, server_, topic_;
};

}  // namespace

std::unique_ptr<Channel> make_webhook(const NotifierConfig& config) {
  return std::make_unique<WebhookChannel>(config);
}
std::unique_ptr<Channel> make_slack(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<SlackChannel>(config, identity);
}
std::unique_ptr<Channel> make_ntfy(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<NtfyChannel>(config, identity);
}

}  // namespace nines::agent::notify
