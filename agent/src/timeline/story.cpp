#include "timeline/story.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "config/zones.hpp"
#include "nines/incident/current_evidence.hpp"
#include "timeline/wording.hpp"

namespace nines::agent::timeline {
namespace {

bool has(const std::vector<std::string>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool concerns(const Scope& scope, const core::TimelineEvent& event) {
  if (!event.incident.empty()) return has(scope.ids, event.incident);
  if (!event.service.empty()) return has(scope.services, event.service);
  const std::string* const about = field_of(event, "node");
  return has(scope.nodes, event.node) || (about != nullptr && has(scope.nodes, *about));
}

void narrow(std::vector<core::TimelineEvent>& events, const Scope& scope) {
  std::set<std::string, std::less<>> keys;
  for (const core::TimelineEvent& event : events) {
    if (!event.key.empty() && has(scope.ids, event.incident)) keys.insert(event.key);
  }
  std::erase_if(events, [&](const core::TimelineEvent& event) {
    return !concerns(scope, event) && !keys.contains(event.key);
  });
}

// Every node tells of a rollout that it sees, under the key of the cluster's own objects. Of those
// that follow each other of one workload, with no other revision of it in between, the first one is
// told: which that is does not depend on who asks (a pod is made at a time of the API server's).
void tell_rollouts_once(std::vector<core::TimelineEvent>& events) {
  std::map<std::pair<std::string, std::string>, std::vector<const core::TimelineEvent*>> workloads;
  for (const core::TimelineEvent& event : events) {
    if (event.kind != core::EventKind::change || !event.key.starts_with(kRollout)) continue;
    const std::string* const ns = field_of(event, "namespace");
    const std::string* const workload = field_of(event, "workload");
    if (ns != nullptr && workload != nullptr) workloads[{*ns, *workload}].push_back(&event);
  }
  std::set<const core::TimelineEvent*> again;
  for (auto& [name, told] : workloads) {
    std::sort(told.begin(), told.end(), [](const auto* a, const auto* b) {
      return std::tie(a->at, a->node, a->seq) < std::tie(b->at, b->node, b->seq);
    });
    for (size_t i = 1; i < told.size(); ++i) {
      if (told[i]->key == told[i - 1]->key) again.insert(told[i]);
    }
  }
  if (again.empty()) return;
  std::vector<core::TimelineEvent> kept;
  kept.reserve(events.size() - again.size());
  for (core::TimelineEvent& event : events) {
    if (!again.contains(&event)) kept.push_back(std::move(event));
  }
  events = std::move(kept);
}

}  // namespace

Scope scope_of(const nines::incident::Incident& incident) {
  Scope scope;
  scope.ids = incident.aliases;
  scope.ids.push_back(incident.id);
  scope.services = incident.services;
  if (!incident.service.empty()) scope.services.push_back(incident.service);
  scope.nodes = incident.nodes;
  // Who is suspected, too: a deploy that broke it is mostly one of another service.
  for (const auto* suspect : nines::incident::current_evidence(incident).suspects) {
    const std::string* const service = suspect->entry.detail("service");
    if (service != nullptr && !has(scope.services, *service)) scope.services.push_back(*service);
  }
  return scope;
}

std::vector<nines::incident::PostmortemLine> review_lines(const core::Timeline& timeline,
                                                          const Scope& scope) {
  std::vector<nines::incident::PostmortemLine> out;
  bool whole = false;
  std::optional<size_t> group;
  for (const core::Entry& entry : timeline.entries()) {
    const core::TimelineEvent& event = entry.event;
    whole = whole || (event.kind == core::EventKind::state && has(scope.ids, event.incident));
    std::string text(core::name_of(event.kind));
    text[0] = static_cast<char>(text[0] >= 'a' && text[0] <= 'z' ? text[0] - 'a' + 'A' : text[0]);
    text += " (" + event.node + (event.service.empty() ? "" : ", " + event.service) + "): ";
    for (const char c : event.text) text += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    const bool together = entry.group && entry.group == group;
    out.push_back({entry.at, std::move(text), together || !entry.clock_known || entry.doubtful});
    group = entry.group;
  }
  if (!whole) out.clear();
  return out;
}

core::Timeline tell_story(const Kept& kept, const StoryWish& wish) {
  std::vector<core::TimelineEvent> events;
  for (const auto& block : kept.blocks) {
    auto some = core::decode(*block);
    if (!some.ok()) continue;  // what was kept in memory is whole
    events.insert(events.end(), std::make_move_iterator(some->begin()),
                  std::make_move_iterator(some->end()));
  }
  tell_rollouts_once(events);
  if (wish.scope) narrow(events, *wish.scope);
  return core::Timeline::build(std::move(events), kept.clocks, kept.node, wish.filter);
}

Result<std::string> render_story(const Kept& kept, const StoryWish& wish) {
  core::RenderOptions options;
  options.title = wish.title;
  options.width = wish.width;
  if (!wish.zone.empty()) {
    NINES_TRY(options.zone, config::load_time_zone(wish.zone));
  }
  const core::Timeline timeline = tell_story(kept, wish);
  switch (wish.format) {
    case StoryWish::Format::text: return core::render_text(timeline, options);
    case StoryWish::Format::mermaid: return core::render_mermaid(timeline, options);
    case StoryWish::Format::svg: return core::render_svg(timeline, options);
    case StoryWish::Format::json: break;
  }
  return core::render_json(timeline, options) + "\n";
}

}  // namespace nines::agent::timeline
