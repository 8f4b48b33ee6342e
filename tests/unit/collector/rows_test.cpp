// Rows R5 to R18 of the edge cases collected from the test suites of other collectors, each also
// with a restart and a crash in the middle (rows R1 to R4, R7, R11, R16: follow_ and
// rotation_test).
#include <catch2/catch.hpp>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

void rotate_by_copy(Rig& rig) {
  copy_file(rig.log(), rig.dir / "app.log.1");
  truncate_file(rig.log());
}

void replace_file(Rig& rig, const std::string& text) {
  append(rig.dir / "tmp", text);
  rename_file(rig.dir / "tmp", rig.log());
}

}  // namespace

TEST_CASE("R5 a deleted and recreated file gives both contents") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), "a\n");
      rig.drain();
      append(rig.log(), "b\n");
      rig.drain();
      rig.save();
      rig.down(between);
      remove_file(rig.log());
      append(rig.log(), "c\nd\n");
      rig.drain();
      CHECK(rig.lines.all == Strings{"a", "b", "c", "d"});
    }
  }
}

TEST_CASE("R6 after copytruncate while stopped only new lines are read, and undone ones again") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), text_of(numbered(0, 20)));
      rig.drain();
      rig.save();
      append(rig.log(), text_of(numbered(20, 30)));
      rig.drain();
      rig.down(between);
      rotate_by_copy(rig);
      append(rig.log(), text_of(numbered(30, 35)));
      rig.drain();
      CHECK(rig.lines.all == numbered(0, 35));
    }
  }
}

TEST_CASE("R8 ten rotations of 10,000 lines, compressed one rotation later, give the sequence") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      rig.options.buffer_bytes = rig.lines.buffer_bytes = 64 * 1024;
      for (int i = 0; i < 10; ++i) {
        const int first = i * 10'000;
        append(rig.log(), text_of(numbered(first, first + 7'000)));
        rig.drain();
        if (i == 4) rig.save();
        append(rig.log(), text_of(numbered(first + 7'000, first + 9'000)));
        if (i % 2 == 0) rig.drain();
        if (i == 4) rig.down(between);
        if (i > 0) {
          rename_file(rig.dir / "app.log.1",
                      rig.dir / ("app.log." + std::to_string(i + 1) + ".gz"));
        }
        rename_file(rig.log(), rig.dir / "app.log.1");
        append(rig.dir / "app.log.1", text_of(numbered(first + 9'000, first + 10'000)));
        append(rig.log(), "");
        rig.drain();
      }
      CHECK((rig.lines.all == numbered(0, 100'000)));  // in brackets: not printed
    }
  }
}

TEST_CASE("R9 51 truncations with growing contents in one inode give the whole sequence") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    append(rig.log(), "");
    int written = 0;
    for (int i = 1; i <= 51; ++i) {
      append(rig.log(), text_of(numbered(written, written + i)));
      written += i;
      rig.drain();
      rig.save();
      if (i == 25) rig.down(between);
      if (i < 51) truncate_file(rig.log());
    }
    CHECK(rig.lines.all == numbered(0, written));
    CHECK(rig.tailer->stats().bytes_lost == 0);
  }
}

TEST_CASE("R10 a file renamed while stopped and then appended to gives the whole sequence") {
  for (const char* glob : {"app.log", "app*.log", "app.log*"}) {
    for (const char* name : {"app.log.1", "app-20260101.log", "app.log.old"}) {
      for (const Between between : kEveryBetween) {
        Rig rig(glob);
        append(rig.log(), text_of(numbered(0, 9'000)));
        rig.drain();
        rig.save();
        append(rig.log(), text_of(numbered(9'000, 10'000)));
        rig.drain();
        rig.down(between);
        rename_file(rig.log(), rig.dir / name);
        append(rig.dir / name, text_of(numbered(10'000, 15'000)));
        append(rig.log(), text_of(numbered(15'000, 20'000)));
        rig.drain();
        CHECK((rig.lines.all == numbered(0, 20'000)));
      }
    }
  }
}

TEST_CASE("R10 a file moved to another directory is followed there, also over a restart") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    std::filesystem::create_directory(rig.dir / "old");
    append(rig.log(), "a\n");
    rig.drain();
    rename_file(rig.log(), rig.dir / "old/elsewhere");
    append(rig.dir / "old/elsewhere", "b\n");
    rig.drain();
    rig.save();
    append(rig.dir / "old/elsewhere", "c\n");
    rig.drain();
    rig.down(between);
    append(rig.dir / "old/elsewhere", "d\n");
    append(rig.log(), "e\n");
    rig.pass_ms(10'000);
    CHECK(rig.lines.all == Strings{"a", "b", "c", "d", "e"});
  }
}

TEST_CASE("R12 copytruncate while the consumer takes nothing: old lines once, then the new ones") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), text_of(numbered(0, 10)));
      rig.lines.max_lines = 4;
      rig.start();
      (void)rig.tailer->poll(0, SIZE_MAX);
      rig.save();
      CHECK(rig.lines.all == numbered(0, 4));
      rig.lines.max_lines = 0;
      (void)rig.tailer->poll(0, SIZE_MAX);
      rig.down(between);
      rotate_by_copy(rig);
      append(rig.log(), text_of(numbered(10, 15)));
      if (!rig.tailer) rig.start();
      for (int i = 0; i < 5; ++i) (void)rig.tailer->poll(0, SIZE_MAX);
      CHECK(rig.lines.all == numbered(0, 4));
      rig.lines.max_lines = SIZE_MAX;
      rig.drain();
      CHECK(rig.lines.all == numbered(0, 15));
    }
  }
}

TEST_CASE("R12 a truncation without a copy loses what was unread, and says how much") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    append(rig.log(), "a\nb\n");
    rig.lines.max_lines = 1;
    rig.start();
    (void)rig.tailer->poll(0, SIZE_MAX);
    rig.save();
    if (between == Between::nothing) (void)rig.tailer->poll(0, 0);
    rig.down(between);
    truncate_file(rig.log());
    append(rig.log(), "c\n");
    rig.lines.max_lines = SIZE_MAX;
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "c"});
    // After a restart nobody knows how long the file once was.
    if (between == Between::nothing) CHECK(rig.tailer->stats().bytes_lost == 2);
  }
}

TEST_CASE("R12 a file overwritten in place is read anew, be it as long, longer or shorter") {
  for (const int lines : {5, 10, 20}) {
    for (const Between between : kEveryBetween) {
      Rig rig;
      append(rig.log(), text_of(numbered(100, 110)));
      rig.drain();
      rig.save();
      rig.down(between);
      truncate_file(rig.log());
      append(rig.log(), text_of(numbered(200, 200 + lines)));
      rig.drain();
      Strings expected = numbered(100, 110);
      for (const std::string& line : numbered(200, 200 + lines)) expected.push_back(line);
      CHECK(rig.lines.all == expected);
    }
  }
}

TEST_CASE("R13 a file replaced by one with the same content is not read again, only what follows") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), text_of(numbered(0, 20)));
      rig.drain();
      rig.save();
      rig.down(between);
      replace_file(rig, text_of(numbered(0, 20)));
      rig.drain();
      CHECK(rig.lines.all == numbered(0, 20));
      rig.save();
      rig.down(between);
      append(rig.log(), text_of(numbered(20, 25)));
      rig.drain();
      CHECK(rig.lines.all == numbered(0, 25));
      rig.save();
      rig.down(between);
      replace_file(rig, text_of(numbered(0, 30)));
      rig.drain();
      CHECK(rig.lines.all == numbered(0, 30));
    }
  }
}

TEST_CASE("R13 a file replaced by one with new content is read from its start") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    append(rig.log(), text_of(numbered(0, 20)));
    rig.drain();
    rig.save();
    rig.down(between);
    replace_file(rig, text_of(numbered(20, 50)));
    rig.drain();
    CHECK(rig.lines.all == numbered(0, 50));
  }
}

TEST_CASE("R14 4,000 lines over twenty crashes and restarts are consumed once each, in order") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Rig rig(glob);
    for (int i = 0; i < 40; ++i) {
      append(rig.log(), text_of(numbered(i * 100, i * 100 + 60)) + "line ");
      rig.drain();
      if (i % 3 != 0) rig.save();
      append(rig.log(), std::to_string(i * 100 + 60) + "\n");
      rig.drain();
      if (i % 2 == 0) rig.down(i % 4 == 0 ? Between::crash : Between::restart);
      append(rig.log(), text_of(numbered(i * 100 + 61, i * 100 + 100)));
    }
    rig.drain();
    CHECK((rig.lines.all == numbered(0, 4'000)));
  }
}

TEST_CASE("R17 two files that begin alike are both read completely") {
  for (const auto& [glob, other] : {std::pair{"*.log", "b.log"}, {"app.log*", "app.log.1"}}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), "hello world");
      append(rig.dir / other, "hello world");
      rig.drain();
      rig.save();
      rig.down(between);
      append(rig.log(), " one\nand more\n");
      rig.drain();
      rig.save();
      rig.down(between);
      append(rig.dir / other, " two\nand less\n");
      rig.drain();
      CHECK(sorted(rig.lines.all) ==
            Strings{"and less", "and more", "hello world one", "hello world two"});
    }
  }
}

TEST_CASE("R17 two files with the same first 2 KiB are both read completely, once they differ") {
  const Strings banner(20, std::string(100, '='));
  for (const auto& [glob, other] : {std::pair{"*.log", "b.log"}, {"app.log*", "app.log.1"}}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), text_of(banner) + "one\n");
      append(rig.dir / other, text_of(banner) + "two\n");
      rig.drain();
      rig.save();
      rig.down(between);
      append(rig.log(), "three\n");
      append(rig.dir / other, "four\n");
      rig.drain();
      Strings rest = rig.lines.all;
      CHECK(std::erase(rest, banner[0]) == 40);
      CHECK(sorted(rest) == Strings{"four", "one", "three", "two"});
    }
  }
}
