// FileFormat: what is known of one stream's way of writing: encoding, the container runtime's
// wrapping, format, where records begin, and what is open of them. Detected from the first lines,
// kept with the position.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "nines/collector/framing.hpp"
#include "nines/log/format.hpp"
#include "nines/slo/spec.hpp"

namespace nines::collector {

class FileFormat {
 public:
  explicit FileFormat(size_t max_record_bytes)
      : framer_(max_record_bytes), max_record_bytes_(max_record_bytes) {}

  // Decides from the lines at the start of `block` (all of it when it is the last, or one cut line)
  // and sets stream.encoding. A fixed format in `selector` wins over detection; encoding and
  // wrapping are always found by looking. False: no whole line yet, or a second look found nothing
  // better.
  bool detect(LogStream& stream, std::string_view block, Reading how,
              const slo::SourceSelector& selector);

  bool known() const noexcept { return known_; }
  bool matched() const noexcept { return matched_; }  // false: no format fits
  Wrapping wrapping() const noexcept { return wrapping_; }
  const log::FormatSpec& format() const noexcept { return format_; }
  const std::string& explanation() const noexcept { return explanation_; }
  std::string name() const;  // "cri+json"

  Framer& framer() noexcept { return framer_; }
  JoinRule join_rule(const slo::SourceSelector& selector, const log::LineParser& parser,
                     const log::StartPattern* pattern) const noexcept;
  FrameInput input(const LogStream& stream, std::string_view data, Reading how,
                   FrameScratch& scratch) const noexcept;

  // Lines in a row that did not match ask for another look: a file may change its format.
  void count_match(bool matched) noexcept { misses_ = matched ? 0 : misses_ + 1; }
  bool wants_detection() const noexcept {
    return !known_ || unjudged_ || misses_ >= kRedetectAfter;
  }

  // Whether stream.extra must be written anew.
  bool changed() const noexcept { return framer_.changed(); }
  std::string save(const LogStream& stream);
  void restore(LogStream& stream, const slo::SourceSelector& selector);

 private:
  static constexpr uint64_t kRedetectAfter = 32;
  struct Sample;
  void judge_leads(const Sample& sample);
  bool restore_v1(std::string_view saved, const slo::SourceSelector& selector);
  bool restore_v2(LogStream& stream, std::string_view saved, const slo::SourceSelector& selector);
  bool fits_configuration(const slo::SourceSelector& selector);

  Framer framer_;
  size_t max_record_bytes_;
  log::FormatSpec format_;
  std::string explanation_;
  uint64_t misses_ = 0;
  Wrapping wrapping_ = Wrapping::none;
  bool known_ = false, matched_ = false;
  bool leads_ = false;     // records begin where LineParser::leads() says
  bool unjudged_ = false;  // restored from a state that did not say so
};

}  // namespace nines::collector
