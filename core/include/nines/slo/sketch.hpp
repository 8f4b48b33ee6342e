// Quantile sketch (DDSketch): logarithmic bins whose representative is at most 1 % away from any
// value in them. Integer counts only, so that merging in any order gives the same bits; the index
// comes from + - * on IEEE doubles and their bits, never from libm, so it is the same on every
// machine.
//
// Values lie in (1e-6, 1e8): 1 us..1e5 s whether the SLI's unit is s or ms. Positive values outside
// fall into the outermost bins; zero, negative and NaN share bin 0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace nines::slo {

inline constexpr double kSketchAlpha = 0.01;
inline constexpr double kSketchMin = 1e-6;
inline constexpr double kSketchMax = 1e8;

namespace sketch_detail {
// Cubic interpolation of log2 between powers of two; its slope against log2 is least at them, 10/7
// ln 2, which sets the multiplier: 7 / (10 ln gamma), gamma = (1 + alpha) / (1 - alpha).
inline constexpr double kA = 6.0 / 35, kB = -3.0 / 5, kC = 10.0 / 7;
inline constexpr double kMultiplier = 7.0 / (10.0 * 0.020000666706669435);

constexpr double scaled_log(double v) noexcept {
  const auto bits = std::bit_cast<uint64_t>(v);
  const auto exponent = static_cast<int>(bits >> 52) - 1023;
  const double s =
      std::bit_cast<double>((bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL) - 1;
  return (((kA * s + kB) * s + kC) * s + exponent) * kMultiplier;
}
inline constexpr int kFirst =
    static_cast<int>(scaled_log(kSketchMin)) - 1;  // floored: it is negative
}  // namespace sketch_detail

inline constexpr uint16_t kSketchBins = static_cast<uint16_t>(
    static_cast<int>(sketch_detail::scaled_log(kSketchMax)) - sketch_detail::kFirst + 2);

constexpr uint16_t sketch_index(double v) noexcept {
  if (!(v > 0)) return 0;
  if (v <= kSketchMin) return 1;
  if (v >= kSketchMax) return kSketchBins - 1;
  return static_cast<uint16_t>(sketch_detail::scaled_log(v) - sketch_detail::kFirst + 1);
}

// The value that stands for a bin: 0 for bin 0. REQUIRES bin < kSketchBins.
double sketch_value(uint16_t bin) noexcept;

// The value that stands for all whose scaled_log() lies in [scaled, scaled + 1), for bins over
// another range.
double sketch_bin_centre(int scaled) noexcept;

class Sketch {
 public:
  // Bins beyond kSketchBins (a corrupt input) count in the last. A bin stops at UINT32_MAX.
  void add(uint16_t bin, uint32_t count = 1);
  void merge(const Sketch& other);
  void clear() noexcept;  // gives the memory back

  uint64_t count() const noexcept { return count_; }
  // Nearest rank: the ceil(count * permille / 1000)-th smallest value; nullopt when empty.
  // REQUIRES permille <= 1000.
  std::optional<double> quantile(uint32_t permille) const noexcept;
  size_t memory_bytes() const noexcept { return bins_.capacity() * sizeof(uint32_t); }
  uint32_t at(uint16_t bin) const noexcept;

 private:
  void reserve_bin(size_t bin);

  std::vector<uint32_t> bins_;  // dense over the used range, bins_[0] is bin first_
  size_t first_ = 0;
  uint64_t count_ = 0;  // sum of bins_
};

}  // namespace nines::slo
