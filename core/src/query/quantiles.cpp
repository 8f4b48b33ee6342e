#include "quantiles.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "nines/query/bytes.hpp"
#include "nines/slo/sketch.hpp"

namespace nines::query {
namespace {

constexpr double kSmallest = 0x1p-100, kLargest = 0x1p100;
constexpr int kShift = 4096;  // makes every bin positive before it is cut to an integer

constexpr int bin_of(double size) noexcept {
  return static_cast<int>(slo::sketch_detail::scaled_log(size) + kShift) - kShift;
}
constexpr int kLowest = bin_of(kSmallest), kHighest = bin_of(kLargest);

// Bins of the whole numbers that most durations in milliseconds are.
constexpr auto kWholeBins = [] {
  std::array<int16_t, 4096> bins{};
  for (size_t i = 1; i < bins.size(); ++i) {
    bins[i] = static_cast<int16_t>(bin_of(static_cast<double>(i)));
  }
  return bins;
}();

}  // namespace

size_t BinCounts::extend(int bin, uint32_t count) {
  const size_t before = counts_.size();
  if (counts_.empty()) {
    first_ = bin;
    counts_.resize(1);
  } else if (bin < first_) {
    counts_.insert(counts_.begin(), static_cast<size_t>(first_ - bin), 0);
    first_ = bin;
  } else {
    counts_.resize(static_cast<size_t>(bin - first_) + 1);
  }
  raise(static_cast<size_t>(bin - first_), count);
  return (counts_.size() - before) * sizeof(uint32_t);
}

size_t BinCounts::merge(const BinCounts& other) {
  size_t grown = 0;
  for (size_t i = 0; i < other.size(); ++i) {
    if (other.counts_[i] != 0) grown += add(other.bin(i), other.counts_[i]);
  }
  saturated_ |= other.saturated_;
  return grown;
}

void BinCounts::save(std::string& out) const {
  size_t used = 0;
  for (const uint32_t count : counts_) used += count != 0 ? 1 : 0;
  put_byte(out, saturated_ ? 1 : 0);
  put_varint(out, used);
  for (size_t i = 0; i < counts_.size(); ++i) {
    if (counts_[i] == 0) continue;
    put_signed(out, bin(i));
    put_varint(out, counts_[i]);
  }
}

bool BinCounts::load(std::string_view& in, int lowest, int highest, size_t& grown) {
  uint8_t saturated = 0;
  uint64_t used = 0;
  if (!get_byte(in, saturated) || saturated > 1 || !get_varint(in, used)) return false;
  saturated_ = saturated != 0;
  int64_t before = INT64_MIN;
  for (; used > 0; --used) {
    int64_t bin = 0;
    uint64_t count = 0;
    if (!get_signed(in, bin) || !get_varint(in, count) || bin < lowest || bin > highest ||
        bin <= before || count == 0 || count > UINT32_MAX) {
      return false;
    }
    before = bin;
    grown += add(static_cast<int>(bin), static_cast<uint32_t>(count));
  }
  return true;
}

size_t Quantiles::add(double v) {
  if (std::isnan(v)) return 0;
  if (v == 0) v = 0;  // one zero
  min_ = n_ == 0 ? v : std::min(min_, v);
  max_ = n_ == 0 ? v : std::max(max_, v);
  ++n_;
  const double size = std::fabs(v);
  if (size == 0) {
    ++zeros_;
    return 0;
  }
  BinCounts& counts = v < 0 ? negative_ : positive_;
  if (size >= kSmallest && size <= kLargest) return counts.add(bin_of(size));
  outside_ = true;
  return counts.add(size < kSmallest ? kLowest : kHighest);
}

size_t Quantiles::add_whole(int64_t v) {
  if (v <= 0 || v >= static_cast<int64_t>(kWholeBins.size())) return add(static_cast<double>(v));
  const auto real = static_cast<double>(v);
  min_ = n_ == 0 ? real : std::min(min_, real);
  max_ = n_ == 0 ? real : std::max(max_, real);
  ++n_;
  return positive_.add(kWholeBins[static_cast<size_t>(v)]);
}

size_t Quantiles::merge(const Quantiles& other) {
  if (other.n_ == 0) return 0;
  min_ = n_ == 0 ? other.min_ : std::min(min_, other.min_);
  max_ = n_ == 0 ? other.max_ : std::max(max_, other.max_);
  n_ += other.n_;
  zeros_ += other.zeros_;
  outside_ |= other.outside_;
  return positive_.merge(other.positive_) + negative_.merge(other.negative_);
}

std::optional<double> Quantiles::at(uint32_t permille) const {
  if (n_ == 0) return std::nullopt;
  permille = std::min<uint32_t>(permille, 1000);
  const uint64_t part = (n_ % 1000 * permille + 999) / 1000;
  const uint64_t rank = std::max<uint64_t>(1, n_ / 1000 * permille + part);
  if (rank == 1) return min_;
  if (rank >= n_) return max_;
  const auto within = [this](double v) { return std::clamp(v, min_, max_); };
  uint64_t seen = 0;
  for (size_t i = negative_.size(); i-- > 0;) {
    seen += negative_.count(i);
    if (seen >= rank) return within(-slo::sketch_bin_centre(negative_.bin(i)));
  }
  seen += zeros_;
  if (seen >= rank) return within(0);
  for (size_t i = 0; i < positive_.size(); ++i) {
    seen += positive_.count(i);
    if (seen >= rank) return within(slo::sketch_bin_centre(positive_.bin(i)));
  }
  return max_;
}

void Quantiles::save(std::string& out) const {
  put_varint(out, n_);
  if (n_ == 0) return;
  put_varint(out, zeros_);
  put_double(out, min_);
  put_double(out, max_);
  put_byte(out, outside_ ? 1 : 0);
  positive_.save(out);
  negative_.save(out);
}

bool Quantiles::load(std::string_view& in, size_t& grown) {
  uint8_t outside = 0;
  if (!get_varint(in, n_)) return false;
  if (n_ == 0) return true;
  if (!get_varint(in, zeros_) || zeros_ > n_ || !get_double(in, min_) || !get_double(in, max_) ||
      !(min_ <= max_) || !get_byte(in, outside) || outside > 1 ||
      !positive_.load(in, kLowest, kHighest, grown) ||
      !negative_.load(in, kLowest, kHighest, grown)) {
    return false;
  }
  outside_ = outside != 0;
  return true;
}

}  // namespace nines::query
