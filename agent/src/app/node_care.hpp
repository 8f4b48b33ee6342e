// What a small node (a Raspberry Pi above all) does to what is kept on it: what the kernel, its
// mounts and its card say of themselves, and the way out. `nines doctor` prints it, the agent warns
// of it when it starts. Reads small files of /proc, /sys and /run only; what a node does not tell
// (another kernel, a container) is left out, never guessed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nines::agent {

struct NodeFinding {
  const char* name;
  bool well;
  std::string found, remedy;  // no remedy when well
};

// What cannot be read from files below a root, and the root.
struct NodeFacts {
  std::string root;  // stands before every path; empty: this machine
  int64_t page_bytes = 4096;
  bool clock_synchronised = true;
};
NodeFacts facts_of_this_node();

std::vector<NodeFinding> look_at_node(const NodeFacts& facts);

}  // namespace nines::agent
