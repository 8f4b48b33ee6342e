// Conditions become events: which incident they belong to, what is held back, what flaps.
#include <algorithm>

#include "incident/incident_book_impl.hpp"
#include "incident/incident_parts.hpp"
#include "incident/text.hpp"

namespace nines::incident {
namespace {

constexpr int kSamples = 20;  // changes between the last 21 states
constexpr int64_t kForgetNs = 3600 * kNsPerSecond;

// Nagios' percentage: a change now weighs half as much again (1.2 : 0.8) as the oldest.
double flapping_share(uint32_t changed) {
  double share = 0;
  for (int i = 0; i < kSamples; ++i) {
    if ((changed >> i & 1U) != 0) share += 1.2 - 0.4 * i / (kSamples - 1);
  }
  return share / kSamples;
}

bool same_node(const Condition& a, const Condition& b) {
  const bool of_node = a.service.empty() || b.service.empty();
  return of_node && !a.node.empty() && a.node == b.node;
}

}  // namespace

// Whether `c`, that begins at `t`, belongs to the trouble of the incident.
bool IncidentBook::Impl::related(const Incident& incident, const Condition& c, WallTime t) const {
  for (const IncidentCondition& other : incident.conditions) {
    const Condition& x = other.condition;
    const bool holds = fold.holds(other, t);
    const int64_t distance = std::abs(t.ns - other.began.ns);
    const bool near = distance <= rules.group_s * kNsPerSecond;
    if (holds && x.kind == ConditionKind::node_silent && c.kind == ConditionKind::service_silent &&
        !c.node.empty() && c.node == x.node) {
      return true;
    }
    if (holds && topology.depends(c.service, x.service)) return true;
    if ((holds || near) && !c.service.empty() && c.service == x.service) return true;
    if (near && (same_node(c, x) || topology.connected(c.service, x.service))) return true;
  }
  return false;
}

// An incident that was over by itself a moment ago, of which `c` may be the return: who depends on
// what failed then often tells sooner than what fails.
bool IncidentBook::Impl::returns_to(size_t at, const Condition& c, WallTime now) const {
  const auto brief = fold.brief(at, now);
  if (brief.state != State::resolved || !brief.itself || c.service.empty()) return false;
  if (now.ns - brief.resolved.ns > rules.reopen_s * kNsPerSecond) return false;
  const auto& conditions = fold.tracks()[at].incident.conditions;
  return std::any_of(conditions.begin(), conditions.end(), [&](const IncidentCondition& other) {
    const std::string& service = other.condition.service;
    return c.service == service || topology.connected(c.service, service);
  });
}

size_t IncidentBook::Impl::place(const Condition& c, WallTime now) const {
  refold();
  const size_t known = fold.of_condition(c.key, now);
  if (known != kNone) return known;
  for (const size_t at : roots()) {
    if (fold.brief(at, now).state == State::resolved) continue;
    if (related(fold.tracks()[at].incident, c, now)) return at;
  }
  for (const size_t at : roots()) {
    if (returns_to(at, c, now)) return at;
  }
  return kNone;
}

bool IncidentBook::Impl::is_waiting_for(const Condition& c, WallTime now) const {
  const auto suspected = [&](std::string_view name) {
    const auto found = suspects.find(name);
    return found != suspects.end() && found->second > now;
  };
  if (c.kind == ConditionKind::service_silent && !c.node.empty() && suspected(c.node)) return true;
  if (c.service.empty()) return false;
  const auto callees = topology.callees(c.service);
  return std::any_of(callees.begin(), callees.end(), [&](const std::string& callee) {
    if (suspected(callee)) return true;
    return std::any_of(locals.begin(), locals.end(), [&](const auto& entry) {
      return entry.second.waiting && entry.second.condition.service == callee;
    });
  });
}

void IncidentBook::Impl::say(Local& local, size_t at, bool again, WallTime now, Events& out) {
  IncidentEvent event;
  event.kind = EventKind::condition_began;
  event.key = local.condition.key;
  event.text = local.condition.text;
  event.details = condition_details(local.condition);
  if (again) event.details.emplace_back("again", "1");
  local.waiting = false;
  auto written = write(std::move(event), at, now);
  if (!written) return;  // no room: counted, and said again by the next tick
  local.said = true;
  local.said_at = now;
  out.push_back(std::move(*written));
}

// It holds: joins, waits, or opens.
void IncidentBook::Impl::begin(Local& local, WallTime now, Events& out) {
  const size_t at = place(local.condition, now);
  if (at != kNone) {
    ++counters.joined;
    return say(local, at, false, now, out);
  }
  if (!local.waiting) local.held_since = now;
  const bool patient = now.ns - local.held_since.ns < rules.hold_back_s * kNsPerSecond;
  if (patient && is_waiting_for(local.condition, now)) {
    counters.held_back += local.waiting ? 0U : 1U;
    local.waiting = true;
    return;
  }
  say(local, kNone, false, now, out);
  if (local.said) ++counters.opened;
}

void IncidentBook::Impl::end(Local& local, std::string_view text, WallTime now, Events& out) {
  refold();
  size_t at = fold.of_condition(local.condition.key, now);
  IncidentEvent event;
  event.kind = EventKind::condition_ended;
  event.key = local.condition.key;
  event.text = text;
  event.details = {{"condition", local.condition.key}};
  auto written = write(std::move(event), at, now);
  if (!written) return;
  local.said = false;
  out.push_back(std::move(*written));
}

IncidentBook::Impl::Local* IncidentBook::Impl::watch(const Condition& c, WallTime now) {
  const auto known = locals.find(c.key);
  if (known != locals.end()) return &known->second;
  refold();
  Local local;
  local.condition = c;
  local.sampled = now;
  // What an earlier life of this node said.
  const size_t at = fold.of_condition(c.key, now);
  if (at != kNone) {
    for (const IncidentCondition& has : fold.tracks()[at].incident.conditions) {
      if (has.condition.key != c.key) continue;
      for (const auto& o : has.observers) {
        if (o.node != identity.node || o.ended != WallTime{}) continue;
        local.said = true;
        local.holds = true;
        local.said_at = o.told;
      }
    }
  }
  if (!c.holds && !local.said) return nullptr;
  if (locals.size() >= limits.max_observed) {
    ++counters.unobserved;
    return nullptr;
  }
  return &locals.emplace(c.key, std::move(local)).first->second;
}

IncidentBook::Events IncidentBook::observe(const Condition& given, WallTime now) {
  Events out;
  Impl& m = *impl_;
  Condition c = given;
  c.key = short_name(c.key, kMaxEventKey);
  c.priority = std::clamp(c.priority, 0, 3);
  if (c.since <= WallTime{} || c.since > now) c.since = now;
  if (c.key.empty()) {
    ++m.counters.invalid;
    return out;
  }
  Impl::Local* local = m.watch(c, now);
  if (local == nullptr) return out;
  local->seen = now;
  if (c.holds != local->holds) ++local->toggles;
  if (!c.holds) {
    m.counters.held_over += local->waiting ? 1U : 0U;
    local->waiting = local->holds = false;
    if (local->said && !local->flapping) m.end(*local, c.text, now, out);
    return out;
  }
  const bool worse = c.priority < local->condition.priority;
  if (local->holds) c.since = std::min(c.since, local->condition.since);
  local->condition = c;
  local->holds = true;
  if (!local->said) {
    m.begin(*local, now, out);
  } else if (worse) {
    m.say(*local, m.place(c, now), false, now, out);
  }
  return out;
}

void IncidentBook::Impl::sample(Local& local, WallTime now, Events& out) {
  const int64_t step = rules.flap_sample_s * kNsPerSecond;
  const int64_t passed = (now.ns - local.sampled.ns) / step;
  if (passed <= 0) return;
  local.sampled.ns += passed * step;
  constexpr uint32_t kMask = (1U << kSamples) - 1;
  local.changed = passed > kSamples ? 0 : (local.changed << passed) & kMask;
  local.changed |= local.toggles > 0 ? 1U : 0U;
  local.toggles = 0;
  const double share = flapping_share(local.changed);
  if (!local.flapping && share >= rules.flap_start) {
    local.flapping = true;
    ++counters.flapping;
    if (!local.said) begin(local, now, out);
  } else if (local.flapping && share < rules.flap_stop) {
    local.flapping = false;
    if (!local.holds && local.said) end(local, "steady again after flapping", now, out);
  }
}

// Conditions of an earlier life of this node that nobody has seen since.
void IncidentBook::Impl::settle_own(WallTime now, Events& out) {
  if (started == WallTime{}) started = now;
  if (settled || now.ns - started.ns < rules.settle_s * kNsPerSecond) return;
  settled = true;
  std::vector<Local> gone;
  for (const size_t at : roots()) {
    if (fold.brief(at, now).state == State::resolved) continue;
    for (const IncidentCondition& c : fold.tracks()[at].incident.conditions) {
      const bool ours = std::any_of(c.observers.begin(), c.observers.end(), [&](const auto& o) {
        return o.node == identity.node && o.ended == WallTime{};
      });
      if (!ours || locals.contains(c.condition.key)) continue;
      gone.emplace_back().condition = c.condition;
    }
  }
  for (Local& local : gone) end(local, "not seen again since this node started", now, out);
}

// Two that were opened apart and would have been one.
bool IncidentBook::Impl::apart(size_t a, size_t b, WallTime now) const {
  const Incident &first = fold.tracks()[a].incident, &second = fold.tracks()[b].incident;
  if (first.opened_on != identity.node && second.opened_on != identity.node) return false;
  return std::any_of(second.conditions.begin(), second.conditions.end(), [&](const auto& c) {
    return fold.holds(c, now) && related(first, c.condition, c.began);
  });
}

void IncidentBook::Impl::link_apart(WallTime now, Events& out) {
  constexpr size_t kMost = 64;  // open ones that are compared
  std::vector<size_t> open;
  for (const size_t at : roots()) {
    if (fold.brief(at, now).state != State::resolved) open.push_back(at);
  }
  if (open.size() > kMost) open.erase(open.begin(), open.end() - static_cast<int>(kMost));
  for (size_t b = 1; b < open.size(); ++b) {
    for (size_t a = 0; a < b; ++a) {
      if (!apart(open[a], open[b], now)) continue;
      const Incident& other = fold.tracks()[open[b]].incident;
      IncidentEvent event;
      event.kind = EventKind::linked;
      event.text = "One with " + fold.id(open[b]) + ": they began together on connected services";
      event.details = {{"with", other.key}, {"with_opened", std::to_string(other.opened.ns)}};
      if (auto written = write(std::move(event), open[a], now, open[b])) {
        ++counters.linked;
        out.push_back(std::move(*written));
      }
      return;  // the others are looked at anew by the next tick
    }
  }
}

IncidentBook::Events IncidentBook::tick(WallTime now) {
  Events out;
  Impl& m = *impl_;
  m.refold();
  std::erase_if(m.suspects, [&](const auto& s) { return s.second <= now; });
  for (auto& [key, local] : m.locals) {
    m.sample(local, now, out);
    const bool unsaid = local.holds && !local.said;
    if (unsaid) m.begin(local, now, out);
    const bool stays = local.said && (local.holds || local.flapping);
    if (stays && now.ns - local.said_at.ns >= m.rules.repeat_s * kNsPerSecond) {
      m.say(local, m.place(local.condition, now), true, now, out);
    }
  }
  std::erase_if(m.locals, [&](const auto& entry) {
    const Impl::Local& l = entry.second;
    return !l.holds && !l.said && !l.flapping && now.ns - l.seen.ns > kForgetNs;
  });
  m.settle_own(now, out);
  m.link_apart(now, out);
  m.prune(now);
  return out;
}

void IncidentBook::suspect(std::string_view name, WallTime until) {
  const auto known = impl_->suspects.find(name);
  if (known != impl_->suspects.end()) {
    known->second = std::max(known->second, until);
  } else if (impl_->suspects.size() < Impl::kMaxSuspects) {
    impl_->suspects.emplace(std::string(name), until);
  }
}

}  // namespace nines::incident
