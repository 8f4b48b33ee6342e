// What is said about an exception that nobody catches, without the demangler (libstdcxx.cpp).
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <csignal>
#include <exception>
#include <stdexcept>
#include <string>

namespace {

void unguarded(void (*fall)()) noexcept { fall(); }

// What a process writes to stderr that ends by `fall`, and the signal it ends with.
std::string last_words(void (*fall)(), int& signal) {
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  const pid_t child = ::fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    ::dup2(ends[1], STDERR_FILENO);
    std::signal(SIGABRT, SIG_DFL);
    unguarded(fall);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string words;
  std::array<char, 256> piece{};
  for (ssize_t n = 0; (n = ::read(ends[0], piece.data(), piece.size())) > 0;) {
    words.append(piece.data(), static_cast<size_t>(n));
  }
  ::close(ends[0]);
  int status = 0;
  REQUIRE(::waitpid(child, &status, 0) == child);
  signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  return words;
}

}  // namespace

TEST_CASE("an exception that nobody catches is told by type and words, and aborts") {
  int signal = 0;
  const std::string words = last_words([] { throw std::runtime_error("disk is gone"); }, signal);
  CHECK(words.find("terminate called after throwing an instance of '") == 0);
  CHECK(words.find("runtime_error") != std::string::npos);
  CHECK(words.find("what():  disk is gone\n") != std::string::npos);
  CHECK(signal == SIGABRT);

  CHECK(last_words([] { throw 7; }, signal).find("what()") == std::string::npos);
  CHECK(signal == SIGABRT);
  // What comes after it is an emulator's.
  CHECK(last_words([] { std::terminate(); }, signal)
            .starts_with("terminate called without an active exception\n"));
  CHECK(signal == SIGABRT);
}
