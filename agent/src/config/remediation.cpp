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
  for (size_t i = static_cast<size_t>(Verb::evict_pod); i <= static_cast<size_t>(Verb::unit_stop);
       ++i) {
    out.push_back(verb_name(static_cast<Verb>(i)));
  }
  return out;
}

bool acts_on_units(std::string_view verb) { return verb.starts_with("unit-"); }

}  // namespace

void check_remediation(const RemediationConfig& remediation, const YamlNode& at, Reporter& report) {
  const std::vector<std::string_view> known = known_verbs();
  bool units = false;
  for (const std::string& verb : remediation.verbs) {
    units = units || acts_on_units(verb);
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
  if (units && remediation.units.empty()) {
    report.warning(place_of(at, "verbs"), "remediation.verbs acts on units, and units names none",
                   "name them: units: [worker.service]");
  }
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
