// SeriesTable: the last value of every counter series of one target, in the order of their first
// appearance, found by hash. Committed with the counts as two texts:
//
//   layout  which series there are, with their scale and start times: changes when they do
//   values  one varint a series in that order, bound to its layout by checksum
//
// Both end with a CRC-32C. Bounded by max_series; 40 bytes a series.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "nines/base/time.hpp"

namespace nines::collector {

// Hash of series names: FNV-1a with a finisher. Saved, therefore fixed for ever.
class SeriesHash {
 public:
  SeriesHash& add(std::string_view bytes) noexcept;
  SeriesHash& add(uint64_t number) noexcept;
  uint64_t value() const noexcept;

 private:
  uint64_t state_ = 0xcbf29ce484222325;
};

inline constexpr int64_t kNoStart = INT64_MIN;
inline constexpr int kMicro = 6;  // scale of a series that has had a fraction

struct Series {
  uint64_t key = 0;
  uint64_t last = 0;            // as counted, in 10^-scale
  int64_t start_ms = kNoStart;  // as last told
  uint32_t scrape = 0;          // the last one that it was in
  bool known = false;           // `last` was handed over
  bool micro = false;
};

class SeriesTable {
 public:
  struct Target {
    int64_t watching_since_s = 0;  // first scrape made or tried; 0: never
    bool complete = false;         // the last scrape was read whole: who is not in it did not exist
    std::string extra;             // of the consumer
  };

  explicit SeriesTable(size_t max_series);

  static constexpr uint32_t kNone = UINT32_MAX;
  uint32_t find(uint64_t key) const noexcept;  // kNone: not there
  uint32_t insert(uint64_t key);               // kNone: full
  Series& at(uint32_t index) noexcept { return series_[index]; }
  const Series& at(uint32_t index) const noexcept { return series_[index]; }
  size_t size() const noexcept { return series_.size(); }
  // Drops those last seen before scrape `oldest`; indices change. Returns how many.
  size_t forget_before(uint32_t oldest);
  void clear();

  std::string encode_layout(const Target& target) const;
  // `layout_check`: check_of() the layout that is saved beside it.
  std::string encode_values(const Target& target, uint32_t layout_check) const;
  static uint32_t check_of(std::string_view layout) noexcept;
  // False: damaged or of another version; the table is then empty.
  bool decode(std::string_view layout, std::string_view values, Target& target);

 private:
  void reindex();
  bool decode_layout(std::string_view layout, Target& target);
  bool decode_values(std::string_view layout, std::string_view values, Target& target);

  size_t max_series_;
  std::vector<Series> series_;
  std::vector<uint32_t> index_;  // open addressing, a power of two, at most half full
};

}  // namespace nines::collector
