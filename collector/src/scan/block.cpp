#include "scan/block.hpp"

#include <algorithm>
#include <cstring>

#include "nines/collector/joining.hpp"
#include "nines/collector/lines.hpp"

namespace nines::collector {

// A joined record, and the longest line behind it, always have room: only then do the records not
// depend on how much is read at once.
BlockReader::BlockReader(std::unique_ptr<ScanBytes> bytes, const Limits& limits, int64_t begin,
                         int64_t end)
    : bytes_(std::move(bytes)),
      limits_(limits),
      end_(end),
      capacity_(std::max<size_t>(limits.block_bytes, 1) + limits.max_record_bytes +
                JoinRule{}.max_bytes + 64),
      buffer_(new char[capacity_]),
      base_(begin) {}

BlockReader::Fill BlockReader::fill() {
  const size_t left = filled_ - used_;
  if (used_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + used_, left);
    base_ += static_cast<int64_t>(used_);
    used_ = 0;
    filled_ = left;
    nuls_from_ = -1;
  }
  const int64_t at = base_ + static_cast<int64_t>(filled_);
  size_t want = std::min(std::max<size_t>(limits_.block_bytes, 1), capacity_ - filled_);
  if (at < end_) {
    want = static_cast<size_t>(std::min(static_cast<int64_t>(want), end_ - at));
  } else {
    want = std::min(want, kBehindEnd);
  }
  const int64_t got = want == 0 ? 0 : bytes_->read(buffer_.get() + filled_, want, at);
  if (got == ScanBytes::kFailed) return Fill::failed;
  if (got == ScanBytes::kNothingYet) return Fill::nothing_yet;
  if (got == 0 && want > 0) ended_ = true;
  filled_ += static_cast<size_t>(got);
  pass_over();
  return Fill::more;
}

// The rest of a line that was cut, and NULs at the start of one that are more than the buffer.
void BlockReader::pass_over() {
  if (skipping_) {
    const size_t behind = next_line(data(), limits_.encoding, offset());
    if (behind != std::string_view::npos) {
      take(behind);
      skipping_ = false;
    } else {
      const bool half = limits_.encoding != Encoding::bytes && !ended_ && filled_ > used_;
      used_ = half ? filled_ - 1 : filled_;
    }
    return;
  }
  const bool full = used_ == 0 && filled_ == capacity_ && !ended_;
  if (!full || limits_.encoding != Encoding::bytes || buffer_[0] != '\0') return;
  const std::string_view all = data();
  const size_t nuls = std::min(all.find_first_not_of('\0'), all.size());
  const int64_t from = nuls_from_ >= 0 ? nuls_from_ : base_;
  std::memmove(buffer_.get(), buffer_.get() + nuls, filled_ - nuls);
  base_ += static_cast<int64_t>(nuls);
  filled_ -= nuls;
  nuls_from_ = from;
}

}  // namespace nines::collector
