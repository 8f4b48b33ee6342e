// VitalsReader: one JSON line about the node from /proc and /sys. Files that are not there leave
// their fields out; fields that need two samples are missing in the first. Fixed buffers; after the
// first line nothing is allocated but what directory listings take every kRediscover samples.
//
//   cpu_busy, cpu_iowait, cpu_steal     fractions of all cores since the sample before
//   load1, load5, tasks (processes and threads), procs_running, procs_blocked, uptime_s
//   cpu_mhz, cpu_max_mhz                of the first core
//   memory_total_bytes, memory_available_bytes, memory_used_fraction, swap_used_fraction
//   disk_{root,var_lib,state}_{used_fraction,free_bytes,inodes_free_fraction}
//   io_{read_bytes,write_bytes,read_ms,write_ms}, io_busy_fraction (of the busiest disk), and the
//   same of each real disk as io_NAME_...; since the sample before
//   net_{rx_bytes,tx_bytes,errors,drops}  real interfaces, since the sample before
//   psi_{cpu,memory,io}_{some,full}_{avg10,avg60} in percent, ..._stall_us since the sample before
//   temperature_celsius                 the hottest sensor
//   undervoltage, freq_capped, throttled, soft_temp_limit and each with _occurred (since boot):
//                                       what the firmware of a Raspberry Pi says
//   files_used_fraction                 file descriptors of the whole node
//   oom_kills                           since the sample before, also over our own restarts
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::collector {

struct FsUsage {
  uint64_t block_bytes = 0, blocks = 0, free = 0, available = 0, inodes = 0, inodes_free = 0;
};
// False: there is no such file system.
using FsProbe = std::function<bool(const char* path, FsUsage& out)>;
FsProbe system_fs_probe();

// Counters of one thing with a name (disk, interface) at the sample before.
template <size_t kCounters>
struct NamedCounters {
  std::array<char, 24> name{};
  std::array<uint64_t, kCounters> last{};
  uint32_t sample = 0;  // 0: free
};

class VitalsReader {
 public:
  static constexpr uint32_t kRediscover = 30;
  static constexpr size_t kMaxDisks = 8, kMaxInterfaces = 16, kMaxSensors = 32;

  struct Paths {
    std::string proc = "/proc", sys = "/sys", state_dir;
  };
  // What the OOM killer's counter was when a line was last consumed.
  struct OomMark {
    std::string boot;  // boot_id
    uint64_t kills = 0;
  };

  VitalsReader(Paths paths, FsProbe probe);

  // Appends one line to `out`.
  void sample(Instant now, WallTime ts, std::string& out);
  // The mark that the last line stands for; it is used from then on.
  const std::optional<OomMark>& mark() const noexcept { return mark_; }
  void set_mark(OomMark mark) { mark_ = std::move(mark); }

 private:
  std::string_view read(const std::string& path);
  std::optional<uint64_t> read_number(const std::string& path);
  void cpu(std::string& out);
  void load(std::string& out);
  void frequency(std::string& out);
  void memory(std::string& out);
  void file_systems(std::string& out);
  void disks(int64_t elapsed_ms, std::string& out);
  void network(std::string& out);
  void pressure(std::string& out);
  void hardware(std::string& out);
  void throttling(std::string& out);
  void limits(std::string& out);
  void discover();

  Paths paths_;
  FsProbe probe_;
  std::vector<char> buffer_;
  std::string path_;  // scratch
  uint32_t sample_ = 0;
  Instant at_{};
  std::array<uint64_t, 8> cpu_{};
  std::array<NamedCounters<5>, kMaxDisks> disks_{};
  std::array<NamedCounters<4>, kMaxInterfaces> interfaces_{};
  std::array<std::optional<uint64_t>, 6> stall_us_{};
  std::vector<std::string> sensors_;
  std::string throttled_, undervolt_;  // files; empty: none
  std::optional<OomMark> mark_;
};

}  // namespace nines::collector
