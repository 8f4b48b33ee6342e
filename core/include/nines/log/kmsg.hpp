// Records of /dev/kmsg (Documentation/ABI/testing/dev-kmsg):
//
//   prio,seq,usec,flags[,...];text\n KEY=value\n KEY=value\n
//
// prio is facility * 8 + level, usec the kernel's local clock since boot. Bytes that are not
// printable are \xNN in text and values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::log {

struct KmsgRecord {
  uint32_t level = 0, facility = 0;
  uint64_t seq = 0, usec = 0;
  std::string message;
  std::vector<std::pair<std::string, std::string>> fields;  // SUBSYSTEM, DEVICE...; at most 16
};
// False: no record of the kernel's log; `out` then means nothing.
bool parse_kmsg(std::string_view block, KmsgRecord& out);

// What a message tells, where it tells something that a node's owner wants to count.
struct KmsgEvent {
  std::string_view name;    // oom_kill, oom_cgroup, undervoltage... ; empty: nothing known
  std::string_view victim;  // of oom_kill and oom_cgroup, segfault, hung_task: name of the process
  int64_t pid = 0;          // of the victim; 0: not told
};
// The views point into `message`, but for `name`, which is static.
KmsgEvent classify_kmsg(std::string_view message) noexcept;

// Appends one line of JSON with its line end:
//   {"ts":...,"level":"error","facility":"kern","message":...,"seq":7,"event":...,"victim":...,
//    "pid":12,"subsystem":...,"device":...}
// Other fields of the record become kernel_<name in lower case>.
void append_kmsg_json(const KmsgRecord& record, WallTime ts, std::string& out);

}  // namespace nines::log
