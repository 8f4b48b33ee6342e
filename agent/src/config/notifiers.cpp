#include "config/notifiers.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "config/files.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"
#include "nines/broker/link.hpp"
#include "notify/program.hpp"
#include "notify/smtp.hpp"

namespace nines::agent::config {
namespace {

using Kind = NotifierConfig::Kind;

constexpr size_t kMaxNotifiers = 16, kMaxChains = 16, kMaxSteps = 8, kMaxRecipients = 32;
constexpr size_t kMaxSecretBytes = 4096, kMaxTopic = 1024;

constexpr const char* kKindNames[] = {"webhook", "pagerduty", "opsgenie", "slack",
                                      "ntfy",    "email",     "exec",     "mqtt"};

void check_secret(const SecretConfig& secret, const YamlNode& node, const std::string& who,
                  Reporter& report) {
  if (!secret.file.empty() && !secret.env.empty()) {
    report.error(place_of(node, "secret_env"), who + " has both secret_file and secret_env",
                 "keep one of them");
    return;
  }
  if (secret.file.empty()) return;
  const auto content = read_file(secret.file, kMaxSecretBytes);
  if (!content.ok()) {
    report.error(place_of(node, "secret_file"), content.error().message,
                 "Nines must be able to read the file");
  }
}

// Keys that another kind has.
void check_keys(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                Reporter& report) {
  struct Key {
    const char* name;
    std::initializer_list<Kind> kinds;
  };
  static const Key kKeys[] = {
      {"scope", {Kind::pagerduty, Kind::opsgenie}},
      {"cert_file", {Kind::mqtt}},
      {"key_file", {Kind::mqtt}},
      {"topic", {Kind::mqtt}},
      {"user", {Kind::email, Kind::mqtt}},
      {"from", {Kind::email}},
      {"to", {Kind::email}},
      {"program", {Kind::exec}},
      {"arguments", {Kind::exec}},
      {"url",
       {Kind::webhook, Kind::pagerduty, Kind::opsgenie, Kind::slack, Kind::ntfy, Kind::email,
        Kind::mqtt}},
  };
  std::vector<std::string_view> foreign;
  for (const Key& key : kKeys) {
    const bool fits = std::find(key.kinds.begin(), key.kinds.end(), n.kind) != key.kinds.end();
    if (!fits && node.get(key.name) != nullptr) foreign.emplace_back(key.name);
  }
  if (foreign.empty()) return;
  report.error(place_of(node, foreign.front()), who + " is of kind " +
                                                    kKindNames[static_cast<size_t>(n.kind)] +
                                                    ", which has no " + join(foreign, ", "));
}

void check_severities(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                      Reporter& report) {
  static const std::vector<std::string_view> kKnown = {"critical", "page", "ticket", "warning"};
  for (const std::string& severity : n.severities) {
    if (std::find(kKnown.begin(), kKnown.end(), severity) != kKnown.end()) continue;
    const auto near = nearest(severity, kKnown);
    report.error(place_of(node, "severities"),
                 "severities of " + who + " are critical, page, ticket and warning, found '" +
                     severity + "'",
                 near.empty() ? std::string() : "did you mean '" + std::string(near) + "'?");
  }
}

void check_http_url(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                    Reporter& report) {
  if (n.url.empty()) return;
  const auto url = http::parse_url(n.url);
  if (!url.ok()) {
    report.error(place_of(node, "url"), who + ": " + url.error().message);
    return;
  }
  if (!n.secret.empty() && !url->tls && !http::is_loopback(url->host)) {
    report.warning(place_of(node, "url"), "the secret of " + who + " is sent without encryption",
                   "use https://");
  }
  if (n.kind == Kind::ntfy && (url->target == "/" || url->target.ends_with('/'))) {
    report.error(place_of(node, "url"), "the url of " + who + " names no topic",
                 "for example https://ntfy.sh/my-topic");
  }
}

void check_mail_url(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                    Reporter& report) {
  const YamlNode& at = place_of(node, "url");
  std::string address = n.url;
  bool known = false, plain = false;
  for (const std::string_view scheme : {"smtps://", "smtp+plain://", "smtp://"}) {
    if (known || !n.url.starts_with(scheme)) continue;
    known = true;
    plain = scheme == "smtp+plain://";
    address = "http://" + n.url.substr(scheme.size());
  }
  const auto url = http::parse_url(address);
  if (!known || !url.ok() || url->target != "/" || n.url.ends_with('/')) {
    report.error(at, "the url of " + who + " is not that of a mail server",
                 "smtp://HOST:587, smtps://HOST:465, or smtp+plain://HOST:25 without TLS");
    return;
  }
  if (!plain || http::is_loopback(url->host)) return;
  if (!n.user.empty()) {
    report.error(at, who + " would send its password without encryption",
                 "use smtp:// (STARTTLS) or smtps://");
  } else {
    report.warning(at, "mails of " + who + " are sent without encryption",
                   "use smtp:// (STARTTLS) or smtps://");
  }
}

void check_email(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                 Reporter& report) {
  check_mail_url(n, node, who, report);
  if (!notify::is_mail_address(n.from)) {
    report.error(place_of(node, "from"), "'from' of " + who + " is not a mail address",
                 "for example from: nines@example.org");
  }
  if (n.to.empty() || n.to.size() > kMaxRecipients) {
    report.error(place_of(node, "to"),
                 who + " needs 'to', 1 to " + std::to_string(kMaxRecipients) + " mail addresses");
  }
  for (const std::string& to : n.to) {
    if (notify::is_mail_address(to)) continue;
    report.error(place_of(node, "to"), "'to' of " + who + ": '" + to + "' is not a mail address");
  }
  if (n.user.empty() != n.secret.empty()) {
    report.error(node, "user and the secret (its password) of " + who + " belong together");
  }
}

void check_exec(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                Reporter& report) {
  if (!n.program.starts_with('/')) {
    report.error(place_of(node, "program"), who + " needs 'program', an absolute path",
                 "no shell is used: pipes and variables need a script of yours");
    return;
  }
  const Status usable = notify::check_program(n.program);
  if (!usable.ok()) report.warning(place_of(node, "program"), usable.error().message);
}

void check_mqtt(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                Reporter& report) {
  const YamlNode& at = place_of(node, "url");
  const auto url = broker::parse_broker_url(n.url);
  if (!url.ok() || !url->scheme.starts_with("mqtt")) {
    report.error(at, "the url of " + who + " is not that of an MQTT broker",
                 "mqtts://mqtt.example.org:8883, or mqtt:// without encryption");
  } else if (!n.user.empty() && !url->tls && !http::is_loopback(url->host)) {
    report.warning(at, "the login of " + who + " is sent without encryption", "use mqtts://");
  }
  const bool plain = std::none_of(n.topic.begin(), n.topic.end(),
                                  [](unsigned char c) { return c < ' ' || c == '+' || c == '#'; });
  if (n.topic.empty() || n.topic.size() > kMaxTopic || !plain) {
    report.error(place_of(node, "topic"),
                 who + " needs 'topic', one of at most " + std::to_string(kMaxTopic) +
                     " bytes without + and #",
                 "for example topic: shop/pages");
  }
  if (n.user.empty() != n.secret.empty()) {
    report.error(node, "user and the secret (its password) of " + who + " belong together");
  }
  if (n.cert_file.empty() != n.key_file.empty()) {
    report.error(node, "cert_file and key_file of " + who + " belong together");
  }
}

void check_kind(const NotifierConfig& n, const YamlNode& node, const std::string& who,
                Reporter& report) {
  const bool needs_url = n.kind == Kind::webhook || n.kind == Kind::ntfy || n.kind == Kind::email ||
                         n.kind == Kind::mqtt;
  if (needs_url && n.url.empty()) {
    report.error(node, who + " has no 'url'");
    return;
  }
  switch (n.kind) {
    case Kind::email: return check_email(n, node, who, report);
    case Kind::exec: return check_exec(n, node, who, report);
    case Kind::mqtt: return check_mqtt(n, node, who, report);
    case Kind::pagerduty:
    case Kind::opsgenie:
      if (n.secret.empty()) {
        report.error(node, who + " has no secret",
                     n.kind == Kind::pagerduty ? "secret_file: a file with the routing key"
                                               : "secret_file: a file with the API key");
      }
      break;
    case Kind::slack:
      if (n.secret.empty() == n.url.empty()) {
        report.error(node, who + " needs its webhook URL, once",
                     "secret_file: a file with the URL, since the URL is the secret");
      }
      break;
    case Kind::webhook:
    case Kind::ntfy: break;
  }
  check_http_url(n, node, who, report);
}

void read_notifier(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                   Reporter& report) {
  draft.node.notifiers.emplace_back();
  apply_defaults("notifiers[].", draft);
  MapReader reader(node, "a notifier", report);
  reader.require("name");
  const bool has_kind =
      reader.require("kind", "webhook, pagerduty, opsgenie, slack, ntfy, email, exec or mqtt") !=
      nullptr;
  const size_t errors = report.errors();
  read_options(reader, "notifiers[].", draft, report);
  reader.finish();
  NotifierConfig& n = draft.node.notifiers.back();
  n.secret.file = beside(node.file->path, n.secret.file);
  for (std::string* path : {&n.ca_file, &n.cert_file, &n.key_file}) {
    *path = beside(node.file->path, *path);
  }
  const std::string who = "notifier '" + n.name + "'";
  if (!n.name.empty() && !names.insert(n.name).second) {
    report.error(place_of(node, "name"),
                 "there are two notifiers or webhooks named '" + n.name + "'");
  }
  if (!has_kind || report.errors() != errors) return;
  check_keys(n, node, who, report);
  check_secret(n.secret, node, who, report);
  check_severities(n, node, who, report);
  check_kind(n, node, who, report);
}

void read_steps(const YamlNode& list, Draft& draft, std::map<std::string, std::string>& used,
                Reporter& report) {
  ChainConfig& chain = draft.node.chains.back();
  const std::string who = "chain '" + chain.name + "'";
  std::vector<std::string_view> known;
  for (const NotifierConfig& n : draft.node.notifiers) known.push_back(n.name);
  const auto items = read_list(list, "steps of " + who, report);
  if (items.empty() || items.size() > kMaxSteps) {
    report.error(list, who + " needs 1 to " + std::to_string(kMaxSteps) + " steps");
    return;
  }
  for (const YamlNode* item : items) {
    chain.steps.emplace_back();
    MapReader reader(*item, "a step of " + who, report);
    const YamlNode* name = reader.require("notify", "the name of a notifier");
    read_options(reader, "chains[].steps[].", draft, report);
    reader.finish();
    const ChainConfig::Step& step = chain.steps.back();
    if (item != items.back() && step.within_ms == 0) {
      report.error(*item, "a step of " + who + " has no 'within', and others follow it",
                   "within: 2m says when the next one tries too");
    }
    if (name == nullptr) continue;
    if (std::find(known.begin(), known.end(), step.notify) == known.end()) {
      const auto near = nearest(step.notify, known);
      report.error(*name, who + " names notifier '" + step.notify + "', which does not exist",
                   near.empty() ? std::string("write it under notifiers:")
                                : "did you mean '" + std::string(near) + "'?");
    } else if (const auto [at, fresh] = used.emplace(step.notify, chain.name); !fresh) {
      report.error(*name, "notifier '" + step.notify + "' is a step of chain '" + at->second +
                              "' already: it would be told twice");
    }
  }
}

template <class ReadItem>
void read_each(const YamlNode* node, const std::string& key, size_t max, Reporter& report,
               ReadItem read_item) {
  if (node == nullptr) return;
  const auto items = read_list(*node, "'" + key + "' of nines.yaml", report);
  if (items.size() > max) {
    report.error(*node, "more than " + std::to_string(max) + " " + key);
    return;
  }
  for (const YamlNode* item : items) read_item(*item);
}

}  // namespace

void read_notifiers(MapReader& root, Draft& draft, Reporter& report) {
  std::set<std::string> names, chains;
  for (const WebhookConfig& webhook : draft.node.webhooks) names.insert(webhook.name);
  read_each(root.find("notifiers"), "notifiers", kMaxNotifiers, report,
            [&](const YamlNode& item) { read_notifier(item, draft, names, report); });
  std::map<std::string, std::string> used;
  read_each(root.find("chains"), "chains", kMaxChains, report, [&](const YamlNode& item) {
    draft.node.chains.emplace_back();
    MapReader reader(item, "a chain", report);
    reader.require("name");
    const YamlNode* steps = reader.require("steps", "[{notify: NAME, within: 2m}, ...]");
    read_options(reader, "chains[].", draft, report);
    reader.finish();
    const std::string& name = draft.node.chains.back().name;
    if (!name.empty() && !chains.insert(name).second) {
      report.error(place_of(item, "name"), "there are two chains named '" + name + "'");
    }
    if (steps != nullptr) read_steps(*steps, draft, used, report);
  });
}

}  // namespace nines::agent::config
