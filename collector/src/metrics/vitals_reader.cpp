#include "metrics/vitals_reader.hpp"

#include <sys/statvfs.h>

#include <algorithm>

#include "file/fs.hpp"
#include "metrics/proc_text.hpp"

namespace nines::collector {
namespace {

// The interrupt line of /proc/stat alone is tens of kilobytes on large machines.
constexpr size_t kBufferBytes = 64 * 1024;

}  // namespace

FsProbe system_fs_probe() {
  return [](const char* path, FsUsage& out) {
    struct statvfs fs {};
    if (::statvfs(path, &fs) != 0 || fs.f_blocks == 0) return false;
    out = {fs.f_frsize, fs.f_blocks, fs.f_bfree, fs.f_bavail, fs.f_files, fs.f_ffree};
    return true;
  };
}

VitalsReader::VitalsReader(Paths paths, FsProbe probe)
    : paths_(std::move(paths)), probe_(std::move(probe)), buffer_(kBufferBytes) {}

// Empty: not there. Good until the next read.
std::string_view VitalsReader::read(const std::string& path) {
  const UniqueFd fd = open_for_reading(path);
  if (!fd.valid()) return {};
  const int64_t n = read_at(fd.get(), buffer_.data(), buffer_.size(), 0);
  return n <= 0 ? std::string_view() : std::string_view(buffer_.data(), static_cast<size_t>(n));
}

std::optional<uint64_t> VitalsReader::read_number(const std::string& path) {
  return number_of(read(path));
}

void VitalsReader::sample(Instant now, WallTime ts, std::string& out) {
  if (sample_ % kRediscover == 0) discover();
  ++sample_;
  const int64_t elapsed_ms = sample_ == 1 ? 0 : (now.ns - at_.ns) / kNsPerMs;
  at_ = now;
  out += "{\"ts\":\"";
  out += format_rfc3339(ts);
  out += '"';
  cpu(out);
  load(out);
  frequency(out);
  memory(out);
  file_systems(out);
  disks(elapsed_ms, out);
  network(out);
  pressure(out);
  hardware(out);
  limits(out);
  out += "}\n";
}

void VitalsReader::cpu(std::string& out) {
  std::string_view text = read(path_.assign(paths_.proc).append("/stat")), line;
  const std::string_view whole = text;
  if (!take_line(text, line) || take_word(line) != "cpu") return;
  // user nice system idle iowait irq softirq steal; guests are part of user and nice.
  std::array<uint64_t, 8> spent{};
  uint64_t total = 0;
  for (size_t i = 0; i < spent.size(); ++i) {
    const uint64_t now = take_number(line).value_or(0);
    // Some of them are known to step back by a tick.
    spent[i] = now > cpu_[i] ? now - cpu_[i] : 0;
    cpu_[i] = std::max(now, cpu_[i]);
    total += spent[i];
  }
  if (sample_ > 1) {
    field_fraction(out, "cpu_busy", total - spent[3] - spent[4] - spent[7], total);
    field_fraction(out, "cpu_iowait", spent[4], total);
    field_fraction(out, "cpu_steal", spent[7], total);
  }
  for (const char* name : {"procs_running", "procs_blocked"}) {
    if (const auto n = number_after(whole, name)) field(out, name, *n);
  }
}

void VitalsReader::load(std::string& out) {
  std::string_view text = read(path_.assign(paths_.proc).append("/loadavg"));
  for (const char* name : {"load1", "load5", "load15"}) {
    const std::string_view word = take_word(text);
    double value = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), value);
    if (parsed.ec == std::errc() && std::string_view(name) != "load15")
      field_real(out, name, value);
  }
  const std::string_view tasks = take_word(text);
  const size_t slash = tasks.find('/');
  if (slash != std::string_view::npos) {
    if (const auto n = number_of(tasks.substr(slash + 1))) field(out, "tasks", *n);
  }
  if (const auto s = read_number(path_.assign(paths_.proc).append("/uptime"))) {
    field(out, "uptime_s", *s);
  }
}

void VitalsReader::frequency(std::string& out) {
  const auto mhz = [&](const char* name, const char* file) {
    path_.assign(paths_.sys).append("/devices/system/cpu/cpu0/cpufreq/").append(file);
    if (const auto khz = read_number(path_)) field(out, name, *khz / 1000);
  };
  mhz("cpu_mhz", "scaling_cur_freq");
  mhz("cpu_max_mhz", "cpuinfo_max_freq");
}

void VitalsReader::memory(std::string& out) {
  const std::string_view text = read(path_.assign(paths_.proc).append("/meminfo"));
  const auto total = number_after(text, "MemTotal:"),
             available = number_after(text, "MemAvailable:");
  if (total && available) {
    field(out, "memory_total_bytes", *total * 1024);
    field(out, "memory_available_bytes", *available * 1024);
    field_fraction(out, "memory_used_fraction", *total - std::min(*total, *available), *total);
  }
  const auto swap = number_after(text, "SwapTotal:"), free = number_after(text, "SwapFree:");
  if (!swap || !free) return;
  field_fraction(out, "swap_used_fraction", *swap - std::min(*swap, *free),
                 std::max<uint64_t>(*swap, 1));
}

void VitalsReader::file_systems(std::string& out) {
  const auto measure = [&](std::string_view name, const char* path) {
    FsUsage fs;
    if (*path == '\0' || !probe_(path, fs)) return;
    const std::string prefix = "disk_" + std::string(name);
    const uint64_t used = fs.blocks - std::min(fs.blocks, fs.free);
    // As df counts: what only root may fill is neither used nor free.
    field_fraction(out, prefix + "_used_fraction", used, used + fs.available);
    field(out, prefix + "_free_bytes", fs.available * fs.block_bytes);
    field_fraction(out, prefix + "_inodes_free_fraction", fs.inodes_free, fs.inodes);
  };
  measure("root", "/");
  measure("var_lib", "/var/lib");
  measure("state", paths_.state_dir.c_str());
}

void VitalsReader::pressure(std::string& out) {
  size_t slot = 0;
  for (const char* resource : {"cpu", "memory", "io"}) {
    path_.assign(paths_.proc).append("/pressure/").append(resource);
    std::string_view text = read(path_);
    for (const char* kind : {"some", "full"}) {
      const size_t mine = slot++;
      std::string_view line;
      if (!take_line(text, line) || take_word(line) != kind) continue;
      const std::string name = std::string("psi_") + resource + "_" + kind;
      for (const char* average : {"_avg10", "_avg60"}) {
        const std::string_view word = take_word(line);
        const size_t equals = word.find('=');
        if (equals == std::string_view::npos) continue;
        double value = 0;
        std::from_chars(word.data() + equals + 1, word.data() + word.size(), value);
        field_real(out, name + average, value);
      }
      const size_t at = line.find("total=");
      const auto total =
          at == std::string_view::npos ? std::nullopt : number_of(line.substr(at + 6));
      if (total && stall_us_[mine] && *total >= *stall_us_[mine]) {
        field(out, name + "_stall_us", *total - *stall_us_[mine]);
      }
      stall_us_[mine] = total;
    }
  }
}

void VitalsReader::limits(std::string& out) {
  std::string_view files = read(path_.assign(paths_.proc).append("/sys/fs/file-nr"));
  const auto open = take_number(files);
  (void)take_word(files);
  const auto most = take_number(files);
  if (open && most) field_fraction(out, "files_used_fraction", *open, *most);

  std::string_view id = read(path_.assign(paths_.proc).append("/sys/kernel/random/boot_id"));
  std::string boot(take_word(id));
  const auto kills = number_after(read(path_.assign(paths_.proc).append("/vmstat")), "oom_kill");
  if (!kills) return;
  if (mark_) {
    const bool same = mark_->boot == boot && *kills >= mark_->kills;
    field(out, "oom_kills", same ? *kills - mark_->kills : *kills);
  }
  mark_ = OomMark{std::move(boot), *kills};
}

}  // namespace nines::collector
