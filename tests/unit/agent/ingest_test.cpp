// Sources: which files they are, and when they count as read to the end.
#include <catch2/catch.hpp>
#include <condition_variable>
#include <mutex>
#include <vector>

#include "app/ingest_thread.hpp"
#include "composition.hpp"

using namespace nines;
using namespace nines::test;

namespace {

constexpr int64_t kStart = kMidnight + 12 * 3600;

// Good events are in one file, all events in another.
slo::SloSpec two_sources(const TempDir& dir) {
  slo::SloSpec spec = availability("split", dir / "all.log", "0.9");
  spec.indicator.part.source = access_log(dir / "good.log");
  spec.indicator.part.where = "";
  return spec;
}

}  // namespace

TEST_CASE("An SLO whose good and total events lie in different files counts each from its own",
          "[ingest]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  for (int i = 0; i < 100; ++i) {
    append(dir / "all.log", access_line(kStart - 1000 + 10 * i, i % 4 == 0 ? 503 : 200));
    if (i % 4 != 0) append(dir / "good.log", access_line(kStart - 1000 + 10 * i, 200));
  }
  agent::Setup setup;
  setup.slos = {two_sources(dir)};
  for (const bool log_clock : {false, true}) {
    Life life(setup, "", clock);
    life.run_once(log_clock);
    CHECK(life.status().window.good == 75);
    CHECK(life.status().window.bad == 25);
    CHECK(life.status().coverage == 1.0);
  }
}

TEST_CASE("While one of two sources is missing the SLO is not covered", "[ingest]") {
  const TempDir dir;
  ManualClock clock(WallTime::from_s(kStart));
  append(dir / "all.log", access_line(kStart - 100, 200));
  agent::Setup setup;
  setup.slos = {two_sources(dir)};
  Life life(setup, "", clock);
  life.run_once(false);
  CHECK(life.status().coverage == 0);
  // Events that may yet turn out good are counted as bad: the state must not tell.
  CHECK(life.status().state != slo::State::healthy);
}

TEST_CASE("SLOs with the same source share its files; different services do not", "[ingest]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kStart));
  append(dir / "a.log", access_line(kStart - 100, 200));
  agent::Setup setup;
  setup.slos = {availability("a", dir / "a.log"), latency("a-latency", dir / "a.log"),
                availability("b", dir / "a.log")};
  setup.slos[1].service = "a";
  Life life(setup, "", clock);
  life.run_once(false);
  auto handed = life.ingest().hand_over();
  REQUIRE(handed.sources.size() == 2);
  for (uint32_t slo = 0; slo < 3; ++slo) CHECK(life.status(slo).window.total() == 1);
  CHECK(handed.tailer.bytes_read == access_line(kStart, 200).size());
}

TEST_CASE("A source is not caught up before its files were read once, however little that is",
          "[ingest]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kStart));
  for (const char* name : {"a.log", "b.log"}) {
    for (int i = 0; i < 10; ++i) append(dir / name, access_line(kStart - 7200 + i, 200));
  }
  agent::Setup setup;
  setup.slos = {availability("a", dir / "a.log"), availability("b", dir / "b.log")};
  Life life(setup, "", clock);
  life.look_for_files();
  auto handed = life.ingest().hand_over();
  CHECK_FALSE(handed.sources[0].caught_up);
  CHECK_FALSE(handed.sources[1].caught_up);
  const collector::StreamRef first = life.ingest().inputs().list().front();
  first.input->read_some(*first.stream, false);
  handed = life.ingest().hand_over();
  CHECK(handed.sources[0].caught_up != handed.sources[1].caught_up);
  // An unfinished line keeps a source that was read from lagging.
  life.tick();
  append(dir / "a.log", "10.0.0.1 - - [");
  append(dir / "b.log", "10.0.0.1 - - [");
  life.tick();
  handed = life.ingest().hand_over();
  CHECK(handed.sources[0].caught_up);
  CHECK(handed.sources[1].caught_up);
}

TEST_CASE("An SLO that names a source nines.yaml does not have is refused with its origin",
          "[ingest]") {
  slo::SloSpec spec = availability("web", "/x");
  spec.indicator.total.source = {};
  spec.indicator.total.source.name = "nginx";
  spec.origin = "slos/web.yaml:3";
  const auto plan = agent::plan_slo(0, spec, {});
  REQUIRE_FALSE(plan.ok());
  CHECK(plan.error().message.find("slos/web.yaml:3") != std::string::npos);
  CHECK(plan.error().message.find("\"nginx\"") != std::string::npos);
}

TEST_CASE("What the first look saw is handed over, to be saved, before anything is read",
          "[ingest]") {
  const TempDir dir;
  const ManualClock clock(WallTime::from_s(kStart));
  append(dir / "a.log", access_line(kStart - 100, 200));
  agent::Setup setup;
  setup.slos = {availability("a", dir / "a.log")};
  // The machine that runs this may be busy, and the clock that would end a pause stands still.
  setup.config.cpu_pressure_percent = 100;
  setup.config.memory_pressure_percent = setup.config.io_pressure_percent = 100;
  auto wired = agent::wire(setup, nullptr, clock);
  REQUIRE(wired.ok());
  std::mutex mutex;
  std::condition_variable came;
  std::vector<agent::HandOver> handed;
  agent::IngestThread thread(std::move(wired->ingest), clock, [&](agent::HandOver&& hand_over) {
    const std::lock_guard lock(mutex);
    handed.push_back(std::move(hand_over));
    came.notify_one();
  });
  thread.start();
  std::unique_lock lock(mutex);
  REQUIRE(came.wait_for(lock, std::chrono::seconds(30), [&] { return handed.size() >= 2; }));
  CHECK(handed[0].first_look);
  REQUIRE(handed[0].batch.positions.size() == 1);
  CHECK(!handed[0].batch.positions[0].state.empty());
  CHECK(handed[0].batch.slots.empty());
  CHECK(handed[0].tailer.bytes_read == 0);
  CHECK(!handed[1].first_look);
  CHECK(handed[1].batch.positions.size() == 1);
  CHECK(!handed[1].batch.slots.empty());
  lock.unlock();
  (void)thread.stop();
}
