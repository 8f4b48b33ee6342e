#include "file/fs.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "nines/base/fnv1a.hpp"
#include "nines/base/time.hpp"

namespace nines::collector {
namespace {

int64_t to_ns(const statx_timestamp& t) noexcept {
  return t.tv_sec * kNsPerSecond + static_cast<int64_t>(t.tv_nsec);
}

std::optional<FileStat> statx_at(int dir, const char* path, int flags) noexcept {
  struct statx sx {};
  if (::statx(dir, path, flags | AT_NO_AUTOMOUNT, STATX_BASIC_STATS | STATX_BTIME, &sx) != 0) {
    return std::nullopt;
  }
  FileStat out;
  out.dev = makedev(sx.stx_dev_major, sx.stx_dev_minor);
  out.ino = sx.stx_ino;
  out.size = static_cast<int64_t>(sx.stx_size);
  out.mtime_ns = to_ns(sx.stx_mtime);
  out.born_ns = (sx.stx_mask & STATX_BTIME) != 0 ? to_ns(sx.stx_btime) : 0;
  out.links = sx.stx_nlink;
  out.regular = S_ISREG(sx.stx_mode);
  return out;
}

DirCache::Kind kind_of(unsigned char type) noexcept {
  switch (type) {
    case DT_REG: return DirCache::Kind::file;
    case DT_DIR: return DirCache::Kind::directory;
    case DT_LNK:
    case DT_UNKNOWN: return DirCache::Kind::link_or_unknown;
    default: return DirCache::Kind::other;
  }
}

UniqueFd open_at(int directory, const char* path, int flags) noexcept {
  UniqueFd fd(::openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY | flags));
  if (fd.valid()) (void)::posix_fadvise(fd.get(), 0, 0, POSIX_FADV_SEQUENTIAL);
  return fd;
}

}  // namespace

void UniqueFd::reset(int fd) noexcept {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

std::optional<FileStat> stat_path(const std::string& path) noexcept {
  return statx_at(AT_FDCWD, path.c_str(), 0);
}

std::optional<FileStat> stat_fd(int fd) noexcept { return statx_at(fd, "", AT_EMPTY_PATH); }

bool is_link(const std::string& path) noexcept {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && S_ISLNK(info.st_mode);
}

UniqueFd open_for_reading(const std::string& path) noexcept {
  return open_at(AT_FDCWD, path.c_str(), 0);
}

UniqueFd open_in(int directory, const std::string& name) noexcept {
  return open_at(directory, name.c_str(), O_NOFOLLOW);
}

int64_t read_at(int fd, char* buffer, size_t size, int64_t offset) noexcept {
  size_t done = 0;
  while (done < size) {
    const ssize_t n = ::pread(fd, buffer + done, size - done, offset + static_cast<int64_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return done > 0 ? static_cast<int64_t>(done) : -1;
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  return static_cast<int64_t>(done);
}

std::string path_of_fd(int fd) {
  const std::string link = "/proc/self/fd/" + std::to_string(fd);
  std::array<char, PATH_MAX> target{};
  const ssize_t n = ::readlink(link.c_str(), target.data(), target.size());
  if (n <= 0 || static_cast<size_t>(n) == target.size() || target[0] != '/') return {};
  std::string path(target.data(), static_cast<size_t>(n));
  return path.ends_with(" (deleted)") ? std::string() : path;
}

std::string resolved_if_link(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  if (!real || path == real.get()) return {};
  return real.get();
}

// FNV-1a with a final mix: inputs are at most 1 KiB and never on the hot path.
uint64_t hash64(std::string_view bytes) noexcept {
  uint64_t h = fnv1a64(bytes);
  h ^= h >> 33;
  h *= 0xff51afd7ed558ccdULL;
  return h ^ (h >> 33);
}

std::string_view directory_of(std::string_view path) noexcept {
  const size_t slash = path.rfind('/');
  if (slash == std::string_view::npos) return {};
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}

std::string_view name_of(std::string_view path) noexcept {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string join(std::string_view directory, std::string_view name) {
  std::string out(directory);
  if (!out.empty() && out.back() != '/') out += '/';
  return out.append(name);
}

const DirCache::Listing& DirCache::list(const std::string& directory) {
  auto [it, fresh] = listings_.try_emplace(directory);
  Listing& out = it->second;
  if (!fresh) return out;
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(
      ::opendir(directory.empty() ? "." : directory.c_str()), &::closedir);
  if (!dir) {
    out.error = errno;
    return out;
  }
  while (const dirent* item = ::readdir(dir.get())) {  // NOLINT(concurrency-mt-unsafe): own stream
    const std::string_view name = item->d_name;
    if (name != "." && name != "..")
      out.items.push_back({std::string(name), kind_of(item->d_type)});
  }
  std::sort(out.items.begin(), out.items.end(),
            [](const Item& a, const Item& b) { return a.name < b.name; });
  return out;
}

}  // namespace nines::collector
