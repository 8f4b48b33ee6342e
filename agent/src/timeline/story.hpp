// Story: what a timeline that was asked for is made of, and the timeline. Pure, and for any thread:
// what is kept is copied out as immutable blocks.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "nines/incident/postmortem.hpp"
#include "nines/timeline/render.hpp"
#include "timeline/event_log.hpp"

namespace nines::agent::timeline {

// What an incident concerns: its own events, those of one occurrence with them, all of its services
// and, of its nodes, what is about the node itself.
struct Scope {
  std::vector<std::string> ids, services, nodes;
};
Scope scope_of(const nines::incident::Incident& incident);

struct StoryWish {
  enum class Format : uint8_t { json, text, mermaid, svg };
  core::TimelineFilter filter;
  std::optional<Scope> scope;  // none: everything
  Format format = Format::json;
  std::string title, zone;  // zone empty: UTC
  size_t width = 100;
};

struct Kept {
  EventLog::Blocks blocks;
  std::vector<core::NodeClock> clocks;
  std::string node;  // whose clock the times are by
};

// For the review of an incident; empty where the timeline does not reach back to its opening.
std::vector<nines::incident::PostmortemLine> review_lines(const core::Timeline& timeline,
                                                          const Scope& scope);

core::Timeline tell_story(const Kept& kept, const StoryWish& wish);
// invalid_argument: the zone is not known here.
Result<std::string> render_story(const Kept& kept, const StoryWish& wish);

}  // namespace nines::agent::timeline
