// Where the symbolic links among the logs of one source may lead. Who may write a folder of logs
// may put a link there, and the agent reads more than he does: a file is read only if what its path
// leads to lies in a folder that the patterns spell out, or in one that the operator allowed.
//
// The rule holds for the file that is opened and not for one that was looked at before: realpath()
// only proposes a place; from its root on that is opened part by part, without following any link
// (which also leaves out magic links and what a mount elsewhere calls alike). A link swapped in
// between makes the opening fail, on every kernel.
//
// The folders that the operator wrote are taken as he means them, wherever links on the way to them
// lead (/srv/web/current/log).
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace nines::collector {

class UniqueFd;  // file/fs.hpp

class LinkRoots {
 public:
  // `allowed`: folders.
  LinkRoots(const std::vector<std::string>& patterns, const std::vector<std::string>& allowed);

  // Finds out anew where its folders are: they may have been made, or their links changed.
  void resolve();
  // `real`: without links, as realpath() gives it.
  bool hold(std::string_view real) const noexcept { return !root_of(real).empty(); }
  // For reading. Invalid: errno says why; EXDEV: it leads elsewhere.
  UniqueFd open(const std::string& path) const noexcept;

 private:
  std::string_view root_of(std::string_view real) const noexcept;

  std::vector<std::string> folders_;  // as written
  std::vector<std::string> real_;     // those that exist
};

// The file `path` (absolute, normalised) in `root`, opened for reading without following any link
// behind `root`. ELOOP or ENOTDIR: there is one.
UniqueFd open_beneath(std::string_view root, std::string_view path) noexcept;

// The folder that a pattern without braces spells out: up to its first wildcard, never its last
// part.
std::string spelt_folder(std::string_view pattern);

}  // namespace nines::collector
