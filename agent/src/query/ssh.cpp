#include "query/ssh.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cli/commands.hpp"
#include "nines/base/crc32c.hpp"
#include "query/build_id.hpp"
#include "query/ssh_process.hpp"
#include "view/text.hpp"

namespace nines::agent::query {
namespace {

constexpr int kProtocol = 1;  // of node_messages.hpp
constexpr std::string_view kMark = "nines-node ";
constexpr size_t kMostGreeting = size_t{64} * 1024;  // what shells print before the program runs
constexpr int64_t kLookAgain = 100 * kNsPerMs;
constexpr const char* kSelf = "/proc/self/exe";
constexpr size_t kPiece = size_t{256} * 1024;

Error unreadable(const std::string& path) {
  return Error{Errc::io, path + ": " + std::strerror(errno), errno};
}

// Calls `use` with the pieces of a file.
template <class F>
Status each_piece(const std::string& path, const F& use) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable(path);
  std::string piece(kPiece, '\0');
  Status done = Ok{};
  ssize_t n = 0;
  while (done.ok() && (n = ::read(fd, piece.data(), piece.size())) > 0) {
    done = use(std::string_view(piece.data(), static_cast<size_t>(n)));
  }
  ::close(fd);
  return done;
}

Result<std::string> head_of(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return unreadable(path);
  std::string head(kProgramHead, '\0');
  const ssize_t n = ::pread(fd, head.data(), head.size(), 0);
  ::close(fd);
  if (n < 0) return unreadable(path);
  head.resize(static_cast<size_t>(n));
  return head;
}

// Programs of different content have different names. One without a build id is read in full.
Result<std::string> name_of(const std::string& path) {
  NINES_TRY(const std::string head, head_of(path));
  std::string id = build_id(head);
  if (!id.empty()) return id;
  uint32_t sum = 0;
  NINES_CHECK(each_piece(path, [&](std::string_view piece) {
    sum = crc32c(piece, sum);
    return Status(Ok{});
  }));
  char hash[16];
  std::snprintf(hash, sizeof hash, "%08x", sum);
  return std::string(hash);
}

const std::string& program_of(const SshSettings& settings) {
  static const std::string self = kSelf;
  return settings.binary.empty() ? self : settings.binary;
}

// For any shell: whatever the login shell is, sh runs it. REQUIRES no single quote in `script`.
std::string by_sh(const std::string& script) { return "exec sh -c '" + script + "'"; }

std::string places_of(const SshSettings& settings) {
  return "nines \"$HOME/.cache/nines/" + settings.directory + "/nines\"";
}
constexpr const char* kNone = "echo \"nines-node missing $(uname -m)\"";

// One start: the first program there is told what it must be, and says itself whether it is.
std::string start_script(const SshSettings& settings) {
  return by_sh("for n in " + places_of(settings) +
               "; do if command -v \"$n\" >/dev/null 2>&1; then echo nines-node here; exec \"$n\" "
               "query-node --greet \"" +
               node_hello() + "\"; fi; done; " + kNone);
}

// When it was another one, or does not run: every place is tried, as long as it takes.
std::string find_script(const SshSettings& settings) {
  return by_sh("h=\"" + node_hello() + "\"; for n in " + places_of(settings) +
               "; do if [ \"$(\"$n\" query-node --hello 2>/dev/null </dev/null)\" = \"$h\" "
               "]; then echo nines-node ready; exec \"$n\" query-node; fi; done; " +
               kNone);
}

std::string copy_script(const SshSettings& settings) {
  return by_sh("umask 077; d=\"$HOME/.cache/nines/" + settings.directory +
               "\"; mkdir -p \"$d\" && head -c " + std::to_string(settings.binary_bytes) +
               " > \"$d/new.$$\" && chmod 700 \"$d/new.$$\" && mv -f \"$d/new.$$\" \"$d/nines\" && "
               "echo nines-node copied");
}

Result<std::vector<std::string>> arguments_for(const SshSettings& settings,
                                               const std::string& host) {
  std::string name = host, port;
  const size_t colon = host.find(':');
  if (colon != std::string::npos && host.find(':', colon + 1) == std::string::npos) {
    name = host.substr(0, colon);
    port = host.substr(colon + 1);
  }
  const bool digits =
      std::all_of(port.begin(), port.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (name.empty() || name[0] == '-' || !digits) {
    return Error{Errc::invalid_argument,
                 "'" + host + "' is no host; write HOST, USER@HOST or HOST:PORT"};
  }
  std::vector<std::string> out = settings.command;
  out.insert(out.end(), {"-T", "-o", "BatchMode=yes", "-o", "ConnectTimeout=10", "-o",
                         "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3"});
  if (!port.empty()) out.insert(out.end(), {"-p", port});
  out.insert(out.end(), {"--", name});
  return out;
}

class Session {
 public:
  Session(const Clock& clock, const SshSettings& settings, const std::string& host,
          Instant deadline)
      : clock_(clock), settings_(settings), host_(host), deadline_(deadline) {}

  Result<std::unique_ptr<stream::ByteStream>> open() {
    NINES_TRY(bool ready, start());
    if (!ready && machine_.empty()) {
      NINES_TRY(ready, find());
    }
    if (ready) return std::move(stream_);
    NINES_CHECK(check_machine());
    NINES_CHECK(copy());
    NINES_TRY(ready, find());
    if (ready) return std::move(stream_);
    return Error{Errc::unsupported,
                 "the nines that was copied there does not run; name one that "
                 "does with --ssh-binary FILE (a static build runs anywhere)"};
  }

 private:
  Status run(const std::string& script) {
    NINES_TRY(auto arguments, arguments_for(settings_, host_));
    arguments.push_back(script);
    heard_.clear();
    NINES_TRY(stream_, run_program(clock_, arguments, host_));
    return Ok{};
  }

  Result<size_t> read(std::span<char> into) {
    while (true) {
      const Instant now = clock_.mono();
      auto got = stream_->read(into, std::min(deadline_, Instant{now.ns + kLookAgain}));
      if (got.ok() || got.error().code != Errc::timeout) return got;
      if (settings_.stopped && settings_.stopped()) return Error{Errc::cancelled, "stopped"};
      if (now >= deadline_) return Error{Errc::timeout, "ssh does not get through"};
    }
  }

  // What the other side says next behind the mark; other lines are those of its shell.
  Result<std::string> said() {
    while (heard_.size() < kMostGreeting) {
      size_t at = heard_.starts_with(kMark) ? 0 : heard_.find("\n" + std::string(kMark));
      if (at != std::string::npos) {
        at = heard_.find(kMark, at) + kMark.size();
        const size_t end = heard_.find('\n', at);
        if (end != std::string::npos) {
          std::string word = heard_.substr(at, end - at);
          heard_.erase(0, end + 1);
          return word;
        }
      }
      std::array<char, 4096> bytes;
      NINES_TRY(const size_t n, read(bytes));
      if (n == 0) return Error{Errc::unavailable, "the login there ended without a word"};
      heard_.append(bytes.data(), n);
    }
    return Error{Errc::unavailable, "the login there prints without end"};
  }

  // True: the program answers at the other end of the stream. False: the first one there is of
  // another version or does not run, or (then the machine is known) there is none.
  Result<bool> start() {
    NINES_CHECK(run(start_script(settings_)));
    NINES_TRY(const std::string word, said());
    if (word != "here") return is_ready(word);
    const auto next = said();
    if (next.ok()) return is_ready(*next);
    stream_.reset();
    if (next.error().code != Errc::unavailable) return next.error();
    return false;
  }

  Result<bool> find() {
    NINES_CHECK(run(find_script(settings_)));
    NINES_TRY(const std::string word, said());
    return is_ready(word);
  }

  Result<bool> is_ready(const std::string& word) {
    if (word == "ready") return true;
    stream_.reset();
    if (word == "other") return false;
    if (!word.starts_with("missing ")) return Error{Errc::unavailable, "it says: " + word};
    machine_ = word.substr(8);
    return false;
  }

  Status check_machine() const {
    if (!settings_.binary.empty()) return Ok{};
    utsname here{};
    ::uname(&here);
    if (machine_ == here.machine) return Ok{};
    return Error{Errc::unsupported, "there is no nines " + std::string(kVersion) + " (" + machine_ +
                                        ", this machine is " + here.machine +
                                        "); name one for it with --ssh-binary FILE"};
  }

  Status copy() {
    NINES_CHECK(run(copy_script(settings_)));
    NINES_CHECK(each_piece(program_of(settings_), [&](std::string_view piece) {
      return stream_->write(piece, deadline_);
    }));
    NINES_TRY(const std::string word, said());
    stream_.reset();
    if (word != "copied") return Error{Errc::unavailable, "it says: " + word};
    if (settings_.say) {
      settings_.say(host_ + ": copied nines " + kVersion + " (" +
                    view::human_bytes(settings_.binary_bytes) + ") to ~/.cache/nines/" +
                    settings_.directory + "/");
    }
    return Ok{};
  }

  const Clock& clock_;
  const SshSettings& settings_;
  const std::string& host_;
  Instant deadline_;
  std::string machine_;
  std::string heard_;  // and not understood yet
  std::unique_ptr<stream::ByteStream> stream_;
};

}  // namespace

std::string node_hello() { return std::string(kMark) + kVersion + " " + std::to_string(kProtocol); }

Status prepare_ssh(SshSettings& settings) {
  const std::string& path = program_of(settings);
  struct stat found {};
  if (::stat(path.c_str(), &found) != 0) return unreadable(path);
  settings.binary_bytes = static_cast<uint64_t>(found.st_size);
  NINES_TRY(const std::string id, name_of(path));
  settings.directory =
      std::string(kVersion) + "-" + id + "-" + std::to_string(settings.binary_bytes);
  return Ok{};
}

Result<std::unique_ptr<stream::ByteStream>> open_ssh(const Clock& clock,
                                                     const SshSettings& settings,
                                                     const std::string& host, Instant deadline) {
  return Session(clock, settings, host, deadline).open();
}

}  // namespace nines::agent::query
