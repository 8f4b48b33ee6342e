// Records that may go on, from real files: taken when nothing more comes, once, also over restarts.
#include <catch2/catch.hpp>

#include "nines/collector/record_reader.hpp"
#include "tail_fixture.hpp"

using namespace nines;
using namespace nines::collector;
using namespace nines::collector::testing;

namespace {

struct HeldRig {
  HeldRig() { selector.format = "plain"; }
  void drain() {
    if (!tailer) start();
    for (int i = 0; i < 1000 && tailer->poll(0, SIZE_MAX); ++i) {
    }
    saved.take(*tailer);
  }
  void pass_ms(int64_t ms) {
    clock.advance_ms(ms);
    drain();
  }
  void restart() {
    tailer.reset();
    reader.reset();
    start();
  }
  void start() {
    reader = std::make_unique<RecordReader>(
        selector, 64 * 1024, clock,
        [this](const ReadRecord& record) { got.emplace_back(record.raw); });
    auto made = Tailer::create(options, *reader, saved.list(), clock);
    if (!made.ok()) throw std::runtime_error(made.error().message);
    tailer = std::move(*made);
    tailer->add_source(0, {{{dir / "*.log"}, {}}});
  }

  TempDir dir;
  ManualClock clock;
  slo::SourceSelector selector;
  TailerOptions options;
  SavedPositions saved;
  std::vector<std::string> got;
  std::unique_ptr<RecordReader> reader;
  std::unique_ptr<Tailer> tailer;
};

constexpr const char* kOne = "2026-09-21 14:13:20 one\n";
constexpr const char* kCri = "2026-09-21T14:13:20.1Z stdout F ";

}  // namespace

TEST_CASE("The last record of a live file is taken after a second of silence", "[collector]") {
  HeldRig rig;
  append(rig.dir / "a.log", kOne);
  rig.drain();
  rig.pass_ms(500);
  append(rig.dir / "a.log", "  goes on\n");
  rig.pass_ms(100);
  CHECK(rig.got.empty());
  rig.pass_ms(1100);
  CHECK(rig.got == Strings{"2026-09-21 14:13:20 one\n  goes on"});
  rig.pass_ms(5000);
  rig.restart();
  rig.pass_ms(5000);
  CHECK(rig.got.size() == 1);
  append(rig.dir / "a.log", std::string("  too late\n") + kOne + kOne);
  rig.pass_ms(100);
  CHECK(rig.got.size() == 2);
}

TEST_CASE("A container's record that was held when the process ended is taken by the next one",
          "[collector]") {
  HeldRig rig;
  append(rig.dir / "a.log", std::string(kCri) + kOne + kCri + "  goes on\n");
  rig.drain();
  CHECK(rig.got.empty());
  rig.restart();
  rig.drain();
  CHECK(rig.got.empty());
  rig.pass_ms(3000);
  rig.pass_ms(3000);
  CHECK(rig.got == Strings{"2026-09-21 14:13:20 one\n  goes on"});
  rig.restart();
  rig.pass_ms(3000);
  rig.pass_ms(3000);
  CHECK(rig.got.size() == 1);
}

TEST_CASE("What a container left open is taken when its log is rotated away and quiet",
          "[collector]") {
  HeldRig rig;
  append(rig.dir / "a.log", "2026-09-21T14:13:20.1Z stdout P 2026-09-21 14:13:20 half a \n");
  rig.drain();
  rig.restart();
  rig.pass_ms(3000);
  CHECK(rig.got.empty());
  rename_file(rig.dir / "a.log", rig.dir / "a.log.1");
  append(rig.dir / "a.log", std::string(kCri) + kOne);
  rig.pass_ms(1000);
  rig.pass_ms(60'000);
  rig.pass_ms(60'000);
  CHECK(sorted(rig.got) == Strings{"2026-09-21 14:13:20 half a ", "2026-09-21 14:13:20 one"});
}
