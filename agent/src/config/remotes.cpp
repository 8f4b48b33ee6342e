#include "config/remotes.hpp"

#include <algorithm>

#include "config/files.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"

namespace nines::agent::config {
namespace {

// Of an index pattern, a tenant, a stream: what may stand in a path and in a header.
bool is_plain_word(const std::string& text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 127 && c != '/' && c != '?' && c != '#' && c != '%' && c != '\\';
  });
}

void check_credentials(const RemoteConfig& remote, const YamlNode& node, Reporter& report) {
  const std::string who = "remote '" + remote.name + "'";
  if (!remote.token_file.empty() && !remote.user.empty()) {
    report.error(place_of(node, "user"), who + " has both token_file and user",
                 "keep one of the two ways to log in");
  } else if (remote.user.empty() != remote.password_file.empty()) {
    report.error(node,
                 who + " has " + (remote.user.empty() ? "a password_file" : "a user") + " and no " +
                     (remote.user.empty() ? "user" : "password_file"),
                 "user and password_file belong together; a token stands in token_file");
  }
}

void check_url(const RemoteConfig& remote, const YamlNode& node, Reporter& report) {
  const std::string who = "remote '" + remote.name + "'";
  const auto url = http::parse_url(remote.url);
  const bool secret = !remote.token_file.empty() || !remote.user.empty();
  if (!url.ok()) {
    report.error(place_of(node, "url"), who + ": " + url.error().message,
                 "user and password belong into user and password_file");
  } else if (url->target.find('?') != std::string::npos) {
    report.error(place_of(node, "url"), "the url of " + who + " has parameters",
                 "give the address only; what to ask for is in query");
  } else if (secret && !url->tls && !http::is_loopback(url->host)) {
    report.warning(place_of(node, "url"), "the login of " + who + " is sent without encryption",
                   "use https://");
  }
}

}  // namespace

void read_remote(const YamlNode& node, Draft& draft, std::set<std::string>& names,
                 Reporter& report) {
  draft.node.remotes.emplace_back();
  apply_defaults("remotes[].", draft);
  MapReader reader(node, "a remote", report);
  reader.require("name", "queries refer to it: FROM remote('NAME')");
  reader.require("kind", "elasticsearch (OpenSearch too), loki, graylog or splunk");
  const bool has_url = reader.require("url") != nullptr;
  read_options(reader, "remotes[].", draft, report);
  reader.finish();
  RemoteConfig& remote = draft.node.remotes.back();
  if (!remote.name.empty() && !names.insert(remote.name).second) {
    report.error(place_of(node, "name"), "there are two remotes named '" + remote.name + "'");
  }
  check_credentials(remote, node, report);
  if (has_url) check_url(remote, node, report);
  if (!is_plain_word(remote.index)) {
    report.error(place_of(node, "index"),
                 "index '" + remote.index + "' of remote '" + remote.name +
                     "' has characters that no index, stream or tenant has",
                 "several are separated by commas, as in logs-app-*,logs-web-*");
  }
  for (std::string* path : {&remote.token_file, &remote.password_file, &remote.ca_file}) {
    *path = beside(node.file->path, *path);
  }
}

}  // namespace nines::agent::config
