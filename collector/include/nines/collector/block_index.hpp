// BlockIndex: what the agent noted of logs while it tailed them (index_writer.hpp), asked by a scan
// before it reads: which parts of a file can hold what a query wants? One request id in a gigabyte
// is then a matter of reading the blocks that have it.
//
// For each block of about 1 MiB of content there is a Bloom filter of its tokens, the levels of its
// records and the times between which they lie.
//
// The law: a record that would match is never left out. Whatever is not known for certain (not
// indexed, damaged, of a file that has changed) is to be read. That a block was made of the bytes
// that are there now is checked by device, inode, the first 1 KiB and samples of the ends of
// blocks; only a file that was rewritten in place with equal bytes at all of these goes unnoticed.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"
#include "nines/collector/framing.hpp"
#include "nines/log/format.hpp"
#include "nines/query/search.hpp"

namespace nines::collector {

// How a file's records are told from each other and read. Times and levels in the index are used
// only by who reads the file in the same way as who noted them.
uint64_t reading_of(const log::FormatSpec& format, Wrapping wrapping, JoinRule::By joined_by,
                    std::string_view start_pattern, int32_t utc_offset_s);

// Thread-safe: it has no state but the name of its directory.
class BlockIndex {
 public:
  struct Range {
    int64_t begin = 0, end = 0;
    bool operator==(const Range&) const = default;
  };

  static constexpr uint8_t kAllLevels = 0xff;
  static constexpr uint8_t kNoLevel = 0x80;  // bit of records without one; else 1 << Level

  // What all records wanted have in common.
  struct Question {
    std::span<const query::LiteralSet> literals;  // of the bytes of the file
    std::optional<WallTime> since, until;         // [since, until)
    uint8_t levels = kAllLevels;
    uint64_t reading = 0;  // reading_of(); 0: times and levels are of no use
    WallTime now;
    bool wrapped = false;  // container logs: records in pieces must not be cut apart
    // How far behind its first byte a record may go on beyond its first line; 0: it does not.
    int64_t reach = 0;
  };
  struct Answer {
    // In order, apart from each other: what is worth reading before `indexed_end`. Each begins
    // where a line does.
    std::vector<Range> worth;
    int64_t indexed_end = 0;  // all that is behind is to be read
    int64_t bytes_skipped = 0;
    uint64_t blocks = 0, blocks_worth = 0;
  };

  // Of the agent with this state directory.
  explicit BlockIndex(const std::string& state_directory);

  // Nothing: there is nothing to be left out, as far as is known. `file` is open for reading and
  // not compressed; its descriptor is read by offset.
  std::optional<Answer> ask(int file, const Question& question) const;

 private:
  std::string directory_;
};

// Where the index of an agent is.
std::string index_directory(const std::string& state_directory);

}  // namespace nines::collector
