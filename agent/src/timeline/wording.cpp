#include "timeline/wording.hpp"

#include "k8s/rollouts.hpp"
#include "view/text.hpp"

namespace nines::agent::timeline {
namespace {

using core::EventKind;
using core::TimelineEvent;
using ConditionKind = nines::incident::ConditionKind;
using IncidentKind = nines::incident::EventKind;
using Become = nines::incident::Transition::Kind;

std::string behind(std::string_view separator, const std::string& text) {
  return text.empty() ? std::string() : std::string(separator) + text;
}

void put(TimelineEvent& event, std::string_view name, std::string value) {
  if (!value.empty()) event.fields.emplace_back(name, std::move(value));
}

EventKind kind_of(slo::ChangeKind kind) {
  switch (kind) {
    case slo::ChangeKind::manual_action: return EventKind::action;
    case slo::ChangeKind::note:
    case slo::ChangeKind::release_watch: return EventKind::note;
    case slo::ChangeKind::budget_step: return EventKind::state;
    default: return EventKind::change;
  }
}

EventKind kind_of(ConditionKind kind) {
  switch (kind) {
    case ConditionKind::oom_kill:
    case ConditionKind::disk_full:
    case ConditionKind::under_voltage: return EventKind::kernel;
    case ConditionKind::crash_loop: return EventKind::kubernetes;
    default: return EventKind::alert;
  }
}

// Of an incident event; nullopt: it is told otherwise (conditions), or is no part of the story.
struct Deed {
  EventKind kind;
  std::string text;
};
std::optional<Deed> deed_of(const nines::incident::IncidentEvent& event) {
  const std::string by = behind(" by ", event.who), said = behind(": ", event.text);
  const auto detail = [&](std::string_view name) {
    const std::string* const found = event.detail(name);
    return found != nullptr ? *found : std::string();
  };
  switch (event.kind) {
    case IncidentKind::acknowledged: return Deed{EventKind::ack, "acknowledged" + by + said};
    case IncidentKind::mitigated: return Deed{EventKind::recovery, "mitigated" + by + said};
    case IncidentKind::resolved: return Deed{EventKind::recovery, "resolved" + by + said};
    case IncidentKind::severity_set:
      return Deed{EventKind::note, "severity set to P" + detail("priority") + by + said};
    case IncidentKind::role_assigned:
      return Deed{EventKind::note, detail("person") + " is " + detail("role") + said};
    case IncidentKind::note: return Deed{EventKind::note, "note" + by + said};
    case IncidentKind::action: {
      const std::string outcome = detail("outcome");
      return Deed{EventKind::action,
                  event.text + by + (outcome.empty() ? "" : " (" + outcome + ")")};
    }
    case IncidentKind::communication_sent:
      return Deed{EventKind::note, "told " + detail("channel") + by + said};
    case IncidentKind::suspects:
      if (detail("rank") != "1" && !detail("rank").empty()) return std::nullopt;
      return Deed{EventKind::note, "suspects " + event.text};
    case IncidentKind::cause_stated: return Deed{EventKind::note, "cause" + by + said};
    case IncidentKind::item_added: return Deed{EventKind::note, "action item" + by + said};
    case IncidentKind::item_done: return Deed{EventKind::note, "action item is done" + by + said};
    case IncidentKind::linked: return Deed{EventKind::note, "is one with another" + by + said};
    // A page is told when it is delivered; what is known of an incident is no step in it.
    case IncidentKind::page_sent:
    case IncidentKind::impact:
    case IncidentKind::diagnostics:
    default: return std::nullopt;
  }
}

}  // namespace

const std::string* field_of(const TimelineEvent& event, std::string_view name) noexcept {
  for (const auto& [key, value] : event.fields) {
    if (key == name) return &value;
  }
  return nullptr;
}

void add_theirs(TimelineEvent& event, const std::string& name, std::string value) {
  for (const std::string_view ours : {kRef, kSlo, kRule, kState, kCondition}) {
    if (name == ours) return put(event, name + "_", std::move(value));
  }
  put(event, name, std::move(value));
}

std::string key_of(const slo::AlertEvent& event) {
  const WallTime began = event.since.ns != 0 ? event.since : event.at;
  return "alert/" + event.slo + "/" + event.rule + "/" + std::to_string(began.ns);
}

std::string key_of(const nines::incident::Condition& condition) {
  return "condition/" + condition.key + "/" + std::to_string(condition.since.ns);
}

std::optional<TimelineEvent> event_of(const slo::AlertEvent& event) {
  using Kind = slo::AlertEvent::Kind;
  // Rows are an answer; silent nodes are decisions of peers.
  if (event.kind == Kind::rows || event.rule == "node-silent") return std::nullopt;
  TimelineEvent out;
  const bool fired = event.kind == Kind::fired;
  out.kind = fired ? EventKind::alert : EventKind::resolved;
  out.at = event.at;
  out.service = event.service;
  out.key = key_of(event);
  out.text = (fired ? view::priority_name(event.priority) + " " + event.severity + " " : "") +
             event.slo + ": " + event.summary;
  put(out, kSlo, event.slo);
  put(out, kRule, event.rule);
  put(out, "severity", event.severity);
  return out;
}

TimelineEvent event_of(const slo::SloStatus& status, slo::State before, WallTime now) {
  TimelineEvent out;
  const bool worse_before = before == slo::State::violated || before == slo::State::degrading;
  const std::string name(slo::state_name(status.state));
  out.kind =
      status.state == slo::State::healthy && worse_before ? EventKind::recovery : EventKind::state;
  out.at = now;
  out.service = status.service;
  out.text = status.slo + ": " + std::string(slo::state_name(before)) + " -> " + name;
  put(out, kSlo, status.slo);
  put(out, kState, name);
  return out;
}

TimelineEvent event_of(const slo::Change& change) {
  TimelineEvent out;
  out.kind = kind_of(change.kind);
  out.at = change.at;
  out.service = change.service;
  const std::string name(slo::change_kind_name(change.kind));
  const std::string& of = change.slo.empty() ? change.service : change.slo;
  out.text = name + behind(" of ", of) + behind(" by ", change.who) + behind(": ", change.text);
  put(out, kRef, "change/" + std::to_string(change.id));
  const std::string* const object = change.detail("object");
  const std::string* const revision = change.detail("revision");
  if (object != nullptr && revision != nullptr) out.key = k8s::rollout_key(*object, *revision);
  put(out, "change", name);
  put(out, kSlo, change.slo);
  for (const auto& [key, value] : change.details) add_theirs(out, key, value);
  return out;
}

TimelineEvent event_of(const nines::incident::Condition& condition) {
  TimelineEvent out;
  out.kind = condition.holds ? kind_of(condition.kind) : EventKind::resolved;
  out.at = condition.at;
  out.service = condition.service;
  out.text = condition.text;
  out.key = key_of(condition);
  put(out, kCondition, condition.key);
  put(out, "pod", condition.pod);
  return out;
}

TimelineEvent event_of(const incident::Newcomer& newcomer) {
  TimelineEvent out;
  out.kind = EventKind::first_seen;
  out.at = newcomer.seen.at;
  out.service = newcomer.seen.service;
  out.text = std::string(newcomer.seen.error ? "never logged this error before: "
                                             : "never logged this before: ") +
             newcomer.text;
  put(out, "template", std::to_string(newcomer.seen.line));
  return out;
}

std::optional<TimelineEvent> event_of(const peer::Decision& decision) {
  using Kind = peer::Decision::Kind;
  TimelineEvent out;
  switch (decision.kind) {
    case Kind::node_silent: out.kind = EventKind::node_silent; break;
    case Kind::node_back: out.kind = EventKind::node_back; break;
    case Kind::isolated:
    case Kind::rejoined: out.kind = EventKind::state; break;
    case Kind::cloned: out.kind = EventKind::note; break;
    default: return std::nullopt;
  }
  out.at = decision.at;
  out.text = decision.text;
  out.key = decision.key;
  put(out, "node", decision.node);
  return out;
}

std::optional<TimelineEvent> event_of(const nines::incident::IncidentEvent& event) {
  auto deed = deed_of(event);
  if (!deed) return std::nullopt;
  TimelineEvent out;
  out.kind = deed->kind;
  out.text = std::move(deed->text);
  out.at = event.at;
  out.incident = event.id;
  put(out, kRef, "incident/" + std::to_string(event.boot) + "/" + std::to_string(event.sequence));
  put(out, "who", event.who);
  return out;
}

std::optional<TimelineEvent> event_of(const nines::incident::Transition& transition,
                                      const nines::incident::Incident& incident) {
  TimelineEvent out;
  out.kind = EventKind::state;
  const std::string about = "P" + std::to_string(incident.severity) + " " + incident.title;
  switch (transition.kind) {
    case Become::opened: out.text = "incident opened: " + about; break;
    case Become::reopened: out.text = "incident is back: " + about; break;
    case Become::worse: out.text = "incident became worse: " + about; break;
    case Become::resolved:
      if (!incident.resolved_itself) return std::nullopt;  // whoever did it is told
      out.kind = EventKind::recovery;
      out.text = "incident is over: " + incident.title;
      break;
    default: return std::nullopt;
  }
  out.at = transition.at;
  out.service = incident.service;
  out.incident = incident.id;
  return out;
}

TimelineEvent page_of(const slo::AlertEvent& event, const std::string& notifier, WallTime at) {
  TimelineEvent out;
  out.kind = EventKind::page;
  out.at = at;
  out.service = event.service;
  out.key = key_of(event);
  out.text = notifier + " was told: " + view::priority_name(event.priority) + " " + event.severity +
             " " + event.slo;
  put(out, kRef,
      "page/" + notifier + "/" + std::to_string(event.boot) + "/" + std::to_string(event.sequence));
  put(out, kSlo, event.slo);
  return out;
}

}  // namespace nines::agent::timeline
