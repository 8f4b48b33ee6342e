// Linked into the program of the preset "coverage" only. Counters of coverage are written when a
// program ends by itself, but agents under test are killed: with NINES_COVERAGE_EVERY=SECONDS in
// the environment they are written while it runs, so that a kill costs what was passed since.
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <thread>

extern "C" void __gcov_dump();   // libgcov: merges the counters into the files
extern "C" void __gcov_reset();  // libgcov: and begins them anew

namespace {

struct Dumper {
  Dumper() {
    const char* every = std::getenv("NINES_COVERAGE_EVERY");
    const int seconds = every ? std::atoi(every) : 0;
    if (seconds <= 0) return;
    std::thread([seconds] {
      for (;;) {
        std::this_thread::sleep_for(std::chrono::seconds(seconds));
        __gcov_dump();
        __gcov_reset();
      }
    }).detach();
  }
} dumper;

}  // namespace
