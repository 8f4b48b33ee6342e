// Told: what is to become an event of an incident, within what an event may hold; and lists of
// lines as as many events as they need.
#pragma once

#include <string>
#include <vector>

#include "nines/incident/incident_event.hpp"

namespace nines::agent::incident {

namespace core = nines::incident;

struct Told {
  core::EventKind kind = core::EventKind::diagnostics;
  std::string text;
  core::Details details;
  friend bool operator==(const Told&, const Told&) = default;
};

// What is left of an event beside its node, incident and numbers, whose names may be long.
inline constexpr size_t kMostTold = 640;

// Diagnostics of one `part` ("logs", "node"...): a sentence and lines, over several pages where
// they are too long for one; details: part, page ("1/2"), lines as "1", "2"... through all pages.
// At most kMostPages; what does not fit is counted in the last page's detail "left_out".
inline constexpr size_t kMostPages = 3;
std::vector<Told> pages(const std::string& part, const std::string& text,
                        const std::vector<std::string>& lines, size_t left_out = 0);

// Makes it fit beside the names of an incident, which take `names` bytes: examples and pods go
// first, then the text is shortened and says so.
void make_fit(Told& told, size_t names);

// Makes a text short at a sentence's end (';') where it can, and says that it did: " ...".
std::string shortened(std::string text, size_t most);

}  // namespace nines::agent::incident
