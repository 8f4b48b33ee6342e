#include "nines/slo/draft.hpp"

#include <cctype>

namespace nines::slo {
namespace {

constexpr int64_t kWindowS = 30 * 86400;

// OpenSLO names are DNS labels.
std::string label(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (std::isalnum(u) != 0) {
      out += static_cast<char>(std::tolower(u));
    } else if (!out.empty() && out.back() != '-') {
      out += '-';
    }
  }
  while (!out.empty() && out.back() == '-') out.pop_back();
  if (out.size() > 48) out.resize(48);
  return out.empty() ? "service" : out;
}

SloSpec base(const LogSignals& signals, const std::string& what, Decimal target) {
  SloSpec spec;
  spec.service = signals.service;
  spec.name = label(signals.service) + "-" + what;
  spec.target = target;
  spec.window_s = kWindowS;
  spec.draft = true;
  spec.indicator.name = spec.name;
  spec.indicator.total.source = signals.selector;
  spec.alerts = default_policy(spec.window_s, spec.target);
  spec.forecast = default_forecast(spec.window_s);
  return spec;
}

bool common(uint64_t count, const LogSignals& signals) {
  return count > 0 && count * 10 >= signals.lines;
}

}  // namespace

const std::vector<std::string>& duration_fields() {
  static const std::vector<std::string> kFields = {
      "duration_ms",     "latency_ms", "elapsed_ms",   "response_time_ms",
      "request_time_ms", "took_ms",    "time_ms",      "responseTime",
      "duration_us",     "latency_us", "elapsed_us",   "duration_ns",
      "latency_ns",      "duration_s", "request_time", "latency_s"};
  return kFields;
}

std::string duration_expression(const std::string& field) {
  const auto ends = [&](std::string_view tail) {
    return field.size() >= tail.size() &&
           field.compare(field.size() - tail.size(), tail.size(), tail) == 0;
  };
  if (ends("_ms") || field == "responseTime") return field;
  if (ends("_us")) return field + " * 0.001";
  if (ends("_ns")) return field + " * 0.000001";
  if (ends("_s") || field == "request_time") return field + " * 1000";
  return {};
}

std::vector<SloSpec> draft_slos(const LogSignals& signals) {
  std::vector<SloSpec> out;
  if (common(signals.with_status, signals)) {
    SloSpec spec = base(signals, "availability", {999, -3});
    spec.description =
        "Draft: 99.9 % of requests are answered without a server error (status below 500)";
    spec.indicator.total.where = "status IS NOT NULL";
    spec.indicator.part = {signals.selector, "status < 500"};
    out.push_back(std::move(spec));
  }
  if (common(signals.with_duration, signals)) {
    SloSpec spec = base(signals, "latency", {95, -2});
    spec.description = "Draft: 95 % of requests are answered within 500 ms";
    spec.indicator.kind = SliKind::threshold;
    spec.indicator.value = duration_expression(signals.duration_field);
    spec.indicator.unit = "ms";
    spec.op = CompareOp::lte;
    spec.threshold = {500, 0};
    out.push_back(std::move(spec));
  }
  if (common(signals.with_level, signals) && !common(signals.with_status, signals)) {
    SloSpec spec = base(signals, "errors", {99, -2});
    spec.description = "Draft: at most 1 % of the log records are errors (level ERROR and above)";
    spec.indicator.total.where = "level IS NOT NULL";
    spec.indicator.part = {signals.selector, "level >= 'ERROR'"};
    spec.indicator.part_is_bad = true;
    out.push_back(std::move(spec));
  }
  return out;
}

}  // namespace nines::slo
