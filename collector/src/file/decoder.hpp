// Decompression of rotated logs: a gzip file (any number of members) or a zstd file (any number of
// frames) read as if it were not compressed. Streaming and bounded: the codec's window (zstd: at
// most 8 MiB, beyond it is refused), one block of input, and of the output what the last read asked
// for. Reading backwards starts again from the front.
//
// Why gzip is zlib: ISA-L decodes 2.3 times as fast (1,641 against 722 MB/s of JSON lines, CPU time
// of one x86-64 core), but Debian 12's libisal-dev holds a shared library only, and what we ship
// links its dependencies statically.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace nines::collector {

enum class Packing : uint8_t { none, gzip, zstd, unknown /* too short yet to tell */ };

// By the first bytes of the file, whatever it is called.
Packing packing_of(int fd) noexcept;

// How long the decompressed content probably is (exact for what gzip and zstd write for a whole
// file of less than 4 GiB); -1: not known.
int64_t unpacked_size_hint(int fd, Packing packing, int64_t stored_size) noexcept;

class Decoder {
 public:
  enum class End : uint8_t {
    open,      // there is more to decode
    starved,   // the file ends within a frame: it is still being written, or was cut
    complete,  // the file ends behind a frame with a valid check sum
    damaged,   // nothing behind this can be decoded
    refused,   // wants a larger window than we grant
  };

  static std::unique_ptr<Decoder> create(Packing packing);
  virtual ~Decoder() = default;

  // Decoded bytes from `offset` on (fewer only at the end), out of the same file each time.
  int64_t read_at(int fd, char* buffer, size_t size, int64_t offset);
  End end() const noexcept { return end_; }
  int64_t produced() const noexcept { return base_ + static_cast<int64_t>(kept_.size()); }
  int64_t consumed() const noexcept { return read_to_; }  // read of the compressed file
  size_t memory_bytes() const noexcept { return codec_bytes() + kept_.capacity() + kBlock; }

 protected:
  static constexpr size_t kBlock = 32 * 1024;
  virtual void reset() = 0;
  // Decodes some of `in` (removing it from the front) to `out`; returns the bytes written.
  virtual size_t decode(std::string_view& in, char* out, size_t size) = 0;
  virtual size_t codec_bytes() const noexcept = 0;
  End end_ = End::open;
  bool within_ = false;  // a frame was begun and not ended

 private:
  bool step(int fd, int64_t keep_from);
  bool refill(int fd);
  void start_again();

  std::string kept_;  // decoded bytes [base_, base_ + kept_.size())
  int64_t base_ = 0;
  std::unique_ptr<char[]> input_{new char[kBlock]};
  std::string_view pending_;  // of input_, not decoded yet
  int64_t read_to_ = 0;       // of the compressed file
};

}  // namespace nines::collector
