// The hot path alone: reads a log in blocks as the tailer does and counts an availability and a
// latency SLO. Prints CPU seconds a GB.
//
//   bench_pipeline             logs of every shape made up in memory, best of 5 rounds each
//   bench_pipeline FILE        a file
//   bench_pipeline FILE read   reading it alone
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <memory>
#include <string>

#include "nines/collector/pipeline.hpp"

namespace {

using nines::collector::Reading;

constexpr size_t kBuffer = 256 * 1024;

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

struct Outcome {
  double spent = 0;
  int64_t bytes = 0;
  nines::collector::SourceCounts counts;
  size_t deltas = 0;
};

// `read(offset, buffer)`: how many bytes of the log were put into the buffer.
using Read = std::function<size_t(int64_t, char*)>;

Outcome count(const char* path, const char* good, const Read& read, bool read_only = false) {
  const Now clock;
  nines::collector::Pipeline pipeline({.node = "bench"}, clock);
  pipeline.add_source({.name = "log", .service = "", .selector = {}, .globs = {}});
  if (!pipeline.add_slo(0, spec("availability", good, ""), 0, 0).ok()) return {};
  if (!pipeline.add_slo(1, spec("latency", "", "duration_ms"), 0, 0).ok()) return {};
  nines::collector::LogStream file;
  file.path = path;
  file.matched = {0};
  pipeline.opened(file);
  const auto buffer = std::make_unique<char[]>(kBuffer);
  const double start = cpu_seconds();
  while (const size_t n = read(file.offset, buffer.get())) {
    const std::string_view data(buffer.get(), n);
    size_t used = n;
    if (!read_only)
      used = pipeline.consume(file, data, n < kBuffer ? Reading::last : Reading::full).bytes;
    if (used == 0) break;
    file.offset += static_cast<int64_t>(used);
  }
  Outcome out;
  out.spent = cpu_seconds() - start;
  out.bytes = file.offset;
  nines::slo::Batch batch;
  pipeline.take(batch);
  out.deltas = batch.slots.size();
  out.counts = pipeline.counts().front();
  return out;
}

void print(const char* what, const Outcome& out) {
  const double gb = static_cast<double>(out.bytes) * 1e-9;
  std::printf(
      "%-6s %.3f CPU s for %.3f GB = %.3f CPU s/GB, %5.0f MB/s, %llu records, "
      "%llu continuations, %llu malformed, %s, %zu deltas\n",
      what, out.spent, gb, out.spent / gb, gb * 1e3 / out.spent,
      static_cast<unsigned long long>(out.counts.records),
      static_cast<unsigned long long>(out.counts.continuations),
      static_cast<unsigned long long>(out.counts.no_match + out.counts.not_cri),
      out.counts.format.c_str(), out.deltas);
}

// Logs made up.

using Arguments = unsigned;  // a random number a line
std::string nginx_line(size_t i, Arguments r) {
  char line[320];
  std::snprintf(line, sizeof line,
                "10.0.%u.%u - - [21/Sep/2026:14:%02zu:%02zu +0000] \"GET /api/v1/items/%u?x=%u "
                "HTTP/1.1\" %d %u \"-\" \"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36\" "
                "0.%03u\n",
                r % 256, r / 256 % 256, i / 60000 % 60, i / 1000 % 60, r % 9999, r % 77,
                r % 50 == 0 ? 503 : 200, r % 50000, r % 999);
  return line;
}
std::string json_line(size_t i, Arguments r) {
  char line[320];
  std::snprintf(line, sizeof line,
                "{\"ts\":\"2026-09-21T14:%02zu:%02zu.%03uZ\",\"level\":\"info\",\"msg\":\"request "
                "served\",\"method\":\"GET\",\"path\":\"/api/v1/items/%u\",\"status\":%d,"
                "\"duration_ms\":%u.%u,\"request_id\":\"%08x%08x\",\"user\":\"u%u\"}\n",
                i / 60000 % 60, i / 1000 % 60, r % 1000, r % 9999, r % 50 == 0 ? 503 : 200, r % 400,
                r % 10, r, ~r, r % 5000);
  return line;
}
std::string cri_line(size_t i, Arguments r) {
  char head[64];
  std::snprintf(head, sizeof head, "2026-09-21T14:%02zu:%02zu.%09uZ stdout F ", i / 60000 % 60,
                i / 1000 % 60, r % 1000000000);
  return head + json_line(i, r);
}
std::string docker_line(size_t i, Arguments r) {
  std::string out = "{\"log\":\"";
  for (const char c : json_line(i, r)) {
    if (c == '"') out += '\\';
    out += c == '\n' ? "\\n" : std::string(1, c);
  }
  char tail[96];
  std::snprintf(tail, sizeof tail,
                "\",\"stream\":\"stdout\",\"time\":\"2026-09-21T14:%02zu:%02zu.%09uZ\"}\n",
                i / 60000 % 60, i / 1000 % 60, r % 1000000000);
  return out + tail;
}
std::string plain_record(size_t i, Arguments r) {  // one in forty with a stack trace
  const bool failed = i % 40 == 0;
  char line[256];
  std::snprintf(line, sizeof line,
                "2026-09-21 14:%02zu:%02zu,%03u %s [http-nio-8080-exec-%u] c.e.shop.OrderService - "
                "order %u %s for customer %u\n",
                i / 60000 % 60, i / 1000 % 60, r % 1000, failed ? "ERROR" : "INFO ", r % 20, r,
                failed ? "could not be placed" : "placed", r % 777);
  std::string out = line;
  if (failed) out += "java.lang.IllegalStateException: stock is gone\n";
  for (int depth = 0; failed && depth < 25; ++depth) {
    out += "\tat com.example.shop.OrderService.place(OrderService.java:" + std::to_string(depth) +
           ")\n";
  }
  return out;
}

void made_up(const char* what, const char* good, std::string (*line)(size_t, Arguments)) {
  constexpr size_t kBytes = 64 << 20;
  constexpr int kRounds = 5;
  std::string log;
  log.reserve(kBytes + 4096);
  uint32_t random = 1;
  for (size_t i = 0; log.size() < kBytes; ++i) {
    random = random * 1664525u + 1013904223u;
    log += line(i, random >> 4);
  }
  Outcome best;
  for (int round = 0; round < kRounds; ++round) {
    const Outcome out = count("/bench.log", good, [&](int64_t offset, char* buffer) {
      const size_t n = std::min(kBuffer, log.size() - static_cast<size_t>(offset));
      std::memcpy(buffer, log.data() + offset, n);
      return n;
    });
    if (round == 0 || out.spent < best.spent) best = out;
  }
  print(what, best);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    made_up("nginx", "status < 500", nginx_line);
    made_up("json", "status < 500", json_line);
    made_up("cri", "status < 500", cri_line);
    made_up("docker", "status < 500", docker_line);
    made_up("plain", "level < 'ERROR'", plain_record);
    return 0;
  }
  const int fd = open(argv[1], O_RDONLY);
  if (fd < 0) return 1;
  const bool read_only = argc > 2;
  print(read_only ? "read" : "count", count(
                                          argv[1], "status < 500",
                                          [fd](int64_t offset, char* buffer) {
                                            const ssize_t n = pread(fd, buffer, kBuffer, offset);
                                            return n > 0 ? static_cast<size_t>(n) : size_t{0};
                                          },
                                          read_only));
  return 0;
}
