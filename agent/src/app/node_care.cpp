#include "app/node_care.hpp"

#include <sys/stat.h>
#include <sys/timex.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>
#include <string_view>
#include <system_error>

namespace nines::agent {
namespace {

// Bounded: nothing that is looked at here is longer in earnest.
constexpr size_t kMaxFile = 256 * 1024;

std::optional<std::string> read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::string out(kMaxFile, '\0');
  in.read(out.data(), static_cast<std::streamsize>(out.size()));
  out.resize(static_cast<size_t>(in.gcount()));
  return out;
}

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool has_word(const std::string& text, std::string_view wanted) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (word == wanted) return true;
  }
  return false;
}

// "memory 8 123 1" of /proc/cgroups: its last column says whether the kernel has it switched on.
std::optional<bool> memory_enabled(const std::string& table) {
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::string name, hierarchy, groups, enabled;
    if (columns >> name >> hierarchy >> groups >> enabled && name == "memory")
      return enabled == "1";
  }
  return std::nullopt;
}

// Stock Raspberry Pi OS boots with cgroup_disable=memory: a limit from outside is void there. A
// container may not see the groups of its node; then the kernel's table alone tells.
NodeFinding memory_control(const NodeFacts& facts) {
  const auto controllers = read(facts.root + "/sys/fs/cgroup/cgroup.controllers");
  const auto table = read(facts.root + "/proc/cgroups");
  const bool v2 = controllers && has_word(*controllers, "memory");
  const bool v1 = is_directory(facts.root + "/sys/fs/cgroup/memory");
  const auto enabled = table ? memory_enabled(*table) : std::nullopt;
  const bool unseen = !is_directory(facts.root + "/sys/fs/cgroup") && enabled == true;
  if (unseen)
    return {"memory control", true, "memory cgroup is in the kernel, not seen from here", ""};
  if ((v2 || v1) && enabled != false) return {"memory control", true, "memory cgroup is there", ""};
  return {"memory control", false,
          "no memory cgroup: limits of systemd or Kubernetes have no effect; what Nines bounds by "
          "itself and LimitDATA of its unit hold",
          "append cgroup_enable=memory cgroup_memory=1 to the one line of "
          "/boot/firmware/cmdline.txt and reboot"};
}

NodeFinding clock_of(const NodeFacts& facts) {
  if (facts.clock_synchronised) return {"clock", true, "synchronised", ""};
  return {"clock", false, "not synchronised",
          "enable NTP (timedatectl set-ntp true); a Pi has no clock that survives power loss"};
}

// journald keeps files where there is a folder for this machine in it.
void journal_storage(const NodeFacts& facts, std::vector<NodeFinding>& out) {
  const bool kept = is_directory(facts.root + "/var/log/journal");
  if (!kept && !is_directory(facts.root + "/run/log/journal")) return;  // no journald
  if (kept) {
    out.push_back({"journal storage", true, "persistent", ""});
    return;
  }
  out.push_back({"journal storage", false,
                 "volatile: a reboot loses what was not read yet; what Nines has counted stays",
                 "mkdir -p /var/log/journal, Storage=persistent in "
                 "/etc/systemd/journald.conf.d/50-persistent.conf, systemctl restart "
                 "systemd-journald; it wears the card"});
}

// The file system that a path is on: the last mount of the longest mount point above it.
std::string file_system_of(const std::string& mounts, std::string_view path) {
  std::istringstream lines(mounts);
  std::string out, best;
  for (std::string line; std::getline(lines, line);) {
    std::istringstream columns(line);
    std::string device, point, type;
    if (!(columns >> device >> point >> type)) continue;
    const bool above = point == "/" || path == point ||
                       (path.substr(0, point.size()) == point && path[point.size()] == '/');
    if (!above || point.size() < best.size()) continue;
    best = point;
    out = device.rfind("/dev/zram", 0) == 0 ? "zram" : type;
  }
  return out;
}

void logs_in_memory(const NodeFacts& facts, std::vector<NodeFinding>& out) {
  const auto mounts = read(facts.root + "/proc/self/mounts");
  if (!mounts) return;
  const std::string type = file_system_of(*mounts, "/var/log");
  if (type.empty()) return;
  if (type != "tmpfs" && type != "ramfs" && type != "zram") {
    out.push_back({"log storage", true, "/var/log is on " + type, ""});
    return;
  }
  out.push_back({"log storage", false,
                 "/var/log is in memory (" + type +
                     "): a power cut loses lines that were not read yet, and when it is full "
                     "nobody can log",
                 "give it room for a day (SIZE in /etc/log2ram.conf), rotate by size, or keep it "
                 "on a disk; the state of Nines belongs on the disk either way"});
}

std::string trimmed(std::optional<std::string> text) {
  if (!text) return "";
  while (!text->empty() && static_cast<unsigned char>(text->back()) <= ' ') text->pop_back();
  return *text;
}

// JEDEC eMMC 5.0: each of two kinds of cells has used 10 % of its life a step, 0x0B: more than all
// of it. 0: it does not tell.
int worst_life_time(const std::string& text) {
  std::istringstream words(text);
  int worst = 0;
  for (std::string word; words >> word;) {
    char* end = nullptr;
    const long step = std::strtol(word.c_str(), &end, 16);
    if (*end == '\0' && step >= 0 && step <= 0x0B) worst = std::max(worst, static_cast<int>(step));
  }
  return worst;
}

NodeFinding wear_of(const std::string& name, const std::string& folder) {
  const std::string type = trimmed(read(folder + "/type"));
  const int life = worst_life_time(trimmed(read(folder + "/life_time")));
  const std::string reserve = trimmed(read(folder + "/pre_eol_info"));
  const bool urgent = reserve == "0x03", low = urgent || reserve == "0x02";
  if (life == 0 && !low) {
    const bool reserve_well = reserve == "0x01";
    return {"card wear", true,
            name + " (" + (type.empty() ? "card" : type) + ") " +
                (reserve_well ? "has its spare blocks; it does not tell its age"
                              : "does not tell its wear: keep a backup of the state"),
            ""};
  }
  std::string found = name + " (" + type + ")";
  if (life == 0x0B) found += " is past the life it was made for";
  if (life > 0 && life < 0x0B) {
    found += " has used " + std::to_string((life - 1) * 10) + " to " + std::to_string(life * 10) +
             " % of its life";
  }
  if (low)
    found += urgent ? "; nearly no spare blocks are left" : "; 80 % of its spare blocks are used";
  if (life < 9 && !low) return {"card wear", true, found, ""};
  return {"card wear", false, found,
          "back up /var/lib/nines and replace it; until then write less: journal and /var/log in "
          "memory"};
}

void cards(const NodeFacts& facts, std::vector<NodeFinding>& out) {
  namespace fs = std::filesystem;
  constexpr size_t kMostCards = 8;
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator at(facts.root + "/sys/block", error), end;
       !error && at != end && names.size() < kMostCards; at.increment(error)) {
    const std::string name = at->path().filename().string();
    // mmcblk0, not mmcblk0boot0 and mmcblk0rpmb, which are parts of it.
    if (name.rfind("mmcblk", 0) == 0 &&
        name.find_first_not_of("0123456789", 6) == std::string::npos)
      names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  for (const std::string& name : names)
    out.push_back(wear_of(name, facts.root + "/sys/block/" + name + "/device"));
}

NodeFinding page_size(const NodeFacts& facts) {
  const std::string size = std::to_string(facts.page_bytes / 1024) + " KiB";
  if (facts.page_bytes <= 4096) return {"page size", true, size, ""};
  return {"page size", false,
          "a kernel of " + size +
              " pages: Nines runs on it; every program takes more memory than with 4 KiB",
          "where memory is scarce on a Raspberry Pi 5: kernel=kernel8.img in "
          "/boot/firmware/config.txt and reboot"};
}

}  // namespace

NodeFacts facts_of_this_node() {
  NodeFacts out;
  out.page_bytes = ::sysconf(_SC_PAGESIZE);
  struct timex t {};
  out.clock_synchronised = ::adjtimex(&t) != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
  return out;
}

std::vector<NodeFinding> look_at_node(const NodeFacts& facts) {
  std::vector<NodeFinding> out;
  out.push_back(clock_of(facts));
  out.push_back(memory_control(facts));
  journal_storage(facts, out);
  logs_in_memory(facts, out);
  cards(facts, out);
  out.push_back(page_size(facts));
  return out;
}

}  // namespace nines::agent
