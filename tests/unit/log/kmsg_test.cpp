#include "nines/log/kmsg.hpp"

#include <catch2/catch.hpp>

using namespace nines;
using namespace nines::log;

namespace {

struct Sample {
  const char *message, *event, *victim;
  int64_t pid;
};

// As kernels 4.4 to 6.12 print them, on PCs and Raspberry Pis.
const Sample kSamples[] = {
    {"Out of memory: Killed process 1234 (java) total-vm:8123456kB, anon-rss:3123456kB, "
     "file-rss:0kB, shmem-rss:0kB, UID:1000 pgtables:7000kB oom_score_adj:0",
     "oom_kill", "java", 1234},
    {"Out of memory: Kill process 77 (mysqld) score 905 or sacrifice child", "oom_kill", "mysqld",
     77},
    {"Out of memory (oom_kill_allocating_task): Killed process 9 (sh) total-vm:1kB", "oom_kill",
     "sh", 9},
    {"Out of memory: Killed process 5 ((sd-pam)) total-vm:1kB", "oom_kill", "(sd-pam)", 5},
    {"Memory cgroup out of memory: Killed process 4321 (node) total-vm:1200000kB, anon-rss:1kB",
     "oom_cgroup", "node", 4321},
    {"Memory cgroup out of memory: Kill process 42 (a b) score 1 or sacrifice child", "oom_cgroup",
     "a b", 42},
    {"Under-voltage detected! (0x00050005)", "undervoltage", "", 0},
    {"hwmon hwmon1: Undervoltage detected!", "undervoltage", "", 0},
    {"Voltage normalised (0x00000000)", "voltage_ok", "", 0},
    {"hwmon hwmon1: Voltage normalised", "voltage_ok", "", 0},
    {"CPU3: Core temperature above threshold, cpu clock throttled (total events = 1)", "throttled",
     "", 0},
    {"thermal thermal_zone0: critical temperature reached (105 C), shutting down", "thermal", "",
     0},
    {"mmc0: error -110 whilst initialising SD card", "sd_error", "", 0},
    {"mmcblk0: error -110 transferring data, sector 123, nr 8, cmd response 0x900", "sd_error", "",
     0},
    {"mmc0: Timeout waiting for hardware interrupt.", "sd_error", "", 0},
    {"blk_update_request: I/O error, dev mmcblk0, sector 1052672 op 0x1:(WRITE)", "sd_error", "",
     0},
    {"I/O error, dev mmcblk0, sector 2048 op 0x0:(READ) flags 0x0", "sd_error", "", 0},
    {"blk_update_request: I/O error, dev sda, sector 2048", "io_error", "", 0},
    {"Buffer I/O error on dev sdb1, logical block 0, async page read", "io_error", "", 0},
    {"EXT4-fs error (device sda1): ext4_find_entry:1455: inode #2: comm ls: reading directory "
     "lblock 0",
     "fs_error", "", 0},
    {"EXT4-fs (mmcblk0p2): Remounting filesystem read-only", "fs_error", "", 0},
    {"INFO: task jbd2/sda1-8:213 blocked for more than 120 seconds.", "hung_task", "jbd2/sda1-8",
     213},
    {"nginx[812]: segfault at 0 ip 00007f1 sp 00007ffd error 4 in libc.so.6[7f+1]", "segfault",
     "nginx", 812},
    {"usb 1-1.3: USB disconnect, device number 5", "usb_disconnect", "", 0},
    {"usb 2-2: reset SuperSpeed USB device number 3 using xhci_hcd", "usb_reset", "", 0},
    {"smsc95xx 1-1.1:1.0 eth0: NIC Link is Down", "link_down", "", 0},
    {"bcmgenet fd580000.ethernet eth0: Link is Down", "link_down", "", 0},
    {"rcu: INFO: rcu_sched self-detected stall on CPU", "rcu_stall", "", 0},
    {"rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:", "rcu_stall", "", 0},
    {"EXT4-fs (sda1): mounted filesystem with ordered data mode. Opts: (null)", "", "", 0},
    {"Booting Linux on physical CPU 0x0000000000 [0x410fd083]", "", "", 0},
    {"mmc0: new high speed SDHC card at address aaaa", "", "", 0},
    {"bcmgenet fd580000.ethernet eth0: Link is Up - 1Gbps/Full", "", "", 0},
    {"oom_reaper: reaped process 1234 (java), now anon-rss:0kB", "", "", 0},
};

}  // namespace

TEST_CASE("Lines of real kernels show the event that they tell", "[kmsg]") {
  for (const Sample& sample : kSamples) {
    INFO(sample.message);
    const KmsgEvent event = classify_kmsg(sample.message);
    CHECK(event.name == sample.event);
    CHECK(event.victim == sample.victim);
    CHECK(event.pid == sample.pid);
  }
}

TEST_CASE("A record of the kernel's log is read with its fields and escapes", "[kmsg]") {
  KmsgRecord record;
  REQUIRE(
      parse_kmsg("30,160,424069,-;eth0: caf\\xc3\\xa9 \\x5cn \\xZZ \\x4\n SUBSYSTEM=net\n"
                 " DEVICE=n2\n broken\n X=1=2\n",
                 record));
  CHECK(record.level == 6);
  CHECK(record.facility == 3);
  CHECK(record.seq == 160);
  CHECK(record.usec == 424069);
  CHECK(record.message == "eth0: caf\xc3\xa9 \\n \\xZZ \\x4");
  REQUIRE(record.fields.size() == 3);
  CHECK(record.fields[1] == std::pair<std::string, std::string>("DEVICE", "n2"));
  CHECK(record.fields[2] == std::pair<std::string, std::string>("X", "1=2"));
}

TEST_CASE("A record becomes one line of JSON", "[kmsg]") {
  KmsgRecord record;
  REQUIRE(
      parse_kmsg("3,7,1000000,-,caller=T1;Out of memory: Killed process 12 (a\\x0ab) x\n"
                 " SUBSYSTEM=mem\n Odd=1\n",
                 record));
  std::string line;
  append_kmsg_json(record, WallTime::from_s(1'795'000'000), line);
  CHECK(line ==
        "{\"ts\":\"2026-11-18T11:06:40Z\",\"level\":\"error\",\"facility\":\"kern\","
        "\"message\":\"Out of memory: Killed process 12 (a\\nb) x\",\"seq\":7,"
        "\"event\":\"oom_kill\",\"victim\":\"a\\nb\",\"pid\":12,\"subsystem\":\"mem\","
        "\"kernel_odd\":\"1\"}\n");
}

TEST_CASE("What is no record of the kernel's log is refused", "[kmsg]") {
  KmsgRecord record;
  for (const char* text : {"", ";", "6;x", "6,1;x", "6,1,;x", "a,1,2,-;x", "6,1,2", "-6,1,2,-;x",
                           "6,99999999999999999999,2,-;x", "6,1,99999999999999999,-;x"}) {
    INFO(text);
    CHECK_FALSE(parse_kmsg(text, record));
  }
  CHECK(parse_kmsg("6,1,2;x", record));
  CHECK(parse_kmsg("6,1,2,-;", record));
}
