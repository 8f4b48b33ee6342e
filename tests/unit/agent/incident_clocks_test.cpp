// What nodes with different clocks know is laid together by one clock.
#include <catch2/catch.hpp>

#include "incident/watcher.hpp"
#include "timeline/clock_book.hpp"

namespace nines::agent::incident {
namespace {

constexpr int64_t kStart = 1'790'000'000;
constexpr int64_t kAhead = 7 * kNsPerSecond, kBehind = -4 * kNsPerSecond;
constexpr int64_t kSure = 2 * kNsPerMs;

WallTime at(int64_t s) { return WallTime::from_s(kStart + s); }

// The front door on n1, orders on n2 whose clock is 7 s ahead, pay on n3 whose clock is 4 s behind.
struct ThreeNodes {
  Watcher front{"n1", {INT64_MIN}, 1024 * 1024}, middle{"n2", {INT64_MIN}, 1024 * 1024},
      back{"n3", {INT64_MIN}, 1024 * 1024};

  static void line(Watcher& watcher, int64_t ahead_ns, int64_t ms, std::string_view service,
                   const std::string& message, bool error = false) {
    collector::ObservedRecord record;
    record.at = {(kStart * 1000 + ms) * kNsPerMs + ahead_ns};
    record.service = service;
    record.message = message;
    record.level = error ? Level::error : Level::info;
    record.has_level = true;
    watcher.record(record);
  }

  void requests(int64_t from_s, int64_t to_s, bool broken) {
    for (int64_t s = from_s; s < to_s; ++s) {
      const std::string id = " trace_id=abc" + std::to_string(100'000 + s);
      const int64_t ms = s * 1000;
      line(front, 0, ms, "shop", "order comes in" + id);
      line(middle, kAhead, ms + 10, "orders", "order is taken" + id);
      line(back, kBehind, ms + 20, "pay", "charging card" + id);
      if (broken) {
        line(back, kBehind, ms + 30, "pay", "card service refused connection" + id, true);
        line(middle, kAhead, ms + 40, "orders", "not paid, order is dropped" + id, true);
        line(front, 0, ms + 50, "shop", "order failed" + id, true);
      } else {
        line(back, kBehind, ms + 30, "pay", "card charged" + id);
        line(middle, kAhead, ms + 40, "orders", "order is stored" + id);
        line(front, 0, ms + 50, "shop", "order answered" + id);
      }
      if (s % 10 != 0) continue;
      (void)front.look(at(s), true);
      (void)middle.look({at(s).ns + kAhead}, true);
      (void)back.look({at(s).ns + kBehind}, true);
    }
  }

  // As n1 asks the others; `unsure_ns` of n3, whose clock is taken to be as told.
  Answer ask(int64_t onset_s, int64_t now_s, bool corrected, int64_t unsure_ns = kSure) const {
    const std::vector<NodeTime> clocks{{"n2", corrected ? kAhead : 0, kSure},
                                       {"n3", corrected ? kBehind : 0, unsure_ns}};
    const EvidenceQuestion asked{at(onset_s - 3'600), at(onset_s), at(now_s), 1024 * 1024};
    const EvidenceQuestion wide = widened(asked, widest_ahead(clocks));
    std::vector<NodeEvidence> others;
    for (const auto& [watcher, clock] : {std::pair{&middle, clocks[0]}, {&back, clocks[1]}}) {
      auto evidence = decode_evidence(encode(watcher->share(wide)), wide);
      REQUIRE(evidence);
      correct(*evidence, clock, asked);
      evidence->node = clock.node;
      others.push_back(std::move(*evidence));
    }
    return front.ask({at(onset_s), at(now_s)}, others);
  }
};

std::vector<std::string> told(const std::vector<core::RequestTrail::Call>& calls) {
  std::vector<std::string> out;
  for (const auto& call : calls) out.push_back(call.caller + " > " + call.callee);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

TEST_CASE("Nodes at +7 s and -4 s are laid together as if their clocks were right", "[incident]") {
  ThreeNodes nodes;
  nodes.requests(0, 1'800, false);
  nodes.requests(1'800, 1'960, true);
  const Answer answer = nodes.ask(1'800, 1'960, true);
  REQUIRE_FALSE(answer.suspects.empty());
  CHECK(answer.suspects[0].told.service == "pay");
  CHECK(answer.suspects[0].node == "n3");
  CHECK(told(answer.calls) == std::vector<std::string>{"orders > pay", "shop > orders"});
  // All lines of the 130 s that are looked at and of the hour before, none twice; requests of the
  // last three seconds may not be over.
  CHECK(answer.lines == 6 * (1'800 + 130));
  CHECK(answer.requests == 1'800 + 130 - 3);
  CHECK(tell_clocks(answer.clocks) == "n2 is 7.0 s ahead, n3 is 4.0 s behind");
  // What it is good for: by the clocks as they are, who calls whom is turned around.
  CHECK(told(nodes.ask(1'800, 1'960, false).calls) != told(answer.calls));
}

TEST_CASE("The example of a node whose clock is wrong bears the time of this one's", "[incident]") {
  ThreeNodes nodes;
  nodes.requests(0, 1'800, false);
  nodes.requests(1'800, 1'960, true);
  const Answer right = nodes.ask(1'800, 1'960, true);
  const Answer wrong = nodes.ask(1'800, 1'960, false);
  REQUIRE_FALSE(right.suspects.empty());
  const auto of_pay = [](const Answer& answer) {
    for (const Suspicion& one : answer.suspects) {
      if (one.told.service == "pay") return one.example.at;
    }
    return WallTime{};
  };
  REQUIRE(of_pay(right).ns != 0);
  CHECK(of_pay(right).ns % kNsPerSecond == 30 * kNsPerMs);
  CHECK(of_pay(right).ns - of_pay(wrong).ns == -kBehind);
}

TEST_CASE("Where a clock may be off, who called whom is not concluded from it, and that is said",
          "[incident]") {
  ThreeNodes nodes;
  nodes.requests(0, 1'800, false);
  nodes.requests(1'800, 1'960, true);
  const Answer answer = nodes.ask(1'800, 1'960, true, 1'200 * kNsPerMs);
  CHECK(told(answer.calls) == std::vector<std::string>{"shop > orders"});
  CHECK(tell_clocks(answer.clocks) == "n2 is 7.0 s ahead, n3 is 4.0 s behind, within 1.2 s");
  CHECK(tell_clocks({{"n4", 0, std::nullopt}, {"n5", 3 * kNsPerMs, kNsPerMs}}) ==
        "n4 is not known");
  CHECK(tell_clocks({{"n4", 0, 2 * kNsPerSecond}}) == "n4 may be off by 2.0 s");
}

TEST_CASE("A clock that is hours off does not make the question wider than five minutes",
          "[incident]") {
  CHECK(widest_ahead({}) == 0);
  CHECK(widest_ahead({{"a", kAhead, kSure}, {"b", kBehind, kSure}}) == kAhead + kSure);
  CHECK(widest_ahead({{"a", 7'200 * kNsPerSecond, kSure}, {"b", kBehind, kSure}}) ==
        -kBehind + kSure);
  CHECK(widest_ahead({{"a", INT64_MIN, INT64_MAX}}) == 0);
  CHECK(widest_ahead({{"a", 1, INT64_MAX}}) == kMostAheadNs);
}

TEST_CASE("The clocks of a moment are those that were surest then", "[incident]") {
  timeline::ClockBook book("n1");
  for (int64_t s = 0; s < 7'200; s += 10) {
    const bool set = s >= 3'600;  // the clock of n2 was put right
    book.exchange("n2", set ? 0 : kAhead, kSure, at(s));
    book.exchange("n3", kBehind, kSure, at(s));
    book.tick(at(s));
  }
  const auto then = book.clocks_at(at(1'800), at(7'200));
  REQUIRE(then.size() == 2);
  CHECK(then[0].node == "n2");
  CHECK(then[0].offset_ns == kAhead);
  CHECK(*then[0].uncertainty_ns < kSureNs);
  CHECK(then[1].offset_ns == kBehind);
  const auto now = book.clocks_at(at(7'190), at(7'200));
  REQUIRE(now.size() == 2);
  CHECK(now[0].offset_ns == 0);
  // Long after: nobody measured since.
  CHECK(*book.clocks_at(at(20 * 86'400), at(20 * 86'400))[1].uncertainty_ns > kSureNs);
}

}  // namespace nines::agent::incident
