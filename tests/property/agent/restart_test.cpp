// Law 1 in the composition: a log that is read in several lives with state gives the status of one
// life, in every number.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <sstream>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;

namespace {

struct Line {
  int64_t at_s;
  size_t file;
  std::string text;
};

// A few hours in order of time, with silences, outages and slow answers, over two files.
std::vector<Line> any_history() {
  std::vector<Line> lines;
  int64_t t = kMidnight;
  const auto spells = *rc::gen::inRange(2, 9);
  for (int spell = 0; spell < spells; ++spell) {
    t += *rc::gen::weightedOneOf<int64_t>(
        {{4, rc::gen::inRange<int64_t>(0, 40)}, {1, rc::gen::inRange<int64_t>(40, 20'000)}});
    const auto broken = *rc::gen::inRange(0, 3) == 0;
    const auto step_s = *rc::gen::inRange<int64_t>(1, 12);
    const auto count = *rc::gen::inRange(1, 150);
    for (int i = 0; i < count; ++i, t += step_s) {
      const int status = broken && i % 3 != 0 ? 503 : 200;
      lines.push_back({t, static_cast<size_t>(i % 2), access_line(t, status, 20 + 7 * (i % 60))});
    }
  }
  return lines;
}

struct Outcome {
  std::vector<std::string> told;
  std::string status;
};

// `splits` are indices of lines: before each of them a life ends.
Outcome lives(const std::vector<Line>& lines, const std::vector<size_t>& splits, bool log_clock) {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kMidnight));
  agent::Setup setup;
  setup.slos = {availability("web", dir / "*.log"), latency("web-latency", dir / "*.log")};
  Outcome result;
  size_t next = 0;
  for (size_t life = 0; life <= splits.size(); ++life) {
    const size_t end = life < splits.size() ? splits[life] : lines.size();
    for (; next < end; ++next) {
      append(dir / (lines[next].file == 0 ? "a.log" : "b.log"), lines[next].text);
    }
    if (next == 0) continue;
    const int64_t now_s = lines[next - 1].at_s + 1;
    clock.advance_s(now_s - clock.wall().seconds());
    Life one(setup, dir / "state", clock);
    for (std::string& line : one.run_once(log_clock)) result.told.push_back(std::move(line));
    result.status = one.status_json();
  }
  return result;
}

std::vector<size_t> any_splits(size_t lines) {
  auto splits = *rc::gen::container<std::vector<size_t>>(rc::gen::inRange<size_t>(1, lines + 1));
  std::sort(splits.begin(), splits.end());
  if (splits.size() > 4) splits.resize(4);
  return splits;
}

// Lines of the document that must be the same. Coverage may lose some seconds, never gain: a first
// life shorter than a slot leaves none, and half a minute that was folded is known evenly. Alerts
// are judged at instants: a life that ends within a slot has judged it by what was there.
std::string counts_in(const std::string& json) {
  std::istringstream in(json);
  std::string out, line;
  bool alerts = false;
  while (std::getline(in, line)) {
    const auto has = [&](const char* key) { return line.find(key) != std::string::npos; };
    if (has("\"alerts\": [")) {
      alerts = !has("]");
    } else if (alerts) {
      alerts = line.rfind("    ]", 0) != 0;
    } else if (!has("\"state\":") && !has("\"coverage\":") && !has("\"covered_s\":")) {
      out += line + "\n";
    }
  }
  return out;
}

// For people: the first line in which two documents differ.
std::string difference(const std::string& a, const std::string& b) {
  std::istringstream in_a(a), in_b(b);
  std::string line_a, line_b;
  while (std::getline(in_a, line_a)) {
    std::getline(in_b, line_b);
    if (line_a != line_b) return line_a + " instead of " + line_b;
  }
  return a == b ? "" : "one is longer";
}

// Moves each split to where a slot begins. No life is without news: it would judge its last slot
// once more, and a rule counts calm evaluations, not calm slots.
std::vector<size_t> at_slots(std::vector<size_t> splits, const std::vector<Line>& lines) {
  for (size_t& split : splits) {
    while (split < lines.size() && lines[split].at_s / 10 == lines[split - 1].at_s / 10) ++split;
  }
  splits.erase(std::unique(splits.begin(), splits.end()), splits.end());
  return splits;
}

}  // namespace

TEST_CASE("Several lives with state give the counts of one, wherever they are split",
          "[once][property]") {
  for (const bool log_clock : {false, true}) {
    const bool holds = rc::check([log_clock] {
      const auto lines = any_history();
      const auto splits = any_splits(lines.size());
      const Outcome one = lives(lines, {}, log_clock);
      const Outcome many = lives(lines, splits, log_clock);
      RC_ASSERT(difference(counts_in(many.status), counts_in(one.status)) == "");
    });
    REQUIRE(holds);
  }
}

TEST_CASE("A replay in several lives tells the alerts of one when they are split between slots",
          "[once][property]") {
  const bool holds = rc::check([] {
    const auto lines = any_history();
    const auto splits = at_slots(any_splits(lines.size()), lines);
    const Outcome one = lives(lines, {}, true);
    const Outcome many = lives(lines, splits, true);
    if (!splits.empty() && splits.back() == lines.size()) return;
    RC_ASSERT(many.told == one.told);
    RC_ASSERT(difference(counts_in(many.status), counts_in(one.status)) == "");
  });
  REQUIRE(holds);
}
