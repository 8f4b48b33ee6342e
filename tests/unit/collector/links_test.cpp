// Symbolic links among logs: followed where the operator lets them lead, and nowhere else.
#include <atomic>
#include <catch2/catch.hpp>
#include <cerrno>
#include <cstring>
#include <thread>

#include "../../../collector/src/file/fs.hpp"
#include "../../../collector/src/file/roots.hpp"
#include "nines/collector/link_rule.hpp"
#include "nines/collector/scan.hpp"
#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

namespace fs = std::filesystem;

// logs/ is what the source names; secret/ is what the agent may read and the service may not.
struct Guarded : Rig {
  explicit Guarded(std::string pattern = "logs/*.log") : Rig(std::move(pattern)) {
    fs::create_directory(dir / "logs");
    fs::create_directory(dir / "secret");
    append(dir / "secret/key", "secret\n");
  }
  void start() {
    auto made = Tailer::create(options, lines, saved.list(), clock);
    REQUIRE(made.ok());
    tailer = std::move(*made);
    restrict_links(*tailer, links);
    tailer->add_source(0, {{{dir / glob}, {}}});
    uint32_t index = 0;
    for (const std::string& more : more_sources) tailer->add_source(++index, {{{dir / more}, {}}});
  }
  void drain() {
    if (!tailer) start();
    Rig::drain();
  }
  void restart() {
    stop();
    start();
  }
  void link(const std::string& target, const std::string& name) {
    fs::create_symlink(target, dir / name);
  }
  InputStats told() const {
    std::vector<InputStats> all;
    tailer->describe(all);
    return all.at(0);
  }
  Strings links;  // folders besides those of the sources
  uint64_t refused() const { return told().refused; }
  std::string trouble() const { return told().trouble; }
};

struct TwoFolders : TempDir {
  TwoFolders() {
    fs::create_directory(*this / "logs");
    fs::create_directory(*this / "secret");
  }
};

std::string first_line(const UniqueFd& fd) {
  std::array<char, 16> bytes{};
  const int64_t got = read_at(fd.get(), bytes.data(), bytes.size(), 0);
  const std::string text(bytes.data(), static_cast<size_t>(std::max<int64_t>(got, 0)));
  return text.substr(0, text.find('\n'));
}

}  // namespace

TEST_CASE("A link out of the folders of its source is not read, and that is told and counted") {
  Guarded rig;
  append(rig.dir / "logs/app.log", "a\n");
  SECTION("absolute") { rig.link(rig.dir / "secret/key", "logs/evil.log"); }
  SECTION("relative") { rig.link("../secret/key", "logs/evil.log"); }
  SECTION("a chain whose last link leaves") {
    rig.link("../secret/key", "logs/hop");
    rig.link("hop", "logs/evil.log");
  }
  SECTION("through a link to a folder") {
    rig.link("../secret", "logs/dir");
    rig.link("dir/key", "logs/evil.log");
  }
  SECTION("through the root of a process") {
    rig.link("/proc/self/root" + (rig.dir / "secret/key"), "logs/evil.log");
  }
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
  CHECK(rig.refused() == 1);
  CHECK(rig.trouble().find(rig.dir / "logs/evil.log leads to ") == 0);
  CHECK(rig.trouble().find("add " + rig.dir / "secret/key to the paths") != std::string::npos);
  rig.restart();
  rig.pass_ms(20'000);
  CHECK(rig.lines.all == Strings{"a"});
  CHECK(rig.refused() == 1);
  remove_file(rig.dir / "logs/evil.log");
  rig.pass_ms(20'000);
  CHECK(rig.refused() == 1);  // of all times
  CHECK(rig.trouble().empty());
}

TEST_CASE("A link within the folders of its source is followed") {
  Guarded rig("logs/**/*.log");
  fs::create_directory(rig.dir / "logs/data");
  append(rig.dir / "logs/data/0", "a\n");
  rig.link("data/0", "logs/one.log");
  append(rig.dir / "logs/data/1", "b\n");
  rig.link(rig.dir / "logs/data/1", "logs/hop");
  rig.link("hop", "logs/two.log");
  rig.drain();
  CHECK(sorted(rig.lines.all) == Strings{"a", "b"});
  CHECK(rig.refused() == 0);
}

TEST_CASE("Links of container logs lead to the folders that are allowed, and are followed there") {
  for (const Between between : kEveryBetween) {
    Guarded rig("logs/containers/*.log");
    fs::create_directories(rig.dir / "logs/containers");
    fs::create_directories(rig.dir / "logs/pods/x");
    fs::create_directories(rig.dir / "docker/1");
    rig.links = Strings{rig.dir / "logs/pods", rig.dir / "docker"};
    append(rig.dir / "docker/1/1-json.log", "a\n");
    rig.link(rig.dir / "docker/1/1-json.log", "logs/pods/x/0.log");
    rig.link("../pods/x/0.log", "logs/containers/x.log");
    rig.drain();
    rig.save();
    rig.down(between);
    append(rig.dir / "docker/1/1-json.log", "b\n");
    rename_file(rig.dir / "docker/1/1-json.log", rig.dir / "docker/1/1-json.log.1");
    append(rig.dir / "docker/1/1-json.log", "c\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a", "b", "c"});
    CHECK(rig.refused() == 0);
  }
}

TEST_CASE("A folder with a similar beginning is not within a root") {
  Guarded rig;
  fs::create_directory(rig.dir / "logs-of-others");
  append(rig.dir / "logs-of-others/x", "x\n");
  rig.link("../logs-of-others/x", "logs/x.log");
  rig.drain();
  CHECK(rig.lines.all.empty());
  CHECK(rig.refused() == 1);
}

TEST_CASE(
    "The folder that a pattern spells out may be a link itself, one that a wildcard finds not") {
  SECTION("spelt out") {
    Guarded rig("current/log/*.log");
    fs::create_directories(rig.dir / "releases/7/log");
    rig.link("releases/7", "current");
    append(rig.dir / "releases/7/log/app.log", "a\n");
    rig.drain();
    CHECK(rig.lines.all == Strings{"a"});
  }
  SECTION("found") {
    Guarded rig("logs/*/key");
    rig.link("../secret", "logs/app");
    rig.drain();
    CHECK(rig.lines.all.empty());
    CHECK(rig.refused() == 1);
  }
}

TEST_CASE("Links that lead in circles, nowhere, or to what is no file are passed over quietly") {
  Guarded rig;
  rig.link("b.log", "logs/a.log");
  rig.link("a.log", "logs/b.log");
  rig.link("nothing", "logs/dangling.log");
  rig.link("../secret", "logs/folder.log");
  rig.link("/dev/null", "logs/device.log");
  append(rig.dir / "logs/app.log", "a\n");
  rig.drain();
  CHECK(rig.lines.all == Strings{"a"});
  CHECK(rig.refused() == 0);
}

TEST_CASE("A generation that is a link out of the folders is neither compared nor read") {
  Guarded rig;
  append(rig.dir / "logs/app.log", "a\n");
  rig.drain();
  rig.clock.advance_ms(1000);
  // What was logged goes on in the secret, as a copy of a rotation would.
  append(rig.dir / "secret/copy", "a\nsecret\n");
  rig.link("../secret/copy", "logs/app.log.1");
  remove_file(rig.dir / "logs/app.log");
  append(rig.dir / "logs/app.log", "b\n");
  rig.restart();
  rig.pass_ms(20'000);
  CHECK(rig.lines.all == Strings{"a", "b"});
}

TEST_CASE("A link that turns to a secret ends what is read of its name") {
  for (const Between between : kEveryBetween) {
    Guarded rig;
    append(rig.dir / "logs/data", "a\n");
    rig.link("data", "logs/app.log");
    rig.drain();
    rig.save();
    rig.down(between);
    rig.link("../secret/key", "logs/new");
    rename_file(rig.dir / "logs/new", rig.dir / "logs/app.log");
    append(rig.dir / "logs/data", "b\n");
    rig.drain();
    rig.pass_ms(20'000);
    CHECK(rig.lines.all == Strings{"a", "b"});
    CHECK(rig.refused() == 1);
  }
}

TEST_CASE("A file that is moved out of the folders is read to its end, also when opened again") {
  Guarded rig;
  rig.options.max_open = 4;
  append(rig.dir / "logs/app.log", "a\n");
  rig.drain();
  rename_file(rig.dir / "logs/app.log", rig.dir / "secret/archived");
  append(rig.dir / "secret/archived", "b\n");
  rig.drain();
  rig.pass_ms(60'000);  // quiet: closed
  append(rig.dir / "secret/archived", "c\n");
  rig.pass_ms(20'000);
  CHECK(rig.lines.all == Strings{"a", "b", "c"});
}

TEST_CASE("Each source has folders of its own: what one may follow does not count for another") {
  Guarded rig;
  rig.more_sources = {"**/*.log", "secret/*"};
  rig.link("../secret/key", "logs/app.log");
  rig.drain();
  REQUIRE(rig.lines.all == Strings{"secret"});
  const std::vector<LogStream*> files = rig.tailer->files();
  REQUIRE(files.size() == 1);
  CHECK(files[0]->matched == std::vector<uint32_t>{1, 2});
}

TEST_CASE("A link swapped between the look and the opening is not followed") {
  TempDir dir;
  fs::create_directories(dir / "logs/app");
  fs::create_directory(dir / "secret");
  append(dir / "logs/app/x.log", "inside\n");
  append(dir / "secret/x.log", "secret\n");
  CHECK(first_line(open_beneath(dir / "logs", dir / "logs/app/x.log")) == "inside");
  SECTION("the file") {
    fs::remove(dir / "logs/app/x.log");
    fs::create_symlink("../../secret/x.log", dir / "logs/app/x.log");
    CHECK_FALSE(open_beneath(dir / "logs", dir / "logs/app/x.log").valid());
    CHECK(errno == ELOOP);
  }
  SECTION("a folder on the way") {
    fs::rename(dir / "logs/app", dir / "logs/old");
    fs::create_symlink("../secret", dir / "logs/app");
    CHECK_FALSE(open_beneath(dir / "logs", dir / "logs/app/x.log").valid());
    CHECK(errno == ENOTDIR);
  }
  SECTION("a way back up") {
    CHECK_FALSE(open_beneath(dir / "logs", dir / "logs/../secret/x.log").valid());
    CHECK(errno == EINVAL);
  }
}

TEST_CASE("However fast a link is swapped, no opening leads out of the folders") {
  const TwoFolders dir;
  append(dir / "logs/x.log", "inside\n");
  append(dir / "secret/x.log", "secret\n");
  fs::create_symlink("x.log", dir / "logs/good");
  fs::create_symlink("../secret/x.log", dir / "logs/evil");
  LinkRoots roots({dir / "logs/*.log"}, {});
  roots.resolve();
  const auto swap = [&] {
    return ::renameat2(AT_FDCWD, (dir / "logs/good").c_str(), AT_FDCWD, (dir / "logs/evil").c_str(),
                       RENAME_EXCHANGE);
  };
  if (swap() != 0) {
    WARN("SKIPPED: this file system cannot exchange two names: " << std::strerror(errno));
    return;
  }
  std::atomic<bool> stop{false};
  std::atomic<uint64_t> swaps{0};
  std::thread swapper([&] {
    for (; !stop; ++swaps) (void)swap();
  });
  size_t inside = 0, elsewhere = 0;
  for (int i = 0; i < 200'000 && (i < 3000 || inside == 0 || elsewhere == 0); ++i) {
    const UniqueFd fd = roots.open(dir / "logs/good");
    if (!fd.valid()) {
      ++elsewhere;
      continue;
    }
    inside += first_line(fd) == "inside" ? 1 : 0;
    if (first_line(fd) == "secret") FAIL("read what the link led to");
  }
  stop = true;
  swapper.join();
  CHECK(swaps > 0);
  CHECK(inside > 0);
  CHECK(elsewhere > 0);
}

TEST_CASE("A query of a configured source leaves out what links outside of its folders lead to") {
  const TwoFolders dir;
  append(dir / "logs/app.log", "a\n");
  append(dir / "secret/key", "secret\n");
  fs::create_symlink("app.log", dir / "logs/b.log");
  fs::create_symlink("../secret/key", dir / "logs/evil.log");
  std::vector<ScanFile> files;
  for (const char* name : {"logs/app.log", "logs/b.log", "logs/evil.log"}) {
    files.push_back({dir / name, 0, {}});
  }
  drop_strays({dir / "logs/*.log"}, files);
  REQUIRE(files.size() == 2);
  CHECK(files[1].path == dir / "logs/b.log");
}

TEST_CASE("Magic links of the kernel are no way around") {
  TempDir dir;
  fs::create_directory(dir / "logs");
  append(dir / "secret", "secret\n");
  const UniqueFd held = open_for_reading(dir / "secret");
  LinkRoots roots({dir / "logs/*.log"}, {});
  roots.resolve();
  fs::create_symlink("/proc/self/fd/" + std::to_string(held.get()), dir / "logs/fd.log");
  fs::create_symlink("/proc/self/cwd", dir / "logs/cwd.log");
  CHECK(first_line(open_for_reading(dir / "logs/fd.log")) == "secret");  // as it was
  CHECK_FALSE(roots.open(dir / "logs/fd.log").valid());
  CHECK(errno == EXDEV);
  CHECK_FALSE(roots.open(dir / "logs/cwd.log").valid());
}

TEST_CASE("The folder that a pattern spells out ends before its first wildcard") {
  CHECK(spelt_folder("/var/log/app/*.log") == "/var/log/app");
  CHECK(spelt_folder("/var/log/a*/x.log") == "/var/log");
  CHECK(spelt_folder("/var/log/**/x.log") == "/var/log");
  CHECK(spelt_folder("/var/log/app.log") == "/var/log");
  CHECK(spelt_folder("/x.log") == "/");
  CHECK(spelt_folder("x.log").empty());
}
