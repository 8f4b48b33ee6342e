// Reading, restarts, long lines, names: what is not rotation.
#include <catch2/catch.hpp>

#include "../../../collector/src/file/glob.hpp"
#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

TEST_CASE("R7 a line whose halves lie on both sides of a restart is one line") {
  Rig rig;
  append(rig.log(), "partial");
  rig.drain();
  rig.restart();
  append(rig.log(), " line\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"partial line"});
}

TEST_CASE("R3 a swapped symbolic link is followed and the old target too") {
  Rig rig;
  append(rig.dir / "t1", "a\n");
  std::filesystem::create_symlink("t1", rig.log());
  rig.drain();
  append(rig.dir / "t2", "b\n");
  std::filesystem::create_symlink("t2", rig.dir / "new");
  rename_file(rig.dir / "new", rig.log());
  rig.drain();
  append(rig.dir / "t1", "c\n");
  append(rig.dir / "t2", "d\n");
  rig.pass_ms(10'000);
  std::sort(rig.lines.all.begin(), rig.lines.all.end());
  CHECK(rig.lines.all == Strings{"a", "b", "c", "d"});
}

TEST_CASE("A line longer than the buffer is delivered once, cut, also across a restart") {
  Rig rig;
  rig.options.buffer_bytes = rig.lines.buffer_bytes = 100;
  append(rig.log(), "a\n" + std::string(250, 'x'));
  rig.drain();
  rig.restart();
  append(rig.log(), std::string(300, 'x') + "\nb\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a", std::string(100, 'x'), "b"});
}

TEST_CASE("R16 malformed states are counted and the file is read afresh") {
  Rig rig;
  append(rig.log(), "a\n");
  rig.saved.states = {{"k1", "nonsense"}, {"k2", "1 0 0"}, {"k3", "9 "}};
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
  CHECK(rig.tailer->stats().states_malformed == 3);
}

TEST_CASE("R4 a rotated file's unterminated last line is consumed once quiet, then it is closed") {
  Rig rig;
  append(rig.log(), "a\nend");
  rig.drain();
  rename_file(rig.log(), rig.dir / "app.log.1");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
  rig.pass_ms(31'000);
  CHECK(rig.lines.all == Strings{"a", "end"});
  CHECK(rig.lines.closed_paths.size() == 1);
  rig.restart();
  rig.drain();
  CHECK(rig.lines.all.size() == 2);
}

TEST_CASE("Patterns: wildcards, classes, braces, any depth") {
  CHECK(Glob("/a/**/*.log").match("/a/b/c/x.log"));
  CHECK(Glob("/a/**/*.log").match("/a/x.log"));
  CHECK_FALSE(Glob("/a/*.log").match("/a/b/x.log"));
  CHECK_FALSE(Glob("/a/*").match("/a/.hidden"));
  CHECK(match_component("[a-c]?[!x]*", "bzyyy"));
  CHECK_FALSE(match_component("[a-c]?[!x]*", "bzx"));
  CHECK(expand_braces("a{b,c{d,e}}") == Strings{"ab", "acd", "ace"});
}

TEST_CASE("A file whose saved position was damaged is continued at its end") {
  Rig rig;
  append(rig.log(), "a\nb\n");
  rig.drain();
  rig.save();
  REQUIRE(rig.saved.states.size() == 1);
  rig.saved.states.begin()->second = kPositionLost;
  rig.crash();
  append(rig.log(), "lost\nhal");
  rig.drain();
  append(rig.log(), "f\nc\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a", "b", "c"});
  CHECK(rig.tailer->stats().positions_lost == 1);
  rig.restart();  // from now on it has a position again
  append(rig.log(), "d\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a", "b", "c", "d"});
}
