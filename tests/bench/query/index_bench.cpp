// The block index: what it costs to keep and what it saves.
//
//   index_bench FILE         FILE of query_data; the index is kept in a directory that is deleted
//
// Prints: the cost of reading FILE as the agent does (an availability and a latency SLO) without
// index, with one that is paused, and with one that is kept; its size; and for 100 ids (or
// addresses) spread over the file: what was read, and the time from opening the file to the last
// row, page cache warm.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "nines/collector/block_index.hpp"
#include "nines/collector/index_writer.hpp"
#include "nines/collector/pipeline.hpp"
#include "nines/collector/scan.hpp"
#include "nines/collector/tailer.hpp"

namespace {

using namespace nines;
using namespace nines::collector;

class Now final : public Clock {
 public:
  Instant mono() const noexcept override {
    return {std::chrono::steady_clock::now().time_since_epoch().count()};
  }
  WallTime wall() const noexcept override {
    return {std::chrono::system_clock::now().time_since_epoch().count()};
  }
};

double cpu_seconds() {
  rusage u{};
  getrusage(RUSAGE_SELF, &u);
  return static_cast<double>(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
         1e-6 * static_cast<double>(u.ru_utime.tv_usec + u.ru_stime.tv_usec);
}

slo::SloSpec spec(const char* name, const char* good, const char* value) {
  slo::SloSpec s;
  s.name = name;
  s.target = {999, -3};
  s.indicator.part.where = good;
  s.indicator.value = value;
  s.indicator.kind = *value != '\0' ? slo::SliKind::threshold : slo::SliKind::ratio;
  s.threshold = {500, 0};
  return s;
}

struct Kept {
  double cpu = 0;
  IndexStats stats;
};

// Reads the file to its end as the agent does.
Kept tail(const std::string& path, const std::string& state, int64_t daily_bytes,
          const Clock& clock) {
  const bool indexes = !state.empty();
  Pipeline pipeline({.node = "bench", .marks = indexes}, clock);
  pipeline.add_source({.name = "log", .service = "", .selector = {}, .globs = {}});
  if (!pipeline.add_slo(0, spec("availability", "status < 500", ""), 0, 0).ok()) return {};
  if (!pipeline.add_slo(1, spec("latency", "", "duration_ms"), 0, 0).ok()) return {};
  std::unique_ptr<IndexWriter> writer;
  std::unique_ptr<IndexingConsumer> indexing;
  if (indexes) {
    IndexOptions options;
    options.directory = index_directory(state);
    options.daily_bytes = daily_bytes;
    writer = *IndexWriter::create(options, clock);
    indexing = std::make_unique<IndexingConsumer>(pipeline, *writer, Pipeline::marks);
  }
  RecordConsumer& consumer = indexes ? static_cast<RecordConsumer&>(*indexing) : pipeline;
  std::unique_ptr<Tailer> tailer = *Tailer::create({}, consumer, {}, clock);
  FileSource files;
  files.globs.include = {path};
  tailer->add_source(0, files);
  tailer->rescan();
  const double start = cpu_seconds();
  for (LogStream* file : tailer->files()) {
    while (tailer->read_some(*file, false)) {
    }
  }
  if (writer) writer->flush();
  Kept out;
  out.cpu = cpu_seconds() - start;
  if (writer) out.stats = writer->stats();
  return out;
}

// What a line is looked for by: its request id, or the address in front.
std::string condition_of(const std::string& line) {
  const std::string key = "\"request_id\":\"";
  if (const size_t at = line.find(key); at != std::string::npos) {
    const size_t begin = at + key.size();
    return "request_id = '" + line.substr(begin, line.find('"', begin) - begin) + "'";
  }
  return "remote_addr = '" + line.substr(0, line.find(' ')) + "'";
}

std::vector<std::string> needles(const std::string& path, int64_t size, int64_t count) {
  std::ifstream in(path, std::ios::binary);
  std::vector<std::string> out;
  std::string line;
  for (int64_t i = 0; i < count; ++i) {
    in.seekg(size / count * i);
    std::getline(in, line);
    std::getline(in, line);
    out.push_back(condition_of(line));
  }
  return out;
}

class Rows final : public query::RowSink {
 public:
  bool take(const query::Row& row) override {
    ++count;
    blocks.insert(row.place.at >> 20);
    return true;
  }
  uint64_t count = 0;
  std::set<int64_t> blocks;
};

struct Search {
  double wall_ms = 0, cpu_ms = 0, read_mb = 0;
  uint64_t rows = 0;
  size_t hit = 0;  // blocks with rows
};

Search search(const std::string& path, const std::string& condition, const BlockIndex* index,
              const Clock& clock) {
  const int64_t begin = clock.mono().ns;
  const double cpu = cpu_seconds();
  query::ScanPlan plan;
  plan.fields = {"raw"};
  plan.where = expr::Expression::parse(condition).value();
  ScanOptions options;
  options.now = clock.wall();
  options.index = index;
  ScanFile file;
  file.path = path;
  const std::unique_ptr<FileScan> opened = *FileScan::open(file, {}, plan, options);
  Rows rows;
  Search out;
  for (const FileScan::Part& part : opened->parts()) {
    const std::unique_ptr<FileScan::PartScan> reading = *opened->scan(part);
    while (reading->step(rows) == FileScan::PartScan::Step::more) {
    }
    out.read_mb += 1e-6 * static_cast<double>(reading->stats().bytes_scanned);
  }
  out.cpu_ms = 1e3 * (cpu_seconds() - cpu);
  out.wall_ms = 1e-6 * static_cast<double>(clock.mono().ns - begin);
  out.rows = rows.count;
  out.hit = rows.blocks.size();
  return out;
}

double median(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + static_cast<int64_t>(values.size()) / 2,
                   values.end());
  return values[values.size() / 2];
}

void show_searches(const std::string& path, const std::string& state, int64_t size,
                   const Clock& clock) {
  const BlockIndex index(state);
  std::vector<double> wall, cpu, read;
  uint64_t rows = 0;
  size_t hit = 0;
  double total = 0;
  const auto conditions = needles(path, size, 100);
  for (const std::string& condition : conditions) {
    const Search found = search(path, condition, &index, clock);
    wall.push_back(found.wall_ms);
    cpu.push_back(found.cpu_ms);
    read.push_back(found.read_mb);
    total += found.read_mb;
    rows += found.rows;
    hit += found.hit;
  }
  const auto n = static_cast<double>(conditions.size());
  std::printf("needles          %zu, like %s\n", conditions.size(), conditions.front().c_str());
  std::printf("rows a needle    %.2f in %.2f blocks of 1 MiB\n", static_cast<double>(rows) / n,
              static_cast<double>(hit) / n);
  std::printf("read a needle    median %.2f MB, mean %.2f MB\n", median(read), total / n);
  std::printf("time a needle    median %.2f ms wall, %.2f ms CPU; worst %.2f ms wall\n",
              median(wall), median(cpu), *std::max_element(wall.begin(), wall.end()));
  const Search plain = search(path, conditions[conditions.size() / 2], nullptr, clock);
  std::printf("without index    %.0f ms wall, %.0f ms CPU, %.0f MB read\n", plain.wall_ms,
              plain.cpu_ms, plain.read_mb);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("usage: index_bench FILE\n", stderr);
    return 2;
  }
  const Now clock;
  const std::string path = std::filesystem::absolute(argv[1]).string();
  std::string state = (std::filesystem::temp_directory_path() / "nines-index-XXXXXX").string();
  if (::mkdtemp(state.data()) == nullptr) return 1;
  const auto size = static_cast<int64_t>(std::filesystem::file_size(path));
  const double gb = 1e-9 * static_cast<double>(size);
  double without = 1e9, paused = 1e9, with = 1e9;
  IndexStats stats;
  for (int round = 0; round < 3; ++round) {
    without = std::min(without, tail(path, {}, 0, clock).cpu);
    paused = std::min(paused, tail(path, state, 1, clock).cpu);
    std::filesystem::remove_all(state + "/index");
    const Kept kept = tail(path, state, 0, clock);
    with = std::min(with, kept.cpu);
    stats = kept.stats;
  }
  std::printf("%s, %.3f GB\n", path.c_str(), gb);
  std::printf("counting         %.3f CPU s/GB\n", without / gb);
  std::printf("index paused     %.3f CPU s/GB\n", paused / gb);
  std::printf("and indexing     %.3f CPU s/GB: the index alone %.0f MB/s\n", with / gb,
              1e3 * gb / (with - without));
  std::printf("size             %.2f %% of the log, %llu blocks, %llu of them saturated\n",
              100.0 * static_cast<double>(stats.bytes_written) / static_cast<double>(size),
              static_cast<unsigned long long>(stats.blocks),
              static_cast<unsigned long long>(stats.saturated));
  std::printf("appends          %llu\n", static_cast<unsigned long long>(stats.appends));
  show_searches(path, state, size, clock);
  std::filesystem::remove_all(state);
  return 0;
}
