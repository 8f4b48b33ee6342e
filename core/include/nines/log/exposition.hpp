// Exposition: the text that Prometheus style endpoints answer with (text format 0.0.4 and
// OpenMetrics 1.0). One pass over bytes that someone else owns; nothing is built, nothing
// allocated after construction, hostile text costs one line at a time.
//
// What is taken: samples with their type (TYPE lines), all escapes of label values, every number
// that Go's ParseFloat knows but hexadecimal ones, time stamps (milliseconds in 0.0.4, seconds in
// OpenMetrics). Exemplars, HELP and UNIT are passed over. Native histograms have no meaning here:
// counted and passed over. A malformed line is counted and passed over too; complete() tells a body
// that was cut.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "nines/base/time.hpp"

namespace nines::log {

enum class MetricType : uint8_t {
  unknown,
  counter,
  gauge,
  histogram,
  gauge_histogram,
  summary,
  info,
  state_set,
};

enum class SampleRole : uint8_t {
  gauge,    // a value as it is, everything that does not only grow
  counter,  // grows until its process begins again; an untyped name that ends in _total is one too
  bucket,   // of a histogram: observations <= le, cumulative
  count,    // of a histogram or summary
  sum,
  created,  // when the series of `family` with these labels began, in seconds since 1970
};

struct ExpositionLabel {
  std::string_view name, value;
};

// Views into the body, or into the reader (unescaped labels): valid until the next next().
struct ExpositionSample {
  std::string_view name;    // as written: "http_requests_total"
  std::string_view family;  // the name without what the role added: "http_requests"
  MetricType type = MetricType::unknown;
  SampleRole role = SampleRole::gauge;
  std::span<const ExpositionLabel> labels;  // no name twice
  double le = 0;                            // bucket: its bound; infinity for +Inf
  std::string_view value;                   // as written; one that parse_metric_number() takes
  std::optional<WallTime> ts;
};

class ExpositionReader {
 public:
  static constexpr size_t kMaxLabels = 64;
  static constexpr size_t kMaxScratch = 16 * 1024;  // unescaped label values of one sample

  struct Counts {
    uint64_t samples = 0, malformed = 0, native_histograms = 0, exemplars = 0;
  };

  // `body` must outlive the reader.
  explicit ExpositionReader(std::string_view body);

  // False at the end.
  bool next(ExpositionSample& out) noexcept;
  const Counts& counts() const noexcept { return counts_; }
  // Position in the body: start of the first line that next() has not looked at.
  size_t offset() const noexcept { return at_; }
  bool open_metrics() const noexcept { return open_metrics_; }
  // False: the body ends within a line. A cut number is another number, so nothing of such a body
  // can be trusted.
  bool complete() const noexcept { return complete_; }

 private:
  enum class Line : uint8_t { sample, none, malformed, native };

  Line read_line(std::string_view line, ExpositionSample& out) noexcept;
  void read_comment(std::string_view line) noexcept;
  bool read_labels(std::string_view& rest) noexcept;
  bool read_label_value(std::string_view& rest, std::string_view& out) noexcept;
  std::optional<SampleRole> role_of(std::string_view suffix) const noexcept;
  bool classify(ExpositionSample& out) const noexcept;
  static bool read_bound(ExpositionSample& out) noexcept;
  bool read_time(std::string_view text, std::optional<WallTime>& out) const noexcept;

  std::string_view body_;
  size_t at_ = 0;
  std::string_view family_;
  MetricType type_ = MetricType::unknown;
  bool open_metrics_ = false, complete_ = false, ended_ = false;
  Counts counts_;
  std::array<ExpositionLabel, kMaxLabels> labels_;
  size_t label_count_ = 0;
  std::unique_ptr<char[]> scratch_;
  size_t scratch_used_ = 0;
};

// "1.5e+09", "NaN", "+Inf", ".5"; nullopt: no number. Beyond the range of a double: infinity or 0.
std::optional<double> parse_metric_number(std::string_view text) noexcept;

// floor(value * 10^scale), exactly, from the digits as written.
struct ScaledCount {
  uint64_t value = 0;
  bool exact = true;  // nothing was cut off
};
// nullopt: negative, not finite, no number, or more than 64 bits.
std::optional<ScaledCount> parse_metric_count(std::string_view text, int scale) noexcept;

}  // namespace nines::log
