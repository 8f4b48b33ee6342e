// What the parts of the agent know, as events of the timeline: kind, time, words, key and fields.
// Node and number are given by EventLog. Pure. nullopt: it is no part of the story, or another
// event tells it.
#pragma once

#include <optional>
#include <string>

#include "incident/watcher.hpp"
#include "nines/incident/incident_book.hpp"
#include "nines/peer/peer_node.hpp"
#include "nines/slo/changes.hpp"
#include "nines/slo/engine.hpp"
#include "nines/timeline/event.hpp"

namespace nines::agent::timeline {

namespace core = nines::timeline;

// Names of fields that are looked for again.
inline constexpr std::string_view kRef = "ref";  // of what it was made: "change/12", once each
inline constexpr std::string_view kSlo = "slo", kRule = "rule", kState = "state";
inline constexpr std::string_view kCondition = "condition";
// The key of a rollout begins so (k8s::rollout_key).
inline constexpr std::string_view kRollout = "rollout/";

const std::string* field_of(const core::TimelineEvent& event, std::string_view name) noexcept;
// A field that somebody else named, perhaps as one of these.
void add_theirs(core::TimelineEvent& event, const std::string& name, std::string value);

// One occurrence: the same for its pages.
std::string key_of(const slo::AlertEvent& event);
std::string key_of(const nines::incident::Condition& condition);

std::optional<core::TimelineEvent> event_of(const slo::AlertEvent& event);
core::TimelineEvent event_of(const slo::SloStatus& status, slo::State before, WallTime now);
core::TimelineEvent event_of(const slo::Change& change);
core::TimelineEvent event_of(const nines::incident::Condition& condition);
core::TimelineEvent event_of(const incident::Newcomer& newcomer);
std::optional<core::TimelineEvent> event_of(const peer::Decision& decision);
// Somebody did something about an incident, or the agent found something out.
std::optional<core::TimelineEvent> event_of(const nines::incident::IncidentEvent& event);
// What the rules of incidents made of it.
std::optional<core::TimelineEvent> event_of(const nines::incident::Transition& transition,
                                            const nines::incident::Incident& incident);
// `notifier` was told of the alert.
core::TimelineEvent page_of(const slo::AlertEvent& event, const std::string& notifier, WallTime at);

}  // namespace nines::agent::timeline
