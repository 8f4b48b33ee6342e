// Disks, interfaces, sensors and the firmware of a Raspberry Pi.
#include <dirent.h>

#include <algorithm>
#include <memory>

#include "metrics/proc_text.hpp"
#include "metrics/vitals_reader.hpp"

namespace nines::collector {
namespace {

bool digits_only(std::string_view text) noexcept {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Whole disks: sda, vda, xvda, hda, nvme0n1, mmcblk0. No partitions (counted twice), loops, RAM
// disks, mappings (their disks are counted) or boot areas of eMMC.
bool real_disk(std::string_view name) noexcept {
  for (const std::string_view kind : {"sd", "vd", "hd", "xvd"}) {
    if (!name.starts_with(kind)) continue;
    const std::string_view rest = name.substr(kind.size());
    return !rest.empty() &&
           std::all_of(rest.begin(), rest.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  }
  if (name.starts_with("mmcblk")) return digits_only(name.substr(6));
  if (!name.starts_with("nvme")) return false;
  const size_t n = name.find('n', 4);
  return n != std::string_view::npos && digits_only(name.substr(4, n - 4)) &&
         digits_only(name.substr(n + 1));
}

// Bridges, containers' ends and tunnels carry what a real interface carries already.
bool real_interface(std::string_view name) noexcept {
  for (const std::string_view kind :
       {"lo",    "veth",   "br-",  "docker",       "cni", "flannel", "cali",
        "virbr", "tun",    "tap",  "dummy",        "ifb", "wg",      "vxlan",
        "lxc",   "cilium", "kube", "nodelocaldns", "sit", "tunl"}) {
    if (name.starts_with(kind)) return false;
  }
  return !name.empty();
}

// The place of `name`, or of the one gone longest; nullptr: all are taken by others that are there.
template <class Array>
auto* place_of(Array& all, std::string_view name, uint32_t sample) {
  using Item = typename Array::value_type;
  Item* oldest = nullptr;
  for (Item& item : all) {
    if (item.sample != 0 && std::string_view(item.name.data()) == name) return &item;
    if (item.sample + 1 < sample && (oldest == nullptr || item.sample < oldest->sample)) {
      oldest = &item;
    }
    if (item.sample == 0 && (oldest == nullptr || oldest->sample != 0)) oldest = &item;
  }
  if (name.size() >= std::tuple_size_v<decltype(Item::name)>) return static_cast<Item*>(nullptr);
  if (oldest == nullptr) return oldest;
  *oldest = {};
  std::copy(name.begin(), name.end(), oldest->name.begin());
  return oldest;
}

// How much each counter grew; false when the thing is new or one of them fell.
template <class Item, size_t kCounters>
bool growth(Item& item, const std::array<uint64_t, kCounters>& now, uint32_t sample,
            std::array<uint64_t, kCounters>& out) {
  bool valid = item.sample != 0 && item.sample + 1 == sample;
  for (size_t i = 0; i < kCounters; ++i) {
    valid = valid && now[i] >= item.last[i];
    out[i] = now[i] - item.last[i];
  }
  item.last = now;
  item.sample = sample;
  return valid;
}

void add_files(std::vector<std::string>& out, const std::string& folder, std::string_view head,
               std::string_view tail, size_t most) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(folder.c_str()), &::closedir);
  if (!dir) return;
  const size_t from = out.size();
  while (const dirent* entry = ::readdir(dir.get())) {
    const std::string_view name(entry->d_name);
    if (out.size() >= most) break;
    if (name.starts_with(head) && name.ends_with(tail)) out.push_back(folder + "/" + entry->d_name);
  }
  std::sort(out.begin() + static_cast<ptrdiff_t>(from), out.end());
}

}  // namespace

void VitalsReader::discover() {
  sensors_.clear();
  std::vector<std::string> found;
  add_files(found, paths_.sys + "/class/thermal", "thermal_zone", "", kMaxSensors);
  for (const std::string& zone : found) sensors_.push_back(zone + "/temp");
  found.clear();
  add_files(found, paths_.sys + "/class/hwmon", "hwmon", "", kMaxSensors);
  undervolt_.clear();
  for (const std::string& chip : found) {
    add_files(sensors_, chip, "temp", "_input", kMaxSensors);
    std::string_view name = read(chip + "/name");
    if (take_word(name) == "rpi_volt") undervolt_ = chip + "/in0_lcrit_alarm";
  }
  // soc/soc:firmware up to the Pi 4, soc@107c000000/soc@107c000000:firmware on a Pi 5.
  throttled_.clear();
  std::vector<std::string> chips, firmware;
  add_files(chips, paths_.sys + "/devices/platform", "soc", "", kMaxSensors);
  for (const std::string& chip : chips) add_files(firmware, chip, "soc", ":firmware", kMaxSensors);
  for (const std::string& f : firmware) {
    if (!read(f + "/get_throttled").empty()) throttled_ = f + "/get_throttled";
  }
}

void VitalsReader::disks(int64_t elapsed_ms, std::string& out) {
  std::string_view text = read(path_.assign(paths_.proc).append("/diskstats")), line;
  std::array<uint64_t, 4> sum{};
  constexpr std::array<const char*, 4> kNames{"read_bytes", "write_bytes", "read_ms", "write_ms"};
  uint64_t busiest_ms = 0;
  bool any = false;
  while (take_line(text, line)) {
    (void)take_word(line);
    (void)take_word(line);
    const std::string_view name = take_word(line);
    if (!real_disk(name)) continue;
    // reads merged sectors ms | writes merged sectors ms | in flight, busy ms
    std::array<uint64_t, 10> v{};
    for (uint64_t& n : v) n = take_number(line).value_or(0);
    auto* disk = place_of(disks_, name, sample_);
    std::array<uint64_t, 5> grown{};
    if (disk == nullptr) continue;
    if (!growth(*disk, {v[2] * 512, v[6] * 512, v[3], v[7], v[9]}, sample_, grown)) continue;
    any = true;
    const std::string prefix = "io_" + std::string(name) + "_";
    for (size_t i = 0; i < kNames.size(); ++i) {
      sum[i] += grown[i];
      field(out, prefix + kNames[i], grown[i]);
    }
    const auto elapsed = static_cast<uint64_t>(std::max<int64_t>(1, elapsed_ms));
    field_fraction(out, prefix + "busy_fraction", std::min(grown[4], elapsed), elapsed);
    busiest_ms = std::max(busiest_ms, std::min(grown[4], elapsed));
  }
  if (!any) return;
  for (size_t i = 0; i < kNames.size(); ++i) field(out, std::string("io_") + kNames[i], sum[i]);
  field_fraction(out, "io_busy_fraction", busiest_ms,
                 static_cast<uint64_t>(std::max<int64_t>(1, elapsed_ms)));
}

void VitalsReader::network(std::string& out) {
  std::string_view text = read(path_.assign(paths_.proc).append("/net/dev")), line;
  std::array<uint64_t, 4> sum{};
  bool any = false;
  while (take_line(text, line)) {
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    std::string_view head = line.substr(0, colon);
    const std::string_view name = take_word(head);
    if (!real_interface(name)) continue;
    line.remove_prefix(colon + 1);
    // bytes packets errs drop fifo frame compressed multicast | the same to be sent
    std::array<uint64_t, 12> v{};
    for (uint64_t& n : v) n = take_number(line).value_or(0);
    auto* interface = place_of(interfaces_, name, sample_);
    std::array<uint64_t, 4> grown{};
    if (interface == nullptr) continue;
    if (!growth(*interface, {v[0], v[8], v[2] + v[10], v[3] + v[11]}, sample_, grown)) continue;
    any = true;
    for (size_t i = 0; i < sum.size(); ++i) sum[i] += grown[i];
  }
  if (!any) return;
  field(out, "net_rx_bytes", sum[0]);
  field(out, "net_tx_bytes", sum[1]);
  field(out, "net_errors", sum[2]);
  field(out, "net_drops", sum[3]);
}

void VitalsReader::hardware(std::string& out) {
  std::optional<int64_t> hottest;
  for (const std::string& sensor : sensors_) {
    const std::string_view text = read(sensor);
    int64_t milli = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), milli);
    // Sensors that are switched off tell nonsense.
    const bool sane = parsed.ec == std::errc() && milli > -60'000 && milli < 200'000;
    if (sane) hottest = std::max(milli, hottest.value_or(milli));
  }
  if (hottest) field_real(out, "temperature_celsius", static_cast<double>(*hottest) / 1000);
  throttling(out);
}

void VitalsReader::throttling(std::string& out) {
  if (throttled_.empty()) {
    if (undervolt_.empty()) return;
    if (const auto alarm = read_number(undervolt_)) field_flag(out, "undervoltage", *alarm != 0);
    return;
  }
  std::string_view text = read(throttled_);
  if (text.starts_with("0x")) text.remove_prefix(2);
  uint32_t bits = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
  if (parsed.ec != std::errc()) return;
  constexpr std::array<const char*, 4> kFlags{"undervoltage", "freq_capped", "throttled",
                                              "soft_temp_limit"};
  for (size_t i = 0; i < kFlags.size(); ++i) {
    field_flag(out, kFlags[i], (bits >> i & 1) != 0);
    field_flag(out, std::string(kFlags[i]) + "_occurred", (bits >> (16 + i) & 1) != 0);
  }
}

}  // namespace nines::collector
