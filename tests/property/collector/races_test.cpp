// Rotation while a scan is under way: between any two system calls of the tailer the log may be
// copied, truncated, renamed or compressed. One thread rotates and writes as fast as it can, the
// other does nothing but scan; every line must be consumed once.
//
// NINES_LONG=n in the environment: n times as many rounds.
#include <atomic>
#include <catch2/catch.hpp>
#include <random>
#include <thread>

#include "tail_fixture.hpp"

using namespace nines;                      // NOLINT(google-build-using-namespace)
using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

int rounds() {
  const char* more = std::getenv("NINES_LONG");  // NOLINT(concurrency-mt-unsafe)
  return 400 * (more == nullptr ? 1 : std::max(1, std::atoi(more)));
}

struct Way {
  const char* name;
  bool shift = false;     // older generations move on by one; else the copy is overwritten
  bool rename = false;    // instead of copying and truncating
  bool append = true;     // false: the writer goes on at its old position, behind a hole of NULs
  bool compress = false;  // the first generation, when it becomes the second
};

// What logrotate and the program that logs do.
class Rotator {
 public:
  Rotator(Rig& rig, const Way& way) : rig_(rig), way_(way) { reopen(); }
  ~Rotator() { ::close(fd_); }
  Rotator(const Rotator&) = delete;
  Rotator& operator=(const Rotator&) = delete;

  void write_lines() {
    std::string text;
    for (uint32_t n = 2 + pick(60); n > 0; --n) {
      text += "line " + std::to_string(1'000'000 + written) + std::string(40, 'x') + "\n";
      ++written;
    }
    if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
      throw std::runtime_error("write");
    }
  }

  // Nothing may be unread: what is overwritten or deleted would be lost to anybody.
  void rotate() {
    ++rotations;
    const std::string log = rig_.log();
    if (way_.shift) shift();
    if (way_.rename) {
      rename_file(log, log + ".1");
      reopen();
    } else {
      copy_file(log, log + ".1");
      truncate_file(log);
    }
  }

  void pause() {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(pick(300));
    while (std::chrono::steady_clock::now() < until) {
    }
  }

  std::atomic<size_t> written = 0;
  int rotations = 0;

 private:
  uint32_t pick(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

  void shift() {
    const std::string log = rig_.log(), ending = way_.compress ? ".gz" : "";
    std::error_code none;
    std::filesystem::rename(log + ".2" + ending, log + ".3" + ending, none);
    if (!std::filesystem::exists(log + ".1")) return;
    rename_file(log + ".1", log + ".2");
    if (way_.compress) compress_file(log + ".2");
  }

  void reopen() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = ::open(rig_.log().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | (way_.append ? O_APPEND : 0),
                 0644);
  }

  Rig& rig_;
  const Way& way_;
  int fd_ = -1;
  std::minstd_rand random_{7};
};

void play(const Way& way) {
  Rig rig;
  rig.options.quiet_close_ms = 50;
  std::atomic<size_t> read = 0;
  std::atomic<bool> over = false;
  Rotator rotator(rig, way);
  rotator.write_lines();
  rig.drain();
  const auto look = [&] {
    rig.clock.advance_ms(10);
    rig.tailer->rescan();
    rig.drain();
    read = rig.lines.all.size();
  };
  std::thread other([&] {
    for (int n = rounds(); n > 0 && !over; --n) {
      while (read < rotator.written && !over) std::this_thread::yield();
      rotator.rotate();
      rotator.pause();
      rotator.write_lines();
      rotator.pause();
    }
    over = true;
  });
  while (!over && rig.lines.all.size() <= rotator.written) look();
  over = true;
  other.join();
  for (int n = 0; n < 200; ++n) look();
  Strings expected;
  for (size_t n = 0; n < rotator.written; ++n) {
    expected.push_back("line " + std::to_string(1'000'000 + n) + std::string(40, 'x'));
  }
  const Strings got = sorted(rig.lines.all);
  Strings lost, doubled;
  std::set_difference(expected.begin(), expected.end(), got.begin(), got.end(),
                      std::back_inserter(lost));
  std::set_difference(got.begin(), got.end(), expected.begin(), expected.end(),
                      std::back_inserter(doubled));
  INFO(way.name << ", in rotation " << rotator.rotations << " of " << rounds());
  CHECK(lost == Strings());
  CHECK(doubled == Strings());
}

}  // namespace

TEST_CASE("a copytruncate at any moment of a scan loses and doubles nothing") {
  play({.name = "onto one name"});
}

TEST_CASE("a copytruncate behind shifted copies loses and doubles nothing") {
  play({.name = "shifted", .shift = true});
}

TEST_CASE("a copytruncate under a writer that keeps its position loses and doubles nothing") {
  play({.name = "stale writer", .append = false});
}

TEST_CASE("shifted copies and a writer that keeps its position lose and double nothing") {
  play({.name = "stale writer, shifted", .shift = true, .append = false});
}

TEST_CASE("a rename rotation at any moment of a scan loses and doubles nothing") {
  play({.name = "renamed", .shift = true, .rename = true});
}

TEST_CASE("a rotation that compresses at any moment of a scan loses and doubles nothing") {
  play({.name = "copied", .shift = true, .compress = true});
  play({.name = "renamed", .shift = true, .rename = true, .compress = true});
}
