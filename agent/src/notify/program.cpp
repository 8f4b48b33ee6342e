#include "notify/program.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "net/asio.hpp"
#include "notify/trusted_path.hpp"
#include "view/text.hpp"

namespace nines::agent::notify {
namespace {

namespace asio = boost::asio;
using net::ErrorCode;

constexpr int64_t kLookMs = 20;  // where the kernel gives no descriptor of a process (before 5.3)
constexpr int64_t kMostBuryMs = 10'000;
constexpr off_t kMaxMessage = 4096;

class Fd {
 public:
  explicit Fd(int fd = -1) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

Error failure(const std::string& path, const std::string& what, int error) {
  return {Errc::io, "cannot run " + path + ": " + what + ": " + std::strerror(error), error};
}

// The input and what it says lie in memory: nobody waits for a pipe.
int memory_file(const char* name, const std::string& content) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC);
  if (fd < 0) return -1;
  const auto size = static_cast<ssize_t>(content.size());
  if (::write(fd, content.data(), content.size()) == size && ::lseek(fd, 0, SEEK_SET) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

// Takes the first kMaxMessage bytes; writing more fails in the program.
int bounded_file(const char* name) {
  const int fd = ::memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return -1;
  if (::ftruncate(fd, kMaxMessage) == 0 &&
      ::fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK) == 0) {
    return fd;
  }
  ::close(fd);
  return -1;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  out.reserve(texts.size() + 1);
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// What is open in the agent closes by itself at exec (O_CLOEXEC everywhere).
Result<pid_t> spawn(const Program& program, int input, int output) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  ::posix_spawn_file_actions_init(&files);
  ::posix_spawnattr_init(&attributes);
  ::posix_spawn_file_actions_adddup2(&files, input, 0);
  ::posix_spawn_file_actions_addopen(&files, 1, "/dev/null", O_WRONLY, 0);
  ::posix_spawn_file_actions_adddup2(&files, output, 2);
  sigset_t none, all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(
      &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = program.arguments;
  arguments.insert(arguments.begin(), program.path);
  std::vector<std::string> environment = program.environment;
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, program.path.c_str(), &files, &attributes,
                                  pointers(arguments).data(), pointers(environment).data());
  ::posix_spawn_file_actions_destroy(&files);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) return failure(program.path, "exec", error);
  return pid;
}

struct Running : std::enable_shared_from_this<Running> {
  Running(asio::io_context& io, std::string what, pid_t process, int messages_fd,
          std::function<void(Result<Exit>)> tell)
      : path(std::move(what)),
        pid(process),
        messages(messages_fd),
        done(std::move(tell)),
        deadline(io),
        look(io),
        grave(io),
        process_fd(io) {}
  ~Running() { kill_group(); }  // the agent ends: whoever adopts it buries it

  void start(int64_t timeout_ms) {
    deadline.expires_after(std::chrono::milliseconds(timeout_ms));
    deadline.async_wait([weak = weak_from_this(), timeout_ms](ErrorCode cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self) return;
      self->kill_group();
      self->bury();
      self->complete(Error{
          Errc::timeout, self->path + " did not end within " + std::to_string(timeout_ms) + " ms"});
    });
    const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid, 0));
    if (fd >= 0) {
      process_fd.assign(fd);
      process_fd.async_wait(asio::posix::stream_descriptor::wait_read,
                            [self = shared_from_this()](ErrorCode) { self->reap(); });
    } else {
      look_again();
    }
  }

  void look_again() {
    look.expires_after(std::chrono::milliseconds(kLookMs));
    look.async_wait([self = shared_from_this()](ErrorCode cancelled) {
      if (!cancelled) self->reap();
    });
  }

  void reap() {
    if (pid <= 0 || !done) return;  // it was given up
    int status = 0;
    if (::waitpid(pid, &status, WNOHANG) != pid) return look_again();
    ::kill(-pid, SIGKILL);  // what it left behind
    pid = 0;
    if (WIFEXITED(status)) return complete(Exit{WEXITSTATUS(status), last_message()});
    complete(Error{Errc::io, path + " was ended by signal " + std::to_string(WTERMSIG(status))});
  }

  // It may take its time to die, or never do (a disk or a share that does not answer).
  void kill_group() {
    if (pid > 0) ::kill(-pid, SIGKILL);
    int status = 0;
    if (pid > 0 && ::waitpid(pid, &status, WNOHANG) == pid) pid = 0;
  }

  // Nobody waits for it any more; until it is dead it is looked at, ever more seldom.
  void bury() {
    if (pid <= 0) return;
    grave.expires_after(std::chrono::milliseconds(bury_ms));
    bury_ms = std::min(2 * bury_ms, kMostBuryMs);
    grave.async_wait([self = shared_from_this()](ErrorCode cancelled) {
      if (cancelled) return;
      self->kill_group();
      self->bury();
    });
  }

  void complete(Result<Exit> result) {
    deadline.cancel();
    look.cancel();
    ErrorCode ignored;
    process_fd.close(ignored);
    if (done) std::exchange(done, nullptr)(std::move(result));
  }

  std::string last_message() const {
    std::string text(static_cast<size_t>(kMaxMessage), '\0');
    const ssize_t n = ::pread(messages.get(), text.data(), text.size(), 0);
    text.resize(n > 0 ? std::min(text.find('\0'), static_cast<size_t>(n)) : 0);
    while (!text.empty() && text.back() == '\n') text.pop_back();
    return view::printable(text.substr(text.rfind('\n') + 1));
  }

  std::string path;
  pid_t pid;
  Fd messages;
  std::function<void(Result<Exit>)> done;
  asio::steady_timer deadline, look, grave;
  int64_t bury_ms = kLookMs;
  asio::posix::stream_descriptor process_fd;
};

}  // namespace

Status check_program(const std::string& path) {
  struct stat info {};
  if (!path.starts_with('/')) {
    return Error{Errc::invalid_argument, "program '" + path + "' is not an absolute path"};
  }
  if (::stat(path.c_str(), &info) != 0) return failure(path, "stat", errno);
  if (!S_ISREG(info.st_mode) || ::access(path.c_str(), X_OK) != 0) {
    return Error{Errc::invalid_argument, path + " is not a program that this user may run"};
  }
  return check_trusted(path);
}

void async_run(asio::io_context& io, const Program& program, int64_t timeout_ms,
               std::function<void(Result<Exit>)> done) {
  const auto refuse = [&](Error error) {
    error.code = Errc::invalid_argument;
    asio::post(io, [done = std::move(done), error = std::move(error)] { done(error); });
  };
  if (const Status safe = check_program(program.path); !safe.ok()) return refuse(safe.error());
  const Fd input(memory_file("input", program.input));
  Fd messages(bounded_file("messages"));
  if (input.get() < 0 || messages.get() < 0) return refuse(failure(program.path, "memfd", errno));
  const auto pid = spawn(program, input.get(), messages.get());
  if (!pid.ok()) return refuse(pid.error());
  std::make_shared<Running>(io, program.path, *pid, messages.release(), std::move(done))
      ->start(timeout_ms);
}

}  // namespace nines::agent::notify
