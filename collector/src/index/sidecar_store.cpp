#include "index/sidecar_store.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace nines::collector {
namespace {

Error failed(const std::string& path, const char* what) {
  return Error{Errc::io, path + ": " + what + ": " + std::strerror(errno), errno};
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

struct Found {
  std::string path;
  FileStat st;
};

std::vector<Found> list(const std::string& directory) {
  std::vector<Found> out;
  DirCache cache;
  for (const DirCache::Item& item : cache.list(directory).items) {
    if (!std::string_view(item.name).ends_with(kSidecarSuffix)) continue;
    Found found;
    found.path = join(directory, item.name);
    const auto st = stat_path(found.path);
    if (!st || !st->regular) continue;
    found.st = *st;
    out.push_back(std::move(found));
  }
  return out;
}

using Nodes = std::set<std::pair<uint64_t, uint64_t>>;

// Device and inode of everything in a directory; nothing when that cannot be told.
std::optional<Nodes> nodes_in(const std::string& directory) {
  DirCache cache;
  const DirCache::Listing& listing = cache.list(directory);
  if (listing.error == ENOENT || listing.error == ENOTDIR) return Nodes();
  if (listing.error != 0) return std::nullopt;
  Nodes out;
  for (const DirCache::Item& item : listing.items) {
    if (const auto st = stat_path(join(directory, item.name))) out.insert({st->dev, st->ino});
  }
  return out;
}

// Which logs are still somewhere near where they were.
class Logs {
 public:
  bool has(const SidecarId& id, const std::string& log_path) {
    const std::string real = resolved_if_link(log_path);
    const std::string directory(directory_of(real.empty() ? log_path : real));
    auto at = directories_.find(directory);
    if (at == directories_.end()) {
      at = directories_.emplace(directory, nodes_in(directory.empty() ? "." : directory)).first;
    }
    return !at->second || at->second->contains({id.device, id.inode});
  }

 private:
  std::map<std::string, std::optional<Nodes>> directories_;
};

}  // namespace

std::string SidecarStore::path_of(const SidecarId& id) const {
  return join(directory_, sidecar_name(id));
}

Status SidecarStore::open() {
  if (::mkdir(directory_.c_str(), 0750) != 0 && errno != EEXIST) {
    return failed(directory_, "the index cannot be kept there");
  }
  sweep();
  return Ok{};
}

Status SidecarStore::create(const SidecarId& id, std::string_view log_path) {
  const std::string path = path_of(id);
  const UniqueFd fd(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640));
  if (!fd.valid()) return failed(path, "cannot be made");
  const std::string header = encode_header(id, log_path);
  if (!write_all(fd.get(), header)) return failed(path, "cannot be written");
  bytes_ += static_cast<int64_t>(header.size());
  return Ok{};
}

Status SidecarStore::prepare(const SidecarId& id, std::string_view log_path, int64_t keep_to) {
  const std::string path = path_of(id);
  auto reader = SidecarReader::open(path);
  int64_t keep = 0;
  if (reader && reader->id() == id) {
    BlockEntry block;
    int64_t end = 0;
    while (reader->next(block) && block.begin >= end && block.end <= keep_to) {
      end = block.end;
      keep = reader->offset();
    }
  }
  const auto st = stat_path(path);
  if (st) bytes_ += keep - st->size;
  if (keep == 0) return create(id, log_path);
  if (st && st->size > keep && ::truncate(path.c_str(), keep) != 0) {
    return failed(path, "cannot be cut");
  }
  return Ok{};
}

Status SidecarStore::append(const SidecarId& id, std::string_view blocks) {
  const std::string path = path_of(id);
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!fd.valid()) {
    Error error = failed(path, "cannot be opened");
    if (errno == ENOENT) error.code = Errc::not_found;
    return error;
  }
  if (!write_all(fd.get(), blocks)) return failed(path, "cannot be written");
  bytes_ += static_cast<int64_t>(blocks.size());
  if (bytes_ > max_bytes_) sweep();
  return Ok{};
}

Status SidecarStore::move(const SidecarId& from, const SidecarId& to, std::string_view log_path) {
  const std::string path = path_of(to);
  if (::rename(path_of(from).c_str(), path.c_str()) != 0) return failed(path, "cannot be moved to");
  const UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW));
  const std::string header = encode_header(to, log_path);
  const bool written = fd.valid() && ::pwrite(fd.get(), header.data(), header.size(), 0) ==
                                         static_cast<ssize_t>(header.size());
  return written ? Status(Ok{}) : Status(failed(path, "cannot be written"));
}

void SidecarStore::sweep() {
  std::vector<Found> kept;
  Logs logs;
  bytes_ = 0;
  for (Found& found : list(directory_)) {
    const auto reader = SidecarReader::open(found.path);
    if (!reader || !logs.has(reader->id(), reader->log_path())) {
      (void)::unlink(found.path.c_str());
      continue;
    }
    bytes_ += found.st.size;
    kept.push_back(std::move(found));
  }
  std::sort(kept.begin(), kept.end(),
            [](const Found& a, const Found& b) { return a.st.mtime_ns < b.st.mtime_ns; });
  // Some room is made at once, so that not every append finds none.
  const int64_t goal = bytes_ > max_bytes_ ? max_bytes_ - max_bytes_ / 8 : max_bytes_;
  for (size_t i = 0; i + 1 < kept.size() && bytes_ > goal; ++i) {
    if (::unlink(kept[i].path.c_str()) != 0) continue;
    bytes_ -= kept[i].st.size;
    ++evicted_;
  }
  if (bytes_ <= max_bytes_ || kept.empty()) return;
  // One log alone has more than there is room for: it begins again.
  if (::unlink(kept.back().path.c_str()) == 0) {
    bytes_ -= kept.back().st.size;
    ++evicted_;
  }
}

int64_t SidecarStore::bytes_since(WallTime when) const {
  int64_t out = 0;
  for (const Found& found : list(directory_)) {
    if (found.st.mtime_ns >= when.ns) out += found.st.size;
  }
  return out;
}

}  // namespace nines::collector
