// A writer does random things to a log (append, rename rotation, copytruncate, delete and recreate)
// while a tailer is polled, saved, stopped and crashed at random; every line must be consumed once.
//
// What the store keeps is modelled: lines consumed since the last saved positions are forgotten
// with a crash, as counts are that were not committed.
//
// Left out because nothing could get it right:
// - deleting a file (or the last copy of it) of which something is unread;
// - truncating without a copy while something is unread;
// - a line of which one half is in a copy and the other in the truncated file: it counts as two;
// - with a glob that does not match rotated names: generations rotated before the first look ever.
//
// NINES_LONG=n in the environment: n times as many seeds.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <deque>
#include <random>
#include <sstream>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

// What is varied besides the seed.
struct Way {
  std::string glob;
  bool inotify = false;
  bool ordered = false;   // lines must come in order
  bool compress = false;  // generations are compressed at random
  bool newest_first = false;
  bool throttled = false;  // by bytes and lines
  bool holding = false;    // the consumer holds records back
};

class Torture {
 public:
  Torture(uint32_t seed, const Way& way)
      : random_(seed),
        rig_(way.glob),
        way_(way),
        ordered_(way.ordered),
        holder_(rig_.lines, seed % 2 == 0) {
    if (way.holding) rig_.consumer = &holder_;
    rig_.source.newest_first = way.newest_first;
    if (way.throttled) {
      rig_.source.max_bytes_per_s = 2'000;
      rig_.source.max_lines_per_s = 50;
    }
    rig_.options.use_inotify = way.inotify;
    rig_.options.poll_ms = 0;
    rig_.options.hold_ms = 10;
    rig_.options.quiet_close_ms = 1000;
    rig_.options.buffer_bytes = rig_.lines.buffer_bytes = 256;
    write_lines(1 + pick(4));
    rig_.drain();
    commit();
  }

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step();
    start_if_stopped();
    end_line();
    settle();
  }

  std::string verdict() {
    std::map<std::string, int> times;
    for (const std::string& line : committed_) ++times[line];
    for (const std::string& line : rig_.lines.all) ++times[line];
    std::ostringstream out;
    for (const std::string& line : written_) {
      const int n = times[line];
      times.erase(line);
      if (n != 1) out << (n == 0 ? " lost " : " repeated ") << line;
    }
    for (const auto& [line, n] : times) out << " never written: " << line;
    if (ordered_) {
      std::vector<std::string> got = committed_;
      got.insert(got.end(), rig_.lines.all.begin(), rig_.lines.all.end());
      const auto at = std::is_sorted_until(got.begin(), got.end());
      if (at != got.end()) out << " out of order: " << *at << " after " << *std::prev(at);
    }
    const std::string problems = out.str();
    return problems.empty() ? problems : problems + "\nhistory:" + history_;
  }

 private:
  uint32_t pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }
  void note(const char* what) { history_.append(" ").append(what); }

  void step() {
    switch (pick(way_.compress ? 15 : 13)) {
      case 0:
      case 1:
      case 2:
      case 3: return write_lines(1 + pick(5));
      case 4: return half_line();
      case 5: return rotate_by_rename();
      case 6: return rotate_by_copy();
      case 7: return delete_and_recreate();
      case 8: return crash();
      case 9: return stop();
      case 10: return commit();
      case 13:
      case 14: return compress_one();
      default: return look();
    }
  }

  void write_lines(uint32_t n) {
    note("write");
    end_line();
    for (uint32_t i = 0; i < n; ++i) {
      const std::string line = next_line();
      append(rig_.log(), line + "\n");
      written_.push_back(line);
      note(line.substr(0, 7).c_str());
    }
  }
  std::string next_line() {
    std::string number = std::to_string(1'000'000 + ++lines_);
    return number + " " + std::string(pick(40), 'x');
  }
  void half_line() {
    if (!half_.empty()) return;
    note("half");
    half_ = next_line() + "end";
    append(rig_.log(), half_.substr(0, 9));
  }
  void end_line() {
    if (half_.empty()) return;
    append(rig_.log(), half_.substr(9) + "\n");
    written_.push_back(half_);
    half_.clear();
  }

  // Numbered generations, as logrotate keeps them; the oldest goes once it was read.
  void shift_generations() {
    for (int i = kKeep; i > 0; --i) {
      const std::string from = present(i);
      if (from.empty()) continue;
      if (i == kKeep) {
        settle();
        remove_file(from);
      } else {
        rename_file(from, generation(i + 1) + from.substr(generation(i).size()));
      }
    }
  }
  std::string generation(int i) { return rig_.dir / ("app.log." + std::to_string(i)); }
  std::string present(int i) {
    for (const char* ending : {"", ".gz", ".zst"}) {
      if (std::filesystem::exists(generation(i) + ending)) return generation(i) + ending;
    }
    return {};
  }
  // As gzip does it: written (now and then looked at while half done), then the original unlinked.
  void compress_one() {
    const std::string from = generation(1 + static_cast<int>(pick(kKeep)));
    if (!std::filesystem::exists(from)) return;
    note(("compress " + from.substr(from.size() - 1)).c_str());
    const bool zstd = pick(2) == 0;
    const std::string text = contents(from), to = from + (zstd ? ".zst" : ".gz");
    const std::string packed = zstd ? zstd_of(text) : gzipped(text);
    const size_t half = pick(static_cast<uint32_t>(packed.size()));
    append(to, std::string_view(packed).substr(0, half));
    if (pick(3) == 0) look();
    append(to, std::string_view(packed).substr(half));
    if (pick(2) == 0) {
      std::filesystem::last_write_time(to, std::filesystem::last_write_time(from));
    }
    if (pick(3) == 0) look();
    remove_file(from);
  }

  void rotate_by_rename() {
    end_line();
    shift_generations();
    note("rename");
    rename_file(rig_.log(), generation(1));
    if (pick(3) == 0 && !ordered_) {  // the writer still has the old file open
      const std::string line = next_line();
      append(generation(1), line + "\n");
      written_.push_back(line);
    }
    if (pick(3) == 0) look();
    append(rig_.log(), "");
    if (pick(2) == 0) write_lines(1);
  }
  // Two copies within one tick of the file system's clock can't be told apart by age: every line is
  // read once, but which copy comes first is open. Counting goes by the time stamps of the lines.
  void rotate_by_copy() {
    if (ordered_) return rotate_by_rename();
    end_line();
    shift_generations();
    note("copy");
    copy_file(rig_.log(), generation(1));
    if (pick(3) == 0) look();
    note("truncate");
    truncate_file(rig_.log());
    if (pick(2) == 0) write_lines(1 + pick(8));
  }
  void delete_and_recreate() {
    end_line();
    settle();
    note("delete");
    remove_file(rig_.log());
    if (pick(2) == 0) look();
    append(rig_.log(), "");
    write_lines(1);
  }

  void start_if_stopped() {
    if (rig_.tailer) return;
    note("start");
    rig_.start();
  }
  void look() {
    start_if_stopped();
    note("look");
    rig_.lines.max_lines = pick(2) == 0 ? SIZE_MAX : 1 + pick(3);
    const uint32_t polls = 1 + pick(3);
    for (uint32_t i = 0; i < polls; ++i) (void)rig_.tailer->poll(0, 1 + pick(600));
    rig_.lines.max_lines = SIZE_MAX;
    if (pick(4) == 0) rig_.clock.advance_ms(pick(2) == 0 ? 600 : 20);
  }
  void commit() {
    if (!rig_.tailer) return;
    note("commit");
    rig_.save();
    for (const std::string& line : rig_.lines.all) {  // for whoever looks into a failure
      const bool again = std::find(committed_.begin(), committed_.end(), line) != committed_.end();
      if (again) note(("(" + line.substr(0, 7) + " again)").c_str());
    }
    committed_.insert(committed_.end(), rig_.lines.all.begin(), rig_.lines.all.end());
    rig_.lines.all.clear();
  }
  void stop() {
    commit();
    note("stop");
    rig_.tailer.reset();
  }
  void crash() {
    note("crash");
    rig_.lines.all.clear();
    rig_.tailer.reset();
  }
  // Everything readable is read and saved. Half lines stay.
  void settle() {
    start_if_stopped();
    note("settle");
    for (int i = 0; i < 3; ++i) {
      rig_.tailer->rescan();
      rig_.drain();
    }
    for (int i = 0; i < 200 && way_.throttled && !rig_.tailer->caught_up(); ++i) rig_.pass_ms(100);
    for (int i = 0; i < 3 && (way_.holding || way_.compress); ++i)
      rig_.pass_ms(i == 2 ? 5'001 : 20);
    commit();
  }

  static constexpr int kKeep = 4;
  std::mt19937 random_;
  Rig rig_;
  Way way_;
  bool ordered_;
  Holder holder_;
  int lines_ = 0;
  std::string half_, history_;
  std::vector<std::string> written_, committed_;
};

void torment(const Way& way, uint32_t seeds) {
  const char* const times = std::getenv("NINES_LONG");  // NOLINT(concurrency-mt-unsafe)
  const int factor = times != nullptr ? std::max(1, std::atoi(times)) : 1;  // NOLINT(cert-err34-c)
  for (uint32_t seed = 1; seed <= seeds * static_cast<uint32_t>(factor); ++seed) {
    Torture torture(seed, way);
    torture.run(60);
    const std::string problems = torture.verdict();
    INFO("seed " << seed << " glob " << way.glob << " inotify " << way.inotify << " compress "
                 << way.compress << " newest " << way.newest_first << " throttled " << way.throttled
                 << " holding " << way.holding << problems);
    REQUIRE(problems.empty());
  }
}

}  // namespace

TEST_CASE("Every line is consumed once through any rotation and restart (glob: live name only)") {
  torment({"app.log", true}, 40);
}
TEST_CASE(
    "Every line is consumed once through any rotation and restart (glob: rotated names too)") {
  torment({"app.log*", true}, 40);
}
TEST_CASE("Every line is consumed once with polling instead of inotify") {
  torment({"app.log"}, 300);
  torment({"app.log*"}, 300);
}
TEST_CASE("Every line is consumed once, whatever is compressed while it is read or not") {
  torment({.glob = "app.log", .inotify = true, .compress = true}, 60);
  torment({.glob = "app.log", .compress = true}, 300);
}
TEST_CASE("Every line is consumed once when the pattern matches the archives too") {
  torment({.glob = "app.log*", .inotify = true, .compress = true}, 60);
  torment({.glob = "app.log*", .compress = true}, 300);
}
TEST_CASE("Every line is consumed once, newest first, throttled, held back, compressed") {
  for (const char* glob : {"app.log", "app.log*"}) {
    torment({.glob = glob, .newest_first = true}, 100);
    torment({.glob = glob, .throttled = true}, 100);
    torment({.glob = glob, .holding = true}, 100);
    torment({.glob = glob, .newest_first = true, .throttled = true, .holding = true}, 100);
  }
  for (const char* glob : {"app.log", "app.log*"}) {
    torment(
        {.glob = glob, .compress = true, .newest_first = true, .throttled = true, .holding = true},
        100);
  }
}
TEST_CASE("Lines of one log come in the order in which they were written") {
  torment({.glob = "app.log", .ordered = true}, 100);
  torment({.glob = "app.log*", .ordered = true}, 100);
}
