// What a scan costs in CPU seconds (user and system), by the bytes of the file.
//
//   scan_bench FILE 'level,service' ["message LIKE '%timeout%'"] [--since EPOCH]
//              [--context N] [--time] [--block BYTES]
//
// Runs three times and prints the best; the rows are counted and thrown away.
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "nines/collector/scan.hpp"

namespace {

using namespace nines;

class Counter final : public query::RowSink {
 public:
  bool take(const query::Row&) override {
    ++rows;
    return true;
  }
  uint64_t rows = 0;
};

double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

[[noreturn]] void fail(const std::string& message) {
  std::fprintf(stderr, "scan_bench: %s\n", message.c_str());
  std::exit(2);
}

template <class T>
T require(Result<T> result) {
  if (!result.ok()) fail(result.error().message);
  return std::move(*result);
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    out.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return out;
}

struct Run {
  double seconds = 0;
  uint64_t rows = 0;
  collector::ScanStats stats;
  std::string explanation;
};

Run run(const std::string& path, const query::ScanPlan& plan, size_t block_bytes) {
  Run out;
  const double from = cpu_seconds();
  query::SourceRef source;
  source.names = {path};
  const auto files = require(collector::find_files(source, 0));
  collector::ScanOptions options;
  options.now = WallTime::from_s(1'795'225'000);
  if (block_bytes > 0) options.block_bytes = block_bytes;
  Counter counter;
  for (const collector::ScanFile& file : files) {
    const auto opened = require(collector::FileScan::open(file, source, plan, options));
    out.explanation = opened->explanation();
    out.stats.add(opened->skipped());
    for (const auto& part : opened->parts()) {
      const auto scan = require(opened->scan(part));
      while (scan->step(counter) == collector::FileScan::PartScan::Step::more) {
      }
      out.stats.add(scan->stats());
    }
  }
  out.rows = counter.rows;
  out.seconds = cpu_seconds() - from;
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) fail("FILE FIELDS [WHERE] [--context N] [--since EPOCH] [--time] [--block BYTES]");
  query::ScanPlan plan;
  plan.fields = split(argv[2]);
  size_t block_bytes = 0;
  for (int i = 3; i < argc; ++i) {
    const std::string_view arg = argv[i];
    if (arg == "--time") {
      plan.needs_time = true;
    } else if (arg == "--block" && i + 1 < argc) {
      block_bytes = static_cast<size_t>(std::atoll(argv[++i]));
    } else if (arg == "--context" && i + 1 < argc) {
      const auto n = static_cast<uint32_t>(std::atoi(argv[++i]));
      plan.context = query::ContextSpec{n, n, {}, {}};
    } else if (arg == "--since" && i + 1 < argc) {
      plan.since = WallTime::from_s(std::atoll(argv[++i]));
    } else {
      plan.where = require(expr::Expression::parse(arg));
    }
  }
  Run best;
  for (int round = 0; round < 3; ++round) {
    const Run one = run(argv[1], plan, block_bytes);
    if (round == 0 || one.seconds < best.seconds) best = one;
  }
  const double bytes = static_cast<double>(best.stats.bytes_scanned + best.stats.bytes_skipped);
  std::printf("%8.0f MB/s  %.3f CPU-s  %llu rows  %llu records  %llu MB skipped  (%s)\n",
              bytes / best.seconds / 1e6, best.seconds, static_cast<unsigned long long>(best.rows),
              static_cast<unsigned long long>(best.stats.records),
              static_cast<unsigned long long>(best.stats.bytes_skipped >> 20),
              best.explanation.c_str());
  return 0;
}
