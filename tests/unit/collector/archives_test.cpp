// Generations of one log belong together whatever a pattern makes of their names.
#include <catch2/catch.hpp>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

constexpr const char* kGlobs[] = {"app.log", "app.log*"};

// app.log -> app.log.1 -> app.log.2 ..., whatever is there, compressed or not.
void rotate(const Rig& rig) {
  for (int i = 8; i > 0; --i) {
    for (const char* ending : {"", ".gz", ".zst"}) {
      const std::string from = rig.log() + "." + std::to_string(i) + ending;
      const std::string to = rig.log() + "." + std::to_string(i + 1) + ending;
      if (std::filesystem::exists(from)) rename_file(from, to);
    }
  }
  if (std::filesystem::exists(rig.log())) rename_file(rig.log(), rig.log() + ".1");
}

// Everything that is there is read, and what is to be waited for has passed.
void settle(Rig& rig) {
  for (int i = 0; i < 3; ++i) rig.pass_ms(5'001);
}

// As `nines tail --once` does.
void read_listed(Rig& rig) {
  if (!rig.tailer) rig.start();
  rig.tailer->rescan();
  for (LogStream* stream : rig.tailer->files()) {
    while (rig.tailer->read_some(*stream, true)) {
    }
  }
}

}  // namespace

TEST_CASE("An archive moved on while its original goes is the original's, under any pattern") {
  for (const char* glob : kGlobs) {
    for (const char* ending : {".gz", ".zst"}) {
      for (const Between what : kEveryBetween) {
        Rig rig(glob);
        append(rig.log(), "a\n");
        rig.drain();
        rotate(rig);
        append(rig.log(), "b\n");
        rotate(rig);  // b was never seen under the live name
        append(rig.log(), "c\n");
        const std::string packed = compress_file(rig.log() + ".1", ending, true);
        rig.drain();
        rig.save();
        remove_file(rig.log() + ".1");
        rotate(rig);
        rig.down(what);
        rig.drain();
        settle(rig);
        INFO(glob << " " << ending << " " << static_cast<int>(what));
        CHECK(sorted(rig.lines.all) == Strings{"a", "b", "c"});
      }
    }
  }
}

TEST_CASE("Listed one after another, the generations of a log come oldest first") {
  for (const char* glob : kGlobs) {
    for (const bool same_age : {false, true}) {
      Rig rig(glob);
      const auto write = [&](const char* line) {
        append(rig.log(), line);
        if (same_age) return;
        const auto age = std::chrono::minutes('z' - line[0]);
        std::filesystem::last_write_time(rig.log(),
                                         std::filesystem::file_time_type::clock::now() - age);
      };
      write("a\n");
      rig.drain();
      rig.stop();
      for (const char* line : {"b\n", "c\n", "d\n"}) {
        write(line);
        rotate(rig);
      }
      append(rig.log(), "e\n");
      read_listed(rig);
      INFO(glob << " " << same_age);
      CHECK(rig.lines.all == Strings{"a", "b", "c", "d", "e"});
    }
  }
}

TEST_CASE("What the first look saw can be saved before it is read: later generations are news") {
  for (const char* glob : kGlobs) {
    Rig rig(glob);
    append(rig.dir / "app.log.1", "old\n");
    std::filesystem::last_write_time(
        rig.dir / "app.log.1",
        std::filesystem::file_time_type::clock::now() - std::chrono::hours(1));
    append(rig.log(), "a\n");
    rig.start();
    rig.tailer->rescan();
    rig.save();
    rig.drain();
    rotate(rig);
    append(rig.log(), "b\n");
    rig.drain();
    rotate(rig);
    append(rig.log(), "c\n");
    rig.down(Between::crash);
    rig.drain();
    const bool history_is_matched = rig.glob == "app.log*";
    Strings expected{"a", "b", "c"};
    if (history_is_matched) expected.emplace_back("old");
    CHECK(sorted(rig.lines.all) == expected);
  }
}
