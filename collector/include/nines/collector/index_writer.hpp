// The writing side of the block index (block_index.hpp): what passes on its way to be counted is
// noted block by block and kept in one sidecar per log file below STATE/index.
//
// Costs are bounded on all sides:
//   writing   Nothing is flushed: what is lost is read by queries. Blocks are appended when there
//             are append_bytes of them, and at the end of a log. The sum of a day stays below
//             daily_bytes (pages and metadata counted); when that is used up indexing pauses, and
//             says so, until there is enough again. A pause leaves a gap that queries read.
//   disk      max_bytes; the sidecars written longest ago go first, those of logs that are gone
//             at once
//   memory    max_working for the blocks being filled, of all files together (the one fed longest
//             ago is finished early), max_pending for those that wait to be written
//   CPU       0.4 to 0.5 s a GB; while paused nothing
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/stream.hpp"

namespace nines::collector {

struct IndexOptions {
  std::string directory;                  // index_directory(); made when it is not there
  int64_t max_bytes = 64 * 1024 * 1024;   // of all sidecars
  int64_t daily_bytes = 7 * 1024 * 1024;  // written in 24 hours; 0: as much as there is
  size_t block_bytes = 1024 * 1024;
  size_t append_bytes = 64 * 1024;
  size_t max_working = 2 * 1024 * 1024;
  size_t max_pending = 512 * 1024;
};

struct IndexStats {
  uint64_t blocks = 0, saturated = 0;  // saturated: with too many tokens to tell any
  uint64_t appends = 0, bytes_written = 0;
  uint64_t pauses = 0;  // times that the day's bytes were used up
  uint64_t bytes_indexed = 0;
  uint64_t bytes_passed = 0;  // of logs, while paused or of blocks given up
  uint64_t evicted = 0;       // sidecars deleted to make room
  bool paused = false;
  int64_t disk_bytes = 0;
  std::string trouble;  // the last, with its reason
};

// Used by one thread. Writes what is worth it when destroyed.
class IndexWriter {
 public:
  static Result<std::unique_ptr<IndexWriter>> create(IndexOptions options, const Clock& clock);
  ~IndexWriter();

  void opened(const LogStream& stream);
  // Was taken of `stream` at `offset`: whole lines, unless `mid_line`.
  void feed(const LogStream& stream, int64_t offset, std::string_view taken, bool mid_line,
            const RecordMarks& marks);
  void closed(const LogStream& stream);
  // Writes everything that waits, and blocks that are not full yet.
  void flush();

  const IndexStats& stats() const noexcept;

 private:
  struct Impl;
  explicit IndexWriter(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Hands everything on to `inner` and what that took to the index.
class IndexingConsumer final : public RecordConsumer {
 public:
  // `marks` tells of what was taken last; may be empty. All of them outlive it.
  using Marks = std::function<RecordMarks(const LogStream&)>;
  IndexingConsumer(RecordConsumer& inner, IndexWriter& index, Marks marks)
      : inner_(inner), index_(index), marks_(std::move(marks)) {}

  Taken consume(LogStream& stream, std::string_view data, Reading how) override;
  void opened(LogStream& stream) override;
  void closed(LogStream& stream) override;

 private:
  RecordConsumer& inner_;
  IndexWriter& index_;
  Marks marks_;
};

}  // namespace nines::collector
