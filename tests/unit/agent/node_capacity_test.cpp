// The node's vitals become daily maxima that outlive the process.
#include "app/node_capacity.hpp"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "composition.hpp"

using namespace nines;
using namespace nines::test;
using nines::agent::NodeCapacity;

namespace {

struct Node {
  Node() { std::filesystem::create_directories(dir / "proc"); }
  void set(int busy, int idle, int available) {
    user += busy;
    idled += idle;
    std::ofstream(dir / "proc/stat") << "cpu " << user << " 0 0 " << idled << " 0 0 0 0 0 0\n";
    std::ofstream(dir / "proc/meminfo")
        << "MemTotal: 1000 kB\nMemAvailable: " << available << " kB\n";
  }
  std::unique_ptr<NodeCapacity> start() {
    collector::VitalsOptions options;
    options.proc = dir / "proc";
    options.sys = dir / "sys";
    auto made = NodeCapacity::create(options, clock);
    REQUIRE(made.ok());
    return std::move(*made);
  }
  // Ten minutes, a tick each 10 s as the agent does.
  void run(NodeCapacity& capacity, int busy, int available) {
    for (int i = 0; i < 60; ++i) {
      set(busy, 10 - busy, available);
      capacity.sample();
      clock.advance_s(10);
    }
  }
  static const slo::CapacityForecast* of(const std::vector<slo::CapacityForecast>& all,
                                         const std::string& vital) {
    for (const auto& f : all) {
      if (f.vital == vital) return &f;
    }
    return nullptr;
  }

  TempDir dir;
  ManualClock clock{WallTime::from_s(kMidnight)};
  int user = 100, idled = 100;
};

}  // namespace

TEST_CASE("CPU and memory of the node are watched without any source asking", "[capacity]") {
  Node node;
  const auto capacity = node.start();
  node.run(*capacity, 3, 400);
  const auto found = capacity->forecasts();
  REQUIRE(Node::of(found, "cpu") != nullptr);
  REQUIRE(Node::of(found, "memory") != nullptr);
  CHECK(*Node::of(found, "cpu")->newest == Approx(0.3).margin(0.01));
  CHECK(*Node::of(found, "memory")->newest == Approx(0.6).margin(0.001));
  CHECK(Node::of(found, "memory")->newest_day == WallTime::from_s(kMidnight));
  CHECK(Node::of(found, "disk_root") != nullptr);  // of the machine that runs this
}

TEST_CASE("Capacity goes on after a restart where it was", "[capacity]") {
  Node node;
  std::vector<store::Document> kept;
  {
    const auto capacity = node.start();
    node.run(*capacity, 9, 100);
    kept = capacity->take_changes();
  }
  REQUIRE(kept.size() >= 2);
  CHECK(kept[0].kind == "capacity");
  const auto again = node.start();
  kept.push_back({"capacity", "cpu_damaged", "?"});
  again->restore(kept);
  node.run(*again, 1, 900);
  CHECK(*Node::of(again->forecasts(), "cpu")->newest == Approx(0.9).margin(0.01));
  CHECK(*Node::of(again->forecasts(), "memory")->newest == Approx(0.9).margin(0.001));
  CHECK(Node::of(again->forecasts(), "cpu_damaged") == nullptr);
}
