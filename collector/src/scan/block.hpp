// BlockReader: the content of one part in one buffer, block by block; what was not taken of a block
// stands at the beginning of the next.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include "nines/collector/stream.hpp"
#include "scan/bytes.hpp"

namespace nines::collector {

class BlockReader {
 public:
  struct Limits {
    size_t block_bytes = 0;
    size_t max_record_bytes = 0;
    Encoding encoding = Encoding::bytes;
  };
  // Reads from `begin`; behind `end` only as much as the last record there needs.
  BlockReader(std::unique_ptr<ScanBytes> bytes, const Limits& limits, int64_t begin, int64_t end);

  enum class Fill : uint8_t { more, failed, nothing_yet };
  // Reads on. `failed`: errno says why.
  Fill fill();
  std::string_view data() const noexcept { return {area_ + used_, filled_ - used_}; }
  int64_t offset() const noexcept { return base_ + static_cast<int64_t>(used_); }
  // What the framing may conclude from where data() ends.
  Reading reading() const noexcept {
    if (ended_) return Reading::last;
    return used_ == 0 && filled_ == capacity_ ? Reading::full : Reading::more;
  }
  void take(size_t bytes) noexcept { used_ += bytes; }
  // The rest of a line was cut off: it is passed over by the next fill() calls.
  void skip_line() noexcept { skipping_ = true; }
  bool ended() const noexcept { return ended_; }
  // Where the first line of data() really begins: NULs before it may have been let go.
  int64_t origin(int64_t at) const noexcept {
    return nuls_from_ >= 0 && at == offset() ? nuls_from_ : at;
  }
  int64_t read_to() const noexcept { return base_ + static_cast<int64_t>(filled_); }
  const ScanBytes& bytes() const noexcept { return *bytes_; }

 private:
  static constexpr size_t kBehindEnd = 16 * 1024;  // read at once where only one record is wanted
  // Bytes are copied fastest to where they lie alike: to addresses equal to their place in the
  // file, modulo kAlign, and from whole pages.
  static constexpr size_t kAlign = 64, kPage = 4096;
  void pass_over();
  char* area_for(int64_t base) const noexcept;
  size_t whole_pages(size_t want, int64_t at) const noexcept;

  std::unique_ptr<ScanBytes> bytes_;
  Limits limits_;
  int64_t end_;
  size_t capacity_;
  std::unique_ptr<char[]> buffer_;
  int64_t base_;  // of area_[0]
  char* area_;    // within buffer_
  size_t used_ = 0, filled_ = 0;
  int64_t nuls_from_ = -1;
  bool ended_ = false, skipping_ = false;
};

}  // namespace nines::collector
