// FileFormat: what is known of one file's way of writing: format, CRI wrapping and the open pieces
// of joined records. Detected from the first lines, kept with the file's position.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "nines/log/cri.hpp"
#include "nines/log/format.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

class FileFormat {
 public:
  explicit FileFormat(size_t max_record_bytes) : max_record_bytes_(max_record_bytes) {}

  // Decides from the lines at the start of `block` (all of it when `last`). A fixed format in
  // `selector` wins over detection; CRI wrapping is always found by looking. False: no whole line
  // yet, or a second look found nothing better.
  bool detect(std::string_view block, bool last, const slo::SourceSelector& selector);

  bool known() const noexcept { return known_; }
  bool matched() const noexcept { return matched_; }  // false: no format fits
  bool cri() const noexcept { return joiner_ != nullptr; }
  const log::FormatSpec& format() const noexcept { return format_; }
  log::CriJoiner* joiner() noexcept { return joiner_.get(); }
  const std::string& explanation() const noexcept { return explanation_; }

  // Lines in a row that did not match ask for another look: a file may change its format.
  void count_match(bool matched) noexcept { misses_ = matched ? 0 : misses_ + 1; }
  bool wants_detection() const noexcept { return !known_ || misses_ >= kRedetectAfter; }

  // Kept with the position: a letter for the format, C for CRI, then the open pieces.
  std::string save() const;
  void restore(std::string_view saved, const slo::SourceSelector& selector);

 private:
  static constexpr uint64_t kRedetectAfter = 32;
  void set(const log::FormatSpec& format, bool cri);

  size_t max_record_bytes_;
  log::FormatSpec format_;
  std::unique_ptr<log::CriJoiner> joiner_;
  std::string explanation_;
  uint64_t misses_ = 0;
  bool known_ = false, matched_ = false;
};

}  // namespace nines::collector
