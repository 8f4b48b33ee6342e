#include "file/roots.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <memory>

#include "file/fs.hpp"
#include "file/glob.hpp"

namespace nines::collector {
namespace {

// "" when it cannot be told; errno says why.
std::string real_path(const std::string& path) noexcept {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? std::string(real.get()) : std::string();
}

UniqueFd refused(int error) noexcept {
  errno = error;
  return {};
}

}  // namespace

std::string spelt_folder(std::string_view pattern) {
  const size_t wildcard = std::min(pattern.find_first_of("*?[\\"), pattern.size());
  return std::string(directory_of(pattern.substr(0, wildcard)));
}

LinkRoots::LinkRoots(const std::vector<std::string>& patterns,
                     const std::vector<std::string>& allowed)
    : folders_(allowed) {
  for (const std::string& pattern : patterns) {
    for (const std::string& one : expand_braces(pattern)) folders_.push_back(spelt_folder(one));
  }
}

void LinkRoots::resolve() {
  real_.clear();
  for (const std::string& folder : folders_) {
    std::string real = real_path(folder.empty() ? "." : folder);
    if (!real.empty()) real_.push_back(std::move(real));
  }
}

std::string_view LinkRoots::root_of(std::string_view real) const noexcept {
  for (const std::string& root : real_) {
    if (root == "/") return root;
    if (real.size() > root.size() && real.starts_with(root) && real[root.size()] == '/') {
      return root;
    }
  }
  return {};
}

UniqueFd LinkRoots::open(const std::string& path) const noexcept {
  const std::string real = real_path(path);
  if (real.empty()) return {};
  const std::string_view root = root_of(real);
  return root.empty() ? refused(EXDEV) : open_beneath(root, real);
}

UniqueFd open_beneath(std::string_view root, std::string_view path) noexcept {
  UniqueFd at(::open(std::string(root).c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  std::string_view rest = path.substr(root.size());
  while (at.valid()) {
    rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
    const size_t slash = rest.find('/');
    const std::string part(rest.substr(0, slash));
    if (part.empty() || part == "..") return refused(EINVAL);
    if (slash == std::string_view::npos) return open_in(at.get(), part);
    at.reset(::openat(at.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_DIRECTORY | O_CLOEXEC));
    rest.remove_prefix(slash);
  }
  return {};
}

}  // namespace nines::collector
