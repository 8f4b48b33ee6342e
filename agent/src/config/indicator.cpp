#include "config/indicator.hpp"

#include <algorithm>
#include <utility>

#include "config/indicator_metric.hpp"

namespace nines::agent::config {
namespace {
constexpr std::string_view kLogType = "nines.log";
}

void Indicators::read_all() {
  for (const Document* document : documents_.all("DataSource")) {
    data_sources_[document->meta.name] = read_data_source(*document);
  }
  for (const Document* document : documents_.all("SLI")) {
    auto indicator = read(*document->spec, document->title());
    if (indicator) indicator->name = document->meta.name;
    slis_[document->meta.name] = std::move(indicator);
  }
}

Indicators::DataSource Indicators::read_data_source(const Document& document) {
  DataSource source;
  const size_t errors = report_.errors();
  MapReader reader(*document.spec, "spec of " + document.title(), report_);
  check_description(reader, report_);
  const YamlNode* type = reader.require("type", "type: nines.log");
  if (type != nullptr) source.type = read_text(*type, "type", report_).value_or("");
  const YamlNode* details = reader.find("connectionDetails");
  reader.finish();
  if (source.type != kLogType) {
    if (type != nullptr) {
      report_.warning(*type, document.title() + " of type " + describe(*type) + " is not used",
                      "Nines reads type nines.log");
    }
    return source;
  }
  if (details != nullptr) {
    MapReader inner(*details, "connectionDetails of " + document.title(), report_);
    read_selector(inner, sources_, source.selector, report_);
    inner.finish();
    if (source.selector.name.empty()) {
      check_selector(source.selector, *details, document.title(), report_);
    }
  }
  source.usable = report_.errors() == errors;
  return source;
}

std::optional<slo::IndicatorSpec> Indicators::by_ref(const YamlNode& ref,
                                                     const std::string& title) {
  const auto name = read_text(ref, "indicatorRef of " + title, report_);
  if (!name) return std::nullopt;
  const auto found = slis_.find(*name);
  if (found != slis_.end()) return found->second;
  report_.error(ref, title + " refers to SLI '" + *name + "', which does not exist",
                documents_.hint_for("SLI", *name));
  return std::nullopt;
}

std::optional<slo::IndicatorSpec> Indicators::read(const YamlNode& spec, const std::string& title) {
  MapReader reader(spec, "the indicator of " + title, report_);
  check_description(reader, report_);
  const YamlNode* ratio = reader.find("ratioMetric");
  const YamlNode* threshold = reader.find("thresholdMetric");
  reader.finish();
  if (!reader.is_map()) return std::nullopt;
  if ((ratio == nullptr) == (threshold == nullptr)) {
    report_.error(
        ratio != nullptr ? *threshold : spec,
        "the indicator of " + title + " needs ratioMetric or thresholdMetric, and not both");
    return std::nullopt;
  }
  return ratio != nullptr ? read_ratio(*ratio, title) : read_threshold(*threshold, title);
}

std::optional<slo::IndicatorSpec> Indicators::read_ratio(const YamlNode& node,
                                                         const std::string& title) {
  const size_t errors = report_.errors();
  MapReader reader(node, "ratioMetric of " + title, report_);
  if (const YamlNode* counter = reader.find("counter")) {
    read_bool(*counter, "counter", report_);  // says how to read a metrics store; logs have events
  }
  const YamlNode* good = reader.find("good");
  const YamlNode* bad = reader.find("bad");
  const YamlNode* total = reader.find("total");
  const YamlNode* raw = reader.find("raw");
  reader.find("rawType");
  reader.finish();
  if (raw != nullptr) {
    report_.error(*raw,
                  "ratioMetric.raw of " + title + " is unsupported: a ready-made ratio has no " +
                      "events to count",
                  "give good (or bad) and total with a where each");
    return std::nullopt;
  }
  if (!reader.is_map()) return std::nullopt;
  if (total == nullptr || (good == nullptr) == (bad == nullptr)) {
    report_.error(node, "ratioMetric of " + title + " needs total and one of good and bad");
    return std::nullopt;
  }
  Metric all;
  Metric part;
  const bool whole = read_metric(*total, "total of " + title, false, all);
  const bool parted = read_metric(good != nullptr ? *good : *bad,
                                  (good != nullptr ? "good of " : "bad of ") + title, false, part);
  if (!whole || !parted) return std::nullopt;
  // One source is enough for both.
  if (!names_logs(part.spec.source)) part.spec.source = all.spec.source;
  if (!names_logs(all.spec.source)) all.spec.source = part.spec.source;
  if (!names_logs(all.spec.source)) report_no_source(*all.at, title);
  if (all.count != part.count) {
    report_.error(node, "ratioMetric of " + title + " counts its two parts differently",
                  "give both the same count, or none");
  }
  if (part.group && part.group != all.group) {
    report_.error(*part.group_at, "groupBy of " + title + " stands in only one of its two parts",
                  "give it to total");
  }
  if (part.slices && part.slices != all.slices) {
    report_.error(*part.slices_at,
                  "what " + title + " asks of its time slices stands in only one of its two parts",
                  "floor, heartbeat and onEmpty belong to total");
  }
  if (report_.errors() != errors) return std::nullopt;
  slo::IndicatorSpec indicator;
  indicator.kind = slo::SliKind::ratio;
  indicator.slices = all.slices;
  indicator.group = std::move(all.group);
  indicator.count = std::move(all.count);
  indicator.total = std::move(all.spec);
  indicator.part = std::move(part.spec);
  indicator.part_is_bad = bad != nullptr;
  indicator.independent = part.independent;
  return indicator;
}

std::optional<slo::IndicatorSpec> Indicators::read_threshold(const YamlNode& node,
                                                             const std::string& title) {
  const size_t errors = report_.errors();
  Metric metric;
  if (!read_metric(node, "thresholdMetric of " + title, true, metric)) return std::nullopt;
  if (!names_logs(metric.spec.source)) report_no_source(*metric.at, title);
  if (metric.value.empty() && !metric.join && report_.errors() == errors) {
    report_.error(*metric.at, "thresholdMetric of " + title + " has no 'value'",
                  "name the field that is measured, for example value: duration_ms");
  }
  if (report_.errors() != errors) return std::nullopt;
  slo::IndicatorSpec indicator;
  indicator.kind = slo::SliKind::threshold;
  indicator.total = std::move(metric.spec);
  indicator.value = std::move(metric.value);
  indicator.unit = std::move(metric.unit);
  indicator.on_missing = metric.on_missing;
  indicator.join = std::move(metric.join);
  indicator.group = std::move(metric.group);
  indicator.slices = metric.slices;
  indicator.part = std::move(metric.part);
  return indicator;
}

bool Indicators::read_metric(const YamlNode& holder, const std::string& title, bool threshold,
                             Metric& out) {
  const size_t errors = report_.errors();
  MapReader outer(holder, title, report_);
  const YamlNode* source = outer.require("metricSource");
  outer.finish();
  if (source == nullptr) return false;
  MapReader reader(*source, "metricSource of " + title, report_);
  const YamlNode* ref = reader.find("metricSourceRef");
  const YamlNode* type = reader.find("type");
  const YamlNode* spec = reader.find("spec");
  reader.finish();
  if (!reader.is_map()) return false;
  out.at = spec != nullptr ? spec : source;
  if (type != nullptr && type->text != kLogType) {
    report_.error(
        *type, title + " has metricSource type " + describe(*type) + ", which Nines does not read",
        type->text == "Prometheus" || type->text == "prometheus"
            ? "type: nines.log with scrape: {url: ...} counts exposed metrics; nines slo import "
              "translates Sloth's and Pyrra's queries"
            : "logs are type: nines.log");
    return false;
  }
  if (type == nullptr && ref == nullptr) {
    report_.error(*source, "metricSource of " + title + " has no 'type' (and no metricSourceRef)",
                  "type: nines.log");
  }
  if (ref != nullptr && !start_from_ref(*ref, out)) return false;
  if (spec != nullptr) read_spec(*spec, title, threshold, out);
  return report_.errors() == errors;
}

bool Indicators::start_from_ref(const YamlNode& ref, Metric& out) {
  const auto name = read_text(ref, "metricSourceRef", report_);
  if (!name) return false;
  const auto found = data_sources_.find(*name);
  if (found == data_sources_.end()) {
    report_.error(ref, "metricSourceRef '" + *name + "' names no DataSource",
                  documents_.hint_for("DataSource", *name));
    return false;
  }
  const DataSource& source = found->second;
  if (!source.type.empty() && source.type != kLogType) {
    report_.error(
        ref, "DataSource '" + *name + "' has type '" + source.type + "', which Nines does not read",
        "logs are type: nines.log");
  }
  out.spec.source = source.selector;
  return source.usable;
}

void Indicators::read_spec(const YamlNode& spec, const std::string& title, bool threshold,
                           Metric& out) {
  MapReader reader(spec, "spec of " + title, report_);
  if (read_selector(reader, sources_, out.spec.source, report_) && out.spec.source.name.empty()) {
    check_selector(out.spec.source, spec, title, report_);
  }
  if (const YamlNode* where = reader.find("where")) {
    const bool given = where->kind != YamlNode::Kind::scalar || !where->text.empty();
    if (given) out.spec.where = read_expression(*where, "where of " + title, report_).value_or("");
  }
  if (const YamlNode* group = reader.find("groupBy")) read_group(*group, title, out);
  read_slice_wishes(reader, title, out);
  if (threshold) {
    const YamlNode* value = reader.find("value");
    if (value != nullptr && value->kind == YamlNode::Kind::map) {
      read_join(*value, title, out);
    } else if (value != nullptr) {
      out.value = read_expression(*value, "value of " + title, report_).value_or("");
    }
    if (const YamlNode* unit = reader.find("unit")) {
      out.unit = read_text(*unit, "unit of " + title, report_).value_or("");
    }
    if (const YamlNode* missing = reader.find("onMissing")) {
      const auto word = read_choice(*missing, "onMissing of " + title, {"skip", "bad"}, report_);
      out.on_missing = word == "bad" ? slo::OnMissing::bad : slo::OnMissing::skip;
    }
    if (out.join) check_join(spec, title, out);
  } else {
    if (const YamlNode* independent = reader.find("independent")) {
      out.independent = read_bool(*independent, "independent of " + title, report_).value_or(false);
    }
    if (const YamlNode* count = reader.find("count")) {
      out.count = read_expression(*count, "count of " + title, report_).value_or("");
    }
    for (const std::string_view key : {"value", "unit", "onMissing"}) {
      if (const YamlNode* node = spec.get(key)) {
        report_.error(*node, "'" + std::string(key) + "' has no meaning in " + title,
                      "it belongs to a thresholdMetric");
        reader.find(key);
      }
    }
  }
  reader.finish();
}

void Indicators::report_no_source(const YamlNode& at, const std::string& title) {
  std::vector<std::string_view> names;
  for (const auto& source : sources_) names.push_back(source.name);
  report_.error(at, title + " has no source: nothing says which logs to read",
                "add paths: [GLOB...], kubernetes: {...} or source: NAME to metricSource.spec" +
                    (names.empty() ? std::string() : " (sources: " + join(names) + ")"));
}

}  // namespace nines::agent::config
