#include "stream/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace nines::collector {
namespace {

struct Pipe {
  UniqueFd read, write;
};

bool open_pipe(Pipe& out) {
  int fds[2];
  if (::pipe2(fds, O_CLOEXEC) != 0) return false;
  out.read.reset(fds[0]);
  out.write.reset(fds[1]);
  return ::fcntl(fds[0], F_SETFL, O_NONBLOCK) == 0;
}

// In the child, between fork and exec: only what is safe there.
[[noreturn]] void become(char* const* argv, int output, int messages, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before we asked to be told
  ::signal(SIGPIPE, SIG_DFL);
  sigset_t none;
  ::sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  if (null < 0 || ::dup2(null, 0) < 0 || ::dup2(output, 1) < 0 || ::dup2(messages, 2) < 0) {
    ::_exit(127);
  }
  ::execvp(argv[0], argv);
  const char* why = std::strerror(errno);
  (void)!::write(2, why, std::strlen(why));
  ::_exit(127);
}

}  // namespace

Status Child::start(const std::vector<std::string>& argv) {
  stop();
  Pipe output, messages;
  if (!open_pipe(output) || !open_pipe(messages)) {
    return Error{Errc::io, "cannot start " + argv[0] + ": " + std::strerror(errno), errno};
  }
  std::vector<char*> arguments;
  for (const std::string& argument : argv) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid < 0) {
    return Error{Errc::io, "cannot start " + argv[0] + ": " + std::strerror(errno), errno};
  }
  if (pid == 0) become(arguments.data(), output.write.get(), messages.write.get(), parent);
  pid_ = pid;
  output_ = std::move(output.read);
  messages_ = std::move(messages.read);
  last_message_.clear();
  return Ok{};
}

void Child::read_messages() {
  std::array<char, 512> block;
  while (true) {
    const ssize_t n = ::read(messages_.get(), block.data(), block.size());
    if (n <= 0) return;
    std::string_view text(block.data(), static_cast<size_t>(n));
    while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
    const size_t line = text.rfind('\n');
    if (line != std::string_view::npos) text.remove_prefix(line + 1);
    if (!text.empty()) last_message_ = text;
  }
}

int Child::stop() noexcept {
  if (pid_ <= 0) return -1;
  if (messages_.valid()) read_messages();
  output_.reset();
  messages_.reset();
  ::kill(pid_, SIGKILL);  // no effect on one that has ended by itself
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) continue;
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace nines::collector
