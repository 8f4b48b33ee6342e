// What alerts of SLOs are to the incidents: since when it burns, for how long, and when it is back.
#include <algorithm>

#include "incident/desk.hpp"

namespace nines::agent::incident {
namespace {

const std::string kBurning = "burn/";  // and the SLO: key of a condition
constexpr int64_t kSlotNs = slo::kSlotS * kNsPerSecond;
constexpr int64_t kLookBackSlots = 360;
constexpr int64_t kCalmNs = 300 * kNsPerSecond;
constexpr int64_t kAcuteNs = 60 * kNsPerSecond;
constexpr int64_t kMostAcuteNs = 86'400 * kNsPerSecond;  // after a day it is what is usual
constexpr int64_t kOverS = 900;  // calm for so long: what an alert told of is over
constexpr int64_t kLongestPaceS = 3600, kLeastBadInAnHour = 5;
constexpr int64_t kLeastBad = 3;     // events: fewer are no trouble that is back
constexpr double kEnoughToKnow = 5;  // that would be bad; none of 5: 0.7 %
constexpr size_t kMostTroubles = 64;

bool asks_for_page(const std::string& severity) {
  return severity == "page" || severity == "critical";
}

}  // namespace

WallTime onset_of(const slo::SloEngine& engine, uint32_t slo, WallTime fired) {
  std::vector<std::pair<int64_t, int64_t>> slots;  // bad, all; newest first
  int64_t bad = 0, all = 0, recent_bad = 0, recent = 0;
  for (int64_t i = 0; i < kLookBackSlots; ++i) {
    const auto counts = engine.events(slo, {fired.ns - i * kSlotNs}, slo::kSlotS);
    slots.emplace_back(counts.bad, counts.good + counts.bad);
    bad += counts.bad;
    all += counts.good + counts.bad;
    if (recent_bad == 0 || i < 6) {
      recent_bad += counts.bad;
      recent += counts.good + counts.bad;
    }
  }
  if (recent == 0 || all == 0) return fired;
  // Halfway between how it was over the hour and how it is now.
  const double now = static_cast<double>(recent_bad) / static_cast<double>(recent);
  const double before =
      all > recent ? static_cast<double>(bad - recent_bad) / static_cast<double>(all - recent) : 0;
  const double middle = (now + std::min(before, now)) / 2;
  double sum = 0, highest = 0;
  int64_t begin = 0;
  for (size_t i = 0; i < slots.size(); ++i) {
    sum += static_cast<double>(slots[i].first) - middle * static_cast<double>(slots[i].second);
    if (sum <= highest) continue;
    highest = sum;
    begin = static_cast<int64_t>(i);
  }
  return {fired.ns - (begin + 1) * kSlotNs};
}

// One condition an SLO, whichever of its rules fire; the worst of them says how bad.
core::Condition Desk::condition_of(const slo::AlertEvent& event) const {
  core::Condition out;
  out.key = kBurning + event.slo;
  out.kind = core::ConditionKind::burn_rate;
  out.priority = event.priority;
  out.service = event.service;
  out.node = node_;
  out.at = event.at;
  out.since = event.since.ns != 0 ? event.since : event.at;
  out.text = event.summary;
  if (const auto slo = place_of(event.slo)) out.since = onset_of(parts_.engine, *slo, event.at);
  return out;
}

void Desk::fired(const slo::AlertEvent& event, WallTime now) {
  auto& rules = firing_[event.slo];
  core::Condition condition = condition_of(event);
  const auto known = burning_.find(event.slo);
  const bool burns = !rules.empty() && known != burning_.end();
  const bool urgent = asks_for_page(event.severity);
  if (burns && known->second.holds) {
    condition.since = known->second.condition.since;
    condition.priority = std::min(condition.priority, known->second.condition.priority);
  }
  if (rules.empty()) trouble_began(event.slo, condition.since);
  rules[event.rule] = urgent;
  // A slower rule that only now counts what is over.
  if (burns && !known->second.holds && !urgent) return;
  burning_[event.slo] = {condition, true};
  keep(book_.observe(condition, now));
}

void Desk::alerts(const std::vector<slo::AlertEvent>& events, WallTime now) {
  now_ = now;
  for (const slo::AlertEvent& event : events) {
    if (event.kind == slo::AlertEvent::Kind::rows || event.slo.empty()) continue;
    if (event.kind == slo::AlertEvent::Kind::fired) {
      fired(event, now);
      continue;
    }
    auto& rules = firing_[event.slo];
    rules.erase(event.rule);
    if (!rules.empty()) continue;
    firing_.erase(event.slo);
    const auto known = burning_.find(event.slo);
    Burning over = known != burning_.end() ? known->second : Burning{condition_of(event), true};
    if (known != burning_.end()) burning_.erase(known);
    if (!over.holds) continue;
    over.condition.holds = false;
    over.condition.at = event.at;
    over.condition.text = event.summary;
    keep(book_.observe(over.condition, now));
  }
}

std::optional<uint32_t> Desk::place_of(const std::string& slo) const {
  for (uint32_t i = 0; i < parts_.engine.size(); ++i) {
    if (parts_.engine.has(i) && parts_.engine.spec(i).name == slo) return i;
  }
  return std::nullopt;
}

void Desk::trouble_began(const std::string& slo, WallTime at) {
  const auto place = place_of(slo);
  if (!place) return;
  const int64_t since_s = (now_.ns - at.ns) / kSlotNs * slo::kSlotS;
  const auto counts = parts_.engine.events(*place, now_, std::max<int64_t>(slo::kSlotS, since_s));
  const int64_t all = counts.good + counts.bad;
  const double share = all > 0 ? static_cast<double>(counts.bad) / static_cast<double>(all) : 0;
  remember_trouble({slo, share / 2, {at, now_}});
}

void Desk::remember_trouble(Trouble trouble) {
  troubles_.push_back(std::move(trouble));
  if (troubles_.size() <= kMostTroubles) return;
  troubles_.pop_front();
  ++troubles_dropped_;
}

bool Desk::is_urgent(const std::string& slo) const {
  const auto rules = firing_.find(slo);
  return rules != firing_.end() && std::any_of(rules->second.begin(), rules->second.end(),
                                               [](const auto& rule) { return rule.second; });
}

Desk::Trouble* Desk::newest_trouble(const std::string& slo) {
  const auto found = std::find_if(troubles_.rbegin(), troubles_.rend(),
                                  [&](const Trouble& trouble) { return trouble.slo == slo; });
  return found == troubles_.rend() ? nullptr : &*found;
}

// An alert outlasts what it tells of by the length of its windows: a trouble goes on while half as
// much is bad as when it was noticed.
void Desk::watch_troubles(WallTime now) {
  for (uint32_t i = 0; i < parts_.engine.size(); ++i) {
    if (!parts_.engine.has(i)) continue;
    const std::string& slo = parts_.engine.spec(i).name;
    if (!firing_.contains(slo)) continue;
    if (Trouble* const newest = newest_trouble(slo)) watch_trouble(i, *newest, now);
  }
  for (auto& [slo, burning] : burning_) judge_calm(slo, burning, now);
  acute_ = std::any_of(troubles_.begin(), troubles_.end(), [&](const Trouble& trouble) {
    return now.ns - trouble.when.to.ns < kAcuteNs &&
           trouble.when.to.ns - trouble.when.from.ns < kMostAcuteNs;
  });
}

void Desk::watch_trouble(uint32_t place, Trouble& trouble, WallTime now) {
  const auto as_bad = [&](int64_t seconds) {
    const auto seen = parts_.engine.events(place, now, seconds);
    const auto all = static_cast<double>(seen.good + seen.bad);
    const bool is_bad = static_cast<double>(seen.bad) > trouble.share * all;
    return is_bad ? seen.bad : int64_t{0};
  };
  if (now.ns - trouble.when.to.ns < kCalmNs) {
    // One failure in a thin slot is none: the minute around it has to be bad, too.
    if (as_bad(slo::kSlotS) > 0 && as_bad(60) > 0) trouble.when.to = now;
    return;
  }
  for (const int64_t seconds : {slo::kSlotS, int64_t{60}, int64_t{300}}) {
    if (as_bad(seconds) < kLeastBad) continue;
    const WallTime from{now.ns - seconds * kNsPerSecond};
    return trouble_is_back(Trouble{trouble.slo, trouble.share, {from, now}});
  }
}

// At this pace one of the rules that fire would do so again.
bool Desk::burns_on(const std::string& slo, uint32_t place, slo::Ratio pace) const {
  const slo::SloSpec& spec = parts_.engine.spec(place);
  const auto budget = slo::budget_of(spec.target);
  const auto firing = firing_.find(slo);
  if (!budget || pace.total == 0 || firing == firing_.end()) return pace.total == 0;
  return std::any_of(
      spec.alerts.rules.begin(), spec.alerts.rules.end(), [&](const slo::AlertRule& rule) {
        if (!firing->second.contains(rule.name)) return false;
        // What is spent of a budget stays spent: it burns on if it does so faster than it may.
        const bool is_pace = rule.kind == slo::RuleKind::burn;
        return slo::compare_burn(pace, *budget, is_pace ? rule.factor : Decimal{1, 0}) > 0;
      });
}

// Calm is what was seen to be: had it gone on, so many would have failed since that none is no
// chance.
void Desk::judge_calm(const std::string& slo, Burning& burning, WallTime now) {
  const auto place = place_of(slo);
  const Trouble* const trouble = newest_trouble(slo);
  if (!place || trouble == nullptr || is_urgent(slo)) return;
  const int64_t calm_s = (now.ns - trouble->when.to.ns) / kSlotNs * slo::kSlotS;
  if (calm_s < (burning.holds ? kOverS : kLongestPaceS)) return;
  const auto counts = parts_.engine.events(*place, now, std::min(calm_s, kLongestPaceS));
  const slo::Ratio seen{counts.bad, counts.good + counts.bad};
  const bool burns = burns_on(slo, *place, seen);
  if (!burning.holds) {
    // It goes on after all, less badly than it was.
    if (!burns || seen.bad < kLeastBadInAnHour) return;
    const double share = static_cast<double>(seen.bad) / static_cast<double>(seen.total);
    return trouble_is_back(Trouble{slo, share / 2, {onset_of(parts_.engine, *place, now), now}});
  }
  const double would_fail = 2 * trouble->share * static_cast<double>(seen.total);
  if (burns || would_fail < kEnoughToKnow) return;
  burning.holds = false;
  core::Condition over = burning.condition;
  over.holds = false;
  over.at = now;
  over.text = slo + ": " + std::to_string(seen.bad) + " of " + std::to_string(seen.total) +
              " events bad in " + std::to_string(std::min(calm_s, kLongestPaceS) / 60) +
              " minutes; its alert goes on, since it looks back further";
  keep(book_.observe(over, now));
}

// It was calm for a while, although the alert has not ended: whoever is suspected now may be
// another.
void Desk::trouble_is_back(Trouble trouble) {
  for (const core::Incident& incident : book_.list({}, now_)) {
    const bool of_it = std::any_of(incident.conditions.begin(), incident.conditions.end(),
                                   [&](const core::IncidentCondition& one) {
                                     return one.condition.key == kBurning + trouble.slo;
                                   });
    if (incident.over() || !of_it) continue;
    if (parts_.ask) ask_later({incident.id, trouble.when.from, now_, false});
    break;
  }
  const auto burning = burning_.find(trouble.slo);
  if (burning != burning_.end() && !burning->second.holds) {
    burning->second.holds = true;
    core::Condition& condition = burning->second.condition;
    condition.since = trouble.when.from;
    condition.at = now_;
    condition.text = trouble.slo + " burns again, while its alert of before still fires";
    keep(book_.observe(condition, now_));
  }
  remember_trouble(std::move(trouble));
}

// Of an alert that fires on although what it told of was over when the node stopped: it is known,
// and no news.
void Desk::remember_firing(const slo::AlertMemory& memory, const core::Condition& told) {
  if (firing_[memory.slo].empty()) trouble_began(memory.slo, memory.since);
  firing_[memory.slo][memory.rule] = asks_for_page(memory.severity);
  burning_[memory.slo] = {told, false};
}

void Desk::still_firing(const std::vector<slo::AlertMemory>& memory, WallTime now) {
  now_ = now;
  std::vector<slo::AlertEvent> events;
  const auto all = book_.list({}, now);
  for (const slo::AlertMemory& one : memory) {
    if (!one.firing) continue;
    const core::IncidentCondition* told = nullptr;
    for (auto incident = all.rbegin(); incident != all.rend(); ++incident) {
      for (const core::IncidentCondition& known : incident->conditions) {
        if (known.condition.key == kBurning + one.slo) told = &known;
      }
    }
    if (told != nullptr && !told->condition.holds && !asks_for_page(one.severity)) {
      remember_firing(one, told->condition);
      continue;
    }
    slo::AlertEvent event;
    event.slo = one.slo;
    event.service = one.service;
    event.rule = one.rule;
    event.severity = one.severity;
    event.priority = one.priority;
    event.at = event.since = one.since;
    event.summary = one.slo + " was burning when this node stopped, and has not been calm since";
    if (told != nullptr) event.summary = told->condition.text;
    events.push_back(std::move(event));
  }
  alerts(events, now);
}

}  // namespace nines::agent::incident
