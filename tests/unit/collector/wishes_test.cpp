// What a source may ask for: where to start, what to leave alone, in which order, how fast.
#include <catch2/catch.hpp>

#include "../../../collector/src/file/rate.hpp"
#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

void set_age(const std::string& path, int64_t wall_ns, int64_t age_s) {
  const int64_t s = wall_ns / kNsPerSecond - age_s;
  const timespec times[2] = {{s, 0}, {s, 0}};
  REQUIRE(::utimensat(AT_FDCWD, path.c_str(), times, 0) == 0);
}

constexpr int64_t kNow = 1'800'000'000 * kNsPerSecond;

}  // namespace

TEST_CASE("start: end passes over what was there before the first look ever, and only that") {
  for (const Between between : kEveryBetween) {
    CAPTURE(static_cast<int>(between));
    Rig rig("*.log*");
    rig.source.from_end = true;
    append(rig.log(), "old\nhal");
    append(rig.dir / "x.log.1.gz", gzipped("older\n"));
    rig.drain();
    append(rig.log(), "f\nnew\n");
    append(rig.dir / "later.log", "a\n");
    rig.drain();
    CHECK(sorted(rig.lines.all) == Strings{"a", "new"});
    rig.save();
    rig.down(between);
    append(rig.dir / "while-down.log", "b\n");
    append(rig.log(), "newer\n");
    rig.drain();
    rig.pass_ms(60'000);
    CHECK(sorted(rig.lines.all) == Strings{"a", "b", "new", "newer"});
    CHECK(rig.tailer->stats().compressed_damaged == 0);
  }
}

TEST_CASE("start: end remembers that it looked, although there was nothing to see") {
  Rig rig("*.log");
  rig.source.from_end = true;
  rig.drain();
  rig.restart();
  append(rig.log(), "a\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
}

TEST_CASE("Files in the way of another source that starts at the beginning are read for both") {
  Rig rig("*.log");
  rig.source.from_end = true;
  rig.more_sources = {"app*"};
  append(rig.log(), "a\n");
  append(rig.dir / "b.log", "b\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
}

TEST_CASE("R19 ignore_older: a stale file is skipped, appended to it gives only the new lines") {
  for (const Between between : kEveryBetween) {
    Rig rig("*.log");
    rig.clock.now_ns = kNow;
    rig.source.ignore_older_s = 3600;
    append(rig.dir / "stale.log", "old\n");
    append(rig.dir / "fresh.log", "a\n");
    set_age(rig.dir / "stale.log", kNow, 4000);
    set_age(rig.dir / "fresh.log", kNow, 3000);
    rig.drain();
    CHECK(rig.lines.all == Strings{"a"});
    CHECK(rig.tailer->stats().files_passed_over == 1);
    rig.save();
    rig.down(between);
    append(rig.dir / "stale.log", "new\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "new"});
  }
}

TEST_CASE("Files last written before the start that a source wants are passed over whole") {
  Rig rig("*.log");
  rig.clock.now_ns = kNow;
  rig.source.not_before = {kNow - 100 * kNsPerSecond};
  append(rig.dir / "before.log", "old\n");
  append(rig.dir / "after.log", "a\n");
  set_age(rig.dir / "before.log", kNow, 101);
  set_age(rig.dir / "after.log", kNow, 99);
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
}

TEST_CASE("After a long stop oldest first, or newest first where that is wanted") {
  for (const bool newest : {false, true}) {
    for (const char* glob : {"app.log", "app.log*"}) {
      CAPTURE(newest, glob);
      Rig rig(glob);
      rig.source.newest_first = newest;
      append(rig.log(), "line 0\n");
      rig.drain();
      rig.stop();
      append(rig.log(), "line 1\n");
      rename_file(rig.log(), rig.dir / "app.log.3");
      append(rig.log(), "line 2\n");
      rename_file(rig.log(), rig.dir / "app.log.2");
      append(rig.log(), "line 3\n");
      rename_file(rig.log(), rig.dir / "app.log.1");
      append(rig.log(), "line 4\n");
      // In the past, so that they differ in age whatever the tick of the file system's clock.
      for (int i = 1; i <= 3; ++i) {
        const auto at = std::filesystem::last_write_time(rig.log());
        std::filesystem::last_write_time(rig.dir / ("app.log." + std::to_string(i)),
                                         at + std::chrono::milliseconds(10 * (4 - i)));
      }
      rig.drain();
      Strings expected = {"line 0", "line 1", "line 2", "line 3", "line 4"};
      if (newest) std::reverse(expected.begin() + 1, expected.end());
      CHECK(rig.lines.all == expected);
      rig.pass_ms(40'000);
      append(rig.log(), "line 5\n");
      rig.drain();
      CHECK(rig.lines.all.back() == "line 5");
    }
  }
}

TEST_CASE("Newest first: of many files the youngest first") {
  Rig rig("*.log");
  rig.source.newest_first = true;
  rig.clock.now_ns = kNow;
  for (int i = 0; i < 5; ++i) {
    const std::string path = rig.dir / ("f" + std::to_string((i * 3) % 5) + ".log");
    append(path, std::to_string(i) + "\n");
    set_age(path, kNow, i);
  }
  rig.drain();
  CHECK(rig.lines.all == Strings{"0", "1", "2", "3", "4"});
}

TEST_CASE("A bucket gives its rate on the average, whatever the steps of the clock") {
  for (const int64_t step_us : {1, 333, 1'000, 70'001, 2'000'000}) {
    TokenBucket bucket(1'000);
    Instant now{kNsPerSecond};
    (void)bucket.available(now);
    bucket.take(1'000);
    int64_t taken = 0;
    for (int64_t us = 0; us < 4'000'000; us += step_us) {
      now.ns += step_us * 1'000;
      const int64_t tokens = bucket.available(now);
      if (tokens <= 0) continue;
      bucket.take(tokens);
      taken += tokens;
    }
    CAPTURE(step_us);
    CHECK(taken <= 4'100);
    CHECK(taken >= (step_us > 1'000'000 ? 2'000 : 3'990));
  }
}

TEST_CASE("A rate in bytes makes the file wait, not lose, and says when it goes on") {
  Rig rig;
  rig.options.buffer_bytes = rig.lines.buffer_bytes = 64 * 1024;
  rig.source.max_bytes_per_s = 10'000;
  append(rig.log(), text_of(numbered(0, 10'000)));  // 98,890 bytes
  rig.drain();
  CHECK(rig.lines.all.size() > 1'000);
  CHECK(rig.lines.all.size() < 2'000);
  CHECK_FALSE(rig.tailer->caught_up());
  CHECK(rig.tailer->stats().lag_bytes > 80'000);
  CHECK(rig.tailer->stats().throttled > 0);
  const int64_t wait_ns = rig.tailer->due().ns - rig.clock.now_ns;
  CHECK(wait_ns > 0);
  CHECK(wait_ns <= kNsPerSecond);
  int seconds = 0;
  while (rig.lines.all.size() < 10'000 && seconds < 30) {
    rig.pass_ms(1'000);
    ++seconds;
  }
  CHECK(seconds >= 8);
  CHECK(seconds <= 10);
  CHECK((rig.lines.all == numbered(0, 10'000)));
  CHECK(rig.tailer->caught_up());
}

TEST_CASE("A rate in lines is kept to the line, also across a restart and a rotation") {
  Rig rig;
  rig.options.buffer_bytes = rig.lines.buffer_bytes = 64 * 1024;
  rig.source.max_lines_per_s = 10;
  append(rig.log(), text_of(numbered(0, 35)));
  rig.drain();
  CHECK(rig.lines.all.size() == 10);
  rig.pass_ms(500);
  CHECK(rig.lines.all.size() == 15);
  rename_file(rig.log(), rig.dir / "app.log.1");
  append(rig.log(), text_of(numbered(35, 40)));
  rig.pass_ms(1'000);
  CHECK(rig.lines.all.size() == 25);
  rig.restart();
  rig.drain();
  CHECK(rig.lines.all.size() == 35);
  rig.pass_ms(1'000);
  CHECK(rig.lines.all == numbered(0, 40));
}

TEST_CASE("A line longer than the rate is waited for, not cut") {
  Rig rig;
  rig.options.buffer_bytes = rig.lines.buffer_bytes = 64 * 1024;
  rig.source.max_bytes_per_s = 100;
  const std::string line(30'000, 'x');
  append(rig.log(), line + "\nb\n");
  rig.drain();
  rig.pass_ms(400'000);
  CHECK((rig.lines.all == Strings{line, "b"}));
}

TEST_CASE("A file of two sources goes at the faster of their rates, each line once for both") {
  Rig rig;
  rig.source.max_lines_per_s = 1;
  rig.more_sources = {"*.log"};
  append(rig.log(), text_of(numbered(0, 50)));
  rig.drain();
  CHECK(rig.lines.all == numbered(0, 50));
}

TEST_CASE("R15 a quiet file's line comes within one round, while a noisy one is 1 GB behind") {
  struct Watch final : RecordConsumer {
    Taken consume(LogStream& stream, std::string_view data, Reading) override {
      const bool quiet = stream.path.ends_with("quiet.log");
      bytes[quiet ? 1 : 0] += data.size();
      return {data.size(), Taken::Rest::none, false};
    }
    void opened(LogStream&) override {}
    void closed(LogStream&) override {}
    size_t bytes[2] = {0, 0};
  } watch;
  const TempDir dir;
  ManualClock clock;
  append(dir / "noisy.log", "x\n");
  truncate_file(dir / "noisy.log", 1'000'000'000);  // sparse
  append(dir / "quiet.log", "a\n");
  auto made = Tailer::create({}, watch, {}, clock);
  REQUIRE(made.ok());
  Tailer& tailer = **made;
  tailer.add_source(0, {{{dir / "*.log"}, {}}});
  constexpr size_t kRound = 1024 * 1024;
  for (int i = 0; i < 20; ++i) (void)tailer.read(kRound);
  CHECK(watch.bytes[1] == 2);
  for (size_t n = 1; n <= 5; ++n) {
    const size_t noisy = watch.bytes[0];
    append(dir / "quiet.log", "b\n");
    (void)tailer.read(kRound);
    CHECK(watch.bytes[1] == 2 + 2 * n);
    CHECK(watch.bytes[0] - noisy <= kRound + 256 * 1024);
  }
  CHECK(tailer.stats().lag_bytes > 900'000'000);
}
