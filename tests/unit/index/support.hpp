// A log in a file, followed by a tailer that indexes it, and scans of it with and without index.
#pragma once

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nines/collector/block_index.hpp"
#include "nines/collector/index_writer.hpp"
#include "nines/collector/pipeline.hpp"
#include "nines/collector/scan.hpp"
#include "nines/collector/tailer.hpp"

namespace nines::collector::test {

class StillClock final : public Clock {
 public:
  Instant mono() const noexcept override { return {now_ns}; }
  WallTime wall() const noexcept override { return {1'800'000'000'000'000'000 + now_ns}; }
  int64_t now_ns = 1'000'000'000;
};

class Place {
 public:
  Place() {
    std::string name = (std::filesystem::temp_directory_path() / "nines-index-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
    std::filesystem::create_directory(path_ / "state");
    std::filesystem::create_directory(path_ / "logs");
  }
  ~Place() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  std::string state() const { return (path_ / "state").string(); }
  std::string log(const std::string& name = "app.log") const {
    return (path_ / "logs" / name).string();
  }
  std::vector<std::string> sidecars() const {
    std::vector<std::string> out;
    const auto directory = path_ / "state" / "index";
    if (!std::filesystem::exists(directory)) return out;
    for (const auto& item : std::filesystem::directory_iterator(directory)) {
      out.push_back(item.path().string());
    }
    return out;
  }

 private:
  std::filesystem::path path_;
};

inline void append(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::app | std::ios::binary);
  out << text;
}

inline IndexOptions small_blocks(const Place& place) {
  IndexOptions options;
  options.directory = index_directory(place.state());
  options.daily_bytes = 0;
  options.block_bytes = 64 * 1024;
  options.append_bytes = 1024;
  return options;
}

// One life of an agent. Positions of an earlier one may be given.
class Agent {
 public:
  Agent(const Place& place, IndexOptions options, const Clock& clock,
        std::vector<slo::Position> saved = {}, const std::string& glob = "*.log")
      : pipeline_({.node = "n", .marks = true}, clock),
        writer_(*IndexWriter::create(std::move(options), clock)),
        indexing_(pipeline_, *writer_, Pipeline::marks) {
    TailerOptions tailer;
    tailer.use_inotify = false;
    tailer.buffer_bytes = 32 * 1024;
    tailer_ = *Tailer::create(tailer, indexing_, std::move(saved), clock);
    SourcePlan plan;
    plan.name = "logs";
    pipeline_.add_source(plan);
    FileSource files;
    files.globs.include = {place.log(glob)};
    tailer_->add_source(0, files);
  }
  void read() {
    tailer_->rescan();
    while (tailer_->poll(0, 1 << 20)) {
    }
    tailer_->rescan();
    while (tailer_->poll(0, 1 << 20)) {
    }
  }
  std::vector<slo::Position> positions() {
    std::vector<slo::Position> out;
    tailer_->take_positions(out);
    return out;
  }
  IndexWriter& index() { return *writer_; }

 private:
  Pipeline pipeline_;
  std::unique_ptr<IndexWriter> writer_;
  IndexingConsumer indexing_;
  std::unique_ptr<Tailer> tailer_;
};

struct Found {
  std::vector<std::string> rows;  // place and raw
  uint64_t skipped = 0;
  std::string explanation;
};

class RowKeeper final : public query::RowSink {
 public:
  explicit RowKeeper(std::vector<std::string>& rows) : rows_(rows) {}
  bool take(const query::Row& row) override {
    rows_.push_back(std::to_string(row.place.at) + " " + std::string(row.values[0].text));
    return true;
  }

 private:
  std::vector<std::string>& rows_;
};

inline Found scan(const std::string& path, const query::ScanPlan& wanted, const BlockIndex* index,
                  WallTime now) {
  query::ScanPlan plan = wanted;
  plan.fields = {"raw"};
  ScanOptions options;
  options.now = now;
  options.index = index;
  options.block_bytes = 32 * 1024;
  Found out;
  ScanFile file;
  file.path = path;
  const auto opened = FileScan::open(file, {}, plan, options);
  if (!opened.ok()) throw std::runtime_error(opened.error().message);
  RowKeeper keeper(out.rows);
  for (const FileScan::Part& part : (*opened)->parts()) {
    const auto reading = (*opened)->scan(part);
    while ((*reading)->step(keeper) == FileScan::PartScan::Step::more) {
    }
  }
  out.skipped = (*opened)->skipped().bytes_skipped;
  out.explanation = (*opened)->explanation();
  return out;
}

inline query::ScanPlan where(const std::string& text) {
  query::ScanPlan plan;
  plan.where = expr::Expression::parse(text).value();
  return plan;
}

}  // namespace nines::collector::test
