#include "config/remediation.hpp"

#include <algorithm>
#include <string_view>
#include <vector>

#include "config/reader.hpp"
#include "nines/remedy/action.hpp"
#include "remedy/execution.hpp"

namespace nines::agent::config {
namespace {

using nines::remedy::Verb;

std::vector<std::string_view> known_verbs() {
  std::vector<std::string_view> out;
  for (size_t i = static_cast<size_t>(Verb::evict_pod); i <= static_cast<size_t>(Verb::lambda);
       ++i) {
    out.push_back(verb_name(static_cast<Verb>(i)));
  }
  return out;
}

// What a verb needs a name of, and whether there is any.
struct Names {
  const char* key;
  bool any;
  std::vector<std::string_view> verbs;
  const char* sample;
};

std::vector<Names> names_of(const RemediationConfig& remediation, const RemedyTargets& targets) {
  return {{"units",
           !remediation.units.empty(),
           {"unit-restart", "unit-start", "unit-stop"},
           "[worker.service]"},
          {"programs",
           !targets.programs.empty(),
           {"program"},
           "[{name: drop-cache, command: [/usr/local/bin/drop-cache]}]"},
          {"webhooks",
           !targets.webhooks.empty(),
           {"webhook"},
           "[{name: power-cycle, url: https://...}]"},
          {"functions",
           !targets.functions.empty(),
           {"lambda"},
           "[{name: add-capacity, function: add-capacity, region: eu-west-1}]"}};
}

// A verb without anything that it may be done to, and the other way round.
void check_names(const RemediationConfig& remediation, const RemedyTargets& targets,
                 const YamlNode& at, Reporter& report) {
  const auto& verbs = remediation.verbs;
  for (const Names& names : names_of(remediation, targets)) {
    const auto allowed =
        std::find_first_of(verbs.begin(), verbs.end(), names.verbs.begin(), names.verbs.end());
    if (allowed != verbs.end() && !names.any) {
      report.warning(place_of(at, "verbs"),
                     "remediation.verbs has '" + *allowed + "', and " + names.key + " names none",
                     "name them: " + std::string(names.key) + ": " + names.sample);
    } else if (allowed == verbs.end() && names.any) {
      report.warning(place_of(at, names.key),
                     "remediation." + std::string(names.key) +
                         " is not used: verbs does not have '" + std::string(names.verbs.front()) +
                         "'",
                     "add it to remediation.verbs");
    }
  }
}

}  // namespace

void check_remediation(const RemediationConfig& remediation, const RemedyTargets& targets,
                       const YamlNode& at, Reporter& report) {
  const std::vector<std::string_view> known = known_verbs();
  for (const std::string& verb : remediation.verbs) {
    if (std::find(known.begin(), known.end(), verb) != known.end()) continue;
    const auto near = nearest(verb, known);
    report.error(place_of(at, "verbs"), "remediation.verbs has '" + verb + "', which is no verb",
                 near.empty() ? "there are evict-pod, rollout-restart, unit-restart and others"
                              : "did you mean '" + std::string(near) + "'?");
  }
  for (const std::string& unit : remediation.units) {
    if (remedy::is_plain_name(unit) && unit.find('.') != std::string::npos) continue;
    report.error(place_of(at, "units"), "remediation.units has '" + unit + "', which is no unit",
                 "give its full name, such as worker.service");
  }
  check_names(remediation, targets, at, report);
  if (remediation.enabled && remediation.verbs.empty()) {
    report.warning(at, "remediation is enabled, and verbs allows nothing", "verbs: [unit-restart]");
  }
  for (const std::string& path : {remediation.systemctl, remediation.stop_file}) {
    if (!path.starts_with('/')) {
      report.error(at, "remediation has '" + path + "', which is not an absolute path");
    }
  }
}

}  // namespace nines::agent::config
