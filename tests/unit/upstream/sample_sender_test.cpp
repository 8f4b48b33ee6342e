// Remote write against receivers that behave as the engines were measured to.
#include "nines/upstream/sample_sender.hpp"

#include <catch2/catch.hpp>

#include "receiver.hpp"

using namespace nines;
using namespace nines::upstream;
using namespace nines::upstream::test;

namespace {

constexpr int64_t kT0 = 1'800'000'000 / 60 * 60;
using Engine = Receiver::Engine;

TimeSeries one_series(const std::string& name) { return {{{"__name__", name}}, {}}; }

// Minute by minute, with a receiver that can be away.
struct Run {
  explicit Run(Engine engine, SampleSenderOptions options = {})
      : receiver(engine), machine(options, source(), canary(), 7) {}

  SampleSender::Source source() {
    return [this](int64_t from_s, int64_t to_s) {
      std::vector<TimeSeries> out;
      for (int i = 0; i < series; ++i) {
        out.push_back(one_series("s" + std::to_string(1000 + i)));
        for (int64_t at = (from_s + 59) / 60 * 60; at < to_s; at += 60) {
          out.back().samples.push_back({value(i, at), at * 1000});
        }
      }
      return out;
    };
  }
  static SampleSender::Canary canary() {
    return [](int64_t at_s) {
      TimeSeries s = one_series("canary");
      s.samples.push_back({1, at_s * 1000});
      return s;
    };
  }
  static double value(int i, int64_t at_s) { return static_cast<double>(at_s - kT0 + i); }

  // Everything that the machine wants to say at this instant.
  void talk() {
    for (int i = 0; i < 2000; ++i) {
      auto request = machine.begin(wall(), {now_s * kNsPerSecond});
      if (!request) return;
      machine.answered(answer(*request), wall(), {now_s * kNsPerSecond});
    }
    FAIL("it never rests");
  }
  Answer answer(const Request& request) {
    if (!up) return {0, "nothing listens there", {}, {}};
    if (failing) {
      ++failed;
      return *failing;
    }
    Answer out = receiver.write(request.body);
    if (lose_acks > 0) {
      --lose_acks;
      return {0, "connection reset", {}, {}};
    }
    out.date = WallTime::from_s(kT0 + now_s);
    return out;
  }
  WallTime wall() const { return WallTime::from_s(kT0 + now_s + clock_error_s); }
  void minutes(int n) {
    for (int i = 0; i < n; ++i) {
      for (int step = 0; step < 4; ++step) {
        now_s += 15;
        machine.known_until(wall());
        talk();
      }
    }
  }
  // Minutes of [from, to) that the receiver lacks of a series.
  int lacks(int i, int64_t from, int64_t to) const {
    int n = 0;
    const auto have = receiver.stored.find("__name__=s" + std::to_string(1000 + i) + ";");
    for (int64_t m = from; m < to; ++m) {
      const int64_t at = kT0 + m * 60;
      if (have == receiver.stored.end() || !have->second.contains(at * 1000)) {
        ++n;
      } else {
        CHECK(have->second.at(at * 1000) == value(i, at));
      }
    }
    return n;
  }

  int series = 3;
  int64_t now_s = 0;
  bool up = true;
  int lose_acks = 0;
  int64_t clock_error_s = 0;
  std::optional<Answer> failing;
  int failed = 0;
  Receiver receiver;
  SampleSender machine;
};

}  // namespace

TEST_CASE("every minute is told once while the receiver is there") {
  Run run(Engine::prometheus);
  run.minutes(30);
  for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 30) == 0);
  CHECK(run.receiver.requests == 1 + 31);  // one asks for the time; the minute before counts too
  CHECK(run.machine.stats().samples_sent == 93);
  CHECK(run.machine.stats().behind_s == 0);
  CHECK(run.machine.take_refusals().empty());
}

TEST_CASE("an outage of hours is filled in without a gap by receivers that take what is old") {
  for (const Engine engine : {Engine::prometheus_with_window, Engine::victoria}) {
    Run run(engine);
    run.minutes(10);
    run.up = false;
    run.minutes(600);
    run.up = true;
    run.minutes(5);
    for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 615) == 0);
    CHECK(run.machine.stats().out_of_order);
    CHECK(run.machine.stats().behind_s == 0);
    CHECK(run.machine.take_refusals().empty());
  }
}

TEST_CASE("the newest minute does not wait behind the backlog where order does not matter") {
  Run run(Engine::victoria);
  run.minutes(10);
  run.up = false;
  run.minutes(1000);
  run.up = true;
  run.now_s += 120;
  run.machine.known_until(run.wall());
  for (int i = 0; i < 12; ++i) {  // rewound requests and two probes come first
    auto request = run.machine.begin(run.wall(), {run.now_s * kNsPerSecond});
    REQUIRE(request);
    run.machine.answered(run.answer(*request), run.wall(), {run.now_s * kNsPerSecond});
    if (run.lacks(0, 1012, 1013) == 0) break;
  }
  CHECK(run.lacks(0, 1012, 1013) == 0);
  CHECK(run.machine.stats().behind_s > 3600);
}

TEST_CASE("order is kept for a Prometheus without a window and an outage below an hour is whole") {
  Run run(Engine::prometheus);
  run.minutes(10);
  run.up = false;
  run.minutes(50);
  run.up = true;
  run.minutes(5);
  for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 65) == 0);
  CHECK_FALSE(run.machine.stats().out_of_order);
  CHECK(run.machine.take_refusals().empty());
}

TEST_CASE("what is too old for the receiver is given up and told once with a remedy") {
  Run run(Engine::prometheus);
  run.minutes(10);
  run.up = false;
  run.minutes(1440);
  run.up = true;
  // Another node kept the receiver's present where it is.
  run.receiver.stored["other"][(kT0 + run.now_s) * 1000] = 1;
  run.receiver.forget(run.receiver.stored);
  const uint64_t before = run.receiver.requests;
  run.minutes(3);
  CHECK(run.receiver.requests - before < 260);
  CHECK(run.lacks(0, 1440 + 10 - 55, 1453) == 0);
  const auto refusals = run.machine.take_refusals();
  REQUIRE(refusals.size() == 1);
  CHECK(refusals[0].reason == "out of bounds");
  CHECK(refusals[0].remedy.find("out_of_order_time_window") != std::string::npos);
  CHECK(run.machine.stats().seconds_given_up > 1300 * 60);
}

TEST_CASE("one bad series does not take the others along") {
  Run run(Engine::prometheus_with_window);
  run.series = 9;
  run.receiver.poisoned.insert("__name__=s1004;");
  run.minutes(20);
  for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 20) == (i == 4 ? 20 : 0));
  CHECK(run.machine.stats().samples_refused == 21);
  const auto refusals = run.machine.take_refusals();
  REQUIRE(refusals.size() == 21);
  CHECK(refusals[0].what.find("s1004") == 0);
  CHECK(refusals[0].reason == "label limit exceeded");
}

TEST_CASE("a proxy that refuses everything costs no sample") {
  Run run(Engine::victoria);
  run.minutes(5);
  for (const int status : {400, 401, 403, 404, 302, 500}) {
    run.failing = Answer{status, "<html>no</html>", {}, {}};
    run.failed = 0;
    run.minutes(30);
    CHECK(run.failed < 120);  // slowly
    CHECK(run.failed > 5);
    CHECK(run.machine.stats().trouble.find(std::to_string(status)) == 0);
  }
  run.failing.reset();
  run.minutes(5);
  CHECK(run.lacks(0, 0, 190) == 0);
  CHECK(run.machine.stats().samples_refused == 0);
  CHECK(run.machine.take_refusals().empty());
}

TEST_CASE("a lost acknowledgement is no second sample and no contradiction") {
  for (const Engine engine : {Engine::prometheus, Engine::prometheus_with_window}) {
    Run run(engine);
    run.minutes(5);
    run.lose_acks = 3;
    run.minutes(10);
    for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 15) == 0);
    CHECK(run.machine.stats().samples_refused == 0);
  }
}

TEST_CASE("what a receiver acknowledged and lost in a power cut is told again") {
  for (const Engine engine :
       {Engine::prometheus, Engine::prometheus_with_window, Engine::victoria}) {
    Run run(engine);
    run.minutes(20);
    const Got kept = run.receiver.stored;
    run.minutes(4);
    run.up = false;
    run.receiver.forget(kept);
    run.minutes(2);
    run.up = true;
    run.minutes(5);
    for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 31) == 0);
    CHECK(run.machine.stats().rewound >= 4);
  }
}

TEST_CASE("a request that is too large is told in smaller ones") {
  Run run(Engine::victoria);
  run.series = 40;
  run.minutes(2);
  run.up = false;
  run.minutes(300);
  run.up = true;
  run.receiver.max_body = 900;
  run.minutes(5);
  for (int i = 0; i < run.series; ++i) CHECK(run.lacks(i, 0, 307) == 0);
}

TEST_CASE("Retry-After is kept") {
  Run run(Engine::victoria);
  run.minutes(2);
  run.failing = Answer{429, "slow down", 600'000, {}};
  run.minutes(20);
  CHECK(run.failed <= 3);
  CHECK(run.failed >= 2);
  run.failing.reset();
  run.minutes(12);
  CHECK(run.lacks(0, 0, 34) == 0);
}

TEST_CASE("nothing is told while the clocks disagree and all of it afterwards") {
  Run run(Engine::prometheus_with_window);
  run.minutes(5);
  run.clock_error_s = 3600;  // our clock is set an hour ahead
  run.minutes(10);
  const size_t held = run.receiver.stored["__name__=s1000;"].size();
  CHECK(held == 6);
  CHECK(run.machine.stats().skewed);
  CHECK(run.machine.stats().trouble.find("3600 s behind") != std::string::npos);
  run.clock_error_s = 0;
  run.minutes(5);
  CHECK_FALSE(run.machine.stats().skewed);
  CHECK(run.receiver.stored["__name__=s1000;"].rbegin()->first <= (kT0 + run.now_s) * 1000);
  CHECK(run.lacks(0, 0, 20) == 0);
}

TEST_CASE("a next life goes on where this one ended") {
  std::string progress;
  Got stored;
  {
    Run run(Engine::victoria);
    run.minutes(5);
    run.up = false;
    run.minutes(20);
    progress = run.machine.progress();
    stored = run.receiver.stored;
  }
  Run next(Engine::victoria);
  REQUIRE(next.machine.restore(progress));
  next.receiver.forget(stored);
  next.now_s = 60 * 60;
  next.minutes(2);
  for (int i = 0; i < next.series; ++i) CHECK(next.lacks(i, 0, 62) == 0);
  CHECK_FALSE(next.machine.restore("nonsense"));
  CHECK_FALSE(next.machine.restore("1-2"));
  CHECK_FALSE(next.machine.restore("5-1:"));
}

TEST_CASE("what is older than the receiver keeps is not told") {
  SampleSenderOptions options;
  options.max_age_s = 3600;
  Run run(Engine::victoria, options);
  run.minutes(2);
  run.up = false;
  run.minutes(180);
  run.up = true;
  run.minutes(2);
  CHECK(run.lacks(0, 126, 184) == 0);
  CHECK(run.lacks(0, 10, 100) == 90);
  CHECK(run.machine.stats().seconds_given_up > 100 * 60);
}

TEST_CASE("what a receiver lost is told again even by a next life") {
  for (const Engine engine :
       {Engine::prometheus, Engine::prometheus_with_window, Engine::victoria}) {
    std::string progress;
    Got kept;
    {
      Run run(engine);
      run.minutes(20);
      kept = run.receiver.stored;
      run.minutes(3);
      progress = run.machine.progress();
    }
    Run next(engine);
    REQUIRE(next.machine.restore(progress));
    next.receiver.forget(kept);
    next.now_s = 23 * 60;
    next.minutes(3);
    for (int i = 0; i < next.series; ++i) CHECK(next.lacks(i, 0, 27) == 0);
    CHECK(next.machine.stats().samples_refused == 0);
    CHECK(next.machine.take_refusals().empty());
  }
}
