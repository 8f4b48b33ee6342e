#include "config/import.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include "config/files.hpp"
#include "nines/slo/burn.hpp"

namespace nines::agent {
namespace config {

void drop_unreachable(slo::SloSpec& spec, const YamlNode& at, Reporter& report) {
  const auto budget = slo::budget_of(spec.target);
  std::erase_if(spec.alerts.rules, [&](const slo::AlertRule& rule) {
    if (slo::compare_burn({1, 1}, *budget, rule.factor) > 0) return false;
    report.warning(at,
                   "burn alert '" + rule.name + "' of SLO '" + spec.name + "' is left out: at " +
                       spec.target.to_string() + " no burn rate is above " +
                       rule.factor.to_string(),
                   "it could never fire where it comes from either");
    return true;
  });
}

std::optional<Decimal> read_percent(const YamlNode& node, const std::string& what,
                                    Reporter& report) {
  const auto percent = read_decimal(node, what, report);
  if (!percent) return std::nullopt;
  const Decimal share{percent->mantissa, percent->exponent - 2};
  if (share > Decimal{0, 0} && share < Decimal{1, 0} && share.to_string().size() <= 11) {
    return share;
  }
  report.error(node,
               what + " must lie between 0 and 100 and leave a budget, found " + describe(node),
               "a percentage, for example 99.9");
  return std::nullopt;
}

namespace {

void import_document(const YamlNode& document, const ImportOptions& options, Reporter& report,
                     std::vector<slo::SloSpec>& out) {
  if (document.kind == YamlNode::Kind::sequence) {
    for (const YamlNode& item : document.items) import_document(item, options, report, out);
    return;
  }
  const YamlNode* kind = document.get("kind");
  if (const YamlNode* items = document.get("items");
      kind != nullptr && kind->text == "List" && items != nullptr) {
    return import_document(*items, options, report, out);
  }
  if (is_sloth(document)) return import_sloth(document, options, report, out);
  if (is_pyrra(document)) return import_pyrra(document, options, report, out);
  const YamlNode* version = document.get("apiVersion");
  const bool openslo = version != nullptr && version->text.starts_with("openslo/");
  report.error(version != nullptr ? *version : document,
               openslo ? "this is OpenSLO, which needs no import"
                       : "this is neither a Sloth nor a Pyrra spec",
               openslo
                   ? "put it into slos/, or name it with --slo; nines slo lint checks it"
                   : "Sloth has version: prometheus/v1 (or kind: PrometheusServiceLevel), Pyrra "
                     "kind: ServiceLevelObjective");
}

void check_names(const std::vector<slo::SloSpec>& slos, const std::string& file, Reporter& report) {
  std::set<std::string> names;
  for (const slo::SloSpec& spec : slos) {
    if (names.insert(spec.name).second) continue;
    report.add(Diagnostic::Severity::error, file, {}, "two SLOs are named '" + spec.name + "'",
               "rename one of the two");
  }
}

}  // namespace
}  // namespace config

bool Imported::ok() const {
  return std::none_of(diagnostics.begin(), diagnostics.end(), [](const Diagnostic& d) {
    return d.severity == Diagnostic::Severity::error;
  });
}

Imported import_slos(const std::vector<std::string>& files, const ImportOptions& options) {
  Imported out;
  config::Reporter report(out.diagnostics);
  for (const std::string& path : files) {
    auto content = config::read_file(path, config::kMaxFileBytes);
    if (!content.ok()) {
      report.add(Diagnostic::Severity::error, path, {}, content.error().message);
      continue;
    }
    const auto file = config::parse_yaml(path, std::move(*content), report);
    for (const auto& document : file->documents) {
      config::import_document(document, options, report, out.slos);
    }
    config::check_names(out.slos, path, report);
  }
  return out;
}

}  // namespace nines::agent
