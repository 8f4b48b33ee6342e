// The story of all nodes: what several of them tell of one thing stands in it once.
#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "k8s/rollouts.hpp"
#include "timeline/story.hpp"
#include "timeline/wording.hpp"

namespace nines::agent::timeline {
namespace {

WallTime at(int64_t seconds) { return WallTime::from_s(1'790'000'000 + seconds); }

// As a node tells of a rollout of orders (or another workload) that it has seen.
core::TimelineEvent rollout(const std::string& node, uint64_t seq, int64_t seconds,
                            const std::string& revision, const std::string& workload = "orders") {
  k8s::Rollout seen;
  seen.ns = "shop";
  seen.kind = "Deployment";
  seen.workload = seen.service = workload;
  seen.revision = revision;
  seen.before = "before-" + node;  // as far as that node knows
  seen.object = "rs-" + workload + revision;
  seen.images = "app:" + revision;
  seen.pod = workload + "-" + revision + "-" + node;
  seen.at = at(seconds);
  slo::Change change = k8s::change_of(seen, node);
  change.id = seq;
  core::TimelineEvent out = event_of(change);
  out.node = node;
  out.seq = seq;
  return out;
}

std::vector<std::string> told_of(std::vector<core::TimelineEvent> events,
                                 const std::string& asked) {
  Kept kept;
  kept.node = asked;
  kept.blocks = {std::make_shared<const std::string>(core::encode(events))};
  std::vector<std::string> out;
  const core::Timeline timeline = tell_story(kept, {});
  for (const core::Entry& entry : timeline.entries()) {
    out.push_back(entry.event.node + " " +
                  std::to_string(entry.event.at.seconds() - 1'790'000'000) + " " + entry.event.key);
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("A rollout that three nodes saw is told once, as the first of them saw it",
          "[timeline]") {
  std::vector<core::TimelineEvent> events{rollout("b", 1, 40, "2"), rollout("a", 7, 55, "2"),
                                          rollout("c", 3, 41, "2"),
                                          rollout("c", 4, 50, "2", "mail")};
  const std::vector<std::string> once{"b 40 rollout/rs-orders2/2", "c 50 rollout/rs-mail2/2"};
  std::mt19937 chance(7);
  for (int i = 0; i < 10; ++i) {
    std::shuffle(events.begin(), events.end(), chance);
    CHECK(told_of(events, "a") == once);
    CHECK(told_of(events, "c") == once);
  }
}

TEST_CASE("A revision that comes back is another rollout, however soon", "[timeline]") {
  CHECK(told_of({rollout("a", 1, 10, "2"), rollout("b", 1, 12, "2"), rollout("b", 2, 60, "1"),
                 rollout("a", 2, 64, "1"), rollout("a", 3, 90, "2"), rollout("b", 3, 99, "2")},
                "a") == std::vector<std::string>{"a 10 rollout/rs-orders2/2",
                                                 "a 90 rollout/rs-orders2/2",
                                                 "b 60 rollout/rs-orders1/1"});
}

TEST_CASE("What has no name of the cluster's is told by each node that tells it", "[timeline]") {
  core::TimelineEvent older = rollout("a", 1, 10, "2"), other = rollout("b", 1, 10, "2");
  older.key.clear();
  other.key.clear();
  CHECK(told_of({older, other}, "a").size() == 2);
}

}  // namespace nines::agent::timeline
