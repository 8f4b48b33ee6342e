// The hot path alone: bench_pipeline FILE reads it in blocks as the tailer does and counts an
// availability and a latency SLO. Prints CPU seconds a GB; reading alone is shown beside it.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include "nines/collector/pipeline.hpp"

namespace {

class Now final : public nines::Clock {
 public:
  nines::Instant mono() const noexcept override { return {0}; }
  nines::WallTime wall() const noexcept override {
    return {std::chrono::system_clock::now().time_since_epoch().count()};
  }
};

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

nines::slo::SloSpec spec(const char* name, const char* good, const char* value) {
  nines::slo::SloSpec s;
  s.name = name;
  s.target = {999, -3};
  s.indicator.part.where = good;
  s.indicator.value = value;
  s.indicator.kind = *value != '\0' ? nines::slo::SliKind::threshold : nines::slo::SliKind::ratio;
  s.threshold = {500, 0};
  return s;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  const bool read_only = argc > 2;
  const Now clock;
  nines::collector::Pipeline pipeline({.node = "bench"}, clock);
  pipeline.add_source({.name = "log", .service = "", .selector = {}, .globs = {}});
  if (!pipeline.add_slo(0, spec("availability", "status < 500", ""), 0, 0).ok()) return 1;
  if (!pipeline.add_slo(1, spec("latency", "", "duration_ms"), 0, 0).ok()) return 1;
  nines::collector::LogStream file;
  file.path = argv[1];
  file.matched = {0};
  pipeline.opened(file);
  const int fd = open(argv[1], O_RDONLY);
  if (fd < 0) return 1;
  constexpr size_t kBuffer = 256 * 1024;
  const auto buffer = std::make_unique<char[]>(kBuffer);
  const double start = cpu_seconds();
  while (true) {
    const ssize_t n = pread(fd, buffer.get(), kBuffer, file.offset);
    if (n <= 0) break;
    const std::string_view data(buffer.get(), static_cast<size_t>(n));
    const size_t used = read_only
                            ? data.size()
                            : pipeline
                                  .consume(file, data,
                                           n < ssize_t(kBuffer) ? nines::collector::Reading::last
                                                                : nines::collector::Reading::full)
                                  .bytes;
    if (used == 0) break;
    file.offset += static_cast<int64_t>(used);
  }
  const double spent = cpu_seconds() - start;
  nines::slo::Batch batch;
  pipeline.take(batch);
  const auto counts = pipeline.counts().front();
  std::printf(
      "%s: %.3f CPU s for %.3f GB = %.3f CPU s/GB, %.0f MB/s, %llu records, %llu malformed, %s, "
      "%zu deltas\n",
      read_only ? "read" : "count", spent, static_cast<double>(file.offset) * 1e-9,
      spent / (static_cast<double>(file.offset) * 1e-9),
      static_cast<double>(file.offset) * 1e-6 / spent,
      static_cast<unsigned long long>(counts.records),
      static_cast<unsigned long long>(counts.no_match), counts.format.c_str(), batch.slots.size());
  return 0;
}
