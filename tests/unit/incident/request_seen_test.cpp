// Which requests of a stretch of time a node tells others of: the same ones as they do.
#include <catch2/catch.hpp>

#include "nines/incident/request_trail.hpp"

using namespace nines;
using namespace nines::incident;

namespace {

constexpr int64_t kStart = 1'790'000'000;
WallTime at(int64_t ms) { return {kStart * kNsPerSecond + ms * kNsPerMs}; }

void add(RequestTrail& trail, int64_t ms, const std::string& request) {
  trail.add({at(ms), request, {}, "web", 1, false});
}

}  // namespace

TEST_CASE("A request was at work from its first to its last line, and counts where it began") {
  RequestTrail trail;
  add(trail, -5, "before");
  add(trail, 20, "before");
  add(trail, 30, "in");
  add(trail, 10, "in");
  add(trail, 1'500, "in");
  add(trail, 1'200, "behind");
  const auto seen = trail.seen(at(0), at(1'000), 10);
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].first == at(10));
  CHECK(seen[0].last == at(1'500));
}

TEST_CASE("Two nodes tell of the same requests, although one keeps fewer of them") {
  RequestTrail all;
  TrailLimits limits;
  limits.max_lines = 4'000;
  RequestTrail some(limits);
  for (int64_t i = 0; i < 20'000; ++i) {
    const std::string request = "request-" + std::to_string(i);
    add(all, i, request);
    add(some, i + 3, request);
  }
  REQUIRE(some.thinning() > all.thinning());
  const auto here = all.seen(at(0), at(30'000), 44), there = some.seen(at(0), at(30'000), 44);
  REQUIRE(here.size() == 44);
  REQUIRE(there.size() == 44);
  for (size_t i = 0; i < here.size(); ++i) {
    CHECK(here[i].request == there[i].request);
    CHECK(there[i].first.ns - here[i].first.ns == 3 * kNsPerMs);
    if (i > 0) CHECK(here[i].request > here[i - 1].request);
  }
}
