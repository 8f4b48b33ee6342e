#include "nines/fleet/fleet_view.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "nines/base/int128.hpp"

namespace nines::fleet {
namespace {

constexpr int64_t kMinuteS = 60, kHourS = 3600;
constexpr int64_t kFineWindowS = 3 * kHourS;

int64_t floor_to(int64_t value, int64_t unit) {
  const int64_t rest = value % unit;
  return value - rest - (rest < 0 ? unit : 0);
}

void add(Counts& sum, const Counts& counts) {
  sum.good += counts.good;
  sum.bad += counts.bad;
  sum.covered_s += counts.covered_s;
}

// Start of the first slot in [start, end) that covers anything.
std::optional<int64_t> first_covered(const FleetState& state, std::string_view origin, uint64_t id,
                                     int64_t start_s, int64_t end_s) {
  std::optional<int64_t> first;
  for (const Tier tier : {Tier::hour, Tier::minute}) {
    const int64_t width = slot_seconds(tier);
    state.each_cell(origin, id, tier, start_s / width, end_s / width,
                    [&](int64_t slot, const Counts& counts) {
                      if (counts.covered_s == 0) return;
                      if (!first || slot * width < *first) first = slot * width;
                    });
  }
  return first;
}

int64_t unit_of(int64_t window_s) { return window_s > kFineWindowS ? kHourS : kMinuteS; }

FleetPart part_of(const FleetState& state, const std::string& origin, uint64_t id,
                  const FleetBudget& budget, const ViewOptions& options, WallTime now) {
  FleetPart part;
  part.node = origin;
  const int64_t newest = std::max(state.extent(origin, id, Tier::minute).second * kMinuteS,
                                  state.extent(origin, id, Tier::hour).second * kHourS);
  // The window of a node whose clock is ahead is ahead as well: what it counted is in the budget at
  // once, and in that of all nodes alike.
  const int64_t end = std::max(budget.end.seconds(), newest);
  const int64_t start = floor_to(end - budget.window_s, unit_of(budget.window_s));
  part.counts = counts_between(state, origin, id, start, end);
  if (const auto first = first_covered(state, origin, id, start, end)) {
    const auto possible = static_cast<double>(end - std::max(start, *first));
    part.coverage =
        possible <= 0 ? 0 : std::min(1.0, static_cast<double>(part.counts.covered_s) / possible);
  }
  part.newest = WallTime::from_s(newest);
  part.behind_s = std::max<int64_t>(0, now.seconds() - newest);
  part.stale = part.behind_s > options.stale_after_s;
  return part;
}

// bad / total > 1 - target, exactly.
bool exceeds(const Counts& counts, const Decimal& target) {
  const auto allowed = subtract(Decimal{1, 0}, target);
  const int64_t total = counts.good + counts.bad;
  if (!allowed || total == 0) return false;
  if (allowed->exponent < -18 || allowed->exponent > 0) return false;
  Int128 scale = 1;
  for (int i = allowed->exponent; i < 0; ++i) scale = scale * Int128(10);
  return Int128(counts.bad) * scale > Int128(total) * Int128(allowed->mantissa);
}

void judge(FleetBudget& budget) {
  const int64_t total = budget.counts.good + budget.counts.bad;
  const auto target = Decimal::parse(budget.target);
  if (total == 0 || !target) return;
  budget.sli = static_cast<double>(budget.counts.good) / static_cast<double>(total);
  const double allowed = 1 - target->to_double();
  if (allowed > 0) {
    budget.consumed = static_cast<double>(budget.counts.bad) / static_cast<double>(total) / allowed;
    budget.remaining = 1 - *budget.consumed;
  }
  budget.violated = exceeds(budget.counts, *target);
}

}  // namespace

Counts counts_between(const FleetState& state, std::string_view origin, uint64_t series,
                      int64_t start_s, int64_t end_s) {
  Counts sum;
  std::set<int64_t> hours;  // taken whole
  const int64_t first_hour = -floor_to(-start_s, kHourS) / kHourS;
  state.each_cell(origin, series, Tier::hour, first_hour, floor_to(end_s, kHourS) / kHourS,
                  [&](int64_t hour, const Counts& counts) {
                    hours.insert(hour);
                    add(sum, counts);
                  });
  state.each_cell(origin, series, Tier::minute, -floor_to(-start_s, kMinuteS) / kMinuteS,
                  floor_to(end_s, kMinuteS) / kMinuteS, [&](int64_t minute, const Counts& counts) {
                    if (!hours.contains(floor_to(minute, 60) / 60)) add(sum, counts);
                  });
  return sum;
}

std::vector<FleetBudget> fleet_budgets(const FleetState& state, WallTime now,
                                       const ViewOptions& options) {
  using Key = std::tuple<std::string, std::string, std::string, int64_t>;
  std::map<Key, FleetBudget> budgets;
  const int64_t end = floor_to(now.seconds(), kMinuteS);
  for (const auto& origin : state.origins()) {
    for (const auto& [id, meta] : state.series(origin)) {
      FleetBudget& budget = budgets[{meta.slo, meta.generation, meta.target, meta.window_s}];
      if (budget.parts.empty()) {
        budget.slo = meta.slo;
        budget.generation = meta.generation;
        budget.service = meta.service;
        budget.target = meta.target;
        budget.window_s = meta.window_s;
        budget.start = WallTime::from_s(floor_to(end - meta.window_s, unit_of(meta.window_s)));
        budget.end = WallTime::from_s(end);
      }
      budget.parts.push_back(part_of(state, origin, id, budget, options, now));
      add(budget.counts, budget.parts.back().counts);
      budget.stale_parts += budget.parts.back().stale;
    }
  }
  std::vector<FleetBudget> all;
  for (auto& [key, budget] : budgets) {
    judge(budget);
    all.push_back(std::move(budget));
  }
  return all;
}

}  // namespace nines::fleet
