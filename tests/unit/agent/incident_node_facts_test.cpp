// What a node knows of itself: how it is, in words, and what happened.
#include <algorithm>
#include <catch2/catch.hpp>

#include "incident/node_facts.hpp"
#include "incident/watcher.hpp"

namespace nines::agent::incident {
namespace {

WallTime at(int64_t s) { return WallTime::from_s(1'790'000'000 + s); }

bool has(const std::vector<std::string>& lines, const std::string& line) {
  return std::find(lines.begin(), lines.end(), line) != lines.end();
}

}  // namespace

TEST_CASE("Each vital is told with its newest value and the highest of half an hour",
          "[incident]") {
  NodeFacts state;
  CHECK(state.vitals(at(0)).empty());
  state.vital("memory", 0.99, at(-1'860));  // longer ago
  state.vital("memory", 0.88, at(-600));
  state.vital("memory", 0.61, at(0));
  state.vital("disk_root", 0.4, at(0));
  state.vital("psi_io_some_avg60", 12.5, at(0));
  state.vital("temperature_celsius", 71.25, at(0));
  state.vital("undervoltage", 1, at(-60));
  state.vital("undervoltage", 0, at(0));
  const auto lines = state.vitals(at(10));
  CHECK(has(lines, "memory used: 61.0 % (most in half an hour: 88.0 %)"));
  CHECK(has(lines, "disk root used: 40.0 %"));
  CHECK(has(lines, "waited for io (PSI): 12.5 % of the time"));
  CHECK(has(lines, "temperature: 71.2 C"));
  CHECK(has(lines, "under-voltage: no (most in half an hour: yes)"));
}

TEST_CASE("Vitals that are old say so, and there are no more than a few", "[incident]") {
  NodeFacts state;
  state.vital("cpu", 0.5, at(0));
  CHECK(state.vitals(at(400)).at(0) == "CPU busy: 50.0 % (as of 2026-09-21T14:13:20Z)");
  for (int i = 0; i < 100; ++i) state.vital("x" + std::to_string(i), 1, at(0));
  CHECK(state.vitals(at(0)).size() == nines::incident::MetricEvidence::kMostVitals);
}

TEST_CASE("Vitals stay, however many metrics services have", "[incident]") {
  NodeFacts state;
  state.vital("cpu", 0.5, at(0));
  Observed observed;
  for (int i = 0; i < 500; ++i) {
    observed.gauges.push_back({"depth", "service" + std::to_string(i), at(60), 1});
  }
  state.observed(observed, at(60));
  CHECK(state.vitals(at(60)) == std::vector<std::string>{"CPU busy: 50.0 %"});
  CHECK(state.stats().metrics == nines::incident::MetricEvidence::kMostSeries);
  CHECK(state.stats().metrics_let_go == 501 - nines::incident::MetricEvidence::kMostSeries);
}

TEST_CASE("What happened is told once, and kept for a later life", "[incident]") {
  NodeFacts first;
  size_t told = 0;
  first.tell([&](const core::Happening&) { ++told; });
  first.vital("memory", 0.97, at(0));
  first.vital("memory", 0.98, at(60));
  CHECK(told == 1);
  const auto kept = first.take_changes();
  REQUIRE(kept.size() == 1);
  NodeFacts second;
  second.tell([&](const core::Happening&) { ++told; });
  second.restore(kept);
  second.happened(first.around(at(0), at(0), at(0), 1).at(0));
  CHECK(told == 1);
  CHECK(second.around(at(0), at(-60), at(60), 9).size() == 1);
  CHECK(second.take_changes().empty());
}

TEST_CASE("Restarts that wait for the API are so many at most, the first ones are told",
          "[incident]") {
  NodeFacts facts;
  std::vector<std::string> told;
  facts.tell([&](const core::Happening& one) { told.push_back(one.key); });
  facts.api_tells();
  Observed observed;
  for (size_t i = 0; i < NodeFacts::kMostWaiting + 2; ++i) {
    core::Happening one;
    one.at = at(0);
    one.kind = core::HappeningKind::restart;
    one.key = "restart/" + std::to_string(i);
    observed.happenings.push_back(one);
  }
  facts.observed(observed, at(0));
  CHECK(told == std::vector<std::string>{"restart/0", "restart/1"});
  facts.look(at(10));
  CHECK(told.size() == 2);
  facts.look(at(15));
  CHECK(told.size() == NodeFacts::kMostWaiting + 2);
}

}  // namespace nines::agent::incident
