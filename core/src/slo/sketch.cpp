#include "nines/slo/sketch.hpp"

#include <algorithm>
#include <limits>

#include "nines/base/contract.hpp"

namespace nines::slo {
namespace {

double times_power_of_two(double v, int power) noexcept {
  for (; power > 0; --power) v *= 2;
  for (; power < 0; ++power) v /= 2;
  return v;
}

// Inverse of scaled_log: Newton on the cubic, whose slope lies within [1.3, 1.75]..[0.7, 0.75].
double unscaled(double scaled) noexcept {
  const double log = scaled / sketch_detail::kMultiplier;
  int exponent = static_cast<int>(log);
  if (exponent > log) --exponent;
  const double part = log - exponent;
  double s = part;
  for (int i = 0; i < 8; ++i) {
    using namespace sketch_detail;
    const double value = ((kA * s + kB) * s + kC) * s - part;
    s -= value / ((3 * kA * s + 2 * kB) * s + kC);
  }
  return times_power_of_two(1 + s, exponent);
}

}  // namespace

double sketch_bin_centre(int scaled) noexcept {
  const double low = unscaled(scaled);
  const double high = unscaled(scaled + 1);
  return 2 * low * high / (low + high);  // equally far, in relative terms, from both ends
}

double sketch_value(uint16_t bin) noexcept {
  NINES_ASSERT(bin < kSketchBins);
  return bin == 0 ? 0 : sketch_bin_centre(bin - 1 + sketch_detail::kFirst);
}

void Sketch::reserve_bin(size_t bin) {
  if (bins_.empty()) {
    first_ = bin;
    bins_.resize(1);
  } else if (bin < first_) {
    bins_.insert(bins_.begin(), first_ - bin, 0);
    first_ = bin;
  } else if (bin >= first_ + bins_.size()) {
    bins_.resize(bin - first_ + 1);
  }
}

void Sketch::add(uint16_t bin, uint32_t count) {
  if (count == 0) return;
  const size_t at = std::min<size_t>(bin, kSketchBins - 1);
  reserve_bin(at);
  uint32_t& slot = bins_[at - first_];
  const uint32_t added = std::min(count, std::numeric_limits<uint32_t>::max() - slot);
  slot += added;
  count_ += added;
}

void Sketch::merge(const Sketch& other) {
  if (other.bins_.empty()) return;
  reserve_bin(other.first_ + other.bins_.size() - 1);
  reserve_bin(other.first_);
  for (size_t i = 0; i < other.bins_.size(); ++i) {
    add(static_cast<uint16_t>(other.first_ + i), other.bins_[i]);
  }
}

void Sketch::clear() noexcept {
  std::vector<uint32_t>().swap(bins_);
  first_ = 0;
  count_ = 0;
}

uint32_t Sketch::at(uint16_t bin) const noexcept {
  return bin >= first_ && bin - first_ < bins_.size() ? bins_[bin - first_] : 0;
}

std::optional<double> Sketch::quantile(uint32_t permille) const noexcept {
  NINES_ASSERT(permille <= 1000);
  if (count_ == 0) return std::nullopt;
  // count < 2^43 (bins of 32 bits), so the product fits.
  const uint64_t rank = std::max<uint64_t>(1, (count_ * permille + 999) / 1000);
  uint64_t seen = 0;
  size_t i = 0;
  while ((seen += bins_[i]) < rank) ++i;
  return sketch_value(static_cast<uint16_t>(first_ + i));
}

}  // namespace nines::slo
