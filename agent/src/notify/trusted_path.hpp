// Whether what a path names can be changed only by root and by us. A file that nobody else may
// write is not enough: who may write a folder on the way to it puts another file in its place, and
// who may point a link elsewhere need not touch the file at all. So every folder and link on the
// way is looked at, and of a script the interpreter of its first line as well.
#pragma once

#include <string>

#include "nines/base/result.hpp"

namespace nines::agent::notify {

// The error names what could be changed and how to close it. It holds for now: whoever is not root
// and not us cannot make it untrue afterwards.
Status check_trusted(const std::string& path);

}  // namespace nines::agent::notify
