// Which file is which: holes, reused inodes, equal beginnings, copies in the making, one file for
// several sources.
#include <catch2/catch.hpp>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string inode_of(const std::string& path) {
  struct stat st {};
  REQUIRE(::stat(path.c_str(), &st) == 0);
  std::ostringstream out;
  out << std::hex << st.st_ino;
  return out.str();
}

void replace_all(std::string& text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

// As if the file system had given the inode of the saved file to the one at `path`.
void reuse_inode(Rig& rig, const std::string& old_inode, const std::string& path) {
  std::map<std::string, std::string> states;
  for (const auto& saved : rig.saved.states) {
    std::string key = saved.first, state = saved.second;
    replace_all(key, ":" + old_inode, ":" + inode_of(path));
    replace_all(state, " " + old_inode + " ", " " + inode_of(path) + " ");
    states[key] = state;
  }
  CHECK(states != rig.saved.states);
  rig.saved.states = states;
}

const std::string kBanner(1500, '=');

}  // namespace

TEST_CASE("A NUL hole that is still growing over a restart leaves no NUL in any record") {
  for (const size_t hole : {10U, 5'000U, 20'000U}) {
    for (const Between between : kEveryBetween) {
      Rig rig;
      append(rig.log(), "a\nb\n");
      rig.drain();
      rig.save();
      copy_file(rig.log(), rig.dir / "app.log.1");
      truncate_file(rig.log());
      truncate_file(rig.log(), static_cast<int64_t>(hole));
      rig.drain();
      rig.save();
      rig.down(between);
      truncate_file(rig.log(), static_cast<int64_t>(hole + 100));
      rig.drain();
      rig.down(between);
      append(rig.log(), "c\n");
      rig.drain();
      rig.save();
      rig.down(between);
      append(rig.log(), std::string(3, '\0') + "d\n");
      rig.drain();
      CHECK(rig.lines.all == Strings{"a", "b", "c", std::string(3, '\0') + "d"});
    }
  }
}

TEST_CASE("A reused inode with another content is a new file, read from its start") {
  for (const int lines : {1, 10, 100}) {
    for (const std::string& head : {std::string(), kBanner + "\n"}) {
      Rig rig("*.log");
      append(rig.dir / "old.log", head + text_of(numbered(0, 10)));
      rig.drain();
      const std::string inode = inode_of(rig.dir / "old.log");
      rig.stop();
      const size_t before = rig.lines.all.size();
      append(rig.dir / "new.log", head + text_of(numbered(50, 50 + lines)));
      remove_file(rig.dir / "old.log");
      reuse_inode(rig, inode, rig.dir / "new.log");
      rig.drain();
      Strings expected = numbered(50, 50 + lines);
      if (!head.empty()) expected.insert(expected.begin(), kBanner);
      CHECK(Strings(rig.lines.all.begin() + static_cast<ptrdiff_t>(before), rig.lines.all.end()) ==
            expected);
      rig.restart();
      rig.drain();
      CHECK(rig.lines.all.size() == before + expected.size());
    }
  }
}

TEST_CASE("An inode that the file system really uses again is a new file") {
  Rig rig;
  append(rig.log(), "a\nb\n");
  rig.drain();
  const std::string inode = inode_of(rig.log());
  rig.stop();
  remove_file(rig.log());
  for (int i = 0; i < 50; ++i) {  // most file systems need one try, tmpfs none helps
    append(rig.log(), "c\nd\ne\n");
    if (inode_of(rig.log()) == inode) break;
    if (i < 49) remove_file(rig.log());
  }
  rig.drain();
  CHECK(rig.lines.all == Strings{"a", "b", "c", "d", "e"});
}

TEST_CASE("A file cut back to its banner and written anew is noticed by what follows the banner") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    append(rig.log(), kBanner + "\n" + text_of(numbered(0, 20)));
    rig.drain();
    rig.save();
    rig.down(between);
    truncate_file(rig.log());
    append(rig.log(), kBanner + "\n" + text_of(numbered(20, 60)));
    rig.drain();
    Strings rest = rig.lines.all;
    CHECK(std::erase(rest, kBanner) == 2);
    CHECK(rest == numbered(0, 60));
  }
}

TEST_CASE("Rotated files that all begin with the same banner are told apart") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      for (int i = 0; i < 4; ++i) {
        append(rig.log(), kBanner + "\n" + text_of(numbered(i * 10, i * 10 + 5)));
        rig.drain();
        rig.save();
        rig.down(between);
        append(rig.log(), text_of(numbered(i * 10 + 5, i * 10 + 10)));
        rename_file(rig.log(), rig.dir / ("app.log." + std::to_string(9 - i)));
      }
      append(rig.log(), kBanner + "\n");
      rig.drain();
      Strings rest = rig.lines.all;
      CHECK(std::erase(rest, kBanner) == 5);
      CHECK(rest == numbered(0, 40));
    }
  }
}

TEST_CASE("A copy that is matched while it is being written is not counted") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const bool complete : {false, true}) {
      for (const Between between : kEveryBetween) {
        CAPTURE(glob, complete, static_cast<int>(between));
        Rig rig(glob);
        const std::string old = text_of(numbered(0, 200));  // more than its 1 KiB head
        append(rig.log(), old);
        rig.drain();
        rig.save();
        for (size_t at = 0; at < old.size(); at += 100) {  // logrotate copies piece by piece
          append(rig.dir / "app.log.1", old.substr(at, 100));
          rig.drain();
          if (at == 200) rig.down(between);
        }
        append(rig.log(), "line 200\n");  // written after the copy was taken, before the truncation
        append(rig.dir / "app.log.1", complete ? "line 200\n" : "");
        if (!complete) rig.drain();
        rig.save();
        truncate_file(rig.log());
        if (between != Between::nothing) rig.down(between);
        append(rig.log(), text_of(numbered(201, 205)));
        rig.drain();
        rig.pass_ms(60'000);
        append(rig.log(), "line 205\n");
        rig.drain();
        CHECK(rig.lines.all == numbered(0, 206));
      }
    }
  }
}

TEST_CASE("Lines logged between copying and truncating are counted once, also over a restart") {
  for (const char* glob : {"app.log", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      append(rig.log(), text_of(numbered(0, 200)));  // more than the 1 KiB by which it is known
      rig.drain();
      copy_file(rig.log(), rig.dir / "app.log.1");
      append(rig.log(), text_of(numbered(200, 210)));
      rig.drain();
      rig.save();
      rig.down(between);
      truncate_file(rig.log());
      append(rig.log(), text_of(numbered(210, 215)));
      rig.drain();
      rig.pass_ms(60'000);
      CHECK(rig.lines.all == numbered(0, 215));
    }
  }
}

TEST_CASE("A file that two sources match is read once, for both") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    rig.more_sources = {"*.log"};
    append(rig.log(), "a\n");
    rig.drain();
    rig.save();
    rig.down(between);
    append(rig.log(), "b\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b"});
    REQUIRE(rig.tailer->files().size() == 1);
    CHECK(rig.tailer->files()[0]->matched == std::vector<uint32_t>{0, 1});
  }
}

TEST_CASE(
    "A file that two sources know by different names is read once, for both, from the start") {
  for (const Between between : kEveryBetween) {
    for (const bool symbolic : {false, true}) {
      Rig rig;
      rig.more_sources = {"other.log"};
      append(rig.log(), "a\n");
      if (symbolic) {
        std::filesystem::create_symlink("app.log", rig.dir / "other.log");
      } else {
        std::filesystem::create_hard_link(rig.log(), rig.dir / "other.log");
      }
      rig.drain();
      REQUIRE(rig.tailer->files().size() == 1);
      CHECK(rig.tailer->files()[0]->matched == std::vector<uint32_t>{0, 1});
      rig.save();
      rig.down(between);
      append(rig.log(), "b\n");
      rig.drain();
      CHECK(rig.lines.all == Strings{"a", "b"});
      CHECK(rig.tailer->files()[0]->matched == std::vector<uint32_t>{0, 1});
    }
  }
}

TEST_CASE("A rotated file keeps the sources it had, whatever its new name matches") {
  for (const auto& more : {"app.log.*", "app.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig;
      rig.more_sources = {more};
      append(rig.log(), "a\n");
      rig.drain();
      const std::vector<uint32_t> sources = rig.tailer->files()[0]->matched;
      rig.save();
      rig.down(between);
      append(rig.log(), "b\n");
      rename_file(rig.log(), rig.dir / "app.log.1");
      append(rig.log(), "c\n");
      rig.drain();
      CHECK(rig.lines.all == Strings{"a", "b", "c"});
      REQUIRE(rig.tailer->files().size() == 2);
      for (const LogStream* file : rig.tailer->files()) CHECK(file->matched == sources);
    }
  }
}
