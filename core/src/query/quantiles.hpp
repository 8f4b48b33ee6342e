// Percentiles and histograms of a group: counts in bins, nothing but integers that add up, so that
// they merge to the same bits in any order. The bins are those of slo::Sketch (at most 1 % wide
// either way), over a wider range and for negative values too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace nines::query {

// Counts of bins, dense over the range in use.
class BinCounts {
 public:
  size_t add(int bin, uint32_t count = 1) {
    const auto at = static_cast<size_t>(static_cast<ptrdiff_t>(bin) - first_);
    if (bin >= first_ && at < counts_.size()) {
      raise(at, count);
      return 0;
    }
    return extend(bin, count);
  }
  size_t merge(const BinCounts& other);
  bool saturated() const noexcept { return saturated_; }  // a bin holds more than it can count
  size_t size() const noexcept { return counts_.size(); }
  int bin(size_t i) const noexcept { return first_ + static_cast<int>(i); }
  uint32_t count(size_t i) const noexcept { return counts_[i]; }

  void save(std::string& out) const;
  // False too when a bin lies outside [lowest, highest].
  bool load(std::string_view& in, int lowest, int highest, size_t& grown);

 private:
  void raise(size_t at, uint32_t count) {
    const uint32_t room = UINT32_MAX - counts_[at];
    saturated_ |= count > room;
    counts_[at] += count < room ? count : room;
  }
  size_t extend(int bin, uint32_t count);

  std::vector<uint32_t> counts_;
  int first_ = 0;
  bool saturated_ = false;
};

class Quantiles {
 public:
  // Returns the bytes grown by. NaN is no value.
  size_t add(double v);
  size_t add_whole(int64_t v);  // add() of it. REQUIRES that a double holds it exactly
  size_t merge(const Quantiles& other);
  // Nearest rank, within 1 %; exact at both ends. nullopt when empty.
  std::optional<double> at(uint32_t permille) const;
  bool approximate() const noexcept {
    return outside_ || positive_.saturated() || negative_.saturated();
  }
  void save(std::string& out) const;
  bool load(std::string_view& in, size_t& grown);

 private:
  BinCounts positive_, negative_;
  uint64_t zeros_ = 0, n_ = 0;
  double min_ = 0, max_ = 0;  // when n_ > 0
  bool outside_ = false;      // sizes beyond 2^-100..2^100 came; they are in the outermost bins
};

}  // namespace nines::query
