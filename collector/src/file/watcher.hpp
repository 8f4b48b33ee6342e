// One inotify instance that watches directories (never single files: ten thousand files in one
// directory cost one watch). What cannot be watched, or is on a file system that tells of no
// changes made elsewhere (NFS, FUSE, overlays...), is listed, and its owner polls that.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "file/fs.hpp"
#include "nines/base/time.hpp"

namespace nines::collector {

class Watcher {
 public:
  struct Handler {
    std::function<void(const std::string& path)> modified;  // bytes or attributes changed
    std::function<void(const std::string& path, bool directory)> structure;  // came, went, moved
    std::function<void()> lost;  // events were dropped, or a watched directory went away
  };

  Watcher(bool enabled, size_t max_watches);

  int fd() const noexcept { return fd_.get(); }
  // There are no events at all: everything is to be polled.
  bool blind() const noexcept { return !fd_.valid(); }
  // Some wanted directory is not watched.
  bool incomplete() const noexcept { return blind() || exhausted_; }
  // Directories to be polled although there is inotify.
  const std::set<std::string>& unwatched() const noexcept { return unwatched_; }
  size_t watches() const noexcept { return by_path_.size(); }
  uint64_t overflows() const noexcept { return overflows_; }

  // A round of want() calls between begin() and finish() replaces the set of watched directories.
  // What was refused before is tried again.
  void begin(Instant now);
  // Takes effect at once, so that a listing made afterwards misses nothing. A directory that does
  // not exist yet is replaced by its nearest existing ancestor.
  void want(const std::string& directory);
  void finish();
  // Changes were seen in there of which no event told.
  void distrust(const std::string& directory);

  // Reads all pending events. True: there were any.
  bool drain(const Handler& handler);

 private:
  struct Watch {
    int wd;
    uint32_t round;
    bool silent;  // not all changes are told
  };

  bool add(const std::string& directory);
  bool refuse(const std::string& directory);
  void forget(int wd);
  void dispatch(uint32_t mask, int wd, std::string_view name, const Handler& handler);

  bool enabled_;
  UniqueFd fd_;
  Instant next_try_{};
  size_t max_watches_;
  uint32_t round_ = 0;
  bool exhausted_ = false;
  uint64_t overflows_ = 0;
  std::set<std::string> unwatched_;
  std::unordered_map<std::string, Watch> by_path_;
  std::unordered_map<int, std::vector<std::string>> by_wd_;  // one inode may have several paths
};

}  // namespace nines::collector
