// Pyrra: ServiceLevelObjective of pyrra.dev/v1alpha1.
#include <algorithm>

#include "config/import.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kMinute = 60;

int64_t rounded_to_minutes(int64_t window_s, int64_t share) {
  return (2 * window_s + share * kMinute) / (2 * share * kMinute) * kMinute;
}

// Factors 14, 7, 2 and 1 over shares of the window (slo/slo.go of Pyrra).
std::vector<slo::AlertRule> default_rules(int64_t window_s) {
  struct Pair {
    const char *name, *severity;
    int64_t long_share, short_share;
    Decimal factor;
  };
  static constexpr Pair kPairs[] = {{"fast", "page", 672, 8064, {14, 0}},
                                    {"medium", "page", 112, 1344, {7, 0}},
                                    {"slow", "ticket", 28, 336, {2, 0}},
                                    {"drift", "ticket", 7, 112, {1, 0}}};
  std::vector<slo::AlertRule> rules;
  for (const Pair& p : kPairs) {
    const int64_t long_s = rounded_to_minutes(window_s, p.long_share);
    const int64_t short_s = std::max(kMinute, rounded_to_minutes(window_s, p.short_share));
    if (short_s < long_s) rules.push_back({p.name, p.severity, long_s, short_s, p.factor});
  }
  return rules;
}

class PyrraReader {
 public:
  PyrraReader(const ImportOptions& options, Reporter& report)
      : options_(options), report_(report) {}
  std::optional<slo::SloSpec> read(const YamlNode& document);

 private:
  std::optional<slo::IndicatorSpec> read_indicator(const YamlNode& node);
  std::optional<slo::IndicatorSpec> read_pair(const YamlNode& node, const char* part, bool bad);
  std::optional<slo::IndicatorSpec> read_gauge(const YamlNode& node);
  std::optional<Query> read_query(MapReader& reader, const char* key);
  void note_grouping(MapReader& reader);
  void read_meta(const YamlNode& node, slo::SloSpec& spec);
  void read_alerting(const YamlNode& node, slo::SloSpec& spec);

  const ImportOptions& options_;
  Reporter& report_;
  std::string title_;
};

void PyrraReader::note_grouping(MapReader& reader) {
  const YamlNode* node = reader.find("grouping");
  if (node == nullptr || node->items.empty()) return;
  report_.warning(*node,
                  "grouping of " + title_ +
                      " makes an SLO of each group: read as one SLO of all groups together",
                  "import it once for each group, with its labels in the selectors");
}

std::optional<Query> PyrraReader::read_query(MapReader& reader, const char* key) {
  const YamlNode* node = reader.require(key, "metric: name{label=\"value\"}");
  if (node == nullptr) return std::nullopt;
  const std::string what = key + (" of " + title_);
  MapReader inner(*node, what, report_);
  const YamlNode* metric = inner.require("metric");
  inner.finish();
  if (metric == nullptr) return std::nullopt;
  return Query{metric, what};
}

std::optional<slo::IndicatorSpec> PyrraReader::read_pair(const YamlNode& node, const char* part,
                                                         bool bad) {
  MapReader reader(node, "indicator of " + title_, report_);
  const auto counted = read_query(reader, part);
  const auto total = read_query(reader, "total");
  note_grouping(reader);
  reader.finish();
  if (!counted || !total) return std::nullopt;
  return Translator(options_, report_).selectors(*counted, *total, bad);
}

std::optional<slo::IndicatorSpec> PyrraReader::read_gauge(const YamlNode& node) {
  MapReader reader(node, "bool_gauge of " + title_, report_);
  const YamlNode* metric = reader.require("metric");
  note_grouping(reader);
  reader.finish();
  if (metric == nullptr) return std::nullopt;
  return Translator(options_, report_).gauge({metric, "bool_gauge of " + title_});
}

std::optional<slo::IndicatorSpec> PyrraReader::read_indicator(const YamlNode& node) {
  MapReader reader(node, "indicator of " + title_, report_);
  const YamlNode* ratio = reader.find("ratio");
  const YamlNode* latency = reader.find("latency");
  const YamlNode* native = reader.find("latencyNative");
  const YamlNode* gauge = reader.find("bool_gauge");
  reader.finish();
  if (!reader.is_map()) return std::nullopt;
  if (native != nullptr) {
    report_.error(*native,
                  "latencyNative of " + title_ +
                      " reads a native histogram, of which the text that Nines scrapes has no "
                      "buckets",
                  "expose a classic histogram too and use latency, with le=\"...\" at the bound");
    return std::nullopt;
  }
  const int given = (ratio != nullptr) + (latency != nullptr) + (gauge != nullptr);
  if (given != 1) {
    report_.error(node, "indicator of " + title_ + " needs one of ratio, latency and bool_gauge");
    return std::nullopt;
  }
  if (ratio != nullptr) return read_pair(*ratio, "errors", true);
  if (latency != nullptr) return read_pair(*latency, "success", false);
  return read_gauge(*gauge);
}

void PyrraReader::read_meta(const YamlNode& node, slo::SloSpec& spec) {
  const YamlNode* name = node.get("name");
  if (name == nullptr) {
    report_.error(node, "metadata of the ServiceLevelObjective has no 'name'");
    return;
  }
  spec.name = slug(name->text);
  spec.service = name->text;
  const YamlNode* labels = node.get("labels");
  if (labels == nullptr) return;
  for (const auto& entry : labels->entries) {
    if (entry.key == "pyrra.dev/service") spec.service = entry.value.text;
    if (entry.key == "pyrra.dev/team" || entry.key == "pyrra.dev/owner") {
      spec.owner = entry.value.text;
    }
  }
}

void PyrraReader::read_alerting(const YamlNode& node, slo::SloSpec& spec) {
  MapReader reader(node, "alerting of " + title_, report_);
  for (const char* key : {"name", "absentName", "absent"}) reader.find(key);  // NO_DATA is told
  if (const YamlNode* severities = reader.find("severities")) {
    report_.warning(*severities,
                    "severities of " + title_ +
                        " are not used: fast and medium burn page, the others are "
                        "tickets",
                    "change them in the SLOPolicy that is printed");
  }
  const YamlNode* disabled = reader.find("disabled");
  const YamlNode* burn = reader.find("burnrates");
  reader.finish();
  const bool off =
      (disabled != nullptr && read_bool(*disabled, "disabled", report_).value_or(false)) ||
      (burn != nullptr && !read_bool(*burn, "burnrates", report_).value_or(true));
  if (off) spec.alerts.rules.clear();
}

std::optional<slo::SloSpec> PyrraReader::read(const YamlNode& document) {
  MapReader reader(document, "the ServiceLevelObjective", report_);
  reader.find("apiVersion");
  reader.find("kind");
  reader.find("status");
  const YamlNode* meta = reader.require("metadata");
  const YamlNode* body = reader.require("spec");
  reader.finish();
  if (meta == nullptr || body == nullptr) return std::nullopt;
  slo::SloSpec spec;
  read_meta(*meta, spec);
  title_ = "SLO '" + spec.name + "'";
  MapReader inner(*body, "spec of " + title_, report_);
  if (const YamlNode* text = inner.find("description")) spec.description = text->text;
  for (const char* key : {"partial_response_strategy", "performanceOverAccuracy", "ruleOutput"}) {
    inner.find(key);  // say how Prometheus is to compute; Nines counts
  }
  const YamlNode* target = inner.require("target", "target: \"99.9\"");
  const YamlNode* window = inner.require("window", "window: 4w");
  const YamlNode* indicator = inner.require("indicator");
  const YamlNode* alerting = inner.find("alerting");
  inner.finish();
  std::optional<Decimal> share;
  std::optional<int64_t> window_s;
  std::optional<slo::IndicatorSpec> read;
  if (target != nullptr) share = read_percent(*target, "target of " + title_, report_);
  if (window != nullptr) {
    window_s = read_duration_s(*window, "window of " + title_, 3600, 92 * 86400, report_);
  }
  if (indicator != nullptr) read = read_indicator(*indicator);
  if (spec.name.empty() || !share || !window_s || !read) return std::nullopt;
  spec.target = *share;
  spec.window_s = *window_s;
  spec.indicator = std::move(*read);
  spec.indicator.name = spec.name;
  spec.origin = document.file->path + ":" + std::to_string(document.at.line);
  spec.alerts.rules = default_rules(spec.window_s);
  spec.forecast = slo::default_forecast(spec.window_s);
  if (alerting != nullptr) read_alerting(*alerting, spec);
  drop_unreachable(spec, *target, report_);
  return spec;
}

}  // namespace

bool is_pyrra(const YamlNode& document) {
  const YamlNode* version = document.get("apiVersion");
  return version != nullptr && version->text.starts_with("pyrra.dev/");
}

void import_pyrra(const YamlNode& document, const ImportOptions& options, Reporter& report,
                  std::vector<slo::SloSpec>& out) {
  const YamlNode* kind = document.get("kind");
  if (kind == nullptr || kind->text != "ServiceLevelObjective") {
    report.error(kind != nullptr ? *kind : document, "unknown kind of pyrra.dev",
                 "kind: ServiceLevelObjective");
    return;
  }
  if (auto spec = PyrraReader(options, report).read(document)) out.push_back(std::move(*spec));
}

}  // namespace nines::agent::config
