#include "nines/slo/engine.hpp"

#include <algorithm>

#include "alerts.hpp"
#include "foresight.hpp"
#include "hourly_sketches.hpp"
#include "nines/slo/burn.hpp"
#include "slo_counts.hpp"

namespace nines::slo {
namespace {

constexpr int64_t kDayS = 86400;
constexpr int64_t kCoverageWindowS = 300;
constexpr int64_t kMaxForS = 2 * 3600;
constexpr int64_t kSlotsPerHour = 3600 / kSlotS;
constexpr Decimal kOne{1, 0};

Error invalid(const SloSpec& spec, const std::string& what) {
  const std::string where = spec.origin.empty() ? "" : spec.origin + ": ";
  return {Errc::invalid_argument, where + "SLO " + spec.name + ": " + what, 0};
}

std::string kind_name(const AlertRule& rule) {
  static constexpr const char* kNames[] = {"burn rule ", "budget rule ", "threshold rule "};
  return kNames[static_cast<size_t>(rule.kind)];
}

Status check_windows(const SloSpec& spec, const AlertRule& rule) {
  const bool has_for = rule.for_s >= 0 && rule.for_s <= kMaxForS && rule.for_s % kSlotS == 0;
  if (rule.kind == RuleKind::budget) {
    if (has_for && rule.long_s == spec.window_s && rule.short_s == spec.window_s) return Ok{};
    return invalid(spec, "budget rule " + rule.name +
                             " needs the window of the SLO and a 'for' of at most 2h, a multiple "
                             "of 10s");
  }
  const auto is_window = [](int64_t s) {
    return s >= kSlotS && s % kSlotS == 0 && s <= 92 * kDayS;
  };
  if (rule.kind == RuleKind::threshold) {
    if (has_for && is_window(rule.long_s) && rule.short_s == rule.long_s) return Ok{};
    return invalid(spec, "threshold rule " + rule.name +
                             " needs a window within 10s..92d and a 'for' of at most 2h, both "
                             "multiples of 10s");
  }
  if (is_window(rule.long_s) && is_window(rule.short_s) && rule.short_s <= rule.long_s) return Ok{};
  return invalid(
      spec, "burn rule " + rule.name + " needs 10s <= short <= long <= 92d, both multiples of 10s");
}

Status check_rule(const SloSpec& spec, const AlertRule& rule, Decimal budget) {
  NINES_CHECK(check_windows(spec, rule));
  if (rule.kind == RuleKind::threshold) {
    if (budget_of(rule.factor) && comparable_factor(spec.alerts.resolve_ratio)) return Ok{};
    return invalid(spec, "threshold rule " + rule.name +
                             " needs an SLI between 0 and 1 with at most 18 decimal places, has " +
                             rule.factor.to_string());
  }
  const auto resolve = multiply(rule.factor, spec.alerts.resolve_ratio);
  if (!comparable_factor(rule.factor) || !resolve || !comparable_factor(*resolve)) {
    return invalid(spec, kind_name(rule) + rule.name + " needs a positive factor, has " +
                             rule.factor.to_string());
  }
  if (compare_burn({1, 1}, budget, rule.factor) < 0) {
    return invalid(spec, kind_name(rule) + rule.name + " can never fire: at target " +
                             spec.target.to_string() + " no burn rate reaches " +
                             rule.factor.to_string() + "; lower the factor or leave the rule out");
  }
  return Ok{};
}

Status check_slices(const SloSpec& spec) {
  if (spec.budgeting == Budgeting::occurrences) return Ok{};
  const SlicePolicy& slices = spec.slices;
  const int64_t s = slices.slice_s;
  if (s < 60 || s > 12 * 3600 || s % 60 != 0) {
    return invalid(
        spec, "a time slice must be 1m to 12h long, in whole minutes, is " + format_duration_s(s));
  }
  if (spec.window_s < s) {
    return invalid(spec, "the window " + format_duration_s(spec.window_s) +
                             " is shorter than a time slice of " + format_duration_s(s));
  }
  const bool fine = slices.target > Decimal{0, 0} && slices.target <= kOne &&
                    slices.target.exponent >= -9 && slices.floor >= 0;
  if (fine) return Ok{};
  return invalid(spec,
                 "the target of a time slice must be above 0, at most 1 and have at most 9 "
                 "decimal places, is " +
                     slices.target.to_string());
}

Status check_reserve(const SloSpec& spec, Decimal budget) {
  const bool used =
      std::any_of(spec.exclusions.begin(), spec.exclusions.end(),
                  [](const ExclusionSpec& e) { return e.effect == ExclusionEffect::reserve; });
  const bool given = spec.reserve > Decimal{0, 0} && spec.reserve < kOne;
  if (!used && spec.reserve.mantissa == 0) return Ok{};
  if (given && multiply(spec.reserve, budget)) return Ok{};
  return invalid(spec,
                 "exclusions with the effect 'reserve' need a reserved share of the budget "
                 "between 0 and 1, it is " +
                     spec.reserve.to_string());
}

Status check_gate(const SloSpec& spec) {
  const GatePolicy& g = spec.gate;
  const Decimal levels[] = {g.observe, g.danger, g.freeze_above};
  for (const Decimal level : levels) {
    if (!comparable_factor(level)) {
      return invalid(spec, "the levels of the gate must be positive, one is " + level.to_string());
    }
  }
  if (g.observe <= g.danger && g.danger <= g.freeze_above) return Ok{};
  return invalid(spec, "the levels of the gate must not fall");
}

Status check(const SloSpec& spec) {
  const auto budget = budget_of(spec.target);
  if (!budget) {
    return invalid(spec, "target must lie between 0 and 1 with at most 18 decimal places, is " +
                             spec.target.to_string());
  }
  if (spec.window_s < 60 || spec.window_s > 92 * kDayS || spec.window_s % kSlotS != 0) {
    return invalid(spec, "window must lie between 1m and 92d and be a multiple of 10s, is " +
                             format_duration_s(spec.window_s));
  }
  const Decimal coverage = spec.data.min_coverage;
  if (coverage.mantissa != 0 && (!comparable_factor(coverage) || coverage > kOne)) {
    return invalid(spec, "min coverage must lie between 0 and 1, is " + coverage.to_string());
  }
  NINES_CHECK(check_slices(spec));
  NINES_CHECK(check_reserve(spec, *budget));
  NINES_CHECK(check_gate(spec));
  for (const AlertRule& rule : spec.alerts.rules) {
    NINES_CHECK(check_rule(spec, rule, *budget));
    const auto twin = std::find_if(spec.alerts.rules.begin(), spec.alerts.rules.end(),
                                   [&](const AlertRule& other) { return other.name == rule.name; });
    if (rule.name == Foresight::kRule && spec.forecast.warn_within_s > 0) {
      return invalid(spec, kind_name(rule) + "is called '" + rule.name +
                               "' like the early warning of the forecast");
    }
    if (&*twin != &rule) return invalid(spec, kind_name(rule) + rule.name + " is there twice");
  }
  return Ok{};
}

std::string window_name(const SloSpec& spec) {
  if (spec.calendar == nullptr) return format_duration_s(spec.window_s);
  static constexpr char kUnits[] = {'d', 'w', 'M'};
  const int count = spec.calendar->count();
  const bool quarters = spec.calendar->unit() == Calendar::Unit::month && count % 3 == 0;
  if (quarters) return std::to_string(count / 3) + "Q";
  return std::to_string(count) + kUnits[static_cast<size_t>(spec.calendar->unit())];
}

// What a composite must be; its parts are looked up by the engine.
Status check_composite(const SloSpec& spec) {
  if (spec.composite.parts.size() > kMaxCompositeParts) {
    return invalid(spec, "more than 64 parts");
  }
  if (!spec.alerts.rules.empty()) return invalid(spec, "alert rules belong to its parts");
  for (const CompositePart& part : spec.composite.parts) {
    if (weight_units(part.weight)) continue;
    return invalid(spec, "the weight of part " + part.slo +
                             " must lie between 0.000000001 and 1000000 with at most 9 decimal "
                             "places, is " +
                             part.weight.to_string());
  }
  return Ok{};
}

struct Slo {
  explicit Slo(SloSpec s)
      : spec(std::move(s)),
        budget(budget_of(spec.target).value_or(kOne)),  // composites have none
        counts(spec, budget),
        alerts(spec, budget),
        foresight(spec),
        frozen(spec.alerts.rules.size()) {
    status.slo = spec.name;
    status.service = spec.service;
    status.tier = spec.tier;
    status.target = spec.target;
    status.window_s = spec.window_s;
    status.draft = spec.draft;
    status.budgeting = spec.budgeting;
    status.window_name = window_name(spec);
    if (spec.calendar != nullptr) status.time_zone = spec.calendar->zone().name();
    status.unit = spec.indicator.unit;
    status.group_of = spec.group_of;
    status.group = spec.group;
    status.policy = spec.gate;
    status.gate.reason = status.release_reason = "CAUTION: nothing was evaluated yet";
    status.burn_5m.window_s = 300;
    status.burn_1h.window_s = 3600;
    status.burn_24h.window_s = kDayS;
    for (const AlertRule& rule : spec.alerts.rules) {
      RuleState& state = status.rules.emplace_back();
      state.rule = rule;
      state.long_window.window_s = rule.long_s;
      state.short_window.window_s = rule.short_s;
    }
  }

  const SloSpec spec;
  const Decimal budget;
  std::vector<const SloStatus*> parts;  // of a composite
  SloCounts counts;
  HourlySketches sketches;
  AlertBook alerts;
  Foresight foresight;
  SloStatus status;
  std::vector<bool> frozen;
  std::optional<int64_t> newest_before;  // newest slot when the batch of this number began
  uint64_t batch = 0;
  const Slo* whole = nullptr;  // of a row: the SLO whose group it counts
  bool evaluated = false;
};

Ratio ratio_of(const BurnWindow& w) { return {w.counts.bad, w.counts.total()}; }

void fill_budget_windows(Slo& slo, RuleState& rule, int64_t end_s) {
  const int64_t before_s = end_s - rule.rule.for_s;
  rule.long_window.counts = slo.status.window;
  rule.short_window.counts = slo.counts.slo_window(before_s);
  for (BurnWindow* w : {&rule.long_window, &rule.short_window}) {
    w->burn = burn_rate(w->counts.spent(), slo.budget);
  }
}

void fill_windows(Slo& slo, int64_t end_s) {
  SloStatus& st = slo.status;
  st.window = slo.counts.slo_window(end_s);
  st.events = slo.spec.budgeting == Budgeting::occurrences ? st.window : slo.counts.events(end_s);
  st.period_end = WallTime::from_s(slo.counts.period_end(end_s).value_or(0));
  st.excluded_by = slo.counts.excluded_by(end_s - 1);
  const bool reserve_exhausted = st.window.reserved_bad > st.window.forgiven;
  std::vector<BurnWindow*> all{&st.burn_5m, &st.burn_1h, &st.burn_24h};
  for (RuleState& rule : st.rules) {
    if (rule.rule.kind == RuleKind::budget) {
      fill_budget_windows(slo, rule, end_s);
      continue;
    }
    all.push_back(&rule.long_window);
    if (rule.rule.kind == RuleKind::burn) {
      all.push_back(&rule.short_window);
      continue;
    }
    rule.short_window.counts =
        slo.counts.window(end_s - rule.rule.for_s, rule.rule.short_s, reserve_exhausted);
    rule.short_window.burn = burn_rate(ratio_of(rule.short_window), slo.budget);
  }
  for (size_t i = 0; i < all.size(); ++i) {
    // Rules mostly share lengths with each other and with the three fixed windows.
    const auto same =
        std::find_if(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(i),
                     [&](const BurnWindow* w) { return w->window_s == all[i]->window_s; });
    if (*same != all[i]) {
      *all[i] = **same;
      continue;
    }
    all[i]->counts = slo.counts.window(end_s, all[i]->window_s, reserve_exhausted);
    all[i]->burn = burn_rate(ratio_of(*all[i]), slo.budget);
  }
}

void fill_budget(Slo& slo) {
  SloStatus& st = slo.status;
  const Ratio window = st.window.spent();
  st.sli.reset();
  if (st.window.total() > 0)
    st.sli = static_cast<double>(st.window.good) / static_cast<double>(st.window.total());
  st.error_budget_consumed.reset();
  st.error_budget_remaining.reset();
  if (slo.counts.ever()) {
    st.error_budget_consumed = burn_rate(window, slo.budget).value_or(0);
    st.error_budget_remaining = 1 - *st.error_budget_consumed;
  }
  const int64_t coverable = slo.counts.coverable_s(st.window);
  st.coverage = coverable == 0 ? 0
                               : std::min(1.0, static_cast<double>(st.window.covered_s) /
                                                   static_cast<double>(coverable));
}

std::array<Ratio, 3> composite_windows(const SloStatus& st) {
  return {ratio_of(st.burn_5m), ratio_of(st.burn_1h), ratio_of(st.burn_24h)};
}

Risk risk_of(const std::array<Ratio, 3>& windows, Decimal budget, const GatePolicy& gate) {
  const auto against = [&](Decimal level) {
    return compare_composite(windows, budget, level, gate.composite);
  };
  if (against(gate.observe) < 0) return Risk::safe;
  if (against(gate.danger) < 0) return Risk::observe;
  return against(gate.freeze_above) <= 0 ? Risk::danger : Risk::freeze;
}

bool no_data(Slo& slo, int64_t end_s, WallTime watermark, WallTime now) {
  if (!slo.counts.ever()) return true;
  if (now.ns - watermark.ns > slo.spec.data.stale_after_s * kNsPerSecond) return true;
  return slo.counts.uncovered(slo.counts.events(end_s, kCoverageWindowS),
                              slo.spec.data.min_coverage);
}

State state_of(const Slo& slo) {
  const SloStatus& st = slo.status;
  const Ratio spent = st.window.spent();
  if (spent.total > 0 && compare_burn(spent, slo.budget, kOne) > 0) {
    return State::violated;
  }
  const bool fires =
      std::any_of(st.rules.begin(), st.rules.end(), [](const RuleState& r) { return r.firing; });
  return fires || st.risk != Risk::safe ? State::degrading : State::healthy;
}

}  // namespace

std::string_view risk_name(Risk risk) noexcept {
  static constexpr std::string_view kNames[] = {"SAFE", "OBSERVE", "DANGER", "FREEZE"};
  return kNames[static_cast<size_t>(risk)];
}

std::string_view state_name(State state) noexcept {
  static constexpr std::string_view kNames[] = {"HEALTHY", "DEGRADING", "VIOLATED", "NO_DATA"};
  return kNames[static_cast<size_t>(state)];
}

struct SloEngine::Impl {
  size_t max_slos;
  std::vector<std::unique_ptr<Slo>> slos;  // null: removed
  std::vector<AlertMemory> orphans;        // firing when saved, configured no more
  Counters counters;
  uint64_t batches = 0;
  std::optional<int64_t> newest_slot;  // of all SLOs
  std::optional<int64_t> watermark_s;  // highest so far

  bool too_far_ahead(const Slo& slo, int64_t slot, const Batch& batch) const;
  void apply_slot(const SlotDelta& delta, const Batch& batch);
  void apply_sketch(const SketchDelta& delta, const Batch& batch);
  void evaluate(Slo& slo, WallTime watermark, WallTime now, bool backwards,
                std::vector<AlertEvent>& out);
  bool goes_backwards(int64_t end_s);
  Slo* find(const std::string& name) const;
  uint32_t place(std::unique_ptr<Slo> slo);
  Result<uint32_t> add_composite(SloSpec spec);
};

Slo* SloEngine::Impl::find(const std::string& name) const {
  const auto found = std::find_if(slos.begin(), slos.end(), [&](const auto& slo) {
    return slo != nullptr && slo->spec.name == name;
  });
  return found == slos.end() ? nullptr : found->get();
}

uint32_t SloEngine::Impl::place(std::unique_ptr<Slo> slo) {
  const auto free = std::find(slos.begin(), slos.end(), nullptr);
  const auto index = static_cast<uint32_t>(free - slos.begin());
  if (free != slos.end()) {
    *free = std::move(slo);
  } else {
    slos.push_back(std::move(slo));
  }
  return index;
}

SloEngine::SloEngine(size_t max_slos) : impl_(new Impl{max_slos, {}, {}, {}, 0, {}, {}}) {}
SloEngine::~SloEngine() = default;
SloEngine::SloEngine(SloEngine&&) noexcept = default;
SloEngine& SloEngine::operator=(SloEngine&&) noexcept = default;

Result<uint32_t> SloEngine::add(SloSpec spec) {
  const auto used = std::count_if(impl_->slos.begin(), impl_->slos.end(),
                                  [](const auto& slo) { return slo != nullptr; });
  if (static_cast<size_t>(used) >= impl_->max_slos) {
    return Error{Errc::exhausted, "more than " + std::to_string(impl_->max_slos) + " SLOs", 0};
  }
  if (impl_->find(spec.name) != nullptr) return invalid(spec, "the name is used twice");
  if (spec.composite.used()) return impl_->add_composite(std::move(spec));
  NINES_CHECK(check(spec));
  auto added = std::make_unique<Slo>(std::move(spec));
  added->whole = impl_->find(added->spec.group_of);
  return impl_->place(std::move(added));
}

void SloEngine::remove(uint32_t slo) {
  NINES_ASSERT(has(slo) && !spec(slo).group_of.empty());
  std::vector<AlertMemory> memory;
  impl_->slos[slo]->alerts.save(memory);
  impl_->slos[slo]->foresight.save(memory);
  impl_->slos[slo].reset();
  restore_alerts(memory);
}

Result<uint32_t> SloEngine::Impl::add_composite(SloSpec spec) {
  NINES_CHECK(check_composite(spec));
  std::vector<const SloStatus*> parts;
  for (const CompositePart& part : spec.composite.parts) {
    const Slo* const found = find(part.slo);
    if (found == nullptr || found->spec.composite.used()) {
      return invalid(spec, "its part " + part.slo + " is not known");
    }
    if (window_name(found->spec) != window_name(spec)) {
      return invalid(spec, "its part " + part.slo + " has another window");
    }
    parts.push_back(&found->status);
  }
  auto added = std::make_unique<Slo>(std::move(spec));
  added->parts = std::move(parts);
  return place(std::move(added));
}

size_t SloEngine::size() const noexcept { return impl_->slos.size(); }

bool SloEngine::has(uint32_t slo) const noexcept {
  return slo < impl_->slos.size() && impl_->slos[slo] != nullptr;
}

const SloSpec& SloEngine::spec(uint32_t slo) const {
  NINES_ASSERT(has(slo));
  return impl_->slos[slo]->spec;
}

bool SloEngine::Impl::too_far_ahead(const Slo& slo, int64_t slot, const Batch& batch) const {
  if (!slo.evaluated || !slo.counts.ever()) return false;
  if (batch.max_event_time != WallTime{} && slot <= slot_of(batch.max_event_time)) return false;
  const int64_t known =
      std::max(newest_slot.value_or(slot), floor_div(watermark_s.value_or(0), kSlotS));
  return slot - known > kDayS / kSlotS;
}

void SloEngine::Impl::apply_slot(const SlotDelta& d, const Batch& batch) {
  const auto events =
      static_cast<uint64_t>(std::abs(d.good)) + static_cast<uint64_t>(std::abs(d.bad));
  if (d.slo >= slos.size() || slos[d.slo] == nullptr) {
    counters.unknown += events;
    return;
  }
  Slo& slo = *slos[d.slo];
  if (too_far_ahead(slo, d.slot, batch)) {
    counters.skewed += events;
    return;
  }
  if (slo.batch != batches) {
    slo.batch = batches;
    slo.newest_before = slo.counts.newest();
    // What is late for the whole is late for its groups, so that they add up.
    const bool with_whole = slo.whole != nullptr && slo.whole->batch == batches;
    if (with_whole) slo.newest_before = std::max(slo.newest_before, slo.whole->newest_before);
  }
  switch (slo.counts.add(d, slo.newest_before, slo.spec.data.late_horizon_s, counters.saturated)) {
    case SloCounts::Fate::kept: break;
    case SloCounts::Fate::late: counters.late += events; break;
    case SloCounts::Fate::dropped: counters.dropped_late += events; break;
  }
  newest_slot = std::max(newest_slot.value_or(d.slot), slo.counts.newest().value_or(d.slot));
}

void SloEngine::Impl::apply_sketch(const SketchDelta& d, const Batch& batch) {
  if (d.slo >= slos.size() || slos[d.slo] == nullptr) return;
  Slo& slo = *slos[d.slo];
  if (!too_far_ahead(slo, d.hour * kSlotsPerHour, batch)) slo.sketches.apply(d);
}

void SloEngine::apply(const Batch& batch) {
  ++impl_->batches;
  for (const SlotDelta& delta : batch.slots) impl_->apply_slot(delta, batch);
  for (const SketchDelta& delta : batch.sketches) impl_->apply_sketch(delta, batch);
  impl_->counters.late += static_cast<uint64_t>(batch.late);
  impl_->counters.dropped_late += static_cast<uint64_t>(batch.dropped_late);
  impl_->counters.skewed += static_cast<uint64_t>(batch.skewed);
}

void SloEngine::Impl::evaluate(Slo& slo, WallTime watermark, WallTime now, bool backwards,
                               std::vector<AlertEvent>& out) {
  SloStatus& st = slo.status;
  const int64_t end_s = floor_div(watermark.seconds(), kSlotS) * kSlotS;
  slo.evaluated = true;
  st.timestamp = now;
  if (slo.spec.composite.used()) {  // its parts were added, and so are evaluated, before it
    return judge_composite(slo.spec.composite, slo.spec.gate, slo.parts, st);
  }
  fill_windows(slo, end_s);
  fill_budget(slo);
  const auto windows = composite_windows(st);
  st.composite_burn_rate = composite_burn(windows, slo.budget, slo.spec.gate.composite);
  st.risk = risk_of(windows, slo.budget, slo.spec.gate);
  slo.sketches.advance(floor_div(end_s - 1, 3600));
  const auto& quantiles = slo.sketches.quantiles();
  st.p50 = quantiles.p50;
  st.p95 = quantiles.p95;
  st.p99 = quantiles.p99;

  const bool blind = no_data(slo, end_s, watermark, now);
  const Decimal share = slo.spec.data.min_coverage;
  for (size_t i = 0; i < st.rules.size(); ++i) {
    const RuleState& rule = st.rules[i];
    slo.frozen[i] = blind || backwards;
    if (rule.rule.kind == RuleKind::budget) continue;
    slo.frozen[i] = slo.frozen[i] || slo.counts.uncovered(rule.long_window.counts, share) ||
                    slo.counts.uncovered(rule.short_window.counts, share);
  }
  slo.alerts.evaluate(st, slo.frozen, WallTime::from_s(end_s), out);
  slo.foresight.update(slo.counts, end_s, blind || backwards, st, out);
  st.state = blind ? State::no_data : state_of(slo);
  const Ratio window = st.window.spent();
  st.release = decide_release(slo.spec.gate, st.risk, st.state, window, slo.budget);
  st.release_reason = release_reason(slo.spec.gate, st.release, st.risk, window, slo.budget);
  st.gate = {};
  st.gate.decision = st.gate.without_override = st.release.decision;
  st.gate.reason = st.release_reason;
  st.budget_step.reset();
  const auto step = step_in_force(slo.spec.gate, window, slo.budget);
  if (step) st.budget_step = slo.spec.gate.steps[*step];
}

bool SloEngine::Impl::goes_backwards(int64_t end_s) {
  const bool corrected = watermark_s && *watermark_s - end_s > 3600;
  if (!watermark_s || end_s >= *watermark_s || corrected) {
    watermark_s = end_s;
    return false;
  }
  return true;
}

void SloEngine::evaluate(WallTime watermark, WallTime now, std::vector<AlertEvent>& transitions) {
  const int64_t end_s = floor_div(watermark.seconds(), kSlotS) * kSlotS;
  const bool backwards = impl_->goes_backwards(end_s);
  for (const AlertMemory& m : impl_->orphans) {
    transitions.push_back(
        {AlertEvent::Kind::resolved, m.slo, m.service, m.rule, m.severity, WallTime::from_s(end_s),
         m.since,
         m.slo + ": rule " + m.rule + " fired when it was last seen and is configured no more.", 0,
         0, m.priority});
  }
  impl_->orphans.clear();
  for (const auto& slo : impl_->slos) {
    if (slo != nullptr) impl_->evaluate(*slo, watermark, now, backwards, transitions);
  }
}

const SloStatus& SloEngine::status(uint32_t slo) const {
  NINES_ASSERT(has(slo));
  return impl_->slos[slo]->status;
}

WindowCounts SloEngine::window(uint32_t slo, WallTime end, int64_t window_s) const {
  NINES_ASSERT(has(slo) && window_s > 0);
  return impl_->slos[slo]->counts.window(floor_div(end.seconds(), kSlotS) * kSlotS, window_s);
}

WindowCounts SloEngine::events(uint32_t slo, WallTime end, int64_t window_s) const {
  NINES_ASSERT(has(slo) && window_s > 0);
  return impl_->slos[slo]->counts.events(floor_div(end.seconds(), kSlotS) * kSlotS, window_s);
}

std::vector<LatencyHour> SloEngine::latency(uint32_t slo) const {
  NINES_ASSERT(has(slo));
  std::vector<LatencyHour> out;
  for (const auto& [hour, count, q] : impl_->slos[slo]->sketches.by_hour()) {
    out.push_back({WallTime::from_s(hour * 3600), count, q.p50.value_or(0), q.p95.value_or(0),
                   q.p99.value_or(0)});
  }
  return out;
}

Forecast SloEngine::forecast(uint32_t index, const ForecastPolicy& policy) const {
  NINES_ASSERT(has(index));
  Slo& slo = *impl_->slos[index];
  return slo.foresight.look(slo.counts, impl_->watermark_s.value_or(0), policy);
}

BacktestReport SloEngine::backtest(uint32_t index) const {
  NINES_ASSERT(has(index));
  Slo& slo = *impl_->slos[index];
  if (slo.spec.calendar != nullptr) {
    BacktestReport report;
    report.calendar = true;
    return report;
  }
  const History history = history_of(slo.counts, slo.spec, impl_->watermark_s.value_or(0));
  return slo::backtest(history.input, history.whole, slo.spec.forecast);
}

std::vector<AlertMemory> SloEngine::save_alerts() const {
  std::vector<AlertMemory> saved = impl_->orphans;
  for (const auto& slo : impl_->slos) {
    if (slo == nullptr) continue;
    slo->alerts.save(saved);
    slo->foresight.save(saved);
  }
  return saved;
}

void SloEngine::restore_alerts(const std::vector<AlertMemory>& saved) {
  for (const AlertMemory& memory : saved) {
    Slo* const slo = impl_->find(memory.slo);
    const bool known =
        slo != nullptr && (slo->alerts.restore(memory) || slo->foresight.restore(memory));
    if (!known && memory.firing) impl_->orphans.push_back(memory);
  }
}

SloEngine::Counters SloEngine::counters() const noexcept { return impl_->counters; }

size_t SloEngine::memory_bytes() const noexcept {
  size_t bytes = 0;
  for (const auto& slo : impl_->slos) {
    if (slo == nullptr) continue;
    bytes += sizeof(Slo) + slo->counts.memory_bytes() + slo->sketches.memory_bytes();
  }
  return bytes;
}

}  // namespace nines::slo
