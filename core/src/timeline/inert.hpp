// What renderings share: bytes of strangers made harmless, times and spans of time for people.
#pragma once

#include <string>
#include <string_view>

#include "nines/timeline/render.hpp"

namespace nines::timeline {

// Text of one line, at most `most` characters, "…" for the rest. Control characters (also those of
// C1) become blanks, what is invisible or turns the direction of writing U+FFFD, and so does what
// is no UTF-8.
std::string inert(std::string_view text, size_t most = 1024);
// For XML: inert, and markup as entities.
std::string inert_xml(std::string_view text, size_t most = 1024);
// For Mermaid: inert, and every sign that could mean something there as its full-width twin
// (entities do not help: its preprocessor mends them in places).
std::string inert_mermaid(std::string_view text, size_t most = 120);
// Characters, which is about columns.
size_t columns(std::string_view text) noexcept;

// "2026-11-22", "09:35:01.203" in a zone.
std::string date_text(WallTime at, const TimeZone& zone);
std::string clock_text(WallTime at, const TimeZone& zone);
std::string zone_text(WallTime at, const TimeZone& zone);  // "UTC", "Europe/Berlin +01:00"

// "±0", "±250 µs", "±2.5 ms", "±13 s": two or three digits, never less than it is.
std::string uncertainty_text(int64_t ns);
// "+12.503 s", "-0.4 ms".
std::string offset_text(int64_t ns);
// Of an entry: as above, or "?" when nothing is known.
std::string uncertainty_text(const Entry& entry);
// "checkout: burns its budget"
std::string what_text(const Entry& entry, size_t most);
std::string title_text(const Timeline& timeline, const RenderOptions& options);
// "node-b +12.503 s ±1.2 ms by spans"
std::string node_text(const NodeClock& clock);
// What is not shown, and what is not known, as sentences; empty: nothing is missing.
std::vector<std::string> remarks(const Timeline& timeline, size_t not_drawn);
std::string_view name_of(NodeClock::Source source) noexcept;

}  // namespace nines::timeline
