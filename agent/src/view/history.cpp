#include "view/history.hpp"

#include <algorithm>

#include "view/changes_view.hpp"

namespace nines::agent::view {
namespace {

constexpr int64_t kMaxSteps = 200;

bool concerns(const slo::Change& change, const slo::SloSpec& spec) {
  if (!change.slo.empty()) return change.slo == spec.name || change.slo == spec.group_of;
  return change.service.empty() || change.service == spec.service;
}

bool touches(const slo::Change& change, const Span& span) {
  const WallTime from = change.from == WallTime{} ? change.at : change.from;
  const WallTime to = std::max(change.at, change.to);
  return from.seconds() < span.to_s && to.seconds() >= span.from_s;
}

void write_latency(JsonWriter& json, const std::vector<slo::LatencyHour>& hours, const Span& span) {
  json.key("latency").begin_array();
  for (const slo::LatencyHour& one : hours) {
    if (one.at.seconds() + 3600 <= span.from_s || one.at.seconds() >= span.to_s) continue;
    json.begin_object().member("at", one.at).member("count", one.count);
    json.member("p50", one.p50).member("p95", one.p95).member("p99", one.p99).end_object();
  }
  json.end_array();
}

}  // namespace

Span history_span(WallTime now, int64_t length_s) {
  // Multiples of what the tiers still know of a span that long (engine.hpp).
  static constexpr int64_t kSteps[] = {60, 300, 900, 3600, 3 * 3600, 6 * 3600, 12 * 3600};
  const int64_t least = length_s <= 3 * 86400 ? 60 : length_s <= 31 * 86400 ? 300 : 3600;
  Span span;
  for (const int64_t step_s : kSteps) {
    span.step_s = step_s;
    if (step_s >= least && length_s / step_s <= kMaxSteps) break;
  }
  const int64_t steps = std::max<int64_t>(1, length_s / span.step_s);
  span.to_s = (now.seconds() / span.step_s + 1) * span.step_s;
  span.from_s = span.to_s - steps * span.step_s;
  return span;
}

void write_annotations(JsonWriter& json, const std::vector<slo::Change>& changes,
                       const slo::SloSpec& spec, const Span& span) {
  for (const slo::Change& change : changes) {
    if (concerns(change, spec) && touches(change, span)) write_change(json, change);
  }
}

std::string history_json(const slo::SloEngine& engine, uint32_t slo, const Span& span,
                         const std::vector<slo::Change>& changes) {
  const slo::SloSpec& spec = engine.spec(slo);
  std::string out;
  JsonWriter json(out, 2);
  json.begin_object().member("slo", spec.name);
  json.member("from", WallTime::from_s(span.from_s)).member("to", WallTime::from_s(span.to_s));
  json.member("step", format_duration_s(span.step_s));
  json.key("points").begin_array();
  for (int64_t at_s = span.from_s; at_s < span.to_s; at_s += span.step_s) {
    const auto w = engine.events(slo, WallTime::from_s(at_s + span.step_s), span.step_s);
    json.begin_object().member("at", WallTime::from_s(at_s));
    json.member("good", w.good).member("bad", w.bad);
    json.member("covered_s", w.covered_s).end_object();
  }
  json.end_array();
  write_latency(json, engine.latency(slo), span);
  json.key("annotations").begin_array();
  write_annotations(json, changes, spec, span);
  json.end_array().end_object();
  return out += '\n';
}

}  // namespace nines::agent::view
