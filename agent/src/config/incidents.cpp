#include "config/incidents.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "config/files.hpp"
#include "config/reader.hpp"
#include "http/client.hpp"
#include "http/credentials.hpp"

namespace nines::agent::config {
namespace {

constexpr size_t kMaxLevels = 8;

void check_escalation(const NodeConfig& node, const YamlNode& at, Reporter& report) {
  const auto& names = node.incidents.escalate_to;
  if (names.size() > kMaxLevels) {
    report.error(at, "more than " + std::to_string(kMaxLevels) + " levels in escalate_to");
  }
  std::vector<std::string_view> known;
  for (const auto& one : node.notifiers) known.push_back(one.name);
  for (const auto& one : node.webhooks) known.push_back(one.name);
  for (const auto& one : node.chains) known.push_back(one.name);
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest(name, known);
    report.error(at, "escalate_to names '" + name + "', which is no notifier, webhook or chain",
                 near.empty() ? std::string("write it under notifiers:")
                              : "did you mean '" + std::string(near) + "'?");
  }
}

void check_narrative(NarrativeConfig& narrative, const YamlNode& at, Reporter& report) {
  if (narrative.url.empty()) {
    report.error(at, "narrative has no 'url'", "the address of an OpenAI-compatible API");
    return;
  }
  const auto url = http::parse_url(narrative.url);
  if (!url.ok()) {
    report.error(place_of(at, "url"), "narrative: " + url.error().message);
    return;
  }
  while (narrative.url.ends_with('/')) narrative.url.pop_back();
  if (narrative.model.empty()) report.error(at, "narrative has no 'model'");
  if (url->tls || http::is_loopback(url->host)) return;
  if (!narrative.token_file.empty()) {
    report.warning(place_of(at, "url"), "the token of narrative is sent without encryption",
                   "use https://");
  }
}

}  // namespace

void check_incidents(NodeConfig& node, const YamlNode& root, Reporter& report) {
  if (const YamlNode* incidents = root.get("incidents")) {
    check_escalation(node, place_of(*incidents, "escalate_to"), report);
  }
  const YamlNode* narrative = root.get("narrative");
  if (narrative == nullptr) return;
  check_narrative(node.narrative, *narrative, report);
  node.narrative.token_file = beside(root.file->path, node.narrative.token_file);
}

}  // namespace nines::agent::config
