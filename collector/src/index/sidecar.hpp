// Sidecars: the index of one log file on the disk, appended to and never changed.
//
//   header  "NINESIDX", version, rules of tokens, device, inode, hash of the first 1 KiB, the path
//           that the log had, CRC-32C
//   blocks  length, CRC-32C of the rest, where the block begins and ends in the log, hash of its
//           last bytes, what is known of its records, Bloom filter
//
// All numbers little-endian. Nothing is flushed: after a loss of power the end may be missing or
// garbage, and what is found damaged ends the file (the log behind it is read as if there were no
// index). Nothing of this is trusted before its checksum was seen to be right, and no block is used
// before the log was seen to have the bytes that it was made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "file/fs.hpp"

namespace nines::collector {

// Which content an index is of: the file it is in, and its first 1 KiB.
struct SidecarId {
  uint64_t device = 0, inode = 0, head_hash = 0;
  bool operator==(const SidecarId&) const = default;
};
// Where the sidecar is, within the directory.
std::string sidecar_name(const SidecarId& id);
inline constexpr std::string_view kSidecarSuffix = ".blocks";
// Of an open file; nothing when it is shorter than 1 KiB or cannot be read.
std::optional<SidecarId> sidecar_id_of(int fd);

struct BlockEntry {
  enum Flag : uint32_t {
    kAny = 1,            // what is in it is not known: to be read always
    kUnicode = 2,        // there are \u escapes
    kSlash = 4,          // there are \/ escapes
    kPieces = 8,         // of a container's lines
    kSaturated = 16,     // too many tokens: no filter
    kBlobs = 32,         // tokens that are too long to be known
    kKnownRecords = 64,  // `reading` and what follows it is known
  };
  int64_t begin = 0, end = 0;  // in the content of the log: where records begin
  uint64_t end_hash = 0;       // of the kEndBytes before `end`
  uint32_t flags = 0;
  uint64_t reading = 0;  // how records were told from each other and read
  uint8_t levels = 0;    // bit i: records of Level i; bit 7: without level
  int64_t min_ts = INT64_MAX, max_ts = INT64_MIN;  // of records that have a time
  uint32_t buckets = 0;                            // of the filter
};
inline constexpr int64_t kEndBytes = 256;
inline constexpr uint32_t kMaxBuckets = 512;  // 16 KiB: 1.6 % of a block
inline constexpr size_t kBlockHeaderBytes = 80;
inline constexpr size_t kMaxRecordBytes = kBlockHeaderBytes + kMaxBuckets * 32;

// Hash of the bytes before `end`; nothing when they are not there.
std::optional<uint64_t> hash_before(int fd, int64_t end);

std::string encode_header(const SidecarId& id, std::string_view path);
void append_block(std::string& out, const BlockEntry& block, std::span<const uint32_t> filter);

// Reads a sidecar from front to back.
class SidecarReader {
 public:
  // Nothing: not readable, damaged, of another version or of other token rules.
  static std::optional<SidecarReader> open(const std::string& path);

  const SidecarId& id() const noexcept { return id_; }
  const std::string& log_path() const noexcept { return log_path_; }
  // The next block. False: the end, or damage.
  bool next(BlockEntry& block);
  // Of the block just read; dies with the next.
  const char* filter() const noexcept { return filter_; }
  int64_t offset() const noexcept { return base_ + static_cast<int64_t>(used_); }

 private:
  bool fill(size_t want, size_t at_once);

  UniqueFd fd_;
  SidecarId id_;
  std::string log_path_;
  std::unique_ptr<char[]> buffer_;
  size_t used_ = 0, filled_ = 0;
  int64_t base_ = 0;  // of buffer_[0]
  const char* filter_ = nullptr;
};

}  // namespace nines::collector
