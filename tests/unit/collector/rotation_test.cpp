// Rotation by rename, copytruncate, deletion; each with and without a restart in between. The ids
// (R1...) are the rows of edge cases collected from the test suites of other collectors.
#include <catch2/catch.hpp>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

TEST_CASE("R1 late writes to a renamed file and the new file are each read once, old first") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Rig rig(glob);
    append(rig.log(), "a\n");
    rig.drain();
    rename_file(rig.log(), rig.dir / "app.log.1");
    append(rig.dir / "app.log.1", "b\n");
    append(rig.log(), "c\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b", "c"});
    CHECK(rig.tailer->stats().rotations == 1);
    append(rig.dir / "app.log.1", "d\n");
    append(rig.log(), "e\n");
    rig.drain();
    CHECK(rig.lines.all.size() == 5);
  }
}

TEST_CASE("Several rotations between two looks lose nothing and keep the order") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Rig rig(glob);
    append(rig.log(), "1\n");
    rig.drain();
    append(rig.log(), "2\n");
    rename_file(rig.log(), rig.dir / "app.log.1");
    append(rig.log(), "3\n");
    rename_file(rig.dir / "app.log.1", rig.dir / "app.log.2");
    rename_file(rig.log(), rig.dir / "app.log.1");
    append(rig.log(), "4\n");
    rig.drain();
    std::sort(rig.lines.all.begin(), rig.lines.all.end());
    CHECK(rig.lines.all == Strings{"1", "2", "3", "4"});
  }
}

TEST_CASE("R2 copytruncate with a stale writer gives no NUL byte in any record") {
  for (const char* glob : {"app.log", "app.log*"}) {
    Rig rig(glob);
    const int fd = ::open(rig.log().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    REQUIRE(::write(fd, "a1\na2\n", 6) == 6);
    rig.drain();
    copy_file(rig.log(), rig.dir / "app.log.1");
    truncate_file(rig.log());
    REQUIRE(::write(fd, "b\n", 2) == 2);
    ::close(fd);
    rig.drain();
    CHECK(rig.lines.all == Strings{"a1", "a2", "b"});
    CHECK(rig.tailer->stats().hole_bytes == 6);
    CHECK(rig.tailer->stats().truncations == 1);
  }
}

TEST_CASE("R11 what copytruncate left unread is read from the copy, once") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const bool restart : {false, true}) {
      Rig rig(glob);
      append(rig.log(), "a\n");
      rig.drain();
      if (restart) rig.stop();
      append(rig.log(), "b\n");
      copy_file(rig.log(), rig.dir / "app.log.1");
      truncate_file(rig.log());
      append(rig.log(), "c\n");
      rig.drain();
      CHECK(rig.lines.all == Strings{"a", "b", "c"});
      CHECK(rig.tailer->stats().copies_recognised == 1);
    }
  }
}
