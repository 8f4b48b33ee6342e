// A node with everything allowed, and one whose rule acts by itself: what most tests of the guard
// begin with.
#pragma once

#include <algorithm>
#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>

#include "guard_fixture.hpp"

namespace nines::remedy::testing {

inline const Action kRestart{Verb::unit_restart, {}};

inline bool refused_for(const Verdict& v, Refusal why) {
  return !v.event && std::count(v.refused.begin(), v.refused.end(), why) == 1;
}

struct Node {
  Guard guard{{"pi-1", 1}, open_limits()};
  Verdict one(Proposal p, int64_t s, std::optional<uint64_t> token = 1) {
    return guard.propose({std::move(p)}, token, at_s(s))[0];
  }
  // Begun, done and judged.
  std::string ran(Proposal p, int64_t s, bool good) {
    const Verdict v = one(std::move(p), s);
    REQUIRE(v.event);
    must(guard.result(v.event->uid(), Guard::Outcome::ok, "", at_s(s + 1)));
    must(guard.verified(v.event->uid(), good, "", at_s(s + 601)));
    return v.event->uid();
  }
};

struct Armed : Node {
  Armed() { arm(guard, "restart-worker", kRestart, -90'000); }
};

}  // namespace nines::remedy::testing
