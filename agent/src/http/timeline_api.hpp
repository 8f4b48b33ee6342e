// /api/timeline: what happened on all nodes, and in what order as far as that is known; everything
// else goes on to `next`.
//   GET /api/timeline[?since=24h|RFC3339][&until=][&node=N][&service=S][&incident=ID][&kind=K,K]
//                    [&limit=N][&format=json|text|mermaid|svg][&zone=Europe/Berlin][&width=N]
//   GET /api/incidents/ID/timeline[?...]    from half an hour before it began until it was over
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "http/message.hpp"
#include "nines/incident/incident.hpp"
#include "timeline/story.hpp"

namespace nines::agent::http {

// All of it runs on the thread of the server.
struct TimelineAccess {
  std::function<WallTime()> now;
  // By its id or an alias. Null: no incidents are kept.
  std::function<std::optional<nines::incident::Incident>(const std::string& id)> incident;
  std::function<void(timeline::StoryWish, std::function<void(Result<std::string>)>)> tell;
};

// What is told of an incident when nothing else is asked for.
timeline::StoryWish story_of(const nines::incident::Incident& incident, WallTime now);

AsyncHandler make_timeline_api(TimelineAccess access, AsyncHandler next);

}  // namespace nines::agent::http
