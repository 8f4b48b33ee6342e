// Feeds: the rows of all files of a scan, one after the other. Which files there are, in which
// parts they are read, and in which order rows come.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "nines/collector/scan.hpp"
#include "nines/query/plan.hpp"
#include "query/answer.hpp"
#include "query/environment.hpp"

namespace nines::agent::query {

// One way of reading and the files that are read so.
struct FileGroup {
  nines::query::SourceRef source;
  std::vector<collector::ScanFile> files;
};

// What FROM means here: sorted files, numbered through all groups.
Result<std::vector<FileGroup>> find_sources(const nines::query::SourceRef& source,
                                            const Environment& environment);

// Bytes that files hold on the disk, as far as they can be told.
int64_t stored_bytes(const std::vector<FileGroup>& groups);

// Hands out the parts of all files in order, each once; opens a file when its turn comes and lets
// go of it when its last part is done. Thread-safe. Files that cannot be read are told in `answer`
// (guarded by the same lock) and passed over.
class PartQueue {
 public:
  PartQueue(const nines::query::ScanPlan& plan, const Environment& environment,
            std::vector<FileGroup> groups, Answer& answer);
  // Of the files that are opened from now on.
  void set_part_bytes(size_t bytes) { options_.part_bytes = bytes; }

  struct Unit {
    size_t number = 0;  // from 0, without gaps
    std::shared_ptr<const collector::FileScan> file;
    collector::FileScan::Part part;
  };
  std::optional<Unit> next();
  // Adds what a part had to say.
  void add(const collector::FileScan::PartScan& part);
  void tell(std::string why);

 private:
  bool open_next();

  const nines::query::ScanPlan& plan_;
  const Environment& environment_;
  std::vector<FileGroup> groups_;
  Answer& answer_;
  collector::ScanOptions options_;
  std::mutex mutex_;
  size_t group_ = 0, file_ = 0, part_ = 0, number_ = 0;
  std::shared_ptr<const collector::FileScan> open_;
  std::vector<collector::FileScan::Part> parts_;
};

// One thread, step by step.
class Feed {
 public:
  virtual ~Feed() = default;
  // Pushes some rows. False: that was all.
  virtual bool step(nines::query::RowSink& out) = 0;
  // Of the row that is being pushed: what rows of several feeds are merged by, never going back
  // (of a merged feed; elsewhere rows have the order of the files).
  virtual WallTime order() const { return {INT64_MIN}; }
};

// File after file.
std::unique_ptr<Feed> make_serial_feed(PartQueue& parts);
// By time over all files (sessions and sequences across services): rows of several files are merged
// by (ts, place); rows without a time stand behind the one before them in their file. Files that
// begin later are opened later.
std::unique_ptr<Feed> make_merged_feed(const nines::query::ScanPlan& plan,
                                       const Environment& environment,
                                       const std::vector<FileGroup>& groups, Answer& answer);

collector::ScanOptions scan_options(const Environment& environment);

}  // namespace nines::agent::query
