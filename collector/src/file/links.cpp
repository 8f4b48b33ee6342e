// Which symbolic links among logs are followed: roots.hpp is the rule, here it is asked.
#include <algorithm>
#include <cerrno>

#include "file/tailer_impl.hpp"
#include "nines/collector/link_rule.hpp"
#include "nines/collector/scan.hpp"

namespace nines::collector {

std::vector<std::string> container_log_folders() {
  return {"/var/log/pods", "/var/log/containers", "/var/lib/docker/containers"};
}

void restrict_links(Tailer& tailer, std::vector<std::string> also) {
  static_cast<TailerImpl&>(tailer).restrict_links(std::move(also));  // every Tailer is one
}

void drop_strays(const std::vector<std::string>& patterns, std::vector<ScanFile>& files) {
  LinkRoots roots(patterns, container_log_folders());
  roots.resolve();
  std::erase_if(files, [&](const ScanFile& file) {
    const std::string real = resolved_if_link(file.path);
    return !real.empty() && !roots.hold(real);
  });
}

void TailerImpl::resolve_roots() {
  links_refused_ = 0;
  for (Globs& source : globs_) {
    if (source.roots) source.roots->resolve();
  }
}

bool TailerImpl::may_lead(uint32_t source, const std::string& real) const {
  const std::optional<LinkRoots>& roots = globs_[source].roots;
  return !roots || real.empty() || roots->hold(real);
}

bool TailerImpl::may_lead(const std::vector<uint32_t>& sources, const std::string& real) const {
  return std::any_of(sources.begin(), sources.end(),
                     [&](uint32_t source) { return may_lead(source, real); });
}

void TailerImpl::refuse_link(const std::string& path, const std::string& real) {
  if (++links_refused_ > 1) return;
  refused_link_ = path + " leads to " + real +
                  ", outside of the folders that its source names: not read. If it is meant, add " +
                  real + " to the paths of the source";
}

// Follows a link only where that may lead. What is asked for has the directory of a path that was
// found to be right, so the name itself is all that can lead away; swapped since, it can't be
// opened.
std::optional<FileStat> TailerImpl::stat_of(const Entry& entry, const std::string& path) const {
  if (link_roots_ && is_link(path) && !may_lead(entry.matched, resolved_if_link(path))) {
    errno = EXDEV;
    return std::nullopt;
  }
  return stat_path(path);
}

// An inode that was opened where it may be is still the same file after it was moved elsewhere (the
// caller compares inodes), if no link leads to it.
UniqueFd TailerImpl::open_of(const Entry& entry, const std::string& path) const {
  if (!link_roots_) return open_for_reading(path);
  errno = EXDEV;
  for (const uint32_t source : entry.matched) {
    UniqueFd fd = globs_[source].roots->open(path);
    if (fd.valid() || errno != EXDEV) return fd;
  }
  if (entry.vouched && path == entry.where && path.starts_with('/')) return open_beneath("/", path);
  return {};
}

}  // namespace nines::collector
