#include "nines/timeline/render.hpp"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "timeline/inert.hpp"

using namespace nines;
using namespace nines::timeline;

namespace {

constexpr int64_t kMs = kNsPerMs;
// 2026-03-01T22:59:50Z: ten seconds before midnight in Berlin.
constexpr int64_t kBase = (int64_t{20'513} * 86'400 + 82'790) * kNsPerSecond;

// Compares with tests/unit/timeline/golden/<name>; NINES_BLESS=1 writes it anew (and says so).
void check_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(NINES_SOURCE_DIR) + "/tests/unit/timeline/golden/" + name;
  if (std::getenv("NINES_BLESS") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    std::cerr << "BLESSED: " << path << "\n";
    return;
  }
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file.good());
  std::ostringstream wanted;
  wanted << file.rdbuf();
  CHECK(text == wanted.str());
}

TimelineEvent event(const std::string& node, uint64_t seq, int64_t ms, EventKind kind,
                    const std::string& service, const std::string& text,
                    const std::string& key = {}) {
  return {node, service, kind, {kBase + ms * kMs}, seq, text, "INC-2026-0301-001", key, {}};
}

// b is 12.5 s ahead, c known by requests only, d not at all.
Timeline story() {
  std::vector<TimelineEvent> events{
      event("node-a", 1, 0, EventKind::change, "checkout", "deploy v2.4.1 (was v2.4.0)"),
      event("node-a", 2, 3'000, EventKind::first_seen, "checkout",
            "NullPointerException at PriceRule.apply(PriceRule.java:<*>)"),
      event("node-a", 3, 9'250, EventKind::alert, "checkout", "burns 14.4 times its budget", "k1"),
      event("node-b", 7, 21'752, EventKind::page, "checkout", "told alice by ntfy", "k1"),
      event("node-b", 8, 21'760, EventKind::state, "checkout", "DEGRADING to VIOLATED"),
      event("node-c", 4, 40'000, EventKind::ack, "checkout", "alice: looking", "k1"),
      event("node-c", 3, 9'300, EventKind::kernel, "", "oom-kill: java, 512 MiB"),
      event("node-d", 1, 500, EventKind::kubernetes, "checkout", "Back-off restarting container"),
      event("node-a", 4, 70'000, EventKind::action, "checkout", "rollout undo to v2.4.0"),
      event("node-a", 5, 130'000, EventKind::recovery, "checkout", "burn below 1 for 60 s")};
  events.back().fields = {{"version", "v2.4.0"}};
  const std::vector<NodeClock> clocks{
      {"node-b", {kBase}, 12'500 * kMs, 1'200 * kNsPerUs, 0, NodeClock::Source::exchange},
      {"node-c", {kBase}, -20 * kMs, 140 * kMs, 0, NodeClock::Source::requests}};
  return Timeline::build(std::move(events), clocks, "node-a");
}

RenderOptions options() {
  RenderOptions out;
  out.title = "INC-2026-0301-001: checkout burns its budget";
  return out;
}

// Berlin in winter: one type, no transitions, the rule in the footer.
TimeZone berlin() {
  std::string bytes = "TZif2" + std::string(39, '\0');
  std::string second = bytes;
  second[39] = 1;  // typecnt (last byte of the count)
  second[43] = 4;  // charcnt
  bytes[39] = 1, bytes[43] = 4;
  const std::string body = std::string("\0\0\x0e\x10\0\0", 6) + std::string("CET\0", 4);
  return TimeZone::from_tzif("Europe/Berlin",
                             bytes + body + second + body + "\nCET-1CEST,M3.5.0,M10.5.0/3\n")
      .value();
}

Timeline hostile() {
  const std::vector<std::string> texts{
      "\x1b[31mred\x1b[0m \x07\b\x7f",
      "two\nlines\r\nand\ttab",
      "</script><script>alert(1)</script>",
      "\" onload=\"alert(1)' <svg onload=x>",
      "]]> <!-- & &lt; %%{init: {}}%%",
      "n0->>n1: forged; end\n  Note over n0: x #59; $$x$$ `code`",
      "wrap: <br/> [link](x) @{}",
      "\xe2\x80\xae gnp.exe \xe2\x80\x8b\xef\xbb\xbf\xc2\x85\xc2\x9b",
      "\xff\xfe\xc0\xaf\xed\xa0\x80"};
  std::vector<TimelineEvent> events;
  for (const std::string& text : texts) {
    events.push_back(event(text, 1, static_cast<int64_t>(events.size()) * 1000, EventKind::note,
                           text, text, text));
    events.back().incident = text;
    events.back().fields.emplace_back(text, text);
  }
  return Timeline::build(std::move(events), {}, texts[0]);
}

RenderOptions hostile_title() {
  RenderOptions out;
  out.title = "</title></svg>\x1b]0;x\x07\nend; #";
  return out;
}

bool has_control(const std::string& text) {
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\n') || c == 0x7F) return true;
    if (c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0)
      return true;
  }
  return text.find("\xe2\x80\xae") != std::string::npos ||
         text.find("\xe2\x80\x8b") != std::string::npos;
}

size_t count(const std::string& text, const std::string& what) {
  size_t n = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
  return n;
}

}  // namespace

TEST_CASE("timeline: a story as text, JSON, Mermaid and a picture") {
  check_golden("story.txt", render_text(story(), options()));
  check_golden("story.json", render_json(story(), options()));
  check_golden("story.mmd", render_mermaid(story(), options()));
  check_golden("story.svg", render_svg(story(), options()));
}

TEST_CASE("timeline: times are shown in the zone that is asked for, over its midnight") {
  RenderOptions there = options();
  there.zone = berlin();
  there.width = 72;
  const std::string text = render_text(story(), there);
  check_golden("story_berlin_72.txt", text);
  CHECK(text.find("-- 2026-03-02 Europe/Berlin +01:00") != std::string::npos);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) CHECK(columns(line) <= 72);
}

TEST_CASE("timeline: no event is still a timeline") {
  const auto none = Timeline::build({}, {}, "node-a");
  CHECK(render_text(none) == "Timeline\nno events\n");
  CHECK(render_mermaid(none) == "sequenceDiagram\n  title Timeline\n");
  CHECK(render_json(none).find("\"events\":[]") != std::string::npos);
  CHECK(render_svg(none).find("0 events of 0 nodes") != std::string::npos);
}

TEST_CASE("timeline: hostile text is harmless in a terminal") {
  const std::string text = render_text(hostile(), hostile_title());
  CHECK_FALSE(has_control(text));
  CHECK(count(text, "\n") == 1 + 9 + 1 + 9);  // title, nodes, day, events
}

TEST_CASE("timeline: hostile text is harmless in JSON, within a page, too") {
  const std::string json = render_json(hostile(), hostile_title());
  CHECK(count(json, "<") == 0);
  CHECK(count(json, "\n") == 0);
  CHECK(json.find("\\u003c/script>") != std::string::npos);
  CHECK(count(json, "\"seq\":1,") == 9);
}

TEST_CASE("timeline: hostile text is harmless in Mermaid") {
  const std::string text = render_mermaid(hostile(), hostile_title());
  CHECK_FALSE(has_control(text));
  CHECK(text.find_first_of(";#%<{}$`\"[]@&|\\") == std::string::npos);
  CHECK(count(text, "participant ") == 9);
  std::istringstream lines(text);
  size_t notes = 0;
  for (std::string line; std::getline(lines, line);) notes += line.find("  Note over n") == 0;
  CHECK(notes == 1 + 9);
  check_golden("hostile.mmd", text);
}

TEST_CASE("timeline: hostile text is harmless in a picture") {
  const std::string svg = render_svg(hostile(), hostile_title());
  CHECK_FALSE(has_control(svg));
  CHECK(count(svg, "<script") == 0);
  CHECK(count(svg, "<svg") == 1);
  CHECK(count(svg, "</svg>") == 1);
  CHECK(count(svg, " onload=\"") == 0);
  CHECK(count(svg, "<title") == count(svg, "</title>"));
  CHECK(count(svg, "<!--") == 0);
}

TEST_CASE("timeline: many events make a picture that is not larger, and a diagram that says so") {
  std::vector<TimelineEvent> events;
  for (uint64_t i = 0; i < 20'000; ++i)
    events.push_back(event("node-" + std::to_string(i % 40), i, static_cast<int64_t>(i) * 50,
                           EventKind::state, "s", "x"));
  const auto timeline = Timeline::build(std::move(events), {}, "node-0");
  const std::string svg = render_svg(timeline, options());
  CHECK(svg.size() < 6'000'000);
  CHECK(svg.find("not drawn: 4000") != std::string::npos);  // of nodes beyond 32
  const std::string mermaid = render_mermaid(timeline, options());
  CHECK(mermaid.find("not drawn： 19800") != std::string::npos);
  CHECK(mermaid.size() < 100'000);
}

TEST_CASE("timeline: uncertainties are never told smaller than they are") {
  CHECK(uncertainty_text(0) == "±0");
  CHECK(uncertainty_text(1) == "±1 µs");
  CHECK(uncertainty_text(999'001) == "±1000 µs");
  CHECK(uncertainty_text(1'200'001) == "±1.3 ms");
  CHECK(uncertainty_text(12'000'001) == "±13 ms");
  CHECK(uncertainty_text(1'500 * kMs) == "±1.5 s");
  CHECK(uncertainty_text(12'001 * kMs) == "±13 s");
  CHECK(uncertainty_text(5400 * kNsPerSecond) == "±1.5 h");
  CHECK(offset_text(-30'000 * kMs) == "-30 s");
}
