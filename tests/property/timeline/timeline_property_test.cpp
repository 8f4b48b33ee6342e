// Random worlds: true times, clocks that are wrong, what is known of them. Whatever is claimed must
// be true there.
#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "nines/timeline/clock_model.hpp"
#include "nines/timeline/render.hpp"
#include "nines/timeline/timeline.hpp"

using namespace nines;
using namespace nines::timeline;

namespace {

constexpr int64_t kBase = 1'700'000'000 * kNsPerSecond;

int64_t between(int64_t low, int64_t high) { return *rc::gen::inRange<int64_t>(low, high + 1); }

struct World {
  std::vector<TimelineEvent> events;
  std::vector<NodeClock> clocks;
  std::map<std::pair<std::string, uint64_t>, int64_t> truth;

  int64_t truth_of(const Entry& e) const { return truth.at({e.event.node, e.event.seq}); }
};

std::string name(int64_t node) { return "n" + std::to_string(node); }

// Alerts, pages and acks of a key in their true order, each on any node.
void add_keys(int64_t nodes, int64_t span,
              std::vector<std::tuple<int64_t, int64_t, EventKind, std::string>>& happened) {
  const int64_t keys = between(0, 4);
  for (int64_t k = 0; k < keys; ++k) {
    int64_t at = between(0, span);
    for (const EventKind kind : {EventKind::alert, EventKind::page, EventKind::ack}) {
      happened.emplace_back(at, between(0, nodes - 1), kind, "key" + std::to_string(k));
      at += between(1, span / 4 + 1);
    }
  }
}

World random_world(bool perfect) {
  World world;
  const int64_t nodes = between(1, 5), span = between(10, 100'000), count = between(0, 60);
  std::vector<std::tuple<int64_t, int64_t, EventKind, std::string>> happened;
  add_keys(nodes, span, happened);
  for (int64_t i = 0; i < count; ++i)
    happened.emplace_back(between(0, span), between(0, nodes - 1), EventKind::note, "");
  std::sort(happened.begin(), happened.end());
  if (perfect) {  // far enough apart for what is known of the clocks
    for (size_t i = 0; i < happened.size(); ++i)
      std::get<0>(happened[i]) = static_cast<int64_t>(i + 1) * 5'000;
  }
  std::vector<int64_t> wrong(static_cast<size_t>(nodes), 0);
  for (int64_t n = 1; n < nodes; ++n) {
    wrong[static_cast<size_t>(n)] = between(-1'000'000, 1'000'000);
    if (!perfect && between(0, 5) == 0) continue;  // nothing is known of it
    const int64_t moments = between(1, 3);
    for (int64_t m = 0; m < moments; ++m) {
      const int64_t unsure = between(0, perfect ? 1'000 : 20'000);
      world.clocks.push_back({name(n),
                              {kBase + between(0, span)},
                              wrong[static_cast<size_t>(n)] + between(-unsure, unsure),
                              unsure,
                              0,
                              NodeClock::Source::exchange});
    }
  }
  std::vector<uint64_t> seqs(static_cast<size_t>(nodes), 0);
  for (const auto& [at, node, kind, key] : happened) {
    const auto n = static_cast<size_t>(node);
    // Some are written down late.
    const uint64_t seq = ++seqs[n] + (!perfect && between(0, 9) == 0 ? 1000 : 0);
    TimelineEvent event;
    event.node = name(node);
    event.seq = seq;
    event.kind = kind;
    event.key = key;
    event.at = {kBase + at + wrong[n]};
    world.truth[{event.node, seq}] = at;
    world.events.push_back(event);
  }
  return world;
}

std::vector<TimelineEvent> shuffled(std::vector<TimelineEvent> events) {
  for (size_t i = events.size(); i > 1; --i)
    std::swap(events[i - 1], events[static_cast<size_t>(between(0, static_cast<int64_t>(i) - 1))]);
  return events;
}

}  // namespace

TEST_CASE("timeline: every order that is claimed is right in the true world") {
  CHECK(rc::check([] {
    const World world = random_world(false);
    const auto timeline = Timeline::build(shuffled(world.events), world.clocks, "n0");
    const auto& entries = timeline.entries();
    RC_ASSERT(entries.size() == world.events.size());
    for (size_t b = 0; b < entries.size(); ++b) {
      const Entry& entry = entries[b];
      if (entry.clock_known) {
        RC_ASSERT(entry.low.ns <= kBase + world.truth_of(entry));
        RC_ASSERT(entry.high.ns >= kBase + world.truth_of(entry));
        RC_ASSERT(entry.low <= entry.at);
        RC_ASSERT(entry.at <= entry.high);
      }
      RC_ASSERT_FALSE(entry.doubtful);
      for (size_t a = 0; a < entries.size(); ++a) {
        if (timeline.before(a, b)) {
          RC_ASSERT(a < b);
          RC_ASSERT(world.truth_of(entries[a]) <= world.truth_of(entry));
        }
      }
    }
    RC_ASSERT_FALSE(timeline.stats().keys_unused);
  }));
}

TEST_CASE("timeline: intervals that do not overlap are always told to be in order") {
  CHECK(rc::check([] {
    const World world = random_world(false);
    const auto timeline = Timeline::build(world.events, world.clocks, "n0");
    const auto& entries = timeline.entries();
    for (size_t a = 0; a < entries.size(); ++a) {
      for (size_t b = a + 1; b < entries.size(); ++b) {
        const bool apart =
            entries[a].event.node != entries[b].event.node && entries[a].high < entries[b].low;
        if (apart) RC_ASSERT(timeline.before(a, b));
        // What is next to each other without a group is in order.
        const bool own = entries[a].event.node == entries[b].event.node &&
                         !(entries[a].in_sequence && entries[b].in_sequence);
        if (b == a + 1 && !own && entries[a].clock_known && entries[b].clock_known &&
            (!entries[a].group || entries[a].group != entries[b].group))
          RC_ASSERT(timeline.before(a, b));
      }
    }
  }));
}

TEST_CASE("timeline: a known sequence is reproduced exactly when clocks are known well enough") {
  CHECK(rc::check([] {
    const World world = random_world(true);
    const auto timeline = Timeline::build(shuffled(world.events), world.clocks, "n0");
    const auto& entries = timeline.entries();
    RC_ASSERT(entries.size() == world.events.size());
    for (size_t i = 0; i < entries.size(); ++i) {
      RC_ASSERT(entries[i].event == world.events[i]);
      RC_ASSERT(i == 0 || timeline.before(i - 1, i));
      RC_ASSERT_FALSE(entries[i].group);
    }
  }));
}

TEST_CASE("timeline: clocks that random true bounds tell hold the truth") {
  CHECK(rc::check([] {
    const int64_t nodes = between(2, 6), calls = between(1, 80);
    std::vector<int64_t> wrong;
    for (int64_t n = 0; n < nodes; ++n)
      wrong.push_back(between(-30 * kNsPerSecond, 30 * kNsPerSecond));
    ClockModel model;
    for (int64_t i = 0; i < calls; ++i) {
      const auto a = static_cast<size_t>(between(0, nodes - 1));
      const auto b = static_cast<size_t>(between(0, nodes - 1));
      const std::string caller = name(static_cast<int64_t>(a)),
                        callee = name(static_cast<int64_t>(b));
      const int64_t start = between(0, kNsPerSecond), there = start + between(0, 9 * kNsPerMs),
                    back = there + between(0, 9 * kNsPerMs), end = back + between(0, 9 * kNsPerMs);
      const auto by = [&](size_t n, int64_t at) { return WallTime{kBase + at + wrong[n]}; };
      if (between(0, 9) == 0)
        model.add_exchange(caller, callee, wrong[b] - wrong[a] + between(-100, 100), 100, {kBase});
      else
        model.add_span({caller, by(a, start), by(a, end)}, {callee, by(b, there), by(b, back)},
                       {kBase});
    }
    for (const NodeClock& clock : model.solve("n0", {kBase})) {
      if (!clock.uncertainty_ns) continue;
      const auto n = static_cast<size_t>(std::stoi(clock.node.substr(1)));
      RC_ASSERT(std::abs(clock.offset_ns - (wrong[n] - wrong[0])) <= *clock.uncertainty_ns);
    }
  }));
}

TEST_CASE("timeline: events of any content are the same after a way as bytes") {
  CHECK(rc::check([](const std::vector<std::pair<std::string, std::string>>& texts) {
    std::vector<TimelineEvent> events;
    for (const auto& [text, key] : texts) {
      TimelineEvent event;
      event.node = "n" + key;
      event.text = text;
      event.key = key;
      event.at = {*rc::gen::arbitrary<int64_t>()};
      event.seq = *rc::gen::arbitrary<uint64_t>();
      event.kind = static_cast<EventKind>(between(0, kEventKinds - 1));
      event.fields.emplace_back(key, text);
      events.push_back(event);
      fit(events.back());
    }
    RC_ASSERT(decode(encode(events)).value() == events);
  }));
}

TEST_CASE("timeline: any bytes are drawn without a control character or markup") {
  CHECK(rc::check([](const std::vector<std::string>& texts) {
    std::vector<TimelineEvent> events;
    for (const std::string& text : texts) {
      TimelineEvent event;
      event.node = *rc::gen::element<std::string>("a", "b", text);
      event.service = event.text = event.key = text;
      event.at = {*rc::gen::arbitrary<int64_t>()};
      event.seq = events.size();
      events.push_back(event);
    }
    const auto timeline = Timeline::build(events, {}, "a");
    for (const std::string& drawn : {render_text(timeline), render_json(timeline),
                                     render_mermaid(timeline), render_svg(timeline)}) {
      for (const char c : drawn)
        RC_ASSERT((static_cast<unsigned char>(c) >= 0x20 || c == '\n') && c != 0x7F);
    }
    const std::string mermaid = render_mermaid(timeline);
    RC_ASSERT(mermaid.find_first_of(";#<{}%\"`") == std::string::npos);
  }));
}
