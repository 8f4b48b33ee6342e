// Sloth: prometheus/v1 in snake_case, PrometheusServiceLevel in camelCase.
#include <array>
#include <map>

#include "config/import.hpp"
#include "nines/slo/burn.hpp"

namespace nines::agent::config {
namespace {

constexpr const char* kVersion = "prometheus/v1";

// A key in both spellings.
struct Key {
  const char* snake;
  const char* camel;
};
constexpr Key kErrorQuery{"error_query", "errorQuery"};
constexpr Key kTotalQuery{"total_query", "totalQuery"};
constexpr Key kRawQuery{"error_ratio_query", "errorRatioQuery"};
constexpr Key kPage{"page_alert", "pageAlert"};
constexpr Key kTicket{"ticket_alert", "ticketAlert"};
constexpr Key kPlugins{"slo_plugins", "sloPlugins"};

using Labels = std::map<std::string, std::string>;

void read_labels(const YamlNode* node, const std::string& what, Labels& out, Reporter& report) {
  if (node == nullptr) return;
  const MapReader map(*node, what, report);
  for (const auto& entry : node->entries) {
    if (const auto text = read_text(entry.value, what, report)) out[entry.key] = *text;
  }
}

class SlothReader {
 public:
  SlothReader(bool resource, const ImportOptions& options, Reporter& report)
      : resource_(resource), options_(options), report_(report) {}
  void read(MapReader& reader, std::vector<slo::SloSpec>& out);

 private:
  const char* spelt(Key key) const { return resource_ ? key.camel : key.snake; }
  std::optional<slo::SloSpec> read_slo(const YamlNode& node, Labels labels);
  std::optional<slo::IndicatorSpec> read_sli(const YamlNode& node, const std::string& title);
  void read_alerting(const YamlNode& node, slo::SloSpec& spec);
  bool disabled(MapReader& reader, Key key);
  void plugins(MapReader& reader);

  bool resource_;
  const ImportOptions& options_;
  Reporter& report_;
  std::string service_;
};

// The pairs of Sloth's default windows: of 30 days 14.4, 6, 3 and 1.
std::vector<slo::AlertRule> default_rules(int64_t window_s) {
  struct Pair {
    const char *name, *severity;
    int64_t long_s, short_s, percent;
  };
  static constexpr Pair kPairs[] = {{"fast", "page", 3600, 300, 2},
                                    {"medium", "page", 6 * 3600, 1800, 5},
                                    {"slow", "ticket", 86400, 2 * 3600, 10},
                                    {"drift", "ticket", 3 * 86400, 6 * 3600, 10}};
  std::vector<slo::AlertRule> rules;
  for (const Pair& p : kPairs) {
    if (p.long_s > window_s) continue;
    // percent / 100 * window / long, to 6 places.
    const int64_t micro = (p.percent * window_s * 10'000 * 2 + p.long_s) / (p.long_s * 2);
    rules.push_back({p.name, p.severity, p.long_s, p.short_s, {micro, -6}});
  }
  return rules;
}

void SlothReader::plugins(MapReader& reader) {
  for (const char* key : {spelt(kPlugins), "plugins"}) {
    if (const YamlNode* node = reader.find(key)) {
      report_.warning(*node, "'" + std::string(key) + "' of " + reader.what() +
                                 " change the rules that Sloth writes: not used");
    }
  }
}

bool SlothReader::disabled(MapReader& reader, Key key) {
  const YamlNode* node = reader.find(spelt(key));
  if (node == nullptr) return false;
  MapReader alert(*node, spelt(key) + (" of " + reader.what()), report_);
  alert.find("labels");
  alert.find("annotations");
  const YamlNode* disable = alert.find("disable");
  alert.finish();
  return disable != nullptr && read_bool(*disable, "disable", report_).value_or(false);
}

void SlothReader::read_alerting(const YamlNode& node, slo::SloSpec& spec) {
  MapReader reader(node, "alerting of SLO '" + spec.name + "'", report_);
  for (const char* key : {"name", "labels", "annotations"}) reader.find(key);
  const bool no_page = disabled(reader, kPage);
  const bool no_ticket = disabled(reader, kTicket);
  reader.finish();
  std::erase_if(spec.alerts.rules, [&](const slo::AlertRule& rule) {
    return rule.severity == "page" ? no_page : no_ticket;
  });
}

std::optional<slo::IndicatorSpec> SlothReader::read_sli(const YamlNode& node,
                                                        const std::string& title) {
  MapReader reader(node, "sli of " + title, report_);
  const YamlNode* events = reader.find("events");
  const YamlNode* raw = reader.find("raw");
  const YamlNode* plugin = reader.find("plugin");
  reader.finish();
  if (!reader.is_map()) return std::nullopt;
  if (plugin != nullptr) {
    report_.error(*plugin, "the SLI of " + title + " is a Sloth plugin, which only Sloth can run",
                  "write its error_query and total_query as events");
    return std::nullopt;
  }
  if ((events == nullptr) == (raw == nullptr)) {
    report_.error(node, "sli of " + title + " needs events or raw, and not both");
    return std::nullopt;
  }
  Translator translator(options_, report_);
  const YamlNode& inner = events != nullptr ? *events : *raw;
  MapReader queries(inner, (events != nullptr ? "events of " : "raw of ") + title, report_);
  if (raw != nullptr) {
    const YamlNode* query = queries.require(spelt(kRawQuery));
    queries.finish();
    if (query == nullptr) return std::nullopt;
    return translator.raw({query, spelt(kRawQuery) + (" of " + title)});
  }
  const YamlNode* errors = queries.require(spelt(kErrorQuery));
  const YamlNode* total = queries.require(spelt(kTotalQuery));
  queries.finish();
  if (errors == nullptr || total == nullptr) return std::nullopt;
  return translator.ratio({errors, spelt(kErrorQuery) + (" of " + title)},
                          {total, spelt(kTotalQuery) + (" of " + title)});
}

std::optional<slo::SloSpec> SlothReader::read_slo(const YamlNode& node, Labels labels) {
  MapReader reader(node, "an SLO of service '" + service_ + "'", report_);
  if (!reader.is_map()) return std::nullopt;
  const YamlNode* name = reader.require("name");
  slo::SloSpec spec;
  spec.service = service_;
  // Sloth's own identity of an SLO is service-name.
  if (name != nullptr) spec.name = slug(service_ + "-" + name->text);
  const std::string title = "SLO '" + spec.name + "'";
  if (const YamlNode* text = reader.find("description")) {
    spec.description = read_text(*text, "description of " + title, report_).value_or("");
  }
  read_labels(reader.find("labels"), "labels of " + title, labels, report_);
  plugins(reader);
  const YamlNode* objective = reader.require("objective", "objective: 99.9");
  const YamlNode* sli = reader.require("sli");
  const YamlNode* alerting = reader.find("alerting");
  reader.finish();
  if (labels["tier"] == "1" || labels["tier"] == "2") spec.tier = labels["tier"][0] - '0';
  spec.owner = labels["owner"];
  std::optional<Decimal> target;
  if (objective != nullptr) target = read_percent(*objective, "objective of " + title, report_);
  std::optional<slo::IndicatorSpec> indicator;
  if (sli != nullptr) indicator = read_sli(*sli, title);
  if (name == nullptr || !target || !indicator) return std::nullopt;
  spec.target = *target;
  spec.window_s = options_.sloth_window_s;
  spec.indicator = std::move(*indicator);
  spec.indicator.name = slug(name->text);
  spec.origin = node.file->path + ":" + std::to_string(node.at.line);
  spec.alerts.rules = default_rules(spec.window_s);
  spec.forecast = slo::default_forecast(spec.window_s);
  if (alerting != nullptr) read_alerting(*alerting, spec);
  drop_unreachable(spec, *objective, report_);
  return spec;
}

void SlothReader::read(MapReader& reader, std::vector<slo::SloSpec>& out) {
  const YamlNode* service = reader.require("service", "service: the name of what users depend on");
  if (service != nullptr) service_ = read_text(*service, "service", report_).value_or("");
  Labels labels;
  read_labels(reader.find("labels"), "labels", labels, report_);
  plugins(reader);
  const YamlNode* slos = reader.require("slos");
  reader.finish();
  if (slos == nullptr) return;
  for (const YamlNode* item : read_list(*slos, "slos of service '" + service_ + "'", report_)) {
    if (auto slo = read_slo(*item, labels)) out.push_back(std::move(*slo));
  }
}

}  // namespace

bool is_sloth(const YamlNode& document) {
  const YamlNode* version = document.get("version");
  const YamlNode* resource = document.get("apiVersion");
  return version != nullptr ||
         (resource != nullptr && resource->text.starts_with("sloth.slok.dev/"));
}

void import_sloth(const YamlNode& document, const ImportOptions& options, Reporter& report,
                  std::vector<slo::SloSpec>& out) {
  MapReader reader(document, "the Sloth spec", report);
  const YamlNode* version = reader.find("version");
  if (version != nullptr) {
    if (version->text != kVersion) {
      report.error(*version, "unknown version " + describe(*version) + " of a Sloth spec",
                   "version: prometheus/v1");
      return;
    }
    SlothReader(false, options, report).read(reader, out);
    return;
  }
  reader.find("apiVersion");
  const YamlNode* kind = reader.require("kind");
  reader.find("metadata");
  const YamlNode* spec = reader.require("spec");
  reader.find("status");
  reader.finish();
  if (kind == nullptr || spec == nullptr) return;
  if (kind->text != "PrometheusServiceLevel") {
    report.error(*kind, "unknown kind " + describe(*kind) + " of sloth.slok.dev",
                 "kind: PrometheusServiceLevel");
    return;
  }
  MapReader inner(*spec, "spec of the PrometheusServiceLevel", report);
  SlothReader(true, options, report).read(inner, out);
}

}  // namespace nines::agent::config
