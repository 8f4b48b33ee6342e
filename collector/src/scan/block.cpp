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
      buffer_(new char[capacity_ + 2 * kAlign]),
      base_(begin),
      area_(area_for(begin)) {}

char* BlockReader::area_for(int64_t base) const noexcept {
  const auto begin = reinterpret_cast<uintptr_t>(buffer_.get());
  const size_t to_aligned = static_cast<size_t>(-begin) & (kAlign - 1);
  return buffer_.get() + to_aligned + (static_cast<size_t>(base) & (kAlign - 1));
}

size_t BlockReader::whole_pages(size_t want, int64_t at) const noexcept {
  const size_t beyond = static_cast<size_t>((at + static_cast<int64_t>(want)) & (kPage - 1));
  return want >= 2 * kPage ? want - beyond : want;
}

BlockReader::Fill BlockReader::fill() {
  const size_t left = filled_ - used_;
  if (used_ > 0) {
    base_ += static_cast<int64_t>(used_);
    char* const area = area_for(base_);
    std::memmove(area, area_ + used_, left);
    area_ = area;
    used_ = 0;
    filled_ = left;
    nuls_from_ = -1;
  }
  const int64_t at = base_ + static_cast<int64_t>(filled_);
  size_t want = std::min(std::max<size_t>(limits_.block_bytes, 1), capacity_ - filled_);
  if (at < end_) {
    want = whole_pages(static_cast<size_t>(std::min(static_cast<int64_t>(want), end_ - at)), at);
  } else {
    want = std::min(want, kBehindEnd);
  }
  const int64_t got = want == 0 ? 0 : bytes_->read(area_ + filled_, want, at);
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
  if (!full || limits_.encoding != Encoding::bytes || area_[0] != '\0') return;
  const std::string_view all = data();
  const size_t nuls = std::min(all.find_first_not_of('\0'), all.size());
  const int64_t from = nuls_from_ >= 0 ? nuls_from_ : base_;
  std::memmove(area_, area_ + nuls, filled_ - nuls);
  base_ += static_cast<int64_t>(nuls);
  filled_ -= nuls;
  nuls_from_ = from;
}

}  // namespace nines::collector
