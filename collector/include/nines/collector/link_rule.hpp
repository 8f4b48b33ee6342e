// Where symbolic links among logs may lead, for who reads for others: whoever may write a folder of
// logs may put a link there that leads to what only the agent may read. A person who reads with his
// own rights needs no rule.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace nines::collector {

class Tailer;
struct ScanFile;

// Where the kubelet and Docker keep what the links of container logs lead to.
std::vector<std::string> container_log_folders();

// Before the first source is added. From then on a path is read only if what it leads to lies in a
// folder that a pattern of its source spells out (up to its first wildcard), or in one of `also`;
// this holds for the file that is opened, whatever is swapped meanwhile. Others are not read, and
// InputStats of the tailer count them (`refused`) and tell of the first (`trouble`).
void restrict_links(Tailer& tailer, std::vector<std::string> also);

// The same for files that a query found by `patterns`, when they are found: those that lie
// elsewhere are taken out.
void drop_strays(const std::vector<std::string>& patterns, std::vector<ScanFile>& files);

}  // namespace nines::collector
