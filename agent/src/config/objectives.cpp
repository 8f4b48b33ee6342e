#include "config/objectives.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "config/alerting.hpp"
#include "config/time_window.hpp"
#include "nines/base/time.hpp"
#include "nines/slo/join.hpp"

namespace nines::agent::config {
namespace {

constexpr int kMaxTargetPlaces = 9;  // keeps burn arithmetic within 128 bits
constexpr size_t kMaxObjectives = 64;

// "fast enough" -> "fast-enough", to make a name of a display name.
std::string slug(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool keep = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (keep) {
      out += c;
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  return out;
}

// Hint for a target of 1 or more.
std::string target_hint(const YamlNode& node, Decimal target) {
  const auto share = multiply(target, {1, -2});
  if (share && target > Decimal{1, 0} && target < Decimal{100, 0}) {
    return node.text + " looks like a percentage: use targetPercent: " + node.text +
           " or target: " + share->to_string();
  }
  return "a target of 1 leaves no error budget: every error would violate it; use 0.999 or the "
         "like";
}

std::optional<Decimal> read_target(MapReader& reader, const std::string& title, Reporter& report) {
  const YamlNode* share = reader.find("target");
  const YamlNode* percent = reader.find("targetPercent");
  if ((share == nullptr) == (percent == nullptr)) {
    report.error(
        share != nullptr ? *percent : reader.node(),
        share != nullptr ? "objective of " + title + " has both target and targetPercent"
                         : "objective of " + title + " has no target",
        share != nullptr ? "keep one of them" : "add target: 0.999 or targetPercent: 99.9");
    return std::nullopt;
  }
  const YamlNode& node = share != nullptr ? *share : *percent;
  const std::string key = share != nullptr ? "target" : "targetPercent";
  auto target = read_decimal(node, key + " of " + title, report);
  if (!target) return std::nullopt;
  const Decimal given = *target;
  if (percent != nullptr) target = multiply(*target, {1, -2});
  const std::string range = share != nullptr ? "between 0 and 1" : "between 0 and 100";
  if (!target || *target <= Decimal{0, 0} || *target >= Decimal{1, 0}) {
    const bool low = given <= Decimal{0, 0};
    const std::string hint = low ? "a target of 0 can never be missed; use 0.999 or the like"
                             : share != nullptr
                                 ? target_hint(node, given)
                                 : "a target of 100 % leaves no error budget; use 99.9 or the like";
    report.error(node,
                 key + " " + node.text + " of " + title + " is impossible: it must lie " + range,
                 hint);
    return std::nullopt;
  }
  if (const std::string text = target->to_string(); text.size() > kMaxTargetPlaces + 2) {
    report.error(node, key + " " + node.text + " of " + title + " has too many decimal places",
                 "at most " + std::string(share != nullptr ? "9" : "7") + " are kept exactly");
    return std::nullopt;
  }
  return target;
}

class SloReader {
 public:
  SloReader(const Document& document, const Documents& documents, Indicators& indicators,
            Reporter& report)
      : document_(document), documents_(documents), indicators_(indicators), report_(report) {}

  void read(std::vector<DraftSlo>& out);

 private:
  std::optional<slo::IndicatorSpec> read_indicator(MapReader& reader);
  std::optional<slo::SloSpec> read_common(MapReader& reader);
  bool read_objective(const YamlNode& node, bool several, slo::SloSpec& spec);
  void read_threshold(const YamlNode* op, const YamlNode* value, const YamlNode& at,
                      slo::SloSpec& spec);
  void refuse_unsupported(MapReader& reader);

  const Document& document_;
  const Documents& documents_;
  Indicators& indicators_;
  Reporter& report_;
  std::string title_;
};

std::optional<slo::IndicatorSpec> SloReader::read_indicator(MapReader& reader) {
  const YamlNode* indicator = reader.find("indicator");
  const YamlNode* ref = reader.find("indicatorRef");
  if ((indicator == nullptr) == (ref == nullptr)) {
    report_.error(ref != nullptr ? *ref : *document_.spec,
                  title_ + (ref != nullptr ? " has both indicator and indicatorRef"
                                           : " has no indicator (nor indicatorRef)"),
                  ref != nullptr ? "keep one of them" : "an indicator says which records are good");
    return std::nullopt;
  }
  if (ref != nullptr) return indicators_.by_ref(*ref, title_);
  MapReader inner(*indicator, "indicator of " + title_, report_);
  skip_envelope(inner);
  Metadata meta;
  if (const YamlNode* node = inner.find("metadata")) {
    meta = read_metadata(*node, "the indicator of " + title_, report_);
  }
  const YamlNode* spec = inner.require("spec");
  inner.finish();
  if (spec == nullptr) return std::nullopt;
  auto result = indicators_.read(*spec, title_);
  if (result) result->name = meta.name;
  return result;
}

// Everything but the objectives.
std::optional<slo::SloSpec> SloReader::read_common(MapReader& reader) {
  slo::SloSpec spec;
  const auto text = [&](const YamlNode* node, const char* key) {
    return node == nullptr ? std::string()
                           : read_text(*node, key + (" of " + title_), report_).value_or("");
  };
  check_description(reader, report_);
  if (const YamlNode* node = reader.find("description"); node != nullptr)
    spec.description = node->text;
  spec.service =
      text(reader.require("service", "service: the name of what users depend on"), "service");
  spec.tier = document_.meta.tier.value_or(spec.tier);
  spec.owner = document_.meta.owner;
  read_budgeting(reader.find("budgetingMethod"), title_, spec, report_);
  const bool window = read_time_window(reader.find("timeWindow"), title_, spec, report_);
  auto indicator = read_indicator(reader);
  if (!window || !indicator) return std::nullopt;
  spec.indicator = std::move(*indicator);
  return spec;
}

void SloReader::refuse_unsupported(MapReader& reader) {
  for (const std::string_view key : {"indicator", "indicatorRef", "compositeWeight"}) {
    if (const YamlNode* node = reader.find(key)) {
      report_.error(*node,
                    title_ + " is composite ('" + std::string(key) +
                        "' in an objective): unsupported in this version",
                    "write one SLO for each part");
    }
  }
}

void SloReader::read_threshold(const YamlNode* op, const YamlNode* value, const YamlNode& at,
                               slo::SloSpec& spec) {
  if (spec.indicator.kind == slo::SliKind::ratio) {
    for (const YamlNode* node : {op, value}) {
      if (node == nullptr) continue;
      report_.warning(*node, std::string(node == op ? "op" : "value") + " of " + title_ +
                                 " is not used: its indicator is a ratio");
    }
    return;
  }
  if (op == nullptr || value == nullptr) {
    report_.error(at,
                  "objective of " + title_ + " has no '" + (op == nullptr ? "op" : "value") +
                      "', which a thresholdMetric needs",
                  "for example op: lte, value: 500");
    return;
  }
  if (const auto word = read_choice(*op, "op of " + title_, {"lte", "gte", "lt", "gt"}, report_)) {
    spec.op = *word == "lte"   ? slo::CompareOp::lte
              : *word == "gte" ? slo::CompareOp::gte
              : *word == "lt"  ? slo::CompareOp::lt
                               : slo::CompareOp::gt;
  }
  spec.threshold = read_decimal(*value, "value of " + title_, report_).value_or(Decimal{});
  if (!spec.indicator.join) return;
  const int64_t timeout_ns = spec.indicator.join->timeout_s * kNsPerSecond;
  const auto limit = multiply(spec.threshold, {slo::unit_ns(spec.indicator.unit), 0});
  if (!limit || *limit > Decimal{timeout_ns, 0}) {
    report_.error(*value,
                  "value " + value->text + " " + spec.indicator.unit + " of " + title_ +
                      " lies beyond the timeout of its join (" +
                      format_duration_s(spec.indicator.join->timeout_s) + ")",
                  "nothing is awaited that long: raise timeout, or lower the value");
  }
}

// `spec` has what the objectives share.
bool SloReader::read_objective(const YamlNode& node, bool several, slo::SloSpec& spec) {
  const size_t errors = report_.errors();
  MapReader reader(node, "an objective of " + title_, report_);
  if (!reader.is_map()) return false;
  std::string display;
  if (const YamlNode* name = reader.find("displayName")) {
    display = slug(read_text(*name, "displayName", report_).value_or(""));
  }
  if (several && display.empty()) {
    report_.error(node, title_ + " has several objectives, but this one has no displayName",
                  "each becomes an SLO named " + document_.meta.name + "-DISPLAYNAME");
  }
  spec.name = several ? document_.meta.name + "-" + display : document_.meta.name;
  const YamlNode* op = reader.find("op");
  const YamlNode* value = reader.find("value");
  refuse_unsupported(reader);
  read_slices(reader, title_, spec, report_);
  apply_slice_wishes(node, title_, spec, report_);
  const auto target = read_target(reader, title_, report_);
  read_threshold(op, value, node, spec);
  reader.finish();
  if (!target || report_.errors() != errors) return false;
  spec.target = *target;
  spec.origin = node.file->path + ":" + std::to_string(document_.node->at.line);
  spec.alerts = slo::default_policy(spec.window_s, spec.target);
  return true;
}

void SloReader::read(std::vector<DraftSlo>& out) {
  title_ = document_.title();
  MapReader reader(*document_.spec, "spec of " + title_, report_);
  if (!reader.is_map()) return;
  auto common = read_common(reader);
  const YamlNode* objectives = reader.require("objectives", "objectives: [{target: 0.999}]");
  const YamlNode* alerting = reader.find("alertPolicies");
  reader.finish();
  std::vector<slo::AlertRule> rules;
  if (alerting != nullptr) rules = read_alert_policies(*alerting, title_, documents_, report_);
  if (objectives == nullptr) return;
  const auto items = read_list(*objectives, "objectives of " + title_, report_);
  if (items.empty() || items.size() > kMaxObjectives) {
    if (objectives->kind == YamlNode::Kind::sequence) {
      report_.error(*objectives, "objectives of " + title_ + " needs 1 to 64 items");
    }
    return;
  }
  for (const YamlNode* item : items) {
    // Without a readable indicator the objectives are still checked, as of a ratio or threshold.
    slo::SloSpec spec = common.value_or(slo::SloSpec());
    const bool probe = !common;
    if (probe && item->get("value") != nullptr) spec.indicator.kind = slo::SliKind::threshold;
    if (!read_objective(*item, items.size() > 1, spec) || probe) continue;
    DraftSlo draft{std::move(spec), &document_, item, !rules.empty()};
    if (!rules.empty()) draft.spec.alerts.rules = rules;
    check_rules(draft.spec, *item, report_);
    out.push_back(std::move(draft));
  }
}

}  // namespace

std::vector<DraftSlo> read_slos(const Documents& documents, Indicators& indicators,
                                Reporter& report) {
  std::vector<DraftSlo> slos;
  for (const Document* document : documents.all("SLO")) {
    SloReader(*document, documents, indicators, report).read(slos);
  }
  std::map<std::string, const DraftSlo*> names;
  for (const auto& draft : slos) {
    const auto [first, fresh] = names.emplace(draft.spec.name, &draft);
    if (fresh) continue;
    report.error(*draft.objective,
                 "there are two SLOs named '" + draft.spec.name + "', the other is " +
                     first->second->spec.origin,
                 "give the objectives different displayNames");
  }
  return slos;
}

}  // namespace nines::agent::config
