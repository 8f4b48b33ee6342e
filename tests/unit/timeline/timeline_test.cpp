#include "nines/timeline/timeline.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::timeline;

namespace {

constexpr int64_t kBase = 1'700'000'000 * kNsPerSecond;
constexpr int64_t kMs = kNsPerMs;

TimelineEvent event(const std::string& node, uint64_t seq, int64_t ms,
                    EventKind kind = EventKind::note, const std::string& key = {}) {
  TimelineEvent e;
  e.node = node;
  e.seq = seq;
  e.at = {kBase + ms * kMs};
  e.kind = kind;
  e.key = key;
  e.text = node + std::to_string(seq);
  return e;
}

NodeClock clock(const std::string& node, int64_t offset_ms, int64_t unsure_ms) {
  return {node, {kBase}, offset_ms * kMs, unsure_ms * kMs, 0, NodeClock::Source::exchange};
}

std::string order(const Timeline& timeline) {
  std::string out;
  for (const Entry& entry : timeline.entries()) out += (out.empty() ? "" : " ") + entry.event.text;
  return out;
}

}  // namespace

TEST_CASE("timeline: a known sequence over three clocks comes out as it was") {
  // b is 10 s ahead, c is 5 s behind; true order: a1 b1 c1 a2 c2 b2, 100 ms apart.
  const auto timeline =
      Timeline::build({event("a", 1, 0), event("a", 2, 300), event("b", 1, 10'100),
                       event("b", 2, 10'500), event("c", 1, -4'800), event("c", 2, -4'600)},
                      {clock("b", 10'000, 5), clock("c", -5'000, 20)}, "a");
  CHECK(order(timeline) == "a1 b1 c1 a2 c2 b2");
  for (size_t b = 1; b < 6; ++b) {
    CHECK(timeline.before(b - 1, b));
    CHECK_FALSE(timeline.before(b, b - 1));
    CHECK_FALSE(timeline.entries()[b].group);
  }
  CHECK(timeline.entries()[1].at.ns == kBase + 100 * kMs);
  CHECK(timeline.entries()[1].uncertainty_ns() ==
        5 * kMs + 10 * kNsPerUs);  // and 100 ppm of 100 ms
}

TEST_CASE("timeline: where intervals overlap no order is claimed and the events are one group") {
  const auto timeline =
      Timeline::build({event("a", 1, 0), event("a", 2, 10), event("b", 1, 5), event("b", 2, 500)},
                      {clock("b", 0, 20)}, "a");
  CHECK(order(timeline) == "a1 b1 a2 b2");
  CHECK_FALSE(timeline.before(0, 1));
  CHECK_FALSE(timeline.before(1, 2));
  CHECK(timeline.before(0, 2));  // one node
  CHECK(timeline.entries()[0].group == 0U);
  CHECK(timeline.entries()[2].group == 0U);
  CHECK_FALSE(timeline.entries()[3].group);
}

TEST_CASE("timeline: equal times are ordered by node, then by sequence") {
  const auto timeline = Timeline::build({event("b", 2, 0), event("b", 1, 0), event("a", 9, 0)},
                                        {clock("b", 0, 1)}, "a");
  CHECK(order(timeline) == "a9 b1 b2");
}

TEST_CASE("timeline: a page is after its alert and an ack after its page, whatever clocks say") {
  const auto timeline = Timeline::build(
      {event("a", 1, 100, EventKind::alert, "k"), event("b", 1, 90, EventKind::page, "k"),
       event("c", 1, 80, EventKind::ack, "k"), event("c", 2, 80, EventKind::ack, "other")},
      {clock("b", 0, 30), clock("c", 0, 40)}, "a");
  CHECK(order(timeline) == "a1 b1 c1 c2");
  CHECK(timeline.before(0, 1));
  CHECK(timeline.before(1, 2));
  CHECK(timeline.before(0, 2));
  CHECK(timeline.entries()[2].after == 1U);
  // What is before them narrows their own times: all after 100 ms.
  CHECK(timeline.entries()[1].low.ns >= kBase + 100 * kMs);
  CHECK(timeline.entries()[2].low.ns >= kBase + 100 * kMs);
}

TEST_CASE("timeline: of two alerts with one key no page is said to come") {
  const auto timeline = Timeline::build(
      {event("a", 1, 100, EventKind::alert, "k"), event("b", 1, 90, EventKind::page, "k"),
       event("c", 1, 80, EventKind::alert, "k")},
      {clock("b", 0, 30), clock("c", 0, 40)}, "a");
  for (const Entry& entry : timeline.entries()) CHECK_FALSE(entry.after);
}

TEST_CASE("timeline: a node whose clock nothing is known of may be anywhere, but for its keys") {
  const auto timeline =
      Timeline::build({event("a", 1, 0, EventKind::alert, "k"), event("a", 2, 1000),
                       event("x", 1, -90'000, EventKind::page, "k"), event("x", 2, 0)},
                      {}, "a");
  const auto& entries = timeline.entries();
  REQUIRE(entries.size() == 4);
  for (size_t i = 0; i < 4; ++i) {
    for (size_t k = 0; k < 4; ++k) {
      const auto &one = entries[i].event, &two = entries[k].event;
      if (one.node == "a" && two.node == "x")
        CHECK(timeline.before(i, k) == (one.seq == 1 && two.seq == 1));
      if (one.node == "x" && two.node == "a") CHECK_FALSE(timeline.before(i, k));
    }
    CHECK(entries[i].clock_known == (entries[i].event.node == "a"));
    CHECK_FALSE(entries[i].group);
  }
}

TEST_CASE("timeline: what contradicts its clock is told, and no order is concluded from its time") {
  const auto timeline =
      Timeline::build({event("a", 1, 1000, EventKind::alert, "k"), event("a", 2, 2000),
                       event("b", 1, 100, EventKind::page, "k")},
                      {clock("b", 0, 10)}, "a");
  CHECK(timeline.stats().doubtful >= 1);
  CHECK(order(timeline) == "a1 b1 a2");
  CHECK(timeline.before(0, 1));
  CHECK_FALSE(timeline.before(1, 2));
}

TEST_CASE("timeline: keys that go around in circles are not used") {
  const auto timeline = Timeline::build(
      {event("a", 1, 0, EventKind::page, "k"), event("a", 2, 1, EventKind::alert, "l"),
       event("b", 1, 0, EventKind::page, "l"), event("b", 2, 1, EventKind::alert, "k")},
      {clock("b", 0, 10)}, "a");
  CHECK(timeline.stats().keys_unused);
  CHECK(timeline.entries().size() == 4);
  for (const Entry& entry : timeline.entries()) CHECK_FALSE(entry.after);
}

TEST_CASE("timeline: events written down late have no order on their node from the sequence") {
  const auto timeline = Timeline::build(
      {event("a", 1, 100), event("a", 2, 200), event("a", 9, 150), event("a", 3, 300)}, {}, "a");
  CHECK(order(timeline) == "a1 a9 a2 a3");
  CHECK(timeline.stats().out_of_sequence == 1);
  CHECK(timeline.before(0, 2));
  CHECK(timeline.before(2, 3));
  CHECK_FALSE(timeline.before(0, 1));
  CHECK_FALSE(timeline.before(1, 2));
  for (const Entry& entry : timeline.entries()) CHECK_FALSE(entry.group);  // nothing overlaps
}

TEST_CASE("timeline: of several moments the surest is used, and time does not go back for it") {
  NodeClock early = clock("b", 100, 1), late = clock("b", 150, 1);
  late.at.ns += 1'000'000 * kMs;
  const auto timeline =
      Timeline::build({event("b", 1, 200), event("b", 2, 1'000'200)}, {early, late}, "a");
  CHECK(timeline.entries()[0].at.ns == kBase + 100 * kMs);
  CHECK(timeline.entries()[1].at.ns == kBase + 1'000'050 * kMs);
  CHECK(timeline.nodes()[0].offset_ns == 150 * kMs);
}

TEST_CASE("timeline: filters and the limit leave out what they say, and count it") {
  auto one = event("a", 1, 0, EventKind::change);
  one.service = "web";
  one.incident = "INC-1";
  auto two = event("b", 1, 1000, EventKind::alert);
  two.service = "db";
  const std::vector<TimelineEvent> events{one, two, event("a", 2, 2000), event("a", 2, 2000)};
  const std::vector<NodeClock> clocks{clock("b", 0, 10)};
  const auto with = [&](auto set) {
    TimelineFilter filter;
    set(filter);
    return order(Timeline::build(events, clocks, "a", filter));
  };
  CHECK(with([](auto&) {}) == "a1 b1 a2");
  CHECK(with([](auto& f) { f.node = "b"; }) == "b1");
  CHECK(with([](auto& f) { f.service = "web"; }) == "a1");
  CHECK(with([](auto& f) { f.incident = "INC-1"; }) == "a1");
  CHECK(with([](auto& f) { f.kinds = {EventKind::alert, EventKind::change}; }) == "a1 b1");
  CHECK(with([](auto& f) { f.since = WallTime{kBase + 1005 * kMs}; }) == "b1 a2");
  CHECK(with([](auto& f) { f.since = WallTime{kBase + 1020 * kMs}; }) == "a2");
  CHECK(with([](auto& f) { f.until = WallTime{kBase + 995 * kMs}; }) == "a1 b1");
  CHECK(with([](auto& f) { f.until = WallTime{kBase + 980 * kMs}; }) == "a1");
  CHECK(with([](auto& f) { f.limit = 2; }) == "a1 b1");
  TimelineFilter filter;
  filter.limit = 1;
  filter.service = "web";
  const auto stats = Timeline::build(events, clocks, "a", filter).stats();
  CHECK(stats.given == 4);
  CHECK(stats.twice == 1);
  CHECK(stats.filtered == 2);
  CHECK(stats.beyond_limit == 0);
}

TEST_CASE("timeline: times at the ends of the world do no harm") {
  const int64_t most = std::numeric_limits<int64_t>::max();
  auto far = event("b", 1, 0), near = event("b", 2, 0), mid = event("c", 1, 0);
  far.at = {most};
  near.at = {-most - 1};
  const auto timeline = Timeline::build(
      {far, near, mid, event("a", 1, 0)},
      {clock("b", 0, 1), {"c", {most}, -most - 1, most, 0, NodeClock::Source::spans}}, "a");
  CHECK(timeline.entries().size() == 4);
  CHECK(Timeline::build({}, {}, "a").entries().empty());
}
