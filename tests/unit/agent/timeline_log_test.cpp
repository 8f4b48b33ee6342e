// What is kept of the timeline: each event once, in the order of its node, over restarts, bounded.
#include <catch2/catch.hpp>

#include "timeline/event_log.hpp"

namespace nines::agent::timeline {
namespace {

constexpr int64_t kStart = 1'790'000'000;
WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

core::TimelineEvent event(int64_t s, const std::string& text) {
  core::TimelineEvent out;
  out.kind = core::EventKind::note;
  out.at = at(s);
  out.text = text;
  return out;
}

core::TimelineEvent told(const std::string& node, uint64_t seq, int64_t s) {
  core::TimelineEvent out = event(s, "told");
  out.node = node;
  out.seq = seq;
  return out;
}

// What a store would have.
struct Shelf {
  std::map<std::string, std::string> bodies;
  void put(const std::vector<store::Document>& documents) {
    for (const store::Document& one : documents) {
      if (one.body.empty()) {
        bodies.erase(one.key);
      } else {
        bodies[one.key] = one.body;
      }
    }
  }
  std::vector<store::Document> all() const {
    std::vector<store::Document> out;
    for (const auto& [key, body] : bodies) out.push_back({EventLog::kDocuments, key, body});
    return out;
  }
};

std::vector<std::string> texts(const EventLog& log) {
  std::vector<std::string> out;
  for (const auto& one : log.events()) out.push_back(one.text);
  return out;
}

}  // namespace

TEST_CASE("Events of the timeline are there again after a restart, and numbers go on rising",
          "[timeline]") {
  Shelf shelf;
  uint64_t last = 0;
  std::vector<std::string> wanted;
  for (int life = 0; life < 3; ++life) {
    EventLog log("n1");
    log.restore(shelf.all(), at(life * 1'000));
    CHECK(texts(log) == wanted);
    for (int i = 0; i < 100; ++i) {
      const int64_t s = life * 1'000 + i;
      wanted.push_back("event " + std::to_string(s));
      const auto& kept = log.add(event(s, wanted.back()), at(s));
      CHECK(kept.node == "n1");
      CHECK(kept.seq > last);
      last = kept.seq;
      shelf.put(log.take_changes());
    }
  }
  EventLog log("n1");
  log.restore(shelf.all(), at(9'000));
  CHECK(texts(log) == wanted);
  CHECK(log.stats().events == 300);
  CHECK(shelf.bodies.size() == 5);  // of 64 each
}

TEST_CASE("Only the block that is being filled is written anew", "[timeline]") {
  EventLog log("n1");
  for (int i = 0; i < 200; ++i) log.add(event(i, "x"), at(i));
  CHECK(log.take_changes().size() == 4);
  CHECK_FALSE(log.has_changes());
  log.add(event(201, "y"), at(201));
  CHECK(log.changes().size() == 1);  // may be looked at without being taken
  CHECK(log.take_changes().size() == 1);
  CHECK(log.take_changes().empty());
}

TEST_CASE("A node that was given back an old clock still numbers its events upwards",
          "[timeline]") {
  Shelf shelf;
  uint64_t last = 0;
  {
    EventLog log("n1");
    last = log.add(event(5'000, "before"), at(5'000)).seq;
    shelf.put(log.take_changes());
  }
  EventLog log("n1");  // no battery: it starts an hour back
  log.restore(shelf.all(), at(1'400));
  CHECK(log.add(event(1'400, "after"), at(1'400)).seq > last);
}

TEST_CASE("A clock that is set back is seen by number and time that disagree", "[timeline]") {
  EventLog log("n1");
  const uint64_t first = log.add(event(100, "a"), at(100)).seq;
  log.clock_set(-50 * kNsPerSecond);
  const uint64_t second = log.add(event(60, "b"), at(60)).seq;
  CHECK(second > first);
  CHECK(second - first == 10'000'000);  // ten true seconds later
}

TEST_CASE("What is noticed late keeps its place among the last minute only", "[timeline]") {
  EventLog log("n1");
  const uint64_t page = log.add(event(100, "page"), at(100)).seq;
  const uint64_t line = log.add(event(95, "a line of five seconds before"), at(101)).seq;
  CHECK(line < page);
  const uint64_t told = log.add(event(-3'600, "deployed an hour ago"), at(102)).seq;
  CHECK(told > page);
  const uint64_t twin = log.add(event(100, "at the same instant"), at(102)).seq;
  CHECK(twin == page + 1);
}

TEST_CASE("What another node tells again is known, also after a restart", "[timeline]") {
  Shelf shelf;
  EventLog log("n1");
  CHECK(log.take(told("n2", 7, 1), at(10)));
  CHECK(log.take(told("n2", 5, 0), at(10)));  // late, out of order
  CHECK_FALSE(log.take(told("n2", 7, 1), at(11)));
  const uint64_t own = log.add(event(3, "own"), at(3)).seq;
  CHECK_FALSE(log.take(told("n1", own, 3), at(11)));
  CHECK_FALSE(log.take(told("", 9, 1), at(11)));
  shelf.put(log.take_changes());
  EventLog again("n1");
  again.restore(shelf.all(), at(20));
  CHECK_FALSE(again.take(told("n2", 5, 0), at(21)));
  CHECK(again.take(told("n2", 8, 2), at(21)));
  CHECK(again.events().size() == 4);
  CHECK(again.stats().known == 1);
  EventLog bare("n1");  // its disk is lost: peers still have it
  CHECK(bare.take(told("n1", own, 3), at(22)));
  CHECK(bare.add(event(3, "another"), at(22)).seq > own);
}

TEST_CASE("The timeline is bounded by events, bytes, age and nodes, and counts what goes",
          "[timeline]") {
  EventLogLimits limits;
  limits.max_events = 256;
  limits.max_nodes = 3;
  limits.keep_s = 1'000;
  Shelf shelf;
  EventLog log("n1", limits);
  for (int i = 0; i < 1'000; ++i) {
    log.add(event(i, "x"), at(i));
    shelf.put(log.take_changes());
    REQUIRE(log.stats().events <= 256);
  }
  CHECK(log.stats().dropped == 1'000 - log.stats().events);
  CHECK(shelf.bodies.size() <= 5);
  CHECK(log.take(told("n2", 1, 990), at(1'000)));
  CHECK(log.take(told("n3", 1, 990), at(1'000)));
  CHECK_FALSE(log.take(told("n4", 1, 990), at(1'000)));
  CHECK_FALSE(log.take(told("n2", 2, -10'000), at(1'000)));  // older than what is kept
  CHECK(log.stats().refused == 2);
  log.add(event(9'000, "much later"), at(9'000));
  shelf.put(log.take_changes());
  CHECK(log.stats().events <= EventLog::kBlockEvents);  // the block being filled stays
  CHECK(shelf.bodies.size() == 1);

  limits = {};
  limits.max_bytes = 40'000;
  EventLog small("n1", limits);
  for (int i = 0; i < 500; ++i) {
    small.add(event(i, std::string(900, 'x')), at(i));
    REQUIRE(small.stats().bytes <= 40'000 + 1'000);
    for (const auto& document : small.take_changes()) CHECK(document.body.size() < 60'000);
  }
  CHECK(small.stats().dropped > 0);
}

TEST_CASE("A damaged block costs its events and no other", "[timeline]") {
  Shelf shelf;
  {
    EventLog log("n1");
    for (int i = 0; i < 150; ++i) log.add(event(i, "x"), at(i));
    shelf.put(log.take_changes());
  }
  REQUIRE(shelf.bodies.size() == 3);
  shelf.bodies.begin()->second[10] ^= 1;
  EventLog log("n1");
  log.restore(shelf.all(), at(200));
  CHECK(log.events().size() == 150 - 64);
  CHECK(log.stats().damaged == 1);
  shelf.put(log.take_changes());
  CHECK(shelf.bodies.size() == 2);
}

}  // namespace nines::agent::timeline
