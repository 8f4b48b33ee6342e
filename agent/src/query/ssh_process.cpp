#include "query/ssh_process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include "query/fd_stream.hpp"

extern char** environ;

namespace nines::agent::query {
namespace {

constexpr int64_t kEndsItself = 500 * kNsPerMs, kTerminates = 2 * kNsPerSecond;
constexpr size_t kMostWords = 2000;

// The child, and what it wrote to its standard error.
class Child {
 public:
  Child(const Clock& clock, pid_t pid, int words) : clock_(clock), pid_(pid), words_(words) {}
  ~Child() {
    end();
    ::close(words_);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  // Its last words; empty when it ended well.
  std::string why() {
    if (!wait_until({clock_.mono().ns + kEndsItself})) return "";
    const bool well = WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
    if (well) return "";
    std::string words = read_words();
    if (!words.empty()) return words;
    if (WIFSIGNALED(status_)) return std::string("ssh was killed: ") + strsignal(WTERMSIG(status_));
    return "ssh ended with " + std::to_string(WEXITSTATUS(status_));
  }

 private:
  std::string read_words() const {
    std::array<char, kMostWords> bytes;
    const off_t size = ::lseek(words_, 0, SEEK_END);
    const off_t from = std::max<off_t>(0, size - static_cast<off_t>(bytes.size()));
    const ssize_t n = ::pread(words_, bytes.data(), bytes.size(), from);
    std::string out(bytes.data(), static_cast<size_t>(std::max<ssize_t>(0, n)));
    std::erase(out, '\r');
    while (!out.empty() && out.back() == '\n') out.pop_back();
    std::replace(out.begin(), out.end(), '\n', ' ');
    for (char& c : out) c = static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
    return out;
  }

  bool wait_until(Instant deadline) {
    while (!ended_) {
      const pid_t done = ::waitpid(pid_, &status_, WNOHANG);
      ended_ = done == pid_ || (done < 0 && errno == ECHILD);
      if (ended_ || clock_.mono() >= deadline) break;
      ::poll(nullptr, 0, 5);
    }
    return ended_;
  }

  void end() {
    if (wait_until({clock_.mono().ns + kEndsItself})) return;
    ::kill(pid_, SIGTERM);
    if (wait_until({clock_.mono().ns + kTerminates})) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
    ended_ = true;
  }

  const Clock& clock_;
  pid_t pid_;
  int words_;
  int status_ = 0;
  bool ended_ = false;
};

Error failed(const std::string& what, int error) {
  return Error{Errc::io, what + ": " + std::strerror(error), error};
}

int spawn(const std::vector<std::string>& arguments, int io, int words, pid_t& pid) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_adddup2(&files, io, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, io, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, words, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t restored;
  sigemptyset(&restored);
  sigaddset(&restored, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &restored);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<char*> argv;
  for (const std::string& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  const int error = ::posix_spawnp(&pid, argv[0], &files, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return error;
}

}  // namespace

Result<std::unique_ptr<stream::ByteStream>> run_program(const Clock& clock,
                                                        const std::vector<std::string>& arguments,
                                                        const std::string& where) {
  int both[2];
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, both) != 0) {
    return failed("socketpair", errno);
  }
  const int words = ::memfd_create("stderr", MFD_CLOEXEC);
  if (words < 0) {
    const int error = errno;
    ::close(both[0]);
    ::close(both[1]);
    return failed("memfd_create", error);
  }
  pid_t pid = 0;
  const int error = spawn(arguments, both[1], words, pid);
  ::close(both[1]);
  if (error != 0) {
    ::close(both[0]);
    ::close(words);
    return failed(arguments[0], error);
  }
  const auto child = std::make_shared<Child>(clock, pid, words);
  FdStreamSettings settings;
  settings.in = settings.out = both[0];
  settings.where = where;
  // The settings hold the child; it ends behind the descriptors.
  settings.why = [child] { return child->why(); };
  return make_fd_stream(clock, std::move(settings));
}

}  // namespace nines::agent::query
