#include "config/node_config.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "config/files.hpp"
#include "config/incidents.hpp"
#include "config/notifiers.hpp"
#include "config/options.hpp"
#include "config/peers.hpp"
#include "config/queries.hpp"
#include "config/remediation.hpp"
#include "config/remedy_targets.hpp"
#include "config/remotes.hpp"
#include "config/selector.hpp"
#include "config/upstream.hpp"
#include "http/credentials.hpp"

namespace nines::agent::config {
namespace {

constexpr size_t kMaxSources = 1024;
constexpr size_t kMaxWebhooks = 16;
constexpr size_t kMaxRemotes = 16;
constexpr size_t kMaxUpstream = 8;
constexpr size_t kMaxQueries = 16;
constexpr size_t kMaxTokenBytes = 4096;

void check_unique(std::set<std::string>& names, const std::string& name, const YamlNode& map,
                  std::string_view kind, Reporter& report) {
  if (!names.insert(name).second) {
    report.error(place_of(map, "name"),
                 "there are two " + std::string(kind) + "s named '" + name + "'");
  }
}

void read_source(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                 Reporter& report) {
  draft.node.sources.emplace_back();
  apply_defaults("sources[].", draft);
  MapReader reader(node, "a source", report);
  reader.require("name", "SLOs refer to it: metricSource.spec: {source: NAME}");
  read_options(reader, "sources[].", draft, report);
  reader.finish();
  SourceConfig& source = draft.node.sources.back();
  infer_input(node, source.selector, report);
  if (!source.name.empty()) check_unique(names, source.name, node, "source", report);
  if (reader.is_map() && !names_logs(source.selector)) {
    report.error(node, "source '" + source.name + "' names no logs",
                 "give paths: [GLOB...], kubernetes: {namespace, pod, container}, journal, syslog, "
                 "kmsg, stdin, scrape or vitals");
  }
  check_selector(source.selector, node, "source '" + source.name + "'", report);
  source.selector.name = source.name;
}

void read_token(const YamlNode& node, const std::string& path, WebhookConfig& webhook,
                Reporter& report) {
  const YamlNode& at = place_of(node, "token_file");
  if (!webhook.bearer_token.empty()) {
    report.error(at, "webhook '" + webhook.name + "' has both bearer_token and token_file",
                 "keep token_file");
    return;
  }
  auto content = read_file(beside(node.file->path, path), kMaxTokenBytes);
  if (!content.ok()) {
    report.error(at, content.error().message, "Nines must be able to read the token file");
    return;
  }
  std::string token = std::move(*content);
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  if (token.empty()) report.error(at, "the token file '" + path + "' is empty");
  webhook.bearer_token = std::move(token);
}

// What stands between "http(s)://" and the path; empty when the URL is of another kind.
std::string_view authority_of(std::string_view url) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (!url.starts_with(scheme)) continue;
    url.remove_prefix(scheme.size());
    return url.substr(0, url.find_first_of("/?#"));
  }
  return {};
}

std::string_view host_of(std::string_view authority) {
  const size_t bracket = authority.find(']');
  if (bracket != std::string_view::npos) return authority.substr(0, bracket + 1);
  return authority.substr(0, authority.find(':'));
}

void check_webhook(const WebhookConfig& webhook, const YamlNode& node, Reporter& report) {
  const std::string_view authority = authority_of(webhook.url);
  const std::string_view host = host_of(authority);
  const bool clean = std::all_of(webhook.url.begin(), webhook.url.end(),
                                 [](char c) { return c > ' ' && c < 127; });
  if (host.empty() || !clean) {
    report.error(place_of(node, "url"), "url '" + webhook.url + "' of webhook '" + webhook.name +
                                            "' is not an http:// or https:// address");
  } else if (authority.find('@') != std::string_view::npos) {
    report.error(place_of(node, "url"),
                 "the url of webhook '" + webhook.name + "' carries a user name or password",
                 "use bearer_token or token_file");
  } else if (webhook.url.starts_with("http://") && !http::is_loopback(host) &&
             !webhook.bearer_token.empty()) {
    report.warning(place_of(node, "url"),
                   "the token of webhook '" + webhook.name + "' is sent without encryption",
                   "use https://");
  }
  if (!std::all_of(webhook.bearer_token.begin(), webhook.bearer_token.end(),
                   [](char c) { return c > ' ' && c < 127; })) {
    report.error(node, "the token of webhook '" + webhook.name +
                           "' has characters that cannot be sent in a header");
  }
}

void read_webhook(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                  Reporter& report) {
  draft.node.webhooks.emplace_back();
  draft.token_file.clear();
  apply_defaults("webhooks[].", draft);
  MapReader reader(node, "a webhook", report);
  reader.require("name");
  const bool has_url = reader.require("url") != nullptr;
  read_options(reader, "webhooks[].", draft, report);
  reader.finish();
  WebhookConfig& webhook = draft.node.webhooks.back();
  if (!webhook.name.empty()) check_unique(names, webhook.name, node, "webhook", report);
  if (!draft.token_file.empty()) read_token(node, draft.token_file, webhook, report);
  if (has_url) check_webhook(webhook, node, report);
}

void check_public_url(NodeConfig& node, const YamlNode& at, Reporter& report) {
  std::string& url = node.public_url;
  if (url.empty()) return;
  while (url.ends_with('/')) url.pop_back();
  const std::string_view authority = authority_of(url);
  const bool clean = std::all_of(url.begin(), url.end(), [](char c) { return c > ' ' && c < 127; });
  const bool bare = url.find_first_of("?#\"<>'") == std::string::npos;
  if (host_of(authority).empty() || !clean || !bare || authority.find('@') != std::string::npos) {
    report.error(at, "api.public_url '" + url + "' is not an http:// or https:// address",
                 "such as https://nines.example.org, without user, query or fragment");
  } else if (url.starts_with("http://") && !http::is_loopback(host_of(authority))) {
    report.warning(at, "whoever reads along between people and api.public_url can use their links",
                   "use https://");
  }
}

void check_listen(const std::string& listen, const YamlNode& at, Reporter& report) {
  const size_t colon = listen.rfind(':');
  const auto port = colon == std::string::npos
                        ? std::nullopt
                        : Decimal::parse(std::string_view(listen).substr(colon + 1));
  const bool good_port =
      port && port->exponent == 0 && port->mantissa >= 0 && port->mantissa <= 65535;
  const std::string_view host = std::string_view(listen).substr(0, std::min(colon, listen.size()));
  const bool bare_v6 = host.find(':') != std::string_view::npos && !host.starts_with("[");
  if (!good_port || host.empty() || bare_v6) {
    report.error(at, "listen must be HOST:PORT, found '" + listen + "'",
                 "for example 127.0.0.1:9990 or [::1]:9990");
  } else if (!http::is_loopback(host)) {
    report.warning(at, "listen '" + listen + "' is reachable from other machines, unencrypted",
                   "use 127.0.0.1:9990, or a firewall or network policy in front of it");
  }
}

template <class ReadItem>
void read_items(MapReader& reader, std::string_view key, size_t max, Reporter& report,
                ReadItem read_item) {
  const YamlNode* node = reader.find(key);
  if (node == nullptr) return;
  std::set<std::string> names;
  const auto items = read_list(*node, "'" + std::string(key) + "' of nines.yaml", report);
  if (items.size() > max) {
    report.error(*node, "more than " + std::to_string(max) + " " + std::string(key));
    return;
  }
  for (const YamlNode* item : items) read_item(*item, names);
}

}  // namespace

NodeConfig default_node_config() {
  Draft draft;
  apply_defaults("", draft);
  return std::move(draft.node);
}

NodeConfig read_node_config(const YamlFile& file, Reporter& report) {
  Draft draft;
  apply_defaults("", draft);
  draft.node.file = file.path;
  if (file.documents.empty()) return std::move(draft.node);
  if (file.documents.size() > 1) {
    report.error(file.documents[1], "nines.yaml must be one document",
                 "SLO documents belong in the folder slos/ beside it");
  }
  const YamlNode& root = file.documents.front();
  if (root.get("apiVersion") != nullptr && root.get("kind") != nullptr) {
    report.error(root, "this is an SLO document, not a nines.yaml",
                 "load it with --slo " + file.path);
    return std::move(draft.node);
  }
  MapReader reader(root, "nines.yaml", report);
  read_options(reader, "", draft, report);
  read_items(reader, "sources", kMaxSources, report,
             [&](const YamlNode& item, auto& names) { read_source(item, draft, names, report); });
  read_items(reader, "webhooks", kMaxWebhooks, report,
             [&](const YamlNode& item, auto& names) { read_webhook(item, draft, names, report); });
  read_notifiers(reader, draft, report);
  read_items(reader, "remotes", kMaxRemotes, report,
             [&](const YamlNode& item, auto& names) { read_remote(item, draft, names, report); });
  read_items(reader, "upstream", kMaxUpstream, report,
             [&](const YamlNode& item, auto& names) { read_upstream(item, draft, names, report); });
  read_items(reader, "queries", kMaxQueries, report,
             [&](const YamlNode& item, auto& names) { read_query(item, draft, names, report); });
  reader.finish();
  check_listen(draft.node.listen, place_of(root, "listen"), report);
  if (const YamlNode* api = root.get("api")) {
    check_public_url(draft.node, place_of(*api, "public_url"), report);
  }
  if (const YamlNode* peers = root.get("peers")) check_peers(draft.node.peers, *peers, report);
  check_incidents(draft.node, root, report);
  if (const YamlNode* remediation = root.get("remediation")) {
    read_remedy_targets(*remediation, draft, report);
    check_remediation(draft.node.remediation, draft.remedies, *remediation, report);
  }
  for (auto& path : draft.node.slo_paths) path = beside(file.path, path);
  draft.node.oncall.file = beside(file.path, draft.node.oncall.file);
  draft.node.knowledge.directory = beside(file.path, draft.node.knowledge.directory);
  draft.node.oncall.history = beside(file.path, draft.node.oncall.history);
  if (!draft.node.api_token_file.empty()) {
    draft.node.api_token_file = beside(file.path, draft.node.api_token_file);
  }
  return std::move(draft.node);
}

}  // namespace nines::agent::config
