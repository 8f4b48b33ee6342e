// The timeline within the agent: over a real store and a restart, on nodes that hear of each other,
// and how long a day of eight nodes takes.
#include <catch2/catch.hpp>
#include <chrono>
#include <nlohmann/json.hpp>

#include "app/timeline.hpp"
#include "config_support.hpp"
#include "http/timeline_api.hpp"

namespace nines::agent {
namespace {

using nlohmann::json;
using timeline::core::EventKind;
using timeline::core::TimelineEvent;

constexpr int64_t kNow = 1'790'000'000;

// Its monotonic clock goes on when the other one is set.
class SettableClock final : public Clock {
 public:
  Instant mono() const noexcept override { return mono_; }
  WallTime wall() const noexcept override { return wall_; }
  void advance_s(int64_t s) {
    mono_.ns += s * kNsPerSecond;
    wall_.ns += s * kNsPerSecond;
  }
  void set_by_s(int64_t s) { wall_.ns += s * kNsPerSecond; }

 private:
  Instant mono_{1};
  WallTime wall_ = WallTime::from_s(kNow);
};

std::unique_ptr<store::StateStore> open_in(const std::string& folder) {
  store::StoreOptions options;
  options.directory = folder + "/state";
  auto opened = store::StateStore::open(options);
  REQUIRE(opened.ok());
  return std::move(*opened);
}

// A life of a node: what it keeps is written at once.
struct Life {
  explicit Life(const std::string& folder, const SettableClock& clock) : store(open_in(folder)) {
    auto started = TimelineKeeper::start({io, clock, "n1",
                                          [this](const std::vector<store::Document>& documents) {
                                            ++writes;
                                            REQUIRE(store->put_documents(documents).ok());
                                          }},
                                         *store);
    REQUIRE(started.ok());
    keeper = std::move(*started);
  }
  void note(const std::string& text, WallTime at, EventKind kind = EventKind::note) {
    slo::Change change;
    change.id = ++last;
    change.at = at;
    change.kind = kind == EventKind::state ? slo::ChangeKind::budget_step : slo::ChangeKind::note;
    change.text = text;
    keeper->recorder().change(change, at);
  }
  void look() { keeper->look(engine, true); }
  std::string ask(timeline::StoryWish wish) {
    std::optional<Result<std::string>> told;
    keeper->ask(std::move(wish), [&](Result<std::string> answer) { told = std::move(answer); });
    const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (!told) {
      REQUIRE(std::chrono::steady_clock::now() < guard);
      io.restart();
      io.run_one_for(std::chrono::seconds(1));
    }
    REQUIRE(told->ok());
    return **told;
  }
  std::vector<std::string> texts() {
    std::vector<std::string> out;
    const json told = json::parse(ask({}));
    for (const json& one : told["events"]) out.push_back(one["text"]);
    return out;
  }

  boost::asio::io_context io{1};
  slo::SloEngine engine;
  std::unique_ptr<store::StateStore> store;
  int writes = 0;
  uint64_t last = 0;
  std::unique_ptr<TimelineKeeper> keeper;
};

using Texts = std::vector<std::string>;

// A day of eight nodes whose clocks are apart, as n1 has it in its store.
void keep_day(const std::string& folder, WallTime end) {
  timeline::EventLog log("n1");
  timeline::ClockBook clocks("n1");
  const auto store = open_in(folder);
  const WallTime begin{end.ns - 86'000 * kNsPerSecond};
  for (int64_t i = 0; i < 20'000; ++i) {
    const int64_t node = i % 8 + 1;
    TimelineEvent event;
    event.node = "n" + std::to_string(node);
    event.kind = static_cast<EventKind>(i % timeline::core::kEventKinds);
    event.service = "service-" + std::to_string(i % 40);
    event.text = "something of about the usual length happened, number " + std::to_string(i);
    event.key = "alert/slo/fast/" + std::to_string(i);
    const WallTime now{begin.ns + i * 4'300 * kNsPerMs};
    event.at = {now.ns + (node - 1) * 3 * kNsPerSecond};  // clocks are apart
    event.seq = static_cast<uint64_t>(i + 1);
    if (node == 1) {
      log.add(event, now);
    } else {
      REQUIRE(log.take(event, now));
    }
    if (i % 50 != 0) continue;
    for (int64_t other = 2; other <= 8; ++other) {
      clocks.exchange("n" + std::to_string(other), (other - 1) * 3 * kNsPerSecond, kNsPerMs, now);
    }
    clocks.tick(now);
  }
  REQUIRE(log.stats().dropped == 0);
  REQUIRE(store->put_documents(log.take_changes()).ok());
  REQUIRE(store->put_documents(clocks.take_changes()).ok());
}

}  // namespace

TEST_CASE("What was recorded is written by the next look, and there after a kill", "[timeline]") {
  const test::ConfigFolder tree;
  SettableClock clock;
  {
    Life life(tree.path(), clock);
    life.note("one", clock.wall());
    clock.advance_s(1);
    life.note("two", clock.wall());
    life.look();
    CHECK(life.writes == 1);
    life.look();
    CHECK(life.writes == 1);  // nothing new: nothing is written
    clock.advance_s(1);
    life.note("not written any more", clock.wall());
  }
  Life next(tree.path(), clock);
  CHECK(next.texts() == Texts{"note: one", "note: two"});
}

TEST_CASE("What may wait is written within a minute, or with what does not", "[timeline]") {
  const test::ConfigFolder tree;
  SettableClock clock;
  Life life(tree.path(), clock);
  life.note("a step", clock.wall(), EventKind::state);
  life.look();
  CHECK(life.writes == 0);
  CHECK(life.keeper->changes().size() == 1);  // goes with a commit
  clock.advance_s(61);
  life.look();
  CHECK(life.writes == 1);
  CHECK(life.keeper->changes().empty());
}

TEST_CASE("A clock that is set is told, and what follows keeps its order", "[timeline]") {
  const test::ConfigFolder tree;
  SettableClock clock;
  Life life(tree.path(), clock);
  life.look();
  life.note("before", clock.wall());
  clock.advance_s(10);
  clock.set_by_s(-3'600);
  life.look();
  life.note("after", clock.wall());
  const json told = json::parse(life.ask({}));
  std::map<std::string, json> by_text;
  for (const json& one : told["events"]) by_text[one["text"]] = one;
  REQUIRE(by_text.contains("the clock of n1 was set back by 3600.0 s"));
  CHECK(by_text["note: after"]["seq"].get<uint64_t>() >
        by_text["note: before"]["seq"].get<uint64_t>());
  CHECK(told["stats"]["out_of_sequence"].get<int>() > 0);  // time and sequence disagree
}

TEST_CASE("More questions than may wait are refused", "[timeline]") {
  const test::ConfigFolder tree;
  SettableClock clock;
  Life life(tree.path(), clock);
  size_t refused = 0, told = 0;
  for (size_t i = 0; i < 10; ++i) {
    life.keeper->ask(timeline::StoryWish{}, [&](const Result<std::string>& answer) {
      ++(answer.ok() ? told : refused);
      if (!answer.ok()) CHECK(answer.error().code == Errc::unavailable);
    });
  }
  CHECK(refused == 10 - TimelineKeeper::kMostAsked);
  const auto guard = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (told < TimelineKeeper::kMostAsked) {
    REQUIRE(std::chrono::steady_clock::now() < guard);
    life.io.restart();
    life.io.run_one_for(std::chrono::seconds(1));
  }
  CHECK(life.keeper->figures().busy == refused);
  CHECK(life.texts().empty());  // and later there is room again
}

TEST_CASE("A day of 20,000 events over eight nodes is told within two seconds", "[timeline]") {
  const test::ConfigFolder tree;
  SettableClock clock;
  keep_day(tree.path(), clock.wall());
  using Steady = std::chrono::steady_clock;
  const auto since = [](Steady::time_point from) {
    return std::chrono::duration<double>(Steady::now() - from).count();
  };
  auto from = Steady::now();
  Life life(tree.path(), clock);
  const double restored_s = since(from);
  http::TimelineAccess access;
  access.now = [&] { return clock.wall(); };
  access.tell = [&](timeline::StoryWish wish, std::function<void(Result<std::string>)> done) {
    life.keeper->ask(std::move(wish), std::move(done));
  };
  const auto handler =
      http::make_timeline_api(std::move(access), [](const http::HttpRequest&, http::Reply) {});
  for (const char* format : {"json", "text", "mermaid", "svg"}) {
    from = Steady::now();
    std::optional<http::HttpResponse> told;
    handler({"GET", "/api/timeline", std::string("since=24h&format=") + format, {}, {}},
            [&](http::HttpResponse answer) { told = std::move(answer); });
    while (!told && since(from) < 60) {
      life.io.restart();
      life.io.run_one_for(std::chrono::seconds(1));
    }
    const double told_s = since(from);
    REQUIRE(told);
    REQUIRE(told->status == 200);
    WARN(format << ": " << told->body.size() << " bytes in " << told_s << " s, restored in "
                << restored_s << " s");
    CHECK(restored_s + told_s < 30);  // the floor; what it takes is printed
    if (std::string(format) != "json") continue;
    const json all = json::parse(told->body);
    CHECK(all["events"].size() == 20'000);
    CHECK(all["nodes"].size() == 8);
    CHECK(all["stats"]["beyond_limit"] == 0);
    // The true order: every event in its turn, whatever its node's clock showed.
    size_t inversions = 0;
    for (size_t i = 1; i < all["events"].size(); ++i) {
      const auto number = [&](size_t at) {
        const std::string text = all["events"][at]["text"];
        return std::stol(text.substr(text.rfind(' ')));
      };
      if (number(i) < number(i - 1)) ++inversions;
    }
    CHECK(inversions == 0);
  }
}

}  // namespace nines::agent
