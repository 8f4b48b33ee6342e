// Scans: the reading side of a query. Finds the files that a query names, cuts them into parts that
// can be read independently, and turns each part into rows. Shares framing, detection and formats
// with counting and tailing (DESIGN section 3), and disturbs neither: it has no state of its own on
// disk and never moves a position.
//
// The law of splitting holds here as well: the rows of all parts, one behind the other, are the
// rows of the file read in one piece.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nines/base/result.hpp"
#include "nines/base/time.hpp"
#include "nines/query/plan.hpp"
#include "nines/query/row.hpp"

namespace nines::collector {

class BlockIndex;  // nines/collector/block_index.hpp

// Content that is no file: records that another system is asked for, as JSON, one a line. A key
// `_raw` is the record as that system got it.
class ScanContent {
 public:
  virtual ~ScanContent() = default;
  class Reader {
   public:
    virtual ~Reader() = default;
    enum class Read : uint8_t { more, end };
    // Appends whole lines, or none yet. `end`: that was all; problem() says why it is not.
    virtual Read read(std::string& out) = 0;
    virtual const Error* problem() const = 0;
  };
  // Any number of times; `plan` tells what may be left out. The content outlives the reader.
  virtual Result<std::unique_ptr<Reader>> open(const query::ScanPlan& plan) const = 0;
};

struct ScanFile {
  std::string path;     // "-": standard input
  uint32_t index = 0;   // Place::file
  std::string service;  // of the source that names it; else of its container, or its base name
  std::shared_ptr<const ScanContent> content{};  // read instead of `path`, which names it only
};

// The files of a source, sorted by path; `index` counts from `first_index`. Globs, directories (all
// regular files in them that look like logs, rotated and compressed ones included), plain paths.
// A file and its compressed copy are one. Fails (not_found) when nothing is there, or when a path
// without wildcards is not, naming the nearest path that exists. Kind `logs`: those below
// `log_root` whose service or file name matches.
Result<std::vector<ScanFile>> find_files(const query::SourceRef& source, uint32_t first_index,
                                         std::string_view log_root = "/var/log");

struct ScanOptions {
  size_t block_bytes = 128 * 1024;
  size_t part_bytes = 32 * 1024 * 1024;   // files are cut into parts of about this size
  size_t max_record_bytes = 256 * 1024;   // longer ones are cut there and counted
  WallTime now;                           // for time stamps without a year
  int64_t disorder_ns = 300'000'000'000;  // how far from its neighbours a time stamp may lie where
                                          // time ranges are found by bisection
  std::string node;                       // the field of that name
  const BlockIndex* index = nullptr;      // may be null
  bool drop_cache = false;  // advise the kernel that what was read is not needed again
  const std::atomic<bool>* stop = nullptr;  // may be null: waiting for a slow stream ends with it
  int32_t utc_offset_s = 0;                 // for time stamps without a zone
};

struct ScanStats {
  uint64_t bytes_scanned = 0;  // of the content (decompressed)
  uint64_t bytes_skipped = 0;  // not read: outside the time range, or by the block index
  uint64_t bytes_stored = 0;   // read from the disk
  uint64_t records = 0;        // judged; not those without WHERE's literals
  uint64_t malformed = 0;      // among those that were parsed
  uint64_t no_timestamp = 0;
  uint64_t truncated = 0;    // records cut at max_record_bytes
  uint64_t shrunk = 0;       // files that became shorter under the scan
  uint64_t damaged = 0;      // compressed files that are cut or end in garbage
  uint64_t fields_seen = 0;  // bit i: some record that was judged has field i of named_fields()
  bool partly = false;       // some were not judged: without WHERE's literals, or beyond a LIMIT
  void add(const ScanStats& other) noexcept;
};

// The fields that a plan names and a record may lack, at most 64: not those that every record has
// (line, source ...), nor what EXTRACT gives. `level` and `message`, which some clauses read
// without being told, only where WHERE names them.
std::vector<std::string> named_fields(const query::ScanPlan& plan);

// One file, opened and looked at. Immutable after open(): parts of it may be scanned by several
// threads at once, each with its own PartScan.
class FileScan {
 public:
  struct Part {
    int64_t begin = 0, end = 0;  // bytes; records that begin within
  };
  // Detects encoding, wrapping, format and where records begin from the head of the file, unless
  // `source` names the format. Errors: not_found, io (permission: says who may read).
  static Result<std::unique_ptr<FileScan>> open(const ScanFile& file,
                                                const query::SourceRef& source,
                                                const query::ScanPlan& plan,
                                                const ScanOptions& options);
  virtual ~FileScan() = default;
  // In order, without gaps: what the time range and the block index leave of the file. A file that
  // cannot be cut (compressed, standard input) is one part.
  virtual std::vector<Part> parts() const = 0;
  virtual const ScanStats& skipped() const = 0;  // what parts() left out
  virtual std::string explanation() const = 0;   // "json, one record a line; literals: ..."
  // Time of the first record, for the order of files; nothing when it has none.
  virtual std::optional<WallTime> first_time() const = 0;
  // Names of fields that its first records have, for suggestions; none of what is no file. Reads.
  virtual std::vector<std::string> field_names() const = 0;

  class PartScan {
   public:
    virtual ~PartScan() = default;
    enum class Step : uint8_t { more, end };
    // Reads about one block and pushes its rows. Ends early when `out` takes no more. I/O errors
    // and damage end the part; error() says which. Rows up to there have been pushed.
    virtual Step step(query::RowSink& out) = 0;
    virtual const ScanStats& stats() const = 0;
    virtual const Error* error() const = 0;
    virtual int64_t done_bytes() const = 0;  // of the part, for progress
  };
  // The FileScan outlives it.
  virtual Result<std::unique_ptr<PartScan>> scan(const Part& part) const = 0;
};

}  // namespace nines::collector
