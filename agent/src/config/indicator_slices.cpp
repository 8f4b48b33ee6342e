// floor: "100/1m", heartbeat: {every: 5m} and onEmpty of a metricSource.spec: what an SLI asks of
// the time slices that its SLO is counted in (budgetingMethod Timeslices or RatioTimeslices).
#include "config/indicator_metric.hpp"
#include "config/time_window.hpp"
#include "nines/base/time.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kMaxFloor = 1'000'000'000, kMinSlice = 60, kMaxSlice = 12 * 3600;

// "100/1m": 100 events a minute.
bool read_floor(const YamlNode& node, const std::string& what, slo::SliceWish& out,
                Reporter& report) {
  const size_t slash = node.text.find('/');
  int64_t events = 0;
  bool digits =
      node.kind == YamlNode::Kind::scalar && slash != std::string::npos && slash > 0 && slash <= 10;
  for (size_t i = 0; digits && i < slash; ++i) {
    digits = node.text[i] >= '0' && node.text[i] <= '9';
    if (digits) events = events * 10 + (node.text[i] - '0');
  }
  const auto per_ms = digits ? parse_duration_ms(node.text.substr(slash + 1)) : std::nullopt;
  if (!per_ms || *per_ms % 1000 != 0 || *per_ms < 1000 || *per_ms > kMaxSlice * 1000 ||
      events < 1 || events > kMaxFloor) {
    report.error(node, what + " must be a number of events in a time, found " + describe(node),
                 "floor: \"100/1m\" (a slice with fewer than 100 events a minute is bad)");
    return false;
  }
  out.floor = events;
  out.floor_per_s = *per_ms / 1000;
  return true;
}

}  // namespace

void Indicators::read_slice_wishes(MapReader& reader, const std::string& title, Metric& out) {
  slo::SliceWish wish;
  const YamlNode* floor = reader.find("floor");
  const YamlNode* heartbeat = reader.find("heartbeat");
  const YamlNode* empty = reader.find("onEmpty");
  const YamlNode* absent = reader.find("absentIsBad");
  for (const YamlNode* node : {floor, heartbeat, empty, absent}) {
    if (node != nullptr && out.slices_at == nullptr) out.slices_at = node;
  }
  if (out.slices_at == nullptr) return;
  if (floor != nullptr) read_floor(*floor, "floor of " + title, wish, report_);
  if (heartbeat != nullptr) {
    MapReader inner(*heartbeat, "heartbeat of " + title, report_);
    if (const YamlNode* every = inner.require("every", "every: 5m")) {
      wish.heartbeat_s =
          read_duration_s(*every, "every of heartbeat of " + title, kMinSlice, kMaxSlice, report_)
              .value_or(0);
    }
    inner.finish();
    wish.on_empty = slo::OnEmpty::bad;
  }
  if (absent != nullptr && read_bool(*absent, "absentIsBad of " + title, report_) == true) {
    wish.on_empty = slo::OnEmpty::bad;
  }
  if (empty != nullptr) {
    const auto word = read_choice(*empty, "onEmpty of " + title, {"good", "bad", "skip"}, report_);
    wish.on_empty = word == "bad"    ? slo::OnEmpty::bad
                    : word == "skip" ? slo::OnEmpty::skip
                                     : slo::OnEmpty::good;
    if (heartbeat != nullptr && word && *word != "bad") {
      report_.error(*empty, "onEmpty: " + *word + " of " + title + " contradicts its heartbeat",
                    "a slice without a heartbeat is bad: leave onEmpty out");
    }
  }
  out.slices = wish;
}

void apply_slice_wishes(const YamlNode& objective, const std::string& title, slo::SloSpec& spec,
                        Reporter& report) {
  if (!spec.indicator.slices) return;
  const slo::SliceWish& wish = *spec.indicator.slices;
  if (spec.budgeting == slo::Budgeting::occurrences) {
    report.error(objective,
                 "the indicator of " + title +
                     " asks for time slices (floor, heartbeat, onEmpty or absentIsBad), but its "
                     "budget is counted in events",
                 "set budgetingMethod: Timeslices and give the objective a timeSliceTarget");
    return;
  }
  if (wish.heartbeat_s > 0) {
    const YamlNode* window = objective.get("timeSliceWindow");
    if (window != nullptr && spec.slices.slice_s != wish.heartbeat_s) {
      report.error(*window,
                   "timeSliceWindow of " + title + " is not the time of its heartbeat (" +
                       format_duration_s(wish.heartbeat_s) + ")",
                   "leave timeSliceWindow out");
    } else if (wish.heartbeat_s % 60 != 0 || wish.heartbeat_s > spec.window_s) {
      report.error(objective, "the heartbeat of " + title +
                                  " must come in whole minutes, at most the window (" +
                                  format_duration_s(spec.window_s) + ")");
    } else {
      spec.slices.slice_s = wish.heartbeat_s;
    }
  }
  // Rounded up: a slice needs no less than its share.
  if (wish.floor > 0) {
    spec.slices.floor =
        (wish.floor * spec.slices.slice_s + wish.floor_per_s - 1) / wish.floor_per_s;
  }
  if (wish.on_empty) spec.slices.on_empty = *wish.on_empty;
}

}  // namespace nines::agent::config
