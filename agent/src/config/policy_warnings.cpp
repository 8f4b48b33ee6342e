#include "config/policy_warnings.hpp"

#include <algorithm>

#include "nines/base/time.hpp"
#include "nines/slo/burn.hpp"

namespace nines::agent::config {
namespace {

constexpr int64_t kSlot = 10, kMaxWindow = 92 * 86400, kMaxFor = 2 * 3600;
constexpr size_t kMaxDigits = 20;  // of a share: 18 places, a zero and a point

// Between 0 and 1. "99.5" is the usual slip.
std::optional<Decimal> read_below(const YamlNode& node, const std::string& what, Reporter& report) {
  const auto share = read_decimal(node, what, report);
  if (!share) return std::nullopt;
  if (share->to_string().size() <= kMaxDigits && slo::budget_of(*share)) return share;
  const bool percent = *share >= Decimal{1, 0} && *share < Decimal{100, 0};
  const Decimal meant{share->mantissa, share->exponent - 2};
  report.error(node,
               what + " must lie between 0 and 1, with at most 18 places, found " + describe(node),
               percent ? "a share, not a percentage: \"" + meant.to_string() + "\""
                       : "below: \"0.995\" warns below 99.5 %");
  return std::nullopt;
}

std::optional<int64_t> read_slots(const YamlNode& node, const std::string& what, int64_t min_s,
                                  int64_t max_s, Reporter& report) {
  const auto seconds = read_duration_s(node, what, min_s, max_s, report);
  if (!seconds || *seconds % kSlot == 0) return seconds;
  report.error(node, what + " must be a multiple of 10s, found " + describe(node),
               "counts are kept in slots of 10s");
  return std::nullopt;
}

std::string early_name(Decimal below) {
  return "early-" + Decimal{below.mantissa, below.exponent + 2}.to_string();
}

}  // namespace

// {below: "0.995", window: 5m, severity: warning, for: 5m}; the name is early-99.5 unless it has
// one.
std::optional<EarlyWarning> read_early_warning(const YamlNode& node, const std::string& title,
                                               Reporter& report) {
  MapReader reader(node, "an early warning of " + title, report);
  if (!reader.is_map()) return std::nullopt;
  const auto what = [&](const char* key) {
    return "'" + std::string(key) + "' of " + reader.what();
  };
  const YamlNode* below = reader.require("below", "below: \"0.995\"");
  const YamlNode* window = reader.require("window", "window: 5m");
  const YamlNode* severity = reader.require("severity", "critical, page, ticket or warning");
  const YamlNode* held = reader.find("for");
  const YamlNode* name = reader.find("name");
  reader.finish();
  const auto share = below ? read_below(*below, what("below"), report) : std::nullopt;
  const int64_t window_s =
      window ? read_slots(*window, what("window"), kSlot, kMaxWindow, report).value_or(0) : 0;
  const auto word = severity ? read_choice(*severity, what("severity"),
                                           {"critical", "page", "ticket", "warning"}, report)
                             : std::nullopt;
  const int64_t for_s = held ? read_slots(*held, what("for"), 0, kMaxFor, report).value_or(-1) : 0;
  if (!share || window_s == 0 || !word || for_s < 0) return std::nullopt;
  slo::AlertRule rule{early_name(*share),       *word, window_s, window_s, *share,
                      slo::RuleKind::threshold, for_s};
  if (name != nullptr) rule.name = read_text(*name, what("name"), report).value_or("");
  if (rule.name.empty()) return std::nullopt;
  return EarlyWarning{std::move(rule), below};
}

bool fits_early_warning(const slo::SloSpec& spec, const EarlyWarning& warning, Reporter& report) {
  const slo::AlertRule& rule = warning.rule;
  const std::string who = "early warning '" + rule.name + "' of SLO '" + spec.name + "'";
  const bool named = std::any_of(spec.alerts.rules.begin(), spec.alerts.rules.end(),
                                 [&](const auto& other) { return other.name == rule.name; });
  if (named) {
    report.error(*warning.below, who + " is called like another alert",
                 "give it a name of its own");
    return false;
  }
  if (rule.long_s <= spec.window_s) return true;
  report.error(*warning.below,
               who + " looks back " + format_duration_s(rule.long_s) + ", longer than the window " +
                   format_duration_s(spec.window_s),
               "choose a shorter one, in an SLOPolicy of its own with sloRef: " + spec.name);
  return false;
}

}  // namespace nines::agent::config
