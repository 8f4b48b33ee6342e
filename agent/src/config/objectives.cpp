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

// Decimal places and range that a composite can be summed exactly with.
std::optional<Decimal> read_weight(const YamlNode* node, const std::string& title,
                                   Reporter& report) {
  if (node == nullptr) return Decimal{1, 0};
  const std::string what = "compositeWeight of " + title;
  const auto weight = read_decimal(*node, what, report);
  if (!weight || slo::weight_units(*weight)) return weight;
  report.error(*node,
               what + " must lie between 0.000000001 and 1000000 with at most 9 decimal places, " +
                   "found " + describe(*node),
               "weights are relative: 2 counts twice as much as 1");
  return std::nullopt;
}

bool has_indicator(const YamlNode& objective) {
  return objective.get("indicator") != nullptr || objective.get("indicatorRef") != nullptr;
}

class SloReader {
 public:
  SloReader(const Document& document, const Documents& documents, Indicators& indicators,
            Reporter& report)
      : document_(document), documents_(documents), indicators_(indicators), report_(report) {}

  void read(std::vector<DraftSlo>& out);

 private:
  std::optional<slo::IndicatorSpec> read_indicator(MapReader& reader, const std::string& title);
  std::optional<slo::SloSpec> read_common(MapReader& reader);
  void read_single(MapReader& reader, const std::vector<const YamlNode*>& items,
                   const std::optional<slo::SloSpec>& common,
                   const std::vector<slo::AlertRule>& rules, std::vector<DraftSlo>& out);
  void read_composite(MapReader& reader, const std::vector<const YamlNode*>& items,
                      const std::optional<slo::SloSpec>& common,
                      const std::vector<slo::AlertRule>& rules, std::vector<DraftSlo>& out);
  std::optional<slo::CompositePart> read_part(const YamlNode& node, size_t number,
                                              slo::SloSpec& spec);
  bool read_objective(MapReader& reader, const std::string& title, slo::SloSpec& spec);
  void keep(slo::SloSpec spec, const YamlNode& objective, const std::vector<slo::AlertRule>& rules,
            std::vector<DraftSlo>& out);
  void read_threshold(const YamlNode* op, const YamlNode* value, const YamlNode& at,
                      slo::SloSpec& spec);

  const Document& document_;
  const Documents& documents_;
  Indicators& indicators_;
  Reporter& report_;
  std::string title_;
};

// `reader` is of the spec, or of an objective of a composite.
std::optional<slo::IndicatorSpec> SloReader::read_indicator(MapReader& reader,
                                                            const std::string& title) {
  const YamlNode* indicator = reader.find("indicator");
  const YamlNode* ref = reader.find("indicatorRef");
  if ((indicator == nullptr) == (ref == nullptr)) {
    report_.error(ref != nullptr ? *ref : reader.node(),
                  title + (ref != nullptr ? " has both indicator and indicatorRef"
                                          : " has no indicator (nor indicatorRef)"),
                  ref != nullptr ? "keep one of them" : "an indicator says which records are good");
    return std::nullopt;
  }
  if (ref != nullptr) return indicators_.by_ref(*ref, title);
  MapReader inner(*indicator, "indicator of " + title, report_);
  skip_envelope(inner);
  Metadata meta;
  if (const YamlNode* node = inner.find("metadata")) {
    meta = read_metadata(*node, "the indicator of " + title, report_);
  }
  const YamlNode* spec = inner.require("spec");
  inner.finish();
  if (spec == nullptr) return std::nullopt;
  auto result = indicators_.read(*spec, title);
  if (result) result->name = meta.name;
  return result;
}

// Everything but the objectives and the indicator.
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
  if (!read_time_window(reader.find("timeWindow"), title_, spec, report_)) return std::nullopt;
  return spec;
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

// `spec` has its name and what the objectives share. The keys of its place are read already.
bool SloReader::read_objective(MapReader& reader, const std::string& title, slo::SloSpec& spec) {
  const size_t errors = report_.errors();
  const YamlNode* op = reader.find("op");
  const YamlNode* value = reader.find("value");
  read_slices(reader, title, spec, report_);
  apply_slice_wishes(reader.node(), title, spec, report_);
  const auto target = read_target(reader, title, report_);
  read_threshold(op, value, reader.node(), spec);
  reader.finish();
  if (!target || report_.errors() != errors) return false;
  spec.target = *target;
  spec.origin = reader.node().file->path + ":" + std::to_string(document_.node->at.line);
  spec.alerts = slo::default_policy(spec.window_s, spec.target);
  spec.forecast = slo::default_forecast(spec.window_s);
  return true;
}

void SloReader::keep(slo::SloSpec spec, const YamlNode& objective,
                     const std::vector<slo::AlertRule>& rules, std::vector<DraftSlo>& out) {
  DraftSlo draft{std::move(spec), &document_, &objective, !rules.empty()};
  if (!rules.empty()) draft.spec.alerts.rules = rules;
  check_rules(draft.spec, objective, report_);
  out.push_back(std::move(draft));
}

// One indicator, one SLO for each objective.
void SloReader::read_single(MapReader& reader, const std::vector<const YamlNode*>& items,
                            const std::optional<slo::SloSpec>& common,
                            const std::vector<slo::AlertRule>& rules, std::vector<DraftSlo>& out) {
  auto indicator = read_indicator(reader, title_);
  reader.finish();
  const bool several = items.size() > 1;
  for (const YamlNode* item : items) {
    const size_t errors = report_.errors();
    MapReader objective(*item, "an objective of " + title_, report_);
    if (!objective.is_map()) continue;
    // Without a readable indicator the objectives are still checked, as of a ratio or threshold.
    slo::SloSpec spec = common.value_or(slo::SloSpec());
    if (indicator) spec.indicator = *indicator;
    const bool probe = !common || !indicator;
    const YamlNode* given = document_.spec->get("indicator");
    const YamlNode* inner = given != nullptr ? given->get("spec") : nullptr;
    const bool ratio = inner != nullptr && inner->get("ratioMetric") != nullptr;
    if (!indicator && !ratio && item->get("value") != nullptr) {
      spec.indicator.kind = slo::SliKind::threshold;
    }
    std::string display;
    if (const YamlNode* name = objective.find("displayName")) {
      display = slug(read_text(*name, "displayName", report_).value_or(""));
    }
    if (several && display.empty()) {
      report_.error(*item, title_ + " has several objectives, but this one has no displayName",
                    "each becomes an SLO named " + document_.meta.name + "-DISPLAYNAME");
    }
    if (const YamlNode* weight = objective.find("compositeWeight")) {
      report_.error(*weight,
                    title_ + " has a compositeWeight, but its objectives have no indicators",
                    "a composite has an indicator (or indicatorRef) in every objective, and none "
                    "beside them");
    }
    spec.name = several ? document_.meta.name + "-" + display : document_.meta.name;
    const bool whole = read_objective(objective, title_, spec) && report_.errors() == errors;
    if (whole && !probe) keep(std::move(spec), *item, rules, out);
  }
}

// An objective of a composite: an SLO of its own. `spec` has what they share.
std::optional<slo::CompositePart> SloReader::read_part(const YamlNode& node, size_t number,
                                                       slo::SloSpec& spec) {
  const size_t errors = report_.errors();
  const std::string title = "part " + std::to_string(number) + " of " + title_;
  MapReader reader(node, title, report_);
  if (!reader.is_map()) return std::nullopt;
  std::string name;
  if (const YamlNode* display = reader.find("displayName")) {
    name = slug(read_text(*display, "displayName", report_).value_or(""));
  }
  if (auto indicator = read_indicator(reader, title)) spec.indicator = std::move(*indicator);
  if (name.empty()) name = slug(spec.indicator.name);
  if (name.empty()) name = std::to_string(number);
  spec.part_of = document_.meta.name;
  spec.name = spec.part_of + "-" + name;
  const auto weight = read_weight(reader.find("compositeWeight"), title, report_);
  if (!read_objective(reader, title, spec) || !weight || report_.errors() != errors) {
    return std::nullopt;
  }
  return slo::CompositePart{spec.name, *weight};
}

void SloReader::read_composite(MapReader& reader, const std::vector<const YamlNode*>& items,
                               const std::optional<slo::SloSpec>& common,
                               const std::vector<slo::AlertRule>& rules,
                               std::vector<DraftSlo>& out) {
  const size_t errors = report_.errors();
  for (const std::string_view key : {"indicator", "indicatorRef"}) {
    const YamlNode* node = reader.find(key);
    if (node == nullptr) continue;
    report_.error(*node, title_ + " is composite: its objectives have indicators of their own",
                  "move this one into an objective, or take theirs out");
    return;
  }
  reader.finish();
  const YamlNode* method = document_.spec->get("budgetingMethod");
  if (method != nullptr && report_.errors() == errors && common && method->text != "Occurrences") {
    report_.error(*method, title_ + " is composite: only Occurrences can be summed by weight",
                  "use budgetingMethod: Occurrences, or write one SLO for each part");
  }
  slo::SloSpec whole = common.value_or(slo::SloSpec());
  whole.name = document_.meta.name;
  whole.alerts.rules.clear();
  whole.origin = document_.node->file->path + ":" + std::to_string(document_.node->at.line);
  std::vector<std::pair<slo::SloSpec, const YamlNode*>> parts;
  for (size_t i = 0; i < items.size(); ++i) {
    slo::SloSpec spec = common.value_or(slo::SloSpec());
    auto part = read_part(*items[i], i + 1, spec);
    if (!part) continue;
    whole.composite.parts.push_back(std::move(*part));
    parts.emplace_back(std::move(spec), items[i]);
  }
  if (!common || report_.errors() != errors) return;
  for (auto& [spec, item] : parts) keep(std::move(spec), *item, rules, out);
  out.push_back({std::move(whole), &document_, document_.spec->get("objectives"), false});
}

void SloReader::read(std::vector<DraftSlo>& out) {
  title_ = document_.title();
  MapReader reader(*document_.spec, "spec of " + title_, report_);
  if (!reader.is_map()) return;
  auto common = read_common(reader);
  const YamlNode* objectives = reader.require("objectives", "objectives: [{target: 0.999}]");
  const YamlNode* alerting = reader.find("alertPolicies");
  std::vector<slo::AlertRule> rules;
  if (alerting != nullptr) rules = read_alert_policies(*alerting, title_, documents_, report_);
  std::vector<const YamlNode*> items;
  if (objectives != nullptr) {
    items = read_list(*objectives, "objectives of " + title_, report_);
    const bool list = objectives->kind == YamlNode::Kind::sequence;
    if (list && (items.empty() || items.size() > kMaxObjectives)) {
      report_.error(*objectives, "objectives of " + title_ + " needs 1 to 64 items");
      items.clear();
    }
  }
  const bool composite = std::any_of(items.begin(), items.end(),
                                     [](const YamlNode* item) { return has_indicator(*item); });
  if (composite) {
    read_composite(reader, items, common, rules, out);
  } else {
    read_single(reader, items, common, rules, out);
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
