// Renderings of one Timeline. Each is complete in itself and makes every byte that came from a log,
// a person or a peer harmless: no control characters, no bytes that turn the direction of writing,
// no markup, no syntax of the format. The same timeline gives the same bytes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "nines/base/time_zone.hpp"
#include "nines/timeline/timeline.hpp"

namespace nines::timeline {

struct RenderOptions {
  std::string title;        // "INC-2026-1122-001: checkout burns its budget"; empty: "Timeline"
  TimeZone zone;            // of the times shown to people; JSON has UTC beside it
  size_t width = 100;       // text: columns, 60 to 400
  size_t most_shown = 200;  // Mermaid: events drawn, the first so many; the rest is told
};

// For a terminal: one line an event, cut at `width` with "…". A bracket at the left holds those
// together whose order is not known; "?" marks those that may be anywhere, "±" how unsure a time
// is.
std::string render_text(const Timeline& timeline, const RenderOptions& options = {});

// {"title", "zone", "reference", "nodes": [...], "events": [...], "stats": {...}}; fields are
// documented in src/timeline/README.md. May stand in a <script>: has no "<".
std::string render_json(const Timeline& timeline, const RenderOptions& options = {});

// A sequenceDiagram: nodes are participants, events notes over them, causes arrows, and `par`
// holds together those whose order is not known.
std::string render_mermaid(const Timeline& timeline, const RenderOptions& options = {});

// A picture of its own (no scripts, no links, no fonts from elsewhere), light and dark as the
// reader has it: a lane a node, a mark where an event most likely was, a bar for where it may have
// been. What falls together is one mark with its number. At most kMostLanes nodes are drawn, then
// told.
inline constexpr size_t kMostLanes = 32;
std::string render_svg(const Timeline& timeline, const RenderOptions& options = {});

}  // namespace nines::timeline
