#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "nines/base/crc32c.hpp"

namespace nines::store {
namespace {

constexpr off_t kBallastBytes = 1 << 20;
constexpr int kMaxQuarantined = 3;

Error system_error(const std::string& what, int error, const std::string& way_out) {
  return {Errc::io, what + ": " + std::strerror(error) + "; " + way_out, error};
}

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

Status sync_directory(const std::string& directory) {
  const Fd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() >= 0 && ::fsync(fd.get()) == 0) return Ok{};
  return system_error("cannot flush " + directory, errno, "check the disk and its mount options");
}

std::string boot_path(const std::string& directory) { return directory + "/nines.boot"; }

}  // namespace

Status prepare_directory(const std::string& directory) {
  const std::string way_out = "state needs a writable directory: give another one with --state DIR";
  int why = 0;  // of the first part that could not be made
  for (size_t slash = directory.find('/', 1); true; slash = directory.find('/', slash + 1)) {
    const std::string part = directory.substr(0, slash);
    const bool there = ::mkdir(part.c_str(), 0750) == 0 || errno == EEXIST;
    if (!there && why == 0) why = errno;
    if (!there && slash == std::string::npos) {
      return system_error("cannot create state directory " + directory, why, way_out);
    }
    if (slash == std::string::npos) break;
  }
  struct stat status {};
  if (::stat(directory.c_str(), &status) != 0 || !S_ISDIR(status.st_mode)) {
    return system_error("state directory " + directory, ENOTDIR, way_out);
  }
  if (::access(directory.c_str(), W_OK | X_OK) != 0) {
    return system_error("cannot write to state directory " + directory, errno, way_out);
  }
  return Ok{};
}

bool Ballast::present() const { return ::access(path_.c_str(), F_OK) == 0; }

bool Ballast::release() const { return ::unlink(path_.c_str()) == 0; }

void Ballast::restore() const {
  struct statvfs space {};
  const Fd fd(::open(path_.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0640));
  if (fd.get() < 0 || ::fstatvfs(fd.get(), &space) != 0) return;
  const auto free_bytes = static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
  // fallocate reserves blocks without writing them: no wear.
  if (free_bytes < 8 * static_cast<uint64_t>(kBallastBytes) ||
      ::posix_fallocate(fd.get(), 0, kBallastBytes) != 0) {
    ::unlink(path_.c_str());
  }
}

uint64_t read_boot_file(const std::string& directory) {
  const Fd fd(::open(boot_path(directory).c_str(), O_RDONLY | O_CLOEXEC));
  char text[64];
  const ssize_t n = fd.get() < 0 ? -1 : ::read(fd.get(), text, sizeof text);
  if (n <= 0) return 0;
  uint64_t boot = 0;
  uint32_t crc = 0;
  const char* const end = text + n;
  const auto number = std::from_chars(text, end, boot);
  if (number.ec != std::errc() || number.ptr == end || *number.ptr != ' ') return 0;
  const auto check = std::from_chars(number.ptr + 1, end, crc);
  const std::string_view digits(text, static_cast<size_t>(number.ptr - text));
  return check.ec == std::errc() && crc == crc32c(digits) ? boot : 0;
}

Status write_boot_file(const std::string& directory, uint64_t boot) {
  const std::string path = boot_path(directory);
  const std::string temporary = path + ".new";
  const std::string digits = std::to_string(boot);
  const std::string text = digits + " " + std::to_string(crc32c(digits)) + "\n";
  const Fd fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640));
  if (fd.get() < 0 ||
      ::write(fd.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
      ::fdatasync(fd.get()) != 0 || ::rename(temporary.c_str(), path.c_str()) != 0) {
    return system_error("cannot write " + path, errno, "check the disk and its mount options");
  }
  return Ok{};
}

std::string moved_path(const std::string& directory) { return directory + "/nines.db.next"; }

Status offer_move(const std::string& directory) {
  const std::string moved = moved_path(directory), written = moved + ".new";
  if (::rename(written.c_str(), moved.c_str()) != 0) {
    return system_error("cannot rename " + written, errno, "check the disk and its mount options");
  }
  return sync_directory(directory);
}

Status finish_move(const std::string& directory) {
  const std::string moved = moved_path(directory), database = directory + "/nines.db";
  if (::access(moved.c_str(), F_OK) != 0) return Ok{};
  // A WAL left behind would be replayed into the new file.
  if (::unlink((database + "-wal").c_str()) != 0 && errno != ENOENT) {
    return system_error("cannot remove " + database + "-wal", errno, "remove it by hand");
  }
  NINES_CHECK(sync_directory(directory));
  if (::rename(moved.c_str(), database.c_str()) != 0) {
    return system_error("cannot rename " + moved, errno, "rename it to nines.db by hand");
  }
  return sync_directory(directory);
}

Result<std::string> quarantine(const std::string& database) {
  int n = 1;
  const auto target = [&] { return database + ".bad-" + std::to_string(n); };
  while (n < kMaxQuarantined && ::access(target().c_str(), F_OK) == 0) ++n;
  if (::rename(database.c_str(), target().c_str()) != 0) {
    return system_error("cannot set aside the damaged " + database, errno, "move it away by hand");
  }
  const std::string wal = database + "-wal";
  // A WAL left behind would be replayed into the new file.
  if (::rename(wal.c_str(), (target() + "-wal").c_str()) != 0 && errno != ENOENT) {
    return system_error("cannot set aside " + wal, errno, "move it away by hand");
  }
  return target();
}

}  // namespace nines::store
