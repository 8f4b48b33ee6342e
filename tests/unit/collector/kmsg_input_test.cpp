// The kernel's log: from a socket pair that keeps records apart as /dev/kmsg does, and the real
// one.
#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cerrno>
#include <fstream>

#include "../../../collector/src/file/fs.hpp"
#include "stream_support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

// A kernel that keeps its log over the lives of its reader.
class Kernel {
 public:
  SteadyClock clock;
  RecordKeeper kept;
  std::vector<slo::Position> saved;
  std::unique_ptr<Input> input;
  int fail_with = 0;

  explicit Kernel(const std::string& boot = "boot-1") { boots(boot); }
  void boots(const std::string& id) { std::ofstream(dir_.file("boot_id")) << id << "\n"; }

  void start(std::string start = "beginning", bool once = false) {
    input.reset();
    KmsgOptions options;
    options.boot_id_path = dir_.file("boot_id");
    options.start = std::move(start);
    options.once = once;
    options.open = [this](const std::string&) { return open(); };
    auto made = make_kmsg_input(std::move(options), kept, saved, clock);
    REQUIRE(made.ok());
    input = std::move(*made);
  }
  void print(uint64_t seq, const std::string& text) {
    const std::string record = "6," + std::to_string(seq) + ",5000000,-;" + text + "\n";
    raw(record);
  }
  void raw(const std::string& record) {
    REQUIRE(::send(writer_.get(), record.data(), record.size(), MSG_NOSIGNAL) ==
            static_cast<ssize_t>(record.size()));
  }
  void commit() {
    std::vector<slo::Position> changed;
    input->take_positions(changed);
    for (slo::Position& p : changed) saved = {p};
  }
  void read() {
    REQUIRE(read_until(*input, [&] { return input->caught_up(); }));
  }

 private:
  int open() {
    if (fail_with != 0) {
      errno = fail_with;
      return -1;
    }
    int fds[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds) == 0);
    writer_.reset(fds[1]);
    return fds[0];
  }
  TempDir dir_;
  UniqueFd writer_;
};

bool has(const std::string& line, const std::string& text) {
  return line.find(text) != std::string::npos;
}

}  // namespace

TEST_CASE("Records of the kernel become lines of JSON in time", "[kmsg]") {
  Kernel kernel;
  kernel.start();
  kernel.print(1, "Under-voltage detected! (0x00050005)");
  kernel.print(2, "hello");
  kernel.raw("no record");
  kernel.read();
  REQUIRE(kernel.kept.records.size() == 2);
  CHECK(has(kernel.kept.records[0], "\"event\":\"undervoltage\""));
  CHECK(has(kernel.kept.records[1], "\"message\":\"hello\",\"seq\":2"));
  const int64_t boot = kernel.clock.wall().ns - kernel.clock.mono().ns;
  const std::string told = format_rfc3339(WallTime{boot + 5'000'000'000});
  CHECK(has(kernel.kept.records[0], told.substr(0, 16)));
  CHECK(stats_of(*kernel.input).refused == 1);
  CHECK(stats_of(*kernel.input).healthy);
}

TEST_CASE("After a restart in one boot, what was taken is passed over", "[kmsg]") {
  Kernel kernel;
  kernel.start();
  for (uint64_t i = 0; i < 10; ++i) kernel.print(i, "m" + std::to_string(i));
  kernel.kept.quota = 4;
  REQUIRE(read_until(*kernel.input, [&] { return kernel.kept.records.size() == 4; }));
  kernel.commit();
  REQUIRE(kernel.saved.size() == 1);
  CHECK(kernel.saved[0].key == "kmsg");
  CHECK(kernel.saved[0].state == "boot-1 3");
  kernel.kept.quota = SIZE_MAX;
  kernel.start();
  for (uint64_t i = 0; i < 12; ++i) kernel.print(i, "m" + std::to_string(i));
  kernel.read();
  REQUIRE(kernel.kept.records.size() == 12);
  for (size_t i = 0; i < 12; ++i) {
    CHECK(has(kernel.kept.records[i], "\"seq\":" + std::to_string(i)));
  }
  CHECK(stats_of(*kernel.input).lost == 0);
}

TEST_CASE("Another boot is read from its start, also with start: end", "[kmsg]") {
  Kernel kernel;
  kernel.start("end");
  kernel.print(100, "old");
  kernel.read();
  kernel.commit();
  kernel.boots("boot-2");
  kernel.start("end");
  kernel.print(0, "new");
  kernel.print(1, "newer");
  kernel.read();
  REQUIRE(kernel.kept.records.size() == 3);
  CHECK(has(kernel.kept.records[1], "\"new\""));
  kernel.commit();
  CHECK(kernel.saved[0].state == "boot-2 1");
}

TEST_CASE("What the kernel overwrote unread is counted by the gap", "[kmsg]") {
  Kernel kernel;
  kernel.start();
  kernel.print(5, "a");  // what was before our first life is not ours
  kernel.print(6, "b");
  kernel.print(17, "c");
  kernel.read();
  CHECK(stats_of(*kernel.input).lost == 10);
  kernel.commit();
  kernel.start();
  kernel.print(20, "d");
  kernel.read();
  CHECK(stats_of(*kernel.input).lost == 2);
}

TEST_CASE("Without the right to read, the reason and the way out are told until it works",
          "[kmsg]") {
  Kernel kernel;
  kernel.fail_with = GENERATE(EPERM, EACCES);
  kernel.start();
  CHECK_FALSE(stats_of(*kernel.input).healthy);
  CHECK(has(stats_of(*kernel.input).trouble, "kernel.dmesg_restrict=0"));
  CHECK(has(stats_of(*kernel.input).trouble, "CAP_SYSLOG"));
  CHECK_FALSE(kernel.input->caught_up());
  kernel.fail_with = 0;
  (void)kernel.input->read(1000);
  CHECK_FALSE(stats_of(*kernel.input).healthy);
  kernel.clock.ahead_ns += 61'000 * kNsPerMs;
  CHECK(kernel.input->due() <= kernel.clock.mono());
  (void)kernel.input->read(1000);
  CHECK(stats_of(*kernel.input).healthy);
  kernel.print(1, "at last");
  CHECK(read_until(*kernel.input, [&] { return kernel.kept.records.size() == 1; }));
}

TEST_CASE("Once reads what is there and ends, also where nothing can be read", "[kmsg]") {
  Kernel kernel;
  kernel.start("beginning", true);
  for (uint64_t i = 0; i < 150; ++i) kernel.print(i, "m");
  std::vector<LogStream*> streams;
  kernel.input->list(streams);
  REQUIRE(streams.size() == 1);
  while (kernel.input->read_some(*streams[0], true)) continue;
  CHECK(kernel.kept.records.size() == 150);
  CHECK(kernel.input->caught_up());
  kernel.fail_with = EPERM;
  kernel.start("beginning", true);
  kernel.input->list(streams);
  CHECK_FALSE(kernel.input->read_some(*streams[1], true));
  CHECK(kernel.input->caught_up());
  CHECK_FALSE(stats_of(*kernel.input).healthy);
}

TEST_CASE("The log of this kernel can be read, each record once", "[kmsg]") {
  const UniqueFd probe(::open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  char block[8192];
  if (!probe.valid() || ::read(probe.get(), block, sizeof block) <= 0) {
    WARN("SKIPPED: /dev/kmsg cannot be read here");
    return;
  }
  SteadyClock clock;
  RecordKeeper kept;
  std::vector<slo::Position> saved;
  auto first = std::move(*make_kmsg_input({}, kept, saved, clock));
  REQUIRE(read_until(*first, [&] { return first->caught_up(); }));
  REQUIRE_FALSE(kept.records.empty());
  CHECK(stats_of(*first).refused == 0);
  CHECK(stats_of(*first).received == kept.records.size());
  first->take_positions(saved);
  const std::string last = kept.records.back();
  auto second = std::move(*make_kmsg_input({}, kept, saved, clock));
  REQUIRE(read_until(*second, [&] { return second->caught_up(); }));
  CHECK(std::count(kept.records.begin(), kept.records.end(), last) == 1);
}
