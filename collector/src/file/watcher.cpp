#include "file/watcher.hpp"

#include <sys/inotify.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace nines::collector {
namespace {

constexpr uint32_t kMask = IN_MODIFY | IN_ATTRIB | IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO |
                           IN_DELETE | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
constexpr uint32_t kStructure = IN_CREATE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE | IN_ATTRIB;
constexpr uint32_t kSelf = IN_DELETE_SELF | IN_MOVE_SELF | IN_IGNORED | IN_UNMOUNT;

constexpr int64_t kTryAgainNs = 60 * kNsPerSecond;

// File systems on which others may write without this kernel seeing it.
constexpr std::array<uint64_t, 14> kSilent = {
    0x6969,      // NFS
    0x517b,      // SMB
    0xfe534d42,  // SMB2
    0xff534d42,  // CIFS
    0x65735546,  // FUSE
    0x01021997,  // 9P
    0x786f4256,  // VirtualBox
    0x00c36400,  // Ceph
    0x01161970,  // GFS2
    0x7461636f,  // OCFS2
    0x5346414f,  // AFS
    0x73757245,  // Coda
    0x0bd00bd0,  // Lustre
    0x794c7630,  // overlay: the layers below may be written to
};

bool on_silent_file_system(const std::string& directory) {
  struct statfs fs {};
  if (::statfs(directory.empty() ? "." : directory.c_str(), &fs) != 0) return false;
  const auto type = static_cast<uint64_t>(fs.f_type) & 0xffffffff;
  return std::find(kSilent.begin(), kSilent.end(), type) != kSilent.end();
}

}  // namespace

Watcher::Watcher(bool enabled, size_t max_watches) : enabled_(enabled), max_watches_(max_watches) {}

void Watcher::begin(Instant now) {
  ++round_;
  exhausted_ = false;
  unwatched_.clear();
  if (!enabled_ || fd_.valid() || (round_ > 1 && now < next_try_)) return;
  fd_.reset(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  next_try_ = {now.ns + kTryAgainNs};
}

bool Watcher::refuse(const std::string& directory) {
  if (!stat_path(directory.empty() ? "." : directory)) return false;  // perhaps its parent exists
  exhausted_ = true;
  unwatched_.insert(directory);
  return true;
}

bool Watcher::add(const std::string& directory) {
  if (by_path_.size() >= max_watches_) return refuse(directory);
  const int wd = ::inotify_add_watch(fd_.get(), directory.empty() ? "." : directory.c_str(), kMask);
  if (wd < 0) {
    if (errno == ENOENT || errno == ENOTDIR) return false;
    return refuse(directory);  // ENOSPC (the user's limit), EACCES...
  }
  const bool silent = on_silent_file_system(directory);
  if (silent) unwatched_.insert(directory);
  by_path_[directory] = {wd, round_, silent};
  by_wd_[wd].push_back(directory);
  return true;
}

void Watcher::want(const std::string& directory) {
  if (!fd_.valid()) return;
  std::string path = directory;
  while (true) {
    if (const auto it = by_path_.find(path); it != by_path_.end()) {
      it->second.round = round_;
      if (it->second.silent) unwatched_.insert(path);
      return;
    }
    if (add(path) || path == "/" || path.empty()) return;
    path = directory_of(path);
  }
}

void Watcher::distrust(const std::string& directory) {
  const auto it = by_path_.find(directory);
  if (it == by_path_.end()) return;
  it->second.silent = true;
  unwatched_.insert(directory);
}

void Watcher::finish() {
  std::vector<std::string> stale;
  for (const auto& [path, watch] : by_path_) {
    if (watch.round != round_) stale.push_back(path);
  }
  for (const std::string& path : stale) {
    const int wd = by_path_[path].wd;
    by_path_.erase(path);
    std::vector<std::string>& paths = by_wd_[wd];
    std::erase(paths, path);
    if (!paths.empty()) continue;
    by_wd_.erase(wd);
    ::inotify_rm_watch(fd_.get(), wd);
  }
}

void Watcher::forget(int wd) {
  const auto it = by_wd_.find(wd);
  if (it == by_wd_.end()) return;
  for (const std::string& path : it->second) by_path_.erase(path);
  by_wd_.erase(it);
}

void Watcher::dispatch(uint32_t mask, int wd, std::string_view name, const Handler& handler) {
  if ((mask & IN_Q_OVERFLOW) != 0) {
    ++overflows_;
    return handler.lost();
  }
  const auto it = by_wd_.find(wd);
  if (it == by_wd_.end()) return;
  if ((mask & kSelf) != 0) {
    // A moved directory keeps its watch under the wrong name: drop it, the rescan adds it anew.
    if ((mask & IN_MOVE_SELF) != 0) ::inotify_rm_watch(fd_.get(), wd);
    forget(wd);
    return handler.lost();
  }
  if (name.empty()) return;
  for (const std::string& directory : it->second) {
    const std::string path = join(directory, name);
    if ((mask & kStructure) != 0) handler.structure(path, (mask & IN_ISDIR) != 0);
    if ((mask & (IN_MODIFY | IN_ATTRIB)) != 0) handler.modified(path);
  }
}

bool Watcher::drain(const Handler& handler) {
  if (!fd_.valid()) return false;
  alignas(inotify_event) std::array<char, 16 * 1024> buffer;
  bool any = false;
  while (true) {
    const ssize_t n = ::read(fd_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return any;
    any = true;
    for (size_t at = 0; at + sizeof(inotify_event) <= static_cast<size_t>(n);) {
      inotify_event event{};
      std::memcpy(&event, buffer.data() + at, sizeof event);
      const char* name = buffer.data() + at + sizeof event;
      dispatch(event.mask, event.wd, {name, event.len == 0 ? 0 : ::strnlen(name, event.len)},
               handler);
      at += sizeof event + event.len;
    }
  }
}

}  // namespace nines::collector
