// load_config: finds the files, reads them all, and judges the whole.
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "config/alerting.hpp"
#include "config/config.hpp"
#include "config/documents.hpp"
#include "config/files.hpp"
#include "config/indicator.hpp"
#include "config/node_config.hpp"
#include "config/objectives.hpp"
#include "config/oncall.hpp"
#include "config/policy.hpp"

namespace nines::agent {
namespace {

namespace fs = std::filesystem;
using config::Reporter;
using Severity = Diagnostic::Severity;

std::string host_name() {
  char buffer[256] = {};
  if (::gethostname(buffer, sizeof buffer - 1) != 0 || buffer[0] == '\0') return "localhost";
  return buffer;
}

std::string find_config_file() {
  for (const char* candidate : {"/etc/nines/nines.yaml", "nines.yaml"}) {
    std::error_code ignored;
    if (fs::exists(candidate, ignored)) return candidate;
  }
  return {};
}

NodeConfig read_node(const std::string& path, Reporter& report) {
  auto content = config::read_file(path, config::kMaxFileBytes);
  if (!content.ok()) {
    report.add(Severity::error, path, {}, content.error().message,
               "give the right file with --config, or none: Nines then looks for "
               "/etc/nines/nines.yaml and ./nines.yaml and needs neither");
    NodeConfig node = config::default_node_config();
    node.file = path;
    return node;
  }
  const auto file = config::parse_yaml(path, std::move(*content), report);
  return config::read_node_config(*file, report);
}

// slos/ beside nines.yaml, when it is there and nothing else is said.
void default_slo_folder(NodeConfig& node) {
  if (node.file.empty() || !node.slo_paths.empty()) return;
  const fs::path folder = fs::path(node.file).parent_path() / "slos";
  std::error_code ignored;
  if (fs::is_directory(folder, ignored)) node.slo_paths.push_back(folder.string());
}

// Loads the documents of one file or folder. `seen` holds files already loaded: a file given twice
// is read once.
void add_path(const std::string& path, std::set<std::string>& seen, config::Documents& documents,
              Reporter& report) {
  auto files = config::document_files(path);
  if (!files.ok()) {
    report.add(Severity::error, path, {}, files.error().message,
               "--slo and slos: take files and folders of SLO documents");
    return;
  }
  size_t found = 0;
  for (const auto& name : *files) {
    std::error_code ignored;
    if (!seen.insert(fs::weakly_canonical(name, ignored).string()).second) {
      ++found;
      continue;
    }
    auto content = config::read_file(name, config::kMaxFileBytes);
    if (!content.ok()) {
      report.add(Severity::error, name, {}, content.error().message);
      ++found;
      continue;
    }
    const size_t errors = report.errors();
    found += documents.add_file(config::parse_yaml(name, std::move(*content), report));
    if (report.errors() != errors) ++found;
  }
  if (found == 0) {
    report.add(Severity::warning, path, {}, "there are no SLO documents here",
               "nines suggest prints some, drafted from the logs");
  }
}

void check_limit(const Loaded& loaded, Reporter& report) {
  const int64_t count = places_of(loaded.slos);
  if (count <= loaded.node.max_slos) return;
  const auto own = static_cast<int64_t>(loaded.slos.size());
  report.add(Severity::error, loaded.node.file, {},
             "there are " + std::to_string(own) + " SLOs" +
                 (count > own ? " and up to " + std::to_string(count - own) + " groups" : "") +
                 ", but limits.slos is " + std::to_string(loaded.node.max_slos),
             "raise limits.slos in nines.yaml (about 300 KiB of memory each)");
}

// The verdict of a join comes after its time-out: it must not count as late by then.
void make_room_for_joins(slo::SloSpec& spec) {
  if (!spec.indicator.join) return;
  constexpr int64_t kEvaluationS = 60;
  const slo::JoinSpec& join = *spec.indicator.join;
  spec.data.late_horizon_s =
      std::max(spec.data.late_horizon_s, join.timeout_s + join.grace_s + kEvaluationS);
}

}  // namespace

int64_t places_of(std::span<const slo::SloSpec> slos) {
  int64_t places = 0;
  for (const slo::SloSpec& spec : slos) places += slo::places_of(spec);
  return places;
}

bool Loaded::ok() const {
  return std::none_of(diagnostics.begin(), diagnostics.end(),
                      [](const Diagnostic& d) { return d.severity == Severity::error; });
}

Loaded load_config(const std::string& config_file, std::span<const std::string> slo_paths) {
  Loaded loaded;
  Reporter report(loaded.diagnostics);
  const std::string file = config_file.empty() ? find_config_file() : config_file;
  loaded.node = file.empty() ? config::default_node_config() : read_node(file, report);
  if (loaded.node.node.empty()) loaded.node.node = host_name();
  default_slo_folder(loaded.node);

  config::Documents documents(report);
  std::vector<std::string> notifiers;
  for (const WebhookConfig& webhook : loaded.node.webhooks) notifiers.push_back(webhook.name);
  for (const NotifierConfig& notifier : loaded.node.notifiers) notifiers.push_back(notifier.name);
  for (const ChainConfig& chain : loaded.node.chains) notifiers.push_back(chain.name);
  if (!loaded.node.oncall.file.empty()) {  // whether it is right; whoever needs it reads it
    (void)config::load_oncall(loaded.node.oncall.file, loaded.diagnostics, &notifiers);
  }
  documents.set_notifiers(std::move(notifiers));
  std::set<std::string> seen;
  for (const auto& path : loaded.node.slo_paths) add_path(path, seen, documents, report);
  for (const auto& path : slo_paths) add_path(path, seen, documents, report);

  config::Indicators indicators(documents, loaded.node.sources, report);
  indicators.read_all();
  config::check_alert_documents(documents, report);
  auto drafts = config::read_slos(documents, indicators, report);
  config::apply_policies(documents, drafts, report);
  for (auto& draft : drafts) {
    make_room_for_joins(draft.spec);
    loaded.slos.push_back(std::move(draft.spec));
  }
  check_limit(loaded, report);
  return loaded;
}

}  // namespace nines::agent
