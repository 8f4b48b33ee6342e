// What ten thousand matching files cost of which fifty grow: memory, the first look, a rescan, and
// reading what grew. Usage: bench_files [files [directory for them]]
#include <array>
#include <chrono>
#include <cstdio>

#include "tail_fixture.hpp"

using namespace nines::collector;           // NOLINT(google-build-using-namespace)
using namespace nines::collector::testing;  // NOLINT(google-build-using-namespace)

namespace {

double rss_mb() {
  std::ifstream in("/proc/self/statm");
  int64_t total = 0, resident = 0;
  in >> total >> resident;
  return static_cast<double>(resident * ::sysconf(_SC_PAGESIZE)) / 1e6;
}

template <class Work>
double ms(Work&& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

// Keeps nothing, so that only the tailer's memory is seen.
class Count final : public RecordConsumer {
 public:
  Taken consume(LogStream&, std::string_view data, Reading how) override {
    const size_t newline = data.rfind('\n');
    const size_t used = how == Reading::last                ? data.size()
                        : newline == std::string_view::npos ? 0
                                                            : newline + 1;
    bytes += used;
    return {used, Taken::Rest::none, false};
  }
  void opened(LogStream&) override {}
  void closed(LogStream&) override {}
  size_t bytes = 0;
};

std::string name(const TempDir& dir, int i) { return dir / ("app-" + std::to_string(i) + ".log"); }

void grow(const TempDir& dir, int files) {
  constexpr int kGrowing = 50;
  for (int i = 0; i < kGrowing && i < files; ++i) append(name(dir, i * (files / kGrowing)), "z\n");
}

void drain(Tailer& tailer) {
  while (tailer.poll(0, SIZE_MAX)) {
  }
}

int run(int files) {
  const TempDir dir;
  for (int i = 0; i < files; ++i)
    append(name(dir, i), "a line of file " + std::to_string(i) + "\n");
  Count count;
  ManualClock clock;
  TailerOptions options;
  options.max_files = static_cast<size_t>(files) + 100;
  const double before = rss_mb();
  auto made = Tailer::create(options, count, {}, clock);
  if (!made.ok()) return 1;
  Tailer& tailer = **made;
  tailer.add_source(0, {{{dir / "*.log"}, {}}});
  const double first = ms([&] { drain(tailer); });
  std::printf("first look and read of %d files: %.0f ms, %zu bytes, RSS +%.1f MB\n", files, first,
              count.bytes, rss_mb() - before);
  for (int round = 0; round < 3; ++round) {
    const double idle = ms([&] { tailer.rescan(); });
    grow(dir, files);
    const double read = ms([&] { drain(tailer); });
    grow(dir, files);
    const double busy = ms([&] { tailer.rescan(); });
    drain(tailer);
    std::printf("rescan %.1f ms, with 50 grown %.1f ms, their reading %.1f ms\n", idle, busy, read);
  }
  std::printf("RSS +%.1f MB, %zu bytes read\n", rss_mb() - before, count.bytes);
  std::vector<nines::slo::Position> positions;
  tailer.take_positions(positions);
  std::printf("with %zu positions taken: RSS +%.1f MB\n", positions.size(), rss_mb() - before);
  made->reset();
  auto again = Tailer::create(options, count, std::move(positions), clock);
  if (!again.ok()) return 1;
  (*again)->add_source(0, {{{dir / "*.log"}, {}}});
  const double restart = ms([&] { drain(**again); });
  std::printf("restart: %.0f ms, %zu bytes read in all\n", restart, count.bytes);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kFiles = 10'000;
  if (argc > 2) ::setenv("TMPDIR", argv[2], 1);        // NOLINT(concurrency-mt-unsafe): one thread
  return run(argc > 1 ? std::atoi(argv[1]) : kFiles);  // NOLINT(cert-err34-c)
}
