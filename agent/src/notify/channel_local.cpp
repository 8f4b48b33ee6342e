// Channels of one's own: e-mail, and a program on this node.
#include <algorithm>

#include "notify/channel.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

// What may stand in an identifier of RFC 5322; the rest is written as its number.
std::string id_part(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '_';
    out += plain ? std::string(1, c) : "=" + std::to_string(static_cast<unsigned char>(c));
  }
  return out;
}

class EmailChannel final : public Channel {
 public:
  EmailChannel(const NotifierConfig& config, const Identity& identity)
      : config_(config), node_(identity.node) {
    const std::string_view url = config_.url;
    const size_t begin = url.find("://") + 3;
    server_.tls = url.starts_with("smtps:") ? SmtpServer::Tls::implicit : SmtpServer::Tls::starttls;
    if (url.starts_with("smtp+plain:")) server_.tls = SmtpServer::Tls::none;
    const std::string_view authority = url.substr(begin);
    const size_t colon = authority.rfind(':');
    const bool v6 = authority.starts_with('[');
    const bool has_port = colon != std::string_view::npos && (!v6 || authority[colon - 1] == ']');
    server_.host = authority.substr(0, has_port ? colon : authority.size());
    if (v6) server_.host = server_.host.substr(1, server_.host.size() - 2);
    const bool implicit = server_.tls == SmtpServer::Tls::implicit;
    server_.port = has_port ? std::string(authority.substr(colon + 1)) : implicit ? "465" : "587";
    server_.ca_file = config_.ca_file;
    server_.user = config_.user;
    server_.name = host_name(node_);
    server_.timeout_ms = config_.timeout_ms;
  }

  Result<Exchange> exchange(const Message& message, const Telling& telling) const override {
    Mail out{server_, {}};
    out.server.password = telling.secret;
    out.mail.from = config_.from;
    out.mail.to = config_.to;
    std::string all;
    for (const std::string& to : config_.to) all += (all.empty() ? "" : ",\r\n ") + to;
    std::string& headers = out.mail.headers;
    headers = "From: <" + config_.from + ">\r\nTo: " + all + "\r\n";
    headers += mail_header("Subject", "[" + node_ + "] " + cut(message.title, 300));
    headers += "Date: " + mail_date(telling.now) + "\r\n";
    headers += "Message-ID: " + message_id(message) + "\r\n";
    if (message.resolved() || is_repeat(message.event)) {
      const std::string fire = first_id(message.event);
      headers += "In-Reply-To: " + fire + "\r\nReferences: " + fire + "\r\n";
    }
    headers += mail_header("X-Nines-Key", message.key);
    headers += "Auto-Submitted: auto-generated\r\n";
    out.mail.body = text_for_people(message, node_, config_.link, 256 * 1024) + "\n";
    return Exchange(std::move(out));
  }

  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    Verdict verdict{Outcome::retry, answer.text, answer.status, {}, {}};
    if (answer.status == 0) {
      verdict.why = answer.failure;
    } else if (answer.status / 100 == 2) {
      verdict.outcome = Outcome::delivered;
    } else if (answer.status == 530 || (answer.status >= 534 && answer.status <= 538)) {
      verdict.outcome = Outcome::refused;  // the login
    } else if (answer.status / 100 == 5) {
      verdict.outcome = Outcome::dead;
    }
    return verdict;
  }

 private:
  // What is told of a fire once more, with something new to say: no mail program may take it for
  // the first one.
  static bool is_repeat(const slo::AlertEvent& e) {
    const std::string* const transition = e.detail("transition");
    return transition != nullptr && *transition != "opened";
  }

  // Of the fire and its resolution from what both know, so that mail programs put them together
  // and a repeat is recognised.
  std::string message_id(const Message& message) const {
    const slo::AlertEvent& e = message.event;
    if (!message.is_alert()) return written("document." + id_part(message.key));
    if (message.fired() && !is_repeat(e)) return first_id(e);
    std::string what = message.fired() ? "again." + std::to_string(e.at.ns) + "." : "resolved.";
    return written(what + common_part(e));
  }
  std::string first_id(const slo::AlertEvent& e) const {
    return written("fired." + common_part(e));
  }
  static std::string common_part(const slo::AlertEvent& e) {
    return std::to_string(e.since.ns) + "." + id_part(e.slo) + "." + id_part(e.rule);
  }
  std::string written(const std::string& what) const {
    return "<" + cut(what, 400) + "@" + server_.name + ".nines>";
  }

  static std::string host_name(const std::string& node) {
    std::string name;
    for (const char c : node) {
      const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                         (c >= '0' && c <= '9') || c == '-' || c == '.';
      name += plain ? c : '-';
    }
    return name.empty() ? "nines" : name;
  }

  NotifierConfig config_;
  std::string node_;
  SmtpServer server_;
};

class ExecChannel final : public Channel {
 public:
  ExecChannel(const NotifierConfig& config, const Identity& identity)
      : config_(config), node_(identity.node) {}

  Result<Exchange> exchange(const Message& message, const Telling&) const override {
    Program program;
    program.path = config_.program;
    program.arguments = config_.arguments;
    program.input = message.json + "\n";
    const auto set = [&](const char* name, const std::string& value) {
      std::string clean = cut(value, 1000);
      std::erase(clean, '\0');
      program.environment.push_back(std::string(name) + "=" + clean);
    };
    set("PATH", "/usr/local/bin:/usr/bin:/bin");
    set("NINES_NODE", node_);
    set("NINES_KEY", message.key);
    set("NINES_TITLE", message.title);
    set("NINES_KIND", message.fired() ? "fired" : message.is_alert() ? "resolved" : "document");
    if (!message.is_alert() && message.sequence() != 0) set("NINES_QUERY", message.event.rule);
    if (message.is_alert()) {
      set("NINES_SLO", message.event.slo);
      set("NINES_SERVICE", message.event.service);
      set("NINES_RULE", message.event.rule);
      set("NINES_SEVERITY", message.event.severity);
      set("NINES_PRIORITY", view::priority_name(message.event.priority));
      for (const auto& [name, detail] :
           {std::pair{"NINES_INCIDENT", "incident"}, std::pair{"NINES_TRANSITION", "transition"},
            std::pair{"NINES_PERSON", "person"}, std::pair{"NINES_WHY", "why"}}) {
        if (const std::string* value = message.event.detail(detail)) set(name, *value);
      }
    }
    return Exchange(std::move(program));
  }

  Verdict judge(const Message&, std::string_view, const Answer& answer) const override {
    if (answer.status == kExited) return {Outcome::delivered, "exit code 0", answer.status, {}, {}};
    if (answer.status == 0) return again(answer, answer.failure);
    const std::string said = answer.text.empty() ? "" : ": " + cut(answer.text, 200);
    return again(answer, "exit code " + std::to_string(answer.status - kExited) + said);
  }

 private:
  NotifierConfig config_;
  std::string node_;
};

}  // namespace

std::unique_ptr<Channel> make_email(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<EmailChannel>(config, identity);
}
std::unique_ptr<Channel> make_exec(const NotifierConfig& config, const Identity& identity) {
  return std::make_unique<ExecChannel>(config, identity);
}

}  // namespace nines::agent::notify
