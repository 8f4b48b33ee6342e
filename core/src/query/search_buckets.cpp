#include "query/search_buckets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "query/byte_rank.hpp"

namespace nines::query {
namespace {

// The share of each byte in logs, roughly.
std::array<float, 256> make_shares() {
  std::array<float, 256> shares{};
  for (size_t byte = 0; byte < 256; ++byte) {
    shares[byte] = 0.06F * std::exp((static_cast<float>(kByteRank[byte]) - 250) / 40);
  }
  return shares;
}

// The share of places that a bucket lets through, if bytes knew nothing of each other.
float passing(const Bucket& bucket, size_t width) noexcept {
  static const std::array<float, 256> kShares = make_shares();
  float all = 1;
  for (size_t j = 0; j < width; ++j) {
    float share = 0;
    for (unsigned highs = bucket.high[j]; highs != 0; highs &= highs - 1) {
      const auto row = static_cast<unsigned>(std::countr_zero(highs)) * 16;
      for (unsigned lows = bucket.low[j]; lows != 0; lows &= lows - 1) {
        share += kShares[row + static_cast<unsigned>(std::countr_zero(lows))];
      }
    }
    all *= std::min(share, 1.0F);
  }
  return all;
}

Bucket both(const Bucket& a, const Bucket& b) noexcept {
  Bucket out;
  for (size_t j = 0; j < kMaxWidth; ++j) {
    out.low[j] = a.low[j] | b.low[j];
    out.high[j] = a.high[j] | b.high[j];
  }
  return out;
}

}  // namespace

void share_buckets(std::vector<Bucket>& buckets, size_t width) {
  std::vector<Bucket> different;
  for (const Bucket& bucket : buckets) {
    const bool known = std::find(different.begin(), different.end(), bucket) != different.end();
    if (!known) different.push_back(bucket);
  }
  buckets.swap(different);
  std::vector<float> alone;
  for (const Bucket& bucket : buckets) alone.push_back(passing(bucket, width));
  while (buckets.size() > kBuckets) {
    size_t first = 0;
    size_t second = 1;
    float least = INFINITY;
    for (size_t i = 0; i < buckets.size(); ++i) {
      for (size_t k = i + 1; k < buckets.size(); ++k) {
        const float more = passing(both(buckets[i], buckets[k]), width) - alone[i] - alone[k];
        if (more >= least) continue;
        least = more;
        first = i;
        second = k;
      }
    }
    buckets[first] = both(buckets[first], buckets[second]);
    alone[first] = passing(buckets[first], width);
    buckets.erase(buckets.begin() + static_cast<std::ptrdiff_t>(second));
    alone.erase(alone.begin() + static_cast<std::ptrdiff_t>(second));
  }
}

}  // namespace nines::query
