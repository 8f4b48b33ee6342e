#include "nines/slo/spec.hpp"

#include <algorithm>
#include <string_view>

#include "nines/base/bytes_text.hpp"
#include "nines/slo/burn.hpp"

namespace nines::slo {
namespace {

// FNV-1a over length-prefixed fields (so that "ab","c" differs from "a","bc"), then a final mix.
class Fingerprint {
 public:
  void add(std::string_view text) {
    add(static_cast<uint64_t>(text.size()));
    for (const char c : text) byte(static_cast<uint8_t>(c));
  }
  void add(uint64_t value) {
    for (int i = 0; i < 8; ++i) byte(static_cast<uint8_t>(value >> (8 * i)));
  }

  std::string hex() const {
    uint64_t h = hash_;
    h = (h ^ (h >> 33)) * 0xff51afd7ed558ccdULL;
    h = (h ^ (h >> 33)) * 0xc4ceb9fe1a85ec53ULL;
    h ^= h >> 33;
    return hex_of(h);
  }

 private:
  void byte(uint8_t b) { hash_ = (hash_ ^ b) * 0x100000001b3ULL; }

  uint64_t hash_ = 0xcbf29ce484222325ULL;
};

// The order of globs does not change which files match.
void add_globs(Fingerprint& f, std::vector<std::string> globs) {
  std::sort(globs.begin(), globs.end());
  f.add(static_cast<uint64_t>(globs.size()));
  for (const std::string& glob : globs) f.add(glob);
}

// What later versions brought counts only where it is used, so that history outlives them.
void add_input(Fingerprint& f, const SourceSelector& s) {
  const SourceSelector plain;
  const auto given = [&](std::string_view key, const std::string& value, const std::string& usual) {
    if (value == usual) return;
    f.add(key);
    f.add(value);
  };
  if (s.input != plain.input) f.add(static_cast<uint64_t>(s.input));
  given("multiline", s.multiline, plain.multiline);
  given("start", s.start, plain.start);
  given("url", s.url, plain.url);
  if (!s.k8s_labels.empty()) add_globs(f, s.k8s_labels);
  if (!s.units.empty()) add_globs(f, s.units);
  if (!s.listen.empty()) add_globs(f, s.listen);
}

void add_metric(Fingerprint& f, const MetricSpec& m) {
  f.add(m.source.name);
  add_globs(f, m.source.paths);
  add_globs(f, m.source.exclude);
  f.add(m.source.format);
  f.add(m.source.pattern);
  f.add(m.source.k8s_namespace);
  f.add(m.source.k8s_pod);
  f.add(m.source.k8s_container);
  f.add(static_cast<uint64_t>(static_cast<int64_t>(m.source.utc_offset_s)));
  f.add(m.where);
  add_input(f, m.source);
}

void add_join(Fingerprint& f, const IndicatorSpec& indicator) {
  const JoinSpec& join = *indicator.join;
  f.add("join");
  add_metric(f, indicator.part);
  f.add(join.start_key);
  f.add(join.end_key);
  f.add(indicator.unit);
  f.add(static_cast<uint64_t>(join.timeout_s));
  f.add(static_cast<uint64_t>(join.on_timeout));
}

constexpr int64_t kSlot = 10;

int64_t slots_of(int64_t seconds) { return std::max(kSlot, seconds / kSlot * kSlot); }

}  // namespace

int severity_rank(std::string_view severity) noexcept {
  return severity == "critical" ? 0 : severity == "page" ? 1 : severity == "ticket" ? 2 : 3;
}

int priority_of(std::string_view severity, int tier) noexcept {
  switch (severity_rank(severity)) {
    case 0:
    case 1: return tier <= 1 ? 0 : 1;
    case 2: return tier <= 2 ? 2 : 3;
    default: return 3;
  }
}

std::string_view budgeting_name(Budgeting budgeting) noexcept {
  static constexpr std::string_view kNames[] = {"Occurrences", "Timeslices", "RatioTimeslices"};
  return kNames[static_cast<size_t>(budgeting)];
}

std::string SloSpec::generation() const {
  Fingerprint f;
  f.add("nines-sli-1");
  f.add(static_cast<uint64_t>(indicator.kind));
  add_metric(f, indicator.total);
  if (indicator.kind == SliKind::ratio) {
    add_metric(f, indicator.part);
    f.add(uint64_t{indicator.part_is_bad});
    if (!indicator.count.empty()) f.add(indicator.count);
    if (indicator.independent) f.add("independent");
  } else {
    f.add(indicator.value);
    f.add(static_cast<uint64_t>(indicator.on_missing));
    f.add(static_cast<uint64_t>(op));
    f.add(threshold.to_string());
    if (indicator.join) add_join(f, indicator);
  }
  if (!group_of.empty()) {
    f.add("group");
    f.add(indicator.group->by);
  }
  return f.hex();
}

SloSpec row_of(const SloSpec& whole, std::string_view group) {
  SloSpec row = whole;
  row.group_of = whole.name;
  row.group = group;
  row.name += "{" + row.group + "}";
  if (whole.indicator.group->alerts) return row;
  row.alerts.rules.clear();
  row.forecast.warn_within_s = 0;
  for (BudgetStep& step : row.gate.steps) step.severity.clear();
  return row;
}

int64_t places_of(const SloSpec& spec) {
  return spec.indicator.group ? 2 + spec.indicator.group->max : 1;  // and `other`
}

AlertPolicy default_policy(int64_t window_s, Decimal target) {
  struct Pair {
    const char* name;
    const char* severity;
    int64_t long_share, short_share;  // of the window: 1 / share
    Decimal factor;
  };
  // Factor = budget share spent in `long` * (window / long).
  static constexpr Pair kLong[] = {
      {"fast", "page", 720, 8640, {144, -1}},  //  2 %: 1 h / 5 m of 30 d
      {"medium", "page", 120, 1440, {6, 0}},   //  5 %: 6 h / 30 m
      {"slow", "ticket", 30, 360, {3, 0}},     // 10 %: 24 h / 2 h
      {"drift", "ticket", 10, 120, {1, 0}}};   // 10 %: 3 d / 6 h
  // Below a day these pairs would be seconds long; half the budget is then what is worth a word.
  static constexpr Pair kShort[] = {{"fast", "page", 6, 60, {3, 0}},     // 50 %: 10 m / 1 m of 1 h
                                    {"slow", "ticket", 2, 12, {1, 0}}};  // 50 %: 30 m / 5 m
  AlertPolicy policy;
  const std::optional<Decimal> budget = budget_of(target);
  if (!budget) return policy;
  const auto add_pair = [&](const Pair& p) {
    // The most that can burn is 1 / budget, and burn > factor is strict.
    if (compare_burn({1, 1}, *budget, p.factor) <= 0) return;
    policy.rules.push_back({p.name, p.severity, slots_of(window_s / p.long_share),
                            slots_of(window_s / p.short_share), p.factor});
  };
  if (window_s >= 86400) {
    for (const Pair& p : kLong) add_pair(p);
  } else {
    for (const Pair& p : kShort) add_pair(p);
  }
  return policy;
}

}  // namespace nines::slo
