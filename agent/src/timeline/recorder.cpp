#include "timeline/recorder.hpp"

#include <algorithm>
#include <cstdlib>

namespace nines::agent::timeline {
namespace {

constexpr int64_t kHourNs = 3600 * kNsPerSecond;
constexpr std::string_view kBurning =
    "burn/";  // and the SLO: condition of an alert, as Desk has it

std::string seconds_of(int64_t ns) {
  const int64_t ms = std::abs(ns / kNsPerMs);
  return std::to_string(ms / 1000) + "." + std::to_string(ms % 1000 / 100) + " s";
}

}  // namespace

Recorder::Recorder(std::string node, EventLog& log, Publish publish, RecorderLimits limits)
    : node_(std::move(node)), log_(log), publish_(std::move(publish)), limits_(limits) {
  for (const core::TimelineEvent& event : log_.events()) remember(event);
}

// What the next ones depend on.
void Recorder::remember(const core::TimelineEvent& event) {
  if (!event.incident.empty() && !event.key.empty()) {
    const auto [known, fresh] = incidents_.try_emplace(event.incident, event.key);
    // What came back is about what brought it back.
    if (!fresh && event.kind == core::EventKind::state) known->second = event.key;
    // Ids begin with their day.
    if (incidents_.size() > limits_.max_incidents) incidents_.erase(incidents_.begin());
  }
  if (event.node != node_) return;
  if (const std::string* ref = field_of(event, kRef)) {
    if (refs_.insert(*ref).second) refs_by_age_.push_back(*ref);
    if (refs_by_age_.size() > limits_.max_refs) {
      refs_.erase(refs_by_age_.front());
      refs_by_age_.pop_front();
    }
  }
  const std::string* const slo = field_of(event, kSlo);
  if (const std::string* state = field_of(event, kState); slo != nullptr && state != nullptr) {
    states_[*slo] = *state;
  }
  if (const std::string* rule = field_of(event, kRule); slo != nullptr && rule != nullptr) {
    auto& rules = firing_[*slo];
    std::erase_if(rules, [&](const auto& one) { return one.first == *rule; });
    if (event.kind == core::EventKind::alert) rules.emplace_back(*rule, event.key);
    if (rules.empty()) firing_.erase(*slo);
  }
  if (const std::string* condition = field_of(event, kCondition)) {
    if (event.kind == core::EventKind::resolved) {
      holding_.erase(*condition);
    } else {
      holding_[*condition] = {event.key, event.at};
    }
  }
}

bool Recorder::is_new(const core::TimelineEvent& event) {
  const std::string* const ref = field_of(event, kRef);
  if (ref == nullptr || !refs_.contains(*ref)) return true;
  ++stats_.repeated;
  return false;
}

void Recorder::record(core::TimelineEvent event, WallTime now) {
  if (!is_new(event)) return;
  const core::TimelineEvent& kept = log_.add(std::move(event), now);
  remember(kept);
  if (publish_) publish_(kept);
}

bool Recorder::heard(core::TimelineEvent event, WallTime now) {
  const core::TimelineEvent copy = event;
  if (!log_.take(std::move(event), now)) return false;
  remember(copy);
  return true;
}

void Recorder::alert(const slo::AlertEvent& event, WallTime now) {
  if (auto out = event_of(event)) record(std::move(*out), now);
}

void Recorder::states(const slo::SloEngine& engine, WallTime now) {
  for (uint32_t i = 0; i < engine.size(); ++i) {
    if (!engine.has(i)) continue;
    const slo::SloStatus& status = engine.status(i);
    if (status.draft || !status.group_of.empty()) continue;
    const std::string name(slo::state_name(status.state));
    const auto known = states_.find(status.slo);
    if (known == states_.end()) {
      // The first state of all is news to nobody.
      if (states_.size() < limits_.max_names) states_.emplace(status.slo, name);
      continue;
    }
    if (known->second == name) continue;
    slo::State before = slo::State::no_data;
    for (const auto one : {slo::State::healthy, slo::State::degrading, slo::State::violated}) {
      if (known->second == slo::state_name(one)) before = one;
    }
    core::TimelineEvent out = event_of(status, before, now);
    if (may_tell("state/" + status.slo, out, limits_.states_an_hour, now)) {
      record(std::move(out), now);
    }
  }
}

void Recorder::change(const slo::Change& change, WallTime now) { record(event_of(change), now); }

// An incident is about the alert that fired first, or the condition that opened it.
std::string Recorder::key_for(const nines::incident::Incident& incident) const {
  for (const auto& one : incident.conditions) {
    const std::string_view condition = one.condition.key;
    if (condition.starts_with(kBurning)) {
      const auto rules = firing_.find(std::string(condition.substr(kBurning.size())));
      if (rules != firing_.end()) return rules->second.front().second;
    }
    const auto holds = holding_.find(one.condition.key);
    if (holds != holding_.end()) return holds->second.key;
  }
  return "incident/" + incident.key + "/" + std::to_string(incident.opened.ns);
}

// All nodes see the same transitions; the one that opened the incident tells them.
void Recorder::became(const nines::incident::Transition& transition,
                      const nines::incident::Incident& incident, WallTime now) {
  if (incident.opened_on != node_) return;
  auto out = event_of(transition, incident);
  if (!out) return;
  using Kind = nines::incident::Transition::Kind;
  const bool begins = transition.kind == Kind::opened || transition.kind == Kind::reopened;
  const auto known = incidents_.find(incident.id);
  out->key = begins || known == incidents_.end() ? key_for(incident) : known->second;
  out->fields.emplace_back(kRef, "became/" + incident.id + "/" +
                                     std::to_string(static_cast<int>(transition.kind)) + "/" +
                                     std::to_string(transition.at.ns));
  record(std::move(*out), now);
}

void Recorder::wrote(const nines::incident::IncidentEvent& event,
                     const nines::incident::Incident* incident, WallTime now) {
  if (event.node != node_) return;
  auto out = event_of(event);
  if (!out) return;
  if (incident != nullptr) {
    out->incident = incident->id;
    out->service = incident->service;
  }
  const auto known = incidents_.find(out->incident);
  if (known != incidents_.end()) out->key = known->second;
  if (event.kind == nines::incident::EventKind::suspects && !is_other_suspect(*out)) return;
  record(std::move(*out), now);
}

// It is asked again while an incident lasts; that the answer is the same is no news.
bool Recorder::is_other_suspect(const core::TimelineEvent& event) {
  if (suspects_.size() >= limits_.max_incidents) suspects_.clear();
  std::string& last = suspects_[event.incident];
  if (last == event.text) return false;
  last = event.text;
  return true;
}

// It is repeated when it gets worse, and by the next life. What began after it was told is another
// one, although nobody said that the first is over: it was while the agent did not run.
void Recorder::condition(const nines::incident::Condition& condition, WallTime now) {
  const auto known = holding_.find(condition.key);
  const bool holds = known != holding_.end() && condition.since <= known->second.told;
  if (condition.holds ? holds : known == holding_.end()) return;
  core::TimelineEvent out = event_of(condition);
  if (!condition.holds) out.key = known->second.key;
  record(std::move(out), now);
}

void Recorder::newcomer(const incident::Newcomer& newcomer, WallTime now) {
  core::TimelineEvent out = event_of(newcomer);
  const bool error = newcomer.seen.error;
  const std::string name = (error ? "first error/" : "first/") + newcomer.seen.service;
  const uint64_t most = error ? limits_.errors_an_hour : limits_.newcomers_an_hour;
  if (may_tell(name, out, most, now)) record(std::move(out), now);
}

// A resolution is told, too, but who answers answers the page.
void Recorder::paged(const slo::AlertEvent& event, const std::string& notifier, WallTime now) {
  if (event.kind != slo::AlertEvent::Kind::fired) return;
  record(page_of(event, notifier, now), now);
}

void Recorder::decided(const peer::Decision& decision, WallTime now) {
  if (auto out = event_of(decision)) record(std::move(*out), now);
}

void Recorder::kubernetes(KubernetesEvent event, WallTime now) {
  core::TimelineEvent out;
  out.kind = event.kind;
  out.service = std::move(event.service);
  out.text = std::move(event.text);
  out.at = event.at;
  if (!event.ref.empty()) out.fields.emplace_back(kRef, std::move(event.ref));
  for (auto& [name, value] : event.fields) add_theirs(out, name, std::move(value));
  if (!is_new(out)) return;
  if (may_tell("kubernetes/" + out.service, out, limits_.kubernetes_an_hour, now)) {
    record(std::move(out), now);
  }
}

void Recorder::clock_set(int64_t by_ns, WallTime now) {
  core::TimelineEvent out;
  out.kind = core::EventKind::note;
  out.at = now;
  out.text = "the clock of " + node_ + " was set " + (by_ns < 0 ? "back" : "forward") + " by " +
             seconds_of(by_ns);
  log_.clock_set(by_ns);
  record(std::move(out), now);
}

bool Recorder::may_tell(std::string name, const core::TimelineEvent& event, uint64_t most,
                        WallTime now) {
  auto found = hours_.find(name);
  if (found == hours_.end()) {
    if (hours_.size() >= limits_.max_names) name = "others";  // are counted together
    found = hours_.try_emplace(std::move(name)).first;
    found->second.service = found->first == "others" ? std::string() : event.service;
    found->second.kind = event.kind;
    found->second.began = now;
  }
  Hour& hour = found->second;
  if (hour.told < most) {
    ++hour.told;
    return true;
  }
  ++hour.left_out;
  ++stats_.left_out;
  return false;
}

void Recorder::tell_left_out(Hour& hour, WallTime now) {
  if (hour.left_out == 0) return;
  core::TimelineEvent out;
  out.kind = hour.kind;
  out.at = now;
  out.service = hour.service;
  out.text = "and " + std::to_string(hour.left_out) + " more within an hour";
  record(std::move(out), now);
}

void Recorder::tick(WallTime now) {
  for (auto hour = hours_.begin(); hour != hours_.end();) {
    const int64_t age = now.ns - hour->second.began.ns;
    if (age >= 0 && age < kHourNs) {
      ++hour;
      continue;
    }
    tell_left_out(hour->second, now);
    hour = hours_.erase(hour);
  }
}

}  // namespace nines::agent::timeline
