#include "nines/slo/changes.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "nines/base/utf.hpp"

namespace nines::slo {
namespace {

constexpr std::array<std::string_view, 11> kNames{
    "deploy",        "migration",     "exclusion", "override",    "target_change", "sli_change",
    "policy_change", "manual_action", "note",      "budget_step", "release_watch"};
constexpr size_t kMaxDetailText = 200;  // of one side of "old -> new"

Error wrong(const std::string& what) { return {Errc::invalid_argument, what, 0}; }

Status check_text(std::string_view name, std::string_view text, size_t max) {
  const std::string what(name);
  if (text.size() > max) {
    return wrong(what + " has " + std::to_string(text.size()) + " bytes; at most " +
                 std::to_string(max) + " are kept");
  }
  const bool controls = std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (controls) return wrong(what + " has control characters or line breaks");
  return Ok{};
}

Status check_times(const Change& c, WallTime now, const ChangeLimits& limits) {
  const auto ahead_s = [&](WallTime t) { return t.seconds() - now.seconds(); };
  if (ahead_s(c.at) > limits.max_future_s) {
    return wrong("at (" + format_rfc3339(c.at) + ") lies in the future; now it is " +
                 format_rfc3339(now));
  }
  if (ahead_s(c.at) < -limits.max_past_s) {
    return wrong("at (" + format_rfc3339(c.at) + ") is more than " +
                 format_duration_s(limits.max_past_s) + " ago: no counts are kept from then");
  }
  if ((c.from == WallTime{}) != (c.to == WallTime{})) {
    return wrong("from and to are given together or not at all");
  }
  if (c.from != WallTime{} && c.to <= c.from) return wrong("to does not lie behind from");
  if (c.to != WallTime{} && (ahead_s(c.to) > 366 * 86400 || ahead_s(c.from) < -366 * 86400)) {
    return wrong("from and to must lie within a year of now");
  }
  return Ok{};
}

std::string rule_text(const AlertRule& r) {
  if (r.kind == RuleKind::budget) {
    return r.severity + " above " + r.factor.to_string() + " of the budget for " +
           format_duration_s(r.for_s);
  }
  if (r.kind == RuleKind::threshold) {
    return r.severity + " below " + r.factor.to_string() + " over " + format_duration_s(r.long_s) +
           " for " + format_duration_s(r.for_s);
  }
  return r.severity + " above " + r.factor.to_string() + " over " + format_duration_s(r.long_s) +
         " and " + format_duration_s(r.short_s);
}

void describe_gate(const GatePolicy& g, Details& out) {
  const auto& w = g.composite;
  const auto share = [&](size_t i) {
    return std::to_string(w.parts[i]) + "/" + std::to_string(w.whole);
  };
  out.emplace_back("gate.budget", g.reduce_below.to_string() + " " + g.freeze_below.to_string());
  out.emplace_back("gate.requireSpent", g.require_spent.to_string());
  out.emplace_back("gate.composite", share(0) + " " + share(1) + " " + share(2));
  out.emplace_back("gate.levels", g.observe.to_string() + " " + g.danger.to_string() + " " +
                                      g.freeze_above.to_string());
  out.emplace_back("gate.holdDown", format_duration_s(g.hold_down_s));
  out.emplace_back("gate.onNoData", std::string(on_no_data_name(g.on_no_data)));
  out.emplace_back("gate.override", format_duration_s(g.override_ttl_s) +
                                        (g.override_needs_reason ? " with reason" : ""));
  for (const BudgetStep& step : g.steps) {
    std::string text = "below " + step.remaining_below.to_string();
    if (!step.severity.empty()) text += ", " + step.severity;
    for (const std::string& action : step.actions) text += ", " + action;
    out.emplace_back("step." + step.name, std::move(text));
  }
}

std::string window_text(const SloSpec& spec) {
  if (spec.calendar == nullptr) return format_duration_s(spec.window_s);
  static constexpr std::string_view kUnits[] = {"day", "week", "month"};
  return std::to_string(spec.calendar->count()) + " " +
         std::string(kUnits[static_cast<size_t>(spec.calendar->unit())]) + " of " +
         std::string(spec.calendar->zone().name()) + " from " +
         std::to_string(spec.calendar->anchor_s());
}

void describe_counting(const SloSpec& spec, Details& out) {
  std::string method(budgeting_name(spec.budgeting));
  if (spec.budgeting != Budgeting::occurrences) {
    const SlicePolicy& s = spec.slices;
    method += " " + format_duration_s(s.slice_s) + " " + s.target.to_string() + " " +
              std::to_string(s.floor) + " " + std::to_string(static_cast<int>(s.on_empty));
  }
  out.emplace_back("budgeting", std::move(method));
  out.emplace_back("reservedBudget", spec.reserve.to_string());
  for (const ExclusionSpec& one : spec.exclusions) {
    out.emplace_back("exclusion." + one.name, std::string(effect_name(one.effect)) + " " +
                                                  one.text +
                                                  (one.reason.empty() ? "" : ", " + one.reason));
  }
}

ChangeKind kind_of_key(std::string_view key) {
  if (key.starts_with("exclusion.")) return ChangeKind::exclusion;
  if (key == "target" || key == "window") return ChangeKind::target_change;
  return key == "sli" ? ChangeKind::sli_change : ChangeKind::policy_change;
}

std::string cut(const std::string& text) {
  if (text.size() <= kMaxDetailText) return text;
  return std::string(cut_utf8(text, kMaxDetailText)) + "...";
}

const std::string* find(const Details& details, std::string_view key) {
  for (const auto& [name, value] : details) {
    if (name == key) return &value;
  }
  return nullptr;
}

// "old -> new" for every key that differs.
Details differences(const Details& before, const Details& after) {
  Details out;
  for (const auto& [key, value] : after) {
    const std::string* old = find(before, key);
    if (old == nullptr) out.emplace_back(key, "none -> " + cut(value));
    if (old != nullptr && *old != value) out.emplace_back(key, cut(*old) + " -> " + cut(value));
  }
  for (const auto& [key, value] : before) {
    if (find(after, key) == nullptr) out.emplace_back(key, cut(value) + " -> none");
  }
  return out;
}

std::string pattern_of(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool digit = c >= '0' && c <= '9';
    const char kept = digit ? '#' : c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if ((kept == '#' || kept == ' ') && !out.empty() && out.back() == kept) continue;
    out += kept;
  }
  return out;
}

int64_t minutes_of(const Change& change) {
  const std::string* text = change.detail("minutes");
  const auto minutes = text == nullptr ? std::nullopt : Decimal::parse(*text);
  const bool fine =
      minutes && minutes->exponent == 0 && minutes->mantissa > 0 && minutes->mantissa < 100'000;
  return fine ? minutes->mantissa : 0;
}

}  // namespace

std::string_view change_kind_name(ChangeKind kind) noexcept {
  return kNames[static_cast<size_t>(kind)];
}

std::optional<ChangeKind> change_kind_of(std::string_view name) noexcept {
  const auto found = std::find(kNames.begin(), kNames.end(), name);
  if (found == kNames.end()) return std::nullopt;
  return static_cast<ChangeKind>(found - kNames.begin());
}

bool is_annotation(ChangeKind kind) noexcept {
  return kind == ChangeKind::deploy || kind == ChangeKind::migration ||
         kind == ChangeKind::manual_action || kind == ChangeKind::note;
}

const std::string* Change::detail(std::string_view key) const noexcept {
  return find(details, key);
}

Status check_change(const Change& c, WallTime now, const ChangeLimits& limits) {
  NINES_CHECK(check_text("service", c.service, limits.max_name));
  NINES_CHECK(check_text("slo", c.slo, limits.max_name));
  NINES_CHECK(check_text("who", c.who, limits.max_name));
  NINES_CHECK(check_text("text", c.text, limits.max_text));
  if (c.details.size() > limits.max_details) {
    return wrong("there are " + std::to_string(c.details.size()) + " details; at most " +
                 std::to_string(limits.max_details) + " are kept");
  }
  for (const auto& [key, value] : c.details) {
    if (key.empty()) return wrong("a detail has no key");
    NINES_CHECK(check_text("the key of a detail", key, limits.max_key));
    NINES_CHECK(check_text("detail " + key, value, limits.max_value));
  }
  if ((c.kind == ChangeKind::deploy || c.kind == ChangeKind::migration) && c.service.empty() &&
      c.slo.empty()) {
    return wrong("a " + std::string(change_kind_name(c.kind)) + " names its service");
  }
  return check_times(c, now, limits);
}

Details describe_spec(const SloSpec& spec) {
  Details out;
  out.emplace_back("target", spec.target.to_string());
  out.emplace_back("window", window_text(spec));
  out.emplace_back("sli", spec.generation());
  out.emplace_back("service", spec.service);
  out.emplace_back("tier", std::to_string(spec.tier));
  for (const AlertRule& rule : spec.alerts.rules) {
    out.emplace_back("alert." + rule.name, rule_text(rule));
  }
  const AlertPolicy& a = spec.alerts;
  out.emplace_back("lowTraffic", std::to_string(a.min_bad) + " " + a.significance.to_string() +
                                     (a.high_value ? " high value" : ""));
  out.emplace_back("resolve", a.resolve_ratio.to_string() + " " +
                                  std::to_string(a.resolve_evaluations) + " " +
                                  format_duration_s(a.cooldown_s));
  const DataPolicy& d = spec.data;
  out.emplace_back(
      "data", format_duration_s(d.late_horizon_s) + " " + format_duration_s(d.max_future_skew_s) +
                  " " + d.min_coverage.to_string() + " " + format_duration_s(d.stale_after_s));
  describe_counting(spec, out);
  describe_gate(spec.gate, out);
  return out;
}

std::vector<Change> changes_between(const SloSpec& spec, const Details& before, WallTime at) {
  std::vector<Change> out;
  // A key that an older version did not describe has not changed.
  Details known = describe_spec(spec);
  const bool older = find(before, "target") == nullptr;
  if (older) return out;
  const ChangeLimits limits;
  for (auto& [key, text] : differences(before, known)) {
    const ChangeKind kind = kind_of_key(key);
    auto entry = std::find_if(out.begin(), out.end(), [&](auto& c) { return c.kind == kind; });
    if (entry == out.end()) {
      Change change;
      change.at = at;
      change.kind = kind;
      change.service = spec.service;
      change.slo = spec.name;
      change.who = "configuration";
      entry = out.insert(out.end(), std::move(change));
    }
    if (entry->details.size() < limits.max_details) entry->details.emplace_back(key, text);
  }
  for (Change& change : out) {
    for (const auto& [key, text] : change.details) {
      change.text += (change.text.empty() ? "" : "; ") + key + " " + text;
    }
    if (change.text.size() > limits.max_text / 2) {
      change.text = std::to_string(change.details.size()) + " settings changed";
    }
  }
  return out;
}

std::string encode_details(const Details& details) {
  std::string out;
  for (const auto& [key, value] : details) {
    for (const std::string* part : {&key, &value}) {
      for (const char c : *part) out += c == '\t' || c == '\n' ? ' ' : c;
      out += part == &key ? '\t' : '\n';
    }
  }
  return out;
}

Details decode_details(std::string_view text) {
  Details out;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    const size_t tab = line.find('\t');
    if (tab == std::string_view::npos) continue;
    out.emplace_back(std::string(line.substr(0, tab)), std::string(line.substr(tab + 1)));
  }
  return out;
}

std::vector<ToilItem> toil_inventory(const std::vector<Change>& changes) {
  std::map<std::pair<std::string, std::string>, ToilItem> items;
  for (const Change& c : changes) {
    if (c.kind != ChangeKind::manual_action) continue;
    ToilItem& item = items[{c.service, pattern_of(c.text)}];
    if (item.times == 0) item.first = c.at;
    if (c.at >= item.last) {
      item.last = c.at;
      item.text = c.text;
    }
    item.first = std::min(item.first, c.at);
    item.service = c.service;
    ++item.times;
    item.minutes += minutes_of(c);
  }
  std::vector<ToilItem> out;
  out.reserve(items.size());
  for (auto& [key, item] : items) out.push_back(std::move(item));
  std::stable_sort(out.begin(), out.end(),
                   [](const auto& a, const auto& b) { return a.times > b.times; });
  return out;
}

}  // namespace nines::slo
