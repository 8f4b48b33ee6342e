// value: {start: {...}, end: {...}, key: event_id, timeout: 60s} of a thresholdMetric, and groupBy.
#include "config/indicator_metric.hpp"
#include "nines/slo/join.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kMaxTimeout = 3600, kMaxGrace = 600, kMaxPending = 100'000;
constexpr int64_t kMaxGroups = 100;
constexpr const char* kShape = "start: {where: ...}, end: {where: ...}, key: event_id";

}  // namespace

void Indicators::read_join(const YamlNode& value, const std::string& title, Metric& out) {
  const size_t errors = report_.errors();
  slo::JoinSpec join;
  MapReader reader(value, "value of " + title, report_);
  const YamlNode* start = reader.require("start", kShape);
  const YamlNode* end = reader.require("end", kShape);
  std::string key;
  if (const YamlNode* node = reader.find("key")) {
    key = read_expression(*node, "key of " + title, report_).value_or("");
  }
  read_join_limits(reader, title, join);
  reader.finish();
  join.start_key = join.end_key = key;
  out.part = out.spec;
  if (start == nullptr || end == nullptr) return;
  read_join_side(*start, "start of " + title, out.spec, join.start_key);
  read_join_side(*end, "end of " + title, out.part, join.end_key);
  // One source is enough for both.
  if (!names_logs(out.part.source)) out.part.source = out.spec.source;
  if (!names_logs(out.spec.source)) out.spec.source = out.part.source;
  if ((join.start_key.empty() || join.end_key.empty()) && report_.errors() == errors) {
    report_.error(value,
                  "value of " + title + " has no 'key': nothing says which records belong together",
                  "key: event_id, or one each in start and end");
  }
  if (out.spec == out.part && report_.errors() == errors) {
    report_.error(value, "start and end of " + title + " are the same records",
                  "give each a where or logs of its own");
  }
  out.join = std::move(join);
}

// Over what `out` and `key` have already.
bool Indicators::read_join_side(const YamlNode& node, const std::string& title,
                                slo::MetricSpec& out, std::string& key) {
  MapReader reader(node, title, report_);
  if (read_selector(reader, sources_, out.source, report_) && out.source.name.empty()) {
    check_selector(out.source, node, title, report_);
  }
  if (const YamlNode* where = reader.find("where")) {
    out.where = read_expression(*where, "where of " + title, report_).value_or("");
  }
  if (const YamlNode* own = reader.find("key")) {
    key = read_expression(*own, "key of " + title, report_).value_or("");
  }
  reader.finish();
  return reader.is_map();
}

void Indicators::read_join_limits(MapReader& reader, const std::string& title, slo::JoinSpec& out) {
  if (const YamlNode* node = reader.find("timeout")) {
    out.timeout_s = read_duration_s(*node, "timeout of " + title, 1, kMaxTimeout, report_)
                        .value_or(out.timeout_s);
  }
  if (const YamlNode* node = reader.find("grace")) {
    out.grace_s =
        read_duration_s(*node, "grace of " + title, 1, kMaxGrace, report_).value_or(out.grace_s);
  }
  if (const YamlNode* node = reader.find("maxPending")) {
    out.max_pending = read_integer(*node, "maxPending of " + title, 1, kMaxPending, report_)
                          .value_or(out.max_pending);
  }
  if (const YamlNode* node = reader.find("onTimeout")) {
    const auto word = read_choice(*node, "onTimeout of " + title, {"bad", "skip"}, report_);
    out.on_timeout = word == "skip" ? slo::OnTimeout::skip : slo::OnTimeout::bad;
  }
  if (const YamlNode* node = reader.find("uniqueKeys")) {
    out.unique_keys = read_bool(*node, "uniqueKeys of " + title, report_).value_or(false);
  }
}

void Indicators::check_join(const YamlNode& spec, const std::string& title, Metric& out) {
  if (slo::unit_ns(out.unit) == 0) {
    report_.error(
        place_of(spec, "unit"),
        "value of " + title + " is the time between two records, so its unit must be one of time",
        "unit: ms (or ns, us, s, m, h)");
  }
  if (out.group_at != nullptr) {
    report_.error(*out.group_at, "groupBy of " + title + " cannot go with a join",
                  "write one SLO for each group, with a where in start and end");
  }
  for (const char* key : {"where", "onMissing"}) {
    const YamlNode* node = spec.get(key);
    if (node == nullptr) continue;
    report_.error(*node, "'" + std::string(key) + "' has no meaning beside a join in " + title,
                  key[0] == 'w' ? "give start and end a where each" : "use onTimeout in value");
  }
}

// groupBy: EXPRESSION, or {field: EXPRESSION, max: 20, alerts: false}
void Indicators::read_group(const YamlNode& node, const std::string& title, Metric& out) {
  out.group_at = &node;
  out.group.emplace();
  const std::string what = "groupBy of " + title;
  if (node.kind != YamlNode::Kind::map) {
    out.group->by = read_expression(node, what, report_).value_or("");
    return;
  }
  MapReader reader(node, what, report_);
  if (const YamlNode* field = reader.require("field", "field: job_type")) {
    out.group->by = read_expression(*field, "field of " + what, report_).value_or("");
  }
  if (const YamlNode* max = reader.find("max")) {
    out.group->max =
        read_integer(*max, "max of " + what, 1, kMaxGroups, report_).value_or(out.group->max);
  }
  if (const YamlNode* alerts = reader.find("alerts")) {
    out.group->alerts = read_bool(*alerts, "alerts of " + what, report_).value_or(false);
  }
  reader.finish();
}

}  // namespace nines::agent::config
