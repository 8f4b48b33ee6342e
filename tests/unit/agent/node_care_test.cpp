// What a node says of itself, out of /proc, /sys and /run of a fake one: what is well, what is not,
// and that what is not told is not guessed.
#include "app/node_care.hpp"

#include <catch2/catch.hpp>
#include <filesystem>

#include "config_support.hpp"

using namespace nines::agent;
using Catch::Matchers::Contains;

namespace {

struct Node {
  nines::agent::test::ConfigFolder files;
  NodeFacts facts;
  Node() { facts.root = files.path(); }
  void folder(const std::string& path) const {
    std::filesystem::create_directories(files.path() + "/" + path);
  }
  // Null: it says nothing about that.
  const NodeFinding* about(const std::string& name) {
    found = look_at_node(facts);
    for (const NodeFinding& f : found)
      if (f.name == name) return &f;
    return nullptr;
  }
  std::vector<NodeFinding> found;
};

void well(const NodeFinding* f, const std::string& text) {
  REQUIRE(f != nullptr);
  CHECK(f->well);
  CHECK(f->remedy.empty());
  CHECK_THAT(f->found, Contains(text));
}

void not_well(const NodeFinding* f, const std::string& text, const std::string& remedy) {
  REQUIRE(f != nullptr);
  CHECK_FALSE(f->well);
  CHECK_THAT(f->found, Contains(text));
  CHECK_THAT(f->remedy, Contains(remedy));
}

}  // namespace

TEST_CASE("A node without a memory cgroup is told which line of which file to change") {
  Node node;
  const char* remedy = "cgroup_enable=memory cgroup_memory=1 to the one line of /boot/firmware";
  not_well(node.about("memory control"), "no effect", remedy);
  node.files.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids\n");
  not_well(node.about("memory control"), "no memory cgroup", remedy);
  node.files.write("sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids\n");
  well(node.about("memory control"), "is there");
  node.files.write("proc/cgroups",
                   "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t1\t0\n");
  not_well(node.about("memory control"), "no memory cgroup", remedy);
}

TEST_CASE(
    "Where a container does not see groups, the kernel's table says whether memory is there") {
  Node node;
  const std::string head = "#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t1\t";
  node.files.write("proc/cgroups", head + "1\n");
  well(node.about("memory control"), "in the kernel");
  node.files.write("proc/cgroups", head + "0\n");
  CHECK_FALSE(node.about("memory control")->well);
}

TEST_CASE("A memory cgroup of the first version counts, and one of a like name does not") {
  Node node;
  node.files.write("sys/fs/cgroup/cgroup.controllers", "memory-like cpu\n");
  CHECK_FALSE(node.about("memory control")->well);
  node.folder("sys/fs/cgroup/memory");
  CHECK(node.about("memory control")->well);
}

TEST_CASE("A journal that a reboot loses is told; where there is no journald nothing is") {
  Node node;
  CHECK(node.about("journal storage") == nullptr);
  node.folder("run/log/journal");
  not_well(node.about("journal storage"), "volatile", "Storage=persistent");
  node.folder("var/log/journal");
  well(node.about("journal storage"), "persistent");
}

TEST_CASE("Logs in memory are found by the mount that is nearest above /var/log") {
  Node node;
  CHECK(node.about("log storage") == nullptr);
  const std::string root = "/dev/mmcblk0p2 / ext4 rw,noatime 0 0\ntmpfs /run tmpfs rw 0 0\n";
  node.files.write("proc/self/mounts", root + "tmpfs /var/lo tmpfs rw 0 0\n");
  well(node.about("log storage"), "ext4");
  node.files.write("proc/self/mounts", "tmpfs /var tmpfs rw 0 0\n" + root);
  not_well(node.about("log storage"), "tmpfs", "log2ram");
  node.files.write("proc/self/mounts", root + "log2ram /var/log tmpfs rw,size=128M 0 0\n");
  not_well(node.about("log storage"), "tmpfs", "log2ram");
  node.files.write("proc/self/mounts", root + "/dev/zram1 /var/log ext4 rw 0 0\n");
  not_well(node.about("log storage"), "zram", "log2ram");
  node.files.write("proc/self/mounts",
                   root + "tmpfs /var/log tmpfs rw 0 0\n/dev/sda1 /var/log ext4 rw 0 0\n");
  well(node.about("log storage"), "ext4");
  node.files.write("proc/self/mounts", "neither a mount\n\n/ \n");
  CHECK(node.about("log storage") == nullptr);
}

TEST_CASE("A worn card is told by its life time and by its spare blocks") {
  Node node;
  CHECK(node.about("card wear") == nullptr);
  const std::string device = "sys/block/mmcblk0/device/";
  node.files.write(device + "type", "MMC\n");
  node.files.write(device + "life_time", "0x03 0x02\n");
  node.files.write(device + "pre_eol_info", "0x01\n");
  well(node.about("card wear"), "mmcblk0 (MMC) has used 20 to 30 % of its life");
  node.files.write(device + "life_time", "0x01 0x0a\n");
  not_well(node.about("card wear"), "90 to 100 %", "back up /var/lib/nines");
  node.files.write(device + "life_time", "0x0b 0x01\n");
  not_well(node.about("card wear"), "past the life", "replace it");
  node.files.write(device + "life_time", "0x01 0x01\n");
  node.files.write(device + "pre_eol_info", "0x02\n");
  not_well(node.about("card wear"), "80 % of its spare blocks", "replace it");
  node.files.write(device + "pre_eol_info", "0x03\n");
  not_well(node.about("card wear"), "nearly no spare blocks", "replace it");
}

TEST_CASE("A card that does not tell its wear, or tells nonsense, is not called well worn") {
  Node node;
  node.files.write("sys/block/mmcblk0/device/type", "SD\n");
  well(node.about("card wear"), "mmcblk0 (SD) does not tell its wear");
  node.files.write("sys/block/mmcblk0/device/life_time", "0xff worn\n");
  well(node.about("card wear"), "does not tell its wear");
  node.files.write("sys/block/mmcblk0/device/life_time", "0x00 0x00\n");
  well(node.about("card wear"), "does not tell its wear");
}

TEST_CASE("Parts of a card, and other disks, are no cards") {
  Node node;
  node.folder("sys/block/mmcblk0boot0/device");
  node.folder("sys/block/sda/device");
  CHECK(node.about("card wear") == nullptr);
}

TEST_CASE("A clock that is not synchronised, and large pages, are told with the way out") {
  Node node;
  well(node.about("clock"), "synchronised");
  well(node.about("page size"), "4 KiB");
  node.facts.clock_synchronised = false;
  node.facts.page_bytes = 16384;
  not_well(node.about("clock"), "not synchronised", "timedatectl set-ntp true");
  not_well(node.about("page size"), "16 KiB pages", "kernel=kernel8.img");
}

TEST_CASE("This machine can be looked at") {
  const NodeFacts facts = facts_of_this_node();
  CHECK(facts.page_bytes >= 4096);
  CHECK(look_at_node(facts).size() >= 3);
}
