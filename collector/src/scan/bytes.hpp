// Where the bytes of a scan come from: a file read by offset, one decompressed on the way, or a
// stream that can be read once.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "file/decoder.hpp"
#include "nines/base/result.hpp"

namespace nines::collector {

// Not thread-safe; the descriptor is not owned and may be shared by several.
class ScanBytes {
 public:
  static constexpr int64_t kFailed = -1;      // errno says why
  static constexpr int64_t kNothingYet = -2;  // ask again
  virtual ~ScanBytes() = default;
  // Bytes of the content from `offset` on, which only grows from call to call; 0: it ends here.
  virtual int64_t read(char* buffer, size_t size, int64_t offset) = 0;
  virtual int64_t stored_bytes() const noexcept = 0;  // read from the disk so far
  // Why what is packed could not be unpacked to its end; empty: it could.
  virtual std::string_view damage() const noexcept { return {}; }
  // Why the content ended before its end, when errno cannot tell.
  virtual const Error* problem() const noexcept { return nullptr; }
};

// The first `size` bytes and no more: what is written meanwhile belongs to the next query.
// `drop_cache`: what was read is given back to the kernel.
std::unique_ptr<ScanBytes> plain_bytes(int fd, int64_t size, bool drop_cache);
// nullptr: there is no such packing.
std::unique_ptr<ScanBytes> packed_bytes(int fd, Packing packing, bool drop_cache);
// `head`: what has been read of it already. Waits at most a moment for more.
std::unique_ptr<ScanBytes> stream_bytes(int fd, std::string head);

// `content` outlives it.
std::unique_ptr<ScanBytes> memory_bytes(std::string_view content);

// Reads until `head` holds `size` bytes, the stream ends, pauses behind a line, or `stop` (may be
// null) is set. False: errno says why.
bool read_stream_head(int fd, size_t size, const std::atomic<bool>* stop, std::string& head,
                      bool& ended);

}  // namespace nines::collector
