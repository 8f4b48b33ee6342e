// Programs that are run: real ones, made by the test.
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include "config_support.hpp"
#include "net/asio.hpp"
#include "notify/program.hpp"

using namespace nines;
using namespace nines::agent;
using namespace nines::agent::notify;
using namespace std::chrono_literals;

namespace {

std::string script(const test::ConfigFolder& folder, const std::string& text, mode_t mode = 0700) {
  const std::string path = folder.write("script", "#!/bin/sh\n" + text);
  ::chmod(path.c_str(), mode);
  return path;
}

Result<Exit> run(const Program& program, int64_t timeout_ms = 20'000) {
  boost::asio::io_context io(1);
  std::optional<Result<Exit>> result;
  async_run(io, program, timeout_ms, [&](Result<Exit> r) { result.emplace(std::move(r)); });
  io.run();
  REQUIRE(result);
  return std::move(*result);
}

std::string content(const std::string& path) {
  std::ifstream in(path);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("A program gets its arguments, its input and no other environment", "[notify]") {
  const test::ConfigFolder folder;
  const std::string out = folder.path() + "/out";
  const auto exit =
      run({script(folder, "{ echo \"$1\"; echo \"$NINES_A\"; cat; echo \"[$HOME]\"; } > \"$2\"\n"),
           {"a b; $(x)", out},
           {"NINES_A=v", "PATH=/usr/bin:/bin"},
           "{\"x\":1}\n"});
  REQUIRE(exit.ok());
  CHECK(exit->code == 0);
  CHECK(content(out) == "a b; $(x)\nv\n{\"x\":1}\n[]\n");
}

TEST_CASE("The exit code and the last line of the messages are told", "[notify]") {
  const test::ConfigFolder folder;
  const auto exit =
      run({script(folder, "echo first >&2; echo 'no \x1b modem' >&2; exit 3\n"), {}, {}, ""});
  REQUIRE(exit.ok());
  CHECK(exit->code == 3);
  CHECK(exit->message == "no ? modem");
}

TEST_CASE("A program that never ends is killed with all it has started", "[notify]") {
  const test::ConfigFolder folder;
  const std::string pid = folder.path() + "/pid";
  const auto exit =
      run({script(folder, "/bin/sleep 600 & echo $! > " + pid + "\nwait\n"), {}, {}, ""}, 5000);
  REQUIRE_FALSE(exit.ok());
  CHECK(exit.error().code == Errc::timeout);
  const std::string child = content(pid);
  REQUIRE_FALSE(child.empty());
  // Gone, or a zombie that whoever adopted it has yet to bury; a kill takes its time to arrive.
  const std::string place = "/proc/" + child.substr(0, child.find('\n')) + "/stat";
  const auto is_gone = [&] {
    const std::string stat = content(place);
    return stat.empty() || stat.find(") Z ") != std::string::npos;
  };
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (!is_gone() && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  CHECK(is_gone());
}

// Who traces a process hears of its death first: until it has looked, the parent cannot bury it, as
// if the process hung in the kernel.
TEST_CASE("A program that does not die when it is killed keeps nobody waiting", "[notify]") {
  const test::ConfigFolder folder;
  const std::string pid = folder.path() + "/pid";
  boost::asio::io_context io(1);
  std::optional<Result<Exit>> told;
  async_run(io, {script(folder, "echo $$ > " + pid + "\nexec /bin/sleep 600\n"), {}, {}, ""}, 5000,
            [&](Result<Exit> r) { told.emplace(std::move(r)); });
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto late = [&] { return std::chrono::steady_clock::now() > until; };
  while (content(pid).find('\n') == std::string::npos && !late()) io.run_for(1ms);
  const auto child = static_cast<pid_t>(std::stol(content(pid)));
  int seized[2], release[2];
  REQUIRE(::pipe(seized) == 0);
  REQUIRE(::pipe(release) == 0);
  const pid_t tracer = ::fork();
  if (tracer == 0) {
    ::close(release[1]);
    char ok = ::ptrace(PTRACE_SEIZE, child, nullptr, nullptr) == 0 ? 'y' : 'n';
    (void)!::write(seized[1], &ok, 1);
    (void)!::read(release[0], &ok, 1);  // until the test closes it
    ::_exit(0);
  }
  ::close(release[0]);
  char ok = 0;
  REQUIRE(::read(seized[0], &ok, 1) == 1);
  if (ok == 'y') {
    while (!told && !late()) io.run_for(10ms);
    REQUIRE(told);  // although it is not buried
    CHECK(told->error().code == Errc::timeout);
    io.run_for(200ms);
    CHECK(::kill(child, 0) == 0);
  } else {
    WARN("this user may not trace: nothing is shown");
  }
  ::close(release[1]);
  int status = 0;
  CHECK(::waitpid(tracer, &status, 0) == tracer);
  io.restart();
  io.run();  // it ends once the program is buried
  CHECK(told);
  CHECK(::kill(child, 0) != 0);
  ::close(seized[0]);
  ::close(seized[1]);
}

TEST_CASE("Endless messages take no memory", "[notify]") {
  const test::ConfigFolder folder;
  const auto exit = run(
      {script(folder,
              "i=0; while [ $i -lt 3000 ]; do echo $i >&2 2>/dev/null; i=$((i+1)); done\nexit 4\n"),
       {},
       {},
       ""});
  REQUIRE(exit.ok());
  CHECK(exit->message.size() <= 4096);
}

TEST_CASE("A program killed by a signal has not told anything", "[notify]") {
  const test::ConfigFolder folder;
  const auto exit = run({script(folder, "kill -9 $$\n"), {}, {}, ""});
  REQUIRE_FALSE(exit.ok());
  CHECK(exit.error().message.find("signal 9") != std::string::npos);
}

TEST_CASE("What others may change, what is no program, and what is no absolute path is not run",
          "[notify]") {
  const test::ConfigFolder folder;
  CHECK(check_program("siren").error().message.find("absolute") != std::string::npos);
  CHECK_FALSE(check_program(folder.path()).ok());
  CHECK_FALSE(check_program(folder.path() + "/none").ok());
  const std::string path = script(folder, "exit 0\n", 0722);
  CHECK(check_program(path).error().message.find("may be changed by others") != std::string::npos);
  CHECK_FALSE(run({path, {}, {}, ""}).ok());
  ::chmod(path.c_str(), 0700);
  CHECK(check_program(path).ok());
}
