// The journal through the real journalctl where systemd's tools are installed, and through scripts
// that behave worse than it; standard input; children.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <fstream>

#include "../../../collector/src/file/fs.hpp"
#include "../../../collector/src/stream/child.hpp"
#include "stream_support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

constexpr const char* kRemote = "/lib/systemd/systemd-journal-remote";

bool tools_absent() {
  if (::access(kRemote, X_OK) == 0 && std::system("journalctl --version >/dev/null 2>&1") == 0) {
    return false;
  }
  WARN("SKIPPED: systemd-journal-remote or journalctl is not installed");
  return true;
}

std::string entry(int n) {
  const std::string number = std::to_string(n);
  return "__REALTIME_TIMESTAMP=" + std::to_string(1'795'000'000'000'000 + n * 1'000'000LL) +
         "\n__MONOTONIC_TIMESTAMP=" + std::to_string(1'000'000 + n) +
         "\n_BOOT_ID=0123456789abcdef0123456789abcdef\nPRIORITY=6\n_SYSTEMD_UNIT=app.service\n"
         "MESSAGE=message number " +
         number + "\n\n";
}

std::string number_of(const std::string& record) {
  constexpr std::string_view kHead = "MESSAGE=message number ";
  const size_t at = record.find(kHead);
  if (at == std::string::npos) return "none";
  const size_t from = at + kHead.size();
  return record.substr(from, record.find('\n', from) - from);
}

std::vector<std::string> numbers(int first, int end) {
  std::vector<std::string> out;
  for (int i = first; i < end; ++i) out.push_back(std::to_string(i));
  return out;
}

struct Life {
  SteadyClock clock;
  RecordKeeper kept;
  std::vector<slo::Position> saved;
  JournalOptions options;
  std::unique_ptr<Input> input;

  void start() {
    input.reset();
    input = std::move(*make_journal_input(options, kept, saved, clock));
  }
  void commit() {
    std::vector<slo::Position> changed;
    input->take_positions(changed);
    for (slo::Position& p : changed) saved = {p};
  }
  bool reads(size_t count) {
    return read_until(*input, [&] { return kept.records.size() >= count; });
  }
  void drain() {
    std::vector<LogStream*> streams;
    input->list(streams);
    while (input->read_some(*streams.at(0), true)) continue;
  }
  std::vector<std::string> told() const {
    std::vector<std::string> out;
    for (const std::string& record : kept.records) out.push_back(number_of(record));
    return out;
  }
};

// A directory of journal files, each made of a range of entries.
void write_journal(const TempDir& dir, const std::string& name, int first, int end) {
  const std::string text = dir.file(name + ".export");
  {
    std::ofstream out(text);
    for (int i = first; i < end; ++i) out << entry(i);
  }
  const std::string command = std::string(kRemote) + " -o " + dir.file(name + ".journal") +
                              " - < " + text + " > " + dir.file("log") + " 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
}

std::string script(const TempDir& dir, const std::string& body) {
  const std::string path = dir.file("journalctl");
  {
    std::ofstream out(path);
    out << "#!/bin/sh\n" << body;
  }
  REQUIRE(::chmod(path.c_str(), 0755) == 0);
  return path;
}

std::string told_entry(int n) {
  return "__CURSOR=c" + std::to_string(n) + "\nMESSAGE=message number " + std::to_string(n) +
         "\n\n";
}

}  // namespace

TEST_CASE("Once tells every entry of a journal once", "[journal]") {
  if (tools_absent()) return;
  const TempDir dir;
  write_journal(dir, "a", 0, 20);
  Life life;
  life.options.directory = dir.path;
  life.options.once = true;
  life.start();
  life.drain();
  CHECK(life.told() == numbers(0, 20));
  CHECK(life.input->caught_up());
  CHECK(stats_of(*life.input).received == 20);
  CHECK(stats_of(*life.input).restarts == 0);
  CHECK(stats_of(*life.input).healthy);
}

TEST_CASE("Stopped behind any entry, the journal goes on with the next one", "[journal]") {
  if (tools_absent()) return;
  const TempDir dir;
  write_journal(dir, "a", 0, 6);
  Life life;
  life.options.directory = dir.path;
  life.options.once = true;
  for (int stop = 1; stop <= 6; ++stop) {
    life.kept.quota = 1;
    life.start();
    std::vector<LogStream*> streams;
    life.input->list(streams);
    (void)life.input->read_some(*streams.at(0), true);
    life.commit();
    CHECK(life.told() == numbers(0, stop));
  }
  life.kept.quota = SIZE_MAX;
  life.start();
  life.drain();
  CHECK(life.told() == numbers(0, 6));
}

TEST_CASE("A journal is followed live and over a restart", "[journal]") {
  if (tools_absent()) return;
  const TempDir dir;
  write_journal(dir, "a", 0, 5);
  Life life;
  life.options.directory = dir.path;
  life.start();
  REQUIRE(life.reads(5));
  write_journal(dir, "b", 5, 8);
  REQUIRE(life.reads(8));
  life.commit();
  life.start();
  write_journal(dir, "c", 8, 10);
  REQUIRE(life.reads(10));
  CHECK(life.told() == numbers(0, 10));
}

TEST_CASE("A journalctl that dies midway is started again behind the last whole entry",
          "[journal]") {
  const TempDir dir;
  Life life;
  life.options.journalctl =
      script(dir, "case \"$*\" in\n*--cursor=c1*) printf '" + std::string("%s") + "' \"$(cat " +
                      dir.file("rest") + ")\"; echo; echo; exec sleep 100;;\n*) cat " +
                      dir.file("begin") + "; exit 1;;\nesac\n");
  std::ofstream(dir.file("begin")) << told_entry(0) << told_entry(1) << "__CURSOR=c2\nMESSAGE=mess";
  std::ofstream(dir.file("rest")) << told_entry(1) << told_entry(2) << told_entry(3);
  life.start();
  REQUIRE(life.reads(2));
  REQUIRE(read_until(*life.input, [&] { return stats_of(*life.input).restarts == 1; }));
  CHECK_FALSE(stats_of(*life.input).healthy);
  life.clock.ahead_ns += 2'000 * kNsPerMs;
  REQUIRE(life.reads(4));
  CHECK(life.told() == numbers(0, 4));
}

TEST_CASE("A cursor that journalctl refuses is given up", "[journal]") {
  const TempDir dir;
  Life life;
  std::ofstream(dir.file("all")) << told_entry(7);
  life.options.journalctl =
      script(dir,
             "case \"$*\" in\n*--cursor*) echo 'Failed to seek to cursor: Invalid "
             "argument' >&2; exit 1;;\n*) cat " +
                 dir.file("all") + "; exec sleep 100;;\nesac\n");
  life.start();
  REQUIRE(life.reads(1));
  life.commit();
  life.start();
  REQUIRE(read_until(*life.input, [&] { return stats_of(*life.input).restarts == 1; }));
  CHECK(stats_of(*life.input).trouble.find("seek to cursor") != std::string::npos);
  life.clock.ahead_ns += 2'000 * kNsPerMs;
  REQUIRE(life.reads(2));
}

TEST_CASE("Garbage instead of entries stays within the buffer and harms nothing", "[journal]") {
  const TempDir dir;
  Life life;
  life.options.buffer_bytes = 4096;
  life.options.journalctl =
      script(dir, "head -c 100000 /dev/zero | tr '\\0' 'x'; printf '\\n\\n'; cat " +
                      dir.file("all") + "; exec sleep 100\n");
  std::ofstream(dir.file("all")) << told_entry(3);
  life.start();
  REQUIRE(read_until(*life.input, [&] { return stats_of(*life.input).received == 1; }));
  CHECK(life.told().back() == "3");
  life.commit();
  REQUIRE(life.saved.size() == 1);
  CHECK(life.saved[0].state.starts_with("c3\n"));
}

TEST_CASE("What a message holds is never taken for the journal's own cursor", "[journal]") {
  const TempDir dir;
  Life life;
  // A field of several lines is told with its length: "A\n__CURSOR=evil" is 15 bytes.
  const std::string forged =
      std::string("__CURSOR=c4\nMESSAGE\n\x0f") + std::string(7, '\0') + "A\n__CURSOR=evil\n\n";
  std::ofstream(dir.file("all")) << told_entry(3) << forged;
  life.options.journalctl = script(dir, "cat " + dir.file("all") + "; exec sleep 100\n");
  life.start();
  REQUIRE(life.reads(2));
  life.commit();
  REQUIRE(life.saved.size() == 1);
  CHECK(life.saved[0].state.starts_with("c4\n"));
  CHECK(stats_of(*life.input).received == 2);
}

TEST_CASE("An entry beyond the buffer ends where its fields end, whatever they hold", "[journal]") {
  const TempDir dir;
  Life life;
  life.options.buffer_bytes = 4096;
  const std::string text = std::string(5000, 'x') +
                           "\n\n__CURSOR=evil\nMESSAGE=message number 666\n\n" +
                           std::string(5000, 'y');
  std::string length(8, '\0');
  length[0] = static_cast<char>(text.size() & 0xff);
  length[1] = static_cast<char>(text.size() >> 8);
  std::ofstream(dir.file("all")) << "__CURSOR=c1\nMESSAGE\n"
                                 << length << text << "\n\n"
                                 << told_entry(2);
  life.options.journalctl = script(dir, "cat " + dir.file("all") + "; exec sleep 100\n");
  life.start();
  REQUIRE(life.reads(2));
  life.commit();
  CHECK(life.told() == std::vector<std::string>{"none", "2"});
  CHECK(life.saved.at(0).state.starts_with("c2\n"));
  CHECK(stats_of(*life.input).received == 2);
}

TEST_CASE("When the journal has no such entry any more, the earliest later one comes next",
          "[journal]") {
  if (tools_absent()) return;
  const TempDir dir;
  write_journal(dir, "a", 0, 5);
  Life life;
  life.options.directory = dir.path;
  life.options.once = true;
  life.start();
  life.drain();
  life.commit();
  std::filesystem::remove(dir.file("a.journal"));
  write_journal(dir, "b", 5, 8);
  life.start();
  life.drain();
  CHECK(life.told() == numbers(0, 8));
  CHECK(stats_of(*life.input).trouble.find("gone from the journal") != std::string::npos);
}

TEST_CASE("Once with a journalctl that fails is unhealthy", "[journal]") {
  Life life;
  life.options.journalctl = "/no/such/journalctl";
  life.options.once = true;
  life.start();
  life.drain();
  CHECK_FALSE(stats_of(*life.input).healthy);
}

TEST_CASE("Without journalctl the input is unhealthy and says why", "[journal]") {
  Life life;
  life.options.journalctl = "/no/such/journalctl";
  life.start();
  REQUIRE(read_until(*life.input, [&] { return stats_of(*life.input).restarts == 1; }));
  CHECK_FALSE(stats_of(*life.input).healthy);
  CHECK(stats_of(*life.input).trouble.find("No such file") != std::string::npos);
  CHECK_FALSE(life.input->caught_up());
}

TEST_CASE("Standard input is read to its end, its last line too", "[stdin]") {
  int fds[2];
  REQUIRE(::pipe2(fds, O_CLOEXEC) == 0);
  const UniqueFd reader(fds[0]);
  UniqueFd writer(fds[1]);
  SteadyClock clock;
  RecordKeeper kept;
  auto input = std::move(*make_stdin_input({.sources = {}, .fd = reader.get()}, kept, clock));
  REQUIRE(::write(writer.get(), "one\ntwo\nthr", 11) == 11);
  REQUIRE(read_until(*input, [&] { return kept.records.size() == 2; }));
  (void)input->read(1000);
  CHECK(input->caught_up());
  CHECK(kept.open["stdin"] == 1);
  writer.reset();
  REQUIRE(read_until(*input, [&] { return kept.open["stdin"] == 0; }));
  CHECK(kept.records == std::vector<std::string>{"one", "two", "thr"});
  CHECK_FALSE(input->read(1000));
}

TEST_CASE("A child is ended with its owner's wish, and its last words are kept", "[child]") {
  Child child;
  REQUIRE(child.start({"sh", "-c", "echo first >&2; echo last words >&2; echo out; exit 7"}).ok());
  pollfd fd{child.output(), POLLIN, 0};
  std::string output;
  char block[64];
  while (::poll(&fd, 1, 10'000) > 0) {
    const ssize_t n = ::read(child.output(), block, sizeof block);
    if (n == 0) break;
    if (n > 0) output.append(block, static_cast<size_t>(n));
  }
  CHECK(output == "out\n");
  siginfo_t ended{};
  REQUIRE(::waitid(P_ALL, 0, &ended, WEXITED | WNOWAIT) == 0);
  CHECK(child.stop() == 7);
  CHECK(child.last_message() == "last words");
  CHECK_FALSE(child.running());
  REQUIRE(child.start({"sleep", "100"}).ok());
  CHECK(child.stop() == -1);
}
