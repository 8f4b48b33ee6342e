#include <unistd.h>

#include <catch2/catch.hpp>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "nines/log/format.hpp"
#include "scrape_support.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::test;

namespace {

// A node made of files.
class Node {
 public:
  Node() {
    std::string name = (std::filesystem::temp_directory_path() / "vitals.XXXXXX").string();
    root_ = ::mkdtemp(name.data());
  }
  ~Node() { std::filesystem::remove_all(root_); }

  void write(const std::string& path, const std::string& text) const {
    const auto whole = root_ / path;
    std::filesystem::create_directories(whole.parent_path());
    std::ofstream(whole, std::ios::binary | std::ios::trunc) << text;
  }
  void remove(const std::string& path) const { std::filesystem::remove_all(root_ / path); }
  void start(std::vector<slo::Position> saved = {}) {
    VitalsOptions options;
    options.proc = root_ / "proc";
    options.sys = root_ / "sys";
    options.state_dir = root_;
    input = std::move(*VitalsInput::create(options, consumer, saved, clock));
    (void)input->read(1 << 20);
  }
  // The line of the next sample.
  const std::string& next() {
    clock.advance_s(10);
    (void)input->read(1 << 20);
    return consumer.lines.back();
  }
  // One field of the last line as text; "-" when it is not there.
  std::string get(const std::string& name) const {
    const std::string& line = consumer.lines.back();
    const std::string head = "\"" + name + "\":";
    const size_t at = line.find(head);
    if (at == std::string::npos) return "-";
    const size_t from = at + head.size();
    return line.substr(from, line.find_first_of(",}", from) - from);
  }

  nines::test::ManualClock clock{WallTime::from_s(kStartS)};
  KeepingConsumer consumer;
  std::unique_ptr<VitalsInput> input;

 private:
  std::filesystem::path root_;
};

void raspberry_pi_4(const Node& node) {
  node.write("proc/stat",
             "cpu  1000 0 500 8000 300 0 200 0 0 0\ncpu0 250 0 125 2000 75 0 50 0 0 0\n"
             "intr 123456 0 0 0\nctxt 9999\nbtime 1794990000\nprocesses 4711\nprocs_running 3\n"
             "procs_blocked 1\n");
  node.write("proc/loadavg", "0.26 0.34 0.22 1/195 14912\n");
  node.write("proc/uptime", "10000.15 35000.91\n");
  node.write(
      "proc/meminfo",
      "MemTotal:        3884376 kB\nMemFree:          100000 kB\nMemAvailable:    1942188 kB\n"
      "SwapTotal:        102396 kB\nSwapFree:          25599 kB\n");
  node.write("proc/diskstats",
             "   1       0 ram0 0 0 0 0 0 0 0 0 0 0 0\n   7       0 loop0 9 9 9 9 9 9 9 9 9 9 9\n"
             " 179       0 mmcblk0 100 10 2000 50 400 40 8000 900 0 600 950 0 0 0 0\n"
             " 179       1 mmcblk0p1 50 5 1000 25 200 20 4000 450 0 300 475 0 0 0 0\n");
  node.write("proc/net/dev",
             "Inter-|   Receive                                                |  Transmit\n"
             " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets\n"
             "    lo: 777 1 0 0 0 0 0 0 777 1 0 0 0 0 0 0\n"
             "  eth0: 1000 10 1 2 0 0 0 0 2000 20 3 4 0 0 0 0\n"
             "veth1a: 55 1 1 1 0 0 0 0 55 1 1 1 0 0 0 0\n");
  node.write("proc/pressure/cpu", "some avg10=0.57 avg60=2.11 avg300=4.05 total=1000\n");
  node.write("proc/pressure/io",
             "some avg10=43.07 avg60=12.00 avg300=4.05 total=5000\n"
             "full avg10=20.00 avg60=6.00 avg300=2.00 total=2500\n");
  node.write("proc/sys/fs/file-nr", "1024\t0\t4096\n");
  node.write("proc/sys/kernel/random/boot_id", "11111111-2222-3333-4444-555555555555\n");
  node.write("proc/vmstat", "nr_free_pages 100\noom_kill 2\n");
  node.write("sys/class/thermal/thermal_zone0/temp", "58426\n");
  node.write("sys/devices/platform/soc/soc:firmware/get_throttled", "50005\n");
  node.write("sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "600000\n");
  node.write("sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "1500000\n");
}

std::vector<slo::Position> positions(VitalsInput& input) {
  std::vector<slo::Position> out;
  input.take_positions(out);
  return out;
}

}  // namespace

TEST_CASE("Vitals of a Raspberry Pi 4: the state at once, what grows from the second sample on",
          "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.start();
  for (const char* grows :
       {"cpu_busy", "io_read_bytes", "net_rx_bytes", "psi_io_some_stall_us", "oom_kills"}) {
    CHECK(node.get(grows) == "-");
  }
  node.write("proc/stat", "cpu  1600 0 600 8200 400 0 200 100 0 0\nprocs_running 3\n");
  node.write("proc/diskstats",
             " 179       0 mmcblk0 100 10 2008 60 400 40 8100 950 0 5600 950 0 0 0 0\n");
  node.write("proc/net/dev", "  eth0: 1500 10 1 2 0 0 0 0 2900 20 5 4 0 0 0 0\n");
  node.write("proc/pressure/io",
             "some avg10=43.07 avg60=12.00 avg300=4.05 total=905000\n"
             "full avg10=20.00 avg60=6.00 avg300=2.00 total=2500\n");
  CHECK(node.next().starts_with("{\"ts\":\"2026-11-18T11:06:50Z\","));
  const std::vector<std::pair<const char*, const char*>> expected{
      {"cpu_busy", "0.6364"},  // 700 of 1100 ticks
      {"cpu_iowait", "0.0909"},
      {"cpu_steal", "0.0909"},
      {"procs_running", "3"},
      {"procs_blocked", "-"},  // not in the second version of the file
      {"load1", "0.26"},
      {"load5", "0.34"},
      {"tasks", "195"},
      {"uptime_s", "10000"},
      {"cpu_mhz", "600"},
      {"cpu_max_mhz", "1500"},
      {"memory_total_bytes", "3977601024"},
      {"memory_available_bytes", "1988800512"},
      {"memory_used_fraction", "0.5"},
      {"swap_used_fraction", "0.75"},
      {"io_mmcblk0_read_bytes", "4096"},
      {"io_mmcblk0_write_bytes", "51200"},
      {"io_mmcblk0_read_ms", "10"},
      {"io_mmcblk0_write_ms", "50"},
      {"io_mmcblk0_busy_fraction", "0.5"},
      {"io_write_bytes", "51200"},
      {"io_busy_fraction", "0.5"},
      {"io_mmcblk0p1_read_bytes", "-"},
      {"net_rx_bytes", "500"},
      {"net_tx_bytes", "900"},
      {"net_errors", "2"},
      {"net_drops", "0"},
      {"psi_cpu_some_avg10", "0.57"},
      {"psi_cpu_full_avg10", "-"},
      {"psi_io_some_avg10", "43.07"},
      {"psi_io_full_avg60", "6"},
      {"psi_io_some_stall_us", "900000"},
      {"psi_io_full_stall_us", "0"},
      {"psi_memory_some_avg10", "-"},  // not there in this kernel
      {"temperature_celsius", "58.426"},
      {"undervoltage", "true"},
      {"freq_capped", "false"},
      {"throttled", "true"},
      {"soft_temp_limit", "false"},
      {"undervoltage_occurred", "true"},
      {"freq_capped_occurred", "false"},
      {"throttled_occurred", "true"},
      {"files_used_fraction", "0.25"},
      {"oom_kills", "0"}};
  for (const auto& [name, value] : expected) {
    INFO(name << "\n" << node.consumer.lines.back());
    CHECK(node.get(name) == value);
  }
  CHECK(node.get("disk_root_used_fraction") != "-");
  CHECK(node.get("disk_state_free_bytes") != "-");
}

TEST_CASE("Vitals of a Raspberry Pi 5: firmware and sensors where its kernel has them",
          "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.remove("sys/devices/platform/soc");
  node.write("sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled",
             "0xe0008\n");
  node.write("sys/class/thermal/thermal_zone0/temp", "61000\n");
  node.write("sys/class/hwmon/hwmon0/name", "cpu_thermal\n");
  node.write("sys/class/hwmon/hwmon0/temp1_input", "61050\n");
  node.write("sys/class/hwmon/hwmon1/name", "rp1_adc\n");
  node.write("sys/class/hwmon/hwmon1/temp1_input", "64250\n");
  node.write("sys/class/hwmon/hwmon2/temp1_input", "-273150\n");
  node.write("proc/diskstats",
             " 259 0 nvme0n1 1 0 8 1 1 0 8 1 0 1 2\n 259 1 nvme0n1p1 1 0 8 1 1 0 8 1 0 1 2\n"
             " 252 0 zram0 1 0 8 1 1 0 8 1 0 1 2\n 253 0 dm-0 1 0 8 1 1 0 8 1 0 1 2\n");
  node.start();
  CHECK(node.get("temperature_celsius") == "64.25");
  CHECK(node.get("undervoltage") == "false");
  CHECK(node.get("soft_temp_limit") == "true");
  CHECK(node.get("throttled") == "false");
  CHECK(node.get("soft_temp_limit_occurred") == "true");
  CHECK(node.get("undervoltage_occurred") == "false");
  (void)node.next();
  CHECK(node.get("io_nvme0n1_read_bytes") == "0");
  CHECK(node.get("io_nvme0n1p1_read_bytes") == "-");
  CHECK(node.get("io_zram0_read_bytes") == "-");
  CHECK(node.get("io_dm-0_read_bytes") == "-");
}

TEST_CASE("Undervoltage is known from hwmon where the firmware's own file is missing", "[vitals]") {
  Node node;
  node.write("sys/class/hwmon/hwmon1/name", "rpi_volt\n");
  node.write("sys/class/hwmon/hwmon1/in0_lcrit_alarm", "1\n");
  node.start();
  CHECK(node.get("undervoltage") == "true");
  CHECK(node.get("throttled") == "-");
}

TEST_CASE("Vitals of a server: nothing that is not there, nothing twice", "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.remove("sys");
  node.write("proc/meminfo",
             "MemTotal: 1000 kB\nMemAvailable: 900 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
  node.start();
  for (const char* missing : {"temperature_celsius", "undervoltage", "throttled", "cpu_mhz"}) {
    CHECK(node.get(missing) == "-");
  }
  CHECK(node.get("swap_used_fraction") == "0");
  node.remove("proc");
  CHECK(node.next().starts_with("{\"ts\":"));
  CHECK(node.get("cpu_busy") == "-");
}

TEST_CASE("A disk or interface that comes back with smaller counters takes nothing back",
          "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.start();
  node.write("proc/diskstats", " 179 0 mmcblk0 1 0 8 1 1 0 8 1 0 1 2\n");
  node.write("proc/net/dev", "  eth0: 5 10 1 2 0 0 0 0 5 20 5 4 0 0 0 0\n");
  (void)node.next();
  CHECK(node.get("io_read_bytes") == "-");
  CHECK(node.get("net_rx_bytes") == "-");
  (void)node.next();
  CHECK(node.get("io_read_bytes") == "0");
  CHECK(node.get("net_rx_bytes") == "0");
}

TEST_CASE("Every vitals line is one JSON record with its time", "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.start();
  (void)node.next();
  auto parser = std::move(*log::make_parser({log::FormatKind::json, "", ""}, {}, {}));
  for (const std::string& line : node.consumer.lines) {
    WallTime ts;
    bool has_ts = false;
    std::vector<log::LineParser::NamedValue> fields;
    CHECK(parser->parse_all(line, ts, has_ts, fields) == log::ParseOutcome::ok);
    CHECK(has_ts);
    CHECK(fields.size() > 30);
  }
}

TEST_CASE("An OOM kill counts once, also when it was us", "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.start();
  const auto first = positions(*node.input);
  REQUIRE(first.size() == 1);
  (void)node.next();
  CHECK(positions(*node.input).empty());  // nothing changed
  node.write("proc/vmstat", "oom_kill 5\n");
  node.start(first);  // killed, begun again
  CHECK(node.get("oom_kills") == "3");
  const auto second = positions(*node.input);
  (void)node.next();
  CHECK(node.get("oom_kills") == "0");
  node.write("proc/vmstat", "oom_kill 1\n");
  node.write("proc/sys/kernel/random/boot_id", "another\n");
  node.start(second);
  CHECK(node.get("oom_kills") == "1");
  slo::Position damaged = second.at(0);
  damaged.state.back() = damaged.state.back() == 'x' ? 'y' : 'x';
  node.start({damaged});
  CHECK(node.get("oom_kills") == "-");
}

TEST_CASE("Vitals that the consumer does not want yet are kept, and the mark with them",
          "[vitals]") {
  Node node;
  raspberry_pi_4(node);
  node.start();
  const auto first = positions(*node.input);
  node.consumer.quota = 0;
  node.write("proc/vmstat", "oom_kill 9\n");
  node.clock.advance_s(10);
  CHECK(node.input->read(1 << 20));
  CHECK_FALSE(node.input->caught_up());
  CHECK(positions(*node.input).empty());
  node.consumer.quota = 5;
  CHECK_FALSE(node.input->read(1 << 20));
  CHECK(node.get("oom_kills") == "7");
  CHECK(positions(*node.input).size() == 1);
}

TEST_CASE("Vitals of this machine cost at most 0.1 % of a core at one sample in 10 s", "[vitals]") {
  KeepingConsumer consumer;
  nines::test::ManualClock clock{WallTime::from_s(kStartS)};
  VitalsOptions options;
  options.state_dir = "/";
  auto input = std::move(*VitalsInput::create(options, consumer, {}, clock));
  const auto cpu_us = [] {
    timespec t{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1'000'000 + t.tv_nsec / 1000;
  };
  constexpr int kSamples = 50;
  const int64_t from = cpu_us();
  for (int i = 0; i < kSamples; ++i) {
    (void)input->read(1 << 20);
    clock.advance_s(10);
  }
  const int64_t each_us = (cpu_us() - from) / kSamples;
  WARN("vitals: " << each_us << " us of CPU time a sample");
  CHECK(consumer.lines.size() == kSamples);
  CHECK(each_us <= 10'000);  // 0.1 % of 10 s
}
