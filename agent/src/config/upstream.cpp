#include "config/upstream.hpp"

#include <algorithm>
#include <array>

#include "config/files.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"
#include "nines/broker/link.hpp"

namespace nines::agent::config {
namespace {

// What Nines labels itself; another value would make other series of them.
constexpr std::array<std::string_view, 8> kOwnLabels = {
    "node", "instance", "job", "slo", "service", "group", "result", "__name__"};
constexpr std::array<std::string_view, 7> kOwnAlertLabels = {
    "node", "alertname", "slo", "service", "severity", "rule", "priority"};
constexpr size_t kMaxReplicas = 8;

// prometheus.io "Data model": [a-zA-Z_][a-zA-Z0-9_]*
bool is_label_name(std::string_view name) {
  const auto letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  return !name.empty() && letter(name[0]) && std::all_of(name.begin(), name.end(), [&](char c) {
    return letter(c) || (c >= '0' && c <= '9');
  });
}

void read_labels(const std::vector<std::string>& texts, UpstreamConfig& upstream,
                 const YamlNode& at, Reporter& report) {
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : text.substr(equals + 1);
    const auto among = [&](const auto& names) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    const bool alerts = upstream.kind == UpstreamConfig::Kind::alertmanager;
    const bool own = alerts ? among(kOwnAlertLabels) : among(kOwnLabels);
    const bool twice = std::any_of(upstream.labels.begin(), upstream.labels.end(),
                                   [&](const auto& label) { return label.first == name; });
    if (!is_label_name(name) || value.empty()) {
      report.error(at, "'" + text + "' is no label", "write NAME=VALUE, as in cluster=shop-7");
    } else if (own || name.starts_with("sloth_") || twice) {
      report.error(at, "the label '" + name + "' is " + (twice ? "given twice" : "set by Nines"));
    } else {
      upstream.labels.emplace_back(name, value);
    }
  }
}

void check_url(const UpstreamConfig& upstream, const YamlNode& node, Reporter& report) {
  const std::string who = "upstream '" + upstream.name + "'";
  const auto url = http::parse_url(upstream.url);
  const bool secret = !upstream.token_file.empty() || !upstream.user.empty();
  if (!url.ok()) {
    report.error(place_of(node, "url"), who + ": " + url.error().message,
                 "user and password belong into user and password_file");
  } else if (url->target == "/") {
    report.warning(place_of(node, "url"), "the url of " + who + " has no path",
                   "Prometheus and VictoriaMetrics take remote write at /api/v1/write, Mimir at "
                   "/api/v1/push, collectors OTLP at /v1/metrics");
  } else if (secret && !url->tls && !http::is_loopback(url->host)) {
    report.warning(place_of(node, "url"), "the login of " + who + " is sent without encryption",
                   "use https://");
  }
}

void check_pairs(const UpstreamConfig& upstream, const YamlNode& node, Reporter& report) {
  const std::string who = "upstream '" + upstream.name + "'";
  if (!upstream.token_file.empty() && !upstream.user.empty()) {
    report.error(place_of(node, "user"), who + " has both token_file and user",
                 "keep one of the two ways to log in");
  }
  if (upstream.user.empty() != upstream.password_file.empty()) {
    report.error(node, who + ": user and password_file belong together");
  }
  if (upstream.cert_file.empty() != upstream.key_file.empty()) {
    report.error(node, who + ": cert_file and key_file belong together");
  }
  const bool sendable = std::all_of(upstream.tenant.begin(), upstream.tenant.end(),
                                    [](char c) { return c > ' ' && c < 127; });
  if (!sendable) {
    report.error(place_of(node, "tenant"), "tenant '" + upstream.tenant + "' of " + who +
                                               " has characters that cannot be sent in a header");
  }
}

void check_replicas(const UpstreamConfig& upstream, const YamlNode& node, Reporter& report) {
  const std::string who = "upstream '" + upstream.name + "'";
  const YamlNode& at = place_of(node, "urls");
  const bool secret = !upstream.token_file.empty() || !upstream.user.empty();
  if (upstream.urls.empty() || upstream.urls.size() > kMaxReplicas || !upstream.url.empty()) {
    report.error(at,
                 who + " of kind alertmanager needs 'urls', 1 to " + std::to_string(kMaxReplicas) +
                     ", and has no 'url'",
                 "urls: [\"http://am-1:9093\", \"http://am-2:9093\"], every replica");
  }
  for (const std::string& text : upstream.urls) {
    const auto url = http::parse_url(text);
    if (!url.ok()) {
      report.error(at, who + ": " + url.error().message,
                   "user and password belong into user and password_file");
    } else if (secret && !url->tls && !http::is_loopback(url->host)) {
      report.warning(at, "the login of " + who + " is sent without encryption", "use https://");
    }
  }
}

void check_broker(const UpstreamConfig& upstream, const YamlNode& node, Reporter& report) {
  const std::string who = "upstream '" + upstream.name + "'";
  const YamlNode& at = place_of(node, "url");
  const auto url = broker::parse_broker_url(upstream.url);
  const bool nats = upstream.kind == UpstreamConfig::Kind::nats;
  const bool fits = url.ok() && (nats ? url->scheme == "nats" || url->scheme == "tls"
                                      : url->scheme.starts_with("mqtt"));
  const bool secret = !upstream.token_file.empty() || !upstream.user.empty();
  if (!fits) {
    report.error(at, who + ": '" + upstream.url + "' is no address of " + (nats ? "NATS" : "MQTT"),
                 nats ? "tls://nats.example.org:4222, or nats:// without encryption"
                      : "mqtts://mqtt.example.org:8883, or mqtt:// without encryption");
  } else if (secret && !url->tls && !http::is_loopback(url->host)) {
    report.warning(at, "the login of " + who + " may be sent without encryption",
                   nats ? "use tls://" : "use mqtts://");
  }
  if (!upstream.nkey_file.empty() && secret) {
    report.error(place_of(node, "nkey_file"), who + " has more than one way to log in");
  }
  const bool of_nats = upstream.fleet || upstream.asks || upstream.answers ||
                       !upstream.nkey_file.empty() || !upstream.token_file.empty();
  if (!nats && of_nats) {
    report.error(node, who + ": fleet, queries, nkey_file and token_file are for kind nats");
  }
  const bool login = secret || !upstream.nkey_file.empty() || !upstream.cert_file.empty();
  if (upstream.answers && fits && !login && !http::is_loopback(url->host)) {
    report.warning(place_of(node, "queries"),
                   "whoever reaches " + upstream.url + " may query the logs of this node",
                   "give NATS a login (nkey_file, cert_file, user) and permissions, or queries: "
                   "ask");
  }
}

void check_address(const UpstreamConfig& upstream, const YamlNode& node, Reporter& report) {
  if (upstream.kind == UpstreamConfig::Kind::alertmanager) {
    return check_replicas(upstream, node, report);
  }
  if (!upstream.urls.empty()) {
    report.error(place_of(node, "urls"),
                 "upstream '" + upstream.name + "' has 'urls', which are for kind alertmanager");
  }
  if (node.get("url") == nullptr) {
    report.error(node, "an upstream has no 'url'");
  } else if (upstream.is_broker()) {
    check_broker(upstream, node, report);
  } else {
    check_url(upstream, node, report);
  }
}

}  // namespace

void read_upstream(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                   Reporter& report) {
  draft.node.upstream.emplace_back();
  draft.upstream_labels.clear();
  apply_defaults("upstream[].", draft);
  MapReader reader(node, "an upstream", report);
  reader.require("name");
  read_options(reader, "upstream[].", draft, report);
  reader.finish();
  UpstreamConfig& upstream = draft.node.upstream.back();
  if (!upstream.name.empty() && !names.insert(upstream.name).second) {
    report.error(place_of(node, "name"), "there are two upstreams named '" + upstream.name + "'");
  }
  if (upstream.every_s % 10 != 0 || 3600 % upstream.every_s != 0) {
    report.error(place_of(node, "every"),
                 "every must be a multiple of 10s of which an hour holds a whole number",
                 "for example 10s, 30s, 1m or 5m");
  }
  read_labels(draft.upstream_labels, upstream, place_of(node, "labels"), report);
  check_pairs(upstream, node, report);
  if (reader.is_map()) check_address(upstream, node, report);
  for (std::string* path : {&upstream.token_file, &upstream.password_file, &upstream.ca_file,
                            &upstream.cert_file, &upstream.key_file, &upstream.nkey_file}) {
    *path = beside(node.file->path, *path);
  }
}

}  // namespace nines::agent::config
