// How the node is, in words.
#include <algorithm>
#include <catch2/catch.hpp>

#include "incident/node_state.hpp"

namespace nines::agent::incident {
namespace {

WallTime at(int64_t s) { return WallTime::from_s(1'790'000'000 + s); }

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

TEST_CASE("Each vital is told with its newest value and the highest of half an hour",
          "[incident]") {
  NodeState state;
  CHECK(state.lines(at(0)).empty());
  state.vital("memory", 0.99, at(-1'860));  // longer ago
  state.vital("memory", 0.88, at(-600));
  state.vital("memory", 0.61, at(0));
  state.vital("disk_root", 0.4, at(0));
  state.vital("psi_io_some_avg60", 12.5, at(0));
  state.vital("temperature_celsius", 71.25, at(0));
  state.vital("undervoltage", 1, at(-60));
  state.vital("undervoltage", 0, at(0));
  const auto lines = state.lines(at(10));
  CHECK(has(lines, "memory used: 61.0 % (most in half an hour: 88.0 %)"));
  CHECK(has(lines, "disk root used: 40.0 %"));
  CHECK(has(lines, "waited for io (PSI): 12.5 % of the time"));
  CHECK(has(lines, "temperature: 71.2 C"));
  CHECK(has(lines, "under-voltage: no (most in half an hour: yes)"));
}

TEST_CASE("Vitals that are old say so, and there are no more than a few", "[incident]") {
  NodeState state;
  state.vital("cpu", 0.5, at(0));
  CHECK(state.lines(at(400)).at(0) == "CPU busy: 50.0 % (as of 2026-09-21T14:13:20Z)");
  for (int i = 0; i < 100; ++i) state.vital("x" + std::to_string(i), 1, at(0));
  CHECK(state.lines(at(0)).size() == NodeState::kMost);
}

}  // namespace nines::agent::incident
