#include "config/v1alpha.hpp"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "config/reader.hpp"

namespace nines::agent::config {
namespace {

constexpr std::string_view kLogType = "nines.log";

// Made nodes stand where the node stood that they were made of.
YamlNode at_place(const YamlNode& like, YamlNode::Kind kind) {
  YamlNode node;
  node.kind = kind;
  node.at = like.at;
  node.offset = like.offset;
  node.file = like.file;
  return node;
}
YamlNode text(const YamlNode& like, std::string value) {
  YamlNode node = at_place(like, YamlNode::Kind::scalar);
  node.text = std::move(value);
  return node;
}
YamlNode map_at(const YamlNode& like) { return at_place(like, YamlNode::Kind::map); }

void put(YamlNode& map, std::string key, YamlNode value) {
  const Position at = value.at;
  map.entries.push_back({std::move(key), at, std::move(value)});
}
YamlNode wrapped(const char* key, YamlNode value) {
  YamlNode map = map_at(value);
  put(map, key, std::move(value));
  return map;
}

// Says of `map` what key it does not know.
void refuse_others(const YamlNode& map, std::initializer_list<std::string_view> known,
                   const char* what, Reporter& report) {
  for (const YamlEntry& entry : map.entries) {
    if (std::find(known.begin(), known.end(), entry.key) != known.end()) continue;
    report.add(Diagnostic::Severity::error, map.file->path, entry.at,
               "unknown key '" + entry.key + "' in " + what + " of openslo/v1alpha",
               "known keys: " + join(std::vector<std::string_view>(known)));
  }
}

// {source, queryType, query}. A query of type `where` is an expression over the records of a source
// of nines.yaml; any other goes to the system that `source` names, which v1 calls the type.
YamlNode metric(const YamlNode& node, const char* what, Reporter& report) {
  refuse_others(node, {"source", "queryType", "query", "metadata"}, what, report);
  const YamlNode* source = node.get("source");
  const YamlNode* type = node.get("queryType");
  const YamlNode* query = node.get("query");
  const bool ours = type != nullptr && (type->text == "where" || type->text == kLogType);
  YamlNode spec = map_at(node);
  YamlNode metric_source = map_at(node);
  if (query != nullptr) put(spec, ours ? "where" : "query", *query);
  if (source != nullptr && ours && source->text != kLogType) put(spec, "source", *source);
  if (ours) {
    put(metric_source, "type", text(node, std::string(kLogType)));
  } else if (source != nullptr) {
    put(metric_source, "type", *source);
  }
  put(metric_source, "spec", std::move(spec));
  return wrapped("metricSource", std::move(metric_source));
}

// {good, total, incremental} -> the spec of an indicator.
YamlNode ratio_indicator(const YamlNode& node, Reporter& report) {
  refuse_others(node, {"good", "bad", "total", "incremental", "counter"}, "ratioMetrics", report);
  YamlNode ratio = map_at(node);
  for (const char* part : {"good", "bad", "total"}) {
    if (const YamlNode* given = node.get(part)) put(ratio, part, metric(*given, part, report));
  }
  return wrapped("spec", wrapped("ratioMetric", std::move(ratio)));
}

YamlNode threshold_indicator(const YamlNode& node, Reporter& report) {
  refuse_others(node, {"thresholdMetric", "metadata"}, "indicator", report);
  YamlNode spec = map_at(node);
  if (const YamlNode* threshold = node.get("thresholdMetric")) {
    put(spec, "thresholdMetric", metric(*threshold, "thresholdMetric", report));
  }
  return wrapped("spec", std::move(spec));
}

// {unit: Day, count: 30, isRolling} -> {duration: 30d, isRolling}
YamlNode window(const YamlNode& node, Reporter& report) {
  constexpr std::pair<std::string_view, const char*> kUnits[] = {
      {"Second", "s"}, {"Minute", "m"}, {"Hour", "h"},    {"Day", "d"},
      {"Week", "w"},   {"Month", "M"},  {"Quarter", "Q"}, {"Year", "Y"}};
  refuse_others(node, {"unit", "count", "isRolling", "calendar"}, "timeWindows", report);
  const YamlNode* unit = node.get("unit");
  const YamlNode* count = node.get("count");
  const auto* found = std::find_if(std::begin(kUnits), std::end(kUnits), [&](const auto& known) {
    return unit != nullptr && unit->text == known.first;
  });
  if (count == nullptr || found == std::end(kUnits)) {
    report.error(unit != nullptr ? *unit : node,
                 "a time window of openslo/v1alpha needs count and unit, Second, Minute, Hour, "
                 "Day, Week, Month, Quarter or Year",
                 "{count: 30, unit: Day, isRolling: true}");
    return at_place(node, YamlNode::Kind::null);
  }
  YamlNode out = map_at(node);
  put(out, "duration", text(*count, count->text + found->second));
  if (const YamlNode* calendar = node.get("calendar")) put(out, "calendar", *calendar);
  // Sloth's examples leave isRolling out and mean a rolling window.
  const YamlNode* rolling = node.get("isRolling");
  const bool calendar = node.get("calendar") != nullptr;
  if (rolling != nullptr) put(out, "isRolling", *rolling);
  if (rolling == nullptr && !calendar) put(out, "isRolling", text(node, "true"));
  return out;
}

YamlNode windows(const YamlNode& node, Reporter& report) {
  if (node.kind != YamlNode::Kind::sequence) return node;  // told by the reader of v1
  YamlNode list = at_place(node, YamlNode::Kind::sequence);
  for (const YamlNode& item : node.items) {
    list.items.push_back(window(item, report));
    if (list.items.back().is_null()) return at_place(node, YamlNode::Kind::null);  // told
  }
  return list;
}

YamlNode without(const YamlNode& map, std::string_view key) {
  YamlNode out = map;
  std::erase_if(out.entries, [&](const YamlEntry& entry) { return entry.key == key; });
  return out;
}

YamlNode spec_of(const YamlNode& node, YamlNode objectives, const YamlNode* ratio,
                 Reporter& report) {
  YamlNode out = map_at(node);
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "timeWindows") {
      put(out, "timeWindow", windows(entry.value, report));
    } else if (entry.key == "indicator" && entry.value.kind == YamlNode::Kind::map) {
      if (ratio == nullptr) put(out, "indicator", threshold_indicator(entry.value, report));
    } else if (entry.key != "objectives") {
      out.entries.push_back(entry);
    }
  }
  if (ratio != nullptr) put(out, "indicator", ratio_indicator(*ratio, report));
  put(out, "objectives", std::move(objectives));
  return out;
}

YamlNode document_of(const YamlNode& node, const YamlNode& spec, const std::string& suffix) {
  YamlNode out = map_at(node);
  for (const YamlEntry& entry : node.entries) {
    if (entry.key == "apiVersion") {
      put(out, "apiVersion", text(entry.value, "openslo/v1"));
    } else if (entry.key == "spec") {
      put(out, "spec", spec);
    } else if (entry.key == "metadata" && !suffix.empty()) {
      YamlNode meta = entry.value;
      for (YamlEntry& field : meta.entries) {
        if (field.key == "name") field.value.text += "-" + suffix;
      }
      put(out, "metadata", std::move(meta));
    } else {
      out.entries.push_back(entry);
    }
  }
  return out;
}

// Objectives with ratioMetrics of their own: a document for each.
std::vector<YamlNode> by_objective(const YamlNode& node, const YamlNode& spec,
                                   const YamlNode& objectives, Reporter& report) {
  std::vector<YamlNode> out;
  for (size_t i = 0; i < objectives.items.size(); ++i) {
    const YamlNode& objective = objectives.items[i];
    YamlNode list = at_place(objective, YamlNode::Kind::sequence);
    list.items.push_back(without(objective, "ratioMetrics"));
    const YamlNode* display = objective.get("displayName");
    std::string suffix;
    if (objectives.items.size() > 1) {
      suffix = display != nullptr && !slug(display->text).empty() ? slug(display->text)
                                                                  : std::to_string(i + 1);
    }
    const YamlNode* ratio = objective.get("ratioMetrics");
    out.push_back(document_of(node, spec_of(spec, std::move(list), ratio, report), suffix));
  }
  return out;
}

}  // namespace

bool is_v1alpha(const YamlNode& document) {
  const YamlNode* version = document.get("apiVersion");
  return version != nullptr && version->text == "openslo/v1alpha";
}

std::vector<YamlNode> convert_v1alpha(const YamlNode& document, Reporter& report) {
  const YamlNode& version = *document.get("apiVersion");
  report.warning(version, "openslo/v1alpha is read as the openslo/v1 that it means",
                 "nines slo export prints it as openslo/v1");
  const YamlNode* spec = document.get("spec");
  const YamlNode* kind = document.get("kind");
  const bool slo = kind != nullptr && kind->text == "SLO" && spec != nullptr;
  if (!slo) return {document_of(document, spec != nullptr ? *spec : map_at(document), {})};
  const YamlNode* objectives = spec->get("objectives");
  const bool ratios =
      objectives != nullptr &&
      std::any_of(objectives->items.begin(), objectives->items.end(),
                  [](const YamlNode& item) { return item.get("ratioMetrics") != nullptr; });
  if (ratios) return by_objective(document, *spec, *objectives, report);
  YamlNode list = objectives != nullptr ? *objectives : at_place(*spec, YamlNode::Kind::null);
  return {document_of(document, spec_of(*spec, std::move(list), nullptr, report), {})};
}

}  // namespace nines::agent::config
