// Limits and what happens beyond them; finding files; waiting.
#include <sys/resource.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <thread>

#include "sanitizers.hpp"
#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

std::string numbered_log(int i) { return "f" + std::to_string(100 + i) + ".log"; }

int64_t max_queued_events() {
  std::ifstream in("/proc/sys/fs/inotify/max_queued_events");
  int64_t out = 16384;
  in >> out;
  return out;
}

// Root may read anything: what permissions do is only seen as somebody else.
class AsNobody {
 public:
  explicit AsNobody(const std::string& directory) : root_(::geteuid() == 0) {
    constexpr uid_t kNobody = 65534;
    if (!root_) return;
    if (::chown(directory.c_str(), kNobody, kNobody) != 0 || ::seteuid(kNobody) != 0)
      works_ = false;
  }
  ~AsNobody() {
    if (root_) works_ = ::seteuid(0) == 0;
  }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  bool works() const { return works_; }

 private:
  bool root_, works_ = true;
};

std::string trouble(Rig& rig) {
  std::vector<InputStats> shown;
  rig.tailer->describe(shown);
  return shown.at(0).trouble;
}

void set_mode(const std::string& path, mode_t mode) { REQUIRE(::chmod(path.c_str(), mode) == 0); }

}  // namespace

TEST_CASE("After an overflow of the event queue everything is found by looking again") {
  const int64_t limit = max_queued_events();
  if (limit > 100'000) {
    WARN("the event queue of this machine is too long to fill");
    return;
  }
  Rig rig("*.log");
  append(rig.dir / "a.log", "a0\n");
  append(rig.dir / "b.log", "b0\n");
  rig.drain();
  // Equal events in a row are merged by the kernel: two files in turn.
  for (int64_t i = 0; i < limit / 2 + 10; ++i) {
    truncate_file(rig.dir / "a.log", 3);
    truncate_file(rig.dir / "b.log", 3);
  }
  append(rig.dir / "a.log", "a1\n");
  rename_file(rig.dir / "b.log", rig.dir / "b.log.1");
  append(rig.dir / "b.log.1", "b1\n");
  append(rig.dir / "b.log", "b2\n");
  append(rig.dir / "c.log", "c0\n");
  rig.drain();
  CHECK(rig.tailer->stats().overflows == 1);
  CHECK(rig.lines.all.size() == 6);
  CHECK(sorted(rig.lines.all) == Strings{"a0", "a1", "b0", "b1", "b2", "c0"});
}

TEST_CASE("Beyond max_files files are refused and counted, and taken in when there is room") {
  for (const Between between : kEveryBetween) {
    Rig rig("*.log");
    rig.options.max_files = 3;
    rig.options.forget_ms = 100'000;
    for (int i = 0; i < 5; ++i) append(rig.dir / numbered_log(i), "x\n");
    rig.drain();
    CHECK(rig.lines.all.size() == 3);
    CHECK(rig.tailer->stats().files_refused == 2);
    rig.save();
    rig.down(between);
    rig.drain();
    CHECK(rig.lines.all.size() == 3);
    CHECK(rig.tailer->stats().files_refused == 2);
    const Strings read = rig.lines.opened_paths;
    remove_file(read[0]);
    remove_file(read[1]);
    rig.drain();
    rig.pass_ms(31'000);
    rig.drain();  // looks once more: perhaps they were compressed
    rig.pass_ms(100'001);
    rig.pass_ms(10'000);
    CHECK(rig.lines.all.size() == 5);
    CHECK(rig.tailer->stats().files_refused == 0);
  }
}

TEST_CASE("Directories beyond max_watches are polled, and the statistics say so") {
  Rig rig("*/app.log");
  rig.options.max_watches = 2;
  for (const char* name : {"1", "2", "3"}) {
    std::filesystem::create_directory(rig.dir / name);
    append(rig.dir / name + "/app.log", "a\n");
  }
  rig.drain();
  CHECK(rig.tailer->stats().polling);
  CHECK(rig.tailer->stats().watches == 2);
  for (const char* name : {"1", "2", "3"}) append(rig.dir / name + "/app.log", "b\n");
  rig.pass_ms(rig.options.poll_ms);
  CHECK(rig.lines.all.size() == 6);
}

TEST_CASE("Without inotify files are polled") {
  Rig rig("*.log");
  rig.options.use_inotify = false;
  append(rig.log(), "a\n");
  rig.drain();
  CHECK(rig.tailer->stats().polling);
  append(rig.log(), "b\n");
  append(rig.dir / "new.log", "c\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
  rig.pass_ms(rig.options.poll_ms);
  CHECK(sorted(rig.lines.all) == Strings{"a", "b", "c"});
}

TEST_CASE("With enough watches there is no polling") {
  Rig rig;
  append(rig.log(), "a\n");
  rig.drain();
  CHECK(trouble(rig).empty());
  CHECK(rig.tailer->stats().watches > 0);
}

TEST_CASE("A directory beyond max_watches gets a watch when there is one again") {
  Rig rig("*/app.log");
  rig.options.max_watches = 3;
  for (const char* name : {"1", "2", "3"}) {
    std::filesystem::create_directory(rig.dir / name);
    append(rig.dir / name + "/app.log", "a\n");
  }
  rig.drain();
  CHECK(trouble(rig).find("1 directories are polled") != std::string::npos);
  CHECK(trouble(rig).find("max_user_watches") != std::string::npos);
  std::filesystem::remove_all(rig.dir / "1");
  rig.drain();
  rig.pass_ms(60'000);
  CHECK(trouble(rig).empty());
}

TEST_CASE("Files in directories without a watch come, go, grow and are rotated within poll_ms") {
  Rig rig("*/*.log");
  rig.options.max_watches = 0;
  std::filesystem::create_directory(rig.dir / "a");
  append(rig.dir / "a/app.log", "1\n");
  rig.drain();
  const uint64_t scans = rig.tailer->stats().rescans;
  for (int i = 0; i < 10; ++i) rig.pass_ms(rig.options.poll_ms);
  CHECK(rig.tailer->stats().rescans <= scans + 1);  // nothing changed: only those are looked at
  const auto step = [&] { rig.pass_ms(rig.options.poll_ms); };
  append(rig.dir / "a/app.log", "2\n");
  step();
  CHECK(rig.lines.all == Strings{"1", "2"});
  append(rig.dir / "a/new.log", "3\n");
  step();
  CHECK(rig.lines.all == Strings{"1", "2", "3"});
  rename_file(rig.dir / "a/app.log", rig.dir / "a/app.log.1");
  append(rig.dir / "a/app.log.1", "4\n");
  append(rig.dir / "a/app.log", "5\n");
  step();
  CHECK(rig.lines.all == Strings{"1", "2", "3", "4", "5"});
  std::filesystem::create_directory(rig.dir / "b");
  append(rig.dir / "b/app.log", "6\n");
  step();
  CHECK(rig.lines.all.back() == "6");
}

TEST_CASE("Without an inotify instance files are polled, and it is asked for again later") {
  if (nines::test::kSanitized) {
    WARN("not under a sanitizer, which needs descriptors itself");
    return;
  }
  Rig rig("*.log");
  append(rig.log(), "a\n");
  rig.start();
  rlimit limit{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &limit) == 0);
  const int next = ::dup(0);
  ::close(next);
  rlimit none = limit;
  none.rlim_cur = static_cast<rlim_t>(next);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &none) == 0);
  (void)rig.tailer->poll(0, SIZE_MAX);
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &limit) == 0);
  CHECK(trouble(rig).find("max_user_instances") != std::string::npos);
  rig.pass_ms(rig.options.poll_ms);
  CHECK(rig.lines.all == Strings{"a"});
  append(rig.dir / "b.log", "b\n");
  rig.pass_ms(rig.options.poll_ms);
  CHECK(rig.lines.all == Strings{"a", "b"});
  rig.pass_ms(61'000);
  CHECK(trouble(rig).empty());
  append(rig.log(), "c\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a", "b", "c"});
}

TEST_CASE("A file that grows again and again without an event is polled from then on") {
  Rig rig("logs/*.log");
  std::filesystem::create_directory(rig.dir / "logs");
  append(rig.dir / "logs/app.log", "a\n");
  // Written to by a name in a directory that is not watched: our directory sees no event.
  std::filesystem::create_hard_link(rig.dir / "logs/app.log", rig.dir / "elsewhere");
  rig.drain();
  for (int i = 0; i < 3; ++i) {
    append(rig.dir / "elsewhere", "b\n");
    rig.pass_ms(rig.options.rescan_ms);
  }
  CHECK(rig.lines.all.size() == 4);
  CHECK(rig.tailer->stats().polling);
  append(rig.dir / "elsewhere", "c\n");
  rig.pass_ms(rig.options.poll_ms);
  CHECK(rig.lines.all.size() == 5);
}

TEST_CASE("Growth of which events told does not lead to polling") {
  Rig rig;
  append(rig.log(), "a\n");
  rig.drain();
  for (int i = 0; i < 10; ++i) {
    append(rig.log(), "b\n");
    rig.pass_ms(rig.options.rescan_ms);
  }
  CHECK(trouble(rig).empty());
}

TEST_CASE("Ten thousand short-lived files leave no memory, no descriptor and no position behind") {
  Rig rig("*.log");
  rig.options.max_files = 64;
  rig.options.quiet_close_ms = 10;
  rig.options.forget_ms = 10;
  const auto rss_pages = [] {
    std::ifstream in("/proc/self/statm");
    int64_t total = 0, resident = 0;
    in >> total >> resident;
    return resident;
  };
  int64_t warm = 0;
  constexpr int kFiles = 10'000;
  for (int i = 0; i < kFiles; ++i) {
    const std::string path = rig.dir / ("job-" + std::to_string(i) + ".log");
    append(path, "x\n");
    rig.drain();
    remove_file(path);
    rig.pass_ms(20);
    rig.pass_ms(20);
    if (i == kFiles / 10) warm = rss_pages();
    if (i % 100 == 0) rig.save();
  }
  rig.pass_ms(20'000);
  rig.pass_ms(20'000);
  rig.save();
  CHECK(rig.lines.opened_paths.size() == kFiles);
  CHECK(rig.tailer->stats().files_open == 0);
  CHECK(rig.saved.states == std::map<std::string, std::string>{});
  if (nines::test::kSanitized || nines::test::is_emulated()) {
    WARN("memory is not judged under a sanitizer or an emulator");
    return;
  }
  // The test itself remembers three short strings a file.
  CHECK((rss_pages() - warm) * ::sysconf(_SC_PAGESIZE) < kFiles * 400 + 1'000'000);
}

TEST_CASE("Fifty files are read with four descriptors, through a rotation of each") {
  for (const char* glob : {"f*.log", "f*.log*"}) {
    for (const Between between : kEveryBetween) {
      Rig rig(glob);
      rig.options.max_open = 4;
      const auto all = [&](const std::string& text, const char* suffix = "") {
        for (int i = 0; i < 50; ++i) append(rig.dir / numbered_log(i) + suffix, text);
      };
      all("a\n");
      rig.drain();
      CHECK(rig.tailer->stats().files_open <= 4);
      rig.save();
      all("b\n");
      rig.drain();
      CHECK(rig.tailer->stats().files_open <= 4);
      rig.down(between);
      all("c\n");
      for (int i = 0; i < 50; ++i) {
        rename_file(rig.dir / numbered_log(i), rig.dir / numbered_log(i) + ".1");
      }
      all("d\n", ".1");
      all("e\n");
      rig.drain();
      rig.pass_ms(31'000);
      rig.pass_ms(31'000);
      CHECK(rig.tailer->stats().files_open <= 4);
      CHECK(rig.lines.all.size() == 250);
      for (const auto& text : {"a", "b", "c", "d", "e"}) {
        CHECK(std::count(rig.lines.all.begin(), rig.lines.all.end(), text) == 50);
      }
    }
  }
}

TEST_CASE("Excluded files are not read, by name or by path") {
  Rig rig("**/*.log");
  std::filesystem::create_directory(rig.dir / "secret");
  rig.exclude = {"debug*", rig.dir / "secret/*"};
  for (const char* name : {"app.log", "debug.log", "secret/x.log"}) {
    append(rig.dir / name, std::string(name) + "\n");
  }
  rig.drain();
  append(rig.dir / "debug2.log", "x\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"app.log"});
}

TEST_CASE("R18 a directory that matches the pattern is passed over") {
  for (const Between between : kEveryBetween) {
    Rig rig("*.log");
    std::filesystem::create_directory(rig.dir / "dir.log");
    append(rig.log(), "a\n");
    rig.drain();
    rig.save();
    rig.down(between);
    std::filesystem::create_directory(rig.dir / "other.log");
    append(rig.log(), "b\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b"});
    CHECK(rig.tailer->stats().read_errors == 0);
  }
}

TEST_CASE("R18 a file and its directory that appear later are read at once and from the start") {
  for (const Between between : kEveryBetween) {
    for (const char* glob : {"sub/deep/app.log", "sub/*/*.log", "**/*.log"}) {
      Rig rig(glob);
      rig.drain();
      CHECK(rig.tailer->files().empty());
      rig.save();
      rig.down(between);
      std::filesystem::create_directories(rig.dir / "sub/deep");
      rig.drain();
      append(rig.dir / "sub/deep/app.log", "a\nb\n");
      rig.drain();
      CHECK(rig.lines.all == Strings{"a", "b"});
    }
  }
}

TEST_CASE("R18 a file that could not be read is read when its permissions allow it") {
  for (const Between between : kEveryBetween) {
    Rig rig("*.log");
    const AsNobody nobody(rig.dir.path());
    if (!nobody.works()) {
      WARN("cannot become somebody else");
      return;
    }
    append(rig.log(), "a\nb\n");
    set_mode(rig.log(), 0);
    rig.drain();
    CHECK(rig.lines.all.empty());
    CHECK(rig.tailer->stats().read_errors > 0);
    rig.save();
    rig.down(between);
    append(rig.dir / "other.log", "x\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"x"});
    rig.save();
    set_mode(rig.log(), 0644);
    rig.drain();
    CHECK(rig.lines.all == Strings{"x", "a", "b"});
  }
}

TEST_CASE("R18 a file being read that is locked for a while over a restart is continued") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    const AsNobody nobody(rig.dir.path());
    if (!nobody.works()) {
      WARN("cannot become somebody else");
      return;
    }
    append(rig.log(), "a\n");
    rig.drain();
    rig.save();
    append(rig.log(), "b\n");
    set_mode(rig.log(), 0);
    rig.down(between);
    rig.drain();
    rig.pass_ms(60'000);
    set_mode(rig.log(), 0644);
    append(rig.log(), "c\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b", "c"});
  }
}

TEST_CASE("A link to a file in another directory is followed there without waiting") {
  for (const Between between : kEveryBetween) {
    Rig rig("links/*.log");
    std::filesystem::create_directory(rig.dir / "links");
    std::filesystem::create_directory(rig.dir / "data");
    append(rig.dir / "data/0.log", "a\n");
    std::filesystem::create_symlink("../data/0.log", rig.dir / "links/pod.log");
    rig.drain();
    rig.save();
    rig.down(between);
    append(rig.dir / "data/0.log", "b\n");
    rig.drain();
    append(rig.dir / "data/0.log", "c\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b", "c"});
  }
}

TEST_CASE("A file rotated behind a link, as kubelet does, loses nothing") {
  for (const int rotations : {1, 2}) {
    for (const Between between : kEveryBetween) {
      Rig rig("links/*.log");
      std::filesystem::create_directory(rig.dir / "links");
      std::filesystem::create_directory(rig.dir / "data");
      const std::string log = rig.dir / "data/0.log";
      append(log, "line 0\n");
      std::filesystem::create_symlink("../data/0.log", rig.dir / "links/pod.log");
      rig.drain();
      rig.save();
      rig.down(between);
      append(log, "line 1\n");
      for (int i = 0; i < rotations; ++i) {
        rename_file(log, log + ".20260101-00000" + std::to_string(i));
        append(log, "line " + std::to_string(2 + i) + "\n");
      }
      rig.drain();
      CHECK(sorted(rig.lines.all) == numbered(0, 2 + rotations));
      REQUIRE(!rig.tailer->files().empty());
      for (const LogStream* file : rig.tailer->files())
        CHECK(file->path == rig.dir / "links/pod.log");
    }
  }
}

TEST_CASE("R3 a link replaced atomically: the old target is read to its end, also over a restart") {
  for (const Between between : kEveryBetween) {
    Rig rig;
    std::filesystem::create_directory(rig.dir / "data");
    append(rig.dir / "data/t1", "a\n");
    std::filesystem::create_symlink("data/t1", rig.log());
    rig.drain();
    rig.save();
    rig.down(between);
    append(rig.dir / "data/t1", "b\n");
    append(rig.dir / "data/t2", "c\n");
    std::filesystem::create_symlink("data/t2", rig.dir / "new");
    rename_file(rig.dir / "new", rig.log());
    rig.drain();
    append(rig.dir / "data/t1", "d\n");
    append(rig.dir / "data/t2", "e\n");
    rig.pass_ms(10'000);
    CHECK(sorted(rig.lines.all) == Strings{"a", "b", "c", "d", "e"});
  }
}

TEST_CASE("wake() ends the next wait at once") {
  Rig rig;
  append(rig.log(), "a\n");
  rig.drain();
  const auto start = std::chrono::steady_clock::now();
  rig.tailer->wake();
  rig.tailer->wake();
  CHECK_FALSE(rig.tailer->poll(9'000, SIZE_MAX));
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(5));
  CHECK(rig.tailer->stats().wakeups == 1);
}

TEST_CASE("Wake-ups shortly after one another are batched, and wake() ends the pause") {
  Rig rig;
  rig.options.coalesce_ms = 20;
  append(rig.log(), "a\n");
  rig.drain();
  append(rig.log(), "b\n");
  (void)rig.tailer->poll(9'000, SIZE_MAX);
  CHECK(rig.lines.all == Strings{"a", "b"});
  CHECK(rig.tailer->stats().wakeups == 1);
  append(rig.log(), "c\n");
  const auto start = std::chrono::steady_clock::now();
  (void)rig.tailer->poll(9'000, SIZE_MAX);  // the clock stood still: paused for the whole 20 ms
  CHECK(std::chrono::steady_clock::now() - start >= std::chrono::milliseconds(19));
  CHECK(rig.lines.all == Strings{"a", "b", "c"});
  CHECK(rig.tailer->stats().wakeups == 3);
  rig.clock.advance_ms(20);
  append(rig.log(), "d\n");
  (void)rig.tailer->poll(9'000, SIZE_MAX);
  CHECK(rig.tailer->stats().wakeups == 4);
}

TEST_CASE("wake() from another thread ends the pause between wake-ups") {
  Rig rig;
  rig.options.coalesce_ms = 60'000;
  append(rig.log(), "a\n");
  rig.drain();
  append(rig.log(), "b\n");  // the clock says 1 s since the start: it pauses for 59 s
  std::atomic<bool> done{false};
  std::thread waker([&] {
    while (!done) rig.tailer->wake();
  });
  const auto start = std::chrono::steady_clock::now();
  (void)rig.tailer->poll(9'000, SIZE_MAX);
  done = true;
  waker.join();
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(30));
  CHECK(rig.lines.all == Strings{"a", "b"});
}
