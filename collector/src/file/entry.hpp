// What the tailer knows of one file, and how that is written into a Position.
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "file/decoder.hpp"
#include "file/fs.hpp"
#include "nines/base/time.hpp"
#include "nines/collector/tailer.hpp"

namespace nines::collector {

inline constexpr int64_t kHeadBytes = 1024;
inline constexpr int64_t kTailBytes = 64;

enum class Phase : uint8_t {
  lost,     // known from a saved position or from before it vanished; nowhere to be found now
  suspect,  // may be a copy (still being made) of another file: not read until that is clear
  live,
  done,  // rotated, read to its end and quiet; read again only if it grows
};

// Where the bytes of a file as it was written come from: from itself, or through a decoder.
struct Source {
  int fd = -1;
  Decoder* decoder = nullptr;
  // Bytes read (short only at the end), or -1.
  int64_t read(char* buffer, size_t size, int64_t offset) const;
};

// What is kept besides of a compressed file. All positions and sizes of its entry but these are
// those of the decompressed content.
struct Packed {
  Packing kind = Packing::unknown;  // until it was opened
  int64_t stored = -1;              // size of the file
  int64_t examined = -1;            // `stored` when all of it was decoded to be compared; then:
  int64_t whole = 0;                // its decompressed size,
  uint64_t end_hash = 0;            // hash of its last (up to) 64 bytes,
  Decoder::End end = Decoder::End::open;  // and how it ends
  bool old = false;   // was there before the live file was ever seen: not ours to read
  bool told = false;  // that it is damaged was counted
  std::unique_ptr<Decoder> decoder;
};

struct Entry final : LogStream {
  FileIdentity id;
  std::string where;         // present path of a file that left `path`; empty: it is at `path`
  std::string real;          // what the symbolic link at `path` led to; empty: it was none
  int64_t path_time_ns = 0;  // mtime when it was last seen at `path`: later generations are younger
  int64_t mtime_ns = 0;
  int64_t own_size = 0;  // when its content was last seen to be what we read (for bytes_lost)
  Instant grown{};       // when growth, or a change of its place, was last noticed
  UniqueFd fd;
  std::list<Entry*>::iterator open_place{};
  size_t index = 0;    // in the registry
  uint32_t taken = 0;  // what the consumer took of a piece it did not want whole; 0: all of it
  std::unique_ptr<Packed> packed;  // set: the file is compressed
  int64_t limit = INT64_MAX;       // (reread) where reading ends
  bool whole_at_limit = false;     // (reread) no record was held back there
  Entry* after = nullptr;          // older generation to be read to its end first
  Phase phase = Phase::lost;
  bool awaited = false;     // may be the `after` of another
  bool skip_line = false;   // the rest of a line already consumed in part is passed over
  bool hole = false;        // still within the NULs at its start
  bool saved = false;       // its position was reported (or restored) and must be forgotten
  bool rotated = false;     // no longer the file at `path`
  bool queued = false;      // in the ready queue
  bool declined = false;    // the consumer wants no more of it before the next poll()
  bool parked = false;      // likewise, for a moment
  bool held = false;        // the consumer holds back a record that may go on
  bool throttled = false;   // its source has used up its rate
  bool wide = false;        // the last piece, made small by a rate, held no whole line
  bool heard = false;       // an event told of it since the last scan
  bool seen = false;        // some matching path leads to it (valid during a scan)
  bool gone = false;        // was looked for in vain (phase lost); `grown` says since when
  uint8_t checks_left = 0;  // scans that still look at the content although nothing seems to change
  bool replaced = false;    // its bytes are no longer those we read
  bool vouched = false;     // its inode was opened where links may lead, in this life
  bool changed = false;     // its position is to be reported
  bool announced = false;   // the consumer saw opened()

  const FileIdentity* identity() const noexcept override { return packed ? nullptr : &id; }
  const std::string& place() const noexcept { return where.empty() ? path : where; }
  Source source() const noexcept { return {fd.get(), packed ? packed->decoder.get() : nullptr}; }
  bool waiting() const noexcept { return queued || declined || throttled; }  // to be read on
  int64_t tail_bytes() const noexcept { return offset < kTailBytes ? offset : kTailBytes; }
};

std::string encode_state(const Entry& entry);
// Fills the entry from a state; false: malformed (the entry is then not to be used).
bool decode_state(std::string_view state, Entry& entry);

// The file behind `source` still begins with the remembered head and has the remembered tail. Of a
// compressed file only the head is looked at: its tail is checked when it is read on.
bool same_content(const Source& source, const Entry& entry);
bool same_head(const Source& source, const FileIdentity& id);
bool same_tail(const Source& source, const Entry& entry);
// Remembers as much of the head as there is; false: what was remembered is not there any more.
bool refresh_head(const Source& source, Entry& entry);
bool refresh_head(std::string_view start, Entry& entry);  // from the first bytes of the file
bool refresh_tail(const Source& source, Entry& entry);
// All of `copy` (of that size) is what `original` begins with, judged by its head and its end.
bool is_prefix(const Source& copy, int64_t copy_size, const Source& original);
// The same by the hash of the end of the copy; its head is known to be equal.
bool ends_within(int64_t copy_size, uint64_t end_hash, const Source& original);
std::optional<uint64_t> hash_of_end(const Source& source, int64_t size);

}  // namespace nines::collector
