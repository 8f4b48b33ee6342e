// Thin wrappers over the few system calls of the file side: stat with birth time, pread, hashing,
// directory listings kept for the length of one scan.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nines::collector {

// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(other.release()) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) reset(other.release());
    return *this;
  }
  UniqueFd(const UniqueFd&) = delete;
  UniqueFd& operator=(const UniqueFd&) = delete;
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  void reset(int fd = -1) noexcept;
  int release() noexcept {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_ = -1;
};

struct FileStat {
  uint64_t dev = 0, ino = 0;
  int64_t size = 0;
  int64_t mtime_ns = 0;
  int64_t born_ns = 0;  // 0: the file system does not tell
  uint32_t links = 0;
  bool regular = false;
};

// Follows symbolic links. nullopt: errno says why.
std::optional<FileStat> stat_path(const std::string& path) noexcept;
std::optional<FileStat> stat_fd(int fd) noexcept;
// Of a link itself.
bool is_link(const std::string& path) noexcept;
// Read-only, never blocking on a FIFO.
UniqueFd open_for_reading(const std::string& path) noexcept;
// The same for a name in an open directory that must not be a link.
UniqueFd open_in(int directory, const std::string& name) noexcept;
// Bytes read (short only at the end of the file), or -1.
int64_t read_at(int fd, char* buffer, size_t size, int64_t offset) noexcept;
// Where the open file is now, whatever it was renamed to. Empty: unknown or deleted.
std::string path_of_fd(int fd);
// The path with all symbolic links resolved; empty when there is none in it or it cannot be told.
std::string resolved_if_link(const std::string& path);

uint64_t hash64(std::string_view bytes) noexcept;

std::string_view directory_of(std::string_view path) noexcept;  // "" for a bare name
std::string_view name_of(std::string_view path) noexcept;
std::string join(std::string_view directory, std::string_view name);

// Directory listings, sorted by name, read at most once during the life of the cache (one scan).
class DirCache {
 public:
  enum class Kind : uint8_t { other, file, directory, link_or_unknown };
  struct Item {
    std::string name;
    Kind kind;
  };
  struct Listing {
    std::vector<Item> items;
    int error = 0;  // errno of opendir
  };
  const Listing& list(const std::string& directory);
  // What has happened since it was listed matters: list it anew.
  void forget(const std::string& directory) { listings_.erase(directory); }

 private:
  std::map<std::string, Listing, std::less<>> listings_;
};

}  // namespace nines::collector
